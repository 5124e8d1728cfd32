//! Which run begins next, and what it is made of.

use super::effect::{Effect, History, MemberMerge, MergeOrder, MergeStyle, Shape};
use super::message::trailer;
use super::pull::{Pull, Squash, Stage, Urgency};
use super::rules::{Fixups, Merging};
use super::run::{Check, CheckState, Member, Phase, Purpose, Run, RunCheck, Scope, TestMerge};
use super::step::Step;
use super::{Queue, QueuePosition};
use crate::ids::{CommitId, PullNumber, RunId, Timestamp};

/// What stands for an approver in the merge message of a try.
const TRY_APPROVER: &str = "<try>";

impl Queue {
    /// Starts what can be started: one run that is to land, and every try that was asked for.
    pub(super) fn start_next(&mut self, step: &mut Step) {
        if let Some(number) = self.next_to_land() {
            self.start_run(number, Purpose::Land, step);
        }
        let tries: Vec<_> = self
            .pulls
            .values()
            .filter(|pull| pull.is_open() && matches!(pull.stage, Stage::TryWanted { .. }))
            .filter(|pull| pull.inquiry.is_none() && pull.unseen_since.is_none())
            .map(Pull::number)
            .collect();
        for number in tries {
            self.start_try(number, step);
        }
    }

    /// Starts a try, unless its chooser left the configuration since it was asked for: nothing would
    /// build on its branch.
    fn start_try(&mut self, number: PullNumber, step: &mut Step) {
        let stage = self.pulls.get(&number).map(|pull| pull.stage.clone());
        match stage {
            Some(Stage::TryWanted {
                chooser: Some(given),
                ..
            }) if !self.has_chooser(&given) => {
                let stage = self.stage_without_try(number);
                self.set_stage(number, stage);
                self.refuse_chooser(number, given, step);
            }
            Some(_) | None => self.start_run(number, Purpose::Try, step),
        }
    }

    fn next_to_land(&self) -> Option<PullNumber> {
        if self.landing_run().is_some() {
            return None;
        }
        self.pulls
            .values()
            .filter(|pull| self.may_start(pull))
            .min_by_key(|pull| QueuePosition::of(pull))
            .map(Pull::number)
    }

    /// The run in flight that is to land.
    pub(super) fn landing_run(&self) -> Option<&Run> {
        self.runs_in_flight()
            .find(|run| run.purpose == Purpose::Land)
    }

    pub(super) fn may_start(&self, pull: &Pull) -> bool {
        pull.standing_approval().is_some()
            && pull.inquiry.is_none()
            && pull.unseen_since.is_none()
            && matches!(pull.stage, Stage::Idle | Stage::RetryWanted { .. })
            && self.tree_lets_through(pull.number())
            && !self.is_held_back(pull)
    }

    /// Whether a pull waits though its turn may have come: somebody holds it, its pull request test is not
    /// green where that is asked for, or it is not merged here at all.
    pub(super) fn is_held_back(&self, pull: &Pull) -> bool {
        let is_merged = match self.rules.merging {
            Merging::On => true,
            Merging::OnceGreen => self.is_green(pull),
            Merging::Off => false,
        };
        !is_merged || pull.hold.value.is_some()
    }

    fn start_run(&mut self, number: PullNumber, purpose: Purpose, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let run = self.new_run(pull, purpose, step.now);
        let id = run.id;
        step.order(Effect::MakeMerge(self.merge_order(&run)));
        self.add_run(run);
        self.attach(number, id, purpose);
        self.forget_old(step.now);
    }

    /// Takes a run up, which is the latest from now on.
    pub(super) fn add_run(&mut self, run: Run) {
        self.state.last_run = run.id;
        self.touched.state = true;
        self.touched.runs.insert(run.id);
        self.runs.insert(run.id, run);
    }

    fn new_run(&self, pull: &Pull, purpose: Purpose, now: Timestamp) -> Run {
        let (repeats, chooser, scope) = match pull.stage.clone() {
            Stage::RetryWanted { of, scope } => (Some(of), None, scope),
            Stage::TryWanted { chooser, scope } => (None, chooser, scope),
            Stage::Idle | Stage::Running { .. } | Stage::Ended { .. } => (None, None, Scope::Usual),
        };
        let is_forgotten = pull.forgotten.is_some() && pull.forgotten >= pull.last_run;
        let approval = pull
            .standing_approval()
            .filter(|_| purpose == Purpose::Land);
        let member = Member {
            pull: pull.number(),
            head: pull.facts.head,
            approver: approval.map(|approval| approval.approver.clone()),
            said_by: approval.map(|approval| approval.said_by.clone()),
        };
        let phase = Phase::Merging {
            deadline: now.plus_s(self.rules.setup_timeout_s),
        };
        let (id, base) = (self.state.last_run.next(), pull.facts.base.clone());
        Run {
            members: vec![member],
            repeats: repeats.filter(|of| pull.forgotten.is_none_or(|last| *of > last)),
            squash: pull.squash.value,
            chooser,
            scope: if is_forgotten { Scope::Afresh } else { scope },
            ..Run::new(id, purpose, base, now, phase)
        }
    }

    fn attach(&mut self, number: PullNumber, run: RunId, purpose: Purpose) {
        if let Some(pull) = self.pull_mut(number) {
            pull.stage = Stage::Running { run, purpose };
            pull.last_run = Some(run);
            pull.urgency = Urgency::Usual;
        }
    }

    fn merge_order(&self, run: &Run) -> MergeOrder {
        let members = run.members.iter().filter_map(|member| {
            let pull = self.pulls.get(&member.pull)?;
            let approver = member
                .approver
                .as_ref()
                .map_or(TRY_APPROVER, |approver| approver.as_str());
            Some(self.member_merge(pull, member, approver))
        });
        let again = self.reusable_merge(run);
        MergeOrder {
            run: run.id,
            base: run.base.clone(),
            test_branch: self.test_branch(run),
            members: members.collect(),
            again,
            unlike: self.tested_before(run).filter(|_| again.is_none()),
        }
    }

    /// What the latest run of the same pull tested.
    fn tested_before(&self, run: &Run) -> Option<CommitId> {
        let pull = self.pulls.get(&run.members.first()?.pull)?;
        let before = self.runs.get(&pull.last_run?)?;
        before.merge().map(|merge| merge.merge)
    }

    fn member_merge(&self, pull: &Pull, member: &Member, approver: &str) -> MemberMerge {
        let shape = match (pull.squash.value, self.rules.fixups) {
            (Squash::Yes, _) => Shape::Squashed {
                message: self.squash_message(pull),
            },
            (Squash::No, Fixups::Squash) => Shape::Autosquashed,
            (Squash::No, Fixups::Keep) => Shape::AsTheyAre,
        };
        let history = self.rules.history;
        MemberMerge {
            pull: member.pull,
            head: member.head,
            message: match history {
                History::Merged => self.merge_message(pull, approver),
                History::Linear => trailer(member.pull, approver),
            },
            style: MergeStyle { shape, history },
        }
    }

    /// The merge of the run that this one repeats, if all that is still to pass of it can be had
    /// again for the same commit: suites and builds of Buildbot, but not what answers only once.
    fn reusable_merge(&self, run: &Run) -> Option<TestMerge> {
        if run.scope == Scope::Afresh {
            return None;
        }
        let earlier = self.runs.get(&run.repeats?)?;
        let made = earlier.merge()?;
        let passed = |check: &RunCheck| matches!(check.state, CheckState::Passed { .. });
        let wanted = self.external_checks(run, made.merge);
        let repeatable = wanted.iter().all(|check| match check.check {
            Check::Suite(_) => true,
            Check::Build(_) => passed(check) || earlier.build_page(&check.check).is_some(),
            Check::Status { .. } | Check::CheckRun { .. } => passed(check),
        });
        let worthwhile = earlier.checks.iter().any(passed);
        (is_made_alike(earlier, run) && repeatable && worthwhile).then_some(made)
    }
}

/// Whether two runs make the same of the same commits.
fn is_made_alike(one: &Run, other: &Run) -> bool {
    let heads = |run: &Run| -> Vec<_> { run.members.iter().map(|member| member.head).collect() };
    one.squash == other.squash && heads(one) == heads(other)
}
