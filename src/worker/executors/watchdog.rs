//! Notices when a running suite uses more than its share.
//!
//! The kernel's own limits (see `bubblewrap.rs` and `cgroup.rs`) are walls; this says why a suite is
//! stopped, and holds where there is no wall. It looks four times a second, so a suite can overshoot
//! for a moment. What it cannot measure for some time stops the suite, too.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use super::cgroup::{Group, KilledFor};
use super::processes::{self, ProcessNumber};
use crate::clock::Stopwatch;
use crate::worker::disk;
use crate::worker::measure::{Room, measure};
use crate::worker::settings::Limits;

/// How often processes, memory and the disk's free space are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Trees are measured no more than this part of the time, unless the disk has lost as much space
/// since as they may still take; then half of the time.
const MEASURING_SHARE: u32 = 20;
/// The most time between two measurements.
const REST_MAX: Duration = Duration::from_secs(120);
/// How many looks, and how many measurements, may fail one after the other.
const LOOKS_FAIL_MAX: u32 = 40;
const MEASUREMENTS_FAIL_MAX: u32 = 5;

/// What a suite has used too much of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Excess {
    /// Processes and threads; the limit.
    Tasks(u64),
    /// Memory; the limit in bytes.
    Memory(u64),
    /// Space for what it writes; the limit in bytes.
    Disk(u64),
    /// Files, directories and links; the limit.
    Files(u64),
    /// The disk is nearly full.
    DiskFull,
    /// The machine has no memory left.
    MachineMemory,
    /// Nobody knows how much it uses.
    Unmeasured,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1024 * 1024;
        match self {
            Self::Tasks(limit) => write!(f, "{limit} processes and threads are the limit"),
            Self::Memory(limit) => write!(f, "{} MiB of memory are the limit", limit / MIB),
            Self::Disk(limit) => write!(f, "{} MiB of disk are the limit", limit / MIB),
            Self::Files(limit) => write!(f, "{limit} files are the limit"),
            Self::DiskFull => f.write_str("the worker's disk is full"),
            Self::MachineMemory => f.write_str("the worker's machine has no memory left"),
            Self::Unmeasured => f.write_str("what it has written cannot be measured in time"),
        }
    }
}

/// A suite on the worker itself.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// The process that all of its others descend from.
    pub(super) root: ProcessNumber,
    pub(super) checkout: PathBuf,
    pub(super) limits: Limits,
    /// The group that it is in, where there are groups.
    pub(super) group: Option<Arc<Group>>,
}

/// Watches it until there is an excess.
pub(super) fn watch(watched: Watched) -> AbortOnDropHandle<Excess> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let (checkout, root) = (watched.checkout.clone(), watched.root);
        let limit = room_of(&watched.limits);
        // The disk that all rooms are on, which this suite may have nothing to do with.
        let rooms = checkout.ancestors().nth(2).map(Path::to_owned);
        let measured = move || measured(root, checkout.clone(), limit);
        tokio::select! {
            excess = until_too_many(watched) => excess,
            excess = until_too_large(rooms.as_deref(), limit, measured) => excess,
        }
    }))
}

/// What a suite has in its working copy, and in files of the same disk that it has deleted and keeps
/// open.
async fn measured(root: ProcessNumber, checkout: PathBuf, enough: Room) -> io::Result<Room> {
    let measuring = tokio::task::spawn_blocking(move || {
        let below = measure(&checkout, enough)?;
        let deleted = processes::deleted_below(root, &checkout)?;
        Ok(below.and(deleted))
    });
    measuring.await.map_err(io::Error::other)?
}

/// What a suite may write.
pub(super) fn room_of(limits: &Limits) -> Room {
    Room {
        bytes: limits.disk_bytes,
        entries: limits.files,
    }
}

/// Counts processes and memory.
async fn until_too_many(watched: Watched) -> Excess {
    let mut failures = 0;
    while failures < LOOKS_FAIL_MAX {
        tokio::time::sleep(LOOK_EVERY).await;
        let looked = watched.clone();
        match tokio::task::spawn_blocking(move || looked.look()).await {
            Ok(Ok(None)) => failures = 0,
            Ok(Ok(Some(excess))) => return excess,
            Ok(Err(_)) | Err(_) => failures += 1,
        }
    }
    Excess::Unmeasured
}

impl Watched {
    fn look(&self) -> io::Result<Option<Excess>> {
        match &self.group {
            Some(group) => excess_of(group, &self.limits),
            None => Ok(self.look_at_processes()),
        }
    }

    fn look_at_processes(&self) -> Option<Excess> {
        let usage = processes::usage_below(self.root);
        if usage.tasks >= self.limits.tasks {
            return Some(Excess::Tasks(self.limits.tasks));
        }
        let limit = self.limits.memory_bytes;
        let too_much =
            usage.resident_bytes > limit && processes::true_memory_below(self.root) > limit;
        too_much.then_some(Excess::Memory(limit))
    }
}

/// Why the kernel has killed something in a group, if it has.
///
/// # Errors
/// If the kernel does not tell.
pub(super) fn killed(group: &Group, limits: &Limits) -> io::Result<Option<Excess>> {
    Ok(group.account()?.killed.map(|why| match why {
        KilledFor::ItsOwn => Excess::Memory(limits.memory_bytes),
        KilledFor::TheMachines => Excess::MachineMemory,
    }))
}

/// What a group has used too much of.
fn excess_of(group: &Group, limits: &Limits) -> io::Result<Option<Excess>> {
    if let Some(excess) = killed(group, limits)? {
        return Ok(Some(excess));
    }
    let account = group.account()?;
    if account.memory_bytes > limits.memory_bytes {
        return Ok(Some(Excess::Memory(limits.memory_bytes)));
    }
    Ok((account.tasks >= limits.tasks).then_some(Excess::Tasks(limits.tasks)))
}

/// Measures what a suite has written, and looks at the disk that `storage` is on.
pub(super) async fn until_too_large<M: Future<Output = io::Result<Room>>>(
    storage: Option<&Path>,
    limit: Room,
    measured: impl Fn() -> M,
) -> Excess {
    let mut pace = Pace::new();
    let mut failures = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if storage.and_then(disk::lack).is_some() {
            return Excess::DiskFull;
        }
        let free = storage.and_then(free_room);
        if !pace.is_due(pace.since.elapsed(), free) {
            continue;
        }
        let started = Stopwatch::start();
        match measured().await {
            Ok(room) if room.bytes > limit.bytes => return Excess::Disk(limit.bytes),
            Ok(room) if room.exceeds(limit) => return Excess::Files(limit.entries),
            Ok(room) => {
                failures = 0;
                pace.left = Some(limit.minus(room));
            }
            Err(error) => {
                failures += 1;
                tracing::debug!(%error, failures, "what a suite has written cannot be measured");
            }
        }
        if failures >= MEASUREMENTS_FAIL_MAX {
            return Excess::Unmeasured;
        }
        pace.rest(started.elapsed(), free);
    }
}

/// When the next measurement is due.
struct Pace {
    since: Stopwatch,
    took: Duration,
    /// What was free on the disk at the last measurement.
    free: Option<Room>,
    /// What the suite could still write then.
    left: Option<Room>,
}

impl Pace {
    fn new() -> Self {
        Self {
            since: Stopwatch::start(),
            took: Duration::ZERO,
            free: None,
            left: None,
        }
    }

    fn rest(&mut self, took: Duration, free: Option<Room>) {
        self.since = Stopwatch::start();
        self.took = took;
        self.free = free;
    }

    fn is_due(&self, rested: Duration, free: Option<Room>) -> bool {
        let may_be_over = match (self.free, free, self.left) {
            (Some(before), Some(now), Some(left)) => before.minus(now).exceeds(left),
            (_, _, _) => false,
        };
        let share = if may_be_over { 1 } else { MEASURING_SHARE };
        rested >= (self.took * share).min(REST_MAX)
    }
}

/// What is free on the disk that this is on. File systems that make inodes as they are needed count
/// none.
fn free_room(path: &Path) -> Option<Room> {
    let disk = rustix::fs::statvfs(path).ok()?;
    let counts = disk.f_files > 0;
    Some(Room {
        bytes: disk.f_bavail.saturating_mul(disk.f_frsize),
        entries: if counts { disk.f_favail } else { u64::MAX },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Room = Room {
        bytes: 1000,
        entries: 10,
    };

    async fn ended(measured: impl Fn() -> io::Result<Room>) -> Excess {
        let watching = until_too_large(None, LIMIT, || std::future::ready(measured()));
        // Of looks, not of the clock that measurements are taken by.
        tokio::time::timeout(Duration::from_secs(86_400), watching)
            .await
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_measured_does_not_count_as_nothing() {
        let broken = || Err(io::Error::other("no"));
        assert_eq!(ended(broken).await, Excess::Unmeasured);
    }

    #[tokio::test(start_paused = true)]
    async fn space_and_inodes_are_limited() {
        let table = [
            (1001, 1, Excess::Disk(1000)),
            (1, 11, Excess::Files(10)),
            (1001, 11, Excess::Disk(1000)),
        ];
        for (bytes, entries, expected) in table {
            assert_eq!(ended(move || Ok(Room { bytes, entries })).await, expected);
        }
    }

    #[test]
    fn a_disk_that_loses_what_may_still_be_written_is_measured_sooner() {
        let room = |bytes, entries| Some(Room { bytes, entries });
        let mut pace = Pace::new();
        let s = Duration::from_secs;
        assert!(pace.is_due(s(0), None));
        pace.left = room(500, 5);
        pace.rest(s(1), room(9000, 900));
        let table = [
            (s(20), room(9000, 900), true),
            (s(19), room(8500, 895), false),
            (s(19), None, false),
            (s(1), room(8499, 900), true),
            (s(1), room(9000, 894), true),
            (s(0), room(0, 0), false),
        ];
        for (rested, free, due) in table {
            assert_eq!(pace.is_due(rested, free), due, "{rested:?} {free:?}");
        }
    }
}
