//! Deleting what suites leave: any tree, without recursion and with a handful of descriptors.
//!
//! A tree may be deeper than any stack, any path and any number of open files. So the directories
//! in a directory are not gone into: they are moved up to the top of the tree and emptied there,
//! one after the other.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};
use rustix::io::Errno;

/// How often the top is looked through: a listing may miss what is moved while it is read.
const PASSES_MAX: usize = 3;

/// Deletes a tree, also where its owner has no rights on parts of it; one that is not there is
/// deleted. Follows no symbolic link. No process that writes there may be alive.
///
/// # Errors
/// With the first failure, after everything that can be deleted is.
pub(crate) fn remove_tree(root: &Path) -> io::Result<()> {
    let top = match open_directory(CWD, root) {
        Ok(top) => top,
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => return fs::remove_file(root),
        Err(error) => return Err(error.into()),
    };
    let mut removal = Removal {
        mark: format!(".removed-{:032x}-", rand::random::<u128>()),
        moved: 0,
        failure: None,
        top,
    };
    for _ in 0..PASSES_MAX {
        removal.empty_all()?;
        match fs::remove_dir(root) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            other => return other,
        }
        if let Some(error) = removal.failure.take() {
            return Err(error.into());
        }
    }
    Err(io::Error::from(io::ErrorKind::DirectoryNotEmpty))
}

/// A removal under way.
struct Removal {
    top: OwnedFd,
    /// What the names of moved directories begin with; nobody can have guessed it.
    mark: String,
    /// How many directories were moved to the top so far.
    moved: u64,
    /// The first thing that could not be deleted.
    failure: Option<Errno>,
}

impl Removal {
    /// Empties the top, and then in their turn the directories that were moved there.
    fn empty_all(&mut self) -> io::Result<()> {
        let mut next = self.moved;
        let top = open_directory(&self.top, c".")?;
        self.empty(top)?;
        while next < self.moved {
            let name = self.name_of(next);
            next += 1;
            match open_directory(&self.top, name.as_str()).and_then(|fd| self.empty(fd)) {
                Ok(()) => {
                    let removed = rustix::fs::unlinkat(&self.top, &name, AtFlags::REMOVEDIR);
                    self.note(removed);
                }
                Err(error) => self.note(Err(error)),
            }
        }
        Ok(())
    }

    fn name_of(&self, number: u64) -> String {
        format!("{}{number}", self.mark)
    }

    /// Deletes or moves everything in a directory.
    fn empty(&mut self, directory: OwnedFd) -> rustix::io::Result<()> {
        let mut entries = Dir::new(directory)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            let name = entry.file_name();
            let is_moved = name.to_bytes().starts_with(self.mark.as_bytes());
            if is_moved || matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let removed = self.remove(entries.fd()?, name);
            self.note(removed);
        }
        Ok(())
    }

    fn remove(&mut self, directory: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<()> {
        match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => {}
            other => return other,
        }
        match rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            other => return other,
        }
        // To get another parent a directory must be writable itself.
        let _on_failure_the_move_says_more =
            rustix::fs::chmodat(directory, name, Mode::RWXU, AtFlags::empty());
        let moved = self.name_of(self.moved);
        rustix::fs::renameat(directory, name, &self.top, &moved)?;
        self.moved += 1;
        Ok(())
    }

    fn note(&mut self, done: rustix::io::Result<()>) {
        match done {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => {
                self.failure.get_or_insert(error);
            }
        }
    }
}

/// Opens a directory, no link, and gives its owner all rights on it where those are missing.
fn open_directory(
    at: impl AsFd,
    name: impl rustix::path::Arg + Copy,
) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || rustix::fs::openat(at.as_fd(), name, flags, Mode::empty());
    let directory = match open() {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(at.as_fd(), name, Mode::RWXU, AtFlags::empty())?;
            open()?
        }
        other => other?,
    };
    if !Mode::from_raw_mode(rustix::fs::fstat(&directory)?.st_mode).contains(Mode::RWXU) {
        rustix::fs::fchmod(&directory, Mode::RWXU)?;
    }
    Ok(directory)
}

/// A temporary directory that is deleted at the end, whatever suites have left in it.
#[derive(Debug)]
pub(crate) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// Makes one for this user alone, with a name that begins so.
    ///
    /// # Errors
    /// If the place for temporary files cannot be used.
    pub(crate) fn new(prefix: &str) -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix(prefix).tempdir()?;
        Ok(Self(made.keep()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if let Err(error) = remove_tree(&self.0) {
            let directory = self.0.display();
            tracing::error!(%error, %directory, "a temporary directory cannot be deleted; delete it yourself");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use proptest::prelude::*;

    use super::*;
    use crate::worker::testing::{nest, with_few_descriptors};

    #[test]
    fn a_tree_deeper_than_stack_and_descriptors_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        nest(&tree, 15_000);
        // The stack of a test is 2 MiB; here it is as small as threads have it.
        let removing = std::thread::Builder::new().stack_size(128 << 10);
        let removing = removing.spawn(move || with_few_descriptors(8, || remove_tree(&tree)));
        removing.unwrap().join().unwrap().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_links_lead_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "kept").unwrap();
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o500)).unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir_all(tree.join("below")).unwrap();
        symlink(&outside, tree.join("below/link")).unwrap();
        symlink(&outside, folder.path().join("root")).unwrap();
        remove_tree(&tree).unwrap();
        remove_tree(&folder.path().join("root")).unwrap();
        remove_tree(&folder.path().join("nothing")).unwrap();
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "kept");
        let mode = fs::metadata(&outside).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o500);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_can_be_deleted_is_where_something_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir_all(tree.join("a/mounted")).unwrap();
        fs::create_dir_all(tree.join("z/deep")).unwrap();
        fs::write(tree.join("z/deep/file"), "").unwrap();
        let Some(mounted) = Mounted::on(&tree.join("a/mounted")) else {
            return assert!(!rustix::process::geteuid().is_root());
        };
        assert!(remove_tree(&tree).is_err());
        let left = fs::read_dir(&tree).unwrap().count();
        assert_eq!(left, 1);
        drop(mounted);
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
    }

    /// Something that not even root deletes.
    struct Mounted(OwnedFd);

    impl Mounted {
        fn on(place: &Path) -> Option<Self> {
            let held = rustix::fs::open(place, OFlags::PATH, Mode::empty()).unwrap();
            let mount = std::process::Command::new("mount")
                .args(["-t", "tmpfs", "none"])
                .arg(place)
                .status()
                .unwrap();
            drop(held);
            let inside = rustix::fs::open(place, OFlags::PATH, Mode::empty()).unwrap();
            mount.success().then_some(Self(inside))
        }
    }

    impl Drop for Mounted {
        fn drop(&mut self) {
            use std::os::fd::AsRawFd as _;
            let own = format!("/proc/self/fd/{}", self.0.as_raw_fd());
            let place = fs::read_link(own).unwrap();
            let ended = std::process::Command::new("umount")
                .args(["--lazy", "--"])
                .arg(place)
                .status()
                .unwrap();
            assert!(ended.success());
        }
    }

    /// A step of making a tree, from the directory that the last one left us in.
    #[derive(Clone, Debug)]
    enum TreeStep {
        Down(u8, u32),
        Up,
        File(u8),
        Link(u8),
    }

    fn step() -> impl Strategy<Value = TreeStep> {
        prop_oneof![
            (0..4_u8, 0..0o1000_u32).prop_map(|(name, mode)| TreeStep::Down(name, mode)),
            Just(TreeStep::Up),
            any::<u8>().prop_map(TreeStep::File),
            any::<u8>().prop_map(TreeStep::Link),
        ]
    }

    proptest! {
        #[test]
        fn every_tree_is_deleted_and_nothing_beside_it(steps in proptest::collection::vec(step(), 0..60)) {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("beside"), "").unwrap();
            let tree = folder.path().join("tree");
            fs::create_dir(&tree).unwrap();
            let mut here = vec![tree.clone()];
            let mut modes = Vec::new();
            for step in steps {
                let at = here.last().unwrap().clone();
                match step {
                    TreeStep::Down(name, mode) => {
                        let below = at.join(format!("d{name}"));
                        let _there_already = fs::create_dir(&below);
                        modes.push((below.clone(), mode));
                        here.push(below);
                    }
                    TreeStep::Up if here.len() > 1 => drop(here.pop()),
                    TreeStep::Up => {}
                    TreeStep::File(name) => fs::write(at.join(format!("f{name}")), "x").unwrap(),
                    TreeStep::Link(name) => drop(symlink("../..", at.join(format!("l{name}")))),
                }
            }
            for (place, mode) in modes.into_iter().rev() {
                let _locked_above = fs::set_permissions(place, fs::Permissions::from_mode(mode));
            }
            remove_tree(&tree).unwrap();
            let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
            prop_assert_eq!(left.len(), 1);
        }
    }
}
