//! A job and its attempts.

use serde::{Deserialize, Serialize};

use super::password::PasswordDigest;
use crate::ids::{
    AttemptNumber, CommitId, JobId, PullNumber, RepoLabel, RunId, Timestamp, WorkerId,
};
use crate::queue::run::Purpose;
use crate::suite::Suite;

/// One suite of one run, to be executed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Of which repository.
    pub repo: RepoLabel,
    /// Of which run.
    pub run: RunId,
    /// What the run is for.
    pub purpose: Purpose,
    /// The priority of the run's pull when the job was made.
    pub priority: i64,
    /// What to check out.
    pub commit: CommitId,
    /// What that commit is a test of.
    #[serde(default)]
    pub subject: Subject,
    /// The tree of that commit, as git names it; what passed there need not be executed again.
    #[serde(default)]
    pub tree: Option<String>,
    /// What to execute.
    pub suite: Suite,
    /// When it was made.
    pub made_at: Timestamp,
    /// Where it stands.
    pub state: JobState,
    /// Its attempts, oldest first; the last one may be under way.
    pub attempts: Vec<AttemptRecord>,
}

/// What a job's commit is a test of: for its variables, its log and its rank.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// The pull that a run of a pull tests; of merges and tries, the first member.
    pub pull: Option<PullNumber>,
    /// The labels of that pull.
    pub labels: Vec<String>,
    /// The commit by which people know what is tested: a pull's head, a branch's tip; `None` for
    /// the job's own commit.
    pub identity: Option<CommitId>,
    /// The branch that is tested (`auto`, `try`, or the one that was pushed); of a pull, its base.
    pub branch: String,
}

/// Where a job stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum JobState {
    /// For a worker.
    Waiting,
    /// With a worker.
    Leased {
        /// Which attempt.
        attempt: AttemptNumber,
        /// Who has it.
        worker: WorkerKey,
        /// Until when, if nothing is heard of it.
        until: Timestamp,
        /// What is wanted of the worker.
        wish: Wish,
        /// Of the password with which this attempt fetches its commit.
        git_password: PasswordDigest,
    },
    /// It ended with this.
    Finished {
        /// The outcome.
        outcome: JobOutcome,
        /// When.
        at: Timestamp,
    },
    /// Its run was over before it was.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

/// One attempt at one job.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Attempt {
    /// The job.
    pub job: JobId,
    /// Which attempt at it.
    pub number: AttemptNumber,
}

/// What is remembered of an attempt.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// Which one.
    pub number: AttemptNumber,
    /// Who had it.
    pub worker: WorkerKey,
    /// When it was given out.
    pub began_at: Timestamp,
    /// When and how it ended, if it did.
    pub ended: Option<AttemptEnd>,
    /// The job for which it is, or was, interrupted.
    #[serde(default)]
    pub preempted_by: Option<JobId>,
}

/// How an attempt ended.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// With this outcome.
    Reported {
        /// When.
        at: Timestamp,
        /// What the worker said.
        outcome: JobOutcome,
    },
    /// The worker was not heard of any more.
    Lost {
        /// When that was noticed.
        at: Timestamp,
    },
    /// It was stopped.
    Stopped {
        /// When.
        at: Timestamp,
    },
    /// It was stopped so that a job of higher rank had room; it will be tried again.
    Preempted {
        /// When.
        at: Timestamp,
    },
    /// The worker could not begin it; that costs the job nothing.
    Returned {
        /// When.
        at: Timestamp,
        /// What the worker lacked.
        reason: String,
    },
    /// The worker failed at it; that counts like the loss of the worker.
    Broken {
        /// When.
        at: Timestamp,
        /// What failed.
        reason: String,
    },
}

/// What kept a worker from an outcome, through no fault of the suite.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerFault {
    /// It cannot begin any job that needs the same executor, and asks for none until it can.
    CannotBegin,
    /// It broke off; it may do better next time, and others may.
    BrokeOff,
}

/// A worker: the name of its token and its own.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct WorkerKey {
    /// The token's key in cfg.toml.
    pub token: String,
    /// What the worker calls itself.
    pub name: WorkerId,
}

/// A kind of environment that a worker can offer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Executor {
    /// Commands on the worker itself, inside bubblewrap.
    Sandbox,
    /// A container.
    Container,
    /// A pod.
    Kubernetes,
    /// Virtual machines, one or several.
    Vm,
}

/// What the server wants of a running attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Go on.
    GoOn,
    /// Stop it, kill what it started, and report nothing.
    Stop,
}

/// What came out of an attempt.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum JobOutcome {
    /// Every command ended with 0.
    Passed,
    /// A command ended with something else.
    Failed {
        /// Its exit code; 128 and more for signals, as shells count.
        exit_code: i32,
    },
    /// The suite's time was up.
    TimedOut,
    /// It could not be executed.
    Error {
        /// Why, in one line for people (at most 140 characters are shown).
        message: String,
    },
}

impl AttemptEnd {
    /// When.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Reported { at, .. }
            | Self::Lost { at }
            | Self::Stopped { at }
            | Self::Preempted { at }
            | Self::Returned { at, .. }
            | Self::Broken { at, .. } => *at,
        }
    }
}

impl Executor {
    /// What a worker's settings call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Container => "container",
            Self::Kubernetes => "kubernetes",
            Self::Vm => "vm",
        }
    }
}

impl JobOutcome {
    /// Whether the suite itself is to blame, so that another attempt may come to something else.
    pub(super) fn is_failure(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::TimedOut => true,
            Self::Passed | Self::Error { .. } => false,
        }
    }
}

impl Job {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(
            self.state,
            JobState::Finished { .. } | JobState::Cancelled { .. }
        )
    }

    /// When it passed, if it did.
    pub fn passed_at(&self) -> Option<Timestamp> {
        match &self.state {
            JobState::Finished {
                outcome: JobOutcome::Passed,
                at,
            } => Some(*at),
            JobState::Waiting
            | JobState::Leased { .. }
            | JobState::Finished { .. }
            | JobState::Cancelled { .. } => None,
        }
    }

    /// Whether it passed after an attempt that did not.
    pub fn is_flaky(&self) -> bool {
        let passed = matches!(
            self.state,
            JobState::Finished {
                outcome: JobOutcome::Passed,
                ..
            }
        );
        passed && self.failures() > 0
    }

    /// How many attempts ended with a failure of the suite.
    pub(super) fn failures(&self) -> usize {
        let failed = |record: &&AttemptRecord| match &record.ended {
            Some(AttemptEnd::Reported { outcome, .. }) => outcome.is_failure(),
            Some(
                AttemptEnd::Lost { .. }
                | AttemptEnd::Stopped { .. }
                | AttemptEnd::Preempted { .. }
                | AttemptEnd::Returned { .. }
                | AttemptEnd::Broken { .. },
            )
            | None => false,
        };
        self.attempts.iter().filter(failed).count()
    }

    /// The workers at which attempts were lost, and when, one for each of these attempts.
    pub(super) fn losses(&self) -> impl Iterator<Item = (&WorkerKey, Timestamp)> {
        self.attempts
            .iter()
            .filter_map(|record| match &record.ended {
                Some(AttemptEnd::Lost { at } | AttemptEnd::Broken { at, .. }) => {
                    Some((&record.worker, *at))
                }
                Some(
                    AttemptEnd::Reported { .. }
                    | AttemptEnd::Stopped { .. }
                    | AttemptEnd::Preempted { .. }
                    | AttemptEnd::Returned { .. },
                )
                | None => None,
            })
    }

    /// Whether what needs it may begin.
    pub(super) fn satisfies(&self) -> bool {
        match &self.state {
            JobState::Finished { outcome, .. } => {
                self.suite.allow_failure || *outcome == JobOutcome::Passed
            }
            JobState::Cancelled { .. } => self.suite.allow_failure,
            JobState::Waiting | JobState::Leased { .. } => false,
        }
    }

    /// Its place among jobs of the same rank and priority; it keeps it through all attempts.
    pub(super) fn age(&self) -> (Timestamp, JobId) {
        (self.made_at, self.id)
    }

    /// For which job the attempt that is under way is interrupted.
    pub(super) fn preempted_by(&self) -> Option<JobId> {
        let last = self.attempts.last();
        last.filter(|last| last.ended.is_none())?.preempted_by
    }

    /// Writes down how the attempt that is under way ended.
    pub(super) fn end_attempt(&mut self, end: AttemptEnd) {
        if let Some(last) = self.attempts.last_mut().filter(|last| last.ended.is_none()) {
            last.ended = Some(end);
        }
    }
}
