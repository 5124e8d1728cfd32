//! Heads of pulls, and which of them a commit has in its history.

use super::mirror::PULL_COPIES;
use super::{GitError, Mirror};
use paprq_core::ids::{CommitId, PullNumber};

/// A pull at one of its commits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PullHead {
    /// Which pull.
    pub pull: PullNumber,
    /// Its head.
    pub commit: CommitId,
}

impl Mirror {
    /// Those of these pulls whose heads are in the history of a commit.
    ///
    /// # Errors
    /// [`GitError::Program`] if git fails.
    pub async fn pulls_within(
        &self,
        tip: CommitId,
        heads: Vec<PullHead>,
    ) -> Result<Vec<PullHead>, GitError> {
        let listed = self.copies_within(tip).await?;
        // A head that lies beside the mirror, or was too large to be fetched, has no ref.
        let prepare = move |mirror: &Self| Ok(mirror.sorted_by_copy(heads, &listed));
        let (mut within, unlisted) = self.blocking(prepare).await?;
        for head in unlisted {
            if self.is_ancestor(head.commit, tip).await? {
                within.push(head);
            }
        }
        Ok(within)
    }

    /// Those of the heads that are listed; and those that the mirror holds without a ref.
    fn sorted_by_copy(
        &self,
        heads: Vec<PullHead>,
        listed: &[PullHead],
    ) -> (Vec<PullHead>, Vec<PullHead>) {
        let (within, mut others): (Vec<_>, Vec<_>) =
            heads.into_iter().partition(|head| listed.contains(head));
        others.retain(|head| {
            let copy = self.pull_head(head.pull);
            self.has(head.commit) && !copy.is_ok_and(|copy| copy == Some(head.commit))
        });
        (within, others)
    }

    /// The pulls whose heads, as they were last fetched, are in the history of a commit.
    async fn copies_within(&self, tip: CommitId) -> Result<Vec<PullHead>, GitError> {
        let merged = format!("--merged={tip}");
        let args = [
            "for-each-ref",
            "--format=%(objectname) %(refname)",
            merged.as_str(),
            PULL_COPIES,
        ];
        let output = self.git(args).finish(self.limits().ask_s).await?;
        let listed = output.local_result()?;
        let lines = String::from_utf8_lossy(&listed);
        let found = lines.lines().filter_map(|line| {
            let (commit, name) = line.split_once(' ')?;
            let number = name.strip_prefix(PULL_COPIES)?.split('/').next()?;
            name.ends_with("/head").then_some(())?;
            Some(PullHead {
                pull: PullNumber(number.parse().ok()?),
                commit: commit.parse().ok()?,
            })
        });
        Ok(found.collect())
    }
}
