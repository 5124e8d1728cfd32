//! In which order orders are carried out, and which of them need not be.

use super::effect::{Effect, Which};
use super::note::StatusNote;
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId};

/// Orders of one lane are carried out one after the other, in the order in which they were given.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Lane {
    /// A run whose commit is made, or judged.
    Merging(RunId),
    /// A branch of ours that is pushed.
    Publishing(BranchName),
    /// A run's suites and jobs.
    Suites(RunId),
    /// A base branch that moves.
    Landing(BranchName),
    /// Comments on a pull.
    Comments(PullNumber),
    /// Statuses of a commit.
    Statuses(CommitId),
    /// A pull that is read.
    Readings(PullNumber),
    /// A pull's labels, and whether it is open.
    Labels(PullNumber),
    /// The check runs of a run's commit that are read.
    CheckRuns(RunId),
    /// Calls of other services for a pull.
    Hooks(PullNumber),
    /// Orders to Buildbot.
    Builds,
    /// What somebody may do.
    Permissions(Login),
    /// Whether somebody may write.
    Accesses(Login),
    /// GitHub's test merge of a pull, and what is compared with it.
    TestMerge(PullNumber),
    /// What merges cleanly into a branch.
    Mergeability(BranchName),
    /// The log of retries.
    RetryLog,
}

impl Effect {
    /// The lane in which it is carried out.
    pub fn lane(&self) -> Lane {
        match self {
            Self::MakeMerge(order) => Lane::Merging(order.run),
            Self::PublishMerge { branch, .. } => Lane::Publishing(branch.clone()),
            Self::ReadMerge { run, .. }
            | Self::ReadSuites { run, .. }
            | Self::StartJobs { run, .. }
            | Self::RankJobs { run, .. }
            | Self::CancelJobs { run }
            | Self::CancelSuites { run, .. } => Lane::Suites(*run),
            Self::MakeTestMerge(order) => Lane::Merging(order.run),
            Self::MarkTestMerge { pull, .. } | Self::CompareSuites { pull, .. } => {
                Lane::TestMerge(*pull)
            }
            Self::AskAccess { user } => Lane::Accesses(user.clone()),
            Self::AdvanceBranch(order) => Lane::Landing(order.base.clone()),
            Self::PostComment { pull, .. } => Lane::Comments(*pull),
            Self::SetStatus { commit, .. } => Lane::Statuses(*commit),
            Self::ReadPull { pull } => Lane::Readings(*pull),
            Self::JudgeExemption(asked) => Lane::Merging(asked.run),
            Self::ReadCheckRuns { run, .. } => Lane::CheckRuns(*run),
            Self::RepeatBuilds { .. } | Self::StopBuilds { .. } => Lane::Builds,
            Self::EditLabels { pull, .. } => Lane::Labels(*pull),
            Self::MarkMerged(mark) => Lane::Labels(mark.pull),
            Self::ClosePull { pull, .. } => Lane::Labels(*pull),
            Self::CallHook { pull, .. } => Lane::Hooks(*pull),
            Self::LogRetry { .. } => Lane::RetryLog,
            Self::AskStanding { user } => Lane::Permissions(user.clone()),
            Self::CheckMergeability { base, .. } => Lane::Mergeability(base.branch.clone()),
        }
    }

    /// Whether nobody would see an earlier order of the same lane if both were carried out.
    pub fn overtakes(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::ReadPull { .. }, Self::ReadPull { .. })
            | (Self::AskStanding { .. }, Self::AskStanding { .. })
            | (
                Self::CheckMergeability {
                    pulls: Which::All, ..
                },
                Self::CheckMergeability { .. },
            ) => true,
            (Self::SetStatus { note: later, .. }, Self::SetStatus { note: earlier, .. }) => {
                same_context(later, earlier)
            }
            _ => false,
        }
    }
}

fn same_context(one: &StatusNote, other: &StatusNote) -> bool {
    match (one, other) {
        (StatusNote::Queue(_), StatusNote::Queue(_))
        | (StatusNote::Required { .. }, StatusNote::Required { .. })
        | (
            StatusNote::BadSuites | StatusNote::NotTested,
            StatusNote::BadSuites | StatusNote::NotTested,
        ) => true,
        (StatusNote::Suite { context: one, .. }, StatusNote::Suite { context: other, .. }) => {
            one == other
        }
        (
            StatusNote::Queue(_)
            | StatusNote::Suite { .. }
            | StatusNote::Required { .. }
            | StatusNote::BadSuites
            | StatusNote::NotTested,
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::note::QueueStatus;

    #[test]
    fn a_status_overtakes_an_earlier_one_of_its_context() {
        for later in [StatusNote::BadSuites, StatusNote::NotTested] {
            for earlier in [StatusNote::BadSuites, StatusNote::NotTested] {
                assert!(same_context(&later, &earlier), "{later:?}, {earlier:?}");
            }
            let queue = StatusNote::Queue(QueueStatus::Interrupted);
            assert!(!same_context(&later, &queue) && !same_context(&queue, &later));
            assert!(same_context(&queue, &queue));
        }
    }
}
