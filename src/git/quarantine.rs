//! Heads that nobody let in yet: each in a directory of its own beside the mirror's objects, within
//! bounds. One that is replaced is gone at once; one that is let in is moved, not fetched again.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::mirror::{commit_bytes, forget_ref, oid, patiently, pull_copy};
use super::repair::LEFTOVER;
use super::{GitError, Mirror, PullHead};
use crate::store::private;
use paprq_core::ids::{CommitId, PullNumber};

/// Where they are, in the mirror's directory.
const FOLDER: &str = "quarantine";

impl PullHead {
    fn folder_name(self) -> String {
        format!("{}-{}", self.pull, self.commit)
    }
}

impl Mirror {
    /// Fetches the head of a stranger's pull into a place of its own, in which it is not pinned,
    /// pushed or served. An earlier head of the pull is dropped. Does nothing if the head is there.
    ///
    /// # Errors
    /// [`GitError::TooLarge`] if it is larger than [`super::Limits::stranger_bytes`], if all of them are
    /// larger than [`super::Limits::quarantine_bytes`], or if less than
    /// [`super::Limits::free_bytes_min`] is free. Otherwise as with [`Mirror::fetch_commit`].
    pub async fn quarantine(&self, head: PullHead) -> Result<(), GitError> {
        let _turn = self.quarantine_turn().await;
        let prepare = move |mirror: &Self| mirror.make_cell(head);
        let Some(cell) = self.blocking(prepare).await? else {
            return Ok(());
        };
        let fetched = self.fetch_aside(head.commit, cell.path()).await;
        if let Err(GitError::TooLarge(_)) = &fetched {
            self.too_large().insert(head.pull, head.commit);
        }
        fetched?;
        let settle = move |mirror: &Self| {
            let seen = mirror.beside_dirs(vec![cell.path().to_owned()]);
            commit_bytes(&seen.repository()?, head.commit)?;
            fs::rename(cell.path(), mirror.cell(head)).map_err(GitError::io("keep a head"))
        };
        self.blocking(settle).await
    }

    /// Moves a head out of quarantine into the mirror; says whether it was there.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn admit(&self, head: PullHead) -> Result<bool, GitError> {
        let work = move |mirror: &Self| {
            let cell = mirror.cell(head);
            if !cell.is_dir() {
                return Ok(false);
            }
            move_packs(&cell.join("pack"), &mirror.dir().join("objects/pack"))
                .map_err(GitError::io("let a head in"))?;
            let repository = mirror.repository()?;
            let id = oid(head.commit)?;
            let name = pull_copy(head.pull);
            patiently(|| repository.reference(&name, id, true, "").map(drop))?;
            fs::remove_dir_all(&cell).map_err(GitError::io("let a head in"))?;
            Ok(true)
        };
        self.blocking(work).await
    }

    /// A handle to the same mirror that also sees those of these heads that are in quarantine. What
    /// it writes is in the mirror.
    pub fn beside(&self, heads: &[PullHead]) -> Self {
        let cells = heads.iter().map(|head| self.cell(*head));
        self.beside_dirs(cells.filter(|cell| cell.is_dir()).collect())
    }

    /// Whether this handle sees a commit beside the mirror.
    pub(super) fn is_beside(&self, commit: CommitId) -> bool {
        let ending = format!("-{commit}");
        self.dirs_beside()
            .any(|cell| cell.as_os_str().as_bytes().ends_with(ending.as_bytes()))
    }

    /// Drops whatever is in quarantine but for these heads, and forgets the heads of other pulls.
    /// Says how many heads were in quarantine that are not any more.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn keep_only(&self, heads: Vec<PullHead>) -> Result<usize, GitError> {
        let work = move |mirror: &Self| {
            let kept: BTreeSet<_> = heads.iter().map(|head| head.folder_name()).collect();
            let dropped = mirror.drop_cells(|name| !kept.contains(name))?;
            let pulls: BTreeSet<_> = heads.iter().map(|head| head.pull).collect();
            mirror.too_large().retain(|pull, _| pulls.contains(pull));
            mirror.forget_other_pulls(&pulls)?;
            Ok(dropped)
        };
        self.blocking(work).await
    }

    /// How many bytes are in quarantine.
    pub fn quarantined_bytes(&self) -> u64 {
        let cells = entries(&self.quarantine_dir());
        let packs = cells.flat_map(|cell| entries(&cell.join("pack")));
        packs
            .filter_map(|pack| Some(pack.metadata().ok()?.len()))
            .sum()
    }

    fn quarantine_dir(&self) -> PathBuf {
        self.dir().join(FOLDER)
    }

    fn cell(&self, head: PullHead) -> PathBuf {
        self.quarantine_dir().join(head.folder_name())
    }

    /// An empty place for a head, if it is wanted and there is room.
    fn make_cell(&self, head: PullHead) -> Result<Option<tempfile::TempDir>, GitError> {
        if self.has(head.commit) || self.cell(head).is_dir() {
            return Ok(None);
        }
        let earlier = format!("{}-", head.pull);
        self.drop_cells(|name| name.starts_with(&earlier))?;
        if self.too_large().get(&head.pull) == Some(&head.commit) {
            let said = "it was larger when it was fetched last".to_owned();
            return Err(GitError::TooLarge(said));
        }
        self.require_room()?;
        let room = GitError::io("make room for a head");
        let made = private::make_directory(&self.quarantine_dir()).and_then(|()| {
            let mut cell = tempfile::Builder::new();
            cell.prefix(LEFTOVER).tempdir_in(self.quarantine_dir())
        });
        made.map(Some).map_err(room)
    }

    fn require_room(&self) -> Result<(), GitError> {
        let limits = self.limits();
        let disk = rustix::fs::statvfs(self.dir()).map_err(io::Error::from);
        let disk = disk.map_err(GitError::io("look how much is free"))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < limits.free_bytes_min {
            return Err(GitError::TooLarge(format!(
                "{free} bytes are free on the disk of the mirror, less than {}",
                limits.free_bytes_min
            )));
        }
        let held = self.quarantined_bytes();
        if held >= limits.quarantine_bytes {
            return Err(GitError::TooLarge(format!(
                "{held} bytes of heads are in quarantine, the most is {}",
                limits.quarantine_bytes
            )));
        }
        Ok(())
    }

    fn drop_cells(&self, is_unwanted: impl Fn(&str) -> bool) -> Result<usize, GitError> {
        let mut dropped = 0;
        for cell in entries(&self.quarantine_dir()) {
            let name = cell.file_name().unwrap_or_default();
            let name = String::from_utf8_lossy(name.as_bytes());
            if !name.starts_with(LEFTOVER) && is_unwanted(&name) {
                fs::remove_dir_all(&cell).map_err(GitError::io("drop a head"))?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    fn forget_other_pulls(&self, pulls: &BTreeSet<PullNumber>) -> Result<(), GitError> {
        let repository = self.repository()?;
        let mut gone = Vec::new();
        for name in repository.references_glob("refs/remote/pull/*")?.names() {
            let name = name?;
            let number = name
                .split('/')
                .nth(3)
                .and_then(|number| number.parse().ok());
            let pull = number.map(PullNumber);
            if !pull.is_some_and(|pull| pulls.contains(&pull)) {
                gone.push(name.to_owned());
            }
        }
        gone.iter()
            .try_for_each(|name| forget_ref(&repository, name))
    }
}

/// What is in a directory; nothing if it cannot be read.
fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// Moves packs so that none is seen before it is whole: git finds a pack by its index.
fn move_packs(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let is_index = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "idx");
    let (indexes, others): (Vec<_>, Vec<_>) = entries(from).partition(is_index);
    for path in others.into_iter().chain(indexes) {
        if let Some(name) = path.file_name() {
            fs::rename(&path, to.join(name))?;
        }
    }
    Ok(())
}
