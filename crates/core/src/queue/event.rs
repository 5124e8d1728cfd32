//! Facts that the queue is told, in the past tense.
//!
//! They come from GitHub, from the effects that the queue ordered, and from the clock. Any of them
//! may come twice, late or out of order: answers name their run, comments carry a key, and facts
//! about pulls carry the moment at which they held.

use serde::{Deserialize, Serialize};

pub use super::comment_key::{CommentKey, CommentSort};
use super::effect::BaseAt;
use super::note::{Exemption, Link, SomeFiles};
use super::reports::{Attempt, CheckRunSeen, CheckRunVerdict, StatusOrder};
use super::run::Ending;
use crate::command::Permission;
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId, Timestamp};
use crate::suite::Suite;

/// Something that happened.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// GitHub said how a pull stands: a webhook, or the answer to a question.
    PullSeen {
        /// How it stands.
        facts: PullFacts,
        /// Where this comes from.
        source: Source,
    },
    /// A webhook said how a pull stands, and who put its head where it is.
    HeadPushed {
        /// How it stands.
        facts: PullFacts,
        /// Who opened it, or pushed to its branch.
        by: Login,
    },
    /// The queue was started with a pull that it did not know, and its comments were read again.
    ///
    /// Restores what the comments say without acting on them.
    PullRestored {
        /// How the pull stands.
        facts: PullFacts,
        /// All of its comments.
        comments: Vec<Comment>,
        /// What its last test came to, as its head's `homu` status has it.
        #[serde(default)]
        result: Option<Ending>,
        /// Whether it was there before us.
        #[serde(default)]
        age: PullAge,
    },
    /// A comment, a review or a review comment was made on a pull.
    CommentMade {
        /// On which.
        pull: PullNumber,
        /// What it says.
        comment: Comment,
    },
    /// Somebody pushed to a branch of the repository itself: maybe the head of pulls, maybe the base
    /// of a run, which then cannot land any more and is begun anew at once.
    BranchPushed {
        /// Which one.
        branch: BranchName,
        /// The commit that it named before.
        before: CommitId,
        /// The commit that it names now; zero if it was deleted.
        after: CommitId,
        /// When, by GitHub's clock, in whole seconds; `None` if it does not say.
        #[serde(default)]
        at: Option<Timestamp>,
    },
    /// The mirror was brought up to date and this is the tip of a base branch. A run that is to land
    /// on another commit is begun anew at once.
    BaseSeen {
        /// Which one.
        branch: BranchName,
        /// Its tip.
        tip: CommitId,
    },
    /// A commit status was set.
    StatusReported {
        /// On which commit.
        commit: CommitId,
        /// The status's context.
        context: String,
        /// What it says.
        verdict: Verdict,
        /// Where to read more.
        url: Option<String>,
        /// Which of the statuses of its context it is; `None` where that is not said.
        #[serde(default)]
        order: Option<StatusOrder>,
    },
    /// A check run changed.
    CheckRunReported {
        /// On which commit.
        commit: CommitId,
        /// The check run's name.
        name: String,
        /// What it says.
        verdict: CheckRunVerdict,
        /// Where to read more.
        url: Option<String>,
        /// Which of the check runs of its name it is; `None` where that is not said.
        #[serde(default)]
        attempt: Option<Attempt>,
    },
    /// GitHub said that every check run of a check suite is completed.
    CheckSuiteCompleted {
        /// On which commit.
        commit: CommitId,
        /// GitHub's number of the check suite.
        suite: u64,
    },
    /// The check runs of a commit were read from GitHub: `ReadCheckRuns` was done, or the sweep was
    /// there.
    CheckRunsRead {
        /// Which commit.
        commit: CommitId,
        /// The latest check runs of the names that are waited for, by GitHub's own word.
        found: Vec<CheckRunSeen>,
        /// Of their check suites those that are completed.
        completed_suites: Vec<u64>,
    },
    /// `ReadCheckRuns` was given up: GitHub does not show the check runs.
    CheckRunsUnread {
        /// For which run.
        run: RunId,
        /// Why, in words for people.
        why: String,
    },
    /// Buildbot told of a build.
    BuildReported {
        /// Of which commit.
        commit: CommitId,
        /// The builder's name.
        builder: String,
        /// What it says.
        verdict: BuildVerdict,
        /// The build's page.
        url: String,
        /// Buildbot's number of the build, which counts up in each builder; `None` where that is not
        /// said.
        #[serde(default)]
        number: Option<u64>,
    },
    /// `RepeatBuilds` was given up: Buildbot does not do as it is asked.
    BuildsRefused {
        /// For which run.
        run: RunId,
        /// What Buildbot says.
        why: String,
    },
    /// `AskStanding` was answered.
    StandingTold {
        /// Who was asked about.
        user: Login,
        /// How far the repository trusts them, as whoever was asked says now.
        standing: Permission,
    },
    /// `JudgeExemption` was done.
    ExemptionJudged {
        /// For which run.
        run: RunId,
        /// Why the run's commit needs no test, if it needs none.
        exemption: Option<Exemption>,
    },
    /// `AskStanding` was given up: nobody says how far somebody is trusted.
    StandingUntold {
        /// Who was asked about.
        user: Login,
    },
    /// `ReadPull` was given up, or the sweep was there: GitHub does not show a pull, which is no news of
    /// the pull itself.
    PullUnseen {
        /// Which.
        pull: PullNumber,
    },
    /// `AdvanceBranch` is refused by a GitHub that is behind itself, and tried again.
    LandingDelayed {
        /// For which run.
        run: RunId,
        /// Why, in words for people.
        why: String,
    },
    /// `CheckMergeability` was done.
    MergeabilityFound {
        /// Into what.
        base: BaseAt,
        /// What was found, for each pull that could be looked at.
        found: Vec<Mergeability>,
    },
    /// A hook answered, and its answer is to be posted.
    HookAnswered {
        /// For which pull.
        pull: PullNumber,
        /// What it said; cut to what a comment holds.
        answer: String,
    },
    /// A hook could not be called, or did not answer as it should.
    HookFailed {
        /// For which pull.
        pull: PullNumber,
        /// The hook's trigger.
        hook: String,
        /// What went wrong, for people.
        why: String,
    },
    /// A person made a rollup of pulls.
    RollupMade {
        /// Which pulls are in it.
        pulls: Vec<PullNumber>,
        /// The rollup.
        rollup: PullNumber,
    },
    /// `MakeMerge` was done: the commit is in the mirror.
    MergeMade {
        /// For which run.
        run: RunId,
        /// The tip of the base branch that was merged onto.
        base_tip: CommitId,
        /// The commit to be tested.
        merge: CommitId,
    },
    /// `MakeMerge` cannot be done: the pull does not merge cleanly.
    MergeConflicted {
        /// For which run.
        run: RunId,
        /// At which step.
        step: MergeStep,
    },
    /// Made in the style that the repository wants, a merge would not hold what a plain merge
    /// holds: it was not made.
    MergeAltered {
        /// For which run.
        run: RunId,
        /// What would be lost or changed.
        files: SomeFiles,
    },
    /// `MakeMerge` cannot be done: the base has all of the pull already.
    NothingToMerge {
        /// For which run.
        run: RunId,
    },
    /// A sweep found all commits of a pull on its base, though GitHub has it open.
    PullContained {
        /// Which pull.
        pull: PullNumber,
        /// Its head.
        head: CommitId,
        /// Its base.
        base: BranchName,
    },
    /// `MakeTestMerge` was done: the commit is in the mirror.
    TestMergeMade {
        /// For which run.
        run: RunId,
        /// The tip of the base branch.
        base_tip: CommitId,
        /// What is to be tested.
        made: MergeAttempt,
    },
    /// `AskAccess` was answered.
    AccessTold {
        /// Who was asked about.
        user: Login,
        /// What they may do.
        access: Access,
    },
    /// `CompareSuites` was done.
    SuitesCompared {
        /// Which pull.
        pull: PullNumber,
        /// Its head.
        head: CommitId,
        /// The file of suites, if the pull changes it.
        changed: Option<String>,
    },
    /// `ReadMerge` was done.
    MergeRead {
        /// For which run.
        run: RunId,
        /// What was found; `None` if GitHub does not have the commit any more.
        found: Option<MergeFound>,
    },
    /// `PublishMerge` was done: the commit is on GitHub.
    MergePublished {
        /// For which run.
        run: RunId,
    },
    /// `MakeMerge` or `PublishMerge` was tried and given up.
    SetupFailed {
        /// For which run.
        run: RunId,
        /// Why, in words for people.
        why: String,
    },
    /// `ReadSuites` was done.
    SuitesRead {
        /// For which run.
        run: RunId,
        /// What the commit's tree holds.
        found: SuitesFound,
    },
    /// A worker began to execute a suite.
    SuiteStarted {
        /// Of which run.
        run: RunId,
        /// The suite's context.
        context: String,
        /// The job's page.
        url: String,
    },
    /// A suite of a run was executed, or cannot be.
    SuiteFinished {
        /// Of which run.
        run: RunId,
        /// The suite's context.
        context: String,
        /// What came out.
        verdict: SuiteVerdict,
        /// The job's page.
        url: String,
    },
    /// `AdvanceBranch` was done, now or before: the base branch holds the run's commit.
    BranchAdvanced {
        /// For which run.
        run: RunId,
    },
    /// `AdvanceBranch` was not done, and it is certain that it was not.
    LandingRefused {
        /// For which run.
        run: RunId,
        /// Why.
        why: Refusal,
    },
    /// Time went by; see [`super::Queue::next_wakeup`].
    TimePassed,
}

/// What a merge is that another queue made.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MergeFound {
    /// What it was merged onto, where that can be told.
    pub base_tip: Option<CommitId>,
    /// Its parents beside the first.
    pub merged: Vec<CommitId>,
}

/// How fresh what is told of a pull is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// A webhook: may be late.
    Webhook,
    /// An answer of GitHub's API to a question asked just now.
    Reading,
}

/// Whether a pull was there before we were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullAge {
    /// It was: it is not tested before it is pushed to again.
    #[default]
    Old,
    /// It was opened or pushed to while nobody looked.
    New,
}

/// What a pull request test is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeAttempt {
    /// This merge of its head with the base.
    Merged(CommitId),
    /// The head alone, which does not merge cleanly.
    Conflicted,
}

/// What somebody may do in a repository, by GitHub's word.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Push to it.
    Write,
    /// Less than that.
    Less,
}

/// How a pull stands at one moment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PullFacts {
    /// Its number.
    pub number: PullNumber,
    /// Its title.
    pub title: String,
    /// Its description; empty where GitHub has none.
    pub body: String,
    /// Who opened it.
    pub author: Login,
    /// Open, closed or merged.
    pub state: PullState,
    /// Whether it is a draft.
    pub draft: bool,
    /// The commit that it proposes; zero while GitHub does not know.
    pub head: CommitId,
    /// Where that commit comes from, as GitHub shows it: `OWNER:BRANCH`.
    pub head_label: String,
    /// Whose repository that branch is in.
    #[serde(default)]
    pub head_repo: HeadRepo,
    /// When that repository was last pushed to, by GitHub's clock, in whole seconds: the head was
    /// pushed no later. `None` if that is not known.
    #[serde(default)]
    pub pushed_at: Option<Timestamp>,
    /// The branch that it goes to.
    pub base: BranchName,
    /// Whether GitHub can merge it; `None` while it does not know.
    pub mergeable: Option<bool>,
    /// Its labels, in GitHub's order.
    #[serde(default)]
    pub labels: Vec<String>,
    /// When it was last changed, by GitHub's clock, in whole seconds.
    pub updated_at: Timestamp,
}

/// Whose repository the branch of a pull is in: its owner can push to that branch at any time.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadRepo {
    /// It is not known; the head's label names the owner.
    #[default]
    Unsaid,
    /// The one that the pull would be merged into: only those who may write to it push there.
    Base,
    /// Another one, of this account.
    Of(Login),
}

/// Whether a pull is still there to be merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    /// It is.
    Open,
    /// It was closed without being merged.
    Closed,
    /// Its head is in the base branch.
    Merged,
}

/// A comment on a pull, of any of GitHub's three sorts.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// Tells it from all others and says which came first.
    pub key: CommentKey,
    /// Who wrote it.
    pub author: Login,
    /// How far GitHub or the team service trusts the author; `None` if not asked.
    #[serde(default)]
    pub standing: Option<Permission>,
    /// What it says.
    pub body: String,
    /// The commit that a review or a review comment is about.
    pub commit: Option<CommitId>,
    /// Its address.
    pub url: String,
}

/// What an external check says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not yet anything.
    Pending,
    /// Good.
    Passed,
    /// Bad.
    Failed,
}

/// What Buildbot says of a build.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildVerdict {
    /// It began.
    Running,
    /// Good.
    Passed,
    /// Bad.
    Failed,
    /// Somebody stopped it.
    Interrupted,
}

/// Whether a pull merges cleanly.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Mergeability {
    /// Which pull.
    pub pull: PullNumber,
    /// At which head.
    pub head: CommitId,
    /// Whether it does.
    pub clean: bool,
}

/// Where making a merge comes to a conflict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeStep {
    /// Merging, or rebasing onto the base.
    #[default]
    Merge,
    /// Rebasing with `fixup!` commits put where they belong.
    Autosquash,
    /// Making one commit of the pull.
    Squash,
}

/// What came out of a suite.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum SuiteVerdict {
    /// Every command ended with 0.
    Passed,
    /// A command ended with this exit code.
    Failed(i32),
    /// Its time was up.
    TimedOut,
    /// It could not be executed, for this reason.
    Error(String),
}

/// What `ReadSuites` found in the commit's tree.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum SuitesFound {
    /// No file of suites.
    NoFile,
    /// A file that is none of suites.
    Invalid {
        /// Its name.
        file: String,
        /// What is wrong with it, in `.papr.yml`'s own messages.
        message: String,
    },
    /// A file of suites.
    Suites(SuiteFile),
}

/// A commit's file of suites, and what is known of them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct SuiteFile {
    /// The suites, in the file's order.
    pub suites: Vec<Suite>,
    /// The contexts of those that no changed path is about.
    pub untouched: Vec<String>,
    /// Those that passed before on the same tree, with the same definition.
    pub passed: Vec<Link>,
    /// The file, if it is not what the base has.
    pub changed: Option<String>,
}

impl SuiteFile {
    /// Whether nothing that was changed is about a suite. What the file says of paths counts only
    /// where the file itself is what the base has: a change of it must not call itself needless.
    pub(super) fn needs_not(&self, suite: &Suite) -> bool {
        self.changed.is_none() && self.untouched.contains(&suite.context)
    }
}

impl From<Vec<Suite>> for SuiteFile {
    fn from(suites: Vec<Suite>) -> Self {
        Self {
            suites,
            ..Self::default()
        }
    }
}

/// Why the base branch was not moved.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Refusal {
    /// The base branch is no longer where the run began.
    BaseMoved,
    /// The pull is closed, has another head or base, or its approval was withdrawn.
    PullChanged,
    /// GitHub does not let us, for this reason.
    Rejected(String),
}
