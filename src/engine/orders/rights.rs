//! Asking how far a repository trusts somebody.

use super::super::outbox::Order;
use super::super::repo::Repo;
use super::trouble::Trouble;
use super::{Done, api_for};
use crate::clock;
use crate::github::ApiError;
use paprq_core::ids::Login;
use paprq_core::queue::event::{Access, Event};

/// Asks those who are configured to be asked, as long as a comment waits for their answer.
pub(super) async fn ask(repo: &Repo, order: &Order, user: &Login) -> Result<Done, Trouble> {
    let shared = repo.shared();
    match shared
        .permissions
        .of(user, &api_for(repo, order), clock::now())
        .await
    {
        Ok(standing) => Ok(Done::answered(Event::StandingTold {
            user: user.clone(),
            standing,
        })),
        Err(error) if is_awaited(repo, user) => Err(error.into()),
        Err(error) => {
            tracing::warn!(
                repo.label = %repo.label(), user = %user, %error,
                "it was not found out in time what somebody may do"
            );
            Ok(Done::Quietly)
        }
    }
}

fn is_awaited(repo: &Repo, user: &Login) -> bool {
    repo.look(|queue| {
        let mut waiting = queue.pulls().flat_map(|pull| &pull.unjudged);
        waiting.any(|waiting| waiting.comment.author == *user)
    })
}

/// Asks GitHub whether somebody may write to the repository, as long as a pull waits for that.
pub(super) async fn ask_access(repo: &Repo, order: &Order, user: &Login) -> Result<Done, Trouble> {
    let access = match api_for(repo, order).may_write(user).await {
        Ok(true) => Access::Write,
        // What GitHub does not tell us is no leave to run a stranger's code.
        Ok(false) | Err(ApiError::Gone | ApiError::Rejected { .. }) => Access::Less,
        Err(error) if is_access_awaited(repo, user) => return Err(error.into()),
        Err(_in_vain) => return Ok(Done::Quietly),
    };
    let user = user.clone();
    Ok(Done::answered(Event::AccessTold { user, access }))
}

fn is_access_awaited(repo: &Repo, user: &Login) -> bool {
    repo.look(|queue| {
        let mut pulls = queue.pulls();
        pulls.any(|pull| pull.asks_about(user))
    })
}
