//! Which job a worker gets.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::board::{Board, Claimant};
use super::job::{AttemptRecord, Job, JobState, Wish, WorkerKey};
use super::policy::Kind;
use super::waiting::Age;
use super::workers::Offer;
use crate::ids::{AttemptNumber, JobId, Timestamp};

/// When a job's turn is, the smallest first: by rank; among equals the repository first that has
/// the fewest slots; then by priority, then by age.
type Turn = (Reverse<i32>, u32, Reverse<i64>, Age);

impl Board {
    /// Gives the first fitting job to a worker; returns it as it is now.
    pub fn claim(&mut self, now: Timestamp, claimant: &Claimant) -> Option<Job> {
        let free = self.meet(now, claimant);
        let id = self.choose(now, &claimant.worker, free)?;
        let until = now.plus_s(self.policy.lease_s);
        self.heard.insert(id, now);
        let given = self.alter(id, |job| job.give(now, until, claimant))?;
        self.alternate(&given);
        Some(given)
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
            sick: BTreeMap::new(),
        };
        self.workers
            .meet(claimant.worker.clone(), offer, claimant.asked_at);
        claimant.slots_free.min(slots.saturating_sub(used))
    }

    fn choose(&self, now: Timestamp, worker: &WorkerKey, free: u32) -> Option<JobId> {
        let offer = self.workers.offer(worker)?;
        if let Some(id) = self.kept_for(now, worker, offer) {
            let slots = self.jobs.get(&id)?.kind.need.slots;
            return (slots <= free).then_some(id);
        }
        self.waiting
            .groups()
            .filter(|(kind, _)| kind.need.slots <= free && offer.fits(&kind.need))
            .filter_map(|(kind, group)| {
                let mut ages = group.by_priority();
                let (priority, age) = ages.find(|(_, age)| !self.is_barred(now, age.1, worker))?;
                let held = self.held(kind, age.1);
                held.is_none()
                    .then(|| (self.turn(kind, priority, age), age.1))
            })
            .min()
            .map(|(_, id)| id)
    }

    /// The job for which a worker's free slots are kept, if it could begin there.
    fn kept_for(&self, now: Timestamp, worker: &WorkerKey, offer: &Offer) -> Option<JobId> {
        let id = *self.kept.get(worker)?;
        let kind = &self.ready(id)?.kind;
        let may_begin = offer.fits(&kind.need) && self.held(kind, id).is_none();
        (may_begin && !self.is_barred(now, id, worker)).then_some(id)
    }

    fn turn(&self, kind: &Kind, priority: Reverse<i64>, age: Age) -> Turn {
        (kind.rank, self.load.slots_of(&kind.repo), priority, age)
    }

    /// After a job that went before all others, others go by rank: until the same repository has
    /// had one of these, or for twice the time that the first may take. So jobs that have waited
    /// too long, however many, take every second turn at most.
    fn alternate(&mut self, given: &Job) {
        if self.foremost == Some(given.id) {
            let allowed_s = self.allowed_s(given).saturating_mul(2);
            let until = given
                .attempts
                .last()
                .map(|last| last.began_at.plus_s(allowed_s));
            self.foremost = None;
            self.respite = until.map(|until| (given.repo.clone(), until));
        } else if self
            .respite
            .as_ref()
            .is_some_and(|(repo, _)| *repo == given.repo)
        {
            self.respite = None;
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
            git_password: claimant.git_password.clone(),
        };
    }
}
