//! Commits made of objects that are there already, without a ref.

use git2::ErrorCode;

use crate::ids::CommitId;
use crate::practice::PracticeError;

use super::{Disk, Signature, commit_id, oid};

/// A commit to be made.
#[derive(Clone, Debug)]
pub(in crate::practice) struct NewCommit<'a> {
    pub(in crate::practice) tree: CommitId,
    pub(in crate::practice) parents: Vec<CommitId>,
    pub(in crate::practice) message: &'a str,
    pub(in crate::practice) author: Signature,
    pub(in crate::practice) committer: Signature,
}

impl Disk {
    /// Makes a commit; `None` if its tree or a parent is not there.
    pub(in crate::practice) fn make_commit(
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
