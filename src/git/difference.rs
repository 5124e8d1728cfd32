//! Which paths differ between two commits.

use std::collections::BTreeSet;

use git2::{DiffOptions, ErrorCode};

use super::mirror::{commit_id, find_commit};
use super::{GitError, Mirror};
use crate::ids::CommitId;

impl Mirror {
    /// The paths that were added, changed or removed between two commits, with `/` between names;
    /// of a file that was moved, both. Only directories that differ are looked into.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks one of the commits.
    pub fn changed_paths(
        &self,
        from: CommitId,
        to: CommitId,
    ) -> Result<BTreeSet<String>, GitError> {
        let repository = self.repository()?;
        let before = find_commit(&repository, from)?.tree()?;
        let after = find_commit(&repository, to)?.tree()?;
        let mut options = DiffOptions::new();
        options.skip_binary_check(true).include_typechange(true);
        let difference =
            repository.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))?;
        let files = difference.deltas().flat_map(|delta| {
            let sides = [delta.old_file().path_bytes(), delta.new_file().path_bytes()];
            sides.map(|path| path.map(|path| String::from_utf8_lossy(path).into_owned()))
        });
        Ok(files.flatten().collect())
    }

    /// The paths that a head changes since it left a base, whatever became of that since.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks one of the commits.
    pub fn paths_changed_by(
        &self,
        base: CommitId,
        head: CommitId,
    ) -> Result<BTreeSet<String>, GitError> {
        let repository = self.repository()?;
        let (one, other) = (
            find_commit(&repository, base)?,
            find_commit(&repository, head)?,
        );
        let fork = match repository.merge_base(one.id(), other.id()) {
            Ok(fork) => commit_id(fork),
            // Without a history in common, all of it is new.
            Err(error) if error.code() == ErrorCode::NotFound => base,
            Err(error) => return Err(error.into()),
        };
        self.changed_paths(fork, head)
    }
}
