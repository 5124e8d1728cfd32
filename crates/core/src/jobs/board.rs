//! The jobs that are not over: where each stands, and how they are moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::job::{Attempt, Executor, Job, JobState, Wish, WorkerKey};
use super::load::Load;
use super::password::PasswordDigest;
use super::policy::{Kind, Limit, Policy};
use super::waiting::Waiting;
use super::workers::Workers;
use crate::ids::{JobId, RepoLabel, RunId, Timestamp};

/// The jobs that are not over.
#[derive(Clone, Debug)]
pub struct Board {
    pub(super) jobs: BTreeMap<JobId, Entry>,
    /// The jobs of each run.
    runs: BTreeMap<RunId, BTreeSet<JobId>>,
    pub(super) policy: Arc<Policy>,
    pub(super) workers: Workers,
    /// The waiting jobs that need nothing that is still open.
    pub(super) waiting: Waiting,
    pub(super) load: Load,
    /// When each running job last wrote something.
    pub(super) heard: BTreeMap<JobId, Timestamp>,
    /// Workers whose free slots are kept, and for which job.
    pub(super) kept: BTreeMap<WorkerKey, JobId>,
    /// Of those that have waited too long, the one that goes before all others.
    pub(super) foremost: Option<JobId>,
    /// Until when there is no other foremost job, because one of this repository has just been.
    pub(super) respite: Option<(RepoLabel, Timestamp)>,
    pub(super) opened_at: Timestamp,
    pub(super) next_sweep: Timestamp,
}

/// A job and what follows from it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    pub(super) kind: Arc<Kind>,
}

/// A worker that asks for a job.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// Who.
    pub worker: WorkerKey,
    /// What it can execute.
    pub executors: Vec<Executor>,
    /// What it has that suites may ask for.
    pub labels: Vec<String>,
    /// How many slots it has in all; 0 if it does not say.
    pub slots: u32,
    /// How many more slots it can fill; at least 1.
    pub slots_free: u32,
    /// When it asked.
    pub asked_at: Timestamp,
    /// Of a fresh password for fetching the commit, used if there is a job.
    pub git_password: PasswordDigest,
}

/// The lease is over, or never was: what the worker did does not count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the lease of this attempt is over")]
pub struct LeaseOver;

impl Board {
    /// A board with these jobs. Those that workers have are theirs for another lease.
    pub fn new(jobs: Vec<Job>, policy: Policy, now: Timestamp) -> Self {
        let mut board = Self {
            jobs: BTreeMap::new(),
            runs: BTreeMap::new(),
            policy: Arc::new(policy),
            workers: Workers::default(),
            waiting: Waiting::default(),
            load: Load::default(),
            heard: BTreeMap::new(),
            kept: BTreeMap::new(),
            foremost: None,
            respite: None,
            opened_at: now,
            next_sweep: now,
        };
        board.take_in(jobs, now);
        board
    }

    /// The same board with the jobs as they are written down. Those that workers have are theirs
    /// for another lease: when they were heard of is not written down.
    #[must_use]
    pub fn reread(self, jobs: Vec<Job>, now: Timestamp) -> Self {
        let mut board = Self {
            jobs: BTreeMap::new(),
            runs: BTreeMap::new(),
            waiting: Waiting::default(),
            load: Load::default(),
            kept: BTreeMap::new(),
            foremost: None,
            ..self
        };
        board.take_in(jobs, now);
        board
    }

    fn take_in(&mut self, mut jobs: Vec<Job>, now: Timestamp) {
        let lease_s = self.policy.lease_s;
        for job in &mut jobs {
            if let JobState::Leased { until, worker, .. } = &mut job.state {
                *until = now.plus_s(lease_s);
                let worker = worker.clone();
                self.heard.entry(job.id).or_insert(now);
                if let Some(by) = job.preempted_by() {
                    self.kept.insert(worker, by);
                }
            }
        }
        self.add(jobs);
    }

    /// Puts up jobs.
    pub fn add(&mut self, jobs: Vec<Job>) {
        let mut runs = BTreeSet::new();
        for job in jobs {
            if job.is_over() || self.jobs.contains_key(&job.id) {
                continue;
            }
            runs.insert(job.run);
            self.runs.entry(job.run).or_default().insert(job.id);
            let kind = Arc::new(self.policy.kind(&job));
            self.jobs.insert(job.id, Entry { job, kind });
        }
        for run in runs {
            self.place_run(run);
        }
    }

    /// A job that is not over.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(&id).map(|entry| &entry.job)
    }

    /// All jobs that are not over, by id.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().map(|entry| &entry.job)
    }

    /// The jobs of a run that are not over, by id.
    pub fn jobs_of(&self, run: RunId) -> impl Iterator<Item = &Job> {
        let ids = self.runs.get(&run).into_iter().flatten();
        ids.filter_map(|id| self.job(*id))
    }

    /// The contexts that a job still waits for.
    pub(super) fn open_needs(&self, job: &Job) -> Vec<String> {
        if job.suite.needs.is_empty() {
            return Vec::new();
        }
        let others = self.jobs_of(job.run).filter(|other| other.id != job.id);
        others
            .map(|other| &other.suite.context)
            .filter(|context| job.suite.needs.contains(context))
            .cloned()
            .collect()
    }

    /// Changes a job; returns it as it is now. One that is over leaves the board.
    pub(super) fn alter(&mut self, id: JobId, change: impl FnOnce(&mut Job)) -> Option<Job> {
        self.lift(id);
        let entry = self.jobs.get_mut(&id)?;
        change(&mut entry.job);
        let job = entry.job.clone();
        if job.is_over() {
            self.forget(&job);
        } else {
            self.place(id);
        }
        Some(job)
    }

    fn forget(&mut self, job: &Job) {
        self.jobs.remove(&job.id);
        self.heard.remove(&job.id);
        if let Some(of_run) = self.runs.get_mut(&job.run) {
            of_run.remove(&job.id);
            if of_run.is_empty() {
                self.runs.remove(&job.run);
            }
        }
    }

    /// Takes a job out of what is counted, until it is placed again.
    fn lift(&mut self, id: JobId) {
        let Some(Entry { job, kind }) = self.jobs.get(&id) else {
            return;
        };
        match &job.state {
            JobState::Waiting => self.waiting.remove(kind, job),
            JobState::Leased { worker, .. } => self.load.remove(id, kind, worker),
            JobState::Finished { .. } | JobState::Cancelled { .. } => {}
        }
    }

    fn place(&mut self, id: JobId) {
        let Some(Entry { job, kind }) = self.jobs.get(&id) else {
            return;
        };
        match &job.state {
            JobState::Waiting if self.open_needs(job).is_empty() => self.waiting.insert(kind, job),
            JobState::Leased { worker, .. } => self.load.add(id, kind, worker),
            JobState::Waiting | JobState::Finished { .. } | JobState::Cancelled { .. } => {}
        }
    }

    /// Places the jobs of a run after others of it came or went.
    pub(super) fn place_run(&mut self, run: RunId) {
        for id in self.ids_of(run) {
            self.lift(id);
            self.place(id);
        }
    }

    pub(super) fn ids_of(&self, run: RunId) -> Vec<JobId> {
        let ids = self.runs.get(&run).into_iter().flatten();
        ids.copied().collect()
    }

    /// A pull has another priority or other labels: the jobs of its run are ranked anew. Returns
    /// what changed.
    pub fn rank(&mut self, run: RunId, priority: i64, labels: &[String]) -> Vec<Job> {
        let mut changed = Vec::new();
        for id in self.ids_of(run) {
            let differs = |job: &Job| job.priority != priority || job.subject.labels != labels;
            if !self.job(id).is_some_and(differs) {
                continue;
            }
            self.lift(id);
            if let Some(entry) = self.jobs.get_mut(&id) {
                entry.job.priority = priority;
                entry.job.subject.labels = labels.to_vec();
                entry.kind = Arc::new(self.policy.kind(&entry.job));
                changed.push(entry.job.clone());
            }
            self.place(id);
        }
        changed
    }

    /// A waiting job that a worker could begin.
    pub(super) fn ready(&self, id: JobId) -> Option<&Entry> {
        let entry = self.jobs.get(&id)?;
        let is_ready =
            entry.job.state == JobState::Waiting && self.waiting.has(&entry.kind, &entry.job);
        is_ready.then_some(entry)
    }

    /// The limit for whose sake a job of this kind may not begin now. The foremost job counts as
    /// if it ran: else younger ones could take each place that gets free.
    pub(super) fn held(&self, kind: &Kind, id: JobId) -> Option<Limit> {
        let foremost = self.foremost.filter(|foremost| *foremost != id);
        let ahead = foremost
            .and_then(|foremost| self.ready(foremost))
            .map(|entry| &entry.kind)
            .filter(|ahead| ahead.repo == kind.repo);
        let jobs_max = self.policy.jobs_max(&kind.repo);
        let running = || self.load.jobs_of(&kind.repo) + u32::from(ahead.is_some());
        if jobs_max > 0 && running() >= jobs_max {
            return Some(Limit::Repo { jobs_max });
        }
        kind.limits.iter().find_map(|index| {
            let limit = self.policy.suite_limit(&kind.repo, *index)?;
            let is_ahead = ahead.is_some_and(|ahead| ahead.limits.contains(index));
            let running = self.load.jobs_within(&kind.repo, *index) + u32::from(is_ahead);
            (running >= limit.jobs_max).then(|| Limit::Suites {
                pattern: limit.suites.to_string(),
                jobs_max: limit.jobs_max,
            })
        })
    }

    /// A worker was heard of: its lease is prolonged. Returns what is wanted of it.
    ///
    /// # Errors
    /// [`LeaseOver`] if somebody else has the job, or nobody.
    pub fn renew(
        &mut self,
        now: Timestamp,
        attempt: Attempt,
        worker: &WorkerKey,
    ) -> Result<Wish, LeaseOver> {
        self.leased(attempt, worker)?;
        let lease_s = self.policy.lease_s;
        self.workers.hear(worker, now);
        let entry = self.jobs.get_mut(&attempt.job).ok_or(LeaseOver)?;
        match &mut entry.job.state {
            JobState::Leased { until, wish, .. } => {
                *until = now.plus_s(lease_s);
                Ok(*wish)
            }
            JobState::Waiting | JobState::Finished { .. } | JobState::Cancelled { .. } => {
                Err(LeaseOver)
            }
        }
    }

    /// A running job wrote something.
    pub fn hear_output(&mut self, now: Timestamp, id: JobId) {
        if let Some(heard) = self.heard.get_mut(&id) {
            *heard = now;
        }
    }

    /// What is wanted of the worker that has this attempt.
    pub(super) fn leased(
        &self,
        attempt: Attempt,
        worker: &WorkerKey,
    ) -> Result<(&Job, Wish), LeaseOver> {
        let job = self.job(attempt.job).ok_or(LeaseOver)?;
        match &job.state {
            JobState::Leased {
                attempt: number,
                worker: holder,
                wish,
                ..
            } if *number == attempt.number && holder == worker => Ok((job, *wish)),
            JobState::Leased { .. }
            | JobState::Waiting
            | JobState::Finished { .. }
            | JobState::Cancelled { .. } => Err(LeaseOver),
        }
    }
}
