//! For which heads somebody trusted stands: the others cost the mirror little until somebody does.

use super::Queue;
use super::event::HeadRepo;
use super::pull::Pull;
use super::pull_test::PullTestStage;
use super::rules::PullTests;
use crate::ids::PullNumber;

impl Queue {
    /// Whether this pull is open, and somebody trusted put its head there, approved it, or let it be
    /// tested.
    pub fn is_vouched_for(&self, number: PullNumber) -> bool {
        let open = self.pull(number).filter(|pull| pull.is_open());
        open.is_some_and(|pull| {
            pull.standing_approval().is_some()
                || pull.own.admitted == Some(pull.facts.head)
                || pull.facts.head_repo == HeadRepo::Base
                || self.is_tested_on_trust(pull)
                || self.unknown(pull).is_empty()
        })
    }

    /// Whether its test was allowed because of who put its head there, as far as GitHub was asked.
    fn is_tested_on_trust(&self, pull: &Pull) -> bool {
        let is_let = match pull.own.stage {
            PullTestStage::Wanted { .. }
            | PullTestStage::Running { .. }
            | PullTestStage::Ended { .. } => true,
            PullTestStage::Idle
            | PullTestStage::Skipped
            | PullTestStage::Asking { .. }
            | PullTestStage::Untrusted => false,
        };
        is_let && self.rules.pulls == PullTests::Trusted
    }
}
