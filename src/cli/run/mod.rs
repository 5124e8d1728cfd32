//! `paprq run`: the suites of the working directory, here and now.
//!
//! `choice` says which suites, `snapshot` what is tested, `board` what may begin and how it ended,
//! `server` speaks with a worker of our own as the server does, `screen` with the person. The worker is
//! the one that the server has: what passes here passes there.

mod board;
mod choice;
mod screen;
mod server;
mod snapshot;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::board::{Asked, Board};
use self::choice::{Choice, Kind};
use self::screen::{Interruption, Marking, Screen};
use self::server::RunServer;
use self::snapshot::Snapshot;
use super::explaining::complain;
use super::server::log;
use super::validate::{Source, find};
use crate::protocol::Executor;
use crate::public_address::Reach;
use crate::worker::{
    self, Executors, Isolation, Lifetime, Limits, Settings, TemporaryDirectory, Token,
};
use paprq_core::ids::WorkerId;
use paprq_core::suite::{self, FILE_NAMES, Suite};

/// Arguments of `paprq run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these suites: a context, a name, or any part of one that means a single suite
    #[arg(value_name = "SUITE")]
    suites: Vec<String>,
    /// Say which suites these are, and execute none.
    #[arg(long)]
    list: bool,
    /// The suites that run on this.
    #[arg(long, value_enum, default_value = "pull", conflicts_with = "suites")]
    kind: Kind,
    /// How many suites are executed at a time [default: half the processors].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroU32>,
    /// Only suites that are executed in this; may be repeated [default: in whatever there is here].
    #[arg(long = "executor", value_enum, value_name = "EXECUTOR")]
    executors: Vec<ExecutorKind>,
    /// The address of the container engine [default: that of Podman or Docker].
    #[arg(long, value_name = "ADDRESS")]
    engine: Option<String>,
    /// Keep the log of each suite in this directory.
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// Fetch submodules and files of Git LFS also from private networks.
    #[arg(long)]
    allow_private_addresses: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum ExecutorKind {
    Sandbox,
    Container,
}

impl From<ExecutorKind> for Executor {
    fn from(kind: ExecutorKind) -> Self {
        match kind {
            ExecutorKind::Sandbox => Self::Sandbox,
            ExecutorKind::Container => Self::Container,
        }
    }
}

/// Runs the subcommand: 0 if everything that was to be executed passed, 1 if not.
///
/// # Errors
///
/// There is no repository or no file of suites here, or no such suite.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    log("error");
    let top = snapshot::top()?;
    let Some(suites) = suites(&top)? else {
        return Ok(ExitCode::FAILURE);
    };
    let chosen = arguments.choice().of(&suites, snapshot::branch(&top))?;
    let marking = if chosen.len() > 1 && arguments.jobs().get() > 1 {
        Marking::BySuite
    } else {
        Marking::None
    };
    let mut screen = Screen::new(arguments.logs.clone(), marking);
    if arguments.list {
        screen.list(&chosen)?;
        return Ok(ExitCode::SUCCESS);
    }
    tokio::runtime::Runtime::new()?.block_on(execute(arguments, chosen, &top, &mut screen))
}

/// The suites of the file at the top; `None` if it is not valid, which is told then.
fn suites(top: &std::path::Path) -> anyhow::Result<Option<Vec<Suite>>> {
    let file =
        find(top).with_context(|| format!("there is none of {} here", FILE_NAMES.join(", ")))?;
    let Source { name, bytes } = Source::file(&file)?;
    match suite::read(&name, &bytes) {
        Ok(suites) => Ok(Some(suites)),
        Err(error) => {
            complain(&mut std::io::stdout().lock(), &error, &bytes)?;
            Ok(None)
        }
    }
}

impl Arguments {
    fn choice(&self) -> Choice<'_> {
        if self.suites.is_empty() {
            Choice::Kind(self.kind)
        } else {
            Choice::Named(&self.suites)
        }
    }

    /// Whether an executor is wanted.
    fn wants(&self, executor: Executor) -> bool {
        self.executors.is_empty() || self.executors.iter().any(|&kind| executor == kind.into())
    }

    fn reach(&self) -> Reach {
        if self.allow_private_addresses {
            Reach::Anywhere
        } else {
            Reach::PublicOnly
        }
    }

    fn jobs(&self) -> NonZeroU32 {
        let half = std::thread::available_parallelism().map_or(1, |count| count.get() / 2);
        let half = u32::try_from(half).ok().and_then(NonZeroU32::new);
        self.jobs.or(half).unwrap_or(NonZeroU32::MIN)
    }
}

async fn execute(
    arguments: &Arguments,
    chosen: Vec<Suite>,
    top: &std::path::Path,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let mut board = Board::new(chosen);
    let executors = executors(arguments, &mut board).await;
    let directory = TemporaryDirectory::new("paprq-run-")?;
    let good = match executors {
        None => {
            screen.sum_up(&board, Interruption::No)?;
            board.is_good()
        }
        Some(executors) => {
            let snapshot = Snapshot::take(top, directory.path())?;
            let server = RunServer::open(board, snapshot)?;
            let work_dir = directory.path().join("worker");
            work(
                settings(arguments, &server, executors, work_dir),
                &server,
                screen,
            )
            .await?
        }
    };
    Ok(ExitCode::from(u8::from(!good)))
}

/// Executes what is on the server's board; returns whether that went well.
async fn work(settings: Settings, server: &RunServer, screen: &mut Screen) -> anyhow::Result<bool> {
    let stop = CancellationToken::new();
    let mut worker = tokio::spawn(worker::run(settings, stop.clone()));
    let interruption = tokio::select! {
        told = screen.follow(server) => {
            told?;
            Interruption::No
        }
        () = interruption() => Interruption::Yes,
        ended = &mut worker => {
            ended??;
            bail!("the worker ended by itself");
        }
    };
    // What still runs is killed before anything more is said of it.
    stop.cancel();
    worker.await??;
    server.close().await;
    server.look(|board| screen.sum_up(board, interruption))?;
    Ok(interruption == Interruption::No && server.look(Board::is_good))
}

/// What suites are executed in; `None` if none is to be executed, and the board says why.
async fn executors(arguments: &Arguments, board: &mut Board) -> Option<Executors> {
    // Whoever names a suite wants it.
    let wanted = if arguments.suites.is_empty() {
        Asked::No
    } else {
        Asked::Yes
    };
    for executor in [Executor::Sandbox, Executor::Container, Executor::Vm] {
        if !arguments.wants(executor) {
            board.leave_out(executor, wanted);
        }
    }
    let mut executors = Executors::default();
    // The working copy is made in it too, whatever a suite's own environment is.
    match worker::find_bubblewrap().await {
        Ok(bubblewrap) => {
            let isolation = Isolation::Bubblewrap(bubblewrap);
            executors = Executors::sandbox(isolation);
        }
        Err(error) => board.give_up_in(Executor::Sandbox, &error.to_string()),
    }
    if board.waits_for(Executor::Container) {
        match worker::find_container_engine(arguments.engine.as_deref()).await {
            Ok(engine) => executors.container = Some(engine),
            Err(error) => {
                let why = format!("{error} with --engine");
                board.give_up_in(Executor::Container, &why);
            }
        }
    }
    board.offer(&executors.offered());
    (!board.is_over()).then_some(executors)
}

fn settings(
    arguments: &Arguments,
    server: &RunServer,
    executors: Executors,
    work_dir: PathBuf,
) -> Settings {
    Settings {
        server: server.url().clone(),
        token: Token::new(server.token()),
        name: WorkerId::new("here".to_owned()),
        slots: arguments.jobs(),
        labels: Vec::new(),
        executors,
        work_dir,
        limits: Limits::default(),
        reach: arguments.reach(),
        lifetime: Lifetime::UntilStopped,
    }
}

async fn interruption() {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
