//! Going on with a test that another queue began: what it merged is looked at before its checks
//! may decide anything.

use super::Queue;
use super::effect::{Effect, History};
use super::event::MergeFound;
use super::imported::{
    ImportedTest, Landing, Left, Part, Resumption, Takeover, Turnover, onto_the_unknown,
};
use super::note::Obstacle;
use super::pull::{Approval, Squash, Stage};
use super::rules::Fixups;
use super::run::{
    Check, CheckState, Ending, Member, Origin, Phase, Preparation, Purpose, Run, RunCheck, Scope,
    Weight,
};
use super::step::Step;
use crate::ids::{CommitId, RunId};

impl Takeover {
    /// Goes on with a test of the other queue, where it can still end as one of ours would.
    pub(super) fn resume(
        &mut self,
        test: &ImportedTest,
        resumption: &Resumption,
        turnover: Turnover,
    ) -> Result<(), Left> {
        let approval = self.approval_of(test.purpose)?.cloned();
        let merge = self.resumable(test, resumption, turnover)?;
        let (purpose, facts, id) = (test.purpose, &self.pull.facts, turnover.run);
        let member = Member {
            pull: facts.number,
            head: facts.head,
            approver: approval.as_ref().map(|approval| approval.approver.clone()),
            said_by: approval.map(|approval| approval.said_by),
        };
        let (base, commit) = (facts.base.clone(), merge);
        let phase = Phase::Testing {
            merge: onto_the_unknown(commit),
            awaits: vec![Preparation::ReadMerge],
            deadline: resumption.deadline,
        };
        self.orders.push(Effect::ReadMerge {
            run: id,
            commit,
            base: base.clone(),
        });
        self.run = Some(Run {
            members: vec![member],
            squash: self.pull.squash.value,
            chooser: test.chooser.clone(),
            checks: checks(&resumption.awaited, &test.checks),
            ..Run::new(id, purpose, base, turnover.until, phase)
        });
        self.pull.last_run = Some(id);
        self.pull.stage = Stage::Running { run: id, purpose };
        self.taken.insert(Part::Running);
        Ok(())
    }

    /// The approval under which a test goes on, if it takes one.
    fn approval_of(&self, purpose: Purpose) -> Result<Option<&Approval>, Left> {
        match (purpose, self.pull.standing_approval()) {
            (Purpose::Land, Some(approval)) => Ok(Some(approval)),
            (Purpose::Land, None) => Err(Left::NotApproved),
            (Purpose::Try | Purpose::Pull | Purpose::Branch, Some(_)) => Err(Left::Approved),
            (Purpose::Try | Purpose::Pull | Purpose::Branch, None) => Ok(None),
        }
    }

    /// The commit whose test can be gone on with.
    fn resumable(
        &self,
        test: &ImportedTest,
        resumption: &Resumption,
        turnover: Turnover,
    ) -> Result<CommitId, Left> {
        if test.purpose == Purpose::Land && turnover.landing == Landing::Taken {
            return Err(Left::Another);
        }
        if resumption.awaited.is_empty() {
            return Err(Left::NoCheck);
        }
        test.merge.ok_or(Left::NoCommit)
    }
}

/// What is waited for, with the results so far.
fn checks(awaited: &[Check], results: &[RunCheck]) -> Vec<RunCheck> {
    let checks = awaited.iter().map(|check| {
        // A check run may have another name in tries, but only one label.
        let name = check.name();
        let result = results.iter().find(|result| result.check.name() == name);
        let state = result.map(|result| &result.state);
        RunCheck {
            check: check.clone(),
            weight: Weight::Decides,
            state: match state {
                Some(ended @ (CheckState::Passed { .. } | CheckState::Failed { .. })) => {
                    ended.clone()
                }
                Some(CheckState::Waiting | CheckState::Running { .. } | CheckState::Cancelled)
                | None => CheckState::Waiting,
            },
            origin: Origin::Own,
            reports: Vec::new(),
        }
    });
    checks.collect()
}

impl Queue {
    /// It is known what another queue merged. Where that is not what is to be tested, it is merged
    /// and tested again.
    pub(super) fn take_up_merge(&mut self, id: RunId, found: Option<&MergeFound>, step: &mut Step) {
        let Some(run) = self.runs.get(&id).filter(|run| awaits_merge(run)) else {
            return;
        };
        match found.filter(|found| self.is_of_members(run, found)) {
            Some(found) => self.go_on(id, found, step),
            None => self.begin_again(id, step),
        }
    }

    /// Whether a merge holds the commits that were approved. Where commits were written anew before
    /// they were merged, it does not show that: there the other queue's word counts.
    fn is_of_members(&self, run: &Run, found: &MergeFound) -> bool {
        let rules = &self.rules;
        let shows = rules.history == History::Merged
            && rules.fixups == Fixups::Keep
            && run.squash == Squash::No;
        let heads = run.members.iter().map(|member| member.head);
        !shows || heads.eq(found.merged.iter().copied())
    }

    fn go_on(&mut self, id: RunId, found: &MergeFound, step: &mut Step) {
        let reads_suites = self.rules.suites.is_some();
        let Some(run) = self.live_run(id) else {
            return;
        };
        let Phase::Testing { merge, awaits, .. } = &mut run.phase else {
            return;
        };
        awaits.clear();
        merge.base_tip = found.base_tip.unwrap_or(merge.base_tip);
        let commit = merge.merge;
        if reads_suites {
            let (run, since) = (id, found.base_tip);
            step.order(Effect::ReadSuites { run, commit, since });
            self.await_preparations(id, vec![Preparation::ReadSuites], step);
        } else {
            self.await_preparations(id, Vec::new(), step);
            self.require_checks(id, Obstacle::NothingConfigured, step);
            self.decide(id, step);
        }
    }

    /// The pull keeps its approval or its try.
    fn begin_again(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let (purpose, chooser) = (run.purpose, run.chooser.clone());
        let members = run.members.clone();
        self.close_run(id, Ending::Cancelled, step);
        for member in members.iter().filter(|_| purpose == Purpose::Try) {
            let (chooser, scope) = (chooser.clone(), Scope::Usual);
            self.set_stage(member.pull, Stage::TryWanted { chooser, scope });
        }
    }
}

fn awaits_merge(run: &Run) -> bool {
    matches!(&run.phase, Phase::Testing { awaits, .. } if awaits.contains(&Preparation::ReadMerge))
}
