//! Reading one file of a commit, through the symbolic links of its tree and never out of it.

use std::collections::VecDeque;

use git2::{ObjectType, Oid, Repository};

use super::mirror::{find_commit, find_tree};
use super::{GitError, Mirror};
use paprq_core::ids::CommitId;

/// What [`Mirror::read_file`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileAt {
    /// No file of that name: nothing, a directory or a submodule.
    Absent,
    /// A symbolic link that leads to no file of the commit.
    Astray(Astray),
    /// A file with more bytes than asked for.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The content, as it is in the commit.
    Content(Vec<u8>),
}

/// Where a symbolic link leads instead of to a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Astray {
    /// Out of the repository: to an absolute path, or above the root.
    Outside,
    /// To nothing, to a directory or to a submodule.
    Nowhere,
    /// In a circle, or through more links than an operating system follows.
    Around,
}

/// What a path of a commit stands for, links followed. Two equal ones hold the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    Absent,
    Astray(Astray),
    File(Oid),
}

/// As many links as Linux follows (path_resolution(7)), and its longest path.
const LINKS_MAX: usize = 40;
const LINK_BYTES_MAX: usize = 4096;

impl Mirror {
    /// Reads a file of a commit. `path` is relative to the root, with `/` between names; symbolic
    /// links are followed inside the commit's own tree.
    ///
    /// # Errors
    /// [`GitError::Missing`] if the mirror lacks the commit; [`GitError::TooLarge`] if the commit or
    /// a directory on the way is larger than is read.
    pub fn read_file(
        &self,
        commit: CommitId,
        path: &str,
        bytes_max: u64,
    ) -> Result<FileAt, GitError> {
        let repository = self.repository()?;
        let file = match place(&repository, commit, path)? {
            Target::Absent => return Ok(FileAt::Absent),
            Target::Astray(astray) => return Ok(FileAt::Astray(astray)),
            Target::File(file) => file,
        };
        let (bytes, _) = repository.odb()?.read_header(file)?;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if bytes > bytes_max {
            return Ok(FileAt::TooLarge { bytes });
        }
        let blob = repository.find_blob(file)?;
        Ok(FileAt::Content(blob.content().to_vec()))
    }

    /// Whether a file, links followed, is not the same in two commits.
    ///
    /// # Errors
    /// As with [`Mirror::read_file`].
    pub fn differs(&self, one: CommitId, other: CommitId, path: &str) -> Result<bool, GitError> {
        let repository = self.repository()?;
        Ok(place(&repository, one, path)? != place(&repository, other, path)?)
    }
}

fn place(repository: &Repository, commit: CommitId, path: &str) -> Result<Target, GitError> {
    let root = find_commit(repository, commit)?.tree_id();
    let mut way = Way {
        repository,
        dirs: vec![root],
        ahead: VecDeque::new(),
        links: 0,
    };
    way.turn_to(path.as_bytes());
    way.follow()
}

/// A path on the way through a tree.
struct Way<'a> {
    repository: &'a Repository,
    /// The directories from the root to where it has come.
    dirs: Vec<Oid>,
    ahead: VecDeque<Vec<u8>>,
    links: usize,
}

/// What a name stands for in a directory.
enum Entry {
    Down(Oid),
    File(Oid),
    Link(Oid),
    Nothing,
}

impl Way<'_> {
    fn follow(mut self) -> Result<Target, GitError> {
        while let Some(name) = self.ahead.pop_front() {
            let step = match name.as_slice() {
                b"" | b"." if self.links > 0 => continue,
                b".." if self.links > 0 => {
                    self.dirs.pop();
                    if self.dirs.is_empty() {
                        return Ok(Target::Astray(Astray::Outside));
                    }
                    continue;
                }
                name => self.step(name)?,
            };
            match step {
                Entry::Down(tree) => self.dirs.push(tree),
                Entry::File(file) if self.ahead.is_empty() => return Ok(Target::File(file)),
                Entry::File(_) | Entry::Nothing => break,
                Entry::Link(link) => {
                    if let Some(astray) = self.through(link)? {
                        return Ok(Target::Astray(astray));
                    }
                }
            }
        }
        Ok(self.no_file())
    }

    fn step(&self, name: &[u8]) -> Result<Entry, GitError> {
        const PERMISSIONS: i32 = 0o777;
        const REGULAR: i32 = 0o100_000;
        const LINK: i32 = 0o120_000;
        let Some(dir) = self.dirs.last() else {
            return Ok(Entry::Nothing);
        };
        let tree = find_tree(self.repository, *dir)?;
        let entry = tree.iter().find(|entry| entry.name_bytes() == name);
        Ok(match entry {
            Some(entry) if entry.kind() == Some(ObjectType::Tree) => Entry::Down(entry.id()),
            Some(entry) if entry.filemode() & !PERMISSIONS == REGULAR => Entry::File(entry.id()),
            Some(entry) if entry.filemode() == LINK => Entry::Link(entry.id()),
            Some(_) | None => Entry::Nothing,
        })
    }

    /// Goes on where a link leads; says so if that is nowhere.
    fn through(&mut self, link: Oid) -> Result<Option<Astray>, GitError> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Ok(Some(Astray::Around));
        }
        let (bytes, _) = self.repository.odb()?.read_header(link)?;
        if bytes > LINK_BYTES_MAX {
            return Ok(Some(Astray::Nowhere));
        }
        let link = self.repository.find_blob(link)?;
        if link.content().starts_with(b"/") {
            return Ok(Some(Astray::Outside));
        }
        self.turn_to(link.content());
        Ok(None)
    }

    fn turn_to(&mut self, path: &[u8]) {
        for name in path.split(|byte| *byte == b'/').rev() {
            self.ahead.push_front(name.to_vec());
        }
    }

    fn no_file(&self) -> Target {
        match self.links {
            0 => Target::Absent,
            _ => Target::Astray(Astray::Nowhere),
        }
    }
}
