//! Tests of branches that somebody pushed to: runs of kind `branch`.

use super::Queue;
use super::effect::Effect;
use super::rules::Merging;
use super::run::{CheckState, Origin, Phase, Preparation, Purpose, Run, TestMerge};
use super::step::Step;
use crate::ids::{BranchName, CommitId, RunId};

impl Queue {
    /// A branch is at another tip than was tested: its suites are read. Which of them name the
    /// branch, the file of that tip says.
    pub(super) fn test_branch_at(&mut self, branch: &BranchName, from: TestMerge, step: &mut Step) {
        if !self.tests_branch(branch) {
            return;
        }
        if self.state.tips.get(branch) == Some(&from.merge) {
            return;
        }
        self.touched.state = true;
        if from.merge == CommitId::ZERO {
            self.state.tips.remove(branch);
        } else {
            self.state.tips.insert(branch.clone(), from.merge);
        }
        self.stop_unbegun(branch, step);
        if from.merge != CommitId::ZERO {
            self.start_branch_test(branch, from, step);
        }
    }

    /// A base branch was found at this tip: of the push that brought it there nothing was heard.
    pub(super) fn see_tip(&mut self, branch: &BranchName, tip: CommitId, step: &mut Step) {
        match self.state.tips.get(branch) {
            Some(known) if *known != tip => {
                let (base_tip, merge) = (*known, tip);
                self.test_branch_at(branch, TestMerge { base_tip, merge }, step);
            }
            Some(_) => {}
            // It was there before us.
            None if self.rules.suites.is_some() && tip != CommitId::ZERO => {
                self.state.tips.insert(branch.clone(), tip);
                self.touched.state = true;
            }
            None => {}
        }
    }

    /// Whether pushes to a branch are tested, if its own file of suites says so.
    pub fn tests_branch(&self, branch: &BranchName) -> bool {
        self.rules.suites.is_some() && !self.is_of_ours(branch)
    }

    /// Whether a branch holds merges that we make, and not what people push.
    pub(super) fn is_of_ours(&self, branch: &BranchName) -> bool {
        let rules = &self.rules;
        let of_choosers = format!("{}-", rules.try_branch);
        let is_merge_branch = *branch == rules.auto_branch
            || *branch == rules.try_branch
            || *branch == rules.temporary_branch
            || branch
                .as_str()
                .strip_prefix(&of_choosers)
                .is_some_and(|chooser| self.has_chooser(chooser));
        rules.merging != Merging::Off && is_merge_branch
    }

    fn start_branch_test(&mut self, branch: &BranchName, at: TestMerge, step: &mut Step) {
        let phase = Phase::Testing {
            merge: at,
            awaits: vec![Preparation::ReadSuites],
            deadline: step.now.plus_s(self.rules.setup_timeout_s),
        };
        let (id, base) = (self.state.last_run.next(), branch.clone());
        let run = Run::new(id, Purpose::Branch, base, step.now, phase);
        step.order(Effect::ReadSuites {
            run: run.id,
            commit: at.merge,
            since: Some(at.base_tip).filter(|tip| *tip != CommitId::ZERO),
        });
        self.add_run(run);
    }

    /// Stops the tests of a branch's older tips that no worker has begun: a branch that moves often
    /// is still tested now and then.
    fn stop_unbegun(&mut self, branch: &BranchName, step: &mut Step) {
        let unbegun: Vec<RunId> = self
            .runs_in_flight()
            .filter(|run| run.purpose == Purpose::Branch && run.base == *branch)
            .filter(|run| !has_begun(run))
            .map(|run| run.id)
            .collect();
        for run in unbegun {
            self.cancel(run, step);
        }
    }
}

fn has_begun(run: &Run) -> bool {
    run.checks.iter().any(|check| match check.state {
        CheckState::Waiting | CheckState::Cancelled => false,
        CheckState::Running { .. } => true,
        CheckState::Passed { .. } | CheckState::Failed { .. } => check.origin == Origin::Own,
    })
}
