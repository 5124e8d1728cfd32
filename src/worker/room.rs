//! The directory of one attempt on the worker's disk: working copy, scripts, log.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::removal::remove_tree;
use crate::protocol::Attempt;

/// Where attempts live below the worker's directory.
const JOBS: &str = "jobs";

/// One attempt's directory.
#[derive(Clone, Debug)]
pub(super) struct Room {
    root: PathBuf,
    /// Whose the working copy is, if it is not the worker's own.
    owner: Option<HostUser>,
}

/// A user and group of the host, by number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct HostUser(pub(super) u32);

impl Room {
    /// Makes an empty directory for an attempt, with a working copy that `owner` may write.
    pub(super) fn make(
        work_dir: &Path,
        attempt: Attempt,
        owner: Option<HostUser>,
    ) -> io::Result<Self> {
        let name = format!("{}-{}", attempt.job, attempt.number);
        let room = Self {
            root: jobs_directory(work_dir).join(name),
            owner,
        };
        room.remove()?;
        let furnished = room.furnish();
        if furnished.is_err() {
            // What could be made takes room that is lacking.
            let _nothing_else_to_do = room.remove();
        }
        furnished.map(|()| room)
    }

    fn furnish(&self) -> io::Result<()> {
        for directory in [&self.root, &self.checkout(), &self.control(), &self.home()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(directory)?;
        }
        match self.owner {
            Some(HostUser(id)) => chown(self.checkout(), Some(id), Some(id)),
            None => Ok(()),
        }
    }

    /// Everything of this attempt.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of all rooms: on the worker's own disk, whatever the room itself is on.
    pub(super) fn neighbourhood(&self) -> &Path {
        self.root.parent().unwrap_or(&self.root)
    }

    /// The working copy.
    pub(super) fn checkout(&self) -> PathBuf {
        self.root.join("checkout")
    }

    /// What a suite leaves, where its working copy is elsewhere.
    pub(super) fn kept(&self) -> PathBuf {
        self.root.join("kept")
    }

    /// What the commands may read but not change: their scripts, the sandbox's own /etc.
    pub(super) fn control(&self) -> PathBuf {
        self.root.join("control")
    }

    /// Writes a script that nobody but the commands can read: it may hold secrets.
    pub(super) fn write_script(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.control().join(name);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        if let Some(HostUser(id)) = self.owner {
            chown(&path, Some(id), Some(id))?;
        }
        Ok(())
    }

    /// The home directory of commands that run without a sandbox.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The log as the worker keeps it until the server has it.
    pub(super) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Deletes the directory, also where commands have locked themselves out of parts of it.
    /// No process of the attempt may be alive.
    pub(super) fn remove(&self) -> io::Result<()> {
        remove_tree(&self.root)
    }
}

/// The directory that holds the rooms.
pub(super) fn jobs_directory(work_dir: &Path) -> PathBuf {
    work_dir.join(JOBS)
}
