//! Moving the base branch to a tested commit.

use super::super::outbox::{Order, Tried};
use super::super::repo::Repo;
use super::talk::text;
use super::trouble::{Refused, Trouble};
use super::{Done, seen};
use crate::git::{Fetch, GitError, PushKind, PushOutcome};
use crate::github::{ApiError, Moved, Value};
use paprq_core::ids::{BranchName, CommitId, RunId};
use paprq_core::notes;
use paprq_core::queue::effect::LandingOrder;
use paprq_core::queue::event::{Event, PullFacts, PullState, Refusal, Source};
use paprq_core::queue::note::{QueueStatus, StatusNote};
use paprq_core::queue::run::Purpose;

/// Moves the base branch, if everything still is as it was tested.
pub(super) async fn advance(
    repo: &Repo,
    order: &Order,
    landing: &LandingOrder,
) -> Result<Done, Trouble> {
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
    if repo.shared().tests.fork.is_some() {
        bring_home(repo, landing).await?;
    }
    move_or_say_why(repo, landing).await
}

/// Moves the base branch; or finds out why GitHub does not.
async fn move_or_say_why(repo: &Repo, landing: &LandingOrder) -> Result<Done, Trouble> {
    let moved = match move_base(repo, landing).await? {
        Moved::Protected(why) => lift_protection(repo, landing, why).await?,
        moved @ (Moved::Done | Moved::NotFastForward | Moved::Refused(_)) => moved,
    };
    match moved {
        Moved::Done => Ok(landed(repo, landing)),
        Moved::NotFastForward => look_for_the_base(repo, landing).await,
        Moved::Protected(why) if says_that_a_status_is_awaited(&why) => {
            Err(Refused::lag(why).into())
        }
        Moved::Protected(why) | Moved::Refused(why) => Err(Refused::denied(why).into()),
    }
}

/// GitHub says that the base has other commits. It may be late: then the branch has not moved.
async fn look_for_the_base(repo: &Repo, landing: &LandingOrder) -> Result<Done, Trouble> {
    if has_landed(repo, landing).await? {
        return Ok(landed(repo, landing));
    }
    let api = repo.shared().api.at(Value::Landing);
    if api.branch_tip(&landing.base).await? == Some(landing.from) {
        let why = format!(
            "GitHub answers that this is not a fast-forward, although {} has not moved.",
            landing.base
        );
        return Err(Refused::lag(why).into());
    }
    repo.prefetch_branch(landing.base.clone());
    Ok(refused(landing.run, Refusal::BaseMoved))
}

/// Whether the status that was set just now may only not be known yet.
fn says_that_a_status_is_awaited(why: &str) -> bool {
    let words = why.to_lowercase();
    words.contains("required status") && (words.contains("expected") || words.contains("pending"))
}

/// Whether the branch holds the commit: an earlier try may have moved it, and somebody else may
/// have moved it on since.
async fn has_landed(repo: &Repo, landing: &LandingOrder) -> Result<bool, Trouble> {
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
async fn ask_members(repo: &Repo, landing: &LandingOrder) -> Result<Option<Done>, Trouble> {
    let api = repo.shared().api.at(Value::Landing);
    for member in &landing.members {
        let facts = seen(member.pull, api.pull(member.pull).await)?;
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
async fn bring_home(repo: &Repo, landing: &LandingOrder) -> Result<(), Trouble> {
    let shared = repo.shared();
    let branch = &shared.rules.temporary_branch;
    let pushed = shared.mirror.push(landing.to, branch, PushKind::Overwrite);
    let why = match pushed.await {
        Ok(PushOutcome::Done) => return Ok(()),
        Ok(PushOutcome::Refused { reason }) => reason,
        Ok(PushOutcome::Moved { .. }) => format!("The branch {branch} moves while it is pushed."),
        Err(error) => return Err(error.into()),
    };
    Err(Refused::denied(why).into())
}

async fn move_base(repo: &Repo, landing: &LandingOrder) -> Result<Moved, ApiError> {
    let api = &repo.shared().api;
    api.move_branch(&landing.base, landing.to).await
}

/// A protected branch may ask for our own status on the commit (homu: `main.py` on protected
/// branches). Where that cannot be set, or is not what is missing, GitHub's first reason stays.
async fn lift_protection(
    repo: &Repo,
    landing: &LandingOrder,
    why: String,
) -> Result<Moved, ApiError> {
    let shared = repo.shared();
    let status = QueueStatus::Succeeded {
        purpose: Purpose::Land,
    };
    let words = notes::status(&StatusNote::Queue(status), &shared.links);
    let api = shared.api.at(Value::Landing);
    match api.set_status(landing.to, &text(words)).await {
        Ok(()) => move_base(repo, landing).await,
        Err(ApiError::Rejected { .. } | ApiError::Gone) => Ok(Moved::Refused(why)),
        Err(error) => Err(error),
    }
}

fn landed(repo: &Repo, landing: &LandingOrder) -> Done {
    // Without a mirror that would be a call, and the webhook of this very push has it made.
    if repo.has_mirror() {
        repo.prefetch_branch(landing.base.clone());
    }
    Done::answered(Event::BranchAdvanced { run: landing.run })
}

fn refused(run: RunId, why: Refusal) -> Done {
    Done::answered(refusal(run, why))
}

fn refusal(run: RunId, why: Refusal) -> Event {
    Event::LandingRefused { run, why }
}
