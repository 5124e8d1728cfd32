//! Labels and titles of pulls.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::config::LabelChange;
use crate::ids::PullNumber;
use crate::queue::effect::TitleMark;

/// Moves labels one by one.
pub(super) async fn edit(
    _repo: &Repo,
    _pull: PullNumber,
    _change: &LabelChange,
) -> Result<Done, Passing> {
    Ok(Done::Quietly)
}

/// Shows that a pull landed by rebasing.
pub(super) async fn mark_merged(
    _repo: &Repo,
    _pull: PullNumber,
    _title: TitleMark,
) -> Result<Done, Passing> {
    Ok(Done::Quietly)
}
