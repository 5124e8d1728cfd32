//! A pull request test that is in the way of its merge.
//!
//! What the two both run is superseded once the merge's job waits: where there is no free worker for
//! that, the one that runs the same suite for the pull request test is interrupted, whatever the rules say
//! of other jobs. A pull does not hold up itself.

use std::collections::{BTreeMap, HashMap};

use super::board::{Board, Entry};
use super::job::{Job, JobState, Wish, WorkerKey};
use crate::ids::{JobId, PullNumber, RepoLabel, Timestamp};
use crate::queue::run::Purpose;

/// What the jobs of a pull request test and of its merge have in common.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Same {
    repo: RepoLabel,
    pull: PullNumber,
    context: String,
}

impl Same {
    fn of(job: &Job) -> Option<Self> {
        Some(Self {
            repo: job.repo.clone(),
            pull: job.subject.pull?,
            context: job.suite.context.clone(),
        })
    }
}

impl Board {
    /// Interrupts what is superseded and in the way. Returns what changed.
    pub(super) fn supersede(&mut self, now: Timestamp) -> Vec<Job> {
        let superseded = self.running_pull_tests();
        if superseded.is_empty() {
            return Vec::new();
        }
        let mut free = self.free_slots(now);
        let mut changed = Vec::new();
        for id in self.waiting_merges() {
            let Some(entry) = self.ready(id) else {
                continue;
            };
            let victim = Same::of(&entry.job).and_then(|same| superseded.get(&same).copied());
            let room = self.room_for(entry, victim, now, &mut free);
            if let (Some(victim), Some(room)) = (victim, room) {
                if let Room::Kept(worker) = room {
                    free.remove(&worker);
                    self.kept.insert(worker, id);
                }
                changed.extend(self.alter(victim, |job| job.interrupt(id)));
            }
        }
        changed
    }

    /// The jobs of pull request tests that workers have, and are to go on with.
    fn running_pull_tests(&self) -> HashMap<Same, JobId> {
        let running = self.load.jobs().filter_map(|id| self.job(id));
        let own = running.filter(|job| {
            let wish = match &job.state {
                JobState::Leased { wish, .. } => Some(*wish),
                JobState::Waiting | JobState::Finished { .. } | JobState::Cancelled { .. } => None,
            };
            job.purpose == Purpose::Pull && wish == Some(Wish::GoOn)
        });
        own.filter_map(|job| Some((Same::of(job)?, job.id)))
            .collect()
    }

    /// The jobs of merges that wait and have no worker kept for them, in the order in which they go.
    fn waiting_merges(&self) -> Vec<JobId> {
        let groups = self.waiting.groups();
        let ids = groups.flat_map(|(_, group)| group.by_priority().map(|(_, (_, id))| id));
        let merges = ids.filter(|id| {
            let job = self.job(*id);
            job.is_some_and(|job| job.purpose == Purpose::Land)
                && !self.kept.values().any(|kept| kept == id)
        });
        merges.collect()
    }

    /// What interrupting the victim would give a job that has no room without that. Takes the room that
    /// it has.
    fn room_for(
        &self,
        entry: &Entry,
        victim: Option<JobId>,
        now: Timestamp,
        free: &mut BTreeMap<WorkerKey, u32>,
    ) -> Option<Room> {
        let (kind, needed) = (&entry.kind, entry.kind.need.slots);
        if self.held(kind, entry.job.id).is_some() {
            // The two run the same suite of the same repository: both count against the same limits.
            return Some(Room::Place);
        }
        let fitting = self.workers.fitting(&kind.need, now);
        let fitting: Vec<&WorkerKey> = fitting.map(|(worker, _)| worker).collect();
        let has_room = |worker: &WorkerKey| free.get(worker).is_some_and(|slots| *slots >= needed);
        if let Some(worker) = fitting.iter().copied().find(|worker| has_room(worker)) {
            if let Some(slots) = free.get_mut(worker) {
                *slots -= needed;
            }
            return None;
        }
        let victim = self.jobs.get(&victim?)?;
        let JobState::Leased { worker, .. } = &victim.job.state else {
            return None;
        };
        let gained = free.get(worker)?.saturating_add(victim.kind.need.slots);
        let fits = fitting.contains(&worker) && gained >= needed;
        fits.then(|| Room::Kept(worker.clone()))
    }
}

/// What a job gains by an interruption.
enum Room {
    /// A place in the limits of its repository.
    Place,
    /// Slots of this worker, which are kept for it.
    Kept(WorkerKey),
}
