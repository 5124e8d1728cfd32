//! The worker's loop: ask for a job while there is a free slot, execute, ask again.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::client::{CallError, NoClient, ServerClient};
use super::conclusion::{Conclusion, reason};
use super::delivery::{Delivered, Delivery, Pace};
use super::execution::{Workshop, execute};
use super::leftovers::Leftovers;
use super::mask::Mask;
use super::pauses::Pauses;
use super::room::{Room, jobs_directory};
use super::settings::{Lifetime, Settings};
use super::spawner::Spawner;
use super::spool::{Spool, SpoolReader};
use super::{disk, executors, health};
use crate::protocol::{Attempt, CLAIM_WAIT_MAX_S, Claim, Executor, Order, WorkerFault};
use paprq_core::jobs::Need;

/// The first pause after a failed claim; short, for a server that is just restarting.
const CLAIM_RETRY_MIN: Duration = Duration::from_millis(100);
/// The longest pause after a failed claim.
const CLAIM_RETRY_MAX: Duration = Duration::from_secs(5);
/// How long the start waits for containers of an earlier worker to be removed.
const FIRST_REMOVAL: Duration = Duration::from_secs(10);

/// Why a worker ends, or does not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The server does not know the token: nothing will change that but a human.
    #[error("the server refuses the token")]
    Unauthorized,
    /// The token cannot be sent, or there is no HTTP client.
    #[error("cannot speak to a server: {0}")]
    Client(String),
    /// The directory is another worker's.
    #[error("another worker uses {}", .0.display())]
    DirectoryTaken(PathBuf),
    /// The directory cannot be used.
    #[error("cannot use the directory {}", directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No thread to start processes from.
    #[error("cannot start processes")]
    Processes(#[source] io::Error),
}

impl From<NoClient> for WorkerError {
    fn from(error: NoClient) -> Self {
        Self::Client(error.to_string())
    }
}

/// Works until `stop` (or, with [`Lifetime::UntilIdle`], until there is nothing to do).
///
/// A stop kills what runs, without a report: the server gives those jobs to somebody else.
///
/// # Errors
/// If it cannot start, or the server refuses the token. A server that is away is no error.
pub async fn run(settings: Settings, stop: CancellationToken) -> Result<(), WorkerError> {
    let _lock = take_directory(&settings.work_dir)?;
    let leftovers = Leftovers::below(&settings.work_dir);
    end_leftovers(&settings.work_dir, &leftovers);
    let owner = owner_of(&settings.work_dir);
    if let Some(engine) = &settings.executors.container {
        let removing = engine.remove_leftovers(&owner);
        let _goes_on_beside_the_jobs = tokio::time::timeout(FIRST_REMOVAL, removing).await;
    }
    let agent = Agent {
        owner,
        leftovers,
        client: ServerClient::new(&settings.server, &settings.token)?,
        spawner: Spawner::start().map_err(WorkerError::Processes)?,
        settings,
        pauses: Pauses::default(),
        trial: tokio::sync::Mutex::default(),
        stop,
    };
    let agent = Arc::new(agent);
    tokio::select! {
        ended = Arc::clone(&agent).work() => ended,
        never = agent.keep_removing() => match never {},
    }
}

/// Holds the directory for as long as the file lives.
fn take_directory(directory: &Path) -> Result<File, WorkerError> {
    let unusable = |source| WorkerError::Directory {
        directory: directory.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(unusable)?;
    let lock = File::create(directory.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(WorkerError::DirectoryTaken(directory.to_owned())),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// Ends what a worker that was killed here may have left running; its trees are deleted later.
fn end_leftovers(work_dir: &Path, leftovers: &Leftovers) {
    let jobs = jobs_directory(work_dir);
    for number in executors::sandboxes_below(&jobs) {
        if let Some(process) = rustix::process::Pid::from_raw(number) {
            tracing::warn!(process = number, "a leftover process is killed");
            let _already_dead =
                rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
    }
    if let Err(error) = leftovers.take(&jobs) {
        tracing::error!(%error, directory = %jobs.display(), "what suites left cannot be moved away");
    }
}

/// What the containers of the worker in this directory are marked with: the same after a restart,
/// and another for every other worker, also on other machines.
pub(super) fn owner_of(work_dir: &Path) -> String {
    let machine = rustix::system::uname();
    let mut hash = Sha256::new();
    hash.update(machine.nodename().to_bytes_with_nul());
    hash.update(work_dir.as_os_str().as_encoded_bytes());
    let hash = hex::encode(hash.finalize());
    hash.get(..16).unwrap_or_default().to_owned()
}

struct Agent {
    /// See [`owner_of`].
    owner: String,
    settings: Settings,
    client: ServerClient,
    spawner: Spawner,
    leftovers: Leftovers,
    /// What it cannot begin now.
    pauses: Pauses,
    /// Held while it is tried whether anything can be begun.
    trial: tokio::sync::Mutex<()>,
    stop: CancellationToken,
}

/// What the loop holds of the jobs under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    attempts: BTreeMap<Id, Taken>,
}

/// A job under way.
#[derive(Clone, Copy)]
struct Taken {
    attempt: Attempt,
    slots: u32,
}

impl Running {
    /// Waits for the end of any job; for ever if there is none.
    async fn next_end(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.forget(&ended),
            None => std::future::pending().await,
        }
    }

    fn forget(&mut self, ended: &Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => {
                tracing::error!(%error, "a job's task broke off");
                error.id()
            }
        };
        self.attempts.remove(&id);
    }
}

impl Agent {
    async fn work(self: Arc<Self>) -> Result<(), WorkerError> {
        let mut running = Running::default();
        tracing::info!(
            worker = %self.settings.name,
            server = %self.settings.server,
            slots = self.settings.slots,
            "the worker asks for jobs"
        );
        let ended = self.serve(&mut running).await;
        if ended.is_err() {
            self.stop.cancel();
        }
        while !running.attempts.is_empty() {
            running.next_end().await;
        }
        ended
    }

    async fn serve(self: &Arc<Self>, running: &mut Running) -> Result<(), WorkerError> {
        loop {
            let free = self.slots_free(running);
            if free == 0 {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    () = running.next_end() => continue,
                }
            }
            self.recover().await;
            let claim = self.claim(free, running);
            let claiming = self.claim_at_last(&claim);
            tokio::pin!(claiming);
            // A claim under way is never given up for a job's end: its answer may be an order.
            let claimed = loop {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    claimed = &mut claiming => break claimed?,
                    () = running.next_end() => {}
                }
            };
            match (claimed, self.settings.lifetime) {
                (Some(order), _) => self.begin(order, running),
                (None, Lifetime::UntilStopped) => {}
                (None, Lifetime::UntilIdle) => return Ok(()),
            }
        }
    }

    fn slots_free(&self, running: &Running) -> u32 {
        let taken = running.attempts.values().map(|taken| taken.slots);
        let taken = taken.fold(0, u32::saturating_add);
        self.settings.slots.get().saturating_sub(taken)
    }

    fn claim(&self, slots_free: u32, running: &Running) -> Claim {
        Claim {
            worker: self.settings.name.clone(),
            executors: self.pauses.without(self.settings.executors.offered()),
            labels: self.settings.labels.clone(),
            slots: self.settings.slots.get(),
            slots_free,
            running: running
                .attempts
                .values()
                .map(|taken| taken.attempt)
                .collect(),
            wait_s: match self.settings.lifetime {
                // A claim under way is not changed any more: it ends when a pause does.
                Lifetime::UntilStopped => self.pauses.left().map_or(CLAIM_WAIT_MAX_S, |left| {
                    left.as_secs().saturating_add(1).min(CLAIM_WAIT_MAX_S)
                }),
                Lifetime::UntilIdle => 0,
            },
        }
    }

    /// Claims until the server answers; a server that is away is asked for ever.
    async fn claim_at_last(&self, claim: &Claim) -> Result<Option<Order>, WorkerError> {
        let mut pauses = pauses(CLAIM_RETRY_MIN, CLAIM_RETRY_MAX);
        let mut failures: u64 = 0;
        loop {
            match self.client.claim(claim).await {
                Ok(order) => {
                    if failures > 0 {
                        tracing::info!(failures, "the server answers again");
                    }
                    return Ok(order);
                }
                Err(CallError::Unauthorized) => return Err(WorkerError::Unauthorized),
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "no answer to a claim; asking again");
                    }
                    tokio::time::sleep(pauses.next().unwrap_or(CLAIM_RETRY_MAX)).await;
                }
            }
        }
    }

    fn begin(self: &Arc<Self>, order: Order, running: &mut Running) {
        let attempt = order.attempt;
        if running
            .attempts
            .values()
            .any(|other| other.attempt == attempt)
        {
            return;
        }
        let slots = order.slots.max(1);
        let agent = Arc::clone(self);
        let task = running
            .tasks
            .spawn(async move { agent.attempt(order).await });
        running.attempts.insert(task.id(), Taken { attempt, slots });
    }

    /// One order from its directory to the accepted report.
    async fn attempt(&self, order: Order) {
        let attempt = order.attempt;
        tracing::info!(
            job.id = attempt.job.0,
            attempt = attempt.number.0,
            suite = order.suite.context,
            commit = %order.commit,
            "a job begins"
        );
        let delivered = self.try_attempt(&order).await;
        tracing::info!(
            job.id = attempt.job.0,
            attempt = attempt.number.0,
            delivered = ?delivered,
            "a job ends"
        );
    }

    async fn try_attempt(&self, order: &Order) -> Delivered {
        let (room, log, reader) = match self.make_room(order).await {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(job.id = order.attempt.job.0, %error, "no room for a job");
                let fault = Conclusion::Fault(WorkerFault::CannotBegin, reason(&error));
                let fault = self.diagnose(fault, order).await;
                return self.give_back(order, &fault).await;
            }
        };
        let pace = Pace::for_lease(order.lease_s);
        let delivery = Delivery::new(self.client.clone(), order.attempt, pace, reader);
        let workshop = Workshop {
            executors: &self.settings.executors,
            limits: &self.settings.limits,
            spawner: &self.spawner,
            room: &room,
            owner: &self.owner,
            remote: self.client.repository(order.attempt),
            reach: self.settings.reach,
            client: self.client.clone(),
            stop: self.stop.child_token(),
        };
        let deliver = async {
            let delivered = delivery.run(&self.stop).await;
            workshop.stop.cancel();
            delivered
        };
        let ((), delivered) = tokio::join!(self.finish(order, &workshop, log), deliver);
        self.remove(room).await;
        delivered
    }

    /// The order's directory, with its log.
    async fn make_room(&self, order: &Order) -> io::Result<(Room, Spool, SpoolReader)> {
        let owner = self.settings.executors.for_git().owner();
        let (work_dir, attempt) = (self.settings.work_dir.clone(), order.attempt);
        let room = blocking(move || {
            let room = Room::make(&work_dir, attempt, owner)?;
            match disk::lack(room.neighbourhood()) {
                None => Ok(room),
                Some(_lack) => {
                    room.remove()?;
                    Err(Errno::NOSPC.into())
                }
            }
        })
        .await?;
        let log_bytes_max = order.log_bytes_max.min(self.settings.limits.log_bytes);
        let (mut log, reader) = Spool::create(&room.log(), log_bytes_max).await?;
        log.hide(Mask::of(&order.secrets).map_err(io::Error::other)?);
        Ok((room, log, reader))
    }

    async fn finish(&self, order: &Order, workshop: &Workshop<'_>, mut log: Spool) {
        let Some(conclusion) = execute(order, workshop, &mut log).await else {
            return;
        };
        let conclusion = self.diagnose(conclusion, order).await;
        if let Conclusion::Fault(_, reason) = &conclusion {
            let _log_is_full = log.say(&format!("### {reason}")).await;
        }
        let _log_is_lost = log.release().await;
        log.finish(conclusion);
    }

    /// A job that could not be begun is told from a worker that can begin none like it: only that
    /// one asks for no more of them, or a suite could keep any worker from its work.
    async fn diagnose(&self, conclusion: Conclusion, order: &Order) -> Conclusion {
        let Conclusion::Fault(WorkerFault::CannotBegin, reason) = conclusion else {
            return conclusion;
        };
        let executor = Need::of(&order.suite).executor;
        match self.ailment(executor).await {
            Some(ailment) => {
                self.pauses.begin(executor, &ailment);
                Conclusion::Fault(WorkerFault::CannotBegin, ailment)
            }
            None => Conclusion::Fault(WorkerFault::BrokeOff, reason),
        }
    }

    /// What keeps the worker from beginning any job for this executor, if anything does.
    async fn ailment(&self, executor: Executor) -> Option<String> {
        let _one_at_a_time = self.trial.lock().await;
        health::ailment(&self.settings, &self.spawner, &self.stop, executor).await
    }

    /// Looks again at what the worker could not begin, where the pause is over.
    async fn recover(&self) {
        for executor in self.pauses.over() {
            match self.ailment(executor).await {
                Some(ailment) => self.pauses.lengthen(executor, &ailment),
                None => self.pauses.end(executor),
            }
        }
    }

    /// Reports an attempt of which there is no log, for as long as its lease may last.
    async fn give_back(&self, order: &Order, conclusion: &Conclusion) -> Delivered {
        let lease = Duration::from_secs(order.lease_s);
        let mut pauses = pauses(CLAIM_RETRY_MIN, CLAIM_RETRY_MAX);
        let report = conclusion.report(0);
        let reporting = async {
            loop {
                match self.client.report(order.attempt, &report).await {
                    Ok(_answer) => return Delivered::Accepted,
                    Err(CallError::Gone | CallError::Unauthorized) => return Delivered::GivenUp,
                    Err(CallError::Refused(_) | CallError::Unreached(_)) => {
                        tokio::time::sleep(pauses.next().unwrap_or(CLAIM_RETRY_MAX)).await;
                    }
                }
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => Delivered::Stopped,
            delivered = tokio::time::timeout(lease, reporting) => {
                delivered.unwrap_or(Delivered::GivenUp)
            }
        }
    }

    /// What cannot be deleted now is tried again later, beside other jobs.
    async fn remove(&self, room: Room) {
        let removed = room.clone();
        let Err(error) = blocking(move || removed.remove()).await else {
            return;
        };
        let directory = room.root().display();
        tracing::error!(%error, %directory, "what a suite left cannot be deleted yet");
        if let Err(error) = self.leftovers.take(room.root()) {
            tracing::error!(%error, %directory, "it cannot be moved away either; delete it yourself");
        }
    }

    async fn keep_removing(&self) -> Infallible {
        let engine = self.settings.executors.container.as_ref();
        self.leftovers.keep_removing(engine, &self.owner).await
    }
}

fn pauses(min: Duration, max: Duration) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_jitter()
        .without_max_times()
        .with_min_delay(min)
        .with_max_delay(max)
        .build()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
