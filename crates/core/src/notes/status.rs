//! The words of commit statuses.

use super::Links;
use super::comment::{doing, obstacle};
use super::harmless::{cut, quiet, url};
use crate::queue::event::{MergeStep, SuiteVerdict, Verdict};
use crate::queue::note::{QueueStatus, RunBrief, StatusNote, SuiteProgress};
use crate::queue::run::{Purpose, Tested};

/// GitHub's limit for descriptions, in characters.
const DESCRIPTION_CHARS_MAX: usize = 140;

/// GitHub's limit for contexts, in characters.
const CONTEXT_CHARS_MAX: usize = 255;

/// The context under which the queue speaks (homu).
pub const QUEUE_CONTEXT: &str = "homu";

/// The context that sums up the required suites (PAPR).
const REQUIRED_CONTEXT: &str = "required";

/// The context for a file of suites that is wrong (PAPR).
const FILE_CONTEXT: &str = "Red Hat CI";

/// A commit status, ready to be set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusText {
    /// Its context.
    pub context: String,
    /// What it says.
    pub state: State,
    /// What it says in words, at most 140 characters.
    pub description: String,
    /// Where to read more; empty if nowhere.
    pub url: String,
}

/// GitHub's four states of a commit status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Not known yet.
    Pending,
    /// Good.
    Success,
    /// Tests ran and failed.
    Failure,
    /// It could not be carried out.
    Error,
}

impl State {
    /// The word in GitHub's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

/// A commit status in words: those of Homu for `homu`, those of PAPR for suites.
///
/// The context of a suite is its name as the file has it: branch protection matches on it.
pub fn status(note: &StatusNote, links: &Links) -> StatusText {
    match note {
        StatusNote::Queue(status) => queue_status(status, links),
        StatusNote::Suite {
            context,
            progress,
            url,
            run,
        } => suite_status(context, progress, url, *run, links),
        StatusNote::Required {
            passed,
            of,
            verdict,
            run,
        } => {
            let passes = format!("{passed}/{of} PASSES");
            let (state, description) = match verdict {
                Verdict::Pending => (State::Pending, "Waiting...".to_owned()),
                Verdict::Passed => (State::Success, passes),
                Verdict::Failed => (State::Failure, passes),
            };
            StatusText {
                context: REQUIRED_CONTEXT.to_owned(),
                state,
                description,
                url: links
                    .run(run.id)
                    .unwrap_or_else(|| links.on_github(run.pull)),
            }
        }
        StatusNote::BadSuites => StatusText {
            context: FILE_CONTEXT.to_owned(),
            state: State::Error,
            description: "Invalid YAML file.".to_owned(),
            url: String::new(),
        },
        StatusNote::NotTested => StatusText {
            context: FILE_CONTEXT.to_owned(),
            state: State::Error,
            description: "An internal error occurred.".to_owned(),
            url: String::new(),
        },
    }
}

/// What failed where making a merge came to a conflict, in Homu's words.
pub(super) fn failed_step(step: MergeStep) -> &'static str {
    match step {
        MergeStep::Merge => "Merge conflict",
        MergeStep::Autosquash => "Auto-squashing failed",
        MergeStep::Squash => "Squashing failed",
    }
}

/// What came out of a suite, in PAPR's words.
pub fn verdict(verdict: &SuiteVerdict) -> String {
    match verdict {
        SuiteVerdict::Passed => "All tests passed.".to_owned(),
        SuiteVerdict::Failed(code) => format!("Test failed with rc {code}."),
        SuiteVerdict::TimedOut => "Test timed out and was aborted.".to_owned(),
        SuiteVerdict::Error(why) if why.trim().is_empty() => {
            "An internal error occurred.".to_owned()
        }
        SuiteVerdict::Error(why) => quiet(why, DESCRIPTION_CHARS_MAX),
    }
}

fn queue_status(status: &QueueStatus, links: &Links) -> StatusText {
    let (state, description) = queue_words(status);
    let check_page = match status {
        QueueStatus::Failed { check } => url(&check.url),
        QueueStatus::Testing { .. }
        | QueueStatus::Succeeded { .. }
        | QueueStatus::TimedOut
        | QueueStatus::Conflict { .. }
        | QueueStatus::Exempted
        | QueueStatus::Interrupted
        | QueueStatus::Broken { .. }
        | QueueStatus::BadSuites { .. }
        | QueueStatus::NotLanded { .. }
        | QueueStatus::Cancelled => None,
    };
    StatusText {
        context: QUEUE_CONTEXT.to_owned(),
        state,
        description: quiet(&description, DESCRIPTION_CHARS_MAX),
        url: check_page.or_else(|| links.queue()).unwrap_or_default(),
    }
}

fn queue_words(status: &QueueStatus) -> (State, String) {
    match status {
        QueueStatus::Testing {
            purpose,
            head,
            merge,
        } => {
            let doing = doing(*purpose);
            let words = format!("{doing} commit {head} with merge {merge}...");
            (State::Pending, words)
        }
        QueueStatus::Succeeded { purpose } => {
            let words = match purpose {
                Purpose::Land | Purpose::Branch | Purpose::Pull => "Test successful",
                Purpose::Try => "Try build successful",
            };
            (State::Success, words.to_owned())
        }
        QueueStatus::Failed { check } => (State::Failure, format!("Test failed: {}", check.name)),
        QueueStatus::TimedOut => (State::Failure, "Test timed out".to_owned()),
        QueueStatus::Conflict { step } => (State::Error, failed_step(*step).to_owned()),
        QueueStatus::Exempted => (State::Success, "Test exempted".to_owned()),
        QueueStatus::Interrupted => (
            State::Error,
            "The build was interrupted to prioritize another pull request.".to_owned(),
        ),
        QueueStatus::Broken { why } => (State::Error, format!("Not tested: {}", obstacle(why))),
        QueueStatus::BadSuites { file } => (State::Error, format!("Invalid {file}")),
        QueueStatus::NotLanded { why } => (State::Error, format!("Fast-forwarding failed: {why}")),
        QueueStatus::Cancelled => (State::Error, "Test stopped".to_owned()),
    }
}

/// What a suite says that passed where it could not be merged, in PAPR's words.
const PASSED_ALONE: &str = "All tests passed, but merge commit could not be tested.";

fn suite_status(
    context: &str,
    progress: &SuiteProgress,
    page: &str,
    run: RunBrief,
    links: &Links,
) -> StatusText {
    let (state, description) = suite_words(progress, run.tested);
    // Homu cannot take a final status without an address.
    let fallback = match state {
        State::Pending => String::new(),
        State::Success | State::Failure | State::Error => {
            links.queue().unwrap_or_else(|| links.on_github(run.pull))
        }
    };
    let fallback = match run.purpose {
        Purpose::Land | Purpose::Try => fallback,
        Purpose::Pull | Purpose::Branch => links.run(run.id).unwrap_or(fallback),
    };
    let context: String = context.chars().filter(|c| !c.is_control()).collect();
    StatusText {
        context: cut(&context, CONTEXT_CHARS_MAX),
        state,
        description,
        url: url(page).unwrap_or(fallback),
    }
}

fn suite_words(progress: &SuiteProgress, tested: Tested) -> (State, String) {
    match progress {
        SuiteProgress::Waiting => (State::Pending, "Waiting for a worker...".to_owned()),
        SuiteProgress::Running => (State::Pending, "Running tests...".to_owned()),
        SuiteProgress::Cancelled => (State::Error, "Stopped: the run is over.".to_owned()),
        SuiteProgress::PassedBefore => {
            let words = "All tests passed before on the same tree.";
            (State::Success, words.to_owned())
        }
        SuiteProgress::Superseded => {
            let words = "Superseded by the merge test, whose result will count.";
            (State::Pending, words.to_owned())
        }
        SuiteProgress::PassedInMerge => {
            let words = "Superseded by the merge test: all tests passed.";
            (State::Success, words.to_owned())
        }
        SuiteProgress::NotNeeded => {
            let words = "Not needed: it is about no path that was changed.";
            (State::Success, words.to_owned())
        }
        SuiteProgress::FailedAsAllowed(came_to) => {
            let words = format!("Allowed to fail: {}", verdict(came_to));
            (State::Success, cut(&words, DESCRIPTION_CHARS_MAX))
        }
        SuiteProgress::Ended(SuiteVerdict::Passed) if tested == Tested::HeadAlone => {
            (State::Success, PASSED_ALONE.to_owned())
        }
        SuiteProgress::Ended(came_to) => {
            let state = match came_to {
                SuiteVerdict::Passed => State::Success,
                SuiteVerdict::Failed(_) | SuiteVerdict::TimedOut => State::Failure,
                SuiteVerdict::Error(_) => State::Error,
            };
            (state, verdict(came_to))
        }
    }
}
