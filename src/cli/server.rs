//! A whole server in this process: engine, pages, workers; for `paprq serve` and `paprq demo`.

use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::PathBuf;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::config::{Amended, Config, LocalExecutor, Workers};
use crate::engine::{AmendmentAsked, Engine, PagesAt};
use crate::ids::WorkerId;
use crate::web;
use crate::worker::{self, Executors, Isolation, Lifetime, Limits, Settings, Token};

/// A running server.
pub(super) struct Server {
    engine: Engine,
    pages: JoinHandle<std::io::Result<()>>,
    workers: TaskTracker,
    stop: CancellationToken,
}

/// What a server is started with.
pub(super) struct Plan {
    pub(super) config: Config,
    pub(super) listener: TcpListener,
    /// Where the pages are reached.
    pub(super) pages: PagesAt,
    /// What its own workers execute suites in; with nothing there are none.
    pub(super) executors: Executors,
}

impl Server {
    /// Starts everything.
    ///
    /// # Errors
    /// If somebody must act before it can start.
    pub(super) async fn start(plan: Plan) -> anyhow::Result<Self> {
        let address = plan.listener.local_addr()?;
        let workers_dir = plan.config.git.cache_dir.join("workers");
        let engine = Engine::start(plan.config, plan.pages)
            .await
            .context("cannot start")?;
        let stop = CancellationToken::new();
        let pages = web::serve(engine.clone(), plan.listener, stop.clone())
            .context("cannot serve pages")?;
        let server = Self {
            pages: tokio::spawn(pages),
            workers: TaskTracker::new(),
            engine,
            stop,
        };
        if !plan.executors.offered().is_empty() {
            server.start_workers(address, &workers_dir, &plan.executors)?;
        }
        Ok(server)
    }

    fn start_workers(
        &self,
        address: SocketAddr,
        directory: &std::path::Path,
        executors: &Executors,
    ) -> anyhow::Result<()> {
        let server = Url::parse(&format!("http://{}", reachable(address)))?;
        for number in 1..=self.engine.config().worker.local {
            let name = format!("local-{number}");
            let settings = Settings {
                server: server.clone(),
                token: Token::new(self.engine.local_token()),
                work_dir: std::path::absolute(directory.join(&name))?,
                name: WorkerId::new(name),
                slots: NonZeroU32::MIN,
                labels: Vec::new(),
                executors: executors.clone(),
                limits: Limits::default(),
                lifetime: Lifetime::UntilStopped,
            };
            let stop = self.stop.clone();
            self.workers.spawn(async move {
                let name = settings.name.clone();
                if let Err(error) = worker::run(settings, stop).await {
                    tracing::error!(worker.name = %name, %error, "a worker ended");
                }
            });
        }
        Ok(())
    }

    /// Serves until the process is told to end, then ends everything in order.
    ///
    /// # Errors
    /// If the pages could not be served any more.
    pub(super) async fn until_told(self) -> anyhow::Result<()> {
        self.until_told_or_amended(None).await.map(drop)
    }

    /// The same; ends also when the configuration is changed, and hands over the new one.
    ///
    /// # Errors
    /// If the pages could not be served any more.
    pub(super) async fn until_told_or_amended(
        mut self,
        amended: Option<&mut Amended>,
    ) -> anyhow::Result<Option<Config>> {
        let next = next_configuration(&self.engine, amended);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            ended = &mut self.pages => {
                ended?.context("the pages are not served any more")?;
            }
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            config = next => {
                tracing::warn!("the configuration is another one until the next start, by /admin");
                self.stop().await;
                return Ok(Some(config));
            }
        }
        tracing::info!("the server stops; what is under way goes on at the next start");
        self.stop().await;
        Ok(None)
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

/// Finds what the server's own workers execute suites in; with nothing there are none.
pub(super) async fn executors(workers: &Workers) -> Executors {
    let mut executors = Executors::default();
    if workers.local == 0 {
        return executors;
    }
    let named = workers.executors.as_ref();
    let is_wanted = |kind| named.is_none_or(|named| named.contains(&kind));
    if is_wanted(LocalExecutor::Sandbox) {
        match worker::find_bubblewrap().await {
            Ok(bubblewrap) => executors.sandbox = Some(Isolation::Bubblewrap(bubblewrap)),
            Err(error) => tracing::error!(%error, "workers in this server offer no sandbox"),
        }
    }
    if is_wanted(LocalExecutor::Container) {
        let engine = workers.engine.as_deref();
        match worker::find_container_engine(engine).await {
            Ok(engine) => {
                tracing::info!(%engine, "workers in this server run containers");
                executors.container = Some(engine);
            }
            Err(error) if named.is_none() && engine.is_none() => {
                tracing::info!(%error, "workers in this server run no containers");
            }
            Err(error) => tracing::error!(%error, "workers in this server run no containers"),
        }
    }
    if executors.offered().is_empty() {
        tracing::error!("no workers in this server: suites wait for others");
    }
    executors
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
