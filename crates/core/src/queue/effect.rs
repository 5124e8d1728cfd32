//! Orders that the queue gives, in the imperative.
//!
//! The shell stores them with their cause and carries each out at least once; whoever carries one
//! out looks first whether it was done already, where that would show.

use serde::{Deserialize, Serialize};

use super::labels::LabelChange;
use super::note::{Link, Note, StatusNote};
use super::run::{Member, TestMerge};
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId, Timestamp};
use crate::suite::Suite;

/// Something that must now be done.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Merge the members onto the base branch's tip, in the mirror.
    ///
    /// Answers: `MergeMade`, `MergeConflicted`, `MergeAltered` or `SetupFailed`.
    MakeMerge(MergeOrder),
    /// Push a run's commit to a branch of ours, by force. It is ordered only after the queue knows
    /// the commit, so that no answer of a fast check can come too early.
    ///
    /// Answers: `MergePublished` or `SetupFailed`.
    PublishMerge {
        /// For which run.
        run: RunId,
        /// What.
        commit: CommitId,
        /// To which branch.
        branch: BranchName,
    },
    /// Read what another queue merged, for a run that goes on with its test. Answer: `MergeRead`.
    ReadMerge {
        /// For which run.
        run: RunId,
        /// The commit that is tested.
        commit: CommitId,
        /// The branch onto which it was merged.
        base: BranchName,
    },
    /// Read the file of suites in a commit. Answer: `SuitesRead`.
    ReadSuites {
        /// For which run.
        run: RunId,
        /// Whose tree.
        commit: CommitId,
        /// What it is compared with, to see which paths were changed.
        #[serde(default)]
        since: Option<CommitId>,
    },
    /// Merge a pull's head with its base, for its pull request test, in the mirror.
    ///
    /// Answers: `TestMergeMade` or `SetupFailed`.
    MakeTestMerge(TestMergeOrder),
    /// Say how a suite came out on GitHub's test merge of a pull, where that has the tree that
    /// was tested. No answer.
    MarkTestMerge {
        /// The pull.
        pull: PullNumber,
        /// Its head.
        head: CommitId,
        /// The commit that was tested.
        tested: CommitId,
        /// What is said.
        note: StatusNote,
    },
    /// Ask whether somebody may write to the repository. Answer: `AccessTold`.
    AskAccess {
        /// Who.
        user: Login,
    },
    /// Find out whether a pull changes the file of suites. Answer: `SuitesCompared`.
    CompareSuites {
        /// Which pull.
        pull: PullNumber,
        /// The branch that it goes to.
        base: BranchName,
        /// Its head.
        head: CommitId,
    },
    /// Rank a run's waiting jobs anew: its pull's priority or labels changed. No answer.
    RankJobs {
        /// Which run.
        run: RunId,
        /// The pull's priority.
        priority: i64,
        /// The pull's labels.
        labels: Vec<String>,
    },
    /// Find out whether a run's commit is as good as tested already: its members' statuses are
    /// green, and nothing but them is waited for. Answer: `ExemptionJudged`.
    JudgeExemption(ExemptionQuestion),
    /// Read the check runs of a run's commit once more before it lands: another one of the same name
    /// may have been begun since the first passed, and nothing heard of it.
    ///
    /// Answers: `CheckRunsRead` or `CheckRunsUnread`.
    ReadCheckRuns {
        /// For which run.
        run: RunId,
        /// Of which commit.
        commit: CommitId,
    },
    /// Have Buildbot build again what failed of a commit. Answer, only if it does not:
    /// `BuildsRefused`.
    RepeatBuilds {
        /// For which run.
        run: RunId,
        /// The pages of the builds that failed, each with its builder.
        builds: Vec<Link>,
    },
    /// Have Buildbot stop what it builds of a run. No answer.
    StopBuilds {
        /// Of which run.
        run: RunId,
        /// The builders.
        builders: Vec<String>,
    },
    /// Let workers execute suites. Answers: `SuiteStarted`, `SuiteFinished`, for each.
    StartJobs {
        /// Of which run.
        run: RunId,
        /// On which commit.
        commit: CommitId,
        /// Which.
        suites: Vec<Suite>,
    },
    /// Stop what is left of a run's jobs, also those of a `StartJobs` that was ordered before and
    /// is not yet carried out. No answer.
    CancelJobs {
        /// Of which run.
        run: RunId,
    },
    /// Stop what is left of some of a run's jobs, unless others that go on need them. No answer.
    CancelSuites {
        /// Of which run.
        run: RunId,
        /// Which suites, by their contexts.
        contexts: Vec<String>,
    },
    /// Move the base branch, never by force, to the tested commit.
    ///
    /// Right before, GitHub is asked whether each member still is what was tested. Repeated until
    /// the outcome is certain: nothing else ends a landing. Answers: `BranchAdvanced` or
    /// `LandingRefused`.
    AdvanceBranch(LandingOrder),
    /// Write a comment on a pull. No answer.
    PostComment {
        /// On which.
        pull: PullNumber,
        /// What it says.
        note: Note,
    },
    /// Set a commit status. No answer.
    SetStatus {
        /// On which commit.
        commit: CommitId,
        /// What it says.
        note: StatusNote,
    },
    /// Move labels of a pull, one by one, so that nothing that people set is lost. No answer.
    EditLabels {
        /// Of which pull.
        pull: PullNumber,
        /// Which.
        change: LabelChange,
    },
    /// Show that a pull landed by rebasing: prefix its title, and close it. No answer.
    MarkMerged(MergeMark),
    /// Close a pull, if it is open still and has this head. No answer.
    ClosePull {
        /// Which.
        pull: PullNumber,
        /// Its head.
        head: CommitId,
    },
    /// Call another service. Answers: `HookAnswered`, `HookFailed`, or none; none to what is old.
    CallHook {
        /// For which pull.
        pull: PullNumber,
        /// The hook's trigger.
        hook: String,
        /// The comment that asked for it.
        body: String,
        /// What followed `=`, if that was there.
        data: Option<String>,
        /// Whether the comment was just made.
        #[serde(default)]
        news: News,
    },
    /// Write down who wanted a test repeated, and why. No answer.
    LogRetry(RetryOrder),
    /// Ask how far the repository trusts somebody. Answer: `StandingTold`.
    AskStanding {
        /// Whom.
        user: Login,
    },
    /// Find out whether pulls merge cleanly into a branch. Answer: `MergeabilityFound`.
    CheckMergeability {
        /// Into what.
        base: BaseAt,
        /// Which pulls.
        pulls: Which,
    },
    /// Ask GitHub how a pull stands. Answer: `PullSeen` with [`super::event::Source::Reading`],
    /// also if nothing is new: comments may wait for it.
    ReadPull {
        /// Which.
        pull: PullNumber,
    },
}

impl Effect {
    /// Whether it does nothing but tell people on GitHub.
    pub fn is_report(&self) -> bool {
        match self {
            Self::PostComment { .. }
            | Self::SetStatus { .. }
            | Self::MarkTestMerge { .. }
            | Self::EditLabels { .. }
            | Self::ClosePull { .. }
            | Self::MarkMerged(_) => true,
            Self::MakeMerge(_)
            | Self::MakeTestMerge(_)
            | Self::PublishMerge { .. }
            | Self::ReadSuites { .. }
            | Self::JudgeExemption(_)
            | Self::ReadCheckRuns { .. }
            | Self::RepeatBuilds { .. }
            | Self::StopBuilds { .. }
            | Self::StartJobs { .. }
            | Self::CancelJobs { .. }
            | Self::CancelSuites { .. }
            | Self::RankJobs { .. }
            | Self::AdvanceBranch(_)
            | Self::CallHook { .. }
            | Self::LogRetry { .. }
            | Self::AskStanding { .. }
            | Self::AskAccess { .. }
            | Self::CompareSuites { .. }
            | Self::CheckMergeability { .. }
            | Self::ReadMerge { .. }
            | Self::ReadPull { .. } => false,
        }
    }
}

/// That somebody asked for a test to be run again.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RetryOrder {
    /// Of which pull.
    pub pull: PullNumber,
    /// Who.
    pub by: Login,
    /// When the comment was made.
    pub at: Timestamp,
    /// What it says.
    pub body: String,
    /// Its address.
    #[serde(default)]
    pub source: String,
}

/// A pull's head that is to be merged with its base for the pull request test.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TestMergeOrder {
    /// For which run.
    pub run: RunId,
    /// Which pull.
    pub pull: PullNumber,
    /// Its head.
    pub head: CommitId,
    /// The branch that it goes to.
    pub base: BranchName,
    /// A merge of the same head that is taken again if it is still there.
    pub again: Option<TestMerge>,
}

/// Whether a comment was just made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It was: who wrote it waits to hear what comes of it.
    #[default]
    Fresh,
    /// It was read anew, maybe years later: nothing is said on account of it.
    Old,
}

/// What is to be merged.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MergeOrder {
    /// For which run.
    pub run: RunId,
    /// Onto the tip of which branch.
    pub base: BranchName,
    /// The branch on which the result will be tested.
    pub test_branch: BranchName,
    /// What is merged, in this order.
    pub members: Vec<MemberMerge>,
    /// A merge of the same members that is taken again if the base's tip is still the same.
    pub again: Option<TestMerge>,
    /// A commit that was tested before: whoever tests what is pushed would not test it again, so
    /// another one must be made, be it by a later date.
    #[serde(default)]
    pub unlike: Option<CommitId>,
}

/// One member's part of a merge.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MemberMerge {
    /// Which pull.
    pub pull: PullNumber,
    /// Its approved commit.
    pub head: CommitId,
    /// The merge commit's message; in a linear history, what is added to each commit's.
    pub message: String,
    /// How its commits come into the base.
    #[serde(default)]
    pub style: MergeStyle,
}

/// How a pull's commits come into the base.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct MergeStyle {
    /// What is made of the pull's commits first.
    pub shape: Shape,
    /// What joins them to the base.
    pub history: History,
}

/// What is made of a pull's own commits before they are joined to the base.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Nothing: they stay as they are.
    #[default]
    AsTheyAre,
    /// `fixup!`, `squash!` and `amend!` commits go into those that they mend.
    Autosquashed,
    /// All become one, with this message.
    Squashed {
        /// The message.
        message: String,
    },
}

/// What joins a pull's commits to the base.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// A merge commit.
    #[default]
    Merged,
    /// Nothing: they are rebased onto it (`linear`).
    Linear,
}

/// A base branch at one moment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct BaseAt {
    /// Which branch.
    pub branch: BranchName,
    /// Where it was.
    pub tip: CommitId,
    /// What moved it there, if it was seen elsewhere before.
    pub culprit: Option<Culprit>,
}

/// Which pulls are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// All open ones that go to the branch.
    All,
    /// This one.
    One(PullNumber),
}

/// A run's commit that may be as good as tested.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ExemptionQuestion {
    /// For which run.
    pub run: RunId,
    /// What was merged onto.
    pub base_tip: CommitId,
    /// The run's commit.
    pub merge: CommitId,
    /// The pull.
    pub pull: PullNumber,
    /// Its head.
    pub head: CommitId,
    /// The contexts of the statuses that must be green there.
    pub contexts: Vec<String>,
}

/// A pull that landed though GitHub may not see it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MergeMark {
    /// Which pull.
    pub pull: PullNumber,
    /// The commit of it that was approved: where the base holds that, GitHub shows it already.
    pub head: CommitId,
    /// What the base branch was moved to.
    pub landed: CommitId,
    /// What becomes of its title.
    pub title: TitleMark,
}

/// What becomes of the title of a pull that landed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TitleMark {
    /// It says `[merged]`.
    Prefixed,
    /// It stays.
    Unchanged,
}

/// What moved a base branch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Culprit {
    /// The landing of a pull.
    Pull(PullNumber),
    /// A commit of which no more is known.
    Commit(CommitId),
}

/// What is to land.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LandingOrder {
    /// For which run.
    pub run: RunId,
    /// Which branch moves.
    pub base: BranchName,
    /// From here,
    pub from: CommitId,
    /// to here.
    pub to: CommitId,
    /// Which pulls must still be open with which heads.
    pub members: Vec<Member>,
}
