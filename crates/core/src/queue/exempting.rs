//! Landing without a test what is known to be green (homu: `status_based_exemption`).

use super::Queue;
use super::effect::{Effect, ExemptionQuestion};
use super::note::Exemption;
use super::rules::ExemptionRule;
use super::run::{CheckState, Phase, Preparation, Purpose, Run};
use super::step::Step;
use crate::ids::RunId;

impl Queue {
    /// What must be asked before a run's commit is tested; `None` if it is tested in any case.
    pub(super) fn exemption_question(&self, id: RunId) -> Option<Effect> {
        let run = self.runs.get(&id).filter(|run| self.may_be_exempt(run))?;
        let (merge, member) = (run.merge()?, run.members.first()?);
        let statuses = self.rules.statuses.iter();
        Some(Effect::JudgeExemption(ExemptionQuestion {
            run: id,
            base_tip: merge.base_tip,
            merge: merge.merge,
            pull: member.pull,
            head: member.head,
            contexts: statuses.map(|rule| rule.pr_context.clone()).collect(),
        }))
    }

    /// Only commit statuses are known of commits that were not pushed for a test.
    fn may_be_exempt(&self, run: &Run) -> bool {
        let rules = &self.rules;
        rules.exemption == ExemptionRule::ByStatuses
            && run.purpose == Purpose::Land
            && run.repeats.is_none()
            && run.members.len() == 1
            && rules.suites.is_none()
            && rules.check_runs.is_empty()
            && rules.buildbot.is_none()
            && !rules.statuses.is_empty()
    }

    /// It is known whether a run's commit needs a test.
    pub(super) fn take_exemption(
        &mut self,
        id: RunId,
        exemption: Option<Exemption>,
        step: &mut Step,
    ) {
        let waits = self.runs.get(&id).is_some_and(|run| match &run.phase {
            Phase::Testing { awaits, .. } => awaits.contains(&Preparation::JudgeExemption),
            Phase::Merging { .. } | Phase::Landing { .. } | Phase::Done { .. } => false,
        });
        if !waits {
            return;
        }
        match exemption {
            Some(exemption) => self.exempt(id, exemption, step),
            None => self.set_up_test(id, step),
        }
    }

    /// What was green elsewhere counts for the run's commit. That must be on GitHub to land, but
    /// on a branch that nobody tests.
    fn exempt(&mut self, id: RunId, exemption: Exemption, step: &mut Step) {
        let branch = self.rules.temporary_branch.clone();
        let Some(run) = self.live_run(id) else {
            return;
        };
        let Some(merge) = run.merge() else {
            return;
        };
        run.exemption = Some(exemption);
        for check in &mut run.checks {
            check.state = CheckState::Passed { url: String::new() };
        }
        step.order(Effect::PublishMerge {
            run: id,
            commit: merge.merge,
            branch,
        });
        self.await_preparations(id, vec![Preparation::Publish], step);
    }
}
