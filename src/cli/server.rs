//! A whole server in this process: engine, pages, workers; for `paprq serve` and `paprq demo`.

use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

use super::workshop::{WorkerPlace, Workshop};
use crate::config::{Amended, Config};
use crate::engine::{AmendmentAsked, Engine, PagesAt};
use crate::web;

/// A running server.
pub(super) struct Server {
    engine: Engine,
    pages: JoinHandle<std::io::Result<()>>,
    workers: TaskTracker,
    /// Kept for as long as they are at work.
    _workshop: Arc<Workshop>,
    stop: CancellationToken,
}

/// What a server is started with.
pub(super) struct Plan {
    pub(super) config: Config,
    pub(super) listener: TcpListener,
    /// Where the pages are reached.
    pub(super) pages: PagesAt,
    pub(super) workshop: Arc<Workshop>,
    pub(super) patience: Patience,
}

/// Whether a start waits for GitHub.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Patience {
    /// The port is served at once, whether GitHub answers or not.
    None,
    /// There is nothing to serve before it has answered.
    UntilConnected,
}

/// Why a server does not serve any more.
pub(super) enum Ended {
    /// The process is to end.
    Told,
    /// There is another configuration.
    Amended(Box<Config>),
    /// GitHub has said who the bot is.
    Connected,
}

impl Server {
    /// Starts everything.
    ///
    /// # Errors
    /// If somebody must act before it can start.
    pub(super) async fn start(plan: Plan) -> anyhow::Result<Self> {
        let address = plan.listener.local_addr()?;
        let work_dir = plan.config.git.cache_dir.join("workers");
        let engine = match plan.patience {
            Patience::None => Engine::begin(plan.config, plan.pages).await,
            Patience::UntilConnected => Engine::start(plan.config, plan.pages).await,
        };
        let engine = engine.context("cannot start")?;
        let stop = CancellationToken::new();
        let pages = web::serve(engine.clone(), plan.listener, stop.clone())
            .context("cannot serve pages")?;
        let server = Self {
            pages: tokio::spawn(pages),
            workers: TaskTracker::new(),
            _workshop: Arc::clone(&plan.workshop),
            engine,
            stop,
        };
        if !server.engine.is_asleep() {
            let place = WorkerPlace {
                server: reachable(address),
                work_dir,
            };
            let (workers, stop) = (&server.workers, &server.stop);
            plan.workshop.start(&server.engine, place, workers, stop)?;
        }
        Ok(server)
    }

    /// Serves until the process is told to end, then ends everything in order.
    ///
    /// # Errors
    /// If the pages could not be served any more.
    pub(super) async fn until_told(self) -> anyhow::Result<()> {
        self.until_ended(None).await.map(drop)
    }

    /// The same; ends also when the configuration is changed, and when GitHub says who the bot is that was
    /// started without it.
    ///
    /// # Errors
    /// If the pages could not be served any more, or GitHub refuses the access token.
    pub(super) async fn until_ended(
        mut self,
        amended: Option<&mut Amended>,
    ) -> anyhow::Result<Ended> {
        let next = next_configuration(&self.engine, amended);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let ended = tokio::select! {
            ended = &mut self.pages => {
                ended?.context("the pages are not served any more")?;
                Ended::Told
            }
            _ = terminate.recv() => Ended::Told,
            _ = interrupt.recv() => Ended::Told,
            config = next => Ended::Amended(Box::new(config)),
            outdated = self.engine.until_outdated() => {
                outdated.context("cannot go on")?;
                Ended::Connected
            }
        };
        match &ended {
            Ended::Told => {
                tracing::info!("the server stops; what is under way goes on at the next start");
            }
            Ended::Amended(_) => {
                tracing::warn!("the configuration is another one until the next start, by /admin");
            }
            Ended::Connected => tracing::info!("connected to GitHub; the queue begins its work"),
        }
        self.stop().await;
        Ok(ended)
    }

    /// Ends everything in order.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.engine.shutdown().await;
        if !self.pages.is_finished()
            && let Err(error) = self.pages.await
        {
            tracing::error!(%error, "the web server crashed while it stopped");
        }
    }
}

/// Waits for a change of the configuration that can be used; for ever, where none can be made.
async fn next_configuration(engine: &Engine, amended: Option<&mut Amended>) -> Config {
    let asked = amended.and_then(|amended| Some((amended, engine.take_amendments()?)));
    let Some((amended, mut asked)) = asked else {
        return std::future::pending().await;
    };
    while let Some(AmendmentAsked { amendment, reply }) = asked.recv().await {
        let config = amended.with(amendment, &|name| std::env::var(name).ok());
        let answer = config.as_ref().map(|_| ()).map_err(ToString::to_string);
        let _asker_gone = reply.send(answer);
        if let Ok(config) = config {
            return config;
        }
    }
    std::future::pending().await
}

/// The address at which this machine reaches what listens on another.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(_) | IpAddr::V6(_) => address.ip(),
    };
    SocketAddr::new(ip, address.port())
}

/// Where logs of the program go: standard error, from `info` up unless `RUST_LOG` says otherwise.
pub(super) fn log(otherwise: &str) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(otherwise));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

/// A relative path as an absolute one: children may have another working directory.
pub(super) fn absolute(path: &mut PathBuf) -> anyhow::Result<()> {
    *path = std::path::absolute(&*path)?;
    Ok(())
}
