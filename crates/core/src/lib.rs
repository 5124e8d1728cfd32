//! The core of paprq: what it decides, without doing anything.
//!
//! Nothing here does I/O, reads a clock or is asynchronous; `Cargo.toml` holds that, since no crate
//! in it can. What has happened comes in as an event, what must be done goes out as an effect. A
//! module uses only those above it in the list; `tests/architecture.rs` holds that.
//!
//! | module | what lives there |
//! |---|---|
//! | [`ids`] | names of things: repos, pulls, runs, jobs, commits, moments |
//! | [`command`] | comment text to commands, and who may give them |
//! | [`suite`] | `.papr.yml` to suites, and which of them a run needs |
//! | [`queue`] | the state machine of one repo: pulls, runs, checks, order, landing |
//! | [`jobs`] | the scheduler: matching jobs to workers, leases, attempts |
//! | [`notes`] | every word that is posted to GitHub |
//!
//! A newcomer reads this page, then [`queue::event`], then [`queue::effect`], and knows the program.

pub mod command;
pub mod ids;
pub mod jobs;
pub mod notes;
pub mod queue;
#[cfg(test)]
mod stopwatch;
pub mod suite;
