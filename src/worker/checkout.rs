//! The order's commit, from the server into the room. `completion` adds what other servers have of it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use backon::BackoffBuilder as _;
use base64::Engine as _;
use rustix::io::Errno;

use super::completion::complete;
use super::execution::{NoOutcome, Workshop, broke_off, impossible};
use super::executors::{Bounds, Ended, Excess, Launch, Session};
use super::room::Room;
use super::spool::Spool;
use super::{omissions, script};
use crate::clock::Stopwatch;
use crate::protocol::{CHUNK_BYTES_MAX, Order};
use paprq_core::suite::Network;

/// How long the checkout may take, all attempts at it together.
pub(super) const CHECKOUT: Duration = Duration::from_secs(600);
/// How long a checkout that fails is tried again: a restart of the server and a little more.
const CHECKOUT_RETRIES: Duration = Duration::from_secs(20);
/// What git says about a failed checkout is kept up to this many bytes.
const CHECKOUT_LOG_BYTES_MAX: u64 = 16 * 1024;
/// The name of the checkout's script.
const CHECKOUT_NAME: &str = "checkout.sh";

/// Puts the order's commit into the room, trying again while the server may be restarting.
///
/// git meets what strangers pushed, so it too works inside the sandbox where there is one, with
/// the network on.
pub(super) async fn check_out(
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
    let (said, reader, code) = loop {
        let (mut said, reader) = Spool::create(&path, CHECKOUT_LOG_BYTES_MAX).await?;
        match check_out_once(order, workshop, &mut said).await? {
            (0, lacks) => {
                if let Some(line) = lacks {
                    log.note(&line).await?;
                }
                return complete(order, workshop, time, log).await;
            }
            (script::FETCH_FAILED, _) if time.elapsed() < CHECKOUT_RETRIES => {}
            (code, _) => break (said, reader, code),
        }
        tokio::select! {
            () = workshop.stop.cancelled() => return Err(NoOutcome::Stopped),
            () = tokio::time::sleep(pauses.next().unwrap_or_default()) => {}
        }
    };
    drop(said);
    let said = reader.read(0, CHUNK_BYTES_MAX).await?;
    log.write(&said).await?;
    Err(match code {
        _ if says_full(&said) && shares_disk(workshop.room) => {
            NoOutcome::Broken(Errno::NOSPC.into())
        }
        script::FETCH_FAILED => {
            broke_off("The worker could not fetch the commit from the server.".to_owned())
        }
        _ => impossible("Could not check out the commit."),
    })
}

/// git removes what it could not finish, so that there may be room again when somebody looks.
pub(super) fn says_full(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    ["No space left on device", "Disk quota exceeded"]
        .iter()
        .any(|words| said.contains(words))
}

/// Whether the working copy is on the worker's own disk, and not on one of a size of its own.
pub(super) fn shares_disk(room: &Room) -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|about| about.dev()).ok();
    device(&room.checkout()) == device(room.neighbourhood())
}

/// Returns the script's exit code, and a line about what the working copy lacks; what git said is in
/// `said`.
async fn check_out_once(
    order: &Order,
    workshop: &Workshop<'_>,
    said: &mut Spool,
) -> Result<(i32, Option<String>), NoOutcome> {
    let launch = Launch {
        isolation: workshop.executors.for_git(),
        room: workshop.room,
        network: Network::On,
        limits: workshop.limits,
        stop: &workshop.stop,
        environment: environment(order, workshop),
    };
    let mut session = Session::start(&launch, workshop.spawner, said).await?;
    let bounds = Bounds {
        time: CHECKOUT,
        stop: &workshop.stop,
    };
    let done = async {
        let code = code(session.run(CHECKOUT_NAME, bounds, said).await?)?;
        let lacks = match code {
            0 => omissions::find(&mut session, workshop, order.suite.checkout).await?,
            _failed => None,
        };
        Ok((code, lacks))
    };
    let done = done.await;
    session.end().await;
    done
}

/// The exit code of a script of the checkout, which has all the time and room that it needs.
pub(super) fn code(ended: Ended) -> Result<i32, NoOutcome> {
    match ended {
        Ended::Code(code) => Ok(code),
        Ended::Stopped => Err(NoOutcome::Stopped),
        Ended::TimedOut => Err(impossible("The checkout took too long.")),
        Ended::Excess(Excess::DiskFull) => Err(NoOutcome::Broken(Errno::NOSPC.into())),
        Ended::Excess(Excess::MachineMemory) => Err(NoOutcome::Broken(Errno::NOMEM.into())),
        Ended::Excess(excess) => Err(impossible(format!("The checkout is too large: {excess}."))),
    }
}

/// git's own configuration comes by the environment, where no other user and no suite sees it.
fn environment(order: &Order, workshop: &Workshop<'_>) -> Vec<(&'static str, String)> {
    let password =
        base64::engine::general_purpose::STANDARD.encode(format!("paprq:{}", order.git_token));
    let configuration = [
        (
            "http.extraHeader",
            format!("Authorization: Basic {password}"),
        ),
        ("advice.detachedHead", "false".to_owned()),
    ];
    let mut environment =
        script::git_environment(&configuration.map(|(key, value)| (key.to_owned(), value)));
    let depth = order.suite.checkout.depth;
    environment.extend([
        (
            "PAPRQ_CHECKOUT",
            workshop.executors.for_git().checkout(workshop.room),
        ),
        ("PAPRQ_REMOTE", workshop.remote.to_string()),
        ("PAPRQ_REF", order.git_ref.clone()),
        ("PAPRQ_COMMIT", order.commit.to_string()),
        (
            "PAPRQ_DEPTH",
            depth.map(|depth| depth.to_string()).unwrap_or_default(),
        ),
        ("GIT_ALLOW_PROTOCOL", "http:https".to_owned()),
    ]);
    environment
}
