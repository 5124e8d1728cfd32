//! Finding out whether a run's commit is as good as tested (homu-compat §4, exemption).

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::git::{Fetch, GitError, RemoteRef};
use crate::github::ApiError;
use crate::ids::{CommitId, PullNumber, RunId};
use crate::queue::event::{Event, Verdict};
use crate::queue::note::Exemption;

/// A run's commit, and the pull that it merges.
pub(super) struct Candidate<'a> {
    pub(super) run: RunId,
    pub(super) base_tip: CommitId,
    pub(super) merge: CommitId,
    pub(super) pull: PullNumber,
    pub(super) head: CommitId,
    /// The contexts of the statuses that must be green.
    pub(super) contexts: &'a [String],
}

/// Looks whether the pull's head, or GitHub's own merge of it, is green and has the same content.
pub(super) async fn judge(repo: &Repo, candidate: &Candidate<'_>) -> Result<Done, Passing> {
    let run = candidate.run;
    let exemption = if is_exempt_by_head(repo, candidate).await? {
        Some(Exemption::HeadIsGreen)
    } else if is_exempt_by_test_merge(repo, candidate).await? {
        Some(Exemption::TestMergeIsGreen)
    } else {
        None
    };
    Ok(Done::answered(Event::ExemptionJudged { run, exemption }))
}

async fn is_exempt_by_head(repo: &Repo, candidate: &Candidate<'_>) -> Result<bool, Passing> {
    let (base_tip, head) = (candidate.base_tip, candidate.head);
    let is_up_to_date = repo.has_mirror() && repo.mirror().is_ancestor(base_tip, head)?;
    Ok(is_up_to_date && is_green(repo, head, candidate.contexts).await?)
}

async fn is_exempt_by_test_merge(repo: &Repo, candidate: &Candidate<'_>) -> Result<bool, Passing> {
    let Some(test_merge) = test_merge(repo, candidate).await? else {
        return Ok(false);
    };
    is_green(repo, test_merge, candidate.contexts).await
}

/// GitHub's own merge of the pull, if it merges the same commits into the same content.
async fn test_merge(repo: &Repo, candidate: &Candidate<'_>) -> Result<Option<CommitId>, Passing> {
    if !repo.has_mirror() {
        return Ok(None);
    }
    let mirror = repo.mirror();
    let wanted = RemoteRef::Merge(candidate.pull);
    match mirror.fetch(Fetch::Refs(vec![wanted])).await {
        Ok(()) => {}
        Err(GitError::Gone(_) | GitError::Missing(_) | GitError::Rejected(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let Some(found) = mirror.pull_merge(candidate.pull)? else {
        return Ok(None);
    };
    let parents = mirror.parents(found)?;
    let is_same = parents == [candidate.base_tip, candidate.head]
        && mirror.tree_of(found)? == mirror.tree_of(candidate.merge)?;
    Ok(is_same.then_some(found))
}

async fn is_green(repo: &Repo, commit: CommitId, contexts: &[String]) -> Result<bool, Passing> {
    let statuses = match repo.shared().api.statuses(commit).await {
        Ok(statuses) => statuses,
        Err(ApiError::Gone | ApiError::Rejected { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    Ok(contexts.iter().all(|wanted| {
        statuses.iter().any(|status| {
            matches!(status, Event::StatusReported { context, verdict: Verdict::Passed, .. }
                if context == wanted)
        })
    }))
}
