//! What a run waits for beside its suites, and what is heard of it: commit statuses, check runs
//! and builds of Buildbot.

use super::Queue;
use super::effect::Effect;
use super::note::{Link, Obstacle};
use super::reports::{self, CheckRunSeen, Report, Taken};
use super::rules::{CheckRunRule, Rules};
use super::run::{
    Check, CheckState, Origin, Phase, Purpose, Rereading, Run, RunCheck, Scope, Weight,
};
use super::step::Step;
use crate::ids::{CommitId, RunId, is_same_name};

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
            .map(|check| {
                let state = self.earlier_pass(run, merge, &check);
                RunCheck::new(check, Weight::Decides, state, Origin::Own)
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

    /// Takes over what was heard of a check of a commit.
    pub(super) fn hear(
        &mut self,
        commit: CommitId,
        ours: &dyn Fn(&Check) -> bool,
        news: &Report,
        step: &mut Step,
    ) {
        let runs: Vec<_> = self.testing(commit).collect();
        for id in runs {
            let changed = self.change_checks(id, |check| {
                let is_late = news.is_vague() && !check.state.is_open();
                ours(&check.check) && !is_late && reports::take(&mut check.reports, news)
            });
            if changed == Changed::Yes {
                self.reopen_suite(id, news);
                self.decide(id, step);
            }
        }
    }

    /// Lets a run's checks take over reports; how those that do so stand follows.
    fn change_checks(&mut self, id: RunId, mut take: impl FnMut(&mut RunCheck) -> bool) -> Changed {
        let rules = &self.rules.check_runs;
        let Some(run) = self.runs.get_mut(&id) else {
            return Changed::No;
        };
        let mut changed = Changed::No;
        for check in &mut run.checks {
            if take(check) {
                let rule = rules.iter().find(|rule| check.check.is_of(rule));
                check.state = reports::state(&check.reports, rule, &run.completed_suites);
                changed = Changed::Yes;
            }
        }
        if changed == Changed::Yes {
            self.touched.runs.insert(id);
        }
        changed
    }

    /// A check suite of which something runs again is not completed.
    fn reopen_suite(&mut self, id: RunId, news: &Report) {
        if let Some(suite) = news.suite().filter(|_| !news.is_final())
            && let Some(run) = self.live_run(id)
        {
            run.completed_suites.retain(|completed| *completed != suite);
        }
    }

    /// Every check run of a check suite is completed: where one of them was skipped, no other of its
    /// name comes any more.
    pub(super) fn note_completed_suite(&mut self, commit: CommitId, suite: u64, step: &mut Step) {
        let runs: Vec<_> = self.testing(commit).collect();
        for id in runs {
            let Some(run) = self.live_run(id) else {
                continue;
            };
            if run.completed_suites.contains(&suite) {
                continue;
            }
            run.completed_suites.push(suite);
            let is_of_suite = |report: &Report| report.suite() == Some(suite);
            self.change_checks(id, |check| check.reports.iter().any(is_of_suite));
            self.decide(id, step);
        }
    }

    /// The check runs of a commit are known as GitHub has them: what passes by that has passed.
    pub(super) fn take_check_runs(
        &mut self,
        commit: CommitId,
        found: &[CheckRunSeen],
        completed_suites: &[u64],
        step: &mut Step,
    ) {
        let runs: Vec<_> = self.testing(commit).collect();
        for id in runs {
            let Some(run) = self.live_run(id) else {
                continue;
            };
            run.rereading = Rereading::Idle;
            run.completed_suites = completed_suites.to_vec();
            let mut taken = Taken::Whole;
            self.change_checks(id, |check| {
                let Check::CheckRun { name, .. } = &check.check else {
                    return false;
                };
                let list = found.iter().filter(|seen| is_same_name(&seen.name, name));
                if reports::take_list(&mut check.reports, list) == Taken::Doubtful {
                    taken = Taken::Doubtful;
                }
                !check.reports.is_empty()
            });
            match taken {
                Taken::Doubtful => self.reread_check_runs(id, step),
                Taken::Whole => self.decide_for_good(id, step),
            }
        }
    }

    /// Reads the check runs of a run's commit from GitHub, unless that is under way.
    pub(super) fn reread_check_runs(&mut self, id: RunId, step: &mut Step) {
        let Some(run) = self.live_run(id) else {
            return;
        };
        if let Some(merge) = run.merge()
            && run.rereading == Rereading::Idle
        {
            run.rereading = Rereading::UnderWay;
            step.order(Effect::ReadCheckRuns {
                run: id,
                commit: merge.merge,
            });
        }
    }

    /// GitHub does not show the check runs on which a run's end depends.
    pub(super) fn end_unread(&mut self, id: RunId, why: String, step: &mut Step) {
        let is_awaited = self
            .runs
            .get(&id)
            .is_some_and(|run| run.rereading == Rereading::UnderWay);
        if is_awaited {
            self.end_broken(id, Obstacle::ChecksUnread(why), step);
        }
    }
}

/// Whether anything did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Changed {
    Yes,
    No,
}

impl Check {
    pub(super) fn is_status(&self, named: &str) -> bool {
        matches!(self, Self::Status { context, .. } if is_same_name(context, named))
    }

    pub(super) fn is_check_run(&self, named: &str) -> bool {
        matches!(self, Self::CheckRun { name, .. } if is_same_name(name, named))
    }

    pub(super) fn is_build(&self, named: &str) -> bool {
        matches!(self, Self::Build(builder) if builder == named)
    }

    fn is_of(&self, rule: &CheckRunRule) -> bool {
        matches!(self, Self::CheckRun { label, .. } if *label == rule.label)
    }
}
