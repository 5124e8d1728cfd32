//! Reading a copy of a database that is better not read where it lies.
//!
//! Where Homu was killed in the middle of a write, the journal must be played back, which whoever
//! only reads may not do. And beside a file with a write-ahead log that nobody has open, a reader
//! makes files that may then belong to another user than Homu's. Nobody writes to such files, or
//! SQLite would say that they are locked; should somebody begin to, the copy is not used.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempDir;

use super::{Failure, beside};

/// A copy of a database, for as long as this lives.
pub(super) struct Copy {
    folder: TempDir,
}

const NAME: &str = "copy.db";

impl Copy {
    /// The copied database.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }
}

/// Where the header of a database says that it has a write-ahead log, and how.
const WAL_MARK: (usize, u8) = (18, 2);

/// Whether a reader would make files beside a database, which are there while anybody has it open.
pub(super) fn is_needed(path: &Path) -> bool {
    let is_open = ["-wal", "-shm"]
        .iter()
        .all(|ending| beside(path, ending).exists());
    !is_open && has_log(path).unwrap_or(false)
}

fn has_log(path: &Path) -> io::Result<bool> {
    let (place, mark) = WAL_MARK;
    let mut header = Vec::new();
    File::open(path)?
        .take(place as u64 + 1)
        .read_to_end(&mut header)?;
    Ok(header.get(place) == Some(&mark))
}

/// Copies a database with what SQLite keeps beside it.
pub(super) fn copy(path: &Path) -> Result<Copy, Failure> {
    let refused = |error: io::Error| Failure::Refused(error.to_string());
    let copy = Copy {
        folder: tempfile::tempdir().map_err(refused)?,
    };
    let before = state(path);
    copy_bytes(path, &copy.file()).map_err(refused)?;
    for ending in ["-journal", "-wal"] {
        let source = beside(path, ending);
        if source.exists() {
            copy_bytes(&source, &beside(&copy.file(), ending)).map_err(refused)?;
        }
    }
    if state(path) == before {
        Ok(copy)
    } else {
        Err(Failure::Busy)
    }
}

/// The bytes alone: the copy must be writable though its original is not.
fn copy_bytes(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut File::create(to)?)?;
    Ok(())
}

/// The length and the moment of the last write of each file; both change with every write.
fn state(path: &Path) -> Vec<Option<(u64, Option<SystemTime>)>> {
    let files = [
        path.to_path_buf(),
        beside(path, "-journal"),
        beside(path, "-wal"),
    ];
    let state = |file: &PathBuf| {
        let found = fs::metadata(file).ok()?;
        Some((found.len(), found.modified().ok()))
    };
    files.iter().map(state).collect()
}
