//! What a killed server leaves in a mirror, and how to get rid of it.

use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::GitError;
use super::program::MARK;

/// How the names of unfinished things among the objects begin, git's and ours; `git gc` takes such away
/// when they are old.
pub(super) const LEFTOVER: &str = "tmp_";

/// Takes the mirror for this process; `None` if another one, or another handle, has it.
pub(super) fn claim(dir: &Path) -> Result<Option<File>, GitError> {
    let file = File::create(dir.join("paprq.in-use")).map_err(GitError::io("claim the mirror"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(GitError::Io {
            doing: "claim the mirror",
            source,
        }),
    }
}

/// Removes leftovers. Only for whoever holds the [`claim`]: then no lock file is anybody's.
pub(super) fn clean(dir: &Path) -> Result<(), GitError> {
    kill_leftovers(dir);
    sweep(dir).map_err(GitError::io("clean the mirror"))
}

/// Kills the children of a server that was killed: an old push must not arrive late.
///
/// Found by the mark in their environment; where there is no `/proc`, none is found.
fn kill_leftovers(dir: &Path) {
    let mark = [MARK.as_bytes(), b"=", dir.as_os_str().as_bytes()].concat();
    for pid in marked(&mark) {
        // Fails only if it has just ended.
        let _gone = kill_process(pid, Signal::KILL);
    }
    for _ in 0..200 {
        if marked(&mark).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    tracing::warn!(mirror.dir = %dir.display(), "killed git processes do not end");
}

fn marked(mark: &[u8]) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter(|process| {
            // Unreadable for other users' processes; empty for those that have ended.
            fs::read(process.path().join("environ"))
                .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|entry| entry == mark))
        })
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .collect()
}

/// Where a file of the mirror lies. Names mean something only together with this: a branch may
/// be called `tmp_x` or `a.keep`, but git allows none that ends in `.lock`.
#[derive(Clone, Copy)]
enum Area {
    Top,
    Refs,
    Objects,
    Quarantine,
}

/// Removes lock files, half-written files, and what a power failure emptied. Names of branches may
/// have any number of parts, so no directory is open while those in it are looked at.
fn sweep(dir: &Path) -> io::Result<()> {
    let mut waiting = vec![(dir.to_owned(), Area::Top)];
    while let Some((dir, area)) = waiting.pop() {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                match (area, entry.file_name().as_bytes()) {
                    (Area::Objects | Area::Quarantine, name)
                        if name.starts_with(LEFTOVER.as_bytes()) =>
                    {
                        fs::remove_dir_all(entry.path())?;
                    }
                    (Area::Top, b"refs") => waiting.push((entry.path(), Area::Refs)),
                    (Area::Top, b"objects") => waiting.push((entry.path(), Area::Objects)),
                    (Area::Top, b"quarantine") => {
                        waiting.push((entry.path(), Area::Quarantine));
                    }
                    (area, _) => waiting.push((entry.path(), area)),
                }
            } else if is_leftover(&entry, area)? {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

fn is_leftover(entry: &DirEntry, area: Area) -> io::Result<bool> {
    let name = entry.file_name();
    let name = name.as_bytes();
    let is_lock = name.ends_with(b".lock");
    let is_empty = entry.metadata()?.len() == 0;
    Ok(match area {
        Area::Top => is_lock || name == b"gc.pid",
        Area::Refs => is_lock || is_empty,
        Area::Objects | Area::Quarantine => {
            let is_unfinished = name.starts_with(LEFTOVER.as_bytes()) || name.starts_with(b".tmp-");
            is_lock || is_empty || is_unfinished || name.ends_with(b".keep")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_leftovers_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let leftovers = [
            "packed-refs.lock",
            "config.lock",
            "refs/remote/heads/main.lock",
            "refs/remote/heads/emptied",
            "objects/ab/tmp_obj_x1",
            "objects/ab/cdef",
            "objects/pack/tmp_pack_y",
            "objects/tmp_merges-1/ab/1234",
            "objects/pack/pack-1.keep",
            "gc.pid",
        ];
        let good = [
            "HEAD",
            "paprq.in-use",
            "refs/remote/heads/main",
            "refs/remote/heads/objects/tmp_obj.keep",
            "objects/ab/1234",
            "objects/pack/pack-1.pack",
        ];
        for name in leftovers.iter().chain(&good) {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let empty = ["emptied", "cdef", "in-use"]
                .iter()
                .any(|end| name.ends_with(end));
            fs::write(path, if empty { "" } else { "x" }).unwrap();
        }
        sweep(dir.path()).unwrap();
        for name in leftovers {
            assert!(!dir.path().join(name).exists(), "{name}");
        }
        for name in good {
            assert!(dir.path().join(name).exists(), "{name}");
        }
    }

    #[test]
    fn names_of_branches_may_have_more_parts_than_there_are_descriptors() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let dir = tempfile::tempdir().unwrap();
        let deepest = dir.path().join("refs").join("a/".repeat(1000));
        fs::create_dir_all(&deepest).unwrap();
        fs::write(deepest.join("branch.lock"), "x").unwrap();
        let usual = getrlimit(Resource::Nofile);
        let few = Rlimit {
            current: Some(100),
            ..usual
        };
        setrlimit(Resource::Nofile, few).unwrap();
        let swept = sweep(dir.path());
        setrlimit(Resource::Nofile, usual).unwrap();
        swept.unwrap();
        assert!(!deepest.join("branch.lock").exists());
    }

    #[test]
    fn a_mirror_is_claimed_once() {
        let dir = tempfile::tempdir().unwrap();
        let first = claim(dir.path()).unwrap();
        assert!(first.is_some());
        assert!(claim(dir.path()).unwrap().is_none());
        drop(first);
        assert!(claim(dir.path()).unwrap().is_some());
    }
}
