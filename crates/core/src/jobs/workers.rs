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
    /// What it has and cannot begin jobs with now.
    pub sick: BTreeMap<Executor, Sickness>,
}

/// Why a worker cannot begin jobs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sickness {
    /// Since when.
    pub since: Timestamp,
    /// What it lacks, in its own words.
    pub reason: String,
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
    /// Those that fit cannot begin it now.
    Health {
        /// What one of them lacks.
        reason: String,
    },
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

    /// Since when it only lacks its health for this, and what that is.
    fn sickness(&self, need: &Need) -> Option<&Sickness> {
        let suits = self.slots >= need.slots && need.labels.is_subset(&self.labels);
        self.sick.get(&need.executor).filter(|_| suits)
    }

    fn has(&self, need: &Need) -> bool {
        self.executors.contains(&need.executor) && need.labels.is_subset(&self.labels)
    }

    fn is_there(&self, now: Timestamp) -> bool {
        now.ms_since(self.seen_at) < KNOWN_S * 1000
    }
}

impl Workers {
    /// A worker asked for a job at this time. What it could not begin then, and offers now, it
    /// can begin again.
    pub(super) fn meet(&mut self, key: WorkerKey, mut offer: Offer, asked_at: Timestamp) {
        if let Some(known) = self.0.remove(&key) {
            for (executor, sickness) in known.sick {
                if !offer.executors.contains(&executor) || asked_at <= sickness.since {
                    offer.executors.remove(&executor);
                    offer.sick.insert(executor, sickness);
                }
            }
        }
        self.0.insert(key, offer);
    }

    /// A worker cannot begin jobs of this kind.
    pub(super) fn sicken(&mut self, key: &WorkerKey, executor: Executor, sickness: Sickness) {
        if let Some(offer) = self.0.get_mut(key) {
            offer.executors.remove(&executor);
            offer.sick.insert(executor, sickness);
        }
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

    /// When a worker that fits was last heard of in good health.
    pub(super) fn last_seen(&self, need: &Need) -> Option<Timestamp> {
        let seen = self.0.values().filter_map(|offer| {
            let sickness = offer.sickness(need).map(|sickness| sickness.since);
            sickness.or_else(|| offer.fits(need).then_some(offer.seen_at))
        });
        seen.max()
    }

    /// What is lacking for a job, if no worker fits.
    pub(super) fn lack(&self, need: &Need, now: Timestamp) -> Option<Lack> {
        if self.fitting(need, now).next().is_some() {
            return None;
        }
        let mut sick = self
            .there(now)
            .filter_map(|(_, offer)| offer.sickness(need));
        if let Some(sickness) = sick.next() {
            let reason = sickness.reason.clone();
            return Some(Lack::Health { reason });
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
            Self::Health { reason } => {
                let reason = reason.trim_end_matches('.');
                write!(f, "No worker can begin it now: {reason}")
            }
            Self::Slots { wanted, most } => write!(
                f,
                "No worker has {wanted} slots, the largest that fits has {most}"
            ),
        }
    }
}
