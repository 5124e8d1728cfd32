//! Reading a copy of a database that SQLite does not read where it lies.
//!
//! That is so where Homu was killed in the middle of a write: its journal must be played back, and
//! whoever only reads may not do that; and where the folder of a file with a write-ahead log may not
//! be written to. Nobody writes to such a file, or SQLite would have said that it is locked; should
//! somebody begin to, the copy is not used.

use std::fs::{self, File};
use std::io;
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
