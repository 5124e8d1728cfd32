//! Who waits for an order to be carried out: where not all can be done at once, those that people wait
//! for go first, then what runs, then the rest.

use super::effect::Effect;
use super::note::{Note, StatusNote};

/// Who waits for an order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Awaited {
    /// Somebody who just asked for something, or approved it.
    ByPeople,
    /// A test that is under way, and those who watch it.
    ByTests,
    /// Nobody: whoever it concerns did not ask.
    ByNobody,
}

impl Effect {
    /// Who waits for it.
    pub fn awaited(&self) -> Awaited {
        match self {
            Self::PostComment { note, .. } => note.awaited(),
            Self::SetStatus { note, .. } | Self::MarkTestMerge { note, .. } => note.awaited(),
            Self::MakeMerge(_)
            | Self::PublishMerge { .. }
            | Self::JudgeExemption(_)
            | Self::ReadCheckRuns { .. }
            | Self::AdvanceBranch(_)
            | Self::CallHook { .. }
            | Self::LogRetry { .. }
            | Self::AskStanding { .. }
            | Self::ClosePull { .. }
            | Self::ReadMerge { .. }
            | Self::ReadPull { .. } => Awaited::ByPeople,
            Self::MakeTestMerge(_)
            | Self::ReadSuites { .. }
            | Self::RepeatBuilds { .. }
            | Self::StopBuilds { .. }
            | Self::StartJobs { .. }
            | Self::CancelJobs { .. }
            | Self::CancelSuites { .. }
            | Self::RankJobs { .. }
            | Self::EditLabels { .. }
            | Self::MarkMerged(_)
            | Self::AskAccess { .. }
            | Self::CompareSuites { .. } => Awaited::ByTests,
            Self::CheckMergeability { .. } => Awaited::ByNobody,
        }
    }
}

impl Note {
    /// A comment answers somebody, or says what came of what somebody wanted; but for those that a
    /// pull gets because it is there, as all do at a first start.
    fn awaited(&self) -> Awaited {
        if matches!(
            self,
            Self::Unmergeable { .. } | Self::WaitsForOk { .. } | Self::BadSuites { .. }
        ) {
            Awaited::ByNobody
        } else {
            Awaited::ByPeople
        }
    }
}

impl StatusNote {
    /// Who waits for it.
    pub fn awaited(&self) -> Awaited {
        match self {
            Self::Queue(_) => Awaited::ByPeople,
            Self::Suite { .. } | Self::Required { .. } => Awaited::ByTests,
            Self::BadSuites | Self::NotTested => Awaited::ByNobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CommitId, Login, PullNumber};

    #[test]
    fn an_answer_goes_before_what_nobody_asked_for() {
        let post = |note| Effect::PostComment {
            pull: PullNumber(1),
            note,
        };
        let answer = post(Note::Awake);
        let welcome = post(Note::Unmergeable { culprit: None });
        let not_tested = Effect::SetStatus {
            commit: CommitId::ZERO,
            note: StatusNote::NotTested,
        };
        let access = Effect::AskAccess {
            user: Login::new("new"),
        };
        assert!(answer.awaited() < access.awaited());
        assert!(access.awaited() < welcome.awaited());
        assert_eq!(welcome.awaited(), not_tested.awaited());
    }
}
