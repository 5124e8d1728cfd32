//! What tests of several modules make trees with.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Makes a directory with this many more in each other, far beyond the longest path, and a file of
/// some bytes in the last.
pub(in crate::worker) fn nest(top: &Path, depth: usize) {
    std::fs::create_dir(top).unwrap();
    let open = |at: &OwnedFd, name: &str| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        rustix::fs::openat(at, name, flags, Mode::empty()).unwrap()
    };
    let mut here = OwnedFd::from(std::fs::File::open(top).unwrap());
    for _ in 0..depth {
        rustix::fs::mkdirat(&here, "deeper", Mode::RWXU).unwrap();
        here = open(&here, "deeper");
    }
    let flags = OFlags::WRONLY | OFlags::CREATE;
    let file = rustix::fs::openat(&here, "file", flags, Mode::RWXU).unwrap();
    rustix::io::write(&file, &[1; 100_000]).unwrap();
}

/// Does something while the process has only so many descriptors left.
pub(in crate::worker) fn with_few_descriptors<T>(few: usize, work: impl FnOnce() -> T) -> T {
    let usual = getrlimit(Resource::Nofile);
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() + few;
    let lower = rustix::process::Rlimit {
        current: Some(open as u64),
        ..usual
    };
    setrlimit(Resource::Nofile, lower).unwrap();
    let done = work();
    setrlimit(Resource::Nofile, usual).unwrap();
    done
}
