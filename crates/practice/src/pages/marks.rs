//! States as people see them: a word and a sign, and a colour that says nothing by itself.

use crate::world::{CheckRun, Conclusion, DeliveryOutcome, Pull, PullState, StatusState};

/// How a state looks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    /// The class in the style sheet: `good`, `bad`, `wait` or `none`.
    pub(super) kind: &'static str,
    pub(super) sign: &'static str,
    pub(super) word: String,
}

fn mark(kind: &'static str, sign: &'static str, word: impl Into<String>) -> Mark {
    Mark {
        kind,
        sign,
        word: word.into(),
    }
}

pub(super) fn of_pull(pull: &Pull) -> Mark {
    match pull.state() {
        PullState::Open if pull.draft => mark("none", "○", "draft"),
        PullState::Open => mark("wait", "●", "open"),
        PullState::Closed => mark("bad", "✕", "closed"),
        PullState::Merged => mark("good", "◆", "merged"),
    }
}

/// Whether an open pull merges; nothing where that is not known.
pub(super) fn of_merging(pull: &Pull) -> Option<Mark> {
    let test = pull.test_merge.filter(|_| pull.is_open())?;
    Some(match test.merge {
        Some(_) => mark("good", "✓", "merges cleanly"),
        None => mark("bad", "✕", "conflicts"),
    })
}

pub(super) fn of_status(state: StatusState) -> Mark {
    match state {
        StatusState::Success => mark("good", "✓", "success"),
        StatusState::Pending => mark("wait", "…", "pending"),
        StatusState::Failure => mark("bad", "✕", "failure"),
        StatusState::Error => mark("bad", "!", "error"),
    }
}

pub(super) fn of_check_run(run: &CheckRun) -> Mark {
    let Some(end) = run.end else {
        return mark("wait", "…", "in progress");
    };
    let word = end.conclusion.as_str().replace('_', " ");
    match end.conclusion {
        Conclusion::Success => mark("good", "✓", word),
        Conclusion::Neutral | Conclusion::Skipped => mark("none", "–", word),
        Conclusion::Failure
        | Conclusion::Cancelled
        | Conclusion::TimedOut
        | Conclusion::ActionRequired => mark("bad", "✕", word),
    }
}

pub(super) fn of_delivery(outcome: &DeliveryOutcome) -> Mark {
    match outcome {
        DeliveryOutcome::UnderWay => mark("wait", "…", "under way"),
        DeliveryOutcome::Answered(code @ 200..300) => mark("good", "✓", code.to_string()),
        DeliveryOutcome::Answered(code) => mark("bad", "✕", code.to_string()),
        DeliveryOutcome::Unanswered(_) => mark("bad", "✕", "no answer"),
        DeliveryOutcome::Lost => mark("bad", "✕", "lost"),
    }
}
