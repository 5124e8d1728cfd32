//! Orders that the queue gives, in the imperative.
//!
//! The shell stores them with their cause and carries each out at least once; whoever carries one
//! out looks first whether it was done already, where that would show.

use serde::{Deserialize, Serialize};

use super::note::{Note, StatusNote};
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId};
use crate::suite::Suite;

/// Something that must now be done.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Merge the members onto the base branch's tip, in the mirror.
    ///
    /// Answers: `MergeMade`, `MergeConflicted` or `SetupFailed`.
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
    /// Read the file of suites in a commit. Answer: `SuitesRead`.
    ReadSuites {
        /// For which run.
        run: RunId,
        /// Whose tree.
        commit: CommitId,
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
    /// Ask GitHub how a pull stands. Answer: `PullSeen` with [`super::event::Source::Reading`],
    /// also if nothing is new: comments may wait for it.
    ReadPull {
        /// Which.
        pull: PullNumber,
    },
}

/// What is to be merged.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MergeOrder {
    /// For which run.
    pub run: RunId,
    /// Onto the tip of which branch.
    pub base: BranchName,
    /// What is merged, in this order.
    pub members: Vec<MemberMerge>,
    /// A merge of the same members that is taken again if the base's tip is still the same.
    pub again: Option<EarlierMerge>,
}

/// One member's part of a merge.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MemberMerge {
    /// Which pull.
    pub pull: PullNumber,
    /// Its approved commit.
    pub head: CommitId,
    /// The merge commit's message.
    pub message: String,
}

/// A merge that an earlier run made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct EarlierMerge {
    /// What it was merged onto.
    pub base_tip: CommitId,
    /// The result.
    pub merge: CommitId,
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

/// A pull in a run, at the commit that was approved.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Which pull.
    pub pull: PullNumber,
    /// The commit of it that is tested.
    pub head: CommitId,
    /// Who approved it; for a try, nobody.
    pub approver: Option<Login>,
}
