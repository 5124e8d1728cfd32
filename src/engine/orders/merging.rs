//! Making a run's commit, and pushing it to a branch of ours.

use super::super::mirroring::bring;
use super::super::outbox::Order;
use super::super::repo::Repo;
use super::joining::{Joined, Joiner};
use super::trouble::Trouble;
use super::{Done, api_for};
use crate::git::{GitError, PullHead, PushKind, PushOutcome};
use crate::github::{self, RemoteMerge, Value};
use paprq_core::ids::{BranchName, CommitId, RunId, Timestamp};
use paprq_core::queue::effect::{MergeOrder, MergeStyle};
use paprq_core::queue::event::{Event, MergeStep};

/// Merges the members onto the base branch's tip, in the mirror.
pub(super) async fn make(repo: &Repo, order: &Order, merge: &MergeOrder) -> Result<Done, Trouble> {
    let run = merge.run;
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    let api = api_for(repo, order);
    let Some(tip) = api.branch_tip(&merge.base).await? else {
        return Ok(failed(run, format!("There is no branch {}.", merge.base)));
    };
    if !repo.has_mirror() {
        return made_by_github(&api, merge, tip).await;
    }
    match merged(repo, order, merge, tip).await {
        Ok(done) => Ok(done),
        Err(error) => Err(error.into()),
    }
}

async fn merged(
    repo: &Repo,
    order: &Order,
    merge: &MergeOrder,
    base_tip: CommitId,
) -> Result<Done, GitError> {
    let run = merge.run;
    let mirror = &repo.shared().mirror;
    let heads = merge.members.iter().map(|member| PullHead {
        pull: member.pull,
        commit: member.head,
    });
    let heads: Vec<_> = heads.collect();
    bring(mirror, &merge.base, base_tip, &heads).await?;
    let earlier = merge.again.filter(|again| again.base_tip == base_tip);
    if let Some(again) = earlier.filter(|again| mirror.has(again.merge)) {
        return made(repo, run, base_tip, again.merge);
    }
    let at = order.row.ordered_at;
    let mut outcome = joined(repo, merge, base_tip, at).await?;
    if merge.unlike.is_some() && outcome.as_ref().ok() == merge.unlike.as_ref() {
        // Git's dates are whole seconds.
        outcome = joined(repo, merge, base_tip, at.plus_s(1)).await?;
    }
    match outcome {
        Ok(tip) => made(repo, run, base_tip, tip),
        Err(done) => Ok(done),
    }
}

/// Joins the members to the base, one after the other; or says why that cannot be done.
async fn joined(
    repo: &Repo,
    merge: &MergeOrder,
    base_tip: CommitId,
    at: Timestamp,
) -> Result<Result<CommitId, Done>, GitError> {
    let run = merge.run;
    let joiner = Joiner {
        mirror: repo.mirror(),
        committer: &repo.shared().committer,
        at,
    };
    let mut tip = base_tip;
    for member in &merge.members {
        let refusal = match joiner.join(tip, member).await? {
            Joined::Made(commit) => {
                tip = commit;
                continue;
            }
            Joined::Conflict(step) => Done::answered(Event::MergeConflicted { run, step }),
            Joined::Altered(files) => Done::answered(Event::MergeAltered { run, files }),
            Joined::Nothing => nothing_to_merge(merge),
            Joined::TooLarge => {
                let why = "The pull has too many commits to be rebased.".to_owned();
                failed(run, why)
            }
        };
        return Ok(Err(refusal));
    }
    Ok(Ok(tip))
}

fn nothing_to_merge(merge: &MergeOrder) -> Done {
    Done::answered(Event::NothingToMerge { run: merge.run })
}

/// Has GitHub make the merge, on the branch on which it will be tested. Others may do so at the same
/// moment, such as a run that is over by now: what is merged onto theirs would bring it along.
async fn made_by_github(
    api: &github::Repo,
    merge: &MergeOrder,
    base_tip: CommitId,
) -> Result<Done, Trouble> {
    let run = merge.run;
    if merge
        .members
        .iter()
        .any(|member| member.style != MergeStyle::default())
    {
        let why = "Without local_git, pulls can only be merged as they are.".to_owned();
        return Ok(failed(run, why));
    }
    let branch = &merge.test_branch;
    api.point_branch(branch, base_tip).await?;
    let mut tip = base_tip;
    for member in &merge.members {
        let made = api.merge_into(branch, member.head, &member.message).await?;
        let done = match made {
            RemoteMerge::Made { commit, onto } if onto == Some(tip) => {
                tip = commit;
                continue;
            }
            RemoteMerge::Made { .. } => return Err(Trouble::moved(branch.clone())),
            RemoteMerge::AlreadyMerged => nothing_to_merge(merge),
            RemoteMerge::Conflict => {
                let step = MergeStep::Merge;
                Done::answered(Event::MergeConflicted { run, step })
            }
        };
        // What is said of another run's merge is not true of this one.
        if api.branch_tip(branch).await? != Some(tip) {
            return Err(Trouble::moved(branch.clone()));
        }
        return Ok(done);
    }
    Ok(Done::answered(Event::MergeMade {
        run,
        base_tip,
        merge: tip,
    }))
}

/// The pin keeps the commit in the mirror and lets workers fetch it.
fn made(repo: &Repo, run: RunId, base_tip: CommitId, merge: CommitId) -> Result<Done, GitError> {
    repo.shared().mirror.pin(run, merge)?;
    Ok(Done::answered(Event::MergeMade {
        run,
        base_tip,
        merge,
    }))
}

/// Pushes a run's commit to a branch of ours.
pub(super) async fn publish(
    repo: &Repo,
    run: RunId,
    commit: CommitId,
    branch: &BranchName,
) -> Result<Done, Trouble> {
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    let shared = repo.shared();
    if !repo.has_mirror() {
        // Making the merge has put it on the branch of its tests.
        let is_there = repo.look(|queue| {
            let run = queue.run(run);
            run.is_some_and(|run| queue.test_branch(run) == *branch)
        });
        if !is_there {
            let api = shared.api.at(Value::Awaited);
            api.point_branch(branch, commit).await?;
        }
        return Ok(Done::answered(Event::MergePublished { run }));
    }
    let mirror = &shared.mirror;
    let kind = PushKind::Overwrite;
    let pushed = match &shared.tests.fork {
        Some(fork) => {
            let remote = fork.remote.get();
            mirror.push_to(&remote, commit, branch, kind).await
        }
        None => mirror.push(commit, branch, kind).await,
    };
    match pushed {
        Ok(PushOutcome::Done) => Ok(Done::answered(Event::MergePublished { run })),
        Ok(PushOutcome::Refused { reason }) => Ok(failed(run, reason)),
        Ok(PushOutcome::Moved { .. }) => {
            let why = format!("The branch {branch} moves while it is pushed.");
            Ok(failed(run, why))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the same may go well the next time.
pub(in crate::engine) fn is_passing(error: &GitError) -> bool {
    match error {
        GitError::Transient(_) | GitError::Unknown(_) | GitError::Io { .. } => true,
        GitError::Rejected(_)
        | GitError::Gone(_)
        | GitError::Missing(_)
        | GitError::BadName(_)
        | GitError::BadUrl(_)
        | GitError::TooLarge(_)
        | GitError::Program(_)
        | GitError::Mirror(_) => false,
    }
}

/// What people on GitHub are told: not our paths, nor what git printed.
pub(super) fn explanation(error: &GitError) -> String {
    match error {
        GitError::Rejected(_) => "GitHub does not let the bot read or push this repository.",
        GitError::Gone(_) | GitError::Missing(_) => {
            "a commit of the pull or of its base is not to be had from GitHub any more."
        }
        GitError::BadName(_) => "git takes no branch of that name.",
        GitError::Transient(_) | GitError::Unknown(_) => "GitHub is out of reach.",
        GitError::TooLarge(_) => {
            "git needs more memory, time or space for this pull request than it may use on this \
             server. Make it smaller, or ask the server's operator."
        }
        GitError::BadUrl(_) | GitError::Program(_) | GitError::Mirror(_) | GitError::Io { .. } => {
            "git failed on the server; its operator finds more in the log."
        }
    }
    .to_owned()
}

pub(super) fn failed(run: RunId, why: String) -> Done {
    Done::answered(Event::SetupFailed { run, why })
}

/// Whether the history of one commit holds the other, as far as the mirror knows.
pub(super) async fn contains(repo: &Repo, descendant: CommitId, ancestor: CommitId) -> bool {
    let mirror = &repo.shared().mirror;
    let contained = mirror.is_ancestor(ancestor, descendant).await;
    contained.unwrap_or(false)
}
