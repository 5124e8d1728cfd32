//! Which paths differ between two commits, as long as that is a list that a person could have made.

use std::collections::{BTreeMap, BTreeSet};

use git2::{Oid, Repository};

use super::mirror::find_tree;
use super::{GitError, Mirror, TreeId};
use paprq_core::ids::CommitId;

/// What differs between two commits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Changes {
    /// These paths, with `/` between names; of a file that was moved, both.
    Paths(BTreeSet<String>),
    /// More than is listed: any path may have changed.
    Everything,
}

/// The most paths that are listed, and the most bytes that they and the directories may have. A few
/// kilobytes of objects can name themselves often enough for a list of any length.
const PATHS_MAX: usize = 100_000;
const PATHS_BYTES_MAX: usize = 16 << 20;
const TREES_BYTES_MAX: usize = 64 << 20;

impl Mirror {
    /// The paths that were added, changed or removed between two commits. Only directories that
    /// differ are looked into.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks one of the commits, [`GitError::TooLarge`] if one
    /// of them cannot be read.
    pub fn changed_paths(&self, from: CommitId, to: CommitId) -> Result<Changes, GitError> {
        self.changes_between(self.tree_of(from)?, self.tree_of(to)?)
    }

    /// The paths that differ between two trees.
    ///
    /// # Errors
    /// If the mirror lacks a directory of them.
    pub fn changes_between(&self, before: TreeId, after: TreeId) -> Result<Changes, GitError> {
        let repository = self.repository()?;
        let mut walk = Walk::new(&repository);
        walk.enter(Vec::new(), Some(before.id()), Some(after.id()));
        while let Some(pair) = walk.open.pop() {
            match walk.compare(pair) {
                Ok(()) if walk.is_within_bounds() => {}
                Ok(()) | Err(GitError::TooLarge(_)) => return Ok(Changes::Everything),
                Err(error) => return Err(error),
            }
        }
        let paths = walk.found.iter();
        let paths = paths.map(|path| String::from_utf8_lossy(path).into_owned());
        Ok(Changes::Paths(paths.collect()))
    }
}

/// A directory in either commit; `None` where there is none.
struct Pair {
    /// Its path; ends with `/` unless it is the root.
    prefix: Vec<u8>,
    before: Option<Oid>,
    after: Option<Oid>,
}

/// One name of a directory, in either commit.
#[derive(Default)]
struct Name {
    before: Option<Entry>,
    after: Option<Entry>,
    /// The name is there twice, as git never writes it: what it stands for is anybody's guess.
    doubled: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
struct Entry {
    id: Oid,
    mode: i32,
}

/// A comparison under way. The directories that are still to be compared are a list, not a call
/// stack, which strangers could make as deep as they like.
struct Walk<'a> {
    repository: &'a Repository,
    open: Vec<Pair>,
    found: BTreeSet<Vec<u8>>,
    path_bytes: usize,
    tree_bytes: usize,
}

impl<'a> Walk<'a> {
    fn new(repository: &'a Repository) -> Self {
        Self {
            repository,
            open: Vec::new(),
            found: BTreeSet::new(),
            path_bytes: 0,
            tree_bytes: 0,
        }
    }

    fn is_within_bounds(&self) -> bool {
        self.found.len() <= PATHS_MAX
            && self.path_bytes <= PATHS_BYTES_MAX
            && self.tree_bytes <= TREES_BYTES_MAX
    }

    fn enter(&mut self, prefix: Vec<u8>, before: Option<Oid>, after: Option<Oid>) {
        if before != after {
            self.path_bytes += prefix.len();
            self.open.push(Pair {
                prefix,
                before,
                after,
            });
        }
    }

    fn list(&mut self, path: &[u8]) {
        self.path_bytes += path.len();
        self.found.insert(path.to_vec());
    }

    fn compare(&mut self, pair: Pair) -> Result<(), GitError> {
        let mut names: BTreeMap<Vec<u8>, Name> = BTreeMap::new();
        self.read(pair.before, &mut names, |name| &mut name.before)?;
        self.read(pair.after, &mut names, |name| &mut name.after)?;
        for (name, sides) in names {
            if !self.is_within_bounds() {
                return Ok(());
            }
            let path = [pair.prefix.as_slice(), &name].concat();
            if sides.doubled {
                self.list(&path);
            } else if sides.before != sides.after {
                self.settle(path, &sides);
            }
        }
        Ok(())
    }

    /// Lists what differs as a file, and enters what differs as a directory.
    fn settle(&mut self, path: Vec<u8>, sides: &Name) {
        let is_file = |side: Option<Entry>| side.is_some_and(|entry| entry.mode != TREE);
        if is_file(sides.before) || is_file(sides.after) {
            self.list(&path);
        }
        let below = |side: Option<Entry>| side.filter(|entry| entry.mode == TREE).map(|it| it.id);
        let mut prefix = path;
        prefix.push(b'/');
        self.enter(prefix, below(sides.before), below(sides.after));
    }

    fn read(
        &mut self,
        tree: Option<Oid>,
        names: &mut BTreeMap<Vec<u8>, Name>,
        side: impl Fn(&mut Name) -> &mut Option<Entry>,
    ) -> Result<(), GitError> {
        let Some(tree) = tree else {
            return Ok(());
        };
        let (bytes, _) = self.repository.odb()?.read_header(tree)?;
        self.tree_bytes += bytes;
        if !self.is_within_bounds() {
            return Ok(());
        }
        for entry in &find_tree(self.repository, tree)? {
            let name = names.entry(entry.name_bytes().to_vec()).or_default();
            let before = side(name).replace(Entry {
                id: entry.id(),
                mode: entry.filemode(),
            });
            name.doubled |= before.is_some();
        }
        Ok(())
    }
}

/// The mode of a directory, as git writes it.
const TREE: i32 = 0o040_000;
