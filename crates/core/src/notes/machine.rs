//! The line at the end of a comment that other programs read (homu: comments.py).

use serde_json::{Map, Value, json};

use super::Links;
use super::NAME_CHARS_MAX;
use super::comment::LINKS_MAX;
use super::harmless::{login, plain, url};
use crate::queue::note::{Link, Note};
use crate::queue::run::Purpose;

/// How much of a branch's name is told to programs, in characters; git takes no more in a path.
const BRANCH_CHARS_MAX: usize = 255;

/// What a comment says, for programs; `None` where its sort has no type.
#[expect(clippy::too_many_lines, reason = "an arm for each note, and no more")]
pub(super) fn machine_readable(note: &Note, links: &Links) -> Option<Value> {
    match note {
        Note::Approved { commit, approver } => Some(json!({
            "type": "Approved",
            "sha": commit,
            "approver": login(approver.as_str()),
            "queue": links.queue().unwrap_or_default(),
        })),
        Note::NotFinished { commit, .. } => Some(json!({
            "type": "ApprovalIgnoredWip",
            "sha": commit,
        })),
        Note::Started {
            purpose,
            head,
            merge,
        } => Some(json!({
            "type": kind(*purpose, "BuildStarted", "TryBuildStarted"),
            "head_sha": head,
            "merge_sha": merge,
        })),
        Note::Succeeded {
            checks,
            approver,
            merge,
            base,
        } => Some(json!({
            "type": "BuildCompleted",
            "approved_by": login(approver.as_str()),
            "base_ref": plain(base.as_str(), BRANCH_CHARS_MAX),
            "builders": builders(checks),
            "merge_sha": merge,
        })),
        Note::TrySucceeded { checks, merge } => Some(json!({
            "type": "TryBuildCompleted",
            "builders": builders(checks),
            "merge_sha": merge,
        })),
        Note::Failed { purpose, check, .. } => Some(json!({
            "type": kind(*purpose, "BuildFailed", "TryBuildFailed"),
            "builder_url": url(&check.url).unwrap_or_default(),
            "builder_name": plain(&check.name, NAME_CHARS_MAX),
        })),
        Note::TimedOut { .. } => Some(json!({ "type": "TimedOut" })),
        Note::Delegated {
            delegator,
            delegate,
        } => Some(json!({
            "type": "Delegated",
            "delegator": login(delegator.as_str()),
            "delegate": login(delegate.as_str()),
        })),
        Note::NotTheHead { .. }
        | Note::CommitTooShort { .. }
        | Note::ApprovalOutdated { .. }
        | Note::TryOutdated { .. }
        | Note::AlreadyApproved { .. }
        | Note::TreeClosed { .. }
        | Note::Rebuilding { .. }
        | Note::Conflict { .. }
        | Note::Broken { .. }
        | Note::BadSuites { .. }
        | Note::LandingFailed { .. }
        | Note::BaseChanged { .. }
        | Note::TryAfterApproval
        | Note::ClosedAsContained { .. }
        | Note::PriorityTooHigh { .. }
        | Note::Awake
        | Note::Portal { .. }
        | Note::Refused { .. }
        | Note::NotUnderstood { .. }
        | Note::NothingToRetry
        | Note::UnknownChooser { .. }
        | Note::Interrupted
        | Note::NothingToForce
        | Note::Exempted { .. }
        | Note::Unmergeable { .. }
        | Note::HookAnswer { .. }
        | Note::HookFailed { .. }
        | Note::RebuildRefused { .. }
        | Note::RightsUnknown { .. }
        | Note::NoHead
        | Note::WaitsForOk { .. }
        | Note::UnknownSuites { .. }
        | Note::NothingToCancel
        | Note::Standing { .. }
        | Note::OnHold { .. } => None,
    }
}

/// The line itself. No value can end it, mention anybody or begin a comment of its own.
pub(super) fn hidden(fields: &Value) -> String {
    let json = fields
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('@', "\\u0040");
    format!("<!-- homu: {json} -->")
}

fn kind(purpose: Purpose, land: &'static str, attempt: &'static str) -> &'static str {
    match purpose {
        Purpose::Land => land,
        Purpose::Try | Purpose::Branch | Purpose::Pull => attempt,
    }
}

/// Names and addresses of checks.
fn builders(checks: &[Link]) -> Value {
    let pairs = checks.iter().take(LINKS_MAX).map(|check| {
        let page = url(&check.url).unwrap_or_default();
        (plain(&check.name, NAME_CHARS_MAX), Value::String(page))
    });
    Value::Object(pairs.collect::<Map<_, _>>())
}
