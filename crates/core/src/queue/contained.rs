//! Pulls whose base has all of their commits already, such as after a merge by hand, though GitHub
//! has them open.

use serde::{Deserialize, Serialize};

use super::Queue;
use super::effect::Effect;
use super::note::{Note, Obstacle};
use super::rules::Merging;
use super::step::Step;
use crate::ids::{BranchName, CommitId, PullNumber, RunId};

/// What was found in what.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Contained {
    /// The head of a pull.
    pub head: CommitId,
    /// The base that has it.
    pub base: BranchName,
}

impl Queue {
    /// A run has nothing to merge: its pulls are told so.
    pub(super) fn end_contained(&mut self, id: RunId, step: &mut Step) {
        let base = self.runs.get(&id).map(|run| run.base.clone());
        if let Some(base) = base {
            self.end_broken(id, Obstacle::NothingToMerge(base), step);
        }
    }

    /// A sweep found a pull in its base. GitHub may be about to close it, so that is left to the
    /// next sweep.
    pub(super) fn see_contained(&mut self, number: PullNumber, found: Contained, step: &mut Step) {
        let is_ours = self.rules.merging != Merging::Off;
        let Some(pull) = self.pull_mut(number).filter(|pull| pull.is_open()) else {
            return;
        };
        if (found.head, &found.base) != (pull.facts.head, &pull.facts.base) || !is_ours {
            return;
        }
        if pull.contained.as_ref() != Some(&found) {
            pull.contained = Some(found);
            return;
        }
        pull.contained = None;
        let Contained { head, base } = found;
        step.post(number, Note::ClosedAsContained { base });
        step.order(Effect::ClosePull { pull: number, head });
    }
}
