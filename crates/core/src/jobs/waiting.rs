//! The jobs that a worker could begin, by what tells them apart: a decision looks at each group,
//! not at each job.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::job::Job;
use super::policy::Kind;
use crate::ids::{JobId, Timestamp};

/// A job's age: the smaller, the longer it waits.
pub(super) type Age = (Timestamp, JobId);

#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(BTreeMap<Arc<Kind>, Group>);

/// Waiting jobs of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    by_priority: BTreeSet<(Reverse<i64>, Age)>,
    by_age: BTreeSet<Age>,
}

impl Waiting {
    pub(super) fn insert(&mut self, kind: &Arc<Kind>, job: &Job) {
        let group = self.0.entry(Arc::clone(kind)).or_default();
        group.by_priority.insert((Reverse(job.priority), job.age()));
        group.by_age.insert(job.age());
    }

    pub(super) fn remove(&mut self, kind: &Arc<Kind>, job: &Job) {
        let Some(group) = self.0.get_mut(kind) else {
            return;
        };
        group
            .by_priority
            .remove(&(Reverse(job.priority), job.age()));
        group.by_age.remove(&job.age());
        if group.by_age.is_empty() {
            self.0.remove(kind);
        }
    }

    pub(super) fn has(&self, kind: &Arc<Kind>, job: &Job) -> bool {
        let group = self.0.get(kind);
        group.is_some_and(|group| group.by_age.contains(&job.age()))
    }

    /// In the order of their ranks.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&Arc<Kind>, &Group)> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Group {
    /// By priority, then by age.
    pub(super) fn by_priority(&self) -> impl Iterator<Item = (Reverse<i64>, Age)> {
        self.by_priority.iter().copied()
    }

    pub(super) fn by_age(&self) -> impl Iterator<Item = Age> {
        self.by_age.iter().copied()
    }
}

/// Whether a job of this age may go before all others, and is not interrupted any more.
pub(super) fn is_overdue((made_at, _): Age, now: Timestamp, max_wait_s: u64) -> bool {
    now.ms_since(made_at) >= max_wait_s.saturating_mul(1000)
}
