//! How something stands: one word, and a shape and a colour that say the same.

use std::fmt;

use askama::filters::HtmlSafe;

use paprq_core::jobs::{AttemptEnd, Job, JobOutcome, JobState};
use paprq_core::queue::event::PullState;
use paprq_core::queue::pull::{Pull, Stage, Status};
use paprq_core::queue::pull_test::PullTestStage;
use paprq_core::queue::run::{CheckState, Ending, Origin, Phase, Purpose, Run, RunCheck, Weight};

/// One word with a shape and a colour. Written out, it is HTML.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::web) struct Badge {
    word: &'static str,
    tone: Tone,
}

/// What a state means to whoever looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tone {
    Good,
    Bad,
    Broken,
    Busy,
    Waiting,
    Idle,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Broken => "broken",
            Self::Busy => "busy",
            Self::Waiting => "waiting",
            Self::Idle => "idle",
        }
    }

    fn shape(self) -> &'static str {
        match self {
            Self::Good => "✔",
            Self::Bad => "✘",
            Self::Broken => "▲",
            Self::Busy => "◐",
            Self::Waiting => "◆",
            Self::Idle => "○",
        }
    }
}

impl Badge {
    const fn new(word: &'static str, tone: Tone) -> Self {
        Self { word, tone }
    }

    /// How a pull stands.
    pub(in crate::web) fn of_pull(pull: &Pull, run: Option<&Run>) -> Self {
        match pull.facts.state {
            PullState::Merged => return Self::new("merged", Tone::Good),
            PullState::Closed => return Self::new("closed", Tone::Idle),
            PullState::Open => {}
        }
        if let (Stage::Running { .. }, Some(run)) = (&pull.stage, run) {
            return Self::of_run(run);
        }
        if let Stage::Ended {
            purpose: Purpose::Try,
            ending,
            ..
        } = pull.stage
        {
            return Self::of_try(ending);
        }
        match pull.status() {
            Status::Success => Self::new("passed", Tone::Good),
            Status::Pending => Self::new("testing", Tone::Busy),
            Status::Approved if matches!(pull.stage, Stage::TryWanted { .. }) => {
                Self::new("try waits", Tone::Waiting)
            }
            Status::Approved => Self::new("approved", Tone::Waiting),
            Status::None => Self::new("open", Tone::Idle),
            Status::Error => Self::new("error", Tone::Broken),
            Status::Failure => Self::new("failed", Tone::Bad),
        }
    }

    fn of_try(ending: Ending) -> Self {
        match ending {
            Ending::Succeeded => Self::new("try passed", Tone::Good),
            Ending::Failed => Self::new("try failed", Tone::Bad),
            Ending::TimedOut => Self::new("try timed out", Tone::Bad),
            Ending::Conflicted => Self::new("conflict", Tone::Broken),
            Ending::Broken => Self::new("error", Tone::Broken),
            Ending::Cancelled => Self::new("open", Tone::Idle),
        }
    }

    /// How a run stands.
    pub(in crate::web) fn of_run(run: &Run) -> Self {
        let ending = match &run.phase {
            Phase::Merging { .. } => return Self::new("merging", Tone::Busy),
            Phase::Testing { .. } => return Self::new("testing", Tone::Busy),
            Phase::Landing { .. } => return Self::new("landing", Tone::Busy),
            Phase::Done { ending, .. } => *ending,
        };
        match ending {
            Ending::Succeeded if run.purpose == Purpose::Land => Self::new("landed", Tone::Good),
            Ending::Succeeded
            | Ending::Failed
            | Ending::TimedOut
            | Ending::Conflicted
            | Ending::Broken
            | Ending::Cancelled => Self::of_ending(ending),
        }
    }

    /// How a check stands.
    pub(in crate::web) fn of_check(check: &RunCheck) -> Self {
        match (&check.state, check.origin, check.weight) {
            (CheckState::Waiting, ..) => Self::new("waiting", Tone::Waiting),
            (CheckState::Running { .. }, ..) => Self::new("running", Tone::Busy),
            (CheckState::Passed { .. }, Origin::NotNeeded, _) => {
                Self::new("not needed", Tone::Idle)
            }
            (CheckState::Passed { .. }, Origin::Own | Origin::Earlier | Origin::Merge, _) => {
                Self::new("passed", Tone::Good)
            }
            // Nothing depends on it: it is no alarm.
            (CheckState::Failed { .. }, _, Weight::Allowed) => Self::new("failed", Tone::Broken),
            (CheckState::Failed { .. }, ..) => Self::new("failed", Tone::Bad),
            (CheckState::Cancelled, ..) => Self::new("stopped", Tone::Idle),
        }
    }

    /// How a pull request test stands.
    pub(in crate::web) fn of_pull_test(stage: &PullTestStage) -> Self {
        match stage {
            PullTestStage::Idle => Self::new("none", Tone::Idle),
            PullTestStage::Skipped => Self::new("skipped", Tone::Idle),
            PullTestStage::Asking { .. } => Self::new("asking", Tone::Waiting),
            PullTestStage::Untrusted => Self::new("waits for ok", Tone::Waiting),
            PullTestStage::Wanted { .. } => Self::new("wanted", Tone::Waiting),
            PullTestStage::Running { .. } => Self::new("testing", Tone::Busy),
            PullTestStage::Ended { ending, .. } => Self::of_ending(*ending),
        }
    }

    fn of_ending(ending: Ending) -> Self {
        match ending {
            Ending::Succeeded => Self::new("passed", Tone::Good),
            Ending::Failed => Self::new("failed", Tone::Bad),
            Ending::TimedOut => Self::new("timed out", Tone::Bad),
            Ending::Conflicted => Self::new("conflict", Tone::Broken),
            Ending::Broken => Self::new("error", Tone::Broken),
            Ending::Cancelled => Self::new("stopped", Tone::Idle),
        }
    }

    /// How a job stands.
    pub(in crate::web) fn of_job(job: &Job) -> Self {
        match &job.state {
            JobState::Waiting => Self::new("waiting", Tone::Waiting),
            JobState::Leased { .. } => Self::new("running", Tone::Busy),
            JobState::Finished { outcome, .. } => Self::of_outcome(outcome),
            JobState::Cancelled { .. } => Self::new("stopped", Tone::Idle),
        }
    }

    /// How an attempt ended, or that it runs.
    pub(in crate::web) fn of_attempt(ended: Option<&AttemptEnd>) -> Self {
        match ended {
            None => Self::new("running", Tone::Busy),
            Some(AttemptEnd::Reported { outcome, .. }) => Self::of_outcome(outcome),
            Some(AttemptEnd::Lost { .. }) => Self::new("worker lost", Tone::Broken),
            Some(AttemptEnd::Stopped { .. }) => Self::new("stopped", Tone::Idle),
            Some(AttemptEnd::Preempted { .. }) => Self::new("interrupted", Tone::Idle),
            Some(AttemptEnd::Returned { .. }) => Self::new("not begun", Tone::Broken),
            Some(AttemptEnd::Broken { .. }) => Self::new("worker failed", Tone::Broken),
        }
    }

    fn of_outcome(outcome: &JobOutcome) -> Self {
        match outcome {
            JobOutcome::Passed => Self::new("passed", Tone::Good),
            JobOutcome::Failed { .. } => Self::new("failed", Tone::Bad),
            JobOutcome::TimedOut => Self::new("timed out", Tone::Bad),
            JobOutcome::Error { .. } => Self::new("error", Tone::Broken),
        }
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, shape, word) = (self.tone.class(), self.tone.shape(), self.word);
        write!(
            f,
            "<span class=\"badge {class}\"><span aria-hidden=\"true\">{shape}</span> {word}</span>"
        )
    }
}

/// It is made of our own words alone.
impl HtmlSafe for Badge {}
