//! What server and worker say to each other: JSON over HTTP.
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST /api/v1/worker/claim` | [`Claim`] | 200 [`Order`]; 204 nothing within `wait_s` |
//! | `POST /api/v1/jobs/JOB/attempts/N/log?offset=BYTES` | raw bytes | 200 [`Renewal`] |
//! | `POST /api/v1/jobs/JOB/attempts/N/beat` | [`Beat`] | 200 [`Renewal`] |
//! | `PUT /api/v1/jobs/JOB/attempts/N/artifacts/PATH` | the file's bytes | 200 [`Renewal`]; 413 too much |
//! | `POST /api/v1/jobs/JOB/attempts/N/result` | [`Report`] | 200 [`Renewal`] |
//! | `GET,POST /api/v1/jobs/JOB/attempts/N/git/…` | git's smart HTTP, read-only | the run's commit |
//!
//! The worker shows its token as `Authorization: Bearer TOKEN`; the git calls take the order's own
//! `git_token` as the password of basic authentication. 401 says that the token is wrong, 410 that
//! the lease is over: the worker stops that attempt and throws it away. Every other failure is
//! passing: the worker tries again until its lease must have ended.
//!
//! A log chunk is taken only at the offset where the server's copy ends; whatever the server did
//! with it, its answer says where to go on. A worker that does not know whether a chunk arrived
//! asks with a beat and goes on from there, so that no byte is lost or doubled. A report is taken
//! only when the server holds all of its `log_bytes`; an answer with fewer asks for the rest and
//! for the report again. Files come before the report, each whole; one that came before is replaced.
//!
//! A report with a `fault` gives the job back: the worker failed, not the suite. A worker that
//! cannot begin jobs leaves what it needs for them out of the `executors` of its claims until it can.

mod artifacts;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::artifacts::{ArtifactPath, BadPath};
pub use crate::config::ArtifactBounds;
use paprq_core::ids::{CommitId, WorkerId};
pub use paprq_core::jobs::{Attempt, Executor, JobOutcome, Wish, WorkerFault};
use paprq_core::suite::{Suite, Variable};

/// How long a worker holds a job without a word to the server, in seconds.
pub const LEASE_S: u64 = 60;
/// How often a worker speaks up while it has nothing else to say, in seconds.
pub const BEAT_S: u64 = 10;
/// The longest that a claim waits for a job, in seconds.
pub const CLAIM_WAIT_MAX_S: u64 = 30;
/// The largest log chunk, in bytes.
pub const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// A worker asks for one job.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Its name. A second worker of the same name and token takes the first one's place.
    pub worker: WorkerId,
    /// What it can execute now.
    pub executors: Vec<Executor>,
    /// What it has that suites may ask for.
    pub labels: Vec<String>,
    /// How many slots it has in all; 0 if it does not say.
    #[serde(default)]
    pub slots: u32,
    /// How many more slots it can fill; at least 1.
    pub slots_free: u32,
    /// The attempts that it is executing. Whatever else it had been given is lost.
    pub running: Vec<Attempt>,
    /// How long it will wait for an answer, in seconds; at most [`CLAIM_WAIT_MAX_S`].
    pub wait_s: u64,
}

/// The server gives a worker one attempt at one job.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// What to report on.
    pub attempt: Attempt,
    /// The lease ends this many seconds after the last answered call about this attempt.
    pub lease_s: u64,
    /// The commit to check out.
    pub commit: CommitId,
    /// The ref that holds it on the server.
    pub git_ref: String,
    /// The password for the git calls of this attempt.
    pub git_token: String,
    /// How many of the worker's slots it fills.
    #[serde(default = "one")]
    pub slots: u32,
    /// What to execute.
    pub suite: Suite,
    /// `PAPR_*` and `RHCI_*`, exported after the suite's own.
    pub variables: Vec<Variable>,
    /// What the suite may know and nobody may read: exported by name, and hidden in the log.
    #[serde(default)]
    pub secrets: Vec<SecretVariable>,
    /// Lines that open the log after the date, without line ends: the pull's address, the commit,
    /// `TESTSUITE` and the context. The worker writes `### ` before each.
    pub log_header: Vec<String>,
    /// The log is cut after this many bytes.
    pub log_bytes_max: u64,
    /// The repository's public address, from which relative addresses of submodules go out.
    #[serde(default)]
    pub origin: Option<String>,
    /// How much of the suite's files is kept.
    #[serde(default)]
    pub artifacts: ArtifactBounds,
}

impl Order {
    /// What the server adds to the suite's own variables, in the order of their export: values
    /// that are taken as they are.
    pub fn exports(&self) -> Vec<Variable> {
        let secrets = self.secrets.iter().map(|secret| Variable {
            name: secret.name.clone(),
            value: secret.value.clone(),
        });
        secrets.chain(self.variables.iter().cloned()).collect()
    }
}

/// A variable whose value is not shown by `Debug`.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
pub struct SecretVariable {
    /// A letter or `_`, then letters, digits and `_`, all ASCII.
    pub name: String,
    /// Any text without NUL.
    pub value: String,
}

impl fmt::Debug for SecretVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=***", self.name)
    }
}

fn one() -> u32 {
    1
}

/// A worker says that it is still at it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Beat {}

/// What the server answers about an attempt that still holds its lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Renewal {
    /// What the worker is to do now.
    pub wish: Wish,
    /// How many bytes of the log the server holds: the next chunk's offset.
    pub log_bytes: u64,
}

/// How an attempt ended.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Passed, failed or neither.
    pub outcome: JobOutcome,
    /// Set where the worker is to blame: the outcome is an error then, and its message says what
    /// the worker lacks. Servers that do not know this take the error as the job's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<WorkerFault>,
    /// How many bytes of log the worker has sent; the server has them all before it believes the
    /// outcome.
    pub log_bytes: u64,
}
