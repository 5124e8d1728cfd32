//! Moving branches of the remote, and knowing afterwards whether they moved.

use super::mirror::{branch_copy, branch_ref, oid, patiently};
use super::program::Output;
use super::{GitError, Mirror, Remote};
use paprq_core::ids::{BranchName, CommitId};

/// What a push may do to the branch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PushKind {
    /// Create it, or move it from anywhere. For branches that are ours (`auto`, `try`).
    Overwrite,
    /// Move it forward, from exactly where it was seen, and only if it exists.
    FastForward,
}

/// What became of a push.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PushOutcome {
    /// The branch is at the commit: it was moved, or was there already.
    Done,
    /// Not moved: it is elsewhere, at a commit that the new one does not contain, or gone.
    Moved {
        /// Where it is; `None` if it does not exist.
        tip: Option<CommitId>,
    },
    /// Not moved: the remote forbids it (branch protection, a hook).
    Refused {
        /// What the remote said, for people.
        reason: String,
    },
}

/// Where a push goes.
#[derive(Clone, Copy)]
struct Destination<'a> {
    remote: &'a Remote,
    branch: &'a BranchName,
    /// Where the branch was when it was last seen.
    seen: Option<CommitId>,
}

/// What one `git push` said.
enum PushReport {
    /// The remote confirmed the new tip.
    Accepted,
    /// The branch was not where it was expected.
    Stale,
    /// The remote refused this branch; why, in its words.
    Refused(String),
    /// No word about the branch: it may have moved or not.
    Nothing(Output),
}

impl Mirror {
    /// Pushes a commit to a branch of the remote. An outcome that got lost is read back.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks the commit; [`GitError::Transient`] if the remote
    /// was not reached; [`GitError::Unknown`] if the push may still arrive;
    /// [`GitError::Rejected`], [`GitError::Gone`] for the whole repository, [`GitError::BadName`].
    pub async fn push(
        &self,
        commit: CommitId,
        to: &BranchName,
        how: PushKind,
    ) -> Result<PushOutcome, GitError> {
        let remote = self.remote();
        let there = Destination {
            remote: &remote,
            branch: to,
            seen: self.tip(to)?,
        };
        let outcome = self.push_there(commit, there, how).await?;
        match outcome {
            PushOutcome::Done => self.remember(commit, to)?,
            // What follows will look at the mirror.
            PushOutcome::Moved { tip: Some(tip) } if self.has(tip) => self.remember(tip, to)?,
            PushOutcome::Moved { .. } | PushOutcome::Refused { .. } => {}
        }
        Ok(outcome)
    }

    /// Pushes a commit to a branch of another repository than the one that this mirrors, with the
    /// rights that are given: to a fork. Remembers nothing of that repository.
    ///
    /// # Errors
    /// As with [`Mirror::push`], and [`GitError::BadUrl`].
    pub async fn push_to(
        &self,
        remote: &Remote,
        commit: CommitId,
        to: &BranchName,
        how: PushKind,
    ) -> Result<PushOutcome, GitError> {
        remote.transports()?;
        let there = Destination {
            remote,
            branch: to,
            seen: None,
        };
        self.push_there(commit, there, how).await
    }

    async fn push_there(
        &self,
        commit: CommitId,
        to: Destination<'_>,
        how: PushKind,
    ) -> Result<PushOutcome, GitError> {
        branch_ref(to.branch)?;
        if !self.has(commit) {
            return Err(GitError::Missing(commit));
        }
        match how {
            PushKind::Overwrite => self.overwrite(commit, to).await,
            PushKind::FastForward => self.advance(commit, to).await,
        }
    }

    async fn overwrite(
        &self,
        commit: CommitId,
        to: Destination<'_>,
    ) -> Result<PushOutcome, GitError> {
        match self.run_push(commit, to, "--force").await? {
            PushReport::Accepted => Ok(PushOutcome::Done),
            PushReport::Stale => Err(GitError::Transient(format!(
                "{} moved meanwhile",
                to.branch
            ))),
            PushReport::Refused(reason) => self.settle_refusal(commit, to, None, reason).await,
            PushReport::Nothing(output) => self.settle_silence(commit, to, output).await,
        }
    }

    /// Moves the branch forward from where the mirror believes it is; if it is not there, once
    /// more from where it really is.
    async fn advance(
        &self,
        commit: CommitId,
        to: Destination<'_>,
    ) -> Result<PushOutcome, GitError> {
        if let Some(expected) = to.seen
            && self.is_ancestor(expected, commit).await?
        {
            match self.advance_from(expected, commit, to).await? {
                PushOutcome::Moved { .. } => {}
                settled @ (PushOutcome::Done | PushOutcome::Refused { .. }) => return Ok(settled),
            }
        }
        let Some(tip) = self.tip_at(to.remote, to.branch).await? else {
            return Ok(PushOutcome::Moved { tip: None });
        };
        if tip == commit {
            return Ok(PushOutcome::Done);
        }
        match self.fetch_commit_from(to.remote, tip).await {
            Ok(()) if self.is_ancestor(tip, commit).await? => {
                self.advance_from(tip, commit, to).await
            }
            // It is gone if the branch was rewritten this very moment.
            Ok(()) | Err(GitError::Gone(_)) => Ok(PushOutcome::Moved { tip: Some(tip) }),
            Err(error) => Err(error),
        }
    }

    /// `expected` must be an ancestor of `commit`: the lease replaces git's own check of that.
    async fn advance_from(
        &self,
        expected: CommitId,
        commit: CommitId,
        to: Destination<'_>,
    ) -> Result<PushOutcome, GitError> {
        let lease = format!("--force-with-lease={}:{expected}", branch_ref(to.branch)?);
        match self.run_push(commit, to, &lease).await? {
            PushReport::Accepted => Ok(PushOutcome::Done),
            PushReport::Stale => Ok(PushOutcome::Moved {
                tip: self.tip_at(to.remote, to.branch).await?,
            }),
            PushReport::Refused(reason) => {
                self.settle_refusal(commit, to, Some(expected), reason)
                    .await
            }
            PushReport::Nothing(output) => self.settle_silence(commit, to, output).await,
        }
    }

    /// A refusal may be a lost race, or the second answer to a push that arrived.
    async fn settle_refusal(
        &self,
        commit: CommitId,
        to: Destination<'_>,
        expected: Option<CommitId>,
        reason: String,
    ) -> Result<PushOutcome, GitError> {
        let tip = self.tip_at(to.remote, to.branch).await?;
        if tip == Some(commit) {
            return Ok(PushOutcome::Done);
        }
        match expected {
            Some(_) if tip != expected => Ok(PushOutcome::Moved { tip }),
            Some(_) | None => Ok(PushOutcome::Refused { reason }),
        }
    }

    /// Reads back what the remote did with a push that it did not answer.
    async fn settle_silence(
        &self,
        commit: CommitId,
        to: Destination<'_>,
        output: Output,
    ) -> Result<PushOutcome, GitError> {
        if was_never_sent(&output.stderr) {
            return Err(GitError::from_stderr(&output.stderr));
        }
        match self.tip_at(to.remote, to.branch).await {
            Ok(tip) if tip == Some(commit) => Ok(PushOutcome::Done),
            Ok(_) | Err(_) => Err(GitError::Unknown(output.stderr.trim().to_owned())),
        }
    }

    async fn run_push(
        &self,
        commit: CommitId,
        to: Destination<'_>,
        rule: &str,
    ) -> Result<PushReport, GitError> {
        let refspec = format!("{commit}:{}", branch_ref(to.branch)?);
        // Not `--quiet`: that leaves out the line about a branch that moved.
        let args = [
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--recurse-submodules=no",
            rule,
            "--",
            &to.remote.url,
            &refspec,
        ];
        let run = self.git_with(to.remote, args).online()?;
        let output = run.finish(self.limits().push_s).await?;
        Ok(answer(output))
    }

    /// The mirror knows what it pushed without fetching it.
    fn remember(&self, commit: CommitId, to: &BranchName) -> Result<(), GitError> {
        let repository = self.repository()?;
        let name = branch_copy(to)?;
        let oid = oid(commit)?;
        patiently(|| repository.reference(&name, oid, true, "").map(drop))
    }
}

/// Reads the line `FLAG<TAB>FROM:TO<TAB>SUMMARY (REASON)` of `git push --porcelain`.
fn answer(output: Output) -> PushReport {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = stdout
        .lines()
        .find_map(|line| line.split_once('\t').filter(|(flag, _)| flag.len() == 1));
    match line {
        Some((" " | "+" | "*" | "=", _)) if output.code == Some(0) => PushReport::Accepted,
        Some(("!", rest)) if rest.contains("\t[rejected]") => PushReport::Stale,
        Some(("!", rest)) if rest.contains("\t[remote rejected]") => {
            PushReport::Refused(reason(rest, &output.stderr))
        }
        _ => PushReport::Nothing(output),
    }
}

/// The reason of the refusal, and what the remote's hooks had to say.
fn reason(line: &str, stderr: &str) -> String {
    let short = line
        .rsplit_once(" (")
        .map_or(line, |(_, short)| short.trim_end_matches(')'));
    let remarks = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("remote: "))
        .map(str::trim)
        .filter(|remark| !remark.is_empty());
    std::iter::once(short)
        .chain(remarks)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Whether git failed before it sent anything: while it asked for the remote's refs.
fn was_never_sent(stderr: &str) -> bool {
    stderr.contains("unable to access")
        || matches!(
            GitError::from_stderr(stderr),
            GitError::Gone(_) | GitError::Rejected(_)
        )
}
