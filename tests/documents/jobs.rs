//! Samples of jobs.

use paprq_core::jobs::{
    AttemptEnd, AttemptRecord, Job, JobOutcome, JobState, PasswordDigest, Subject, Wish, WorkerKey,
};

use crate::every::every;

every!(struct Job {
    id, repo, run, purpose, priority, commit, subject, tree, suite, made_at, state, attempts,
});
every!(struct Subject { pull, labels, identity, branch });
every!(enum JobState {
    Waiting,
    Leased { attempt, worker, until, wish, git_password },
    Finished { outcome, at },
    Cancelled { at },
});
every!(struct AttemptRecord { number, worker, began_at, ended, preempted_by });
every!(enum AttemptEnd {
    Reported { at, outcome },
    Lost { at },
    Stopped { at },
    Preempted { at },
    Returned { at, reason },
    Broken { at, reason },
});
every!(struct WorkerKey { token, name });
every!(
    enum Wish {
        GoOn,
        Stop,
    }
);
every!(enum JobOutcome { Passed, Failed { exit_code }, TimedOut, Error { message } });
every!(values PasswordDigest { PasswordDigest::of("a password") });
