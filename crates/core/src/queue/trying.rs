//! Trying a pull: testing its merge without landing it.

use std::collections::BTreeSet;

use super::Queue;
use super::approving::is_outdated;
use super::event::Comment;
use super::labels::LabelEvent;
use super::note::Note;
use super::pull::Stage;
use super::run::{Ending, Purpose, Scope};
use super::step::Step;
use crate::ids::{PullNumber, RunId};

impl Queue {
    /// Wants the merge of a pull tested, on behalf of a comment.
    pub(super) fn want_try(
        &mut self,
        number: PullNumber,
        chooser: Option<String>,
        comment: &Comment,
        step: &mut Step,
    ) {
        if let Some(given) = chooser.as_ref().filter(|name| !self.has_chooser(name)) {
            self.refuse_chooser(number, given.clone(), step);
            return;
        }
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        if !pull.is_open() || pull.try_key.is_some_and(|last| last > comment.key) {
            return;
        }
        if pull.standing_approval().is_some() && is_to_land(&pull.stage) {
            step.post(number, Note::TryAfterApproval);
            return;
        }
        // Whoever asked for it has not seen what would be tested.
        if is_outdated(pull, None, comment) {
            let by = comment.author.clone();
            step.post(number, Note::TryOutdated { by });
            return;
        }
        pull.try_key = Some(comment.key);
        let (head, stage) = (pull.facts.head, pull.stage.clone());
        // A run that is to land is left only in its landing, which goes on by itself.
        match stage {
            Stage::Running {
                run,
                purpose: Purpose::Try,
            } if self.is_chosen_by(run, chooser.as_deref()) => return,
            Stage::Running {
                run,
                purpose: Purpose::Try,
            } => self.cancel_visibly(run, head, step),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::TryWanted { .. }
            | Stage::Running { .. }
            | Stage::Ended { .. } => {}
        }
        let scope = Scope::Usual;
        self.set_stage(number, Stage::TryWanted { chooser, scope });
        self.label(number, LabelEvent::Try, step);
    }

    fn is_chosen_by(&self, run: RunId, chooser: Option<&str>) -> bool {
        let run = self.runs.get(&run);
        run.is_some_and(|run| run.chooser.as_deref() == chooser)
    }

    pub(super) fn refuse_chooser(&self, number: PullNumber, given: String, step: &mut Step) {
        let known = self.choosers();
        step.post(number, Note::UnknownChooser { given, known });
    }

    pub(super) fn has_chooser(&self, name: &str) -> bool {
        self.choosers().iter().any(|known| known == name)
    }

    /// What `try=CHOOSER` takes, in order.
    fn choosers(&self) -> Vec<String> {
        let of_buildbot = self.rules.buildbot.iter();
        let of_buildbot = of_buildbot.flat_map(|buildbot| buildbot.choosers.keys());
        let all: BTreeSet<_> = self.rules.choosers.keys().chain(of_buildbot).collect();
        all.into_iter().cloned().collect()
    }

    /// Drops what [`Queue::want_try`] asked for.
    pub(super) fn drop_try(&mut self, number: PullNumber, comment: &Comment, step: &mut Step) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        if pull.try_key.is_none_or(|last| last <= comment.key) {
            pull.try_key = Some(comment.key);
            self.stop_trying(number, step);
        }
    }

    /// Ends a try that waits or is under way.
    pub(super) fn stop_trying(&mut self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let head = pull.facts.head;
        match pull.stage {
            Stage::TryWanted { .. } => {}
            Stage::Running {
                run,
                purpose: Purpose::Try,
            } => self.cancel_visibly(run, head, step),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::Running { .. }
            | Stage::Ended { .. } => return,
        }
        let stage = self.stage_without_try(number);
        self.set_stage(number, stage);
    }

    /// Where a pull stands whose try is dropped. A merge that failed before the try is not tested
    /// again unasked.
    pub(super) fn stage_without_try(&self, number: PullNumber) -> Stage {
        let pull = self.pulls.get(&number);
        let approved = pull.filter(|pull| pull.standing_approval().is_some());
        match approved.and_then(|pull| pull.last_run) {
            Some(run) => Stage::Ended {
                run,
                purpose: Purpose::Try,
                ending: Ending::Cancelled,
            },
            None => Stage::Idle,
        }
    }
}

/// Whether what is approved waits for its test, or is being tested. After a failure it is not.
fn is_to_land(stage: &Stage) -> bool {
    match stage {
        Stage::Idle | Stage::RetryWanted { .. } => true,
        Stage::Running { purpose, .. } => *purpose == Purpose::Land,
        Stage::TryWanted { .. } | Stage::Ended { .. } => false,
    }
}

/// Whether a try was the last that was asked for of a pull.
pub(super) fn was_tried(stage: &Stage) -> bool {
    match stage {
        Stage::TryWanted { .. } => true,
        Stage::Running { purpose, .. } | Stage::Ended { purpose, .. } => *purpose == Purpose::Try,
        Stage::Idle | Stage::RetryWanted { .. } => false,
    }
}
