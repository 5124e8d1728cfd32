//! Labels and titles of pulls, and closing them.

use super::super::repo::Repo;
use super::talk::settled;
use super::trouble::Trouble;
use super::{Done, merging};
use crate::github::{self, ApiError, PullEdit};
use paprq_core::ids::{CommitId, PullNumber, is_same_name};
use paprq_core::queue::effect::{MergeMark, TitleMark};
use paprq_core::queue::event::PullState;
use paprq_core::queue::labels::LabelChange;

/// How the title of a pull begins that landed by rebasing (homu: `linear`).
const MERGED: &str = "[merged] ";

/// Moves labels one by one.
pub(super) async fn edit(
    repo: &Repo,
    pull: PullNumber,
    change: &LabelChange,
) -> Result<Done, Trouble> {
    let api = &repo.shared().api;
    let present = match api.labels(pull).await {
        Ok(present) => present,
        Err(error) => return settled(repo, Err(error)),
    };
    if change.unless.iter().any(|label| holds(&present, label)) {
        return Ok(Done::Quietly);
    }
    let added = settled(repo, add(api, pull, change, &present).await)?;
    for label in present.iter().filter(|label| holds(&change.remove, label)) {
        settled(repo, remove(api, pull, label).await)?;
    }
    Ok(added)
}

fn holds(labels: &[String], wanted: &str) -> bool {
    labels.iter().any(|label| is_same_name(label, wanted))
}

async fn add(
    api: &github::Repo,
    pull: PullNumber,
    change: &LabelChange,
    present: &[String],
) -> Result<(), ApiError> {
    let missing = change.add.iter().filter(|label| !holds(present, label));
    let missing: Vec<String> = missing.cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    api.add_labels(pull, &missing).await
}

/// Somebody else may have taken it off meanwhile.
async fn remove(api: &github::Repo, pull: PullNumber, label: &str) -> Result<(), ApiError> {
    match api.remove_label(pull, label).await {
        Err(ApiError::Gone) => Ok(()),
        other => other,
    }
}

/// Shows that a pull landed, where GitHub does not see that by itself.
pub(super) async fn mark_merged(repo: &Repo, mark: &MergeMark) -> Result<Done, Trouble> {
    let pull = mark.pull;
    if merging::contains(repo, mark.landed, mark.head).await {
        return Ok(Done::Quietly);
    }
    let api = &repo.shared().api;
    let facts = match api.pull(pull).await {
        Ok(facts) => facts,
        Err(error) => return settled(repo, Err(error)),
    };
    let edit = PullEdit {
        title: match mark.title {
            TitleMark::Prefixed if !facts.title.starts_with(MERGED.trim_end()) => {
                Some(format!("{MERGED}{}", facts.title))
            }
            TitleMark::Prefixed | TitleMark::Unchanged => None,
        },
        state: (facts.state == PullState::Open).then_some(PullState::Closed),
    };
    if edit == PullEdit::default() {
        return Ok(Done::Quietly);
    }
    settled(repo, api.edit_pull(pull, &edit).await)
}

/// Closes a pull that has nothing any more that its base has not, unless it changed meanwhile.
pub(super) async fn close(repo: &Repo, pull: PullNumber, head: CommitId) -> Result<Done, Trouble> {
    let api = &repo.shared().api;
    let facts = match api.pull(pull).await {
        Ok(facts) => facts,
        Err(error) => return settled(repo, Err(error)),
    };
    if facts.state != PullState::Open || facts.head != head {
        return Ok(Done::Quietly);
    }
    let edit = PullEdit {
        state: Some(PullState::Closed),
        ..PullEdit::default()
    };
    settled(repo, api.edit_pull(pull, &edit).await)
}
