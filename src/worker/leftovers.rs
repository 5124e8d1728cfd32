//! What is to be deleted and could not be yet: trees, and containers of an engine.
//!
//! Deleting goes on beside the jobs and is tried again for as long as the worker lives, so that
//! nothing a suite leaves behind keeps a worker from starting or from its next job.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::Notify;

use super::executors::ContainerEngine;
use super::removal::remove_tree;

/// Where such trees are below the worker's directory.
const LEFTOVERS: &str = "leftovers";
/// The pauses between tries that fail: the first, and the longest.
const PAUSE_MIN: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// The trees that are to be deleted.
#[derive(Debug)]
pub(super) struct Leftovers {
    directory: PathBuf,
    more: Notify,
}

impl Leftovers {
    /// Those below the worker's directory.
    pub(super) fn below(work_dir: &Path) -> Self {
        Self {
            directory: work_dir.join(LEFTOVERS),
            more: Notify::new(),
        }
    }

    /// Puts a tree among them; one that is not there is none. Takes no time, however large it is.
    ///
    /// # Errors
    /// If it cannot be moved.
    pub(super) fn take(&self, tree: &Path) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let name = format!("{:032x}", rand::random::<u128>());
        match fs::rename(tree, self.directory.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            moved => {
                self.more.notify_one();
                moved
            }
        }
    }

    /// Deletes them, those that come later, and what containers are left of this owner.
    pub(super) async fn keep_removing(
        &self,
        engine: Option<&ContainerEngine>,
        owner: &str,
    ) -> Infallible {
        let mut pause = PAUSE_MIN;
        loop {
            let trees = self.remove_trees(pause).await;
            let containers = match engine {
                Some(engine) => engine.remove_leftovers(owner).await,
                None => true,
            };
            // Containers that could not be removed at a job's end are looked for in any case.
            let rest = if trees && containers {
                pause = PAUSE_MIN;
                PAUSE_MAX
            } else {
                pause
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = self.more.notified() => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Whether all are deleted.
    async fn remove_trees(&self, pause: Duration) -> bool {
        let directory = self.directory.clone();
        let removing = tokio::task::spawn_blocking(move || remove_all(&directory)).await;
        let Err(error) = removing.unwrap_or_else(|error| Err(io::Error::other(error))) else {
            return true;
        };
        tracing::error!(
            %error, directory = %self.directory.display(), again_s = pause.as_secs(),
            "what suites left takes room on the disk and cannot be deleted; the worker tries again, \
             but look at it"
        );
        false
    }
}

/// Deletes every tree in a directory, if there is one.
///
/// # Errors
/// With the first failure, after all that can be deleted are.
fn remove_all(directory: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut first = Ok(());
    for entry in entries {
        first = first.and(entry.and_then(|entry| remove_tree(&entry.path())));
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_moved_at_once_and_deleted_all_together() {
        let work_dir = tempfile::tempdir().unwrap();
        let leftovers = Leftovers::below(work_dir.path());
        remove_all(&leftovers.directory).unwrap();
        let tree = work_dir.path().join("tree");
        leftovers.take(&tree).unwrap();
        for file in ["one", "two"] {
            fs::create_dir(&tree).unwrap();
            fs::write(tree.join(file), "").unwrap();
            leftovers.take(&tree).unwrap();
            assert!(!tree.exists());
        }
        let held = || fs::read_dir(&leftovers.directory).unwrap().count();
        assert_eq!(held(), 2);
        remove_all(&leftovers.directory).unwrap();
        assert_eq!(held(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_deleted_is_tried_again() {
        let work_dir = tempfile::tempdir().unwrap();
        let leftovers = Leftovers::below(work_dir.path());
        // In the way of the directory, so that nothing can be looked for.
        fs::write(&leftovers.directory, "").unwrap();
        let mended = async {
            tokio::time::sleep(PAUSE_MIN / 2).await;
            fs::remove_file(&leftovers.directory).unwrap();
            let tree = work_dir.path().join(LEFTOVERS).join("tree");
            fs::create_dir_all(&tree).unwrap();
            while tree.exists() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let waiting = tokio::time::timeout(PAUSE_MIN * 3, mended);
        tokio::select! {
            never = leftovers.keep_removing(None, "nobody") => match never {},
            mended = waiting => mended.unwrap(),
        }
    }
}
