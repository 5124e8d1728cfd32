//! The workers inside the server: their threads, and what they execute suites in.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::umask::Umask;
use crate::config::{LocalExecutor, Workers};
use crate::engine::Engine;
use crate::public_address::Reach;
use crate::worker::{self, Executors, Isolation, Lifetime, Limits, Settings, Token};
use paprq_core::ids::WorkerId;

/// How many threads they have; suites run in processes of their own.
const THREADS: usize = 2;

/// Threads of their own, with the umask that suites are to have, and what was found on the machine.
pub(super) struct Workshop {
    threads: Option<Runtime>,
    executors: Shared<BoxFuture<'static, Executors>>,
}

/// Where the workers of one server find what they need.
pub(super) struct WorkerPlace {
    pub(super) server: SocketAddr,
    pub(super) work_dir: PathBuf,
}

impl Workshop {
    /// Looks for what suites are executed in, beside everything else: Podman takes its time.
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub(super) fn open(
        umask: Umask,
        find: impl Future<Output = Executors> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let threads = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("workers")
            .enable_all()
            .on_thread_start(move || {
                if let Err(error) = umask.restore_for_this_thread() {
                    tracing::error!(%error, "suites have another umask than the server was given");
                }
            })
            .build()
            .context("cannot start the threads of the workers")?;
        let finding = threads.spawn(find);
        let found = async move {
            finding.await.unwrap_or_else(|error| {
                tracing::error!(%error, "no workers in this server");
                Executors::default()
            })
        };
        Ok(Self {
            executors: found.boxed().shared(),
            threads: Some(threads),
        })
    }

    /// Starts the workers as soon as it is known what they execute suites in.
    ///
    /// # Errors
    /// If the server's address makes none that they can call.
    pub(super) fn start(
        &self,
        engine: &Engine,
        place: WorkerPlace,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let Some(threads) = &self.threads else {
            return Ok(());
        };
        let server = Url::parse(&format!("http://{}", place.server))?;
        let work_dir = std::path::absolute(place.work_dir)?;
        let (executors, stop) = (self.executors.clone(), stop.clone());
        let token = engine.local_token().to_owned();
        let reach = if engine.config().worker.allow_private_addresses {
            Reach::Anywhere
        } else {
            Reach::PublicOnly
        };
        let names = (1..=engine.config().worker.local).map(|number| format!("local-{number}"));
        let working = async move {
            let executors = tokio::select! {
                executors = executors => executors,
                () = stop.cancelled() => return,
            };
            if executors.offered().is_empty() {
                return;
            }
            let workers = names.map(|name| {
                let settings = Settings {
                    server: server.clone(),
                    token: Token::new(&token),
                    work_dir: work_dir.join(&name),
                    name: WorkerId::new(name),
                    slots: NonZeroU32::MIN,
                    labels: Vec::new(),
                    executors: executors.clone(),
                    limits: Limits::default(),
                    reach,
                    lifetime: Lifetime::UntilStopped,
                };
                tokio::spawn(work(settings, stop.clone()))
            });
            futures_util::future::join_all(workers).await;
        };
        tracker.spawn_on(working, threads.handle());
        Ok(())
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // A runtime must not be waited for inside another.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

async fn work(settings: Settings, stop: CancellationToken) {
    let name = settings.name.clone();
    if let Err(error) = worker::run(settings, stop).await {
        tracing::error!(worker.name = %name, %error, "a worker ended");
    }
}

/// Finds what the server's own workers execute suites in; with nothing there are none.
pub(super) async fn executors(workers: Workers) -> Executors {
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
