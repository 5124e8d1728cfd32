//! The mirror of one repository: fetch, merge, push; and serving commits to workers.
//!
//! libgit2 reads and writes objects and refs; the `git` program (2.38 or newer) talks to remotes,
//! merges and serves fetches. What spawns `git` is `async`; what only reads or writes the mirror
//! blocks for about a millisecond, so call it from `spawn_blocking`. There is no work tree.
//!
//! **Invariants**: a branch that is advanced moves only from a commit that the new one contains; a token
//! is never in an argument, a URL, a log or an error; no name from outside reaches git as an
//! option; every child process has limits of time and memory and dies with its future, children included;
//! what strangers made is read in this process only as far as its size is known and small.

mod difference;
mod error;
mod fetch;
mod file;
mod merge;
mod message;
mod mirror;
mod object;
mod program;
mod pulls;
mod push;
mod quarantine;
mod rebase;
mod remote;
mod repair;
mod replay;
pub mod serve;
mod survey;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod todo;

pub use difference::Changes;
pub use error::GitError;
pub use fetch::{Fetch, RemoteRef};
pub use file::{Astray, FileAt};
pub use merge::{Merge, Person};
pub use mirror::{Mirror, TreeId, Upkeep};
pub use program::Limits;
pub use pulls::PullHead;
pub use push::{PushKind, PushOutcome};
pub use rebase::{Autosquash, COMMITS_MAX, Credit, Rebase, RebasePlan};
pub use remote::{Remote, RemoteAuth, Secret};
pub use survey::{Mergeability, Survey};
