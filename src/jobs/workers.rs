//! The workers that are known, and what they offer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::job::{Executor, WorkerKey};
use super::need::Need;
use crate::ids::Timestamp;

/// How long a worker counts as there after it was last heard of, in seconds. A waiting worker
/// speaks up twice a minute, one with a job more often.
pub const KNOWN_S: u64 = 90;

/// A worker, as it was last heard of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// What it can execute.
    pub executors: BTreeSet<Executor>,
    /// What it has that suites may ask for.
    pub labels: BTreeSet<String>,
    /// How many slots it has in all.
    pub slots: u32,
    /// When it was last heard of.
    pub seen_at: Timestamp,
}

/// What all workers together lack for a job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lack {
    /// None offers the executor.
    Executor(Executor),
    /// None that offers it has the label.
    Label(String),
    /// Each label is there, but no worker has them all.
    Labels(Vec<String>),
    /// None of those is large enough.
    Slots {
        /// How many slots the job takes.
        wanted: u32,
        /// How many the largest has.
        most: u32,
    },
}

#[derive(Clone, Debug, Default)]
pub(super) struct Workers(BTreeMap<WorkerKey, Offer>);

impl Offer {
    /// Whether it could execute this if it did nothing else.
    pub(super) fn fits(&self, need: &Need) -> bool {
        self.slots >= need.slots && self.has(need)
    }

    fn has(&self, need: &Need) -> bool {
        self.executors.contains(&need.executor) && need.labels.is_subset(&self.labels)
    }

    fn is_there(&self, now: Timestamp) -> bool {
        now.ms_since(self.seen_at) < KNOWN_S * 1000
    }
}

impl Workers {
    pub(super) fn meet(&mut self, key: WorkerKey, offer: Offer) {
        self.0.insert(key, offer);
    }

    pub(super) fn offer(&self, key: &WorkerKey) -> Option<&Offer> {
        self.0.get(key)
    }

    /// A worker was heard of that is as it was.
    pub(super) fn hear(&mut self, key: &WorkerKey, now: Timestamp) {
        if let Some(offer) = self.0.get_mut(key) {
            offer.seen_at = now;
        }
    }

    /// Forgets those that were not heard of for so long.
    pub(super) fn forget(&mut self, now: Timestamp, after_s: u64) {
        let after_ms = after_s.max(KNOWN_S).saturating_mul(1000);
        self.0
            .retain(|_, offer| now.ms_since(offer.seen_at) <= after_ms);
    }

    pub(super) fn there(&self, now: Timestamp) -> impl Iterator<Item = (&WorkerKey, &Offer)> {
        self.0.iter().filter(move |(_, offer)| offer.is_there(now))
    }

    pub(super) fn is_there(&self, key: &WorkerKey, now: Timestamp) -> bool {
        self.0.get(key).is_some_and(|offer| offer.is_there(now))
    }

    pub(super) fn fitting<'a>(
        &'a self,
        need: &'a Need,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a WorkerKey, &'a Offer)> {
        self.there(now).filter(|(_, offer)| offer.fits(need))
    }

    /// When a worker that fits was last heard of.
    pub(super) fn last_seen(&self, need: &Need) -> Option<Timestamp> {
        let fitting = self.0.values().filter(|offer| offer.fits(need));
        fitting.map(|offer| offer.seen_at).max()
    }

    /// What is lacking for a job, if no worker fits.
    pub(super) fn lack(&self, need: &Need, now: Timestamp) -> Option<Lack> {
        if self.fitting(need, now).next().is_some() {
            return None;
        }
        let able: Vec<_> = self
            .there(now)
            .map(|(_, offer)| offer)
            .filter(|offer| offer.executors.contains(&need.executor))
            .collect();
        let labels = need.labels.iter();
        let mut missing =
            labels.filter(|label| !able.iter().any(|offer| offer.labels.contains(*label)));
        let suited = able.iter().filter(|offer| offer.has(need));
        Some(if able.is_empty() {
            Lack::Executor(need.executor)
        } else if let Some(label) = missing.next() {
            Lack::Label(label.clone())
        } else if let Some(most) = suited.map(|offer| offer.slots).max() {
            let wanted = need.slots;
            Lack::Slots { wanted, most }
        } else {
            Lack::Labels(need.labels.iter().cloned().collect())
        })
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executor(executor) => write!(f, "No worker offers {}", executor.word()),
            Self::Label(label) => write!(f, "No worker has label {label}"),
            Self::Labels(labels) => {
                write!(f, "No worker has all of the labels {}", labels.join(", "))
            }
            Self::Slots { wanted, most } => write!(
                f,
                "No worker has {wanted} slots, the largest that fits has {most}"
            ),
        }
    }
}
