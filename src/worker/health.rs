//! Whether a worker can begin jobs, found out by beginning one without a suite.

use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::conclusion::reason;
use super::disk;
use super::executors::{Launch, Session};
use super::room::{Room, jobs_directory};
use super::settings::Settings;
use super::spawner::Spawner;
use super::spool::Spool;
use crate::protocol::{Attempt, Executor};
use paprq_core::ids::{AttemptNumber, JobId};
use paprq_core::suite::Network;

/// No job has this number.
const NO_JOB: Attempt = Attempt {
    job: JobId(0),
    number: AttemptNumber(0),
};
/// How long a container engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much a sandbox may print that only starts, in bytes.
const LOG_BYTES_MAX: u64 = 16 * 1024;

/// What keeps a worker from beginning any job for this executor, in one sentence for people.
pub(super) async fn ailment(
    settings: &Settings,
    spawner: &Spawner,
    stop: &CancellationToken,
    executor: Executor,
) -> Option<String> {
    let rooms = jobs_directory(&settings.work_dir);
    let lack = tokio::task::spawn_blocking(move || disk::lack_when_tried(&rooms));
    if let Some(lack) = lack.await.ok()? {
        return Some(lack);
    }
    if let Err(error) = begin_nothing(settings, spawner, stop).await {
        tracing::error!(%error, "the worker cannot begin anything");
        return Some(reason(&error));
    }
    match executor {
        Executor::Container => engine_ailment(settings).await,
        Executor::Sandbox | Executor::Kubernetes | Executor::Vm => None,
    }
}

/// Makes a room and starts the sandbox in it that every job takes, if only for its checkout.
async fn begin_nothing(
    settings: &Settings,
    spawner: &Spawner,
    stop: &CancellationToken,
) -> io::Result<()> {
    let isolation = settings.executors.for_git();
    let room = Room::make(&settings.work_dir, NO_JOB, isolation.owner())?;
    let begun = async {
        let (mut log, _reader) = Spool::create(&room.log(), LOG_BYTES_MAX).await?;
        let launch = Launch {
            isolation,
            room: &room,
            network: Network::On,
            limits: &settings.limits,
            stop,
            environment: Vec::new(),
        };
        Session::start(&launch, spawner, &mut log).await
    };
    let begun = begun.await;
    if let Ok(session) = begun {
        session.end().await;
        return room.remove();
    }
    room.remove()?;
    begun.map(drop)
}

async fn engine_ailment(settings: &Settings) -> Option<String> {
    let engine = settings.executors.container.as_ref()?;
    if let Some(lack) = engine.storage().and_then(disk::lack) {
        return Some(lack);
    }
    let answer = tokio::time::timeout(PATIENCE, engine.answers()).await;
    (answer != Ok(true)).then(|| "The worker's container engine does not answer.".to_owned())
}
