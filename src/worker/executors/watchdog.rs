//! Notices when a running suite uses more than its share.
//!
//! The kernel's own limits (see `bubblewrap.rs`) hold for one process or one file each; this holds
//! for the whole suite. It looks four times a second, so a suite can overshoot for a moment.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use super::processes::{self, ProcessNumber};
use crate::clock::Stopwatch;
use crate::worker::disk;
use crate::worker::settings::Limits;

/// How often processes and memory are counted.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The working copy is measured no more than this part of the time.
const MEASURING_SHARE: u32 = 20;
/// What a file costs even if it is empty, in bytes: an inode and a name.
const FILE_COST_BYTES: u64 = 1024;

/// What a suite has used too much of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Excess {
    /// Processes and threads; the limit.
    Tasks(u64),
    /// Memory; the limit in bytes.
    Memory(u64),
    /// Room for its working copy; the limit in bytes.
    Disk(u64),
    /// The disk is nearly full.
    DiskFull,
    /// Nobody knows how much room: measuring it takes too long.
    Unmeasured,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1024 * 1024;
        match self {
            Self::Tasks(limit) => write!(f, "{limit} processes and threads are the limit"),
            Self::Memory(limit) => write!(f, "{} MiB of memory are the limit", limit / MIB),
            Self::Disk(limit) => write!(f, "{} MiB of disk are the limit", limit / MIB),
            Self::DiskFull => f.write_str("the worker's disk is full"),
            Self::Unmeasured => f.write_str("what it has written cannot be measured in time"),
        }
    }
}

/// Watches the process `root`, its descendants and the working copy until there is an excess.
pub(super) fn watch(
    root: ProcessNumber,
    checkout: PathBuf,
    limits: Limits,
) -> AbortOnDropHandle<Excess> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut since_measured = Stopwatch::start();
        let mut rest = Duration::ZERO;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let measure_disk = since_measured.elapsed() >= rest;
            let look = Look {
                root,
                checkout: checkout.clone(),
                limits,
            };
            let started = Stopwatch::start();
            let looked = tokio::task::spawn_blocking(move || {
                look.whole_disk()
                    .or_else(|| look.processes())
                    .or_else(|| if measure_disk { look.disk() } else { None })
            });
            if let Ok(Some(excess)) = looked.await {
                return excess;
            }
            if measure_disk {
                rest = started.elapsed() * MEASURING_SHARE;
                since_measured = Stopwatch::start();
            }
        }
    }))
}

/// One look at a suite.
struct Look {
    root: ProcessNumber,
    checkout: PathBuf,
    limits: Limits,
}

impl Look {
    fn processes(&self) -> Option<Excess> {
        let usage = processes::usage_below(self.root);
        if usage.tasks >= self.limits.tasks {
            return Some(Excess::Tasks(self.limits.tasks));
        }
        let limit = self.limits.memory_bytes;
        let too_much =
            usage.resident_bytes > limit && processes::true_memory_below(self.root) > limit;
        too_much.then_some(Excess::Memory(limit))
    }

    /// Looks at the disk that all rooms are on, which this suite may have nothing to do with.
    fn whole_disk(&self) -> Option<Excess> {
        let rooms = self.checkout.ancestors().nth(2)?;
        disk::lack(rooms).map(|_lack| Excess::DiskFull)
    }

    fn disk(&self) -> Option<Excess> {
        let limit = self.limits.disk_bytes;
        (used_bytes(&self.checkout, limit) > limit).then_some(Excess::Disk(limit))
    }
}

/// What a tree takes on the disk; stops counting beyond `enough`. Follows no symbolic link; a
/// directory that its owner has locked counts as empty.
fn used_bytes(root: &Path, enough: u64) -> u64 {
    let mut used: u64 = 0;
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else {
                continue;
            };
            let bytes = about.blocks().saturating_mul(512);
            used = used.saturating_add(bytes.saturating_add(FILE_COST_BYTES));
            if used > enough {
                return used;
            }
            if about.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_measured_by_what_it_takes_on_the_disk() {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("deep")).unwrap();
        fs::write(tree.path().join("deep/file"), vec![1; 100_000]).unwrap();
        std::os::unix::fs::symlink("/usr", tree.path().join("link")).unwrap();
        let sparse = fs::File::create(tree.path().join("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        let used = used_bytes(tree.path(), u64::MAX);
        assert!((100_000..200_000).contains(&used), "{used}");
        assert!(used_bytes(tree.path(), 10) < used);
    }
}
