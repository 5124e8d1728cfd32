//! Moving the base branch to a tested commit.

use super::super::outbox::{Order, Tried};
use super::super::repo::Repo;
use super::merging::explanation;
use super::talk::text;
use super::{Done, Passing};
use crate::git::{Fetch, GitError, PushKind, PushOutcome};
use crate::github::{ApiError, Moved, Value};
use crate::ids::{BranchName, CommitId, RunId};
use crate::notes;
use crate::queue::effect::LandingOrder;
use crate::queue::event::{Event, PullFacts, PullState, Refusal, Source};
use crate::queue::note::{Purpose, QueueStatus, StatusNote};

/// Moves the base branch, if everything still is as it was tested.
pub(super) async fn advance(
    repo: &Repo,
    order: &Order,
    landing: &LandingOrder,
) -> Result<Done, Passing> {
    let run = landing.run;
    if order.tried == Tried::MaybeBefore && has_landed(repo, landing).await? {
        return Ok(landed(repo, landing));
    }
    if let Some(refusal) = ask_members(repo, landing).await? {
        return Ok(refusal);
    }
    if !repo.may_land(run).await {
        return Ok(refused(run, Refusal::PullChanged));
    }
    if repo.shared().tests.fork.is_some()
        && let Some(refusal) = bring_home(repo, landing).await?
    {
        return Ok(refusal);
    }
    let moved = match move_base(repo, landing).await? {
        Moved::Protected(_) => {
            lift_protection(repo, landing.to).await?;
            move_base(repo, landing).await?
        }
        moved @ (Moved::Done | Moved::NotFastForward | Moved::Refused(_)) => moved,
    };
    match moved {
        Moved::Done => Ok(landed(repo, landing)),
        Moved::NotFastForward => {
            repo.prefetch_branch(landing.base.clone());
            Ok(refused(run, Refusal::BaseMoved))
        }
        Moved::Protected(why) | Moved::Refused(why) => Ok(refused(run, Refusal::Rejected(why))),
    }
}

/// Whether the branch holds the commit: an earlier try may have moved it, and somebody else may
/// have moved it on since.
async fn has_landed(repo: &Repo, landing: &LandingOrder) -> Result<bool, Passing> {
    let shared = repo.shared();
    let api = shared.api.at(Value::Landing);
    let Some(tip) = api.branch_tip(&landing.base).await? else {
        return Ok(false);
    };
    if tip == landing.to || tip == landing.from {
        return Ok(tip == landing.to);
    }
    if !repo.has_mirror() {
        return Ok(shared.api.contains(tip, landing.to).await?);
    }
    let mirror = &shared.mirror;
    mirror.fetch(Fetch::Branch(landing.base.clone())).await?;
    match mirror.is_ancestor(landing.to, tip).await {
        Ok(contained) => Ok(contained),
        Err(GitError::Missing(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Asks GitHub whether each member still is what was tested; answers for the order if one is not.
async fn ask_members(repo: &Repo, landing: &LandingOrder) -> Result<Option<Done>, Passing> {
    let api = repo.shared().api.at(Value::Landing);
    for member in &landing.members {
        let facts = match api.pull(member.pull).await {
            Ok(facts) => facts,
            Err(ApiError::Gone) => return Ok(Some(refused(landing.run, Refusal::PullChanged))),
            Err(error) => return Err(error.into()),
        };
        if !is_unchanged(&facts, member.head, &landing.base) {
            let seen = Event::PullSeen {
                facts,
                source: Source::Reading,
            };
            let refusal = refusal(landing.run, Refusal::PullChanged);
            return Ok(Some(Done::Answered(vec![seen, refusal])));
        }
    }
    Ok(None)
}

fn is_unchanged(facts: &PullFacts, head: CommitId, base: &BranchName) -> bool {
    facts.state == PullState::Open && facts.head == head && facts.base == *base && !facts.draft
}

/// What was tested in a fork must be in the repository itself before its branch can be moved.
async fn bring_home(repo: &Repo, landing: &LandingOrder) -> Result<Option<Done>, Passing> {
    let shared = repo.shared();
    let branch = &shared.rules.temporary_branch;
    let pushed = shared.mirror.push(landing.to, branch, PushKind::Overwrite);
    let why = match pushed.await {
        Ok(PushOutcome::Done) => return Ok(None),
        Ok(PushOutcome::Refused { reason }) => reason,
        Ok(PushOutcome::Moved { .. }) => format!("The branch {branch} moves while it is pushed."),
        Err(error @ (GitError::Rejected(_) | GitError::Gone(_))) => explanation(&error),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(refused(landing.run, Refusal::Rejected(why))))
}

async fn move_base(repo: &Repo, landing: &LandingOrder) -> Result<Moved, Passing> {
    let moved = repo
        .shared()
        .api
        .move_branch(&landing.base, landing.to)
        .await;
    match moved {
        Ok(moved) => Ok(moved),
        Err(error @ ApiError::Gone) => Ok(Moved::Refused(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// A protected branch may ask for our own status on the commit (homu: `main.py` on protected
/// branches).
async fn lift_protection(repo: &Repo, commit: CommitId) -> Result<(), Passing> {
    let shared = repo.shared();
    let status = QueueStatus::Succeeded {
        purpose: Purpose::Land,
    };
    let words = notes::status(&StatusNote::Queue(status), &shared.links);
    let api = shared.api.at(Value::Landing);
    api.set_status(commit, &text(words)).await?;
    Ok(())
}

fn landed(repo: &Repo, landing: &LandingOrder) -> Done {
    repo.prefetch_branch(landing.base.clone());
    Done::answered(Event::BranchAdvanced { run: landing.run })
}

fn refused(run: RunId, why: Refusal) -> Done {
    Done::answered(refusal(run, why))
}

fn refusal(run: RunId, why: Refusal) -> Event {
    Event::LandingRefused { run, why }
}
