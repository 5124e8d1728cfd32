//! What can be ordered about one repository. Each order is sent once.

use http::Method;
use serde::Serialize;

use super::call::Order;
use super::error::ApiError;
use super::ledger::{Kind, Value};
use super::repo::Repo;
use paprq_core::ids::{BranchName, CommitId, PullNumber};

/// How many characters of a status's description GitHub takes.
const DESCRIPTION_MAX: usize = 140;

/// A commit status to be set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusText {
    /// What it is about; replaces the status of the same context.
    pub context: String,
    /// `pending`, `success`, `failure` or `error`.
    pub state: StatusState,
    /// In words; cut where it is longer than GitHub's 140 characters.
    pub description: String,
    /// Where to read more.
    pub url: Option<String>,
}

/// The states of GitHub's commit statuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusState {
    /// Not yet anything.
    Pending,
    /// Good.
    Success,
    /// Bad.
    Failure,
    /// Could not be found out.
    Error,
}

/// What became of a branch that was to be moved. All but `Done` are certain not to have moved it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Moved {
    /// It is where it was to be.
    Done,
    /// It is not: its tip is not an ancestor of the commit.
    NotFastForward,
    /// It is not: it is protected, for this reason.
    Protected(String),
    /// It is not, for this other reason.
    Refused(String),
}

impl Repo {
    /// Writes a comment on a pull. GitHub takes at most 65,536 characters.
    ///
    /// # Errors
    ///
    /// After [`ApiError::OutcomeUnknown`], [`Repo::has_comment_with`] tells.
    pub async fn post_comment(&self, number: PullNumber, body: &str) -> Result<(), ApiError> {
        #[derive(Serialize)]
        struct NewComment<'a> {
            body: &'a str,
        }
        let order = Order {
            method: Method::POST,
            url: self.url(&["issues", &number.to_string(), "comments"]),
            kind: Kind::Comment,
            body: &NewComment { body },
        };
        self.github.write(order, self.value).await
    }

    /// Sets a commit status. May be repeated: the newest of a context counts.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn set_status(&self, commit: CommitId, text: &StatusText) -> Result<(), ApiError> {
        #[derive(Serialize)]
        struct NewStatus<'a> {
            state: StatusState,
            context: &'a str,
            description: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            target_url: Option<&'a str>,
        }
        let order = Order {
            method: Method::POST,
            url: self.url(&["statuses", &commit.to_string()]),
            kind: Kind::Write,
            body: &NewStatus {
                state: text.state,
                context: &text.context,
                description: cut(&text.description),
                target_url: text.url.as_deref().filter(|url| !url.is_empty()),
            },
        };
        self.github.write(order, self.value).await
    }

    /// Moves a branch forward to a commit, never by force. Always of value [`Value::Landing`].
    ///
    /// # Errors
    ///
    /// After [`ApiError::OutcomeUnknown`], [`Repo::branch_tip`] tells.
    pub async fn move_branch(&self, branch: &BranchName, to: CommitId) -> Result<Moved, ApiError> {
        #[derive(Serialize)]
        struct NewTip {
            sha: String,
            force: bool,
        }
        let order = Order {
            method: Method::PATCH,
            url: self.branch_url("refs", branch),
            kind: Kind::Write,
            body: &NewTip {
                sha: to.to_string(),
                force: false,
            },
        };
        match self.github.write(order, Value::Landing).await {
            Ok(()) => Ok(Moved::Done),
            Err(ApiError::Rejected { message, .. }) => Ok(Moved::refused(message)),
            Err(error) => Err(error),
        }
    }
}

impl Moved {
    /// GitHub tells its reasons apart by their words alone.
    fn refused(message: String) -> Self {
        let words = message.to_lowercase();
        let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
        if says(&["fast forward", "fast-forward"]) {
            Self::NotFastForward
        } else if says(&[
            "protected",
            "required status check",
            "review is required",
            "rule violation",
            "changes must be made through",
        ]) {
            Self::Protected(message)
        } else {
            Self::Refused(message)
        }
    }
}

/// The beginning of a text, as far as GitHub takes it as a description.
fn cut(text: &str) -> String {
    if text.chars().count() <= DESCRIPTION_MAX {
        return text.to_owned();
    }
    text.chars()
        .take(DESCRIPTION_MAX - 1)
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_cut_between_characters_where_githubs_limit_is() {
        assert_eq!(cut(&"é".repeat(140)), "é".repeat(140));
        let long = cut(&"é".repeat(141));
        assert_eq!(long, format!("{}…", "é".repeat(139)));
    }

    #[test]
    fn githubs_reasons_not_to_move_a_branch_are_told_apart() {
        let refused = |message: &str| Moved::refused(message.to_owned());
        assert_eq!(
            refused("Update is not a fast forward"),
            Moved::NotFastForward
        );
        for reason in [
            "Required status check \"homu\" is expected.",
            "Cannot update this protected ref.",
            "Protected branch update failed for refs/heads/main.",
            "At least 1 approving review is required by reviewers with write access.",
            "Repository rule violations found",
            "Changes must be made through a pull request.",
        ] {
            assert_eq!(refused(reason), Moved::Protected(reason.to_owned()));
        }
        for reason in ["Reference does not exist", "Object does not exist"] {
            assert_eq!(refused(reason), Moved::Refused(reason.to_owned()));
        }
    }
}
