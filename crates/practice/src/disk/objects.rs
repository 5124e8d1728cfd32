//! Commits made of objects that are there already, without a ref.

use git2::ErrorCode;

use crate::PracticeError;
use paprq_core::ids::CommitId;

use super::{Disk, Signature, commit_id, oid};

/// A commit to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewCommit<'a> {
    pub(crate) tree: CommitId,
    pub(crate) parents: Vec<CommitId>,
    pub(crate) message: &'a str,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
}

impl Disk {
    /// Makes a commit; `None` if its tree or a parent is not there.
    pub(crate) fn make_commit(
        &self,
        new: &NewCommit<'_>,
    ) -> Result<Option<CommitId>, PracticeError> {
        let parents = new.parents.iter();
        let parents: Result<Vec<_>, git2::Error> = parents
            .map(|parent| self.repo.find_commit(oid(*parent)?))
            .collect();
        let (tree, parents) = match (self.repo.find_tree(oid(new.tree)?), parents) {
            (Ok(tree), Ok(parents)) => (tree, parents),
            (Err(error), _) | (_, Err(error)) if error.code() == ErrorCode::NotFound => {
                return Ok(None);
            }
            (Err(error), _) | (_, Err(error)) => return Err(error.into()),
        };
        let (author, committer) = (new.author.to_git()?, new.committer.to_git()?);
        let parents: Vec<_> = parents.iter().collect();
        let id = self
            .repo
            .commit(None, &author, &committer, new.message, &tree, &parents)?;
        Ok(Some(commit_id(id)))
    }
}
