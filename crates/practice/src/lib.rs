//! The practice GitHub: one process-wide stand-in for `paprq demo` and for the tests.
//!
//! Real are: git (smart HTTP by `git upload-pack` and `git receive-pack` over bare repositories),
//! HTTP, the JSON shapes (held to GitHub's OpenAPI description by `tests/practice_openapi.rs`),
//! signatures and order of webhooks, conditional requests, paging, rate limits, and refusals.
//!
//! Imitated of GitHub's behaviour:
//! * a push moves the heads of open pulls (`synchronize`), merges what reached its base, closes
//!   what lost its branch; `refs/pull/N/head` follows, `refs/pull/N/merge` is made when somebody
//!   reads the pull or fetches that ref by name, and so is `mergeable`;
//! * the newest status of a context counts; a description has at most 140 characters; a ref moves
//!   forward only unless forced; times have whole seconds; webhooks are never sent again by themselves;
//! * a commit on the default branch that says `Closes #N` closes that pull; a protected branch moves
//!   only to a commit whose required status is green;
//! * a repository that was renamed or transferred keeps its number; calls for its former name are
//!   sent on (301 for reading, 307 for the rest), git's too, until somebody takes that name.
//!
//! Not imitated: private repositories, organisations and teams, issues that are no pulls,
//! other rules of protected branches, GitHub Apps' installations, search, GraphQL, `ping`; all a pull's commits
//! belong to one push; the branches of a `status` are those whose tip it is; nobody stars anything.
//!
//! State lives in memory behind one mutex (`core`), repositories on disk (`disk`). Faults are
//! set through [`Faults`].

mod announce;
mod checks;
mod closing;
mod core;
mod disk;
mod faults;
mod git_http;
mod hooks;
mod json;
mod labels;
mod look;
mod oauth;
mod pages;
mod protection;
mod pulls;
mod renaming;
mod rest;
mod sample;
mod server;
mod setup;
mod talk;
#[cfg(test)]
mod tests;
mod world;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use paprq_core::ids::Timestamp;

use self::core::Core;
use self::server::Server;

pub use self::disk::Change;
pub use self::faults::{ApiFault, Arrival, Calls, Chaos, Deliveries, Faults, HookFault};
pub use self::look::{CommentSeen, PullSeen, TooLate};
pub use self::pulls::{Edit, Push};
pub use self::sample::{Sample, SampleRepo};
pub use self::world::{
    Conclusion, Delivery, DeliveryOutcome, Permission, PullState, Request, ReviewState, Status,
    StatusState,
};

/// Why the practice GitHub did not do something.
#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    /// The server did not start.
    #[error("start the practice server: {0}")]
    Start(#[source] std::io::Error),
    /// The client that delivers webhooks was not made.
    #[error("make an HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    /// A directory was not made.
    #[error("use the disk: {0}")]
    Disk(#[source] std::io::Error),
    /// `git` is missing or failed.
    #[error("run git: {0}")]
    Git(#[source] std::io::Error),
    /// A repository on disk was not read or written.
    #[error("use a repository: {0}")]
    Repository(#[from] git2::Error),
    /// There is no such thing.
    #[error("find {0}")]
    Unknown(String),
    /// GitHub would refuse it.
    #[error("do that: {0}")]
    Refused(String),
}

/// A running practice GitHub. Clones are handles to the same; it stops when the last is gone.
#[derive(Clone, Debug)]
pub struct Practice {
    core: Arc<Core>,
    server: Arc<Server>,
}

impl Practice {
    /// Starts it on 127.0.0.1, on any free port if `port` is 0. Its bare repositories are made in `dir`,
    /// and `clock` tells it the present moment.
    ///
    /// # Errors
    /// If the port is taken.
    #[expect(
        clippy::unused_async,
        reason = "callers need not change when starting comes to wait for something"
    )]
    pub async fn start(
        dir: &Path,
        port: u16,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, PracticeError> {
        let listener = TcpListener::bind(("127.0.0.1", port)).map_err(PracticeError::Start)?;
        let address = listener.local_addr().map_err(PracticeError::Start)?;
        let (parcels, delivered) = mpsc::unbounded_channel();
        let core = Core::new(format!("http://{address}"), dir, Box::new(clock), parcels);
        let server = Server::start(Arc::clone(&core), listener, delivered)?;
        Ok(Self {
            core,
            server: Arc::new(server),
        })
    }

    /// Its pages, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.core.url.clone()
    }

    /// Where its REST API begins.
    pub fn api_url(&self) -> String {
        format!("{}/api/v3", self.core.url)
    }

    /// Where git finds `OWNER/NAME` and `OWNER/NAME.git`.
    pub fn git_url(&self) -> String {
        self.core.url.clone()
    }

    /// Stops serving; what it knows can still be read.
    pub fn stop(&self) {
        self.server.stop();
    }

    /// The knobs for what shall go wrong.
    pub fn faults(&self) -> Faults {
        self.core.faults.clone()
    }

    fn core(&self) -> &Core {
        &self.core
    }
}
