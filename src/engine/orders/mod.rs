//! Carrying orders out: each effect of the queue, with what answers it.
//!
//! Whoever is here may be carrying out an order for the second time: see
//! [`Tried`](super::outbox::Tried).

mod builds;
mod exempting;
pub(super) mod hooks;
mod joining;
mod labels;
mod landing;
mod mergeability;
mod merging;
mod resuming;
mod rights;
mod suites;
mod talk;
mod testing;

use super::buildbot::BuildbotError;
use super::hooks::Told;
use super::outbox::Order;
use super::repo::Repo;
use super::standings::StandingError;
use crate::git::GitError;
use crate::github::{self, ApiError, Value};
use crate::ids::{BranchName, PullNumber};
use crate::queue::awaiting::Awaited;
use crate::queue::effect::Effect;
use crate::queue::event::{Event, PullFacts, PullState, Source};
use crate::store::StoreError;

/// What came of an order.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// It is done, or is of no use any more; nobody waits to hear that.
    Quietly,
    /// It is done, or given up, and this is what there is to tell.
    Answered(Vec<Event>),
}

impl Done {
    fn answered(event: Event) -> Self {
        Self::Answered(vec![event])
    }
}

/// The order could not be carried out now; it is to be tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Passing {
    /// GitHub did not do as it was asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Git did not.
    #[error(transparent)]
    Git(#[from] GitError),
    /// It is not known how far somebody is trusted.
    #[error(transparent)]
    Standing(#[from] StandingError),
    /// Buildbot did not do as it was asked.
    #[error(transparent)]
    Buildbot(#[from] BuildbotError),
    /// Somebody else used the branch at the same time.
    #[error("merge into {0}, which moves meanwhile")]
    Moved(BranchName),
    /// The database did not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// GitHub, for calls that are worth what the order is.
fn api_for(repo: &Repo, order: &Order) -> github::Repo {
    repo.shared().api.at(worth(order.row.effect.awaited()))
}

/// What calls are worth, by who waits for them.
fn worth(awaited: Awaited) -> Value {
    match awaited {
        Awaited::ByPeople => Value::Awaited,
        Awaited::ByTests => Value::Visible,
        Awaited::ByNobody => Value::Background,
    }
}

/// Carries an order out.
///
/// # Errors
/// If it is worth trying again.
pub(super) async fn carry_out(repo: &Repo, order: &Order) -> Result<Done, Passing> {
    match &order.row.effect {
        Effect::MakeMerge(merge) => merging::make(repo, order, merge).await,
        Effect::PublishMerge {
            run,
            commit,
            branch,
        } => merging::publish(repo, *run, *commit, branch).await,
        Effect::MakeTestMerge(wanted) => testing::make(repo, order, wanted).await,
        Effect::MarkTestMerge {
            pull,
            head,
            tested,
            note,
        } => testing::mark(repo, *pull, *head, *tested, note).await,
        Effect::CompareSuites { pull, base, head } => {
            testing::compare(repo, *pull, base, *head).await
        }
        Effect::AskAccess { user } => rights::ask_access(repo, order, user).await,
        Effect::RankJobs {
            run,
            priority,
            labels,
        } => {
            let desk = &repo.shared().desk;
            desk.rank(*run, *priority, labels.clone()).await?;
            Ok(Done::Quietly)
        }
        Effect::ReadMerge { run, commit, base } => resuming::read(repo, *run, *commit, base).await,
        Effect::ReadSuites { run, commit, since } => {
            suites::read(repo, *run, *commit, *since).await
        }
        Effect::StartJobs {
            run,
            commit,
            suites,
        } => suites::start(repo, *run, *commit, suites).await,
        Effect::CancelJobs { run } => suites::cancel(repo, *run).await,
        Effect::CancelSuites { run, contexts } => {
            suites::cancel_some(repo, *run, contexts.clone()).await
        }
        Effect::AdvanceBranch(landing) => landing::advance(repo, order, landing).await,
        Effect::PostComment { pull, note } => talk::post(repo, order, *pull, note).await,
        Effect::SetStatus { commit, note } => talk::set_status(repo, *commit, note).await,
        Effect::ReadPull { pull } => read_pull(repo, order, *pull).await,
        Effect::EditLabels { pull, change } => labels::edit(repo, *pull, change).await,
        Effect::ClosePull { pull, head } => labels::close(repo, *pull, *head).await,
        Effect::MarkMerged(mark) => labels::mark_merged(repo, mark).await,
        Effect::CallHook {
            pull,
            hook,
            body,
            data,
            news,
        } => {
            let told = Told::of(*pull, body, data.as_deref());
            let called = hooks::call(repo, order.row.id, hook, told).await?;
            Ok(hooks::heard(called, *news))
        }
        Effect::LogRetry(retry) => talk::log_retry(repo, retry).await,
        Effect::AskStanding { user } => rights::ask(repo, order, user).await,
        Effect::RepeatBuilds { run, builds } => builds::repeat(repo, order, *run, builds).await,
        Effect::StopBuilds { run, builders } => builds::stop(repo, order, *run, builders).await,
        Effect::JudgeExemption(asked) => exempting::judge(repo, asked).await,
        Effect::CheckMergeability { base, pulls } => mergeability::check(repo, base, *pulls).await,
    }
}

/// Asks GitHub how a pull stands. The queue waits for the answer, so there always is one.
async fn read_pull(repo: &Repo, order: &Order, pull: PullNumber) -> Result<Done, Passing> {
    let facts = match api_for(repo, order).pull(pull).await {
        Ok(facts) => Some(facts),
        // A pull that GitHub does not know any more is as good as closed.
        Err(ApiError::Gone | ApiError::Rejected { .. }) => repo.look(|queue| {
            queue.pull(pull).map(|pull| PullFacts {
                state: PullState::Closed,
                ..pull.facts.clone()
            })
        }),
        Err(error) => return Err(error.into()),
    };
    Ok(match facts {
        Some(facts) => Done::answered(Event::PullSeen {
            facts,
            source: Source::Reading,
        }),
        None => Done::Quietly,
    })
}
