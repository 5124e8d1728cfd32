//! A job and its attempts, as pages show them.

use super::run::shown_name;
use super::{Badge, Moment, duration, name};
use crate::clock;
use crate::ids::{AttemptNumber, JobId, RepoLabel, RunId, Timestamp};
use crate::jobs::{AttemptEnd, AttemptRecord, Job, JobOutcome, JobState, WorkerKey};
use crate::notes;

/// A job.
#[derive(Clone, Debug)]
pub(in crate::web) struct JobView {
    pub(in crate::web) id: JobId,
    pub(in crate::web) name: String,
    pub(in crate::web) repo: RepoLabel,
    pub(in crate::web) run: RunId,
    pub(in crate::web) badge: Badge,
    /// What more there is to say of how it stands.
    pub(in crate::web) detail: String,
    pub(in crate::web) environment: &'static str,
    pub(in crate::web) timeout: String,
    pub(in crate::web) made: Moment,
    /// Youngest first.
    pub(in crate::web) attempts: Vec<AttemptView>,
}

/// An attempt.
#[derive(Clone, Debug)]
pub(in crate::web) struct AttemptView {
    pub(in crate::web) number: AttemptNumber,
    pub(in crate::web) badge: Badge,
    pub(in crate::web) worker: String,
    pub(in crate::web) began: Moment,
    pub(in crate::web) took: String,
}

impl JobView {
    pub(in crate::web) fn new(job: &Job) -> Self {
        Self {
            id: job.id,
            name: shown_name(&job.suite.context),
            repo: job.repo.clone(),
            run: job.run,
            badge: Badge::of_job(job),
            detail: detail(job),
            environment: job.suite.environment.key(),
            timeout: duration(job.suite.timeout_s.saturating_mul(1000)),
            made: Moment(job.made_at),
            attempts: job.attempts.iter().rev().map(AttemptView::new).collect(),
        }
    }
}

impl AttemptView {
    fn new(record: &AttemptRecord) -> Self {
        let until = record.ended.as_ref().map_or_else(clock::now, end);
        Self {
            number: record.number,
            badge: Badge::of_attempt(record.ended.as_ref()),
            worker: worker(&record.worker),
            began: Moment(record.began_at),
            took: duration(until.ms_since(record.began_at)),
        }
    }
}

/// `NAME`, and whose token it shows.
pub(in crate::web) fn worker(key: &WorkerKey) -> String {
    format!("{} ({})", name(key.name.as_str()), name(&key.token))
}

fn end(ended: &AttemptEnd) -> Timestamp {
    match ended {
        AttemptEnd::Reported { at, .. } | AttemptEnd::Lost { at } | AttemptEnd::Stopped { at } => {
            *at
        }
    }
}

fn detail(job: &Job) -> String {
    match &job.state {
        JobState::Waiting if job.attempts.is_empty() => waits_for(job),
        JobState::Waiting => format!("Its worker was lost. {}", waits_for(job)),
        JobState::Leased { worker: key, .. } => format!("With worker {}.", worker(key)),
        JobState::Cancelled { .. } => "Its run was over before it was.".to_owned(),
        JobState::Finished { outcome, .. } => match outcome {
            JobOutcome::Passed => "Every command ended with 0.".to_owned(),
            JobOutcome::Failed { exit_code } => format!("A command ended with {exit_code}."),
            JobOutcome::TimedOut => "Its time was up.".to_owned(),
            JobOutcome::Error { message } => notes::plain(message, 200),
        },
    }
}

fn waits_for(job: &Job) -> String {
    let kind = job.suite.environment.key();
    format!("It waits for a free worker that executes suites of environment {kind}.")
}
