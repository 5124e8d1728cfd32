//! A pull request test beside its merge: what both run, the merge decides.
//!
//! Once the suites of a merge have begun, the same suites of the pull request test are superseded. The
//! jobs stop them where the merge would have to wait for their worker; here their checks take over
//! what the merge's come to. One whose merge ends without a result goes on as before.

use super::Queue;
use super::effect::Effect;
use super::note::{StatusNote, SuiteProgress};
use super::pull_test::PullTestStage;
use super::run::{Check, CheckState, Member, Origin, Purpose, RunCheck};
use super::step::Step;
use crate::ids::RunId;

impl Queue {
    /// Says on the heads of a merge's members which suites of their pull request tests are superseded.
    pub(super) fn supersede(&self, merge: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&merge) else {
            return;
        };
        if run.purpose != Purpose::Land {
            return;
        }
        let began = |check: &&RunCheck| check.state.is_open();
        for member in &run.members {
            for check in run.checks.iter().filter(began) {
                if let Check::Suite(context) = &check.check {
                    self.announce_superseded(member, context, step);
                }
            }
        }
    }

    fn announce_superseded(&self, member: &Member, context: &str, step: &mut Step) {
        let own = self
            .pull_test_run_of(member)
            .and_then(|id| self.runs.get(&id));
        let Some(own) = own.filter(|own| has_open(&own.checks, context)) else {
            return;
        };
        let note = StatusNote::Suite {
            context: context.to_owned(),
            progress: SuiteProgress::Superseded,
            url: String::new(),
            run: own.brief(),
        };
        step.set_status(member.head, note);
    }

    /// A suite of a merge has come to this: the same one of its members' pull request tests is settled by it,
    /// unless that has ended before. A failure is a member's own only where there is no other.
    pub(super) fn settle_superseded(&mut self, merge: RunId, context: &str, step: &mut Step) {
        let Some(run) = self.runs.get(&merge) else {
            return;
        };
        let suite = Check::Suite(context.to_owned());
        let state = run.checks.iter().find(|check| check.check == suite);
        let Some(state) = state.map(|check| check.state.clone()) else {
            return;
        };
        let is_sure = match state {
            CheckState::Passed { .. } => true,
            CheckState::Failed { .. } => run.members.len() == 1,
            CheckState::Waiting | CheckState::Running { .. } | CheckState::Cancelled => false,
        };
        if run.purpose != Purpose::Land || !is_sure {
            return;
        }
        for member in run.members.clone() {
            if let Some(own) = self.pull_test_run_of(&member) {
                self.settle_own(own, &suite, &state, step);
            }
        }
    }

    fn settle_own(&mut self, own: RunId, suite: &Check, state: &CheckState, step: &mut Step) {
        let Check::Suite(context) = suite else {
            return;
        };
        let Some(run) = self.live_run(own) else {
            return;
        };
        let mut checks = run.checks.iter_mut();
        let check = checks.find(|check| check.check == *suite && check.state.is_open());
        let Some(check) = check else {
            return;
        };
        check.state = state.clone();
        check.origin = Origin::Merge;
        step.order(Effect::CancelSuites {
            run: own,
            contexts: vec![context.clone()],
        });
        self.show_settled(own, context, step);
        self.decide(own, step);
    }

    /// The run of a member's pull request test, if that is of the commit that is merged.
    fn pull_test_run_of(&self, member: &Member) -> Option<RunId> {
        let pull = self.pulls.get(&member.pull)?;
        let PullTestStage::Running { run } = pull.own.stage else {
            return None;
        };
        let own = self.runs.get(&run)?.members.first()?;
        (own.head == member.head).then_some(run)
    }
}

fn has_open(checks: &[RunCheck], context: &str) -> bool {
    let suite = |check: &&RunCheck| matches!(&check.check, Check::Suite(own) if own == context);
    checks
        .iter()
        .filter(suite)
        .any(|check| check.state.is_open())
}
