//! What a job's change means for its run.

use crate::store::Delivery;
use paprq_core::ids::Timestamp;
use paprq_core::jobs::{Job, JobOutcome, JobState};
use paprq_core::queue::event::{Event, SuiteVerdict};

/// What a job's change tells its repository, if anything.
pub(super) fn event_of(job: &Job, base_url: &str, now: Timestamp) -> Option<Delivery> {
    let url = format!("{base_url}/job/{}", job.id);
    let (id, event) = match &job.state {
        JobState::Leased { attempt, .. } => (
            format!("job-{}-{attempt}-started", job.id),
            Event::SuiteStarted {
                run: job.run,
                context: job.suite.context.clone(),
                url,
            },
        ),
        JobState::Finished { outcome, .. } => (
            format!("job-{}-ended", job.id),
            Event::SuiteFinished {
                run: job.run,
                context: job.suite.context.clone(),
                verdict: verdict(outcome),
                url,
            },
        ),
        JobState::Waiting | JobState::Cancelled { .. } => return None,
    };
    Some(Delivery {
        repo: job.repo.clone(),
        id: Some(id),
        events: vec![event],
        received_at: now,
    })
}

fn verdict(outcome: &JobOutcome) -> SuiteVerdict {
    match outcome {
        JobOutcome::Passed => SuiteVerdict::Passed,
        JobOutcome::Failed { exit_code } => SuiteVerdict::Failed(*exit_code),
        JobOutcome::TimedOut => SuiteVerdict::TimedOut,
        JobOutcome::Error { message } => SuiteVerdict::Error(message.clone()),
    }
}
