//! The heart that server and [`Practice`](super::Practice) share: state, faults, deliveries.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use paprq_core::ids::{Login, Timestamp};

use super::PracticeError;
use super::disk::{Disk, Signature};
use super::faults::Faults;
use super::hooks::Parcel;
use super::json::Shapes;
use super::world::World;

/// Tells the time to whoever serves it.
type Clock = dyn Fn() -> Timestamp + Send + Sync;

/// Shared by all threads. No lock is held while git runs.
pub(super) struct Core {
    world: Mutex<World>,
    clock: Box<Clock>,
    /// Held while moved refs get their consequences, so that these come one after the other.
    pub(super) announcing: Mutex<()>,
    /// Held while a test merge is made: two of the same pull would be in each other's way.
    pub(super) merging: Mutex<()>,
    changed: watch::Sender<u64>,
    pub(super) faults: Faults,
    pub(super) parcels: mpsc::UnboundedSender<Parcel>,
    /// `http://127.0.0.1:PORT`
    pub(super) url: String,
    pub(super) dir: PathBuf,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn new(
        url: String,
        dir: &Path,
        clock: Box<Clock>,
        parcels: mpsc::UnboundedSender<Parcel>,
    ) -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::default(),
            clock,
            announcing: Mutex::default(),
            merging: Mutex::default(),
            changed: watch::Sender::new(0),
            faults: Faults::default(),
            parcels,
            url,
            dir: dir.to_owned(),
        })
    }

    /// The present moment.
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The state. A thread that panicked with it left it whole: each change is one statement.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for a change.
    pub(super) fn changed(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The JSON of things in this state.
    pub(super) fn shapes<'a>(&'a self, world: &'a World) -> Shapes<'a> {
        Shapes::new(world, &self.url)
    }

    /// The repository's directory on disk, opened.
    pub(super) fn disk(&self, repo: &str) -> Result<Disk, PracticeError> {
        let path = self.world().repo(repo).map(|repo| repo.path.clone());
        match path {
            Some(path) => Disk::open(&path),
            None => Err(PracticeError::Unknown(format!("repository {repo}"))),
        }
    }

    /// The signature of a user's commits.
    pub(super) fn signature(&self, login: &Login, at: Timestamp) -> Signature {
        let mut world = self.world();
        let user = world.user(login, at);
        Signature {
            name: user.login.to_string(),
            email: user.email(),
            at,
        }
    }
}
