//! Finding out in the mirror which pulls merge cleanly.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::queue::effect::{BaseAt, Which};

/// Tries merges of pulls into a base branch.
pub(super) async fn check(_repo: &Repo, _base: &BaseAt, _pulls: Which) -> Result<Done, Passing> {
    Ok(Done::Quietly)
}
