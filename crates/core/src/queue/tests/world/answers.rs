//! What the world answers to orders that change nothing.

use super::World;
use crate::ids::{CommitId, RunId};
use crate::queue::effect::{BaseAt, Effect};
use crate::queue::event::{Event, Mergeability, Verdict};
use crate::queue::note::Exemption;

impl World {
    /// A third of all merges are known to be green.
    pub(super) fn exemption(&mut self, run: RunId, merge: CommitId) -> Event {
        let is_green =
            run.0.is_multiple_of(3) && self.results.get(&merge) != Some(&Verdict::Failed);
        if is_green {
            self.results.insert(merge, Verdict::Passed);
        }
        Event::ExemptionJudged {
            run,
            exemption: is_green.then_some(Exemption::TestMergeIsGreen),
        }
    }

    /// Every third pull conflicts with every fourth base.
    pub(super) fn mergeability(&self, base: &BaseAt) -> Event {
        let moved = self.base.len() as u64;
        let found = self.pulls.values().map(|facts| Mergeability {
            pull: facts.number,
            head: facts.head,
            clean: !(facts.number.0 + moved).is_multiple_of(4),
        });
        Event::MergeabilityFound {
            base: base.clone(),
            found: found.collect(),
        }
    }
}

/// Whether nobody waits to hear that an order was carried out.
pub(super) fn has_no_answer(order: &Effect) -> bool {
    matches!(
        order,
        Effect::PostComment { .. }
            | Effect::SetStatus { .. }
            | Effect::CancelJobs { .. }
            | Effect::CancelSuites { .. }
            | Effect::EditLabels { .. }
            | Effect::MarkMerged(_)
            | Effect::ClosePull { .. }
            | Effect::CallHook { .. }
            | Effect::LogRetry { .. }
            | Effect::StopBuilds { .. }
            | Effect::RankJobs { .. }
    )
}
