//! Which job a worker gets.

use std::cmp::Reverse;

use super::board::{Board, Claimant};
use super::job::{AttemptRecord, Job, JobState, Wish, WorkerKey};
use super::policy::Kind;
use super::waiting::{Age, First};
use super::workers::Offer;
use crate::ids::{AttemptNumber, JobId, Timestamp};

/// When a job's turn is: the smallest goes first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Turn {
    /// It has waited too long: the older, the earlier.
    Overdue(Age),
    /// By rank; among equals the repository first that has the fewest slots; then by priority,
    /// then by age.
    InRank(Reverse<i32>, u32, Reverse<i64>, Age),
}

impl Board {
    /// Gives the first fitting job to a worker; returns it as it is now.
    pub fn claim(&mut self, now: Timestamp, claimant: &Claimant) -> Option<Job> {
        let free = self.meet(now, claimant);
        let id = self.choose(now, &claimant.worker, free)?;
        let until = now.plus_s(self.policy.lease_s);
        self.heard.insert(id, now);
        self.alter(id, |job| job.give(now, until, claimant))
    }

    /// Whether a claim got nothing only because the worker had fewer slots free when it asked
    /// than it has now.
    pub fn is_outdated(&self, now: Timestamp, claimant: &Claimant) -> bool {
        let used = self.load.slots_at(&claimant.worker);
        let free = claimant.slots.saturating_sub(used);
        free > claimant.slots_free && self.choose(now, &claimant.worker, free).is_some()
    }

    /// Takes note of a worker; returns how many slots it may be given.
    fn meet(&mut self, now: Timestamp, claimant: &Claimant) -> u32 {
        let used = self.load.slots_at(&claimant.worker);
        let slots = match claimant.slots {
            0 => claimant.slots_free.saturating_add(used),
            slots => slots,
        };
        let offer = Offer {
            executors: claimant.executors.iter().copied().collect(),
            labels: claimant.labels.iter().cloned().collect(),
            slots,
            seen_at: now,
        };
        self.workers.meet(claimant.worker.clone(), offer);
        claimant.slots_free.min(slots.saturating_sub(used))
    }

    fn choose(&self, now: Timestamp, worker: &WorkerKey, free: u32) -> Option<JobId> {
        let offer = self.workers.offer(worker)?;
        if let Some(id) = self.kept_for(worker, offer) {
            let slots = self.jobs.get(&id)?.kind.need.slots;
            return (slots <= free).then_some(id);
        }
        let max_wait_s = self.policy.schedule.max_wait_s;
        self.waiting
            .groups()
            .filter(|(kind, _)| kind.need.slots <= free && offer.fits(&kind.need))
            .filter_map(|(kind, group)| {
                let first = group.first(now, max_wait_s)?;
                let held = self.held(kind, first.id());
                held.is_none().then(|| (self.turn(kind, first), first.id()))
            })
            .min()
            .map(|(_, id)| id)
    }

    /// The job for which a worker's free slots are kept, if it could begin there.
    fn kept_for(&self, worker: &WorkerKey, offer: &Offer) -> Option<JobId> {
        let id = *self.kept.get(worker)?;
        let kind = &self.ready(id)?.kind;
        (offer.fits(&kind.need) && self.held(kind, id).is_none()).then_some(id)
    }

    fn turn(&self, kind: &Kind, first: First) -> Turn {
        match first {
            First::Overdue(age) => Turn::Overdue(age),
            First::InTurn(priority, age) => {
                Turn::InRank(kind.rank, self.load.slots_of(&kind.repo), priority, age)
            }
        }
    }
}

impl Job {
    fn give(&mut self, now: Timestamp, until: Timestamp, claimant: &Claimant) {
        let number = self.attempts.last().map_or(1, |last| last.number.0 + 1);
        let (attempt, worker) = (AttemptNumber(number), claimant.worker.clone());
        self.attempts.push(AttemptRecord {
            number: attempt,
            worker: worker.clone(),
            began_at: now,
            ended: None,
            preempted_by: None,
        });
        self.state = JobState::Leased {
            attempt,
            worker,
            until,
            wish: Wish::GoOn,
            git_token: claimant.git_token.clone(),
        };
    }
}
