//! Testing again what was tested, forgetting what came of it, and going first.

use super::Queue;
use super::effect::Effect;
use super::event::Comment;
use super::note::{Ending, Note, Obstacle, Purpose, QueueStatus};
use super::pull::{Pull, Stage, Urgency};
use super::run::{Check, Phase, Run};
use super::turn::Turn;
use crate::config::LabelEvent;
use crate::ids::{PullNumber, RunId};

impl Queue {
    /// Repeats the run that ended, or that is under way but does not come to an end.
    pub(super) fn retry(&mut self, number: PullNumber, comment: &Comment, turn: &mut Turn) {
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        match pull.stage.clone() {
            Stage::Ended { run, purpose, .. } => self.repeat(number, run, purpose),
            Stage::Running { run, purpose } => {
                self.cancel(run, turn);
                self.want_again(number, run, purpose);
            }
            Stage::RetryWanted { .. } | Stage::TryWanted { .. } => {}
            Stage::Idle => {
                turn.post(number, Note::NothingToRetry);
                return;
            }
        }
        self.log_retry(number, comment, turn);
    }

    /// Repeats a run that was to be stopped; one that is landing was not.
    pub(super) fn want_again(&mut self, number: PullNumber, run: RunId, purpose: Purpose) {
        if self.runs.get(&run).is_some_and(Run::is_over) {
            self.repeat(number, run, purpose);
        }
    }

    fn log_retry(&self, number: PullNumber, comment: &Comment, turn: &mut Turn) {
        turn.order(Effect::LogRetry {
            pull: number,
            by: comment.author.clone(),
            at: comment.key.at,
            body: comment.body.clone(),
        });
    }

    fn repeat(&mut self, number: PullNumber, of: RunId, purpose: Purpose) {
        // A run that never came to a commit has nothing that could be taken again.
        let earlier = self.runs.get(&of).filter(|run| run.merge().is_none());
        let of = earlier.and_then(|run| run.repeats).unwrap_or(of);
        let stage = match purpose {
            Purpose::Land => Stage::RetryWanted { of },
            Purpose::Branch | Purpose::Pull => return,
            Purpose::Try => Stage::TryWanted {
                chooser: self.runs.get(&of).and_then(|run| run.chooser.clone()),
            },
        };
        self.set_stage(number, stage);
    }

    /// Buildbot does not build again what failed.
    pub(super) fn end_unrepeated(&mut self, id: RunId, why: &str, turn: &mut Turn) {
        let is_testing = self
            .runs
            .get(&id)
            .is_some_and(|run| matches!(run.phase, Phase::Testing { .. }));
        if is_testing {
            let why = why.to_owned();
            let note = Note::RebuildRefused { why: why.clone() };
            let why = Obstacle::SetupFailed(why);
            self.tell_members(id, &note, &QueueStatus::Broken { why }, turn);
            self.close_run(id, Ending::Broken, turn);
        }
    }

    /// Forgets what the tests of a pull came to: the next one takes nothing as passed.
    pub(super) fn clean(&mut self, number: PullNumber) {
        if let Some(pull) = self.pull_mut(number) {
            pull.forgotten = pull.last_run;
        }
    }

    /// Lets a pull that waits go next, and stops what is tested now for that.
    pub(super) fn force(&mut self, number: PullNumber, turn: &mut Turn) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        if pull.standing_approval().is_none() || !waits(pull) {
            turn.post(number, Note::NothingToForce);
            return;
        }
        let may_start = self.may_start(pull);
        if let Some(pull) = self.pull_mut(number) {
            pull.urgency = Urgency::Forced;
        }
        let running = self.landing_run().map(|run| run.id);
        if let Some(run) = running.filter(|_| may_start) {
            self.interrupt(run, turn);
        }
    }

    /// Stops a run so that another pull goes first; its own pulls wait for their turn again.
    fn interrupt(&mut self, id: RunId, turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        if matches!(run.phase, Phase::Landing { .. }) {
            return;
        }
        self.stop_builds(id, turn);
        self.tell_members(id, &Note::Interrupted, &QueueStatus::Interrupted, turn);
        self.label_members(id, LabelEvent::Interrupted, turn);
        self.cancel(id, turn);
    }

    fn stop_builds(&self, id: RunId, turn: &mut Turn) {
        let checks = self.runs.get(&id).into_iter().flat_map(|run| &run.checks);
        let open = checks.filter(|check| check.state.is_open());
        let builders: Vec<_> = open
            .filter_map(|check| match &check.check {
                Check::Build(builder) => Some(builder.clone()),
                Check::Suite(_) | Check::Status { .. } | Check::CheckRun { .. } => None,
            })
            .collect();
        if !builders.is_empty() {
            turn.order(Effect::StopBuilds { run: id, builders });
        }
    }
}

fn waits(pull: &Pull) -> bool {
    match pull.stage {
        Stage::Idle | Stage::RetryWanted { .. } => true,
        Stage::TryWanted { .. } | Stage::Running { .. } | Stage::Ended { .. } => false,
    }
}
