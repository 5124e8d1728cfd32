//! Where a job stands, for people: what it waits for and until when.

use super::board::Board;
use super::job::{Job, JobState, Wish, WorkerKey};
use super::policy::Limit;
use super::workers::{Lack, Offer};
use crate::ids::{AttemptNumber, JobId, Timestamp};

/// Where a job stands that is not over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum JobStatus {
    /// No worker has it.
    Waits(Wait),
    /// A worker has it.
    Runs {
        /// Who.
        worker: WorkerKey,
        /// Which attempt.
        attempt: AttemptNumber,
        /// When that began.
        since: Timestamp,
        /// When it last wrote something.
        heard_at: Timestamp,
        /// When it is stopped if it is still not over.
        stopped_at: Option<Timestamp>,
        /// When it is stopped if it goes on writing nothing.
        silent_until: Option<Timestamp>,
    },
    /// A worker has it and is told to stop it.
    Stops {
        /// For which job, which is then begun; `None` if its run does not want it any more.
        preempted_by: Option<JobId>,
    },
}

/// What a job waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wait {
    /// For other suites of its run.
    Needs(Vec<String>),
    /// No worker could execute it.
    NoWorker {
        /// What is lacking.
        lack: Lack,
        /// When it is given up.
        until: Timestamp,
    },
    /// Enough jobs like it run.
    Held(Limit),
    /// Every worker that could execute it was lost with it.
    Pause {
        /// When one of them may have it again.
        until: Timestamp,
    },
    /// Those that could execute it have no room.
    Busy {
        /// How many they are.
        workers: usize,
        /// From when on it may go before all others.
        overdue_at: Timestamp,
    },
    /// A worker has room.
    Ready,
}

impl Board {
    /// The workers that are there, what they offer, and how many of their slots jobs fill.
    pub fn workers(&self, now: Timestamp) -> impl Iterator<Item = (&WorkerKey, &Offer, u32)> {
        let there = self.workers.there(now);
        there.map(|(key, offer)| (key, offer, self.load.slots_at(key)))
    }

    /// Where a job stands that is not over.
    pub fn status(&self, id: JobId, now: Timestamp) -> Option<JobStatus> {
        let job = self.job(id)?;
        match &job.state {
            JobState::Waiting => Some(JobStatus::Waits(self.wait(job, now)?)),
            JobState::Leased {
                wish: Wish::Stop, ..
            } => Some(JobStatus::Stops {
                preempted_by: job.preempted_by(),
            }),
            JobState::Leased {
                worker, attempt, ..
            } => {
                let since = job.attempts.last().map_or(now, |last| last.began_at);
                Some(JobStatus::Runs {
                    worker: worker.clone(),
                    attempt: *attempt,
                    since,
                    heard_at: self.heard.get(&id).copied().unwrap_or(since),
                    stopped_at: self.time_end(job),
                    silent_until: self.silence_end(job),
                })
            }
            JobState::Finished { .. } | JobState::Cancelled { .. } => None,
        }
    }

    fn wait(&self, job: &Job, now: Timestamp) -> Option<Wait> {
        let kind = &self.jobs.get(&job.id)?.kind;
        let needs = self.open_needs(job);
        if !needs.is_empty() {
            return Some(Wait::Needs(needs));
        }
        if let Some(lack) = self.workers.lack(&kind.need, now) {
            let until = self.lacking_since(kind, job.made_at);
            let until = until.plus_s(self.policy.schedule.no_worker_s);
            return Some(Wait::NoWorker { lack, until });
        }
        if let Some(limit) = self.held(kind, job.id) {
            return Some(Wait::Held(limit));
        }
        let fitting = self.workers.fitting(&kind.need, now);
        let (barred, fitting): (Vec<_>, Vec<_>) =
            fitting.partition(|(worker, _)| self.is_barred(now, job.id, worker));
        if fitting.is_empty() {
            let ends = barred
                .iter()
                .filter_map(|(worker, _)| job.pause_end(worker));
            return Some(Wait::Pause {
                until: ends.min().unwrap_or(now),
            });
        }
        let has_room = fitting.iter().any(|(worker, offer)| {
            let kept = self.kept.get(*worker).is_some_and(|other| *other != job.id);
            !kept && self.free_at(worker, offer.slots) >= kind.need.slots
        });
        let max_wait_s = self.policy.schedule.max_wait_s;
        Some(if has_room {
            Wait::Ready
        } else {
            Wait::Busy {
                workers: fitting.len(),
                overdue_at: job.made_at.plus_s(max_wait_s),
            }
        })
    }
}
