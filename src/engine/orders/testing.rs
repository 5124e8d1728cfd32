//! A pull request test: its merge, and what is said on GitHub's merge of it.

use super::super::mirroring::{bring_bounded, fetch_lacking};
use super::super::outbox::Order;
use super::super::repo::Repo;
use super::joining::{Joined, Joiner};
use super::merging::{failed, is_passing};
use super::trouble::Trouble;
use super::{Done, api_for, talk};
use crate::git::{Fetch, GitError, PullHead, RemoteRef};
use paprq_core::ids::{BranchName, CommitId, PullNumber, RunId};
use paprq_core::queue::Queue;
use paprq_core::queue::effect::{MemberMerge, MergeStyle, TestMergeOrder};
use paprq_core::queue::event::{Event, MergeAttempt};
use paprq_core::queue::note::StatusNote;

/// Merges a pull's head with the tip of its base, in the mirror.
pub(super) async fn make(
    repo: &Repo,
    order: &Order,
    wanted: &TestMergeOrder,
) -> Result<Done, Trouble> {
    let run = wanted.run;
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    if !repo.has_mirror() {
        let why = "Without local_git, pulls are not tested before they are approved.";
        return Ok(failed(run, why.to_owned()));
    }
    if let Some(again) = wanted.again.filter(|again| repo.mirror().has(again.merge)) {
        return Ok(made(
            repo,
            run,
            again.base_tip,
            MergeAttempt::Merged(again.merge),
            again.merge,
        )?);
    }
    let Some(tip) = api_for(repo, order).branch_tip(&wanted.base).await? else {
        return Ok(failed(run, format!("There is no branch {}.", wanted.base)));
    };
    match merged(repo, order, wanted, tip).await {
        Ok(done) => Ok(done),
        Err(error) => Err(error.into()),
    }
}

const TOO_LARGE: &str = "The commits are more than this server fetches of a pull request that nobody \
                         trusted. A reviewer can let them be tested: comment `ok`.";

async fn merged(
    repo: &Repo,
    order: &Order,
    wanted: &TestMergeOrder,
    tip: CommitId,
) -> Result<Done, GitError> {
    let head = PullHead {
        pull: wanted.pull,
        commit: wanted.head,
    };
    match bring_bounded(repo, &wanted.base, tip, head).await {
        Err(GitError::TooLarge(what)) => {
            tracing::warn!(repo.label = %repo.label(), pull.number = %head.pull, what, "a head is not fetched");
            return Ok(failed(wanted.run, TOO_LARGE.to_owned()));
        }
        brought => brought?,
    }
    let joiner = Joiner {
        mirror: repo.mirror(),
        committer: &repo.shared().committer,
        at: order.row.ordered_at,
    };
    let member = MemberMerge {
        pull: wanted.pull,
        head: wanted.head,
        message: format!("Merge #{} into {}", wanted.pull, wanted.base),
        style: MergeStyle::default(),
    };
    let (what, commit) = match joiner.join(tip, &member).await? {
        Joined::Made(commit) => (MergeAttempt::Merged(commit), commit),
        // The base has it already: it is tested as it is.
        Joined::Nothing => (MergeAttempt::Merged(wanted.head), wanted.head),
        Joined::Conflict(_) | Joined::TooLarge | Joined::Altered(_) => {
            (MergeAttempt::Conflicted, wanted.head)
        }
    };
    made(repo, wanted.run, tip, what, commit)
}

/// The pin keeps the commit in the mirror and lets workers fetch it.
fn made(
    repo: &Repo,
    run: RunId,
    base_tip: CommitId,
    made: MergeAttempt,
    commit: CommitId,
) -> Result<Done, GitError> {
    repo.mirror().pin(run, commit)?;
    Ok(Done::answered(Event::TestMergeMade {
        run,
        base_tip,
        made,
    }))
}

/// Says on GitHub's test merge how a suite came out, if that has the content that was tested.
/// Others may take a merge for tested by that.
pub(super) async fn mark(
    repo: &Repo,
    pull: PullNumber,
    head: CommitId,
    tested: CommitId,
    note: &StatusNote,
) -> Result<Done, Trouble> {
    let is_current = |queue: &Queue| {
        let pull = queue.pull(pull).filter(|pull| pull.is_open());
        pull.is_some_and(|pull| pull.facts.head == head)
    };
    if !repo.look(is_current) {
        return Ok(Done::Quietly);
    }
    // Usually another suite's status has brought it here already.
    if let Ok(Some(merge)) = equal_merge(repo, pull, head, tested) {
        return talk::set_status(repo, merge, note).await;
    }
    let mirror = repo.mirror();
    match mirror
        .fetch(Fetch::Refs(vec![RemoteRef::Merge(pull)]))
        .await
    {
        Ok(()) => {}
        // GitHub has not made one.
        Err(GitError::Gone(_) | GitError::Missing(_) | GitError::Rejected(_)) => {
            return Ok(Done::Quietly);
        }
        Err(error) => return Err(error.into()),
    }
    match equal_merge(repo, pull, head, tested) {
        Ok(Some(merge)) => talk::set_status(repo, merge, note).await,
        Ok(None) => Ok(Done::Quietly),
        Err(error) if is_passing(&error) => Err(error.into()),
        Err(error) => {
            tracing::warn!(%pull, %error, "GitHub's test merge cannot be looked at");
            Ok(Done::Quietly)
        }
    }
}

fn equal_merge(
    repo: &Repo,
    pull: PullNumber,
    head: CommitId,
    tested: CommitId,
) -> Result<Option<CommitId>, GitError> {
    let mirror = repo.mirror();
    let Some(found) = mirror.pull_merge(pull)? else {
        return Ok(None);
    };
    let is_of_head = mirror.parents(found)?.get(1) == Some(&head);
    let is_equal = is_of_head && mirror.tree_of(found)? == mirror.tree_of(tested)?;
    Ok(is_equal.then_some(found))
}

/// Finds out whether a pull changes the file of suites. It is there to be seen and decides nothing,
/// so what cannot be found out is left.
pub(super) async fn compare(
    repo: &Repo,
    pull: PullNumber,
    base: &BranchName,
    head: CommitId,
) -> Result<Done, Trouble> {
    if !repo.has_mirror() {
        return Ok(Done::Quietly);
    }
    match changed_suites(repo, pull, base, head).await {
        Ok(changed) => Ok(Done::answered(Event::SuitesCompared {
            pull,
            head,
            changed,
        })),
        Err(error) => {
            tracing::warn!(%pull, %error, "it is not known whether a pull changes the suites");
            Ok(Done::Quietly)
        }
    }
}

async fn changed_suites(
    repo: &Repo,
    pull: PullNumber,
    base: &BranchName,
    head: CommitId,
) -> Result<Option<String>, GitError> {
    // A fetch for each of hundreds of pulls would hold up that of a merge.
    if repo.mirror().tip(base)?.is_none() {
        repo.mirror().fetch(Fetch::Branch(base.clone())).await?;
    }
    let Some(tip) = repo.mirror().tip(base)? else {
        return Ok(None);
    };
    let proposed = PullHead { pull, commit: head };
    let mirror = fetch_lacking(repo, base, tip, &[proposed]).await?;
    // Without a history in common, all of it is new.
    let fork = mirror.fork_point(tip, head).await?.unwrap_or(tip);
    for name in &repo.shared().suite_files {
        if mirror.differs(fork, head, name)? {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}
