//! One order from the checkout to the outcome, with the log as PAPR wrote it.

use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use url::Url;

use super::artifacts::{self, Carrier};
use super::checkout::check_out;
use super::client::ServerClient;
use super::conclusion::{Conclusion, reason};
use super::executors::{Bounds, Ended, Excess, Executors, NoPlace, Place, Site, Way};
use super::memory::Kills;
use super::packages::{self, NO_PACKAGES, NO_REPOSITORIES};
use super::room::Room;
use super::settings::Limits;
use super::spawner::Spawner;
use super::spool::Spool;
use super::{build, disk, script};
use crate::clock::{self, Stopwatch};
use crate::protocol::{JobOutcome, Order, WorkerFault};
use crate::public_address::Reach;
use paprq_core::suite::Suite;

/// How long what a suite leaves may take to be copied out of its place.
const KEEPING: Duration = Duration::from_secs(600);
/// The exit code of a suite that was killed for what it used, as shells count SIGKILL.
const KILLED: i32 = 128 + 9;
/// What is said where the kernel has killed processes of the whole machine.
const NO_MEMORY: &str = "The worker's machine ran out of memory.";

/// What executing needs beside the order.
#[derive(Debug)]
pub(super) struct Workshop<'a> {
    pub(super) executors: &'a Executors,
    pub(super) limits: &'a Limits,
    pub(super) spawner: &'a Spawner,
    pub(super) room: &'a Room,
    /// What the worker is called in a container engine that it may share.
    pub(super) owner: &'a str,
    /// The attempt's read-only repository on the server.
    pub(super) remote: Url,
    /// Whether strangers' submodules may be fetched from private networks.
    pub(super) reach: Reach,
    /// Takes what the suite leaves.
    pub(super) client: ServerClient,
    /// The result is not wanted any more.
    pub(super) stop: CancellationToken,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoOutcome {
    /// Nobody wants it.
    #[error("stopped")]
    Stopped,
    /// The suite was not executed; the message is for people.
    #[error("{0}")]
    Impossible(String),
    /// The worker's own files or processes failed.
    #[error(transparent)]
    Broken(#[from] io::Error),
    /// The worker failed, and this says to people how.
    #[error("{1}")]
    Fault(WorkerFault, String),
}

impl NoOutcome {
    /// The same before any command was run: the worker's failures are no attempt at the suite, and what
    /// breaks while everything is being killed is no failure.
    fn before_any_command(self, stop: &CancellationToken) -> Self {
        match self {
            Self::Broken(_) if stop.is_cancelled() => Self::Stopped,
            Self::Broken(error) => {
                tracing::error!(%error, "a suite could not be begun");
                Self::Fault(WorkerFault::CannotBegin, reason(&error))
            }
            other @ (Self::Stopped | Self::Impossible(_) | Self::Fault(..)) => other,
        }
    }
}

impl From<NoPlace> for NoOutcome {
    fn from(error: NoPlace) -> Self {
        match error {
            NoPlace::Refused(message) => Self::Impossible(message),
            NoPlace::Away(message) => broke_off(message),
            NoPlace::Broken(error) => Self::Broken(error),
        }
    }
}

/// Executes the order. When this returns, nothing that it started is alive.
///
/// `None` says that it was stopped and nothing is to be reported.
pub(super) async fn execute(
    order: &Order,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Option<Conclusion> {
    match try_execute(order, workshop, log).await {
        Ok(outcome) => Some(Conclusion::Outcome(outcome)),
        Err(NoOutcome::Stopped) => None,
        // What breaks while everything is being killed is no news.
        Err(NoOutcome::Broken(_) | NoOutcome::Fault(..)) if workshop.stop.is_cancelled() => None,
        Err(NoOutcome::Impossible(message)) => {
            let _log_is_full = log.say(&format!("### {message}")).await;
            Some(Conclusion::Outcome(JobOutcome::Error { message }))
        }
        Err(NoOutcome::Fault(fault, reason)) => Some(Conclusion::Fault(fault, reason)),
        Err(NoOutcome::Broken(error)) => {
            tracing::error!(
                job.id = order.attempt.job.0,
                attempt = order.attempt.number.0,
                %error,
                "a suite could not be executed"
            );
            Some(Conclusion::Fault(WorkerFault::BrokeOff, reason(&error)))
        }
    }
}

async fn try_execute(
    order: &Order,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Result<JobOutcome, NoOutcome> {
    write_header(order, log).await?;
    let way = workshop.executors.way(&order.suite.environment);
    let way = way.ok_or_else(|| not_offered(order.suite.environment.key()))?;
    refuse_packages(&order.suite, &way)?;
    if order.suite.tests.is_empty()
        && order.suite.build.is_none()
        && !packages::are_wanted(&order.suite)
    {
        return Ok(JobOutcome::Passed);
    }
    let prepared = prepare(order, &way, workshop, log).await;
    let (commands, mut place) =
        prepared.map_err(|error| error.before_any_command(&workshop.stop))?;
    let outcome = run(order, &commands, &mut place, workshop, log).await;
    let outcome = absolve(outcome, workshop).await;
    let kept = match outcome {
        Ok(_) => {
            let paths = artifacts::paths_inside(&order.suite.artifacts);
            let keeping = place.keep(&paths, order.artifacts, workshop.room, log);
            let keeping = tokio::time::timeout(KEEPING, keeping);
            match workshop.stop.run_until_cancelled(keeping).await {
                Some(Ok(kept)) => Some(kept),
                Some(Err(_elapsed)) => {
                    log.note("### ARTIFACTS LEFT OUT: copying them took too long")
                        .await?;
                    None
                }
                None => None,
            }
        }
        Err(_) => None,
    };
    place.close().await;
    if let Some(kept) = kept {
        let carrier = Carrier {
            client: &workshop.client,
            stop: &workshop.stop,
        };
        carrier.bring(order, &kept?, log).await?;
    }
    outcome
}

/// The commands, and the place where they are run, with the working copy in it.
async fn prepare(
    order: &Order,
    way: &Way<'_>,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Result<(Vec<String>, Place), NoOutcome> {
    check_out(order, workshop, log).await?;
    let commands = commands(&order.suite, workshop.room);
    write_scripts(order, workshop, way, &commands)?;
    packages::write_scripts(&order.suite, workshop.room)?;
    let site = Site {
        room: workshop.room,
        limits: workshop.limits,
        spawner: workshop.spawner,
        stop: &workshop.stop,
        owner: workshop.owner,
        attempt: order.attempt,
        timeout_s: order.suite.timeout_s,
    };
    let place = Place::open(way, site, log).await?;
    Ok((commands, place))
}

/// A suite that did not pass on a disk that takes nothing any more is not to blame. Its own limit
/// does not come into this: it is told from the disk's by where the room's neighbours stand.
async fn absolve(
    outcome: Result<JobOutcome, NoOutcome>,
    workshop: &Workshop<'_>,
) -> Result<JobOutcome, NoOutcome> {
    match outcome {
        Ok(JobOutcome::Failed { .. } | JobOutcome::TimedOut) | Err(NoOutcome::Impossible(_)) => {}
        Ok(JobOutcome::Passed | JobOutcome::Error { .. })
        | Err(NoOutcome::Stopped | NoOutcome::Broken(_) | NoOutcome::Fault(..)) => return outcome,
    }
    let disk = workshop.room.neighbourhood().to_owned();
    let lack = tokio::task::spawn_blocking(move || disk::lack_when_tried(&disk));
    match lack.await.map_err(io::Error::other)? {
        Some(lack) => Err(broke_off(lack)),
        None => outcome,
    }
}

async fn run(
    order: &Order,
    commands: &[String],
    place: &mut Place,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Result<JobOutcome, NoOutcome> {
    if packages::are_wanted(&order.suite) {
        packages::install(&order.suite, place, workshop, log).await?;
    }
    run_commands(order, commands, place, workshop, log).await
}

/// A sandbox sees the worker's programs and gets no others. The messages are PAPR's.
fn refuse_packages(suite: &Suite, way: &Way<'_>) -> Result<(), NoOutcome> {
    match way {
        Way::Sandbox { .. } if !suite.extra_repos.is_empty() => Err(impossible(NO_REPOSITORIES)),
        Way::Sandbox { .. } if !suite.packages.is_empty() => Err(impossible(NO_PACKAGES)),
        Way::Sandbox { .. } | Way::Container { .. } => Ok(()),
    }
}

fn not_offered(key: &str) -> NoOutcome {
    impossible(format!("This worker offers no `{key}` environments."))
}

async fn write_header(order: &Order, log: &mut Spool) -> io::Result<()> {
    log.say(&format!("### {}", date())).await?;
    for line in &order.log_header {
        log.say(&format!("### {line}")).await?;
    }
    Ok(())
}

/// The present moment as `date --utc` writes it.
fn date() -> String {
    jiff::Timestamp::from_millisecond(clock::now().0)
        .map(|now| now.strftime("%a %b %e %H:%M:%S UTC %Y").to_string())
        .unwrap_or_default()
}

/// The build, then the tests.
fn commands(suite: &Suite, room: &Room) -> Vec<String> {
    let build = suite.build.as_ref();
    build
        .map(|build| build::commands(build, &room.checkout()))
        .into_iter()
        .flatten()
        .chain(suite.tests.iter().cloned())
        .collect()
}

fn write_scripts(
    order: &Order,
    workshop: &Workshop<'_>,
    way: &Way<'_>,
    commands: &[String],
) -> io::Result<()> {
    let checkout = way.checkout(workshop.room);
    for (index, command) in commands.iter().enumerate() {
        let text = script::of_command(way.strict(), order, &checkout, command);
        workshop.room.write_script(&name_of(index), &text)?;
    }
    Ok(())
}

fn name_of(index: usize) -> String {
    format!("{index}.sh")
}

async fn run_commands(
    order: &Order,
    commands: &[String],
    place: &mut Place,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Result<JobOutcome, NoOutcome> {
    let budget = Duration::from_secs(order.suite.timeout_s);
    let suite_clock = Stopwatch::start();
    for (index, command) in commands.iter().enumerate() {
        let left = budget.saturating_sub(suite_clock.elapsed());
        if left.is_zero() {
            log.say("### TIMED OUT").await?;
            return Ok(JobOutcome::TimedOut);
        }
        log.echo(command).await?;
        let command_clock = Stopwatch::start();
        let bounds = Bounds {
            time: left,
            stop: &workshop.stop,
        };
        let kills = Kills::now();
        let ended = place.run(&name_of(index), bounds, log).await?;
        if is_failure(ended) && Kills::now().are_more_than(kills) && !place.is_at_its_own_limit() {
            return Err(broke_off(NO_MEMORY.to_owned()));
        }
        let seconds = command_clock.elapsed().as_secs();
        if let Some(outcome) = conclude(ended, seconds, log).await? {
            return Ok(outcome);
        }
    }
    Ok(JobOutcome::Passed)
}

fn is_failure(ended: Ended) -> bool {
    match ended {
        Ended::Code(code) => code != 0,
        Ended::TimedOut | Ended::Excess(_) | Ended::Stopped => false,
    }
}

/// Writes how a command ended; returns the suite's outcome if that was its last.
pub(super) async fn conclude(
    ended: Ended,
    seconds: u64,
    log: &mut Spool,
) -> Result<Option<JobOutcome>, NoOutcome> {
    match ended {
        Ended::Code(0) => {
            log.note(&format!("### COMPLETED IN {seconds}s")).await?;
            Ok(None)
        }
        Ended::Code(exit_code) => {
            log.say(&format!(
                "### EXITED WITH CODE {exit_code} AFTER {seconds}s"
            ))
            .await?;
            Ok(Some(JobOutcome::Failed { exit_code }))
        }
        Ended::TimedOut => {
            log.say(&format!("### TIMED OUT AFTER {seconds}s")).await?;
            Ok(Some(JobOutcome::TimedOut))
        }
        Ended::Excess(excess) => {
            log.say(&format!("### KILLED AFTER {seconds}s: {excess}"))
                .await?;
            match excess {
                Excess::DiskFull => Err(broke_off("The worker's disk is full.".to_owned())),
                Excess::MachineMemory => Err(broke_off(NO_MEMORY.to_owned())),
                Excess::Tasks(_)
                | Excess::Memory(_)
                | Excess::Disk(_)
                | Excess::Files(_)
                | Excess::Unmeasured => Ok(Some(JobOutcome::Failed { exit_code: KILLED })),
            }
        }
        Ended::Stopped => Err(NoOutcome::Stopped),
    }
}

/// The worker failed at what it had begun; the reason is one sentence for people.
pub(super) fn broke_off(reason: String) -> NoOutcome {
    NoOutcome::Fault(WorkerFault::BrokeOff, reason)
}

pub(super) fn impossible(message: impl Into<String>) -> NoOutcome {
    NoOutcome::Impossible(message.into())
}
