//! Whether the database can take what comes in: its disk may be full, or broken.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use diesel::connection::SimpleConnection as _;

use super::Store;

/// With less room than this the disk counts as full, in bytes: a webhook may need that much.
const FREE_MIN_BYTES: u64 = 1 << 20;
/// How much is written to try a disk, in bytes: more than any file system keeps in an inode.
const TRIED_BYTES: usize = 64 << 10;
/// Changes nothing, and is written to the disk all the same.
const UNCHANGED: &str = "UPDATE instance SET key = key";

/// Why the database does not take what comes in. Nobody who reads it learns a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Complaint {
    /// There is hardly any room left.
    #[error("the disk of the database is full")]
    Full,
    /// A write failed, and so does the next one.
    #[error("the database cannot be written")]
    Unwritable,
}

impl Store {
    /// Why the database does not take what comes in, if it does not. It is tried only after a write
    /// has failed: whoever asks costs little.
    pub async fn complaint(&self) -> Option<Complaint> {
        if is_full(&self.file) {
            return Some(Complaint::Full);
        }
        if !self.writer.has_failed() {
            return None;
        }
        let file = self.file.clone();
        let tried = tokio::task::spawn_blocking(move || try_write(&file)).await;
        let is_disk_well = matches!(tried, Ok(Ok(())));
        if is_disk_well && self.write_unchanged().await {
            self.writer.is_well_again();
            return None;
        }
        Some(Complaint::Unwritable)
    }

    async fn write_unchanged(&self) -> bool {
        let written = self.write(|connection| Ok(connection.batch_execute(UNCHANGED)?));
        written.await.is_ok()
    }
}

fn is_full(file: &Path) -> bool {
    free_bytes(file).is_some_and(|free| free < FREE_MIN_BYTES)
}

/// The room that is left where a file is. The file itself is asked for: a name such as `paprq.db` names
/// no folder.
fn free_bytes(file: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(file).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn try_write(database: &Path) -> io::Result<()> {
    let path = database.with_extension(format!("try-{:016x}", rand::random::<u64>()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| {
            file.write_all(&vec![1; TRIED_BYTES])?;
            file.sync_all()
        });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::super::StoreError;
    use super::*;

    #[test]
    fn the_room_is_known_also_where_the_name_of_the_file_names_no_folder() {
        assert!(free_bytes(Path::new("Cargo.toml")).is_some());
    }

    #[tokio::test]
    async fn a_write_that_failed_is_complained_of_until_the_disk_takes_one() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("data");
        fs::create_dir(&folder).unwrap();
        let store = Store::open(&folder.join("paprq.db")).unwrap();
        assert_eq!(store.complaint().await, None);
        let failed = store.write(|_| Err::<(), _>(StoreError::Closed)).await;
        assert!(failed.is_err());
        // Nothing new can be written where there is no directory.
        let aside = top.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        assert_eq!(store.complaint().await, Some(Complaint::Unwritable));
        fs::rename(&aside, &folder).unwrap();
        assert_eq!(store.complaint().await, None);
        assert!(!store.writer.has_failed());
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
        assert!(
            left.iter()
                .all(|entry| !entry.file_name().to_string_lossy().contains("try-"))
        );
    }
}
