//! Tells pages that something changed, so that they can look again.

use tokio::sync::broadcast;

use paprq_core::ids::{JobId, RepoLabel};
use paprq_core::jobs::Attempt;

/// How many changes a slow page may lag behind before it must look at everything again.
const BACKLOG: usize = 1024;

/// Something that pages show has changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A repository's queue: its pulls, runs or tree.
    Repo(RepoLabel),
    /// A job was given out, taken back, or has ended.
    Job(JobId),
    /// The log of an attempt has grown or is complete.
    Log(Attempt),
}

/// The way from those that change something to those that show it.
#[derive(Clone, Debug)]
pub struct Live(broadcast::Sender<Change>);

impl Live {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// All changes from now on. Whoever lags is told so, and looks at everything again.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }

    /// Tells a change to whoever is there; nobody is fine.
    pub fn tell(&self, change: Change) {
        let _listeners = self.0.send(change);
    }
}
