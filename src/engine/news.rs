//! What a job's change means for its run, and what its commands are told.

use crate::ids::{BranchName, Timestamp};
use crate::jobs::{Job, JobOutcome, JobState};
use crate::queue::event::{Event, SuiteVerdict};
use crate::store::Delivery;
use crate::suite::Variable;

/// What a job's change tells its repository, if anything.
pub(super) fn news_of(job: &Job, base_url: &str, now: Timestamp) -> Option<Delivery> {
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

/// `RHCI_*` and `PAPR_*` of a job, as PAPR sets them: `auto` and `try` are branches like others.
pub(super) fn variables(job: &Job, slug: &str, branch: &BranchName) -> Vec<Variable> {
    let facts = [
        ("REPO", slug.to_owned()),
        ("COMMIT", job.commit.to_string()),
        ("BRANCH", branch.to_string()),
    ];
    ["RHCI", "PAPR"]
        .iter()
        .flat_map(|prefix| {
            facts.iter().map(move |(name, value)| Variable {
                name: format!("{prefix}_{name}"),
                value: value.clone(),
            })
        })
        .collect()
}
