//! What the kernel tells about running processes (`/proc`, proc(5)).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::worker::measure::Room;

/// A process's number on the host.
pub(in crate::worker) type ProcessNumber = i32;

/// What a process and all its descendants use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Usage {
    /// Processes and their threads.
    pub(super) tasks: u64,
    /// Resident memory; pages that several processes share are counted for each of them.
    pub(super) resident_bytes: u64,
}

/// One process, as `/proc/N/stat` has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Process {
    number: ProcessNumber,
    parent: ProcessNumber,
    tasks: u64,
    resident_pages: u64,
}

/// What the process with this number and its descendants use.
pub(super) fn usage_below(root: ProcessNumber) -> Usage {
    let page_bytes = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let mut usage = Usage::default();
    for process in family(root) {
        usage.tasks += process.tasks;
        usage.resident_bytes += process.resident_pages.saturating_mul(page_bytes);
    }
    usage
}

/// The memory of the process and its descendants, shared pages counted once; the slow, true figure.
///
/// A process that does not show it is counted by its resident pages.
pub(super) fn true_memory_below(root: ProcessNumber) -> u64 {
    let page_bytes = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    family(root)
        .into_iter()
        .map(|process| {
            proportional_bytes(process.number)
                .unwrap_or(process.resident_pages.saturating_mul(page_bytes))
        })
        .sum()
}

/// The process and its descendants.
pub(super) fn numbers_below(root: ProcessNumber) -> Vec<ProcessNumber> {
    let family = family(root).into_iter();
    family.map(|process| process.number).collect()
}

/// What deleted files take that the process and its descendants still have open on the disk that
/// `place` is on. Other users' processes show nothing of theirs.
///
/// # Errors
/// If the place is not there.
pub(super) fn deleted_below(root: ProcessNumber, place: &Path) -> io::Result<Room> {
    let disk = fs::metadata(place)?.dev();
    let mut seen = BTreeSet::new();
    let mut room = Room::default();
    for number in numbers_below(root) {
        let open = fs::read_dir(format!("/proc/{number}/fd"));
        for descriptor in open.into_iter().flatten().flatten() {
            let Ok(about) = fs::metadata(descriptor.path()) else {
                continue;
            };
            let is_deleted = about.is_file() && about.nlink() == 0 && about.dev() == disk;
            if is_deleted && seen.insert(about.ino()) {
                room = room.and(Room {
                    bytes: about.blocks().saturating_mul(512),
                    entries: 1,
                });
            }
        }
    }
    Ok(room)
}

/// The first process below `root` that is the init of a process namespace of its own.
pub(super) fn init_below(root: ProcessNumber) -> Option<ProcessNumber> {
    family(root)
        .into_iter()
        .map(|process| process.number)
        .find(|&number| is_init(number))
}

/// Programs that [`super::session`] starts with a room's path among their arguments.
const PROGRAMS: [&str; 5] = ["bash", "bwrap", "prlimit", "setpriv", "unshare"];

/// The processes that a worker started for rooms below this directory.
pub(in crate::worker) fn sandboxes_below(jobs: &Path) -> Vec<ProcessNumber> {
    let below = format!("{}/", jobs.display());
    numbers()
        .filter(|number| {
            let line = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            let mut arguments = line.split('\0');
            arguments
                .next()
                .is_some_and(|program| PROGRAMS.contains(&program))
                && arguments.any(|argument| argument.starts_with(&below))
        })
        .collect()
}

fn numbers() -> impl Iterator<Item = ProcessNumber> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The process and its descendants, parents before their children.
fn family(root: ProcessNumber) -> Vec<Process> {
    let mut children: BTreeMap<ProcessNumber, Vec<Process>> = BTreeMap::new();
    let mut found = Vec::new();
    for process in numbers().filter_map(read_stat) {
        if process.number == root {
            found.push(process);
        } else {
            children.entry(process.parent).or_default().push(process);
        }
    }
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        let below = children.remove(&parent.number).unwrap_or_default();
        found.extend(below);
        next += 1;
    }
    found
}

fn read_stat(number: ProcessNumber) -> Option<Process> {
    parse_stat(&fs::read_to_string(format!("/proc/{number}/stat")).ok()?)
}

/// Reads a line of `/proc/N/stat`; the name in parentheses may itself have spaces and parentheses.
fn parse_stat(line: &str) -> Option<Process> {
    let (number, rest) = line.split_once(" (")?;
    let (_name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Process {
        number: number.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        tasks: fields.get(17)?.parse().ok()?,
        resident_pages: fields.get(21)?.parse().unwrap_or(0),
    })
}

/// `NSpid:` lists the numbers in each nested namespace, the outermost first.
fn is_init(number: ProcessNumber) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{number}/status")) else {
        return false;
    };
    let numbers: Vec<&str> = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))
        .map(|rest| rest.split_ascii_whitespace().collect())
        .unwrap_or_default();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

fn proportional_bytes(number: ProcessNumber) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{number}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_call_itself_anything() {
        let line = "42 (a) S 1 (b) R 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 99 1000 250 18";
        assert_eq!(
            parse_stat(line),
            Some(Process {
                number: 42,
                parent: 7,
                tasks: 3,
                resident_pages: 250,
            })
        );
        assert_eq!(parse_stat("42 (short) R 7"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn a_deleted_file_that_is_open_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, vec![1; 100_000]).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let deleted = || deleted_below(own, folder.path()).unwrap();
        let before = deleted();
        let held = fs::File::open(&path).unwrap();
        let again = held.try_clone().unwrap();
        assert_eq!(deleted(), before);
        fs::remove_file(&path).unwrap();
        let now = deleted().minus(before);
        assert!((100_000..200_000).contains(&now.bytes), "{now:?}");
        assert_eq!(now.entries, 1);
        drop((held, again));
        assert_eq!(deleted(), before);
    }

    #[test]
    fn this_process_is_found_with_its_threads_and_memory() {
        let own = i32::try_from(std::process::id()).unwrap();
        let usage = usage_below(own);
        assert!(usage.tasks >= 2, "{usage:?}");
        assert!(usage.resident_bytes > 1_000_000, "{usage:?}");
        assert!(true_memory_below(own) > 100_000);
        assert_eq!(init_below(own), None);
    }
}
