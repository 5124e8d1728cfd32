//! Jobs and the workers that execute them: the scheduler's board, the database and the logs
//! together.
//!
//! Everything that changes the board goes through one lock and is durable before anybody hears of
//! it; where it cannot be written down, the board is read anew from the database.

mod artifacts;
mod reports;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard, Notify, mpsc};

use super::job_events::event_of;
use super::job_variables;
use super::live::{Change, Live};
use super::repo::Message;
use crate::clock;
use crate::config::Secret;
use crate::protocol::{
    ArtifactBounds, CLAIM_WAIT_MAX_S, Claim, JobOutcome, LEASE_S, Order, Renewal, Wish,
};
use crate::store::artifacts::{ArtifactError, Artifacts};
use crate::store::logs::{LogError, Logs};
use crate::store::{Store, StoreError, Stored};
use paprq_core::ids::{AttemptNumber, RepoLabel, RunId, Timestamp};
use paprq_core::jobs::{
    Attempt, Board, Claimant, Job, JobState, LeaseOver, Need, PasswordDigest, Policy, WorkerKey,
};

/// How long a log may get, in bytes.
pub(super) const LOG_BYTES_MAX: u64 = 64 << 20;
/// What a worker may send beyond that, in bytes: the lines that say that the log was cut.
const LOG_BYTES_SLACK: u64 = 64 << 10;

/// How long a claim waits at least before it is answered because the worker has more slots free
/// by now than it said, in seconds: a slot that has just become free may still be swept.
const OUTDATED_AFTER_S: u64 = 1;

/// Jobs and workers of all repositories. Clones are handles to the same.
#[derive(Clone)]
pub struct JobService(Arc<Shared>);

struct Shared {
    board: Mutex<Board>,
    /// Something may be there for a worker now, or a lease was given out.
    changed: Notify,
    store: Store,
    logs: Logs,
    artifacts: Artifacts,
    artifact_bounds: ArtifactBounds,
    live: Live,
    /// SHA-256 of each worker's token, by the token's name.
    tokens: BTreeMap<String, [u8; 32]>,
    places: HashMap<RepoLabel, RepoPlace>,
    base_url: String,
}

/// What the service knows of a repository.
pub(super) struct RepoPlace {
    pub(super) mailbox: mpsc::UnboundedSender<Message>,
    /// `OWNER/NAME`.
    pub(super) slug: String,
    /// Its page on GitHub.
    pub(super) web_url: String,
    /// Its public address for git.
    pub(super) origin: String,
    /// What its suites may know, by name.
    pub(super) secrets: BTreeMap<String, Secret>,
}

/// What the service is made of.
pub(super) struct Equipment {
    pub(super) store: Store,
    pub(super) logs: Logs,
    /// How much is kept of a suite's files.
    pub(super) artifact_bounds: ArtifactBounds,
    pub(super) live: Live,
    /// Each worker's token, by the token's name.
    pub(super) tokens: BTreeMap<String, String>,
    pub(super) places: HashMap<RepoLabel, RepoPlace>,
    pub(super) base_url: String,
    pub(super) policy: Policy,
}

/// Why a worker's call was not answered.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The attempt does not count any more.
    #[error(transparent)]
    LeaseOver(#[from] LeaseOver),
    /// The log is longer than any may be.
    #[error("take more of a log than {LOG_BYTES_MAX} bytes")]
    TooLong,
    /// The database did not do as it was asked: the worker tries again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file was not stored: the worker looks why.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The log was not read or written: the worker tries again.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The task that did it was lost: the worker tries again.
    #[error("wait for a task")]
    Task(#[from] tokio::task::JoinError),
}

impl JobService {
    /// Opens the service with the jobs that the database holds; those that workers have are theirs
    /// for another lease: while the server was down they could not speak up.
    pub(super) async fn open(equipment: Equipment) -> Result<Self, StoreError> {
        let jobs = equipment.store.open_jobs().await?;
        let board = Board::new(jobs, equipment.policy, clock::now());
        let tokens = equipment.tokens.iter();
        Ok(Self(Arc::new(Shared {
            board: Mutex::new(board),
            changed: Notify::new(),
            store: equipment.store,
            artifacts: equipment.logs.artifacts(),
            artifact_bounds: equipment.artifact_bounds,
            logs: equipment.logs,
            live: equipment.live,
            tokens: tokens
                .map(|(name, token)| (name.clone(), digest(token)))
                .collect(),
            places: equipment.places,
            base_url: equipment.base_url,
        })))
    }

    /// The name of a worker's token; compared in constant time.
    pub fn token_name(&self, token: &str) -> Option<String> {
        let shown = digest(token);
        let mut tokens = self.0.tokens.iter();
        tokens
            .find(|(_, known)| **known == shown)
            .map(|(name, _)| name.clone())
    }

    /// Jobs that are not over, as they are now.
    pub async fn open_jobs(&self) -> Vec<Job> {
        self.0.board.lock().await.jobs().cloned().collect()
    }

    /// Gives a worker a job; waits for one as long as the worker does.
    ///
    /// # Errors
    /// [`CallError::Store`]: nothing was given.
    pub async fn claim(&self, token: &str, claim: Claim) -> Result<Option<Order>, CallError> {
        let wait = Duration::from_secs(claim.wait_s.min(CLAIM_WAIT_MAX_S));
        let worker = WorkerKey {
            token: token.to_owned(),
            name: claim.worker.clone(),
        };
        let deadline = tokio::time::sleep(wait);
        tokio::pin!(deadline);
        let asked_at = clock::now();
        let git_token = hex::encode(rand::random::<[u8; 20]>());
        let claimant = Claimant {
            asked_at,
            ..claimant(&worker, &claim, &git_token)
        };
        self.account(&worker, &claim.running).await?;
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            changed.as_mut().enable();
            if let Some(order) = self.take_one(claimant.clone(), &git_token).await? {
                return Ok(Some(order));
            }
            let is_old = clock::now().ms_since(asked_at) >= OUTDATED_AFTER_S * 1000;
            if is_old && self.is_outdated(&claimant).await {
                return Ok(None);
            }
            tokio::select! {
                () = &mut changed => {}
                () = &mut deadline => return Ok(None),
            }
        }
    }

    async fn is_outdated(&self, claimant: &Claimant) -> bool {
        let board = self.0.board.lock().await;
        board.is_outdated(clock::now(), claimant)
    }

    /// Takes back what the worker does not know that it has.
    async fn account(&self, worker: &WorkerKey, running: &[Attempt]) -> Result<(), CallError> {
        let (worker, running) = (worker.clone(), running.to_vec());
        self.change(move |board, now| ((), board.account(now, &worker, &running)))
            .await
    }

    async fn take_one(
        &self,
        claimant: Claimant,
        git_token: &str,
    ) -> Result<Option<Order>, CallError> {
        let worker = claimant.worker.clone();
        let claimed = self
            .change(move |board, now| {
                let job = board.claim(now, &claimant);
                (job.clone(), job.into_iter().collect())
            })
            .await?;
        let Some(job) = claimed else {
            return Ok(None);
        };
        if let Some(outcome) = self.0.lacks_secret(&job) {
            self.refuse(&worker, &job, outcome).await?;
            return Ok(None);
        }
        Ok(self.0.order(&job, git_token))
    }

    /// Ends a job that was just given out and cannot be executed as it is configured.
    async fn refuse(
        &self,
        worker: &WorkerKey,
        job: &Job,
        outcome: JobOutcome,
    ) -> Result<(), CallError> {
        let JobState::Leased { attempt, .. } = job.state else {
            return Ok(());
        };
        let attempt = attempt_of(job, attempt);
        if let JobOutcome::Error { message } = &outcome {
            let line = Bytes::from(format!("### {message}\n"));
            self.0.logs.append(attempt, 0, line).await?;
        }
        let worker = worker.clone();
        let finished = self.change(move |board, now| {
            let ended = board.finish(now, attempt, &worker, outcome);
            let changed = ended.iter().flatten().cloned().collect();
            (ended, changed)
        });
        finished.await??;
        self.seal(attempt);
        Ok(())
    }

    /// Adds a piece to a log.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn append_log(
        &self,
        token: &str,
        attempt: Attempt,
        offset: u64,
        chunk: Bytes,
    ) -> Result<Renewal, CallError> {
        let wish = self.renew(token, attempt).await?;
        if !chunk.is_empty() {
            let mut board = self.0.board.lock().await;
            board.hear_output(clock::now(), attempt.job);
        }
        let end = offset.saturating_add(chunk.len() as u64);
        if end > LOG_BYTES_MAX + LOG_BYTES_SLACK {
            return Err(CallError::TooLong);
        }
        let log_bytes = match self.0.logs.append(attempt, offset, chunk).await {
            Ok(len) | Err(LogError::Gap(len)) => len,
            Err(error) => return Err(error.into()),
        };
        self.0.live.tell(Change::Log(attempt));
        Ok(Renewal { wish, log_bytes })
    }

    /// A worker says that it is still at it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn beat(&self, token: &str, attempt: Attempt) -> Result<Renewal, CallError> {
        let wish = self.renew(token, attempt).await?;
        let log_bytes = self.0.logs.len(attempt).await?;
        Ok(Renewal { wish, log_bytes })
    }

    /// The repository and run whose commit an attempt may fetch, if this is its password.
    pub async fn git_access(&self, attempt: Attempt, password: &str) -> Option<(RepoLabel, RunId)> {
        let board = self.0.board.lock().await;
        let job = board.job(attempt.job)?;
        match &job.state {
            JobState::Leased {
                attempt: number,
                git_password,
                ..
            } if *number == attempt.number && git_password.is_of(password) => {
                Some((job.repo.clone(), job.run))
            }
            JobState::Leased { .. }
            | JobState::Waiting
            | JobState::Finished { .. }
            | JobState::Cancelled { .. } => None,
        }
    }

    /// Puts up jobs; those that their run has already are left out.
    pub(super) async fn put_up(&self, jobs: Vec<Job>) -> Result<(), StoreError> {
        let mut board = self.0.board.lock().await;
        let added = self.0.store.add_jobs(jobs).await?;
        let ids: Vec<_> = added.iter().map(|job| job.id).collect();
        board.add(added);
        drop(board);
        for id in ids {
            self.0.live.tell(Change::Job(id));
        }
        self.0.changed.notify_waiters();
        self.change_stored(|_, _| Vec::new()).await
    }

    /// Changes jobs for the engine, which tries again whatever could not be written down.
    pub(super) async fn change_stored(
        &self,
        change: impl FnOnce(&mut Board, Timestamp) -> Vec<Job> + Send + 'static,
    ) -> Result<(), StoreError> {
        let changed = self.change(move |board, now| ((), change(board, now)));
        match changed.await {
            Ok(()) => Ok(()),
            Err(CallError::Store(error)) => Err(error),
            Err(_of_another_kind) => Err(StoreError::Closed),
        }
    }

    /// Looks at the board as it is.
    pub(super) async fn look<T>(&self, look: impl FnOnce(&Board, Timestamp) -> T) -> T {
        look(&*self.0.board.lock().await, clock::now())
    }

    /// Stops what is left of a run's jobs.
    pub(super) async fn cancel_run(&self, run: RunId) -> Result<(), StoreError> {
        self.change_stored(move |board, now| board.cancel_run(now, run))
            .await
    }

    /// Stops what is left of some suites of a run, unless others of it need them.
    pub(super) async fn cancel_suites(
        &self,
        run: RunId,
        contexts: Vec<String>,
    ) -> Result<(), StoreError> {
        self.change_stored(move |board, now| board.cancel_suites(now, run, &contexts))
            .await
    }

    /// Takes back jobs whose workers fell silent, for as long as the server lives.
    pub(super) async fn watch_leases(self) {
        loop {
            let changed = self.0.changed.notified();
            let next = self.0.board.lock().await.next_wakeup();
            let wait = next.map_or(Duration::from_secs(3600), |at| {
                Duration::from_millis(at.ms_since(clock::now()))
            });
            tokio::select! {
                () = changed => continue,
                () = tokio::time::sleep(wait) => {}
            }
            let expired = self.change(|board, now| ((), board.expire(now))).await;
            if let Err(error) = expired {
                tracing::warn!(%error, "lost jobs could not be taken back yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    async fn renew(&self, token: &str, attempt: Attempt) -> Result<Wish, LeaseOver> {
        let mut board = self.0.board.lock().await;
        let worker = holder(&board, token, attempt)?;
        board.renew(clock::now(), attempt, &worker)
    }

    /// Changes the board and makes durable what changed, with the news for the repositories.
    ///
    /// In a task of its own: a caller that goes away does not leave it half done.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Board, Timestamp) -> (T, Vec<Job>) + Send + 'static,
    ) -> Result<T, CallError> {
        let service = self.clone();
        let changing = tokio::spawn(async move {
            let mut board = service.0.board.lock().await;
            let now = clock::now();
            let (answer, mut changed) = change(&mut board, now);
            changed.extend(board.arrange(now));
            if !changed.is_empty() {
                service.0.write_down(&mut board, changed).await?;
            }
            Ok(answer)
        });
        changing.await?
    }

    fn seal(&self, attempt: Attempt) {
        let service = self.clone();
        tokio::spawn(async move {
            if let Err(error) = service.0.logs.seal(attempt).await {
                tracing::warn!(job.id = %attempt.job, %error, "a log could not be joined");
            }
            service.0.artifacts.forget(attempt).await;
            service.0.live.tell(Change::Log(attempt));
        });
    }
}

impl Shared {
    async fn write_down(
        &self,
        board: &mut MutexGuard<'_, Board>,
        changed: Vec<Job>,
    ) -> Result<(), StoreError> {
        let now = clock::now();
        let news: Vec<_> = changed
            .iter()
            .filter_map(|job| event_of(job, &self.base_url, now))
            .collect();
        let recipients: Vec<_> = news.iter().map(|news| news.repo.clone()).collect();
        let ids: Vec<_> = changed.iter().map(|job| job.id).collect();
        let stored = match self.store.save_jobs(changed, news).await {
            Ok(stored) => stored,
            Err(error) => {
                let jobs = self.store.open_jobs().await?;
                **board = (**board).clone().reread(jobs, now);
                return Err(error);
            }
        };
        for (repo, stored) in recipients.iter().zip(stored) {
            if let (Stored::New(row), Some(place)) = (stored, self.places.get(repo)) {
                let _ended = place.mailbox.send(Message::Delivered(row));
            }
        }
        for id in ids {
            self.live.tell(Change::Job(id));
        }
        self.changed.notify_waiters();
        Ok(())
    }

    /// How a job ends whose suite names a secret that its run may have and that nobody configured.
    fn lacks_secret(&self, job: &Job) -> Option<JobOutcome> {
        let place = self.places.get(&job.repo)?;
        let missing = super::secrets::of(job, &place.secrets).err()?;
        let message = missing.to_string();
        Some(JobOutcome::Error { message })
    }

    /// What the worker is told of a job that it has now, whose commit it fetches with this password.
    fn order(&self, job: &Job, git_token: &str) -> Option<Order> {
        let place = self.places.get(&job.repo)?;
        let JobState::Leased { attempt, .. } = &job.state else {
            return None;
        };
        Some(Order {
            attempt: attempt_of(job, *attempt),
            lease_s: LEASE_S,
            commit: job.commit,
            git_ref: format!("refs/paprq/runs/{}", job.run),
            git_token: git_token.to_owned(),
            slots: Need::of(&job.suite).slots,
            suite: job.suite.clone(),
            variables: job_variables::variables(job, &place.slug),
            secrets: super::secrets::of(job, &place.secrets).ok()?,
            log_header: job_variables::log_header(job, &place.web_url),
            origin: Some(place.origin.clone()),
            log_bytes_max: LOG_BYTES_MAX,
            artifacts: self.artifact_bounds,
        })
    }
}

fn attempt_of(job: &Job, number: AttemptNumber) -> Attempt {
    Attempt {
        job: job.id,
        number,
    }
}

/// The worker that has an attempt, if it shows the right token.
fn holder(board: &Board, token: &str, attempt: Attempt) -> Result<WorkerKey, LeaseOver> {
    let job = board.job(attempt.job).ok_or(LeaseOver)?;
    match &job.state {
        JobState::Leased {
            attempt: number,
            worker,
            ..
        } if *number == attempt.number && worker.token == token => Ok(worker.clone()),
        JobState::Leased { .. }
        | JobState::Waiting
        | JobState::Finished { .. }
        | JobState::Cancelled { .. } => Err(LeaseOver),
    }
}

fn claimant(worker: &WorkerKey, claim: &Claim, git_token: &str) -> Claimant {
    Claimant {
        worker: worker.clone(),
        executors: claim.executors.clone(),
        labels: claim.labels.clone(),
        slots: claim.slots,
        slots_free: claim.slots_free,
        asked_at: clock::now(),
        git_password: PasswordDigest::of(git_token),
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;

    use super::*;
    use paprq_core::ids::{CommitId, JobId, WorkerId};
    use paprq_core::jobs::{Subject, Wish as BoardWish};
    use paprq_core::queue::run::Purpose;

    fn job_of_long_ago() -> Job {
        let file = b"context: unit\nsandbox: true\ntests: [make]\n";
        let suites = paprq_core::suite::read(".papr.yml", file).unwrap();
        Job {
            id: JobId(0),
            repo: RepoLabel::new("demo"),
            run: RunId(1),
            purpose: Purpose::Land,
            priority: 0,
            commit: "7".repeat(40).parse::<CommitId>().unwrap(),
            suite: suites.into_iter().next().unwrap(),
            subject: Subject::default(),
            tree: None,
            made_at: Timestamp(0),
            state: JobState::Leased {
                attempt: AttemptNumber(1),
                worker: WorkerKey {
                    token: "local".to_owned(),
                    name: WorkerId::new("w"),
                },
                until: Timestamp(60_000),
                wish: BoardWish::GoOn,
                git_password: PasswordDigest::of("secret"),
            },
            attempts: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_write_that_fails_takes_no_job_from_its_worker() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paprq.db");
        let store = Store::open(&file).unwrap();
        store.add_jobs(vec![job_of_long_ago()]).await.unwrap();
        let equipment = Equipment {
            store,
            logs: Logs::open(&format!("file:{}", folder.path().display())).unwrap(),
            artifact_bounds: ArtifactBounds::default(),
            live: Live::new(),
            tokens: BTreeMap::new(),
            places: HashMap::new(),
            base_url: String::new(),
            policy: Policy::new(LEASE_S),
        };
        let service = JobService::open(equipment).await.unwrap();
        crate::store::testing::connect(&file)
            .batch_execute(
                "create trigger full before update on jobs begin select raise(abort, 'full'); end",
            )
            .unwrap();
        service.cancel_run(RunId(1)).await.unwrap_err();
        let next = service.0.board.lock().await.next_wakeup();
        assert!(next > Some(clock::now()), "{next:?}");
    }
}
