//! Looking at the practice GitHub from a test, and waiting until it looks as it should.

use std::fmt;
use std::time::Duration;

use paprq_core::ids::{CommitId, Login, PullNumber, Timestamp};

use super::world::{Comment, Delivery, DeliveryOutcome, PullState, Request, Status};
use super::{Practice, PracticeError};

/// A pull at one moment.
#[derive(Clone, Debug)]
pub struct PullSeen {
    /// Its number.
    pub number: PullNumber,
    /// Its title.
    pub title: String,
    /// Its body.
    pub body: String,
    /// Who opened it.
    pub author: Login,
    /// Open, closed or merged.
    pub state: PullState,
    /// Whether it is not ready.
    pub draft: bool,
    /// `BRANCH` of the repository itself, `OWNER:BRANCH` of a fork.
    pub head_ref: String,
    /// The commit it proposes.
    pub head: CommitId,
    /// The branch it goes to.
    pub base_ref: String,
    /// Its labels, in the order in which they were put on.
    pub labels: Vec<String>,
    /// Its comments, oldest first.
    pub comments: Vec<CommentSeen>,
    /// The commit by which a merged pull came into the base branch.
    pub merge_commit: Option<CommitId>,
}

/// A comment at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommentSeen {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: Login,
    /// Markdown.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// What was waited for did not happen. Shows the end of the request log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("not within {limit:?}; the last requests and deliveries:\n{log}")]
pub struct TooLate {
    limit: Duration,
    log: Lines,
}

#[derive(Clone, Debug)]
struct Lines(Vec<String>);

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// How much of the log a [`TooLate`] shows.
const LINES_SHOWN: usize = 40;

impl Practice {
    /// Waits until this holds; asked again after every change here.
    ///
    /// # Errors
    /// If it did not hold within the limit.
    pub async fn wait_until(
        &self,
        limit: Duration,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Result<(), TooLate> {
        self.wait_for(limit, |practice| holds(practice).then_some(()))
            .await
    }

    /// Waits until this gives something; asked again after every change here.
    ///
    /// # Errors
    /// If it gave nothing within the limit.
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, TooLate> {
        let mut changes = self.core().changes();
        let found = tokio::time::timeout(limit, async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = find(self) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        });
        match found.await {
            Ok(Some(found)) => Ok(found),
            Ok(None) | Err(_) => Err(TooLate {
                limit,
                log: Lines(self.last_lines()),
            }),
        }
    }

    /// Where a branch stands on disk, if it exists.
    ///
    /// # Errors
    /// If the repository does not exist or is not readable.
    pub fn branch(&self, repo: &str, branch: &str) -> Result<Option<CommitId>, PracticeError> {
        let disk = self.core().disk(repo)?;
        disk.tip(&format!("refs/heads/{branch}"))
    }

    /// The parents of a commit.
    ///
    /// # Errors
    /// If repository or commit do not exist.
    pub fn parents(&self, repo: &str, commit: CommitId) -> Result<Vec<CommitId>, PracticeError> {
        Ok(self.core().disk(repo)?.commit(commit)?.parents)
    }

    /// The message of a commit.
    ///
    /// # Errors
    /// If repository or commit do not exist.
    pub fn message(&self, repo: &str, commit: CommitId) -> Result<String, PracticeError> {
        Ok(self.core().disk(repo)?.commit(commit)?.message)
    }

    /// A file at a commit, if it is there.
    ///
    /// # Errors
    /// If repository or commit do not exist.
    pub fn file(
        &self,
        repo: &str,
        commit: CommitId,
        path: &str,
    ) -> Result<Option<String>, PracticeError> {
        self.core().disk(repo)?.file(commit, path)
    }

    /// Whether a commit contains another (or is it).
    ///
    /// # Errors
    /// If repository or commits do not exist.
    pub fn contains(
        &self,
        repo: &str,
        new: CommitId,
        old: CommitId,
    ) -> Result<bool, PracticeError> {
        self.core().disk(repo)?.contains(new, old)
    }

    /// The repository's directory, for `git --git-dir`.
    ///
    /// # Errors
    /// If the repository does not exist.
    pub fn repo_dir(&self, repo: &str) -> Result<std::path::PathBuf, PracticeError> {
        self.core().read_repo(repo, |repo| repo.path.clone())
    }

    /// A pull, if it exists.
    pub fn pull(&self, repo: &str, number: PullNumber) -> Option<PullSeen> {
        let pull = self.core().pull(repo, number)?;
        let merge_commit = match &pull.stage {
            super::world::Stage::Merged { commit, .. } => Some(*commit),
            super::world::Stage::Open | super::world::Stage::Closed { .. } => None,
        };
        let head_ref = match pull.head_repo.split_once('/') {
            Some((owner, _)) if !pull.head_repo.eq_ignore_ascii_case(repo) => {
                format!("{owner}:{}", pull.head_branch)
            }
            Some(_) | None => pull.head_branch.clone(),
        };
        Some(PullSeen {
            number,
            state: pull.state(),
            title: pull.title,
            body: pull.body,
            author: pull.author,
            draft: pull.draft,
            head_ref,
            head: pull.head,
            base_ref: pull.base_branch,
            labels: pull.labels,
            comments: pull.comments.into_iter().map(CommentSeen::from).collect(),
            merge_commit,
        })
    }

    /// A pull's comments, oldest first; none if there is no such pull.
    pub fn comments(&self, repo: &str, number: PullNumber) -> Vec<CommentSeen> {
        self.pull(repo, number)
            .map(|pull| pull.comments)
            .unwrap_or_default()
    }

    /// Every status that a commit was given, oldest first.
    pub fn statuses(&self, repo: &str, commit: CommitId) -> Vec<Status> {
        let world = self.core().world();
        world
            .repo(repo)
            .and_then(|repo| repo.statuses.get(&commit).cloned())
            .unwrap_or_default()
    }

    /// The newest status of one context of a commit.
    pub fn status(&self, repo: &str, commit: CommitId, context: &str) -> Option<Status> {
        let mut all = self.statuses(repo, commit);
        all.retain(|status| status.context == context);
        all.pop()
    }

    /// All requests so far, REST and git, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.core().world().requests.clone()
    }

    /// How many REST calls there were so far (git's requests do not count).
    pub fn api_calls(&self) -> usize {
        let world = self.core().world();
        world.requests.iter().filter(|request| request.api).count()
    }

    /// All deliveries of webhooks so far, in the order in which they were made.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.core().world().deliveries.clone()
    }

    /// Whether every delivery was answered, has failed, or was lost.
    pub fn deliveries_are_done(&self) -> bool {
        let world = self.core().world();
        let mut deliveries = world.deliveries.iter();
        deliveries.all(|delivery| delivery.outcome != DeliveryOutcome::UnderWay)
    }

    fn last_lines(&self) -> Vec<String> {
        let world = self.core().world();
        let requests = world
            .requests
            .iter()
            .rev()
            .take(LINES_SHOWN)
            .map(|request| {
                let status = request
                    .status
                    .map_or_else(|| "-".to_owned(), |status| status.to_string());
                format!("{} {} {status}", request.method, request.path)
            });
        let deliveries = world.deliveries.iter().rev().take(LINES_SHOWN).map(|sent| {
            let action = sent.action.as_deref().unwrap_or("");
            format!("webhook {} {action}: {:?}", sent.event, sent.outcome)
        });
        requests.chain(deliveries).collect()
    }
}

impl From<Comment> for CommentSeen {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id,
            author: comment.author,
            body: comment.body,
            at: comment.created_at,
        }
    }
}
