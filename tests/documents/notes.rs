//! Samples of what is said in comments and statuses.

use paprq_core::queue::note::{
    Exemption, Link, Missing, Note, Obstacle, QueueStatus, Reason, RunBrief, SomeFiles, StatusNote,
    SuiteProgress, Unfinished,
};
use paprq_core::queue::run::{Ending, Purpose};

use crate::every::every;

every!(enum Note {
    Approved { commit, approver },
    NotFinished { commit, sign },
    NotTheHead { given, head },
    CommitTooShort { given, head, digits_min },
    ApprovalOutdated { by, head },
    TryOutdated { by },
    AlreadyApproved { why },
    TreeClosed { below, source },
    Started { purpose, head, merge },
    Rebuilding { reused, again },
    Succeeded { checks, approver, merge, base },
    TrySucceeded { checks, merge },
    Failed { purpose, check, verdict },
    TimedOut { waiting_for },
    Conflict { base, head_label, step },
    Broken { why },
    BadSuites { file, message },
    LandingFailed { why },
    BaseChanged { base },
    ClosedAsContained { base },
    TryAfterApproval,
    PriorityTooHigh { max },
    Awake,
    Portal { seed },
    Refused { user, missing },
    NotUnderstood { user, word },
    NothingToRetry,
    Delegated { delegator, delegate },
    UnknownChooser { given, known },
    Interrupted,
    NothingToForce,
    Exempted { why },
    Unmergeable { culprit },
    HookAnswer { answer },
    HookFailed { hook, why },
    RebuildRefused { why },
    RightsUnknown { user },
    NoHead,
    WaitsForOk { author, ask, pusher },
    UnknownSuites { given, known },
    NothingToCancel,
    Standing { why },
    OnHold { by },
});
every!(
    enum Exemption {
        HeadIsGreen,
        TestMergeIsGreen,
    }
);
every!(enum Reason {
    NotApproved,
    NotOpen,
    Testing,
    RereadsChecks,
    Landing,
    LandingDelayed(_),
    Unseen,
    Behind(_),
    TreeClosed { below, by },
    Ended(_),
    SuiteFailed(_),
    CheckFailed(_),
    WaitsFor(_),
    JobStands { suite, words },
    Inquired,
    AsksRights,
    Tried,
    TryWaits,
    OnHold(_),
    NotGreen,
    OwnTestRuns,
    OwnTestPassed,
    OwnTestEnded(_),
    WaitsForOk,
    WaitsForPusher(_),
    AsksAccess,
    Skipped,
    ChangesSuites(_),
    NotMergedHere,
    Next,
});
every!(
    enum Obstacle {
        ChecksUnread(_),
        NothingConfigured,
        NoSuitesFile,
        NoSuiteForMerges,
        SetupTooSlow,
        SetupFailed(_),
        ContentLost(_),
        NothingToMerge(_),
    }
);
every!(struct SomeFiles { named, others });
every!(
    enum Ending {
        Succeeded,
        Failed,
        TimedOut,
        Conflicted,
        Broken,
        Cancelled,
    }
);
every!(
    enum Purpose {
        Land,
        Try,
        Branch,
        Pull,
    }
);
every!(struct Link { name, url });
every!(
    enum Unfinished {
        Title(_),
        Draft,
    }
);
every!(
    enum Missing {
        Reviewer,
        Collaborator,
        Trier,
    }
);
every!(enum StatusNote {
    Queue(_),
    Suite { context, progress, url, run },
    Required { passed, of, verdict, run },
    BadSuites,
    NotTested,
});
every!(struct RunBrief { id, purpose, tested, pull });
every!(enum QueueStatus {
    Testing { purpose, head, merge },
    Succeeded { purpose },
    Failed { check },
    TimedOut,
    Conflict { step },
    Exempted,
    Interrupted,
    Broken { why },
    BadSuites { file },
    NotLanded { why },
    Cancelled,
});
every!(
    enum SuiteProgress {
        Waiting,
        Running,
        Ended(_),
        PassedBefore,
        NotNeeded,
        FailedAsAllowed(_),
        Cancelled,
        Superseded,
        PassedInMerge,
    }
);
