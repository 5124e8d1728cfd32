//! What commit statuses say of a run's suites.

use super::event::{SuiteVerdict, Verdict};
use super::note::{StatusNote, SuiteProgress};
use super::run::{CheckState, Origin, Run, RunCheck, Weight};

/// How a suite of a run stands.
pub(super) fn suite_status(run: &Run, context: &str, check: &RunCheck) -> StatusNote {
    let progress = match (&check.state, check.origin) {
        (CheckState::Waiting, _) => SuiteProgress::Waiting,
        (CheckState::Running { .. }, _) => SuiteProgress::Running,
        (CheckState::Passed { .. }, Origin::Own) => SuiteProgress::Ended(SuiteVerdict::Passed),
        (CheckState::Passed { .. }, Origin::Earlier) => SuiteProgress::PassedBefore,
        (CheckState::Passed { .. }, Origin::NotNeeded) => SuiteProgress::NotNeeded,
        (CheckState::Passed { .. }, Origin::Merge) => SuiteProgress::PassedInMerge,
        (CheckState::Failed { verdict, .. }, _) => {
            let verdict = verdict
                .clone()
                .unwrap_or_else(|| SuiteVerdict::Error("It failed.".to_owned()));
            match check.weight {
                Weight::Allowed => SuiteProgress::FailedAsAllowed(verdict),
                Weight::Decides | Weight::Required | Weight::Informs => {
                    SuiteProgress::Ended(verdict)
                }
            }
        }
        (CheckState::Cancelled, _) => SuiteProgress::Cancelled,
    };
    StatusNote::Suite {
        context: context.to_owned(),
        progress,
        url: check.state.url().to_owned(),
        run: run.brief(),
    }
}

/// The `required` status of a run, if its file has required suites.
pub(super) fn required_status(run: &Run) -> Option<StatusNote> {
    let required: Vec<_> = run
        .checks
        .iter()
        .filter(|check| check.weight == Weight::Required)
        .collect();
    let has_passed = |check: &&RunCheck| matches!(check.state, CheckState::Passed { .. });
    let is_needed = |check: &&&RunCheck| check.origin != Origin::NotNeeded;
    // What was not needed stands in nobody's way, but did not pass.
    let needed = required.iter().filter(is_needed);
    let passed = needed.clone().filter(|check| has_passed(check)).count();
    let verdict = if required.iter().all(has_passed) {
        Verdict::Passed
    } else if required.iter().any(|check| check.state.is_open()) {
        Verdict::Pending
    } else {
        Verdict::Failed
    };
    (!required.is_empty()).then_some(StatusNote::Required {
        passed,
        of: needed.count(),
        verdict,
        run: run.brief(),
    })
}
