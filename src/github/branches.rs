//! Making merges on GitHub itself, where there is no mirror (`local_git = false`).

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::call::Order;
use super::error::ApiError;
use super::ledger::{Kind, Value};
use super::repo::Repo;
use paprq_core::ids::{BranchName, CommitId};

/// What became of a merge on GitHub.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RemoteMerge {
    /// This merge commit; the branch is at it.
    Made {
        /// The commit.
        commit: CommitId,
        /// Where the branch was.
        onto: Option<CommitId>,
    },
    /// The branch contains the commit already.
    AlreadyMerged,
    /// The two contradict each other.
    Conflict,
}

#[derive(Deserialize)]
struct Made {
    sha: CommitId,
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    sha: CommitId,
}

#[derive(Deserialize)]
struct Comparison {
    status: String,
}

impl Repo {
    /// Points a branch at a commit, by force; makes the branch if it is not there. May be repeated.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn point_branch(&self, branch: &BranchName, to: CommitId) -> Result<(), ApiError> {
        #[derive(Serialize)]
        struct Tip {
            sha: String,
            force: bool,
        }
        #[derive(Serialize)]
        struct New {
            #[serde(rename = "ref")]
            name: String,
            sha: String,
        }
        let sha = to.to_string();
        let order = Order {
            method: Method::PATCH,
            url: self.branch_url("refs", branch),
            kind: Kind::Write,
            body: &Tip {
                sha: sha.clone(),
                force: true,
            },
        };
        // Nearly always it is there: to ask first would be a call more.
        match self.github.write(order, self.value).await {
            Err(ApiError::Gone) => {}
            Err(ApiError::Rejected { message, .. }) if says_there_is_none(&message) => {}
            outcome => return outcome,
        }
        let order = Order {
            method: Method::POST,
            url: self.url(&["git", "refs"]),
            kind: Kind::Write,
            body: &New {
                name: format!("refs/heads/{branch}"),
                sha,
            },
        };
        self.github.write(order, self.value).await
    }

    /// Merges a commit into a branch, and moves the branch.
    ///
    /// # Errors
    ///
    /// After [`ApiError::OutcomeUnknown`], point the branch anew before it is tried again.
    pub async fn merge_into(
        &self,
        branch: &BranchName,
        head: CommitId,
        message: &str,
    ) -> Result<RemoteMerge, ApiError> {
        #[derive(Serialize)]
        struct Merge<'a> {
            base: &'a str,
            head: String,
            commit_message: &'a str,
        }
        let order = Order {
            method: Method::POST,
            url: self.url(&["merges"]),
            kind: Kind::Write,
            body: &Merge {
                base: branch.as_str(),
                head: head.to_string(),
                commit_message: message,
            },
        };
        match self.github.order(order, self.value).await {
            Ok(answer) if answer.status == StatusCode::NO_CONTENT => Ok(RemoteMerge::AlreadyMerged),
            Ok(answer) => {
                let made = answer.parse::<Made>()?;
                Ok(RemoteMerge::Made {
                    commit: made.sha,
                    onto: made.parents.first().map(|parent| parent.sha),
                })
            }
            Err(ApiError::Rejected { status: 409, .. }) => Ok(RemoteMerge::Conflict),
            Err(error) => Err(error),
        }
    }

    /// The parents of a commit, in their order.
    ///
    /// # Errors
    ///
    /// [`ApiError::Gone`] if GitHub does not have it. See [`ApiError`].
    pub async fn parents(&self, commit: CommitId) -> Result<Vec<CommitId>, ApiError> {
        #[derive(Deserialize)]
        struct Commit {
            parents: Vec<Parent>,
        }
        let url = self.url(&["commits", &commit.to_string()]);
        let found = self.github.get::<Commit>(url, Value::Landing).await?;
        Ok(found.parents.iter().map(|parent| parent.sha).collect())
    }

    /// Whether the history of a commit holds another.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn contains(
        &self,
        descendant: CommitId,
        ancestor: CommitId,
    ) -> Result<bool, ApiError> {
        let range = format!("{ancestor}...{descendant}");
        let url = self.url(&["compare", &range]);
        let answer = self.github.get::<Comparison>(url, Value::Landing).await;
        match answer {
            Ok(comparison) => Ok(matches!(comparison.status.as_str(), "ahead" | "identical")),
            Err(ApiError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether GitHub refuses to move a branch because there is none.
fn says_there_is_none(message: &str) -> bool {
    message.to_lowercase().contains("reference does not exist")
}
