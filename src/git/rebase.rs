//! Rebasing without a work tree: the result is that of `git rebase`, byte for byte.
//!
//! Here is what a rebase is of and what may become of it. `replay` takes the commits over, in the
//! order of `todo` and with the messages of `message`.

use std::time::Duration;

use git2::{Commit, Oid, Repository};
use tokio::time::timeout;

use super::merge::retried;
use super::message::{Comments, stripped};
use super::mirror::{commit_bytes, commit_id, find_commit};
use super::object::{NewCommit, Source, Text, utf8};
use super::{GitError, Mirror, Person};
use paprq_core::ids::{CommitId, Timestamp};
use paprq_core::queue::message::{Kept, credited, without_skip_marks};

/// The most commits of its own that a pull can have to be rebased or squashed.
pub const COMMITS_MAX: usize = 1000;

/// The most bytes that their messages can have together.
const MESSAGES_BYTES_MAX: usize = 2 << 20;

/// What became of a rebase.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rebase {
    /// The last of the new commits. Nothing holds it yet: push or pin it.
    Made(CommitId),
    /// A commit cannot be taken over.
    Conflict {
        /// The commit of the pull at which it stopped.
        commit: CommitId,
        /// Where, in order; at most 4 MiB of names. None if the two have no history in common, if
        /// nothing would be left of a commit and its fixups, or no message of a squashed one.
        paths: Vec<String>,
    },
    /// The base has all of it already.
    AlreadyMerged,
    /// More than [`COMMITS_MAX`] commits, or more than 2 MiB of messages.
    TooLarge,
}

/// Whether `fixup!`, `squash!` and `amend!` act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Autosquash {
    /// Such commits are melted into those that they name.
    On,
    /// They are commits like others.
    Off,
}

/// Who is named in a commit into which others are melted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credit {
    /// Everybody who wrote one of them, as a co-author.
    CoAuthors,
    /// The author of the first, as git has it.
    AsGit,
}

/// How to rebase.
#[derive(Clone, Debug)]
pub struct RebasePlan {
    /// What `fixup!` and the like do.
    pub autosquash: Autosquash,
    /// Who is named in melted commits.
    pub credit: Credit,
    /// Lines that each message gets among its trailers, after the one that says where the commit was
    /// picked from. If there are none, commits that lie on the base already stay what they are.
    pub append: String,
    /// Where all commits are said to be picked from; `None`: each from the one that it was.
    pub source: Option<CommitId>,
    /// The committer of the new commits.
    pub committer: Person,
    /// When they are committed (UTC).
    pub at: Timestamp,
}

impl Mirror {
    /// What `git rebase --interactive --autosquash --empty=drop` makes of the pull's own commits on
    /// the merge base of `base` and `head`, without merges among them.
    ///
    /// The same arguments give the same commit. Authors and their dates stay; commits that need
    /// no change stay what they are. A commit that becomes empty is left out; where fixups are
    /// involved it is a conflict, as it is for git with its default `--empty=stop`.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks one of the two; [`GitError::Program`] if git fails;
    /// [`GitError::TooLarge`] if the time ([`super::Limits::rebase_s`]) or the memory is over.
    pub async fn autosquash(
        &self,
        base: CommitId,
        head: CommitId,
        plan: &RebasePlan,
    ) -> Result<Rebase, GitError> {
        self.persistently(|| self.try_autosquash(base, head, plan))
            .await
    }

    /// What `git rebase --empty=drop ONTO` makes of the pull: those of its commits that `onto` has
    /// neither as they are nor as the same change, without merges, each on top of the one before.
    ///
    /// Otherwise like [`Mirror::autosquash`].
    ///
    /// # Errors
    /// As with [`Mirror::autosquash`].
    pub async fn rebase(
        &self,
        onto: CommitId,
        head: CommitId,
        plan: &RebasePlan,
    ) -> Result<Rebase, GitError> {
        self.persistently(|| self.try_rebase(onto, head, plan))
            .await
    }

    /// The pull as one commit: the tree of `head` on the merge base of `base` and `head`, by the
    /// author of the pull's first own commit. The message is cleaned as that of a merge, and gets the
    /// trailers and the authors of the pull's own commits.
    ///
    /// # Errors
    /// As with [`Mirror::autosquash`].
    #[expect(
        clippy::too_many_arguments,
        reason = "these five make a commit; none of them belongs to another"
    )]
    pub async fn squash(
        &self,
        base: CommitId,
        head: CommitId,
        message: &str,
        committer: &Person,
        at: Timestamp,
    ) -> Result<Rebase, GitError> {
        let committer = committer.line(at)?;
        self.persistently(|| self.try_squash(base, head, message, &committer))
            .await
    }

    async fn try_autosquash(
        &self,
        base: CommitId,
        head: CommitId,
        plan: &RebasePlan,
    ) -> Result<Rebase, GitError> {
        let Some(fork) = self.fork_point(base, head).await? else {
            return Ok(unrelated(head));
        };
        match self.own_commits(fork, head).await? {
            Some(own) => self.replay(own, fork, plan).await,
            None => Ok(Rebase::TooLarge),
        }
    }

    async fn try_rebase(
        &self,
        onto: CommitId,
        head: CommitId,
        plan: &RebasePlan,
    ) -> Result<Rebase, GitError> {
        if self.fork_point(onto, head).await?.is_none() {
            return Ok(unrelated(head));
        }
        match self.own_commits(onto, head).await? {
            Some(own) => self.replay(own, onto, plan).await,
            None => Ok(Rebase::TooLarge),
        }
    }

    async fn try_squash(
        &self,
        base: CommitId,
        head: CommitId,
        message: &str,
        committer: &[u8],
    ) -> Result<Rebase, GitError> {
        let Some(fork) = self.fork_point(base, head).await? else {
            return Ok(unrelated(head));
        };
        let Some(own) = self.own_commits(fork, head).await? else {
            return Ok(Rebase::TooLarge);
        };
        let message = stripped(message.replace('\0', "").as_bytes(), Comments::Kept);
        let committer = committer.to_vec();
        self.blocking(move |mirror| {
            let repository = mirror.repository()?;
            let head = find_commit(&repository, head)?;
            if head.tree_id() == find_commit(&repository, fork)?.tree_id() {
                return Ok(Rebase::AlreadyMerged);
            }
            let text = squashed_text(own, &head, &message);
            let squashed = NewCommit {
                tree: head.tree_id(),
                parents: &[fork],
                text: &text,
                committer: &committer,
            };
            Ok(Rebase::Made(squashed.write(&repository)?))
        })
        .await
    }

    /// Tries again where upkeep was in the way, and gives up when the time is over.
    async fn persistently<F>(&self, work: impl Fn() -> F) -> Result<Rebase, GitError>
    where
        F: Future<Output = Result<Rebase, GitError>>,
    {
        let limit_s = self.limits().rebase_s;
        timeout(Duration::from_secs(limit_s), retried(work))
            .await
            .unwrap_or_else(|_elapsed| {
                Err(GitError::TooLarge(format!(
                    "no end of the rebase within {limit_s} s"
                )))
            })
    }

    /// The commits of `head` that `upstream` has neither as they are nor as the same change, first
    /// to last, without merges; `None` if that is too much.
    async fn own_commits(
        &self,
        upstream: CommitId,
        head: CommitId,
    ) -> Result<Option<Vec<Source>>, GitError> {
        let range = format!("{upstream}...{head}");
        let count_max = format!("--max-count={}", COMMITS_MAX + 1);
        let args = [
            "rev-list",
            "--topo-order",
            "--reverse",
            "--no-merges",
            "--right-only",
            "--cherry-mark",
            &count_max,
            &range,
            "--",
        ];
        let output = self.git(args).finish(self.limits().rebase_s).await?;
        let listed = output.local_result()?;
        self.blocking(move |mirror| {
            let repository = mirror.repository()?;
            read_commits(&repository, &String::from_utf8_lossy(&listed))
        })
        .await
    }
}

/// Reads what `git rev-list --cherry-mark` listed: `=ID` for what the other side has, else `+ID`.
fn read_commits(repository: &Repository, listed: &str) -> Result<Option<Vec<Source>>, GitError> {
    if listed.lines().count() > COMMITS_MAX {
        return Ok(None);
    }
    let mut bytes = 0;
    let mut commits = Vec::new();
    for line in listed.lines() {
        let (mark, id) = line.split_at_checked(1).unwrap_or_default();
        let id = commit_id(Oid::from_str(id)?);
        bytes += commit_bytes(repository, id)?;
        if bytes > MESSAGES_BYTES_MAX {
            return Ok(None);
        }
        let commit = find_commit(repository, id)?;
        let source = Source::read(repository, &commit)?;
        // Two commits that change nothing are not the same change.
        if mark == "+" || source.is_empty() {
            commits.push(source);
        }
    }
    Ok(Some(commits))
}

/// What the one commit says that these become.
fn squashed_text(own: Vec<Source>, head: &Commit<'_>, message: &[u8]) -> Text {
    let of = own.iter().map(|source| source.contribution(Kept::Trailers));
    let of: Vec<_> = of.collect();
    let first = own.into_iter().next().map(|source| source.text.author);
    let text = Text {
        author: first.unwrap_or_else(|| Text::of(head).author),
        ..Text::default()
    };
    let message = credited(&utf8(message), &text.person(), &of);
    Text {
        message: without_skip_marks(&message).into_bytes(),
        ..text
    }
}

fn unrelated(head: CommitId) -> Rebase {
    Rebase::Conflict {
        commit: head,
        paths: Vec::new(),
    }
}
