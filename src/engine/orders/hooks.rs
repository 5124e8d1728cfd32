//! Calling other services on behalf of a comment.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::ids::PullNumber;

/// Calls a hook.
pub(super) async fn call(
    _repo: &Repo,
    _pull: PullNumber,
    _hook: &str,
    _body: &str,
    _data: Option<&str>,
) -> Result<Done, Passing> {
    Ok(Done::Quietly)
}
