//! Check runs of two apps, their re-runs, and a GitHub that refuses, lags, and does not show what is
//! there.

use super::World;
use crate::ids::{CommitId, PullNumber, RunId};
use crate::queue::event::{Event, Refusal};
use crate::queue::reports::{Attempt, CheckRunSeen, CheckRunVerdict};
use crate::queue::rules::{CheckRunRule, Counts};
use crate::queue::tests::story::seconds;

/// What runs wait for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::queue::tests) enum Waits {
    /// One status.
    Status,
    /// That, and the check runs of one name.
    CheckRuns,
}

impl Waits {
    pub(super) fn check_runs(self) -> Vec<CheckRunRule> {
        let rule = CheckRunRule {
            label: "build".to_owned(),
            name: "build".to_owned(),
            try_name: None,
            neutral: Counts::Passed,
            skipped: Counts::Passed,
        };
        match self {
            Self::Status => Vec::new(),
            Self::CheckRuns => vec![rule],
        }
    }
}

const NAME: &str = "Build";

impl World {
    /// The first app begins at once.
    pub(super) fn begin_check_runs(&mut self, commit: CommitId) {
        if self.waits == Waits::CheckRuns && !self.runs_of.contains_key(&commit) {
            self.runs_of.insert(commit, Vec::new());
            self.begin_check_run(commit, 1);
        }
    }

    fn begin_check_run(&mut self, commit: CommitId, app: u64) {
        self.now += 1;
        self.commits += 1;
        let begun = CheckRunSeen {
            name: NAME.to_owned(),
            verdict: CheckRunVerdict::Pending,
            url: None,
            attempt: Attempt {
                app,
                suite: app,
                id: self.commits,
                started_at: Some(seconds(self.now)),
                completed_at: None,
            },
        };
        let runs = self.runs_of.get_mut(&commit).unwrap();
        runs.retain(|run| run.attempt.app != app);
        runs.push(begun.clone());
        self.tell_check_run(commit, &begun);
    }

    fn tell_check_run(&mut self, commit: CommitId, run: &CheckRunSeen) {
        self.webhooks.push(Event::CheckRunReported {
            commit,
            name: run.name.clone(),
            verdict: run.verdict,
            url: None,
            attempt: Some(run.attempt),
        });
    }

    /// Something happens to a check run: it ends, another app begins, or it is run once more.
    pub(super) fn report_check_run(&mut self, which: u16) {
        let commits: Vec<_> = self.runs_of.keys().copied().collect();
        if commits.is_empty() {
            return self.report(which);
        }
        let commit = commits[usize::from(which / 16) % commits.len()];
        let runs = &self.runs_of[&commit];
        let index = usize::from(which) % runs.len();
        let (is_pending, app) = (
            runs[index].verdict == CheckRunVerdict::Pending,
            runs[index].attempt.app,
        );
        match which % 16 {
            0 if runs.len() < 2 => self.begin_check_run(commit, 2),
            1 if !is_pending => self.begin_check_run(commit, app),
            2 if !is_pending => self.restart_check_run(commit, index),
            3 => self.end_check_run(commit, index, CheckRunVerdict::Failed),
            4 => self.end_check_run(commit, index, CheckRunVerdict::Neutral),
            _ => self.end_check_run(commit, index, CheckRunVerdict::Passed),
        }
    }

    /// It runs again under its number.
    fn restart_check_run(&mut self, commit: CommitId, index: usize) {
        self.now += 1;
        let run = &mut self.runs_of.get_mut(&commit).unwrap()[index];
        run.verdict = CheckRunVerdict::Pending;
        run.attempt.started_at = Some(seconds(self.now));
        run.attempt.completed_at = None;
    }

    fn end_check_run(&mut self, commit: CommitId, index: usize, verdict: CheckRunVerdict) {
        let run = &mut self.runs_of.get_mut(&commit).unwrap()[index];
        if run.verdict != CheckRunVerdict::Pending {
            return;
        }
        self.now += 1;
        run.verdict = verdict;
        run.attempt.completed_at = Some(seconds(self.now));
        let run = run.clone();
        self.tell_check_run(commit, &run);
    }

    /// All that still runs passes.
    pub(super) fn end_check_runs(&mut self) {
        for commit in self.runs_of.keys().copied().collect::<Vec<_>>() {
            for index in 0..self.runs_of[&commit].len() {
                self.end_check_run(commit, index, CheckRunVerdict::Passed);
            }
        }
    }

    /// GitHub lists the check runs of a commit; of one in sixteen it refuses to.
    pub(super) fn listing(&mut self, run: RunId, commit: CommitId) -> Event {
        self.asked += 1;
        if self.asked.is_multiple_of(16) {
            let why = "no".to_owned();
            return Event::CheckRunsUnread { run, why };
        }
        self.listed(commit)
    }

    pub(super) fn listed(&mut self, commit: CommitId) -> Event {
        let found = self.runs_of.get(&commit).cloned().unwrap_or_default();
        let passes = |run: &CheckRunSeen| {
            matches!(
                run.verdict,
                CheckRunVerdict::Passed | CheckRunVerdict::Neutral
            )
        };
        if found.iter().all(passes) {
            self.listed_green.insert(commit);
        }
        Event::CheckRunsRead {
            commit,
            found,
            completed_suites: Vec::new(),
        }
    }

    /// Every fifth time a pull is not shown, though it is there.
    pub(super) fn reading_or_404(&mut self, pull: PullNumber) -> Event {
        self.asked += 1;
        if self.asked.is_multiple_of(5) {
            return Event::PullUnseen { pull };
        }
        self.reading(pull)
    }

    /// Every third time GitHub is late, and every eighth time it refuses for good.
    pub(super) fn refuses_to_land(&mut self, run: RunId) -> Option<Event> {
        self.asked += 1;
        let why = "no".to_owned();
        if self.asked.is_multiple_of(8) {
            let why = Refusal::Rejected(why);
            return Some(Event::LandingRefused { run, why });
        }
        let is_late = self.asked.is_multiple_of(3);
        is_late.then_some(Event::LandingDelayed { run, why })
    }
}
