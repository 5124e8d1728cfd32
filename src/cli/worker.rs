//! `paprq worker`: executes jobs for a server.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::descriptors;
use super::server::log;
use crate::public_address::Reach;
use crate::worker::{self, Executors, Isolation, Lifetime, Limits, Settings, Token};
use paprq_core::ids::WorkerId;

/// Arguments of `paprq worker`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the server listens, such as https://merge.example.org.
    #[arg(long)]
    server: Url,
    /// A file that holds the worker's token.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// What the worker calls itself [default: the machine's name].
    #[arg(long)]
    name: Option<String>,
    /// How many jobs it executes at a time.
    #[arg(long, default_value = "1")]
    slots: NonZeroU32,
    /// Something it has that suites may ask for; may be repeated.
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// What it executes suites in; may be repeated.
    #[arg(
        long = "executor",
        value_name = "KIND",
        value_enum,
        default_value = "sandbox"
    )]
    executors: Vec<ExecutorKind>,
    /// Where Podman or Docker listens, such as unix:///run/podman/podman.sock [default: the one in
    /// $CONTAINER_HOST or $DOCKER_HOST, else one at a usual place, else a Podman of its own].
    #[arg(long, value_name = "URL")]
    engine: Option<String>,
    /// Takes what is waiting now, executes it, and ends.
    #[arg(long)]
    once: bool,
    /// A directory of its own [default: paprq/NAME in $CACHE_DIRECTORY or the user's cache].
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// Memory of one suite.
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// Processes and threads of one suite.
    #[arg(long, value_name = "COUNT")]
    tasks: Option<u64>,
    /// Room on the disk for one suite's working copy.
    #[arg(long, value_name = "MIB")]
    disk: Option<u64>,
    /// Files, directories and links in one suite's working copy.
    #[arg(long, value_name = "COUNT")]
    files: Option<u64>,
    /// Fetch submodules and files of Git LFS also from private networks.
    #[arg(long)]
    allow_private_addresses: bool,
}

impl Arguments {
    fn reach(&self) -> Reach {
        if self.allow_private_addresses {
            Reach::Anywhere
        } else {
            Reach::PublicOnly
        }
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ExecutorKind {
    Sandbox,
    Container,
    Kubernetes,
    Vm,
}

/// Runs the subcommand.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    log("info");
    descriptors::raise();
    tokio::runtime::Runtime::new()?.block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let settings = settings(arguments).await?;
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let working = worker::run(settings, stop.clone());
    tokio::pin!(working);
    tokio::select! {
        ended = &mut working => return Ok(ended?),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("the worker stops; the server gives its jobs to others");
    stop.cancel();
    Ok(working.await?)
}

async fn settings(arguments: &Arguments) -> anyhow::Result<Settings> {
    let executors = executors(arguments).await?;
    let token = std::fs::read_to_string(&arguments.token_file)
        .with_context(|| format!("cannot read {}", arguments.token_file.display()))?;
    let name = arguments.name.clone().unwrap_or_else(machine_name);
    Ok(Settings {
        server: arguments.server.clone(),
        token: Token::new(&token),
        work_dir: work_dir(arguments, &name)?,
        name: WorkerId::new(name),
        slots: arguments.slots,
        labels: arguments.labels.clone(),
        executors,
        limits: limits(arguments),
        reach: arguments.reach(),
        lifetime: if arguments.once {
            Lifetime::UntilIdle
        } else {
            Lifetime::UntilStopped
        },
    })
}

async fn executors(arguments: &Arguments) -> anyhow::Result<Executors> {
    let mut executors = Executors::default();
    for kind in &arguments.executors {
        match kind {
            ExecutorKind::Sandbox => {
                let bubblewrap = worker::find_bubblewrap().await?;
                executors.sandbox = Some(Isolation::Bubblewrap(bubblewrap));
            }
            ExecutorKind::Container => {
                let engine = worker::find_container_engine(arguments.engine.as_deref()).await;
                let engine = engine.context("give --engine to name a container engine")?;
                tracing::info!(%engine, "a container engine answers");
                executors.container = Some(engine);
            }
            ExecutorKind::Kubernetes | ExecutorKind::Vm => {
                bail!("this version of paprq executes suites in a sandbox or a container only")
            }
        }
    }
    if executors.sandbox.is_none() {
        executors.git = sandbox_for_git().await;
    }
    Ok(executors)
}

async fn sandbox_for_git() -> Option<Isolation> {
    match worker::find_bubblewrap().await {
        Ok(bubblewrap) => Some(Isolation::Bubblewrap(bubblewrap)),
        Err(error) => {
            tracing::warn!(%error, "git works without a sandbox");
            None
        }
    }
}

fn limits(arguments: &Arguments) -> Limits {
    const MIB: u64 = 1024 * 1024;
    let standard = Limits::default();
    let bytes = |mib: Option<u64>| mib.map(|mib| mib.saturating_mul(MIB));
    Limits {
        memory_bytes: bytes(arguments.memory).unwrap_or(standard.memory_bytes),
        tasks: arguments.tasks.unwrap_or(standard.tasks),
        disk_bytes: bytes(arguments.disk).unwrap_or(standard.disk_bytes),
        files: arguments.files.unwrap_or(standard.files),
        ..standard
    }
}

fn machine_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// systemd names a directory if the unit asks for one; else the user's cache is the place.
fn work_dir(arguments: &Arguments, name: &str) -> anyhow::Result<PathBuf> {
    if let Some(directory) = &arguments.work_dir {
        return Ok(std::path::absolute(directory)?);
    }
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("CACHE_DIRECTORY")
        .or_else(|| variable("XDG_CACHE_HOME"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .context("no directory to work in: give --work-dir")?;
    Ok(cache.join("paprq").join(name.replace('/', "_")))
}
