//! One test of one commit.

use serde::{Deserialize, Serialize};

use super::event::SuiteVerdict;
use super::note::{Exemption, Link, RunBrief};
use super::pull::Squash;
use super::reports::Report;
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId, Timestamp};
use crate::suite::Called;

/// A test of members merged onto a base. Never used twice: a new test is a new run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it is for.
    pub purpose: Purpose,
    /// The branch whose tip it is merged onto.
    pub base: BranchName,
    /// What is tested, in the order of merging. One pull for now.
    pub members: Vec<Member>,
    /// The run that it repeats.
    pub repeats: Option<RunId>,
    /// Whether each pull became one commit when its commit was made.
    #[serde(default)]
    pub squash: Squash,
    /// CHOOSER of the `try=CHOOSER` that asked for it.
    #[serde(default)]
    pub chooser: Option<String>,
    /// Which suites it takes, and what it takes from earlier runs.
    #[serde(default)]
    pub scope: Scope,
    /// What its commit is, in a pull request test.
    #[serde(default)]
    pub tested: Tested,
    /// All suites of its commit's file, as people may call them.
    #[serde(default)]
    pub called: Vec<Called>,
    /// The file of suites, if the commit changes it.
    #[serde(default)]
    pub changed_file: Option<String>,
    /// Why its commit needs no test, if it needs none.
    #[serde(default)]
    pub exemption: Option<Exemption>,
    /// When it began.
    pub began_at: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// What it waits for. Empty until its commit is known.
    pub checks: Vec<RunCheck>,
    /// The check suites of its commit of which every check run is completed, as far as that is known.
    #[serde(default)]
    pub completed_suites: Vec<u64>,
    /// Whether its check runs are read once more before it ends well.
    #[serde(default)]
    pub rereading: Rereading,
    /// Why its landing did not go well at once, in words for people.
    #[serde(default)]
    pub landing_delay: Option<String>,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An approved merge that lands if it passes: kind `auto`.
    Land,
    /// A try: never lands.
    Try,
    /// A push to a branch that suites name: kind `branch`.
    Branch,
    /// A pull request's test merge: never lands.
    Pull,
}

impl Purpose {
    /// Whether its suites are given the secrets that they name: not where nobody has vouched for what
    /// is tested, a pull by itself, which may be a stranger's, with suites of its own.
    pub fn may_see_secrets(self) -> bool {
        match self {
            Self::Land | Self::Try | Self::Branch => true,
            Self::Pull => false,
        }
    }

    /// Whether such a run has its turn in the queue, and people wait for what it comes to.
    pub fn is_queued(self) -> bool {
        match self {
            Self::Land | Self::Try => true,
            Self::Branch | Self::Pull => false,
        }
    }
}

/// A pull in a run, at the commit that was approved.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Which pull.
    pub pull: PullNumber,
    /// The commit of it that is tested.
    pub head: CommitId,
    /// In whose name it was approved; for a try, nobody's.
    pub approver: Option<Login>,
    /// Who said so.
    #[serde(default)]
    pub said_by: Option<Login>,
}

/// How a run ended, in short, for pages and answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It landed, or a try passed.
    Succeeded,
    /// A check failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// It does not merge cleanly.
    Conflicted,
    /// It could not be carried out.
    Broken,
    /// It was stopped: a push, a withdrawn approval, a closed pull, a moved base.
    Cancelled,
}

/// A merge that an earlier run made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TestMerge {
    /// What it was merged onto.
    pub base_tip: CommitId,
    /// The result.
    pub merge: CommitId,
}

/// Whether the check runs of a run's commit are read once more before it ends well.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rereading {
    /// Not now.
    #[default]
    Idle,
    /// GitHub is asked for them.
    UnderWay,
}

/// Which suites a run takes, and what it takes from earlier runs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those that the file gives for it; what passed before on the same tree counts.
    #[default]
    Usual,
    /// Those, and nothing that passed before counts (`retry all`).
    Afresh,
    /// Those, and of the repeated run everything counts but these, by their contexts
    /// (`retry SUITE…`).
    Again(Vec<String>),
    /// These, as somebody called them (`test SUITE…`), and of the repeated run everything else.
    Only(Vec<String>),
}

/// What a run's commit is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tested {
    /// A merge with the base, or the tip of a branch.
    #[default]
    Merge,
    /// A pull's head, because it does not merge cleanly.
    HeadAlone,
}

/// How far a run is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// Its commit is being made.
    Merging {
        /// Until when.
        deadline: Timestamp,
    },
    /// Its checks run.
    Testing {
        /// The commit, and what it was merged onto.
        merge: TestMerge,
        /// What must be done before its checks can decide.
        awaits: Vec<Preparation>,
        /// Until when: first the preparations that are awaited, then the checks.
        deadline: Timestamp,
    },
    /// All checks passed and the base branch is being moved. Only its outcome ends this: whoever
    /// moves the branch goes on until the outcome is certain, so there is no deadline.
    Landing {
        /// The commit, and what it was merged onto.
        merge: TestMerge,
    },
    /// It is over.
    Done {
        /// How.
        ending: Ending,
        /// The commit, if one was made.
        merge: Option<TestMerge>,
        /// When.
        at: Timestamp,
    },
}

/// Something that is done while a run's checks may already be running.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Preparation {
    /// Finding out whether the commit needs a test at all. Nothing else is done before.
    JudgeExemption,
    /// Reading what another queue merged, whose test the run goes on with.
    ReadMerge,
    /// Pushing the commit to GitHub.
    Publish,
    /// Reading the commit's suites.
    ReadSuites,
}

/// One thing that a run waits for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RunCheck {
    /// What it is.
    pub check: Check,
    /// Whether the run's end depends on it.
    pub weight: Weight,
    /// How it stands.
    pub state: CheckState,
    /// Why it passed, where it was not executed.
    #[serde(default)]
    pub origin: Origin,
    /// What was heard of it from outside, from which its state follows. Empty for suites.
    #[serde(default)]
    pub reports: Vec<Report>,
}

/// Where a check's state comes from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was carried out for this run.
    #[default]
    Own,
    /// It passed before, on the same tree.
    Earlier,
    /// No path that it is about was changed.
    NotNeeded,
    /// It was carried out for the merge of the same pull.
    Merge,
}

/// Which check: unique in its run.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Check {
    /// A suite of the commit's own file, by its context.
    Suite(String),
    /// A commit status.
    Status {
        /// Its key in cfg.toml.
        label: String,
        /// Its context.
        context: String,
    },
    /// A check run.
    CheckRun {
        /// Its key in cfg.toml.
        label: String,
        /// Its name.
        name: String,
    },
    /// A build of Buildbot, by its builder.
    Build(String),
}

/// Whether a run's end depends on a check.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Weight {
    /// It does.
    Decides,
    /// It does: a suite that the file calls `required`.
    Required,
    /// It is run and shown only: other suites of the file are `required`, this one is not.
    Informs,
    /// It may fail: nothing depends on it (`allow-failure`).
    Allowed,
}

/// How a check stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum CheckState {
    /// Nothing was heard of it.
    Waiting,
    /// It is being carried out.
    Running {
        /// Where to watch.
        url: String,
    },
    /// It is good.
    Passed {
        /// Where to read more; may be empty.
        url: String,
    },
    /// It is not.
    Failed {
        /// Where to read more; may be empty.
        url: String,
        /// What a suite came to; `None` for external checks, which do not say.
        verdict: Option<SuiteVerdict>,
    },
    /// It was stopped because the run was over.
    Cancelled,
}

impl Run {
    /// A run of no pulls, of which nothing is asked or known but this.
    pub(super) fn new(
        id: RunId,
        purpose: Purpose,
        base: BranchName,
        began_at: Timestamp,
        phase: Phase,
    ) -> Self {
        Self {
            id,
            purpose,
            base,
            members: Vec::new(),
            repeats: None,
            squash: Squash::No,
            chooser: None,
            scope: Scope::Usual,
            tested: Tested::Merge,
            called: Vec::new(),
            changed_file: None,
            exemption: None,
            began_at,
            phase,
            checks: Vec::new(),
            completed_suites: Vec::new(),
            rereading: Rereading::Idle,
            landing_delay: None,
        }
    }

    /// A run of which nothing is known but how it ended.
    pub fn ended(
        id: RunId,
        base: BranchName,
        member: Member,
        ending: Ending,
        at: Timestamp,
    ) -> Self {
        let phase = Phase::Done {
            ending,
            merge: None,
            at,
        };
        Self {
            members: vec![member],
            ..Self::new(id, Purpose::Land, base, at, phase)
        }
    }

    /// Whether it says of all suites that its commit needs how they stand.
    pub(super) fn is_whole(&self) -> bool {
        self.repeats.is_some() || !matches!(self.scope, Scope::Only(_))
    }

    /// What a status says of it.
    pub fn brief(&self) -> RunBrief {
        RunBrief {
            id: self.id,
            purpose: self.purpose,
            tested: self.tested,
            pull: self.members.first().map(|member| member.pull),
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done { .. })
    }

    /// The commit that it tests, once it is made.
    pub fn merge(&self) -> Option<TestMerge> {
        match self.phase {
            Phase::Merging { .. } => None,
            Phase::Testing { merge, .. } | Phase::Landing { merge } => Some(merge),
            Phase::Done { merge, .. } => merge,
        }
    }

    /// How it ended, if it did.
    pub fn ending(&self) -> Option<Ending> {
        match self.phase {
            Phase::Done { ending, .. } => Some(ending),
            Phase::Merging { .. } | Phase::Testing { .. } | Phase::Landing { .. } => None,
        }
    }

    /// The commit by which people know what is tested: a pull's head, a branch's tip; of a merge,
    /// what was merged.
    pub fn identity(&self) -> Option<CommitId> {
        match self.purpose {
            Purpose::Pull => self.members.first().map(|member| member.head),
            Purpose::Land | Purpose::Try | Purpose::Branch => self.merge().map(|made| made.merge),
        }
    }

    /// The moment at which it has taken too long. A landing has none: only its answer may end it.
    /// Nor has what another queue began, which nobody looked at before this server's first start:
    /// its checks are given their time when its merge was read.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Testing { awaits, .. } if awaits.contains(&Preparation::ReadMerge) => None,
            Phase::Merging { deadline } | Phase::Testing { deadline, .. } => Some(*deadline),
            Phase::Landing { .. } | Phase::Done { .. } => None,
        }
    }

    /// Whether its commit is on GitHub.
    pub(super) fn is_published(&self) -> bool {
        match &self.phase {
            Phase::Merging { .. } => false,
            Phase::Testing { awaits, .. } => {
                !awaits.contains(&Preparation::Publish)
                    && !awaits.contains(&Preparation::JudgeExemption)
            }
            Phase::Landing { .. } | Phase::Done { .. } => true,
        }
    }

    /// Whether nothing but its checks is awaited.
    pub(super) fn is_set_up(&self) -> bool {
        match &self.phase {
            Phase::Merging { .. } => false,
            Phase::Testing { awaits, .. } => awaits.is_empty(),
            Phase::Landing { .. } | Phase::Done { .. } => true,
        }
    }

    /// The checks on which its end depends.
    pub(super) fn deciding(&self) -> impl Iterator<Item = &RunCheck> {
        self.checks.iter().filter(|check| check.weight.decides())
    }

    /// Whether any of what decides is a check run.
    pub(super) fn waits_for_check_runs(&self) -> bool {
        self.deciding()
            .any(|check| matches!(check.check, Check::CheckRun { .. }))
    }

    /// Whether all that must pass has passed.
    pub(super) fn has_passed(&self) -> bool {
        self.is_set_up()
            && self
                .deciding()
                .all(|check| matches!(check.state, CheckState::Passed { .. }))
            && self.deciding().next().is_some()
    }

    /// The page of one of its builds, where Buildbot told of it.
    pub(super) fn build_page(&self, build: &Check) -> Option<Link> {
        let known = self.checks.iter().find(|known| known.check == *build)?;
        let link = known.link();
        (!link.url.is_empty()).then_some(link)
    }

    /// Links to its checks that passed.
    pub(super) fn passed_links(&self) -> Vec<Link> {
        self.checks
            .iter()
            .filter(|check| matches!(check.state, CheckState::Passed { .. }))
            .map(RunCheck::link)
            .collect()
    }
}

impl RunCheck {
    /// One of which nothing was heard yet.
    pub fn new(check: Check, weight: Weight, state: CheckState, origin: Origin) -> Self {
        Self {
            check,
            weight,
            state,
            origin,
            reports: Vec::new(),
        }
    }

    /// Its name and where to read more.
    pub fn link(&self) -> Link {
        Link {
            name: self.check.name(),
            url: self.state.url().to_owned(),
        }
    }
}

impl Weight {
    /// Whether a run's end depends on a check of this weight.
    pub fn decides(self) -> bool {
        match self {
            Self::Decides | Self::Required => true,
            Self::Informs | Self::Allowed => false,
        }
    }
}

impl CheckState {
    /// Where to read more; empty where nothing is known.
    pub fn url(&self) -> &str {
        match self {
            Self::Waiting | Self::Cancelled => "",
            Self::Running { url } | Self::Passed { url } | Self::Failed { url, .. } => url,
        }
    }

    /// Whether it can still change.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Running { .. })
    }
}

impl Check {
    /// The builder's name in comments and on pages (`status-LABEL`, `checks-LABEL`).
    pub fn name(&self) -> String {
        match self {
            Self::Suite(context) => context.clone(),
            Self::Build(builder) => builder.clone(),
            Self::Status { label, .. } => format!("status-{label}"),
            Self::CheckRun { label, .. } => format!("checks-{label}"),
        }
    }
}
