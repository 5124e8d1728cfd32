//! Which open pulls merge cleanly, found out in the mirror whenever a base branch moves.

use super::Queue;
use super::effect::{BaseAt, Culprit, Effect, Which};
use super::event::Mergeability;
use super::labels::LabelEvent;
use super::note::Note;
use super::run::Purpose;
use super::step::Step;
use crate::ids::{BranchName, CommitId, PullNumber};

impl Queue {
    /// A base branch is somewhere: where it was elsewhere before, its pulls are looked at again.
    pub(super) fn look_at_pulls_onto(&mut self, base: &BranchName, tip: CommitId, step: &mut Step) {
        let before = self.state.bases.insert(base.clone(), tip);
        if before == Some(tip) {
            return;
        }
        self.touched.state = true;
        let mut pulls = self.pulls.values();
        if pulls.any(|pull| pull.is_open() && pull.facts.base == *base) {
            step.order(Effect::CheckMergeability {
                base: BaseAt {
                    branch: base.clone(),
                    tip,
                    culprit: before.map(|_| self.culprit(tip)),
                },
                pulls: Which::All,
            });
        }
    }

    /// A pull has another head or base: whether that merges cleanly is not known.
    pub(super) fn look_at_pull(&self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        if let Some(tip) = self.state.bases.get(&pull.facts.base) {
            step.order(Effect::CheckMergeability {
                base: BaseAt {
                    branch: pull.facts.base.clone(),
                    tip: *tip,
                    culprit: None,
                },
                pulls: Which::One(number),
            });
        }
    }

    /// What moved a base branch to this commit.
    fn culprit(&self, tip: CommitId) -> Culprit {
        let mut landed = self.runs.values().filter(|run| {
            run.purpose == Purpose::Land && run.merge().is_some_and(|merge| merge.merge == tip)
        });
        let member = landed.next().and_then(|run| run.members.last());
        member.map_or(Culprit::Commit(tip), |member| Culprit::Pull(member.pull))
    }

    /// Takes over what was found, where it still is about what the pulls are.
    pub(super) fn take_mergeability(
        &mut self,
        base: &BaseAt,
        found: Vec<Mergeability>,
        step: &mut Step,
    ) {
        if self.state.bases.get(&base.branch) != Some(&base.tip) {
            return;
        }
        for found in found {
            let fits = self.pulls.get(&found.pull).is_some_and(|pull| {
                pull.is_open() && pull.facts.base == base.branch && pull.facts.head == found.head
            });
            if fits {
                self.note_mergeability(found, base.culprit, step);
            }
        }
    }

    /// Only who could be merged before the base moved is told that this is over.
    fn note_mergeability(
        &mut self,
        found: Mergeability,
        culprit: Option<Culprit>,
        step: &mut Step,
    ) {
        let is_clean = Some(found.clean);
        let known = self.pulls.get(&found.pull);
        let before = known.and_then(|pull| pull.facts.mergeable);
        if before == is_clean {
            return;
        }
        if let Some(pull) = self.pull_mut(found.pull) {
            pull.facts.mergeable = is_clean;
        }
        if before == Some(true) && culprit.is_some() {
            step.post(found.pull, Note::Unmergeable { culprit });
            self.label(found.pull, LabelEvent::Conflict, step);
        }
    }
}
