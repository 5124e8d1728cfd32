//! What external checks say: commit statuses and check runs.

use super::Queue;
use super::event::Verdict;
use super::run::{Check, CheckState, Phase};
use super::turn::Turn;
use crate::ids::{CommitId, RunId};

impl Queue {
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
