//! What else must be known of a pull whose comments are read anew: who wrote them, and what its
//! last test came to.

use super::permissions::PermissionError;
use super::repo::Repo;
use crate::clock;
use crate::github::{self, ApiError, StatusState};
use paprq_core::command::Command;
use paprq_core::ids::CommitId;
use paprq_core::notes::QUEUE_CONTEXT;
use paprq_core::queue::event::{Comment, PullFacts};
use paprq_core::queue::run::Ending;

/// Finds out how far those are trusted whose comments hold commands, where somebody can be asked.
///
/// # Errors
/// If it is not to be found out now.
pub(super) async fn ask_permissions(
    repo: &Repo,
    api: &github::Repo,
    comments: &mut [Comment],
) -> Result<(), PermissionError> {
    let shared = repo.shared();
    let rules = &shared.rules;
    if rules.authorities.is_empty() {
        return Ok(());
    }
    for comment in comments {
        let author = &comment.author;
        let is_listed = *author == rules.grammar.bot || rules.reviewers.contains(author);
        if is_listed || commands(repo, comment).is_empty() {
            continue;
        }
        let standing = shared.permissions.of(author, api, clock::now()).await;
        comment.standing = match standing {
            Ok(standing) => Some(standing),
            // It will not say it the next time either: nobody has a right by that.
            Err(PermissionError::Api(error @ ApiError::Rejected { .. })) => {
                tracing::warn!(
                    repo.label = %repo.label(), user = %author, %error,
                    "it cannot be found out what somebody may do"
                );
                None
            }
            Err(error) => return Err(error),
        };
    }
    Ok(())
}

/// How the last test ended of a pull that somebody approved, by the status that it got.
///
/// # Errors
/// If GitHub does not say now.
pub(super) async fn last_result(
    repo: &Repo,
    api: &github::Repo,
    facts: &PullFacts,
    comments: &[Comment],
) -> Result<Option<Ending>, ApiError> {
    let mut commands = comments.iter().flat_map(|comment| commands(repo, comment));
    let is_approved = commands.any(|command| matches!(command, Command::Approve { .. }));
    if !is_approved || facts.head == CommitId::ZERO {
        return Ok(None);
    }
    match api.status_of(facts.head, QUEUE_CONTEXT).await {
        Ok(Some(StatusState::Failure)) => Ok(Some(Ending::Failed)),
        Ok(Some(StatusState::Error)) => Ok(Some(Ending::Broken)),
        Ok(Some(StatusState::Pending | StatusState::Success) | None)
        | Err(ApiError::Gone | ApiError::Rejected { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn commands(repo: &Repo, comment: &Comment) -> Vec<Command> {
    let grammar = &repo.shared().rules.grammar;
    grammar.read(&comment.body, &comment.author).commands
}
