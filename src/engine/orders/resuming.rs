//! Reading what another queue merged, whose test a run goes on with.

use super::super::repo::Repo;
use super::Done;
use super::trouble::Trouble;
use crate::git::Fetch;
use paprq_core::ids::{BranchName, CommitId, RunId};
use paprq_core::queue::event::{Event, MergeFound};

/// Finds out what a commit was merged from. That it is gone is an answer, too.
pub(super) async fn read(
    repo: &Repo,
    run: RunId,
    commit: CommitId,
    base: &BranchName,
) -> Result<Done, Trouble> {
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    let found = if repo.has_mirror() {
        in_mirror(repo, run, commit, base).await
    } else {
        on_github(repo, commit).await
    };
    let found = match found {
        Ok(found) => Some(found),
        Err(Trouble::Refused(_)) => None,
        Err(passing @ Trouble::Passing(_)) => return Err(passing),
    };
    if found.is_none() {
        tracing::warn!(
            repo.label = %repo.label(), run.id = %run, %commit,
            "a merge that another queue was testing cannot be read; the pull is merged again"
        );
    }
    Ok(Done::answered(Event::MergeRead { run, found }))
}

async fn in_mirror(
    repo: &Repo,
    run: RunId,
    commit: CommitId,
    base: &BranchName,
) -> Result<MergeFound, Trouble> {
    let mirror = repo.mirror();
    mirror.fetch_commit(commit).await?;
    mirror.pin(run, commit)?;
    let parents = mirror.parents(commit)?;
    if parents.len() > 1 {
        return Ok(found(&parents));
    }
    // Its commits were rebased: where that began is where it leaves the base branch.
    mirror.fetch(Fetch::Branch(base.clone())).await?;
    let base_tip = match mirror.tip(base)? {
        Some(tip) => mirror.merge_base(tip, commit)?,
        None => None,
    };
    Ok(MergeFound {
        base_tip,
        merged: Vec::new(),
    })
}

async fn on_github(repo: &Repo, commit: CommitId) -> Result<MergeFound, Trouble> {
    let parents = repo.shared().api.parents(commit).await?;
    Ok(found(&parents))
}

fn found(parents: &[CommitId]) -> MergeFound {
    let mut parents = parents.iter().copied();
    MergeFound {
        base_tip: parents.next(),
        merged: parents.collect(),
    }
}
