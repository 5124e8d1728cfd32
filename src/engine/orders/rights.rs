//! Asking how far a repository trusts somebody.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::clock;
use crate::ids::Login;
use crate::queue::event::Event;

/// Asks those who are configured to be asked, as long as a comment waits for their answer.
pub(super) async fn ask(repo: &Repo, user: &Login) -> Result<Done, Passing> {
    let shared = repo.shared();
    match shared.standings.of(user, &shared.api, clock::now()).await {
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
