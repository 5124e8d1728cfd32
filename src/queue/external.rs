//! What a run waits for beside its suites, and what is heard of it: commit statuses, check runs
//! and builds of Buildbot.

use super::Queue;
use super::event::{BuildVerdict, Verdict};
use super::note::{Link, Purpose};
use super::rules::Rules;
use super::run::{Check, CheckState, Origin, Phase, Run, RunCheck, Scope, Weight};
use super::turn::Turn;
use crate::ids::{CommitId, RunId};

impl Rules {
    /// What a run waits for beside its suites.
    pub fn awaited(&self, purpose: Purpose, chooser: Option<&str>) -> Vec<Check> {
        if matches!(purpose, Purpose::Branch | Purpose::Pull) {
            return Vec::new();
        }
        let statuses = self.statuses.iter();
        let statuses = statuses
            .filter(|rule| rule.in_tries || purpose == Purpose::Land)
            .map(|rule| Check::Status {
                label: rule.label.clone(),
                context: rule.context.clone(),
            });
        let check_runs = self.check_runs.iter().map(|rule| Check::CheckRun {
            label: rule.label.clone(),
            name: match (purpose, &rule.try_name) {
                (Purpose::Try, Some(name)) => name.clone(),
                (Purpose::Try, None) | (Purpose::Land | Purpose::Branch | Purpose::Pull, _) => {
                    rule.name.clone()
                }
            },
        });
        let builds = self.builders(purpose, chooser).iter().cloned();
        statuses
            .chain(check_runs)
            .chain(builds.map(Check::Build))
            .filter(|check| self.chooses(chooser, check))
            .collect()
    }

    /// The builders of Buildbot that a run waits for.
    fn builders(&self, purpose: Purpose, chooser: Option<&str>) -> &[String] {
        let Some(buildbot) = &self.buildbot else {
            return &[];
        };
        match (purpose, chooser) {
            (Purpose::Land, _) => &buildbot.builders,
            (Purpose::Try, Some(chooser)) => match buildbot.choosers.get(chooser) {
                Some(chosen) => chosen,
                None => &buildbot.try_builders,
            },
            (Purpose::Try, None) => &buildbot.try_builders,
            (Purpose::Branch | Purpose::Pull, _) => &[],
        }
    }

    /// Whether a check is among those that a chooser names, if it names any.
    fn chooses(&self, chooser: Option<&str>, check: &Check) -> bool {
        let chosen = chooser.and_then(|chooser| self.choosers.get(chooser));
        chosen.is_none_or(|names| names.is_empty() || names.contains(&check.name()))
    }
}

impl Queue {
    /// What a run waits for beside its suites, as far as an earlier run has not answered for the
    /// same commit.
    pub(super) fn external_checks(&self, run: &Run, merge: CommitId) -> Vec<RunCheck> {
        self.rules
            .awaited(run.purpose, run.chooser.as_deref())
            .into_iter()
            .map(|check| RunCheck {
                state: self.earlier_pass(run, merge, &check),
                check,
                weight: Weight::Decides,
                origin: Origin::Own,
            })
            .collect()
    }

    /// Whether a check is among those that the run's chooser names, if it names any.
    pub(super) fn is_chosen(&self, run: &Run, check: &Check) -> bool {
        self.rules.chooses(run.chooser.as_deref(), check)
    }

    /// What must be built again by Buildbot, on a commit that it built before; nothing where it does
    /// not know all of it: then that commit must be pushed to be built.
    pub(super) fn builds_to_repeat(&self, run: &Run) -> Vec<Link> {
        let earlier = run.repeats.and_then(|id| self.runs.get(&id));
        let Some(earlier) = earlier.filter(|earlier| earlier.merge() == run.merge()) else {
            return Vec::new();
        };
        let open = run.checks.iter().filter(|check| check.state.is_open());
        let builds = open.filter(|check| matches!(check.check, Check::Build(_)));
        let pages: Option<Vec<_>> = builds
            .map(|build| earlier.build_page(&build.check))
            .collect();
        pages.unwrap_or_default()
    }

    /// What the run that this one repeats says of a check, if it passed there on this very commit.
    pub(super) fn earlier_pass(&self, run: &Run, merge: CommitId, check: &Check) -> CheckState {
        run.repeats
            .filter(|_| run.scope != Scope::Afresh)
            .and_then(|id| self.runs.get(&id))
            .filter(|earlier| earlier.merge().is_some_and(|made| made.merge == merge))
            .and_then(|earlier| earlier.checks.iter().find(|known| known.check == *check))
            .map(|known| known.state.clone())
            .filter(|state| matches!(state, CheckState::Passed { .. }))
            .unwrap_or(CheckState::Waiting)
    }

    /// Whether a run in flight tests this commit.
    pub fn tests_commit(&self, commit: CommitId) -> bool {
        self.testing(commit).next().is_some()
    }

    fn testing(&self, commit: CommitId) -> impl Iterator<Item = RunId> + '_ {
        self.runs.values().filter_map(move |run| match &run.phase {
            Phase::Testing { merge, .. } if merge.merge == commit => Some(run.id),
            Phase::Merging { .. }
            | Phase::Testing { .. }
            | Phase::Landing { .. }
            | Phase::Done { .. } => None,
        })
    }

    pub(super) fn hear_status(
        &mut self,
        commit: CommitId,
        context: &str,
        state: CheckState,
        turn: &mut Turn,
    ) {
        let ours = |check: &Check| matches!(check, Check::Status { context: known, .. } if known == context);
        self.hear(commit, ours, &state, turn);
    }

    pub(super) fn hear_check_run(
        &mut self,
        commit: CommitId,
        name: &str,
        state: CheckState,
        turn: &mut Turn,
    ) {
        let ours =
            |check: &Check| matches!(check, Check::CheckRun { name: known, .. } if known == name);
        self.hear(commit, ours, &state, turn);
    }

    pub(super) fn hear_build(
        &mut self,
        commit: CommitId,
        builder: &str,
        state: CheckState,
        turn: &mut Turn,
    ) {
        let ours = |check: &Check| matches!(check, Check::Build(known) if known == builder);
        self.hear(commit, ours, &state, turn);
    }

    /// Takes over an answer. One that is final stays: a late `pending` does not undo it.
    fn hear(
        &mut self,
        commit: CommitId,
        ours: impl Fn(&Check) -> bool,
        state: &CheckState,
        turn: &mut Turn,
    ) {
        let runs: Vec<_> = self.testing(commit).collect();
        for id in runs {
            let Some(run) = self.live_run(id) else {
                continue;
            };
            let open = run
                .checks
                .iter_mut()
                .filter(|check| ours(&check.check) && check.state.is_open())
                .filter(|check| check.state != *state);
            let mut heard = 0;
            for check in open {
                check.state = state.clone();
                heard += 1;
            }
            if heard > 0 {
                self.decide(id, turn);
            }
        }
    }
}

/// How a check stands that said this.
pub(super) fn state(verdict: Verdict, url: Option<String>) -> CheckState {
    let url = url.unwrap_or_default();
    match verdict {
        Verdict::Pending => CheckState::Running { url },
        Verdict::Passed => CheckState::Passed { url },
        Verdict::Failed => CheckState::Failed { url, verdict: None },
    }
}

/// How a build stands that said this.
pub(super) fn build_state(verdict: BuildVerdict, url: String) -> CheckState {
    match verdict {
        BuildVerdict::Running => CheckState::Running { url },
        BuildVerdict::Passed => CheckState::Passed { url },
        BuildVerdict::Failed | BuildVerdict::Interrupted => {
            CheckState::Failed { url, verdict: None }
        }
    }
}
