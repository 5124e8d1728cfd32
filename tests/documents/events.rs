//! Samples of events.

use paprq_core::command::Permission;
use paprq_core::queue::event::{
    Access, BuildVerdict, Comment, CommentKey, CommentSort, Event, HeadRepo, MergeAttempt,
    MergeFound, MergeStep, Mergeability, PullAge, PullFacts, PullState, Refusal, Source, SuiteFile,
    SuiteVerdict, SuitesFound, Verdict,
};

use crate::every::every;

every!(enum Event {
    PullSeen { facts, source },
    HeadPushed { facts, by },
    PullRestored { facts, comments, result, age },
    CommentMade { pull, comment },
    BranchPushed { branch, before, after, at },
    BaseSeen { branch, tip },
    StatusReported { commit, context, verdict, url, order },
    CheckRunReported { commit, name, verdict, url, attempt },
    CheckSuiteCompleted { commit, suite },
    CheckRunsRead { commit, found, completed_suites },
    CheckRunsUnread { run, why },
    BuildReported { commit, builder, verdict, url, number },
    BuildsRefused { run, why },
    StandingTold { user, standing },
    ExemptionJudged { run, exemption },
    StandingUntold { user },
    PullUnseen { pull },
    LandingDelayed { run, why },
    MergeabilityFound { base, found },
    HookAnswered { pull, answer },
    HookFailed { pull, hook, why },
    RollupMade { pulls, rollup },
    MergeMade { run, base_tip, merge },
    MergeConflicted { run, step },
    MergeAltered { run, files },
    NothingToMerge { run },
    PullContained { pull, head, base },
    TestMergeMade { run, base_tip, made },
    AccessTold { user, access },
    SuitesCompared { pull, head, changed },
    MergeRead { run, found },
    MergePublished { run },
    SetupFailed { run, why },
    SuitesRead { run, found },
    SuiteStarted { run, context, url },
    SuiteFinished { run, context, verdict, url },
    BranchAdvanced { run },
    LandingRefused { run, why },
    TimePassed,
});
every!(struct MergeFound { base_tip, merged });
every!(
    enum Source {
        Webhook,
        Reading,
    }
);
every!(
    enum PullAge {
        Old,
        New,
    }
);
every!(
    enum MergeAttempt {
        Merged(_),
        Conflicted,
    }
);
every!(
    enum Access {
        Write,
        Less,
    }
);
every!(struct PullFacts {
    number, title, body, author, state, draft, head, head_label, head_repo, pushed_at, base, mergeable,
    labels, updated_at,
});
every!(
    enum HeadRepo {
        Unsaid,
        Base,
        Of(_),
    }
);
every!(
    enum PullState {
        Open,
        Closed,
        Merged,
    }
);
every!(struct Comment { key, author, standing, body, commit, url });
every!(struct CommentKey { at, id, sort });
every!(
    enum CommentSort {
        Issue,
        Review,
        ReviewComment,
    }
);
every!(
    enum Permission {
        Outsider,
        Trier,
        Reviewer,
    }
);
every!(
    enum Verdict {
        Pending,
        Passed,
        Failed,
    }
);
every!(
    enum BuildVerdict {
        Running,
        Passed,
        Failed,
        Interrupted,
    }
);
every!(struct Mergeability { pull, head, clean });
every!(
    enum MergeStep {
        Merge,
        Autosquash,
        Squash,
    }
);
every!(
    enum SuiteVerdict {
        Passed,
        Failed(_),
        TimedOut,
        Error(_),
    }
);
every!(enum SuitesFound { NoFile, Invalid { file, message }, Suites(_) });
every!(struct SuiteFile { suites, untouched, passed, changed });
every!(
    enum Refusal {
        BaseMoved,
        PullChanged,
        Rejected(_),
    }
);
