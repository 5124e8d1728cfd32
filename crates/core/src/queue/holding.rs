//! Stopping tests, holding pulls back, and letting strangers' pulls be tested.

use super::Queue;
use super::approving::is_outdated;
use super::event::Comment;
use super::note::Note;
use super::pull::{Stage, Taken};
use super::pull_test::PullTestStage;
use super::run::{Ending, Phase, Purpose};
use super::step::Step;
use super::trust::waits_for_ok;
use crate::ids::{Login, PullNumber, RunId};

impl Queue {
    /// Stops what is being tested of a pull. One that is approved is not tested again unasked.
    pub(super) fn stop_tests(&mut self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let (head, stage, own) = (pull.facts.head, pull.stage.clone(), pull.own.stage.clone());
        let mut has_stopped = matches!(
            own,
            PullTestStage::Running { .. }
                | PullTestStage::Wanted { .. }
                | PullTestStage::Asking { .. }
        );
        self.stop_pull_test(number, step);
        match stage {
            Stage::Running { run, purpose } if !self.is_landing(run) => {
                self.cancel_visibly(run, head, step);
                self.keep_stopped(number, run, purpose);
                has_stopped = true;
            }
            Stage::TryWanted { .. } => {
                let stage = self.stage_without_try(number);
                self.set_stage(number, stage);
                has_stopped = true;
            }
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::Running { .. }
            | Stage::Ended { .. } => {}
        }
        if !has_stopped {
            step.post(number, Note::NothingToCancel);
        }
    }

    fn keep_stopped(&mut self, number: PullNumber, run: RunId, purpose: Purpose) {
        let stage = match purpose {
            Purpose::Land => Stage::Ended {
                run,
                purpose,
                ending: Ending::Cancelled,
            },
            Purpose::Try | Purpose::Branch | Purpose::Pull => self.stage_without_try(number),
        };
        self.set_stage(number, stage);
    }

    fn is_landing(&self, run: RunId) -> bool {
        let run = self.runs.get(&run);
        run.is_some_and(|run| matches!(run.phase, Phase::Landing { .. }))
    }

    /// Holds a pull back from being merged, or lets it go. What is being tested so that it lands is
    /// stopped: others have their turn.
    pub(super) fn hold_back(
        &mut self,
        number: PullNumber,
        by: Option<Login>,
        comment: &Comment,
        step: &mut Step,
    ) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let is_held = by.is_some();
        if pull.hold.set(by, comment.key) == Taken::No {
            return;
        }
        let (head, stage) = (pull.facts.head, pull.stage.clone());
        if let Stage::Running {
            run,
            purpose: Purpose::Land,
        } = stage
            && is_held
        {
            self.cancel_visibly(run, head, step);
        }
        // It is too late for what lands already: that would be told something untrue.
        let lands = matches!(stage, Stage::Running { run, .. } if self.is_landing(run));
        if is_held && !lands {
            let by = comment.author.clone();
            step.post(number, Note::OnHold { by });
        }
    }

    /// Lets a stranger's commit be tested, unless it came after the comment that says so.
    pub(super) fn let_test(&mut self, number: PullNumber, comment: &Comment, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        if is_outdated(pull, None, comment) {
            let by = comment.author.clone();
            step.post(number, Note::TryOutdated { by });
            return;
        }
        self.admit(number);
    }

    /// Lets everything be tested that a pull's author proposes, and this commit whoever pushed it,
    /// unless it came after the comment that says so.
    pub(super) fn let_author_test(
        &mut self,
        number: PullNumber,
        comment: &Comment,
        step: &mut Step,
    ) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let author = pull.facts.author.clone();
        if pull.is_open() && waits_for_ok(pull) && !is_outdated(pull, None, comment) {
            self.admit(number);
        }
        self.welcome(&author, step);
    }
}
