//! Finding out whether a run's commit is as good as tested (homu:
//! `status_based_exemption`).

use super::super::repo::Repo;
use super::Done;
use super::trouble::Trouble;
use crate::git::{Fetch, GitError, RemoteRef};
use crate::github::{ApiError, Value};
use paprq_core::ids::{CommitId, is_same_name};
use paprq_core::queue::effect::ExemptionQuestion;
use paprq_core::queue::event::{Event, Verdict};
use paprq_core::queue::note::Exemption;

/// Looks whether the pull's head, or GitHub's own merge of it, is green and has the same content.
pub(super) async fn judge(repo: &Repo, asked: &ExemptionQuestion) -> Result<Done, Trouble> {
    let run = asked.run;
    let exemption = if is_exempt_by_head(repo, asked).await? {
        Some(Exemption::HeadIsGreen)
    } else if is_exempt_by_test_merge(repo, asked).await? {
        Some(Exemption::TestMergeIsGreen)
    } else {
        None
    };
    Ok(Done::answered(Event::ExemptionJudged { run, exemption }))
}

async fn is_exempt_by_head(repo: &Repo, asked: &ExemptionQuestion) -> Result<bool, Trouble> {
    let (base_tip, head) = (asked.base_tip, asked.head);
    let is_up_to_date = repo.has_mirror() && repo.mirror().is_ancestor(base_tip, head).await?;
    Ok(is_up_to_date && is_green(repo, head, &asked.contexts).await?)
}

async fn is_exempt_by_test_merge(repo: &Repo, asked: &ExemptionQuestion) -> Result<bool, Trouble> {
    let Some(test_merge) = test_merge(repo, asked).await? else {
        return Ok(false);
    };
    is_green(repo, test_merge, &asked.contexts).await
}

/// GitHub's own merge of the pull, if it merges the same commits into the same content.
async fn test_merge(repo: &Repo, asked: &ExemptionQuestion) -> Result<Option<CommitId>, Trouble> {
    if !repo.has_mirror() {
        return Ok(None);
    }
    let mirror = repo.mirror();
    let wanted = RemoteRef::Merge(asked.pull);
    match mirror.fetch(Fetch::Refs(vec![wanted])).await {
        Ok(()) => {}
        Err(GitError::Gone(_) | GitError::Missing(_) | GitError::Rejected(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let Some(found) = mirror.pull_merge(asked.pull)? else {
        return Ok(None);
    };
    let parents = mirror.parents(found)?;
    let is_same = parents == [asked.base_tip, asked.head]
        && mirror.tree_of(found)? == mirror.tree_of(asked.merge)?;
    Ok(is_same.then_some(found))
}

async fn is_green(repo: &Repo, commit: CommitId, contexts: &[String]) -> Result<bool, Trouble> {
    let statuses = match repo.shared().api.at(Value::Awaited).statuses(commit).await {
        Ok(statuses) => statuses,
        Err(ApiError::Gone | ApiError::Rejected { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    Ok(contexts.iter().all(|wanted| {
        statuses.iter().any(|status| {
            matches!(status, Event::StatusReported { context, verdict: Verdict::Passed, .. }
                if is_same_name(context, wanted))
        })
    }))
}
