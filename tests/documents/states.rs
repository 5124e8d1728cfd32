//! Samples of what the queue knows: repositories, pulls and runs.

use paprq_core::queue::pull::{
    Approval, Inquiry, Named, Pull, Register, Squash, Stage, Unjudged, Urgency,
};
use paprq_core::queue::pull_test::{PullTest, PullTestStage, ToldToWait};
use paprq_core::queue::reports::{
    Attempt, CheckRunSeen, CheckRunVerdict, Known, Report, Reporter, StatusOrder,
};
use paprq_core::queue::run::{
    Check, CheckState, Origin, Phase, Preparation, Rereading, Run, RunCheck, Scope, Tested, Weight,
};
use paprq_core::queue::{Contained, RepoState, Tree};

use crate::every::{Every, Picks, every};

every!(struct RepoState { tree, last_run, bases, welcome, tips });
every!(enum Tree { Open, Closed { below, by, source } });

every!(struct Pull {
    facts, head_since, head_moved, changed_since, unseen_since, contained, inquiry, approval, priority,
    rollup, delegate, squash, hold, own, urgency, forgotten, unjudged, try_key, stage, last_run, handled,
});
every!(struct Contained { head, base });
every!(struct Inquiry { until, pushed_at, comments });
every!(struct Unjudged { comment, until });
every!(
    enum Squash {
        No,
        Yes,
    }
);
every!(
    enum Urgency {
        Forced,
        Usual,
    }
);
every!(struct Approval { commit, approver, said_by, named });
every!(
    enum Named {
        Commit,
        Head,
    }
);
every!(enum Stage {
    Idle,
    RetryWanted { of, scope },
    TryWanted { chooser, scope },
    Running { run, purpose },
    Ended { run, purpose, ending },
});

impl<T: Every> Every for Register<T> {
    fn every() -> Vec<Self> {
        Picks::all(|picks| Self {
            value: picks.next(),
            set_by: picks.next(),
        })
    }
}

every!(struct PullTest { stage, last_run, admitted, told, changed_file, stranger, pushers });
every!(
    enum ToldToWait {
        No,
        Yes,
    }
);
every!(enum PullTestStage {
    Idle,
    Skipped,
    Asking { until, about },
    Untrusted,
    Wanted { scope, of },
    Running { run },
    Ended { run, ending },
});

every!(struct Run {
    id, purpose, base, members, repeats, squash, chooser, scope, tested, called, changed_file, exemption,
    began_at, phase, checks, completed_suites, rereading, landing_delay,
});
every!(
    enum Rereading {
        Idle,
        UnderWay,
    }
);
every!(
    enum Scope {
        Usual,
        Afresh,
        Again(_),
        Only(_),
    }
);
every!(
    enum Tested {
        Merge,
        HeadAlone,
    }
);
every!(enum Phase {
    Merging { deadline },
    Testing { merge, awaits, deadline },
    Landing { merge },
    Done { ending, merge, at },
});
every!(
    enum Preparation {
        JudgeExemption,
        ReadMerge,
        Publish,
        ReadSuites,
    }
);
every!(struct RunCheck { check, weight, state, origin, reports });
every!(
    enum Origin {
        Own,
        Earlier,
        NotNeeded,
        Merge,
    }
);
every!(enum Check {
    Suite(_),
    Status { label, context },
    CheckRun { label, name },
    Build(_),
});
every!(
    enum Weight {
        Decides,
        Required,
        Informs,
        Allowed,
    }
);
every!(enum CheckState {
    Waiting,
    Running { url },
    Passed { url },
    Failed { url, verdict },
    Cancelled,
});

every!(
    enum CheckRunVerdict {
        Pending,
        Passed,
        Failed,
        Neutral,
        Skipped,
    }
);
every!(struct CheckRunSeen { name, verdict, url, attempt });
every!(struct Attempt { app, suite, id, started_at, completed_at });
every!(struct StatusOrder { at, id });
every!(struct Report { of, verdict, url });
every!(enum Reporter { Unknown, CheckRun { attempt, known }, Status(_), Build(_) });
every!(
    enum Known {
        Heard,
        Listed,
    }
);
