//! The check runs of a tested commit, as GitHub lists them.

use std::collections::BTreeSet;

use super::repo::Repo;
use crate::github::{self, ApiError, Value};
use paprq_core::ids::CommitId;
use paprq_core::queue::event::Event;
use paprq_core::queue::reports::{CheckRunSeen, CheckRunVerdict};

/// Reads the check runs of a commit, as far as their names are waited for.
///
/// # Errors
/// If GitHub does not show them.
pub(super) async fn read(repo: &Repo, commit: CommitId, value: Value) -> Result<Event, ApiError> {
    let shared = repo.shared();
    let api = shared.tests.api(&shared.api).at(value);
    let all = api.check_runs(commit).await?;
    let found: Vec<_> = all
        .iter()
        .filter(|seen| shared.rules.awaits_check_run(&seen.name))
        .cloned()
        .collect();
    let completed_suites = completed_suites(&api, commit, &all, &found).await?;
    Ok(Event::CheckRunsRead {
        commit,
        found,
        completed_suites,
    })
}

/// Which check suites are completed, where that matters: something was skipped. A check suite may have
/// none but completed check runs before its last one is made, so GitHub is asked for its own word; a
/// server that has none is taken by its check runs.
async fn completed_suites(
    api: &github::Repo,
    commit: CommitId,
    all: &[CheckRunSeen],
    found: &[CheckRunSeen],
) -> Result<Vec<u64>, ApiError> {
    let skipped = found
        .iter()
        .filter(|seen| seen.verdict == CheckRunVerdict::Skipped);
    let skipped: BTreeSet<_> = skipped.map(|seen| seen.attempt.suite).collect();
    if skipped.is_empty() {
        return Ok(Vec::new());
    }
    let completed = match api.completed_check_suites(commit).await {
        Ok(completed) => completed,
        Err(ApiError::Gone | ApiError::Rejected { .. }) => {
            let has_ended = |suite: &u64| {
                let mut runs = all.iter().filter(|seen| seen.attempt.suite == *suite);
                runs.all(|seen| seen.verdict != CheckRunVerdict::Pending)
            };
            skipped.iter().copied().filter(has_ended).collect()
        }
        Err(error) => return Err(error),
    };
    Ok(completed
        .into_iter()
        .filter(|suite| skipped.contains(suite))
        .collect())
}
