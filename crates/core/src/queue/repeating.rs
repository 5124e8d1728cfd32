//! Testing again what was tested, forgetting what came of it, and going first.

use super::Queue;
use super::approving::is_outdated;
use super::effect::{Effect, RetryOrder};
use super::event::Comment;
use super::labels::LabelEvent;
use super::note::{Note, Obstacle, QueueStatus};
use super::pull::{Pull, Stage, Urgency};
use super::pull_test::PullTestStage;
use super::run::{Check, Ending, Phase, Purpose, Run, Scope};
use super::step::Step;
use super::suites::{names_of, resolve};
use crate::ids::{PullNumber, RunId};

/// What stands for all suites after `retry` and `test`.
const ALL: &str = "all";

impl Queue {
    /// Repeats the run that ended, or that is under way but does not come to an end: that of the
    /// merge, or else the pull request test.
    pub(super) fn retry(
        &mut self,
        number: PullNumber,
        asked: &[String],
        comment: &Comment,
        step: &mut Step,
    ) {
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        let Some(run) = self.run_to_retry(pull) else {
            match pull.stage {
                // It begins anyway.
                Stage::RetryWanted { .. } | Stage::TryWanted { .. } => {
                    self.log_retry(number, comment, step);
                }
                Stage::Idle | Stage::Running { .. } | Stage::Ended { .. } => {
                    step.post(number, Note::NothingToRetry);
                }
            }
            return;
        };
        let (id, purpose) = (run.id, run.purpose);
        let scope = self.scope_of_retry(number, id, asked, step);
        match purpose {
            Purpose::Land | Purpose::Try => {
                self.cancel(id, step);
                self.want_again(number, id, purpose, scope);
            }
            Purpose::Pull => self.want_pull_again(number, id, scope, step),
            Purpose::Branch => return,
        }
        self.log_retry(number, comment, step);
    }

    /// The run that `retry` means. A merge or a try counts before the pull request test, unless it
    /// has nothing that could be better.
    fn run_to_retry(&self, pull: &Pull) -> Option<&Run> {
        let own = match pull.own.stage {
            PullTestStage::Ended { run, .. } | PullTestStage::Running { run } => {
                self.runs.get(&run)
            }
            PullTestStage::Idle
            | PullTestStage::Skipped
            | PullTestStage::Asking { .. }
            | PullTestStage::Untrusted
            | PullTestStage::Wanted { .. } => None,
        };
        match pull.stage {
            Stage::Ended {
                ending: Ending::Succeeded,
                run,
                ..
            } => own
                .filter(|own| own.ending() != Some(Ending::Succeeded))
                .or_else(|| self.runs.get(&run)),
            Stage::Ended { run, .. } | Stage::Running { run, .. } => self.runs.get(&run),
            Stage::Idle => own,
            Stage::RetryWanted { .. } | Stage::TryWanted { .. } => None,
        }
    }

    /// Which suites are meant by the words after `retry`. Words that no suite is called by were
    /// a remark; whoever meant a suite by them is told what there is.
    fn scope_of_retry(
        &self,
        number: PullNumber,
        run: RunId,
        asked: &[String],
        step: &mut Step,
    ) -> Scope {
        let called = self.runs.get(&run).map(|run| run.called.as_slice());
        let called = called.unwrap_or_default();
        if called.is_empty() || asked.is_empty() {
            return Scope::Usual;
        }
        let (contexts, unknown) = resolve(called, asked);
        if let [all] = asked
            && all == ALL
            && contexts.is_empty()
        {
            return Scope::Afresh;
        }
        if !unknown.is_empty() {
            let (given, known) = (unknown, names_of(called));
            step.post(number, Note::UnknownSuites { given, known });
        }
        if contexts.is_empty() {
            Scope::Usual
        } else {
            Scope::Again(contexts)
        }
    }

    /// Wants a pull request test again: on the same merge, but for all of it.
    fn want_pull_again(&mut self, number: PullNumber, of: RunId, scope: Scope, step: &mut Step) {
        self.stop_pull_test(number, step);
        let of = Some(of).filter(|_| scope != Scope::Afresh);
        self.set_pull_stage(number, PullTestStage::Wanted { scope, of });
    }

    /// Has suites executed on a pull, also such as run only when they are asked for.
    pub(super) fn test(
        &mut self,
        number: PullNumber,
        suites: Vec<String>,
        comment: &Comment,
        step: &mut Step,
    ) {
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        if self.rules.suites.is_none() {
            step.post(number, Note::NothingToRetry);
            return;
        }
        if is_outdated(pull, None, comment) {
            let by = comment.author.clone();
            step.post(number, Note::TryOutdated { by });
            return;
        }
        if let Some(note) = self.vain_wish(pull, &suites) {
            step.post(number, note);
            return;
        }
        let head = pull.facts.head;
        let of = pull.own.last_run.filter(|run| {
            // What only knows some suites must not pass for a test of all.
            let earlier = self.runs.get(run).filter(|run| run.is_whole());
            let earlier = earlier.and_then(|run| run.members.first());
            earlier.is_some_and(|member| member.head == head)
        });
        let is_all = matches!(suites.as_slice(), [all] if all == ALL);
        let (scope, of) = if suites.is_empty() || is_all {
            (Scope::Usual, None)
        } else {
            (Scope::Only(suites), of)
        };
        self.stop_pull_test(number, step);
        self.set_pull_stage(number, PullTestStage::Wanted { scope, of });
    }

    /// What is said to somebody who asks for suites that nobody is called by, while the pull
    /// request test runs: that is not stopped for a slip of the fingers.
    fn vain_wish(&self, pull: &Pull, asked: &[String]) -> Option<Note> {
        let PullTestStage::Running { run } = pull.own.stage else {
            return None;
        };
        let called = self.runs.get(&run)?.called.as_slice();
        let is_all = matches!(asked, [all] if all == ALL);
        if called.is_empty() || asked.is_empty() || is_all {
            return None;
        }
        let (contexts, given) = resolve(called, asked);
        let known = names_of(called);
        contexts
            .is_empty()
            .then_some(Note::UnknownSuites { given, known })
    }

    /// Repeats a run that was to be stopped; one that is landing was not.
    pub(super) fn want_again(
        &mut self,
        number: PullNumber,
        run: RunId,
        purpose: Purpose,
        scope: Scope,
    ) {
        if self.runs.get(&run).is_some_and(Run::is_over) {
            self.repeat(number, run, purpose, scope);
        }
    }

    fn log_retry(&self, number: PullNumber, comment: &Comment, step: &mut Step) {
        step.order(Effect::LogRetry(RetryOrder {
            pull: number,
            by: comment.author.clone(),
            at: comment.key.at,
            body: comment.body.clone(),
            source: comment.url.clone(),
        }));
    }

    fn repeat(&mut self, number: PullNumber, of: RunId, purpose: Purpose, scope: Scope) {
        // A run that never came to a commit has nothing that could be taken again.
        let earlier = self.runs.get(&of).filter(|run| run.merge().is_none());
        let of = earlier.and_then(|run| run.repeats).unwrap_or(of);
        let stage = match purpose {
            Purpose::Land => Stage::RetryWanted { of, scope },
            Purpose::Branch | Purpose::Pull => return,
            Purpose::Try => Stage::TryWanted {
                chooser: self.runs.get(&of).and_then(|run| run.chooser.clone()),
                scope,
            },
        };
        self.set_stage(number, stage);
    }

    /// Buildbot does not build again what failed.
    pub(super) fn end_unrepeated(&mut self, id: RunId, why: &str, step: &mut Step) {
        let is_testing = self
            .runs
            .get(&id)
            .is_some_and(|run| matches!(run.phase, Phase::Testing { .. }));
        if is_testing {
            let why = why.to_owned();
            let note = Note::RebuildRefused { why: why.clone() };
            let why = Obstacle::SetupFailed(why);
            self.tell_members(id, &note, &QueueStatus::Broken { why }, step);
            self.close_run(id, Ending::Broken, step);
        }
    }

    /// Forgets what the tests of a pull came to: the next one takes nothing as passed.
    pub(super) fn clean(&mut self, number: PullNumber) {
        if let Some(pull) = self.pull_mut(number) {
            pull.forgotten = pull.last_run;
        }
    }

    /// Lets a pull that waits go next, and stops what is tested now for that.
    pub(super) fn force(&mut self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        if pull.standing_approval().is_none() || !waits(pull) {
            step.post(number, Note::NothingToForce);
            return;
        }
        let may_start = self.may_start(pull);
        if let Some(pull) = self.pull_mut(number) {
            pull.urgency = Urgency::Forced;
        }
        let running = self.landing_run().map(|run| run.id);
        if let Some(run) = running.filter(|_| may_start) {
            self.interrupt(run, step);
        }
    }

    /// Stops a run so that another pull goes first; its own pulls wait for their turn again.
    fn interrupt(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        if matches!(run.phase, Phase::Landing { .. }) {
            return;
        }
        self.stop_builds(id, step);
        self.tell_members(id, &Note::Interrupted, &QueueStatus::Interrupted, step);
        self.label_members(id, LabelEvent::Interrupted, step);
        self.cancel(id, step);
    }

    fn stop_builds(&self, id: RunId, step: &mut Step) {
        let checks = self.runs.get(&id).into_iter().flat_map(|run| &run.checks);
        let open = checks.filter(|check| check.state.is_open());
        let builders: Vec<_> = open
            .filter_map(|check| match &check.check {
                Check::Build(builder) => Some(builder.clone()),
                Check::Suite(_) | Check::Status { .. } | Check::CheckRun { .. } => None,
            })
            .collect();
        if !builders.is_empty() {
            step.order(Effect::StopBuilds { run: id, builders });
        }
    }
}

fn waits(pull: &Pull) -> bool {
    match pull.stage {
        Stage::Idle | Stage::RetryWanted { .. } => true,
        Stage::TryWanted { .. } | Stage::Running { .. } | Stage::Ended { .. } => false,
    }
}
