//! Moving the base branch to a tested commit, and what comes of it.

use super::Queue;
use super::effect::{Effect, History, LandingOrder, MergeMark, TitleMark};
use super::event::{PullState, Refusal};
use super::labels::LabelEvent;
use super::note::{Note, QueueStatus};
use super::pull::Squash;
use super::rules::{Fixups, Merging};
use super::run::{Ending, Member, Phase, Purpose};
use super::step::Step;
use crate::ids::RunId;

const LANDED: QueueStatus = QueueStatus::Succeeded {
    purpose: Purpose::Land,
};

impl Queue {
    /// Orders the base branch to be moved. Only the answer ends the run from now on.
    pub(super) fn land(&mut self, id: RunId, step: &mut Step) {
        if !self.may_land(id) {
            self.close_run(id, Ending::Cancelled, step);
            return;
        }
        let Some(run) = self.live_run(id) else {
            return;
        };
        let Phase::Testing { merge, .. } = run.phase else {
            return;
        };
        run.phase = Phase::Landing { merge };
        step.order(Effect::AdvanceBranch(LandingOrder {
            run: id,
            base: run.base.clone(),
            from: merge.base_tip,
            to: merge.merge,
            members: run.members.clone(),
        }));
    }

    /// GitHub does not move the base branch yet.
    pub(super) fn delay_landing(&mut self, id: RunId, why: String) {
        if let Some(run) = self.live_run(id)
            && matches!(run.phase, Phase::Landing { .. })
        {
            run.landing_delay = Some(why);
        }
    }

    /// Whether every member of a run is still open and approved at the commit that was tested.
    ///
    /// Asked again by whoever carries a landing out, right before the branch moves.
    pub fn may_land(&self, id: RunId) -> bool {
        self.runs.get(&id).is_some_and(|run| {
            run.purpose == Purpose::Land
                && self.rules.merging != Merging::Off
                && run
                    .members
                    .iter()
                    .all(|member| self.stands(member, run.base.as_str()))
        })
    }

    fn stands(&self, member: &Member, base: &str) -> bool {
        self.pulls.get(&member.pull).is_some_and(|pull| {
            pull.facts.base.as_str() == base
                && pull.hold.value.is_none()
                && pull
                    .standing_approval()
                    .is_some_and(|approval| approval.commit == member.head)
        })
    }

    /// The base branch holds the run's commit.
    pub(super) fn end_landed(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let Phase::Landing { merge } = run.phase else {
            return;
        };
        let (checks, base, members) = (run.passed_links(), run.base.clone(), run.members.clone());
        let (exemption, title) = (run.exemption, self.title_mark(run.squash));
        for Member {
            pull,
            head,
            approver,
            said_by: _,
        } in members
        {
            if let Some(why) = exemption {
                step.post(pull, Note::Exempted { why });
            } else if let Some(approver) = approver {
                let note = Note::Succeeded {
                    checks: checks.clone(),
                    approver,
                    merge: merge.merge,
                    base: base.clone(),
                };
                step.post(pull, note);
            }
            let (status, event) = match exemption {
                Some(_) => (QueueStatus::Exempted, LabelEvent::Exempted),
                None => (LANDED, LabelEvent::Succeed),
            };
            step.set_queue_status(head, status);
            self.label(pull, event, step);
            if let Some(title) = title {
                let landed = merge.merge;
                step.order(Effect::MarkMerged(MergeMark {
                    pull,
                    head,
                    landed,
                    title,
                }));
            }
            if let Some(landed) = self.pull_mut(pull).filter(|known| known.facts.head == head) {
                landed.facts.state = PullState::Merged;
                landed.approval.value = None;
                landed.inquiry = None;
                self.stop_pull_test(pull, step);
            }
        }
        self.close_run(id, Ending::Succeeded, step);
    }

    /// What becomes of the title of a pull that landed. GitHub sees it as merged only by its own
    /// commits: there is nothing to mark where the landing did not rewrite them.
    fn title_mark(&self, squash: Squash) -> Option<TitleMark> {
        match (self.rules.history, self.rules.fixups, squash) {
            (History::Merged, Fixups::Keep, Squash::No) => None,
            (_, Fixups::Squash, _) => Some(TitleMark::Unchanged),
            (_, Fixups::Keep, _) => Some(TitleMark::Prefixed),
        }
    }

    /// The base branch was not moved.
    pub(super) fn end_refused(&mut self, id: RunId, why: Refusal, step: &mut Step) {
        let landing = self
            .runs
            .get(&id)
            .is_some_and(|run| matches!(run.phase, Phase::Landing { .. }));
        if !landing {
            return;
        }
        match why {
            // Tested again on the new base, without being asked.
            Refusal::BaseMoved => self.close_run(id, Ending::Cancelled, step),
            Refusal::PullChanged => self.end_changed(id, step),
            Refusal::Rejected(why) => {
                let note = Note::LandingFailed { why: why.clone() };
                self.tell_members(id, &note, &QueueStatus::NotLanded { why }, step);
                self.close_run(id, Ending::Broken, step);
            }
        }
    }

    /// A member is no longer what was tested. What it is now, GitHub must say before it is tested
    /// again.
    fn end_changed(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        for member in run.members.clone() {
            step.set_queue_status(member.head, QueueStatus::Cancelled);
            self.inquire(member.pull, step);
        }
        self.close_run(id, Ending::Cancelled, step);
    }
}
