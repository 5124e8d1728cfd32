//! One order from the checkout to the outcome, with the log as PAPR wrote it.

use std::io;
use std::time::Duration;

use backon::BackoffBuilder as _;
use base64::Engine as _;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::executors::{Bounds, Ended, Isolation, Launch, Session};
use super::room::Room;
use super::script;
use super::settings::Limits;
use super::spawner::Spawner;
use super::spool::Spool;
use crate::clock::{self, Stopwatch};
use crate::protocol::{CHUNK_BYTES_MAX, JobOutcome, Order};
use crate::suite::{Environment, Network, Suite};

/// How long the checkout may take, all attempts at it together.
const CHECKOUT: Duration = Duration::from_secs(600);
/// How long a checkout that fails is tried again: a restart of the server and a little more.
const CHECKOUT_RETRIES: Duration = Duration::from_secs(20);
/// What git says about a failed checkout is kept up to this many bytes.
const CHECKOUT_LOG_BYTES_MAX: u64 = 16 * 1024;
/// The name of the checkout's script.
const CHECKOUT_NAME: &str = "checkout.sh";
/// The exit code of a suite that was killed for what it used, as shells count SIGKILL.
const KILLED: i32 = 128 + 9;

/// What executing needs beside the order.
#[derive(Debug)]
pub(super) struct Workshop<'a> {
    pub(super) isolation: &'a Isolation,
    pub(super) limits: &'a Limits,
    pub(super) spawner: &'a Spawner,
    pub(super) room: &'a Room,
    /// The attempt's read-only repository on the server.
    pub(super) remote: Url,
    /// The result is not wanted any more.
    pub(super) stop: CancellationToken,
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
enum NoOutcome {
    /// Nobody wants it.
    #[error("stopped")]
    Stopped,
    /// The suite was not executed; the message is for people.
    #[error("{0}")]
    Impossible(String),
    /// The worker's own files or processes failed.
    #[error(transparent)]
    Broken(#[from] io::Error),
}

impl NoOutcome {
    fn not_offered(kind: &str) -> Self {
        Self::Impossible(format!("This worker offers no `{kind}` environments."))
    }
}

/// Executes the order. When this returns, nothing that it started is alive.
///
/// `None` says that it was stopped and nothing is to be reported.
pub(super) async fn execute(
    order: &Order,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Option<JobOutcome> {
    match try_execute(order, workshop, log).await {
        Ok(outcome) => Some(outcome),
        Err(NoOutcome::Stopped) => None,
        // What breaks while everything is being killed is no news.
        Err(NoOutcome::Broken(_)) if workshop.stop.is_cancelled() => None,
        Err(NoOutcome::Impossible(message)) => {
            let _log_is_full = log.say(&format!("### {message}")).await;
            Some(JobOutcome::Error { message })
        }
        Err(NoOutcome::Broken(error)) => {
            tracing::error!(
                job.id = order.attempt.job.0,
                attempt = order.attempt.number.0,
                %error,
                "a suite could not be executed"
            );
            let message = "The worker could not execute the suite.".to_owned();
            let _log_is_full = log.say(&format!("### {message}")).await;
            Some(JobOutcome::Error { message })
        }
    }
}

async fn try_execute(
    order: &Order,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Result<JobOutcome, NoOutcome> {
    write_header(order, log).await?;
    let network = network_of(&order.suite.environment)?;
    refuse_unbuilt(&order.suite)?;
    if order.suite.tests.is_empty() {
        return Ok(JobOutcome::Passed);
    }
    check_out(order, workshop, log).await?;
    write_scripts(order, workshop)?;
    let launch = Launch {
        isolation: workshop.isolation,
        room: workshop.room,
        network,
        limits: workshop.limits,
        stop: &workshop.stop,
        environment: Vec::new(),
    };
    let mut session = Session::start(&launch, workshop.spawner, log).await?;
    let outcome = run_commands(order, workshop, &mut session, log).await;
    session.end().await;
    outcome
}

fn network_of(environment: &Environment) -> Result<Network, NoOutcome> {
    match environment {
        Environment::Sandbox { network } => Ok(*network),
        Environment::Container { .. } => Err(NoOutcome::not_offered("container")),
        Environment::Host { .. } => Err(NoOutcome::not_offered("host")),
        Environment::Cluster { .. } => Err(NoOutcome::not_offered("cluster")),
    }
}

/// A suite is not called passed when parts of it were left out. `artifacts` decide nothing.
fn refuse_unbuilt(suite: &Suite) -> Result<(), NoOutcome> {
    let asked = [
        ("build", suite.build.is_some()),
        ("packages", !suite.packages.is_empty()),
        ("extra-repos", !suite.extra_repos.is_empty()),
    ];
    match asked.iter().find(|(_key, is_there)| *is_there) {
        Some((key, _)) => Err(impossible(format!(
            "This worker does not execute the key `{key}`."
        ))),
        None => Ok(()),
    }
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

fn write_scripts(order: &Order, workshop: &Workshop<'_>) -> io::Result<()> {
    let checkout = workshop.isolation.checkout(workshop.room);
    for (index, test) in order.suite.tests.iter().enumerate() {
        let text = script::of_command(&checkout, &order.suite.env, &order.variables, test);
        std::fs::write(workshop.room.control().join(name_of(index)), text)?;
    }
    Ok(())
}

fn name_of(index: usize) -> String {
    format!("{index}.sh")
}

async fn run_commands(
    order: &Order,
    workshop: &Workshop<'_>,
    session: &mut Session,
    log: &mut Spool,
) -> Result<JobOutcome, NoOutcome> {
    let budget = Duration::from_secs(order.suite.timeout_s);
    let suite_clock = Stopwatch::start();
    for (index, test) in order.suite.tests.iter().enumerate() {
        let left = budget.saturating_sub(suite_clock.elapsed());
        if left.is_zero() {
            log.say("### TIMED OUT").await?;
            return Ok(JobOutcome::TimedOut);
        }
        log.echo(test).await?;
        let command_clock = Stopwatch::start();
        let bounds = Bounds {
            time: left,
            stop: &workshop.stop,
        };
        let ended = session.run(&name_of(index), bounds, log).await?;
        let seconds = command_clock.elapsed().as_secs();
        if let Some(outcome) = conclude(ended, seconds, log).await? {
            return Ok(outcome);
        }
    }
    Ok(JobOutcome::Passed)
}

/// Writes how a command ended; returns the suite's outcome if that was its last.
async fn conclude(
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
            Ok(Some(JobOutcome::Failed { exit_code: KILLED }))
        }
        Ended::Stopped => Err(NoOutcome::Stopped),
    }
}

/// Puts the order's commit into the room, trying again while the server may be restarting.
///
/// git meets what strangers pushed, so it too works inside the sandbox, with the network on.
async fn check_out(
    order: &Order,
    workshop: &Workshop<'_>,
    log: &mut Spool,
) -> Result<(), NoOutcome> {
    std::fs::write(
        workshop.room.control().join(CHECKOUT_NAME),
        script::CHECKOUT,
    )?;
    let time = Stopwatch::start();
    let mut pauses = backon::ExponentialBuilder::default()
        .with_jitter()
        .without_max_times()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .build();
    let path = workshop.room.root().join("checkout.log");
    let (said, reader) = loop {
        let (mut said, reader) = Spool::create(&path, CHECKOUT_LOG_BYTES_MAX).await?;
        match check_out_once(order, workshop, &mut said).await? {
            0 => return Ok(()),
            script::FETCH_FAILED if time.elapsed() < CHECKOUT_RETRIES => {}
            _ => break (said, reader),
        }
        tokio::select! {
            () = workshop.stop.cancelled() => return Err(NoOutcome::Stopped),
            () = tokio::time::sleep(pauses.next().unwrap_or_default()) => {}
        }
    };
    drop(said);
    log.write(&reader.read(0, CHUNK_BYTES_MAX).await?).await?;
    Err(impossible("Could not check out the commit."))
}

fn impossible(message: impl Into<String>) -> NoOutcome {
    NoOutcome::Impossible(message.into())
}

/// Returns the script's exit code; what git said is in `said`.
async fn check_out_once(
    order: &Order,
    workshop: &Workshop<'_>,
    said: &mut Spool,
) -> Result<i32, NoOutcome> {
    let launch = Launch {
        isolation: workshop.isolation,
        room: workshop.room,
        network: Network::On,
        limits: workshop.limits,
        stop: &workshop.stop,
        environment: git_environment(order, workshop),
    };
    let mut session = Session::start(&launch, workshop.spawner, said).await?;
    let bounds = Bounds {
        time: CHECKOUT,
        stop: &workshop.stop,
    };
    let ended = session.run(CHECKOUT_NAME, bounds, said).await;
    session.end().await;
    match ended? {
        Ended::Code(code) => Ok(code),
        Ended::Stopped => Err(NoOutcome::Stopped),
        Ended::TimedOut => Err(impossible("The checkout took too long.")),
        Ended::Excess(excess) => Err(impossible(format!("The checkout is too large: {excess}."))),
    }
}

/// git's own configuration comes by the environment, where no other user and no suite sees it.
fn git_environment(order: &Order, workshop: &Workshop<'_>) -> Vec<(&'static str, String)> {
    let password =
        base64::engine::general_purpose::STANDARD.encode(format!("paprq:{}", order.git_token));
    vec![
        ("PAPRQ_CHECKOUT", workshop.isolation.checkout(workshop.room)),
        ("PAPRQ_REMOTE", workshop.remote.to_string()),
        ("PAPRQ_REF", order.git_ref.clone()),
        ("PAPRQ_COMMIT", order.commit.to_string()),
        ("GIT_TERMINAL_PROMPT", "0".to_owned()),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
        ("GIT_ALLOW_PROTOCOL", "http:https".to_owned()),
        ("GIT_CONFIG_COUNT", "2".to_owned()),
        ("GIT_CONFIG_KEY_0", "http.extraHeader".to_owned()),
        (
            "GIT_CONFIG_VALUE_0",
            format!("Authorization: Basic {password}"),
        ),
        ("GIT_CONFIG_KEY_1", "advice.detachedHead".to_owned()),
        ("GIT_CONFIG_VALUE_1", "false".to_owned()),
    ]
}
