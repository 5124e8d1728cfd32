//! What comes of an attempt: an outcome of the suite's, or a fault of the worker's and its words.

use std::io;

use rustix::io::Errno;

use crate::protocol::{JobOutcome, Report, WorkerFault};

/// What came of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Conclusion {
    /// The suite came to this, or cannot be executed by any worker as it is.
    Outcome(JobOutcome),
    /// The worker failed; why, in one sentence for people.
    Fault(WorkerFault, String),
}

impl Conclusion {
    pub(super) fn report(&self, log_bytes: u64) -> Report {
        let (outcome, fault) = match self {
            Self::Outcome(outcome) => (outcome.clone(), None),
            Self::Fault(fault, reason) => {
                let message = reason.clone();
                (JobOutcome::Error { message }, Some(*fault))
            }
        };
        Report {
            outcome,
            fault,
            log_bytes,
        }
    }
}

impl From<JobOutcome> for Conclusion {
    fn from(outcome: JobOutcome) -> Self {
        Self::Outcome(outcome)
    }
}

/// What an error of the worker's own files, pipes and processes means to people. Says nothing of
/// paths or addresses: whoever reads it may be a stranger.
pub(super) fn reason(error: &io::Error) -> String {
    let what = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOSPC) => "disk is full",
        Some(Errno::DQUOT) => "quota of the disk is used up",
        Some(Errno::IO) => "disk cannot be read or written",
        Some(Errno::ROFS) => "disk is read-only",
        Some(Errno::NOMEM) => "memory is used up",
        Some(Errno::MFILE | Errno::NFILE) => "file descriptors are used up",
        Some(Errno::AGAIN) => "processes are used up",
        _ => "files or processes failed",
    };
    format!("The worker's {what}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_what_the_worker_lacks_and_no_path() {
        let of = |errno: Errno| reason(&io::Error::from(errno));
        assert_eq!(of(Errno::NOSPC), "The worker's disk is full.");
        assert_eq!(
            of(Errno::DQUOT),
            "The worker's quota of the disk is used up."
        );
        assert_eq!(
            of(Errno::IO),
            "The worker's disk cannot be read or written."
        );
        let inside = io::Error::other("/home/builder/work: no socket");
        assert_eq!(reason(&inside), "The worker's files or processes failed.");
    }

    #[test]
    fn a_fault_is_reported_as_an_error_that_blames_the_worker() {
        let full = Conclusion::Fault(WorkerFault::BrokeOff, "Full.".to_owned());
        let report = full.report(7);
        let message = "Full.".to_owned();
        assert_eq!(report.outcome, JobOutcome::Error { message });
        assert_eq!(report.fault, Some(WorkerFault::BrokeOff));
        let passed = Conclusion::from(JobOutcome::Passed).report(7);
        assert_eq!((passed.outcome, passed.fault), (JobOutcome::Passed, None));
    }
}
