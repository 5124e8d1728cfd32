//! The life of a run: begun, merged, tested, ended.

use super::Queue;
use super::effect::Effect;
use super::event::MergeStep;
use super::labels::LabelEvent;
use super::note::{Note, Obstacle, QueueStatus, StatusNote};
use super::pull::Stage;
use super::pull_test::PATIENCE_S;
use super::run::{
    CheckState, Ending, Member, Phase, Preparation, Purpose, Run, RunCheck, TestMerge,
};
use super::step::Step;
use crate::ids::{BranchName, CommitId, RunId};

impl Queue {
    /// The run's commit is made: its checks may answer from now on.
    pub(super) fn begin_testing(
        &mut self,
        id: RunId,
        base_tip: CommitId,
        merge: CommitId,
        step: &mut Step,
    ) {
        let limit_s = self.rules.setup_timeout_s;
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        if !matches!(run.phase, Phase::Merging { .. }) {
            return;
        }
        let checks = self.external_checks(run, merge);
        if let Some(run) = self.live_run(id) {
            run.checks = checks;
            run.phase = Phase::Testing {
                merge: TestMerge { base_tip, merge },
                awaits: vec![Preparation::JudgeExemption],
                deadline: step.now.plus_s(limit_s),
            };
        }
        match self.exemption_question(id) {
            Some(question) => step.order(question),
            None => self.set_up_test(id, step),
        }
    }

    /// The run's commit needs a test: it is pushed, and its suites are read.
    pub(super) fn set_up_test(&mut self, id: RunId, step: &mut Step) {
        let reads_suites = self.rules.suites.is_some();
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let Some(merge) = run.merge() else {
            return;
        };
        let (branch, builds) = (self.test_branch(run), self.builds_to_repeat(run));
        let (run, commit) = (id, merge.merge);
        let mut preparations = Vec::new();
        if builds.is_empty() {
            preparations.push(Preparation::Publish);
            step.order(Effect::PublishMerge {
                run,
                commit,
                branch,
            });
        } else {
            // It was pushed by the run that this one repeats: a second push has all built again.
            step.order(Effect::RepeatBuilds { run, builds });
        }
        if reads_suites {
            preparations.push(Preparation::ReadSuites);
            let since = Some(merge.base_tip);
            step.order(Effect::ReadSuites { run, commit, since });
        }
        let published = !preparations.contains(&Preparation::Publish);
        self.await_preparations(id, preparations, step);
        if !reads_suites {
            self.require_checks(id, Obstacle::NothingConfigured, step);
        }
        if published {
            self.mention_reuse(id, &[], step);
            self.announce_test(id, step);
        }
    }

    /// The branch on which a run's commit is tested.
    pub fn test_branch(&self, run: &Run) -> BranchName {
        match (run.purpose, &run.chooser) {
            (Purpose::Land, _) => self.rules.auto_branch.clone(),
            (Purpose::Branch | Purpose::Pull, _) => run.base.clone(),
            (Purpose::Try, None) => self.rules.try_branch.clone(),
            (Purpose::Try, Some(chooser)) => {
                BranchName::new(format!("{}-{chooser}", self.rules.try_branch))
            }
        }
    }

    /// What must be done before the checks of a run can decide; it begins anew.
    pub(super) fn await_preparations(
        &mut self,
        id: RunId,
        preparations: Vec<Preparation>,
        step: &Step,
    ) {
        if let Some(run) = self.live_run(id)
            && let Phase::Testing { awaits, .. } = &mut run.phase
        {
            *awaits = preparations;
        }
        self.give_checks_their_time(id, step);
    }

    /// The run's commit is on GitHub: what can be seen there is said now.
    pub(super) fn note_published(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.live_run(id) else {
            return;
        };
        let Phase::Testing { awaits, .. } = &mut run.phase else {
            return;
        };
        if !awaits.contains(&Preparation::Publish) {
            return;
        }
        awaits.retain(|awaited| *awaited != Preparation::Publish);
        let is_exempt = run.exemption.is_some();
        self.give_checks_their_time(id, step);
        if is_exempt {
            self.decide(id, step);
        } else {
            self.announce_test(id, step);
        }
    }

    /// Says that a run's commit is being tested.
    fn announce_test(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let Some(merge) = run.merge() else {
            return;
        };
        let (purpose, merge) = (run.purpose, merge.merge);
        for Member { pull, head, .. } in run.members.clone() {
            step.post(
                pull,
                Note::Started {
                    purpose,
                    head,
                    merge,
                },
            );
            let status = QueueStatus::Testing {
                purpose,
                head,
                merge,
            };
            step.set_queue_status(head, status);
        }
        self.show_suites(id, step);
        self.decide(id, step);
    }

    /// When nothing but checks is awaited any more, their time begins.
    pub(super) fn give_checks_their_time(&mut self, id: RunId, step: &Step) {
        let limit_s = self.rules.timeout_s;
        if let Some(run) = self.live_run(id)
            && let Phase::Testing {
                awaits, deadline, ..
            } = &mut run.phase
            && awaits.is_empty()
        {
            *deadline = match run.purpose {
                Purpose::Land | Purpose::Try => step.now.plus_s(limit_s),
                Purpose::Pull | Purpose::Branch => step.now.plus_s(PATIENCE_S),
            };
        }
    }

    /// A run without anything that decides could only land untested.
    pub(super) fn require_checks(&mut self, id: RunId, why: Obstacle, step: &mut Step) {
        let nothing = self
            .runs
            .get(&id)
            .is_some_and(|run| run.deciding().next().is_none());
        if nothing {
            self.end_broken(id, why, step);
        }
    }

    /// Ends the run if its checks say how.
    pub(super) fn decide(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let Phase::Testing { .. } = run.phase else {
            return;
        };
        if !run.purpose.is_queued() {
            self.decide_alone(id, step);
            return;
        }
        let failed = run
            .deciding()
            .find(|check| matches!(check.state, CheckState::Failed { .. }))
            .cloned();
        if let Some(check) = failed.filter(|_| run.is_published()) {
            self.end_failed(id, &check, step);
        } else if run.has_passed() {
            // Another check run of a name may have been begun, and nothing heard of it.
            if run.waits_for_check_runs() {
                self.reread_check_runs(id, step);
            } else {
                self.end_passed(id, step);
            }
        }
    }

    /// Ends the run if its checks say how, and what they say of check runs was just read.
    pub(super) fn decide_for_good(&mut self, id: RunId, step: &mut Step) {
        let has_passed = self
            .runs
            .get(&id)
            .is_some_and(|run| run.purpose.is_queued() && run.has_passed());
        if has_passed {
            self.end_passed(id, step);
        } else {
            self.decide(id, step);
        }
    }

    fn end_passed(&mut self, id: RunId, step: &mut Step) {
        match self.runs.get(&id).map(|run| run.purpose) {
            Some(Purpose::Land) => self.land(id, step),
            Some(Purpose::Try | Purpose::Branch | Purpose::Pull) => self.end_tried(id, step),
            None => {}
        }
    }

    /// Ends a run that nobody waits behind once all of its suites have ended: people want to see
    /// everything that is wrong with what they pushed. Its statuses have said it all.
    fn decide_alone(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id).filter(|run| run.is_set_up()) else {
            return;
        };
        if run.checks.iter().any(|check| check.state.is_open()) {
            return;
        }
        let has_failed = run
            .deciding()
            .any(|check| !matches!(check.state, CheckState::Passed { .. }));
        let ending = if has_failed {
            Ending::Failed
        } else {
            Ending::Succeeded
        };
        self.close_run(id, ending, step);
    }

    fn end_failed(&mut self, id: RunId, check: &RunCheck, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let verdict = match &check.state {
            CheckState::Failed { verdict, .. } => verdict.clone(),
            CheckState::Waiting
            | CheckState::Running { .. }
            | CheckState::Passed { .. }
            | CheckState::Cancelled => None,
        };
        let link = check.link();
        let note = Note::Failed {
            purpose: run.purpose,
            check: link.clone(),
            verdict,
        };
        let event = match run.purpose {
            Purpose::Land => LabelEvent::Failed,
            Purpose::Try | Purpose::Branch | Purpose::Pull => LabelEvent::TryFailed,
        };
        self.label_members(id, event, step);
        self.tell_members(id, &note, &QueueStatus::Failed { check: link }, step);
        self.close_run(id, Ending::Failed, step);
    }

    fn end_tried(&mut self, id: RunId, step: &mut Step) {
        let Some((run, merge)) = self.runs.get(&id).and_then(|run| Some((run, run.merge()?)))
        else {
            return;
        };
        let note = Note::TrySucceeded {
            checks: run.passed_links(),
            merge: merge.merge,
        };
        let status = QueueStatus::Succeeded {
            purpose: Purpose::Try,
        };
        self.label_members(id, LabelEvent::TrySucceed, step);
        self.tell_members(id, &note, &status, step);
        self.close_run(id, Ending::Succeeded, step);
    }

    pub(super) fn end_conflicted(&mut self, id: RunId, at: MergeStep, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let (base, members) = (run.base.clone(), run.members.clone());
        if !matches!(run.phase, Phase::Merging { .. }) {
            return;
        }
        for member in members {
            let Some(pull) = self.pull_mut(member.pull) else {
                continue;
            };
            if at == MergeStep::Merge {
                pull.facts.mergeable = Some(false);
            }
            let head_label = pull.facts.head_label.clone();
            let base = base.clone();
            let note = Note::Conflict {
                base,
                head_label,
                step: at,
            };
            step.post(member.pull, note);
            step.set_queue_status(member.head, QueueStatus::Conflict { step: at });
            self.label(member.pull, LabelEvent::Conflict, step);
        }
        self.close_run(id, Ending::Conflicted, step);
    }

    /// The run cannot be carried out. A landing is not ended this way.
    pub(super) fn end_broken(&mut self, id: RunId, why: Obstacle, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        if !matches!(run.phase, Phase::Merging { .. } | Phase::Testing { .. }) {
            return;
        }
        if let Some(commit) = run.identity().filter(|_| !run.purpose.is_queued()) {
            step.set_status(commit, StatusNote::NotTested);
            self.close_run(id, Ending::Broken, step);
        } else {
            let note = Note::Broken { why: why.clone() };
            self.tell_members(id, &note, &QueueStatus::Broken { why }, step);
            self.close_run(id, Ending::Broken, step);
        }
    }

    /// Ends the runs whose time is up.
    pub(super) fn end_overdue(&mut self, step: &mut Step) {
        let overdue: Vec<_> = self
            .runs_in_flight()
            .filter(|run| run.deadline().is_some_and(|deadline| deadline <= step.now))
            .map(|run| (run.id, run.is_set_up()))
            .collect();
        for (id, set_up) in overdue {
            if set_up {
                self.end_timed_out(id, step);
            } else {
                self.end_broken(id, Obstacle::SetupTooSlow, step);
            }
        }
    }

    fn end_timed_out(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let waiting_for = run
            .deciding()
            .filter(|check| check.state.is_open())
            .map(|check| check.check.name())
            .collect();
        if !run.purpose.is_queued() {
            self.close_run(id, Ending::TimedOut, step);
            return;
        }
        let note = Note::TimedOut { waiting_for };
        self.label_members(id, LabelEvent::TimedOut, step);
        self.tell_members(id, &note, &QueueStatus::TimedOut, step);
        self.close_run(id, Ending::TimedOut, step);
    }

    /// Says the same about every member, on the pull and on its commit.
    pub(super) fn tell_members(
        &self,
        id: RunId,
        note: &Note,
        status: &QueueStatus,
        step: &mut Step,
    ) {
        let members = self.runs.get(&id).map(|run| run.members.as_slice());
        for member in members.unwrap_or_default() {
            step.post(member.pull, note.clone());
            step.set_queue_status(member.head, status.clone());
        }
    }

    /// Stops a run and says so on the commit that was to be tested.
    pub(super) fn cancel_visibly(&mut self, id: RunId, head: CommitId, step: &mut Step) {
        let shown = self
            .runs
            .get(&id)
            .is_some_and(|run| run.is_published() && matches!(run.phase, Phase::Testing { .. }));
        if shown {
            step.set_queue_status(head, QueueStatus::Cancelled);
        }
        self.cancel(id, step);
    }

    /// Stops a run, unless the base branch may already be moving to its commit.
    pub(super) fn cancel(&mut self, id: RunId, step: &mut Step) {
        let landing = self
            .runs
            .get(&id)
            .is_some_and(|run| matches!(run.phase, Phase::Landing { .. }));
        if !landing {
            self.close_run(id, Ending::Cancelled, step);
        }
    }

    /// Writes down how a run ended, stops its jobs, lets its pulls go.
    pub(super) fn close_run(&mut self, id: RunId, ending: Ending, step: &mut Step) {
        let Some(run) = self.live_run(id) else {
            return;
        };
        let purpose = run.purpose;
        let members = run.members.clone();
        self.close_suites(id, ending, step);
        if let Some(run) = self.live_run(id) {
            run.phase = Phase::Done {
                ending,
                merge: run.merge(),
                at: step.now,
            };
        }
        for member in members {
            match purpose {
                Purpose::Land | Purpose::Try => self.detach(&member, id, purpose, ending),
                Purpose::Pull => self.detach_own(&member, id, ending),
                Purpose::Branch => {}
            }
        }
    }

    /// A run's result counts for a pull only if it still proposes the commit that was tested.
    fn detach(&mut self, member: &Member, run: RunId, purpose: Purpose, ending: Ending) {
        let Some(pull) = self.pull_mut(member.pull) else {
            return;
        };
        if !matches!(pull.stage, Stage::Running { run: current, .. } if current == run) {
            return;
        }
        pull.stage = if ending == Ending::Cancelled || pull.facts.head != member.head {
            Stage::Idle
        } else {
            Stage::Ended {
                run,
                purpose,
                ending,
            }
        };
    }
}
