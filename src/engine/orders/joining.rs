//! Joining one pull to a base in the mirror, in the style that the repository wants (homu:
//! `linear`, `autosquash`, `squash`).

use crate::git::{
    Autosquash, Changes, Credit, GitError, Merge, Mirror, Person, Rebase, RebasePlan,
};
use paprq_core::ids::{CommitId, Timestamp};
use paprq_core::queue::effect::{History, MemberMerge, MergeStyle, Shape};
use paprq_core::queue::event::MergeStep;
use paprq_core::queue::note::SomeFiles;

#[cfg(test)]
mod tests;

/// Who joins.
pub(super) struct Joiner<'a> {
    pub(super) mirror: &'a Mirror,
    pub(super) committer: &'a Person,
    /// When; the same moment gives the same commits.
    pub(super) at: Timestamp,
}

/// What became of joining a pull to a base.
pub(super) enum Joined {
    /// The new tip.
    Made(CommitId),
    /// The two contradict each other.
    Conflict(MergeStep),
    /// The base has all of the pull.
    Nothing,
    /// It has more commits than are rebased.
    TooLarge,
    /// Another content would come of it than of a plain merge, in these files.
    Altered(SomeFiles),
}

impl Joiner<'_> {
    /// Joins a pull to a base. Whatever the style, the content is that of a plain merge, where that
    /// is clean: merge commits, and what people change in them, are left out of a rebase.
    pub(super) async fn join(
        &self,
        base: CommitId,
        member: &MemberMerge,
    ) -> Result<Joined, GitError> {
        let joined = self.join_in_style(base, member).await?;
        let tip = match joined {
            Joined::Made(commit) if member.style != MergeStyle::default() => commit,
            Joined::Nothing if member.style != MergeStyle::default() => base,
            Joined::Made(_)
            | Joined::Nothing
            | Joined::Conflict(_)
            | Joined::TooLarge
            | Joined::Altered(_) => return Ok(joined),
        };
        Ok(match self.altered(base, member.head, tip).await? {
            Some(files) => Joined::Altered(files),
            None => joined,
        })
    }

    /// The files in which a tip is not what a plain merge would be.
    async fn altered(
        &self,
        base: CommitId,
        head: CommitId,
        tip: CommitId,
    ) -> Result<Option<SomeFiles>, GitError> {
        let Some(merged) = self.mirror.merged_tree(base, head).await? else {
            return Ok(None);
        };
        let made = self.mirror.tree_of(tip)?;
        if made == merged {
            return Ok(None);
        }
        let changes = self.mirror.changes_between(merged, made)?;
        Ok(Some(match changes {
            Changes::Paths(paths) => SomeFiles::of(paths),
            Changes::Everything => SomeFiles::of([]),
        }))
    }

    async fn join_in_style(
        &self,
        base: CommitId,
        member: &MemberMerge,
    ) -> Result<Joined, GitError> {
        let shaped = match (&member.style.shape, member.style.history) {
            (Shape::Squashed { message }, _) => self.squash(base, member.head, message).await?,
            (Shape::Autosquashed, History::Merged) => self.autosquash(base, member).await?,
            // Fixups find their place while the commits are rebased.
            (Shape::Autosquashed, History::Linear) | (Shape::AsTheyAre, _) => {
                Joined::Made(member.head)
            }
        };
        match (shaped, member.style.history) {
            (Joined::Made(head), History::Merged) => self.merge(base, head, member).await,
            (Joined::Made(head), History::Linear) => self.rebase(base, head, member).await,
            (
                unshaped @ (Joined::Conflict(_)
                | Joined::Nothing
                | Joined::TooLarge
                | Joined::Altered(_)),
                History::Merged | History::Linear,
            ) => Ok(unshaped),
        }
    }

    async fn merge(
        &self,
        base: CommitId,
        head: CommitId,
        member: &MemberMerge,
    ) -> Result<Joined, GitError> {
        let Self {
            mirror,
            committer,
            at,
        } = self;
        let merge = mirror.merge(base, head, &member.message, committer, *at);
        Ok(match merge.await? {
            Merge::Made(commit) => Joined::Made(commit),
            Merge::Conflict { .. } => Joined::Conflict(MergeStep::Merge),
            Merge::AlreadyMerged => Joined::Nothing,
        })
    }

    async fn squash(
        &self,
        base: CommitId,
        head: CommitId,
        message: &str,
    ) -> Result<Joined, GitError> {
        let squashed = self
            .mirror
            .squash(base, head, message, self.committer, self.at);
        Ok(joined(squashed.await?, MergeStep::Squash))
    }

    async fn autosquash(&self, base: CommitId, member: &MemberMerge) -> Result<Joined, GitError> {
        let plan = RebasePlan {
            append: String::new(),
            ..self.plan(Autosquash::On, member)
        };
        let squashed = self.mirror.autosquash(base, member.head, &plan);
        Ok(joined(squashed.await?, MergeStep::Autosquash))
    }

    /// Where only the order of fixups contradicts, that is said, as Homu does.
    async fn rebase(
        &self,
        onto: CommitId,
        head: CommitId,
        member: &MemberMerge,
    ) -> Result<Joined, GitError> {
        let fixups = if member.style.shape == Shape::Autosquashed {
            Autosquash::On
        } else {
            Autosquash::Off
        };
        let plan = self.plan(fixups, member);
        let rebased = self.mirror.rebase(onto, head, &plan).await?;
        if fixups == Autosquash::Off || !matches!(rebased, Rebase::Conflict { .. }) {
            return Ok(joined(rebased, MergeStep::Merge));
        }
        let plain = self.plan(Autosquash::Off, member);
        match self.mirror.rebase(onto, head, &plain).await? {
            Rebase::Made(_) => Ok(Joined::Conflict(MergeStep::Autosquash)),
            fails @ (Rebase::Conflict { .. } | Rebase::AlreadyMerged | Rebase::TooLarge) => {
                Ok(joined(fails, MergeStep::Merge))
            }
        }
    }

    fn plan(&self, autosquash: Autosquash, member: &MemberMerge) -> RebasePlan {
        RebasePlan {
            autosquash,
            credit: Credit::CoAuthors,
            append: member.message.clone(),
            // Nobody ever saw the commit that all were squashed into.
            source: matches!(member.style.shape, Shape::Squashed { .. }).then_some(member.head),
            committer: self.committer.clone(),
            at: self.at,
        }
    }
}

fn joined(rebase: Rebase, step: MergeStep) -> Joined {
    match rebase {
        Rebase::Made(commit) => Joined::Made(commit),
        Rebase::Conflict { .. } => Joined::Conflict(step),
        Rebase::AlreadyMerged => Joined::Nothing,
        Rebase::TooLarge => Joined::TooLarge,
    }
}
