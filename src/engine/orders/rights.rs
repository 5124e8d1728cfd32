//! Asking how far a repository trusts somebody.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::command::Standing;
use crate::ids::Login;
use crate::queue::event::Event;

/// Asks GitHub whether somebody may write to the repository.
pub(super) async fn ask(repo: &Repo, user: &Login) -> Result<Done, Passing> {
    let standing = if repo.shared().api.may_write(user).await? {
        Standing::Reviewer
    } else {
        Standing::Outsider
    };
    Ok(Done::answered(Event::StandingTold {
        user: user.clone(),
        standing,
    }))
}
