//! How much a tree takes on the disk, of any depth, while its suite goes on changing it.
//!
//! Directories are opened by their names in the one above, never by paths, which end at 4,096 bytes;
//! only the innermost few are open at a time. What cannot be measured is an error, never nothing.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::clock::Stopwatch;

/// How many directories are open at a time; those further up are found again by `..`.
const OPEN_MAX: usize = 16;
/// How long one measurement may take.
const TIME_MAX: Duration = Duration::from_secs(60);
/// How many entries are looked at between two looks at the clock.
const CLOCK_EVERY: u64 = 1024;

/// What a tree takes, or may take.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Room {
    /// Space on the disk, in bytes; of a file with holes what is really there.
    pub(crate) bytes: u64,
    /// Files, directories and links: each takes an inode.
    pub(crate) entries: u64,
}

impl Room {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            entries: self.entries.saturating_add(other.entries),
        }
    }

    /// What is left of it without the other.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            entries: self.entries.saturating_sub(other.entries),
        }
    }

    /// Whether there is more in it than the other allows.
    pub(crate) fn exceeds(self, limit: Self) -> bool {
        self.bytes > limit.bytes || self.entries > limit.entries
    }
}

/// What is in the tree below `root`, without itself; stops counting beyond `enough`. Follows no
/// symbolic link. A directory that its owner has locked is unlocked for the moment that it takes to
/// open it.
///
/// # Errors
/// If a directory cannot be read, if the way back up is lost since directories were moved about, or
/// after a minute.
pub(crate) fn measure(root: &Path, enough: Room) -> io::Result<Room> {
    let root = open_directory(CWD, root)?;
    let mut walk = Walk {
        above: Vec::new(),
        room: Room::default(),
        clock: Stopwatch::start(),
    };
    walk.enter(root)?;
    while !walk.room.exceeds(enough) && walk.step()? {}
    Ok(walk.room)
}

/// A measurement under way.
struct Walk {
    /// The directories from the top to the one that is being read.
    above: Vec<Level>,
    room: Room,
    clock: Stopwatch,
}

/// A directory that is not yet wholly read.
struct Level {
    /// Its device and inode, by which it is known again.
    identity: (u64, u64),
    /// Where reading goes on, if it has been closed meanwhile.
    offset: i64,
    entries: Option<Dir>,
}

impl Walk {
    fn enter(&mut self, directory: OwnedFd) -> io::Result<()> {
        let about = rustix::fs::fstat(&directory)?;
        let far = self.above.len().checked_sub(OPEN_MAX);
        if let Some(level) = far.and_then(|far| self.above.get_mut(far)) {
            level.entries = None;
        }
        self.above.push(Level {
            identity: identity(&about),
            offset: 0,
            entries: Some(Dir::new(directory)?),
        });
        Ok(())
    }

    /// Takes one entry, or goes up; `false` at the end.
    fn step(&mut self) -> io::Result<bool> {
        let Some(level) = self.above.last_mut() else {
            return Ok(false);
        };
        let Some(entries) = &mut level.entries else {
            return Err(lost());
        };
        let Some(entry) = entries.read() else {
            self.leave()?;
            return Ok(!self.above.is_empty());
        };
        let entry = entry?;
        level.offset = entry.offset();
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            return Ok(true);
        }
        let below = look(entries, name, &mut self.room)?;
        if self.room.entries.is_multiple_of(CLOCK_EVERY) && self.clock.elapsed() > TIME_MAX {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        if let Some(directory) = below {
            self.enter(directory)?;
        }
        Ok(true)
    }

    /// Goes on in the directory above, which is opened again where it had to be closed.
    fn leave(&mut self) -> io::Result<()> {
        let left = self.above.pop().and_then(|level| level.entries);
        let (Some(level), Some(left)) = (self.above.last_mut(), left) else {
            return Ok(());
        };
        if level.entries.is_some() {
            return Ok(());
        }
        let directory = open_directory(left.fd()?, c"..")?;
        if identity(&rustix::fs::fstat(&directory)?) != level.identity {
            return Err(lost());
        }
        let mut entries = Dir::new(directory)?;
        entries.seek(level.offset)?;
        level.entries = Some(entries);
        Ok(())
    }
}

/// Counts an entry, and opens it if it is a directory. What is gone by now counts as nothing.
fn look(entries: &Dir, name: &CStr, room: &mut Room) -> io::Result<Option<OwnedFd>> {
    let directory = entries.fd()?;
    let about = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        about => about?,
    };
    let one = Room {
        bytes: blocks(&about),
        entries: 1,
    };
    *room = room.and(one);
    if !rustix::fs::FileType::from_raw_mode(about.st_mode).is_dir() {
        return Ok(None);
    }
    match open_directory(directory, name) {
        // Gone, or another thing by now.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        opened => Ok(Some(opened?)),
    }
}

/// The space that a file takes, in bytes.
pub(crate) fn blocks(about: &Stat) -> u64 {
    u64::try_from(about.st_blocks)
        .unwrap_or(0)
        .saturating_mul(512)
}

fn identity(about: &Stat) -> (u64, u64) {
    (about.st_dev, about.st_ino)
}

fn lost() -> io::Error {
    io::Error::other("directories were moved while they were measured")
}

fn open_directory(
    at: impl AsFd,
    name: impl rustix::path::Arg + Copy,
) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(at.as_fd(), name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => open_locked(at, name),
        other => other,
    }
}

/// Unlocks a directory that is one by now and for good, opens it and locks it again.
fn open_locked(at: impl AsFd, name: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::openat(at, name, flags, Mode::empty())?;
    let itself = format!("/proc/self/fd/{}", held.as_raw_fd());
    let locked = Mode::from_raw_mode(rustix::fs::fstat(&held)?.st_mode);
    rustix::fs::chmod(&itself, locked | Mode::RUSR | Mode::XUSR)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(&itself, flags, Mode::empty());
    rustix::fs::chmod(&itself, locked)?;
    opened
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use proptest::prelude::*;

    use super::*;
    use crate::worker::testing::{nest, with_few_descriptors};

    const ENDLESS: Room = Room {
        bytes: u64::MAX,
        entries: u64::MAX,
    };

    #[test]
    fn a_tree_is_measured_by_what_it_takes_on_the_disk() {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("deep")).unwrap();
        fs::write(tree.path().join("deep/file"), vec![1; 100_000]).unwrap();
        symlink("/usr", tree.path().join("link")).unwrap();
        let sparse = fs::File::create(tree.path().join("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        let room = measure(tree.path(), ENDLESS).unwrap();
        assert!((100_000..200_000).contains(&room.bytes), "{room:?}");
        assert_eq!(room.entries, 4);
        let enough = Room {
            bytes: 10,
            entries: 10,
        };
        assert!(measure(tree.path(), enough).unwrap().exceeds(enough));
    }

    #[test]
    fn what_lies_deeper_than_any_path_counts() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        nest(&tree, 5000);
        let room = with_few_descriptors(2 * OPEN_MAX, || measure(&tree, ENDLESS).unwrap());
        assert_eq!(room.entries, 5001);
        assert!(room.bytes >= 100_000, "{room:?}");
        crate::worker::removal::remove_tree(&tree).unwrap();
    }

    #[test]
    fn a_locked_directory_is_opened_and_left_as_it_was() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let locked = folder.path().join("locked");
        fs::create_dir(&locked).unwrap();
        fs::write(locked.join("file"), "x").unwrap();
        let mode = || fs::metadata(&locked).unwrap().permissions().mode() & 0o7777;
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o1000)).unwrap();
        assert_eq!(measure(folder.path(), ENDLESS).unwrap().entries, 2);
        assert_eq!(mode(), 0o1000);
        // Root never needs this way, so it is taken here in any case.
        let opened = open_locked(CWD, locked.as_path()).unwrap();
        assert_eq!(Dir::new(opened).unwrap().count(), 3);
        assert_eq!(mode(), 0o1000);
        symlink(&locked, folder.path().join("link")).unwrap();
        assert!(open_locked(CWD, folder.path().join("link").as_path()).is_err());
    }

    #[test]
    fn a_tree_that_is_not_there_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert!(measure(&folder.path().join("nothing"), ENDLESS).is_err());
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(measure(&folder.path().join("file"), ENDLESS).is_err());
    }

    /// Counts by recursion, as a tree of a test allows.
    fn counted(directory: &Path) -> Room {
        let entries = fs::read_dir(directory).unwrap().flatten();
        entries.fold(Room::default(), |room, entry| {
            let about = entry.metadata().unwrap();
            let one = Room {
                bytes: about.blocks() * 512,
                entries: 1,
            };
            let below = if about.is_dir() {
                counted(&entry.path())
            } else {
                Room::default()
            };
            room.and(one).and(below)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_tree_is_measured_whole(
            places in proptest::collection::vec(
                (proptest::collection::vec(0..3_u8, 1..40), 0..20_000_usize), 1..20),
        ) {
            let tree = tempfile::tempdir().unwrap();
            for (way, bytes) in places {
                let way: Vec<String> = way.iter().map(|step| format!("d{step}")).collect();
                let place = tree.path().join(way.join("/"));
                fs::create_dir_all(&place).unwrap();
                fs::write(place.join(format!("f{bytes}")), vec![1; bytes]).unwrap();
            }
            prop_assert_eq!(measure(tree.path(), ENDLESS).unwrap(), counted(tree.path()));
        }
    }
}
