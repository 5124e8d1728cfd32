//! The scheduler: which worker gets which job, for how long, and how often. Pure.
//!
//! A [`Board`] holds the jobs that are not over. Its callers tell it the time, write down what it
//! changed, and carry the news. What a job's end means for its run is the queue's business.

//!
//! `schedule` is what a team writes about its jobs, with a `pattern` for each name, `policy` says what rank and which limits a job has, `need` and `workers` whether a worker fits
//! it. `waiting` and `load` are kept beside the jobs, so that a decision need not look at each
//! one: `claiming` makes it, and `password` is what is kept of an attempt's password. `arranging` keeps
//! room for jobs that have waited too long or may interrupt others, `superseding` lets a pull
//! request test make way for its merge, `ending` is how attempts and jobs end, `status` what people are told.

mod arranging;
mod board;
mod claiming;
mod ending;
mod job;
pub mod keeping;
mod load;
mod need;
mod password;
mod pattern;
mod policy;
mod schedule;
mod status;
mod superseding;
mod waiting;
mod workers;

#[cfg(test)]
mod tests;

pub use self::board::{Board, Claimant, LeaseOver};
pub use self::job::{
    Attempt, AttemptEnd, AttemptRecord, Executor, Job, JobOutcome, JobState, Subject, Wish,
    WorkerFault, WorkerKey,
};
pub use self::need::{KVM_LABEL, Need};
pub use self::password::PasswordDigest;
pub use self::pattern::{NoPattern, Pattern};
pub use self::policy::{Limit, Policy, RepoLimits};
pub use self::schedule::{
    Comparison, NoComparison, PriorityBound, Rule, RuleRun, Schedule, SuiteLimit,
};
pub use self::status::{JobStatus, Wait};
pub use self::workers::{KNOWN_S, Lack, Offer, Sickness};

/// How often a job's worker may be lost before the job is given up; tests that fail, jobs that
/// are interrupted and jobs that a worker could not begin do not count.
pub const ATTEMPTS_MAX: u32 = 3;
