//! Making room: for the job that has waited longest, and for those that may interrupt others.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::board::{Board, Entry};
use super::job::{Job, JobState, Wish, WorkerKey};
use super::policy::Kind;
use super::waiting::is_overdue;
use super::workers::KNOWN_S;
use crate::ids::{JobId, Timestamp};

/// Jobs of one worker that would be interrupted, and why these: the fewest, then the lowest rank,
/// then the youngest.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Victims {
    count: usize,
    order: Vec<(i32, Reverse<Timestamp>)>,
    worker: WorkerKey,
    jobs: Vec<JobId>,
}

impl Board {
    /// Keeps room where it is due, and interrupts jobs for it. Returns what changed.
    ///
    /// To be called after whatever else changed the board.
    pub fn arrange(&mut self, now: Timestamp) -> Vec<Job> {
        self.release_workers(now);
        self.advance_foremost(now);
        let mut changed = self.supersede(now);
        changed.extend(self.preempt(now));
        changed
    }

    /// Frees the workers that are kept for jobs that do not wait any more, or that are gone.
    fn release_workers(&mut self, now: Timestamp) {
        let kept = std::mem::take(&mut self.kept);
        let just_opened = now.ms_since(self.opened_at) < KNOWN_S * 1000;
        let stays = |worker: &WorkerKey, id: JobId| {
            (just_opened || self.workers.is_there(worker, now)) && self.ready(id).is_some()
        };
        self.kept = kept
            .into_iter()
            .filter(|(worker, id)| stays(worker, *id))
            .collect();
    }

    /// Of the jobs that have waited too long, the oldest that some worker could execute is given
    /// a place in its limits and the room of one worker, as soon as either gets free. One at a
    /// time, and only every second turn.
    fn advance_foremost(&mut self, now: Timestamp) {
        let stays = self.foremost.filter(|id| {
            let entry = self.ready(*id);
            entry.is_some_and(|entry| self.workers.fitting(&entry.kind.need, now).next().is_some())
        });
        let is_respite = self.respite.as_ref().is_some_and(|(_, until)| now < *until);
        let next = || self.oldest_overdue(now).filter(|_| !is_respite);
        self.foremost = stays.or_else(next);
        let Some(id) = self.foremost else {
            return;
        };
        let Some(Entry { kind, .. }) = self.ready(id) else {
            return;
        };
        if self.held(kind, id).is_some() || self.kept.values().any(|kept| *kept == id) {
            return;
        }
        // Whoever keeps a worker and has no place in the limits could wait for this very job.
        let is_open = |worker: &WorkerKey| {
            let keeper = self.kept.get(worker).and_then(|id| self.ready(*id));
            keeper.is_none_or(|keeper| self.held(&keeper.kind, keeper.job.id).is_some())
        };
        let fitting = self.workers.fitting(&kind.need, now);
        let free = fitting
            .filter(|(worker, _)| is_open(worker) && !self.is_barred(now, id, worker))
            .map(|(worker, offer)| (self.free_at(worker, offer.slots), worker));
        if let Some((_, worker)) = free.max() {
            self.kept.insert(worker.clone(), id);
        }
    }

    fn oldest_overdue(&self, now: Timestamp) -> Option<JobId> {
        let max_wait_s = self.policy.schedule.max_wait_s;
        let mut possible = BTreeMap::new();
        let overdue = self.waiting.groups().filter_map(|(kind, group)| {
            let age = group.by_age().next()?;
            let is_possible = is_overdue(age, now, max_wait_s)
                && *possible
                    .entry(&kind.need)
                    .or_insert_with(|| self.workers.fitting(&kind.need, now).next().is_some());
            is_possible.then_some(age)
        });
        overdue.min().map(|(_, id)| id)
    }

    pub(super) fn free_at(&self, worker: &WorkerKey, slots: u32) -> u32 {
        slots.saturating_sub(self.load.slots_at(worker))
    }

    /// Interrupts jobs for those that may do that and find no free worker that fits.
    fn preempt(&mut self, now: Timestamp) -> Vec<Job> {
        let groups = self.waiting.groups();
        let kinds: Vec<_> = groups
            .filter(|(kind, _)| kind.preempts)
            .map(|(kind, group)| {
                let ids = group.by_priority().map(|(_, (_, id))| id);
                (Arc::clone(kind), ids.collect::<Vec<_>>())
            })
            .collect();
        if kinds.is_empty() {
            return Vec::new();
        }
        let mut free = self.free_slots(now);
        let mut changed = Vec::new();
        for (kind, ids) in kinds {
            let was_lost = |id: &JobId| self.job(*id).is_some_and(|job| job.losses().count() > 0);
            let (lost, others): (Vec<_>, Vec<_>) = ids.into_iter().partition(was_lost);
            for id in lost {
                changed.extend(self.preempt_elsewhere(now, &kind, id, &mut free));
            }
            changed.extend(self.preempt_for(now, &kind, &others, &mut free));
        }
        changed
    }

    /// Interrupts jobs for one that some workers are not given now.
    fn preempt_elsewhere(
        &mut self,
        now: Timestamp,
        kind: &Kind,
        id: JobId,
        free: &mut BTreeMap<WorkerKey, u32>,
    ) -> Vec<Job> {
        let all = std::mem::take(free).into_iter();
        let (barred, mut open): (BTreeMap<_, _>, _) =
            all.partition(|(worker, _)| self.is_barred(now, id, worker));
        let changed = self.preempt_for(now, kind, &[id], &mut open);
        *free = open;
        free.extend(barred);
        changed
    }

    /// What workers have free that is not kept for somebody.
    pub(super) fn free_slots(&self, now: Timestamp) -> BTreeMap<WorkerKey, u32> {
        self.workers
            .there(now)
            .filter(|(worker, _)| !self.kept.contains_key(*worker))
            .map(|(worker, offer)| (worker.clone(), self.free_at(worker, offer.slots)))
            .collect()
    }

    fn preempt_for(
        &mut self,
        now: Timestamp,
        kind: &Kind,
        waiting: &[JobId],
        free: &mut BTreeMap<WorkerKey, u32>,
    ) -> Vec<Job> {
        let unserved: Vec<_> = waiting
            .iter()
            .copied()
            .filter(|id| !self.kept.values().any(|kept| kept == id))
            .take(self.places_left(kind))
            .collect();
        let served = self.take_free(now, kind, unserved.len(), free);
        let mut changed = Vec::new();
        for id in unserved.into_iter().skip(served) {
            let Some(victims) = self.victims(now, kind, free) else {
                break;
            };
            free.remove(&victims.worker);
            self.kept.insert(victims.worker, id);
            let victims = victims.jobs.into_iter();
            changed
                .extend(victims.filter_map(|victim| self.alter(victim, |job| job.interrupt(id))));
        }
        changed
    }

    /// How many jobs of a kind its limits still allow, those that have room kept among them.
    fn places_left(&self, kind: &Kind) -> usize {
        let kept = || {
            let entries = self.kept.values().filter_map(|id| self.jobs.get(id));
            entries
                .map(|entry| &entry.kind)
                .filter(|kept| kept.repo == kind.repo)
        };
        let jobs_max = self.policy.jobs_max(&kind.repo);
        let of_repo = (jobs_max > 0).then(|| {
            let taken = self.load.jobs_of(&kind.repo) as usize + kept().count();
            (jobs_max as usize).saturating_sub(taken)
        });
        let of_suites = kind.limits.iter().filter_map(|index| {
            let limit = self.policy.suite_limit(&kind.repo, *index)?;
            let kept = kept().filter(|kept| kept.limits.contains(index)).count();
            let taken = self.load.jobs_within(&kind.repo, *index) as usize + kept;
            Some((limit.jobs_max as usize).saturating_sub(taken))
        });
        of_repo
            .into_iter()
            .chain(of_suites)
            .min()
            .unwrap_or(usize::MAX)
    }

    /// How many of so many jobs find room without interrupting anybody; takes that room.
    fn take_free(
        &self,
        now: Timestamp,
        kind: &Kind,
        wanted: usize,
        free: &mut BTreeMap<WorkerKey, u32>,
    ) -> usize {
        let mut served = 0;
        for (worker, _) in self.workers.fitting(&kind.need, now) {
            let Some(slots) = free.get_mut(worker) else {
                continue;
            };
            while served < wanted && *slots >= kind.need.slots {
                *slots -= kind.need.slots;
                served += 1;
            }
        }
        served
    }

    /// The jobs to interrupt for one of this kind.
    fn victims(
        &self,
        now: Timestamp,
        kind: &Kind,
        free: &BTreeMap<WorkerKey, u32>,
    ) -> Option<Victims> {
        let fitting = self.workers.fitting(&kind.need, now);
        let open = fitting.filter_map(|(worker, _)| Some((worker, *free.get(worker)?)));
        open.filter_map(|(worker, free)| self.victims_at(now, kind, worker, free))
            .min()
    }

    fn victims_at(
        &self,
        now: Timestamp,
        kind: &Kind,
        worker: &WorkerKey,
        free: u32,
    ) -> Option<Victims> {
        let mut running: Vec<_> = self
            .load
            .jobs_at(worker)
            .filter_map(|id| self.jobs.get(&id))
            .filter(|entry| entry.kind.rank > kind.rank && self.is_preemptible(&entry.job, now))
            .collect();
        running.sort_by_key(|entry| entry.order());
        let wanted = kind.need.slots.saturating_sub(free);
        let chosen = enough(&running, wanted)?;
        Some(Victims {
            count: chosen.len(),
            order: chosen.iter().map(|entry| entry.order()).collect(),
            worker: worker.clone(),
            jobs: chosen.iter().map(|entry| entry.job.id).collect(),
        })
    }

    fn is_preemptible(&self, job: &Job, now: Timestamp) -> bool {
        let goes_on = matches!(
            job.state,
            JobState::Leased {
                wish: Wish::GoOn,
                ..
            }
        );
        let max_wait_s = self.policy.schedule.max_wait_s;
        job.suite.preemptible && goes_on && !is_overdue(job.age(), now, max_wait_s)
    }
}

/// The first that has as many slots alone, else as many from the first on as are needed.
fn enough<'a>(running: &[&'a Entry], wanted: u32) -> Option<Vec<&'a Entry>> {
    let slots = |entry: &Entry| entry.kind.need.slots;
    if let Some(alone) = running.iter().find(|entry| slots(entry) >= wanted) {
        return Some(vec![*alone]);
    }
    let mut chosen = Vec::new();
    let mut sum: u32 = 0;
    for entry in running {
        if sum < wanted {
            sum = sum.saturating_add(slots(entry));
            chosen.push(*entry);
        }
    }
    // The last ones may have made the first ones needless.
    chosen.retain(|entry| {
        let needless = sum.saturating_sub(slots(entry)) >= wanted;
        if needless {
            sum = sum.saturating_sub(slots(entry));
        }
        !needless
    });
    (sum >= wanted).then_some(chosen)
}

impl Entry {
    /// Its place among those that may be interrupted: the lowest rank first, then the youngest.
    fn order(&self) -> (i32, Reverse<Timestamp>) {
        let began_at = self.job.attempts.last().map(|last| last.began_at);
        (self.kind.rank.0, Reverse(began_at.unwrap_or_default()))
    }
}

impl Job {
    pub(super) fn interrupt(&mut self, by: JobId) {
        if let JobState::Leased { wish, .. } = &mut self.state {
            *wish = Wish::Stop;
        }
        if let Some(last) = self.attempts.last_mut() {
            last.preempted_by = Some(by);
        }
    }
}
