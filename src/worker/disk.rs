//! Whether the worker's own disk can take anything: told from a suite that has filled its share.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::conclusion::reason;

/// With less room than this a disk counts as full, whoever filled it, in bytes.
const FREE_MIN_BYTES: u64 = 256 * 1024 * 1024;
/// With fewer free inodes than this a disk counts as full: what a room without a commit takes.
const FREE_MIN_INODES: u64 = 32;
/// How much is written to try a disk, in bytes: more than any file system keeps in an inode.
const TRIED_BYTES: usize = 64 * 1024;

/// What the disk that this is on lacks, in one sentence for people.
pub(super) fn lack(path: &Path) -> Option<String> {
    let disk = rustix::fs::statvfs(path).ok()?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < FREE_MIN_BYTES {
        return Some("The worker's disk is full.".to_owned());
    }
    // Some file systems make inodes as they need them, and count none.
    (disk.f_files > 0 && disk.f_favail < FREE_MIN_INODES)
        .then(|| "The worker's disk has no inodes left.".to_owned())
}

/// The same, found out by writing a file there, too: quotas and broken disks show no other way.
/// Blocks.
pub(super) fn lack_when_tried(directory: &Path) -> Option<String> {
    lack(directory).or_else(|| try_write(directory).err().map(|error| reason(&error)))
}

fn try_write(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let path = directory.join(format!(".try-{:016x}", rand::random::<u64>()));
    let written = fs::OpenOptions::new()
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
    use super::*;

    #[test]
    fn a_disk_with_room_lacks_nothing_and_keeps_nothing_of_the_trial() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("jobs");
        assert_eq!(lack_when_tried(&inner), None);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 0);
    }

    #[test]
    fn a_disk_that_takes_nothing_says_why() {
        // A kernel's file system: nobody can write there, root neither.
        let words = lack_when_tried(Path::new("/proc")).unwrap();
        assert!(words.starts_with("The worker's "), "{words}");
    }
}
