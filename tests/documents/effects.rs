//! Samples of effects.

use paprq_core::queue::effect::{
    BaseAt, Culprit, Effect, ExemptionQuestion, History, LandingOrder, MemberMerge, MergeMark,
    MergeOrder, MergeStyle, News, RetryOrder, Shape, TestMergeOrder, TitleMark, Which,
};
use paprq_core::queue::labels::LabelChange;
use paprq_core::queue::run::{Member, TestMerge};

use crate::every::every;

every!(enum Effect {
    MakeMerge(_),
    PublishMerge { run, commit, branch },
    ReadMerge { run, commit, base },
    ReadSuites { run, commit, since },
    MakeTestMerge(_),
    MarkTestMerge { pull, head, tested, note },
    AskAccess { user },
    CompareSuites { pull, base, head },
    RankJobs { run, priority, labels },
    JudgeExemption(_),
    ReadCheckRuns { run, commit },
    RepeatBuilds { run, builds },
    StopBuilds { run, builders },
    StartJobs { run, commit, suites },
    CancelJobs { run },
    CancelSuites { run, contexts },
    AdvanceBranch(_),
    PostComment { pull, note },
    SetStatus { commit, note },
    EditLabels { pull, change },
    MarkMerged(_),
    ClosePull { pull, head },
    CallHook { pull, hook, body, data, news },
    LogRetry(_),
    AskStanding { user },
    CheckMergeability { base, pulls },
    ReadPull { pull },
});
every!(struct RetryOrder { pull, by, at, body, source });
every!(struct TestMergeOrder { run, pull, head, base, again });
every!(
    enum News {
        Fresh,
        Old,
    }
);
every!(struct MergeOrder { run, base, test_branch, members, again, unlike });
every!(struct MemberMerge { pull, head, message, style });
every!(struct MergeStyle { shape, history });
every!(enum Shape { AsTheyAre, Autosquashed, Squashed { message } });
every!(
    enum History {
        Merged,
        Linear,
    }
);
every!(struct BaseAt { branch, tip, culprit });
every!(
    enum Which {
        All,
        One(_),
    }
);
every!(struct ExemptionQuestion { run, base_tip, merge, pull, head, contexts });
every!(struct MergeMark { pull, head, landed, title });
every!(
    enum TitleMark {
        Prefixed,
        Unchanged,
    }
);
every!(
    enum Culprit {
        Pull(_),
        Commit(_),
    }
);
every!(struct TestMerge { base_tip, merge });
every!(struct LandingOrder { run, base, from, to, members });
every!(struct Member { pull, head, approver, said_by });
every!(struct LabelChange { remove, add, unless });
