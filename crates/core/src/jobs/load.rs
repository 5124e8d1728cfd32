//! What runs now, counted by worker, repository and limit.

use std::collections::{BTreeMap, BTreeSet};

use super::job::WorkerKey;
use super::policy::Kind;
use crate::ids::{JobId, RepoLabel};

/// What runs now.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    jobs: BTreeSet<JobId>,
    workers: BTreeMap<WorkerKey, At>,
    repos: BTreeMap<RepoLabel, Of>,
    limits: BTreeMap<(RepoLabel, usize), u32>,
}

/// At one worker.
#[derive(Clone, Debug, Default)]
struct At {
    slots: u32,
    jobs: BTreeSet<JobId>,
}

/// Of one repository.
#[derive(Clone, Copy, Debug, Default)]
struct Of {
    slots: u32,
    jobs: u32,
}

impl Load {
    pub(super) fn add(&mut self, id: JobId, kind: &Kind, worker: &WorkerKey) {
        if !self.jobs.insert(id) {
            return;
        }
        let at = self.workers.entry(worker.clone()).or_default();
        at.slots = at.slots.saturating_add(kind.need.slots);
        at.jobs.insert(id);
        let of = self.repos.entry(kind.repo.clone()).or_default();
        of.slots = of.slots.saturating_add(kind.need.slots);
        of.jobs += 1;
        for index in &kind.limits {
            *self.limits.entry((kind.repo.clone(), *index)).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, id: JobId, kind: &Kind, worker: &WorkerKey) {
        if !self.jobs.remove(&id) {
            return;
        }
        if let Some(at) = self.workers.get_mut(worker) {
            at.slots = at.slots.saturating_sub(kind.need.slots);
            at.jobs.remove(&id);
            if at.jobs.is_empty() {
                self.workers.remove(worker);
            }
        }
        if let Some(of) = self.repos.get_mut(&kind.repo) {
            of.slots = of.slots.saturating_sub(kind.need.slots);
            of.jobs = of.jobs.saturating_sub(1);
        }
        for index in &kind.limits {
            if let Some(count) = self.limits.get_mut(&(kind.repo.clone(), *index)) {
                *count = count.saturating_sub(1);
            }
        }
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = JobId> {
        self.jobs.iter().copied()
    }

    pub(super) fn jobs_at(&self, worker: &WorkerKey) -> impl Iterator<Item = JobId> {
        let at = self.workers.get(worker).into_iter();
        at.flat_map(|at| at.jobs.iter().copied())
    }

    pub(super) fn slots_at(&self, worker: &WorkerKey) -> u32 {
        self.workers.get(worker).map_or(0, |at| at.slots)
    }

    pub(super) fn slots_of(&self, repo: &RepoLabel) -> u32 {
        self.repos.get(repo).map_or(0, |of| of.slots)
    }

    pub(super) fn jobs_of(&self, repo: &RepoLabel) -> u32 {
        self.repos.get(repo).map_or(0, |of| of.jobs)
    }

    pub(super) fn jobs_within(&self, repo: &RepoLabel, index: usize) -> u32 {
        let key = (repo.clone(), index);
        self.limits.get(&key).copied().unwrap_or(0)
    }
}
