//! Giving jobs out and taking them back.

use std::collections::BTreeMap;

use super::ATTEMPTS_MAX;
use super::job::{
    Attempt, AttemptEnd, AttemptRecord, Executor, Job, JobOutcome, JobState, Wish, WorkerKey,
};
use crate::ids::{AttemptNumber, JobId, RunId, Timestamp};

/// The jobs that are not over.
#[derive(Clone, Debug)]
pub struct Board {
    jobs: BTreeMap<JobId, Job>,
    lease_s: u64,
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
    /// How many more slots it can fill; at least 1.
    pub slots_free: u32,
    /// A fresh password for fetching the commit, used if there is a job.
    pub git_token: String,
}

/// The lease is over, or never was: what the worker did does not count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the lease of this attempt is over")]
pub struct LeaseOver;

impl Board {
    /// A board with these jobs, whose leases last so many seconds.
    pub fn new(jobs: Vec<Job>, lease_s: u64) -> Self {
        let jobs = jobs
            .into_iter()
            .filter(|job| !job.is_over())
            .map(|job| (job.id, job))
            .collect();
        Self { jobs, lease_s }
    }

    /// Puts up a job.
    pub fn add(&mut self, job: Job) {
        if !job.is_over() {
            self.jobs.entry(job.id).or_insert(job);
        }
    }

    /// A job that is not over.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// All jobs that are not over, by id.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// Gives the first fitting job to a worker; returns it as it is now.
    pub fn claim(&mut self, now: Timestamp, claimant: &Claimant) -> Option<Job> {
        let until = now.plus_s(self.lease_s);
        let job = self
            .jobs
            .values_mut()
            .filter(|job| job.state == JobState::Waiting && job.fits(&claimant.executors))
            .min_by_key(|job| job.rank())?;
        let number = AttemptNumber(job.attempts.last().map_or(1, |last| last.number.0 + 1));
        job.attempts.push(AttemptRecord {
            number,
            worker: claimant.worker.clone(),
            began_at: now,
            ended: None,
        });
        job.state = JobState::Leased {
            attempt: number,
            worker: claimant.worker.clone(),
            until,
            wish: Wish::GoOn,
            git_token: claimant.git_token.clone(),
        };
        Some(job.clone())
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
        let lease_s = self.lease_s;
        match self.leased(attempt, worker)? {
            JobState::Leased { until, wish, .. } => {
                *until = now.plus_s(lease_s);
                Ok(*wish)
            }
            JobState::Waiting | JobState::Finished { .. } | JobState::Cancelled { .. } => {
                Err(LeaseOver)
            }
        }
    }

    fn leased(&mut self, attempt: Attempt, worker: &WorkerKey) -> Result<&mut JobState, LeaseOver> {
        let job = self.jobs.get_mut(&attempt.job).ok_or(LeaseOver)?;
        let holds = matches!(
            &job.state,
            JobState::Leased { attempt: number, worker: holder, .. }
                if *number == attempt.number && holder == worker
        );
        if holds {
            Ok(&mut job.state)
        } else {
            Err(LeaseOver)
        }
    }

    /// A worker reports how its attempt ended; returns the job as it is now, which is over.
    ///
    /// # Errors
    /// [`LeaseOver`] if the attempt does not count any more.
    pub fn finish(
        &mut self,
        now: Timestamp,
        attempt: Attempt,
        worker: &WorkerKey,
        outcome: JobOutcome,
    ) -> Result<Job, LeaseOver> {
        let stopping = matches!(
            self.leased(attempt, worker)?,
            JobState::Leased {
                wish: Wish::Stop,
                ..
            }
        );
        let mut job = self.jobs.remove(&attempt.job).ok_or(LeaseOver)?;
        if stopping {
            job.end_attempt(AttemptEnd::Stopped { at: now });
            job.state = JobState::Cancelled { at: now };
        } else {
            job.end_attempt(AttemptEnd::Reported {
                at: now,
                outcome: outcome.clone(),
            });
            job.state = JobState::Finished { outcome, at: now };
        }
        Ok(job)
    }

    /// The run is over: its waiting jobs end, the others are to be stopped. Returns what changed.
    pub fn cancel_run(&mut self, now: Timestamp, run: RunId) -> Vec<Job> {
        let of_run: Vec<_> = self
            .jobs
            .values()
            .filter(|job| job.run == run)
            .map(|job| job.id)
            .collect();
        let changed = of_run
            .into_iter()
            .filter_map(|id| self.cancel(now, id))
            .collect();
        self.drop_ended();
        changed
    }

    fn cancel(&mut self, now: Timestamp, id: JobId) -> Option<Job> {
        let job = self.jobs.get_mut(&id)?;
        match &mut job.state {
            JobState::Waiting => job.state = JobState::Cancelled { at: now },
            JobState::Leased { wish, .. } => *wish = Wish::Stop,
            JobState::Finished { .. } | JobState::Cancelled { .. } => return None,
        }
        Some(job.clone())
    }

    /// A worker says what it is executing: what else it had is lost. Returns what changed.
    pub fn account(&mut self, now: Timestamp, worker: &WorkerKey, running: &[Attempt]) -> Vec<Job> {
        self.lose(now, |job, number, holder, _| {
            let attempt = Attempt {
                job: job.id,
                number,
            };
            holder == worker && !running.contains(&attempt)
        })
    }

    /// Takes back the jobs whose lease has run out. Returns what changed.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Job> {
        self.lose(now, |_, _, _, until| until <= now)
    }

    /// The next moment at which [`Board::expire`] would matter.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        self.jobs
            .values()
            .filter_map(|job| match &job.state {
                JobState::Leased { until, .. } => Some(*until),
                JobState::Waiting | JobState::Finished { .. } | JobState::Cancelled { .. } => None,
            })
            .min()
    }

    fn lose(
        &mut self,
        now: Timestamp,
        is_lost: impl Fn(&Job, AttemptNumber, &WorkerKey, Timestamp) -> bool,
    ) -> Vec<Job> {
        let mut changed = Vec::new();
        for job in self.jobs.values_mut() {
            let JobState::Leased {
                attempt,
                worker,
                until,
                wish,
                ..
            } = &job.state
            else {
                continue;
            };
            if is_lost(job, *attempt, worker, *until) {
                let (attempt, wish) = (*attempt, *wish);
                job.take_back(now, attempt, wish);
                changed.push(job.clone());
            }
        }
        self.drop_ended();
        changed
    }

    fn drop_ended(&mut self) {
        self.jobs.retain(|_, job| !job.is_over());
    }
}

impl Job {
    /// The attempt's worker is gone: the job waits again, ends if it was to be stopped, and is
    /// given up after [`ATTEMPTS_MAX`] attempts.
    fn take_back(&mut self, now: Timestamp, attempt: AttemptNumber, wish: Wish) {
        self.end_attempt(AttemptEnd::Lost { at: now });
        self.state = if wish == Wish::Stop {
            JobState::Cancelled { at: now }
        } else if attempt.0 >= ATTEMPTS_MAX {
            JobState::Finished {
                outcome: JobOutcome::Error {
                    message: format!("Its worker was lost {ATTEMPTS_MAX} times."),
                },
                at: now,
            }
        } else {
            JobState::Waiting
        };
    }
}
