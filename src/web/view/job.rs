//! A job and its attempts, as pages show them.

use super::run::shown_name;
use super::{Badge, Moment, duration, name};
use crate::clock;
use crate::engine::JobStatusInWords;
use paprq_core::ids::{AttemptNumber, JobId, RepoLabel, RunId};
use paprq_core::jobs::{AttemptEnd, AttemptRecord, Job, JobOutcome, JobState, Need, WorkerKey};
use paprq_core::notes;

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
    /// What happens at the latest when.
    pub(in crate::web) deadlines: Vec<(&'static str, Moment)>,
    /// Whether it passed after an attempt that did not.
    pub(in crate::web) is_flaky: bool,
    /// How many of a worker's slots it fills.
    pub(in crate::web) slots: u32,
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
            deadlines: Vec::new(),
            is_flaky: job.is_flaky(),
            slots: Need::of(&job.suite).slots,
            attempts: job.attempts.iter().rev().map(AttemptView::new).collect(),
        }
    }
}

impl JobView {
    /// With where it stands by the scheduler, if it is not over.
    pub(in crate::web) fn status(mut self, status: Option<JobStatusInWords>) -> Self {
        if let Some(status) = status {
            self.detail = format!("{}{}.", self.detail, status.words);
            let deadlines = status.deadlines.into_iter();
            self.deadlines = deadlines.map(|(what, at)| (what, Moment(at))).collect();
        }
        self
    }
}

impl AttemptView {
    fn new(record: &AttemptRecord) -> Self {
        let until = record
            .ended
            .as_ref()
            .map_or_else(clock::now, AttemptEnd::at);
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

fn detail(job: &Job) -> String {
    match &job.state {
        JobState::Waiting => again(job),
        JobState::Leased { worker: key, .. } => format!("With worker {}. ", worker(key)),
        JobState::Cancelled { .. } => "Its run was over before it was.".to_owned(),
        JobState::Finished { outcome, .. } => match outcome {
            JobOutcome::Passed if job.is_flaky() => {
                "Every command ended with 0, but not in each attempt: it is flaky.".to_owned()
            }
            JobOutcome::Passed => "Every command ended with 0.".to_owned(),
            JobOutcome::Failed { exit_code } => format!("A command ended with {exit_code}."),
            JobOutcome::TimedOut => "Its time was up.".to_owned(),
            JobOutcome::Error { message } => notes::plain(message, 200),
        },
    }
}

/// Why it waits once more, if it does.
fn again(job: &Job) -> String {
    match job.attempts.last().and_then(|last| last.ended.as_ref()) {
        None => String::new(),
        Some(AttemptEnd::Lost { .. }) => "Its worker was lost. ".to_owned(),
        Some(AttemptEnd::Reported { .. }) => "It is tried again. ".to_owned(),
        Some(AttemptEnd::Stopped { .. } | AttemptEnd::Preempted { .. }) => {
            "It was interrupted. ".to_owned()
        }
        Some(AttemptEnd::Returned { reason, .. }) => {
            format!(
                "A worker could not begin it: {} ",
                notes::plain(reason, 200)
            )
        }
        Some(AttemptEnd::Broken { reason, .. }) => {
            format!("Its worker failed: {} ", notes::plain(reason, 200))
        }
    }
}
