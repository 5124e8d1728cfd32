//! Files and directories that no other user of the machine may read, whatever the process's umask.
//!
//! What is there already is mended. Nothing of another user's is touched, and inside a directory no link
//! is followed. The working directory, and what it lies in, is never ours to close.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

const FILE: u32 = 0o600;
const DIRECTORY: u32 = 0o700;
/// The rights of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Opens a file for writing that nobody else may read; makes it where it is missing, and leaves what it
/// holds.
///
/// # Errors
/// If it cannot be opened.
pub fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.mode(FILE).open(path)?;
    close(&file)?;
    Ok(file)
}

/// Makes a directory, and those that it lies in, for nobody else; closes it where it was there.
///
/// # Errors
/// If it cannot be made.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY)
        .create(path)?;
    let path = path.canonicalize()?;
    if holds_the_working_directory(&path) {
        return Ok(());
    }
    close(&File::open(path)?)
}

/// Takes from everybody else all rights on a file that is there, if it is.
///
/// # Errors
/// If it cannot be changed.
pub fn restrict(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // Waits for nobody at the other end of a pipe.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.read(true).custom_flags(flags.bits().cast_signed());
    match options.open(path) {
        Ok(file) => close(&file),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // A link is not followed, and a socket cannot be opened.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| !is_plain(&found)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The same for a directory and all that is in it, at any depth. Returns how many could not be changed.
pub fn restrict_all(root: &Path) -> usize {
    let mut faults = usize::from(restrict(root).is_err());
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        // What is deleted meanwhile need not be closed any more.
        let Ok(entries) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.map_while(Result::ok) {
            let path = entry.path();
            faults += usize::from(restrict(&path).is_err());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(path);
            }
        }
    }
    faults
}

fn is_plain(found: &fs::Metadata) -> bool {
    found.is_file() || found.is_dir()
}

fn close(file: &File) -> io::Result<()> {
    let found = file.metadata()?;
    let is_ours = found.uid() == geteuid().as_raw();
    if !is_ours || !is_plain(&found) || found.mode() & OTHERS == 0 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(found.mode() & !OTHERS & 0o7777))
}

fn holds_the_working_directory(path: &Path) -> bool {
    std::env::current_dir().is_ok_and(|current| current.starts_with(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    fn open_to_all(path: &Path) {
        let mode = if path.is_dir() { 0o777 } else { 0o666 };
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_for_nobody_else_and_what_is_there_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let (directory, file) = (folder.path().join("a/b"), folder.path().join("file"));
        make_directory(&directory).unwrap();
        drop(open_file(&file).unwrap());
        for path in [&folder.path().join("a"), &directory] {
            assert_eq!(mode(path), DIRECTORY);
        }
        fs::write(&file, "kept").unwrap();
        open_to_all(&directory);
        open_to_all(&file);
        make_directory(&directory).unwrap();
        drop(open_file(&file).unwrap());
        assert_eq!((mode(&directory), mode(&file)), (DIRECTORY, FILE));
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    }

    #[test]
    fn a_tree_is_closed_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, outside) = (folder.path().join("tree"), folder.path().join("outside"));
        let deep = tree.join("one/two");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "").unwrap();
        fs::write(&outside, "").unwrap();
        symlink(&outside, deep.join("link")).unwrap();
        symlink(&tree, deep.join("circle")).unwrap();
        for path in [
            &tree,
            &tree.join("one"),
            &deep,
            &deep.join("file"),
            &outside,
        ] {
            open_to_all(path);
        }
        assert_eq!(restrict_all(&tree), 0);
        assert_eq!((mode(&tree), mode(&deep.join("file"))), (DIRECTORY, FILE));
        assert_eq!(
            (mode(&tree.join("one")), mode(&deep)),
            (DIRECTORY, DIRECTORY)
        );
        assert_eq!(mode(&outside), 0o666);
    }

    #[test]
    fn the_working_directory_and_what_it_lies_in_are_left_alone() {
        let current = std::env::current_dir().unwrap();
        let before: Vec<u32> = current.ancestors().map(mode).collect();
        for directory in current.ancestors() {
            make_directory(directory).unwrap();
        }
        let after: Vec<u32> = current.ancestors().map(mode).collect();
        assert_eq!(before, after);
    }
}
