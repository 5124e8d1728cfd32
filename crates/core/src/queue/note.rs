//! What the queue has to say, as values. The words are in `notes.rs`.

use serde::{Deserialize, Serialize};

use super::effect::Culprit;
use super::event::{MergeStep, SuiteVerdict, Verdict};
use super::run::{Ending, Purpose, Tested};
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId};

/// How the hidden part of a comment begins by which the bot knows its own.
pub const MARKER: &str = "<!-- paprq:";

/// How the bot's own comments begin that pin an approval to its commit.
pub const PIN: &str = ":pushpin: Commit ";

/// Something to be said in a comment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// A commit was approved.
    Approved {
        /// Which.
        commit: CommitId,
        /// By whom, or on whose behalf.
        approver: Login,
    },
    /// The pull says of itself that it is not finished.
    NotFinished {
        /// Its head.
        commit: CommitId,
        /// What says so.
        sign: Unfinished,
    },
    /// `r+` named a commit that is not the head.
    NotTheHead {
        /// What was written.
        given: String,
        /// The head.
        head: CommitId,
    },
    /// `r+` named the head by too few digits to be sure which commit is meant.
    CommitTooShort {
        /// What was written.
        given: String,
        /// The head.
        head: CommitId,
        /// How many digits are needed.
        digits_min: usize,
    },
    /// The head changed after the comment that approves was written.
    ApprovalOutdated {
        /// Who approved.
        by: Login,
        /// The head now.
        head: CommitId,
    },
    /// The pull changed after the comment that asks for a try was written.
    TryOutdated {
        /// Who asked.
        by: Login,
    },
    /// It was approved before.
    AlreadyApproved {
        /// What keeps it from landing.
        why: Vec<Reason>,
    },
    /// The tree is closed for it.
    TreeClosed {
        /// Below which priority.
        below: i64,
        /// The comment that closed it.
        source: String,
    },
    /// A run's commit is made and its checks run.
    Started {
        /// Whether it is to land.
        purpose: Purpose,
        /// The pull's head.
        head: CommitId,
        /// The commit that is tested.
        merge: CommitId,
    },
    /// Of an earlier run on the same commit, only what failed runs again.
    Rebuilding {
        /// What is taken as passed.
        reused: Vec<Link>,
        /// What runs again.
        again: Vec<String>,
    },
    /// Everything passed, and the base branch is about to move.
    Succeeded {
        /// The checks.
        checks: Vec<Link>,
        /// By whom it was approved.
        approver: Login,
        /// The tested commit.
        merge: CommitId,
        /// Where it goes.
        base: BranchName,
    },
    /// A try passed.
    TrySucceeded {
        /// The checks.
        checks: Vec<Link>,
        /// The tested commit.
        merge: CommitId,
    },
    /// A check failed.
    Failed {
        /// Whether it was to land.
        purpose: Purpose,
        /// The check.
        check: Link,
        /// What it came to; `None` for external checks, which do not say.
        verdict: Option<SuiteVerdict>,
    },
    /// The run took too long.
    TimedOut {
        /// What did not answer.
        waiting_for: Vec<String>,
    },
    /// The pull does not merge cleanly.
    Conflict {
        /// Onto which branch.
        base: BranchName,
        /// The pull's head, as `OWNER:BRANCH`.
        head_label: String,
        /// At which step.
        step: MergeStep,
    },
    /// The run could not be carried out.
    Broken {
        /// Why.
        why: Obstacle,
    },
    /// The file of suites is wrong.
    BadSuites {
        /// Its name.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// The tested commit could not be landed.
    LandingFailed {
        /// Why, for people.
        why: String,
    },
    /// The pull goes to another branch now.
    BaseChanged {
        /// Which.
        base: BranchName,
    },
    /// The base has all commits of the pull, so it is closed.
    ClosedAsContained {
        /// The base.
        base: BranchName,
    },
    /// A try of an approved pull.
    TryAfterApproval,
    /// A priority above the limit.
    PriorityTooHigh {
        /// The limit.
        max: i64,
    },
    /// Yes, we are here.
    Awake,
    /// The turret speaks.
    Portal {
        /// Picks what it says.
        seed: u64,
    },
    /// A command was given by somebody who may not.
    Refused {
        /// By whom.
        user: Login,
        /// What is missing.
        missing: Missing,
    },
    /// A word was in a command's place but is none.
    NotUnderstood {
        /// Who wrote it.
        user: Login,
        /// The word.
        word: String,
    },
    /// `retry` where nothing has failed.
    NothingToRetry,
    /// Somebody may approve the pull now.
    Delegated {
        /// Who says so.
        delegator: Login,
        /// Who may.
        delegate: Login,
    },
    /// `try=CHOOSER` with a chooser that is not configured.
    UnknownChooser {
        /// The chooser.
        given: String,
        /// Those that are.
        known: Vec<String>,
    },
    /// Its test was stopped because another pull goes first.
    Interrupted,
    /// `force` of a pull that is not approved, or does not wait.
    NothingToForce,
    /// Its merge is known to be green and lands without a test.
    Exempted {
        /// Why.
        why: Exemption,
    },
    /// The base moved, and the pull does not merge cleanly any more.
    Unmergeable {
        /// What moved the base, where that is known.
        culprit: Option<Culprit>,
    },
    /// What a hook answered.
    HookAnswer {
        /// Its text.
        answer: String,
    },
    /// A hook could not be called.
    HookFailed {
        /// Its trigger.
        hook: String,
        /// What went wrong.
        why: String,
    },
    /// Buildbot does not build again what failed.
    RebuildRefused {
        /// What it says.
        why: String,
    },
    /// It could not be found out what somebody may do.
    RightsUnknown {
        /// Who.
        user: Login,
    },
    /// GitHub gave an all-zero head.
    NoHead,
    /// The pull request test waits until a reviewer lets it be made.
    WaitsForOk {
        /// Whose pull it is.
        author: Login,
        /// Who can be asked.
        ask: Vec<Login>,
        /// Who else than the author may have pushed its head and is not trusted, if it waits on
        /// that account.
        #[serde(default)]
        pusher: Option<Login>,
    },
    /// No suite is called so.
    UnknownSuites {
        /// What was written.
        given: Vec<String>,
        /// What the suites are called.
        known: Vec<String>,
    },
    /// Nothing of the pull is being tested.
    NothingToCancel,
    /// How the pull stands.
    Standing {
        /// What keeps it from landing.
        why: Vec<Reason>,
    },
    /// The pull is held back from landing.
    OnHold {
        /// By whom.
        by: Login,
    },
}

/// Why a merge needs no test: homu's words for it are in `notes/`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    /// The head contains the base's tip, and its own statuses are green.
    HeadIsGreen,
    /// GitHub's test merge of the same two commits has the same tree, and its statuses are green.
    TestMergeIsGreen,
}

/// Why an approved pull does not move.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Reason {
    /// It is not approved.
    NotApproved,
    /// It is not open.
    NotOpen,
    /// Its commit is being merged or tested.
    Testing,
    /// All its checks passed, and GitHub is asked for its check runs once more.
    RereadsChecks,
    /// All its checks passed and the base branch is being moved.
    Landing,
    /// GitHub has not yet moved the base branch, for this reason; it is asked again.
    LandingDelayed(String),
    /// GitHub does not show it, and is asked again.
    Unseen,
    /// It waits behind these, in this order.
    Behind(Vec<PullNumber>),
    /// The tree is closed below this priority.
    TreeClosed {
        /// Below which priority.
        below: i64,
        /// By whom; `None` where that is not known.
        by: Option<Login>,
    },
    /// It was tested and this came out.
    Ended(Ending),
    /// This suite failed on its commit.
    SuiteFailed(String),
    /// This external check failed on its commit.
    CheckFailed(String),
    /// It waits for this check.
    WaitsFor(String),
    /// It waits for this suite, whose job waits for this or does it.
    JobStands {
        /// The suite's context.
        suite: String,
        /// In words, without a full stop.
        words: String,
    },
    /// GitHub is asked how it stands now.
    Inquired,
    /// It is being found out what the author of a comment may do.
    AsksRights,
    /// It is approved, but its merge failed and was only tried since.
    Tried,
    /// A try waits for its turn.
    TryWaits,
    /// Somebody holds it back from landing.
    OnHold(Login),
    /// The pull request test must be green before it is merged, and is not.
    NotGreen,
    /// The pull request test is under way.
    OwnTestRuns,
    /// The pull request test passed.
    OwnTestPassed,
    /// The pull request test could not be carried out.
    OwnTestEnded(Ending),
    /// The pull request test waits for a reviewer's `ok`.
    WaitsForOk,
    /// The pull request test waits for a reviewer's `ok` because of somebody who can push to its branch.
    WaitsForPusher(Login),
    /// It is being found out whether its author may write to the repository.
    AsksAccess,
    /// It says that it is not to be tested.
    Skipped,
    /// It changes the file of suites.
    ChangesSuites(String),
    /// Pulls are merged by somebody else.
    NotMergedHere,
    /// It is next.
    Next,
}

/// Why a run could not be carried out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Obstacle {
    /// GitHub does not show the check runs of its commit, for this reason.
    ChecksUnread(String),
    /// Neither suites nor external checks are configured.
    NothingConfigured,
    /// The merge holds no file of suites, and no external check is configured.
    NoSuitesFile,
    /// No suite of the file is for merges, and no external check is configured.
    NoSuiteForMerges,
    /// The merge was not made and pushed in time.
    SetupTooSlow,
    /// Making or pushing the merge was given up, for this reason.
    SetupFailed(String),
    /// Rebased or squashed, these files would not be as in a plain merge.
    ContentLost(SomeFiles),
    /// The base has all of the pull already.
    NothingToMerge(BranchName),
}

/// Files, the first few of them by name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SomeFiles {
    /// At most [`FILES_NAMED_MAX`] paths, as their author chose them. None if there are more than
    /// can be listed.
    pub named: Vec<String>,
    /// How many there are beside those.
    pub others: usize,
}

/// How many files are named where there are many.
pub const FILES_NAMED_MAX: usize = 5;

impl SomeFiles {
    /// Names the first of these.
    pub fn of(paths: impl IntoIterator<Item = String>) -> Self {
        let mut paths = paths.into_iter();
        Self {
            named: paths.by_ref().take(FILES_NAMED_MAX).collect(),
            others: paths.count(),
        }
    }
}

/// A name and where to read more.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The name.
    pub name: String,
    /// The address; empty where none is known.
    pub url: String,
}

/// What says that a pull is not finished.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Unfinished {
    /// The beginning of its title.
    Title(String),
    /// It is a draft.
    Draft,
}

/// The right that somebody lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Missing {
    /// To be in `reviewers`.
    Reviewer,
    /// To be a collaborator of the repository.
    Collaborator,
    /// To be in `try_users`.
    Trier,
}

/// What a commit status says.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum StatusNote {
    /// How the queue gets on with a pull: context `homu`, on the pull's head.
    Queue(QueueStatus),
    /// How a suite gets on: the suite's own context, on the tested commit.
    Suite {
        /// Its context.
        context: String,
        /// How.
        progress: SuiteProgress,
        /// The job's page; empty while there is none.
        url: String,
        /// Which run: its page is where to look while there is no job.
        run: RunBrief,
    },
    /// How the required suites get on: context `required`, on the tested commit.
    Required {
        /// How many passed.
        passed: usize,
        /// Of how many.
        of: usize,
        /// Whether that is all there is to say.
        verdict: Verdict,
        /// Which run: its page is the status's target.
        run: RunBrief,
    },
    /// The file of suites is wrong: context `Red Hat CI`.
    BadSuites,
    /// The test could not be made: same context.
    NotTested,
}

/// What a status says of the run that it is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RunBrief {
    /// Which run.
    pub id: RunId,
    /// What it is for.
    pub purpose: Purpose,
    /// What its commit is.
    pub tested: Tested,
    /// The pull that it tests.
    #[serde(default)]
    pub pull: Option<PullNumber>,
}

/// How the queue gets on with a pull.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum QueueStatus {
    /// Its merge is being tested.
    Testing {
        /// What for.
        purpose: Purpose,
        /// The head.
        head: CommitId,
        /// The commit that is tested.
        merge: CommitId,
    },
    /// Everything passed.
    Succeeded {
        /// What for.
        purpose: Purpose,
    },
    /// A check failed.
    Failed {
        /// Which.
        check: Link,
    },
    /// The run took too long.
    TimedOut,
    /// It does not merge cleanly.
    Conflict {
        /// At which step.
        step: MergeStep,
    },
    /// Its merge is known to be green and lands without a test.
    Exempted,
    /// It was stopped because another pull goes first.
    Interrupted,
    /// It could not be carried out.
    Broken {
        /// Why.
        why: Obstacle,
    },
    /// The file of suites is wrong.
    BadSuites {
        /// Its name.
        file: String,
    },
    /// The tested commit could not be landed.
    NotLanded {
        /// Why, for people.
        why: String,
    },
    /// It was stopped.
    Cancelled,
}

/// How a suite gets on.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum SuiteProgress {
    /// It waits for a worker.
    Waiting,
    /// A worker executes it.
    Running,
    /// It ended.
    Ended(SuiteVerdict),
    /// It passed before, on the same tree.
    PassedBefore,
    /// No path that it is about was changed.
    NotNeeded,
    /// It ended badly, which it may (`allow-failure`).
    FailedAsAllowed(SuiteVerdict),
    /// It was stopped, because the run is over.
    Cancelled,
    /// The merge of the same pull is running it, and what comes of that counts.
    Superseded,
    /// It passed for the merge of the same pull.
    PassedInMerge,
}
