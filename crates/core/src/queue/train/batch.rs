//! Which pulls go into one run.

use std::collections::BTreeSet;

use super::plan::{Batch, Candidate, Mixing};
use crate::ids::{PullNumber, Timestamp};

/// The pulls of the next run, of those that may be in one: in the queue's order, but each after
/// what it depends on. What cannot be with those before it is passed over, not waited for.
///
/// `before` are the pulls that the run would stand on.
pub(super) fn members(
    candidates: &[&Candidate],
    batch: &Batch,
    before: &BTreeSet<PullNumber>,
) -> Vec<PullNumber> {
    let mut chosen = Vec::new();
    let mut there = before.clone();
    let mut has_iffy = false;
    while chosen.len() < batch.max {
        let may_come = |candidate: &&&Candidate| {
            let fits = match candidate.mixing {
                Mixing::Freely => true,
                Mixing::Iffily => !has_iffy,
                Mixing::Never => chosen.is_empty(),
            };
            fits && !there.contains(&candidate.pull) && candidate.may_follow(&there)
        };
        let Some(next) = candidates.iter().find(may_come) else {
            break;
        };
        chosen.push(next.pull);
        there.insert(next.pull);
        has_iffy |= next.mixing == Mixing::Iffily;
        if next.mixing == Mixing::Never {
            break;
        }
    }
    chosen
}

/// Since when the run with these pulls could have begun.
pub(super) fn ready_since(candidates: &[&Candidate], members: &[PullNumber]) -> Option<Timestamp> {
    let all = candidates.iter();
    all.filter(|candidate| members.contains(&candidate.pull))
        .map(|candidate| candidate.ready_since)
        .min()
}

impl Candidate {
    /// Whether it may be merged upon these pulls and the base.
    pub(super) fn may_follow(&self, there: &BTreeSet<PullNumber>) -> bool {
        let conflicts = self.conflicts_with.iter().any(|pull| there.contains(pull));
        !conflicts && self.depends_on.iter().all(|pull| there.contains(pull))
    }
}
