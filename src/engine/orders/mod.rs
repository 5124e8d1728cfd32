//! Carrying orders out: each effect of the queue, with what answers it.
//!
//! Whoever is here may be carrying out an order for the second time: see
//! [`Tried`](super::outbox::Tried).

mod landing;
mod merging;
mod suites;
mod talk;

use super::outbox::Order;
use super::repo::Repo;
use crate::git::GitError;
use crate::github::ApiError;
use crate::queue::effect::Effect;
use crate::queue::event::{Event, Source};
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
    /// The database did not.
    #[error(transparent)]
    Store(#[from] StoreError),
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
        Effect::ReadSuites { run, commit } => suites::read(repo, *run, *commit).await,
        Effect::StartJobs {
            run,
            commit,
            suites,
        } => suites::start(repo, *run, *commit, suites).await,
        Effect::CancelJobs { run } => {
            repo.shared().desk.cancel_run(*run).await?;
            Ok(Done::Quietly)
        }
        Effect::AdvanceBranch(landing) => landing::advance(repo, order, landing).await,
        Effect::PostComment { pull, note } => talk::post(repo, order, *pull, note).await,
        Effect::SetStatus { commit, note } => talk::set_status(repo, *commit, note).await,
        Effect::ReadPull { pull } => match repo.shared().api.pull(*pull).await {
            Ok(facts) => Ok(Done::answered(Event::PullSeen {
                facts,
                source: Source::Reading,
            })),
            Err(ApiError::Gone | ApiError::Rejected { .. }) => Ok(Done::Quietly),
            Err(error) => Err(error.into()),
        },
    }
}
