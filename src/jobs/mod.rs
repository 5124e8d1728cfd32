//! The scheduler: which worker gets which job, for how long, and how often. Pure.
//!
//! A [`Board`] holds the jobs that are not over. Its callers tell it the time, write down what it
//! changed, and carry the news. What a job's end means for its run is the queue's business.

mod board;
mod job;
#[cfg(test)]
mod tests;

pub use self::board::{Board, Claimant, LeaseOver};
pub use self::job::{
    Attempt, AttemptEnd, AttemptRecord, Executor, Job, JobOutcome, JobState, Subject, Wish,
    WorkerKey,
};

/// How often a job is given to a worker before it is given up: for workers that die, never for
/// tests that fail.
pub const ATTEMPTS_MAX: u32 = 3;
