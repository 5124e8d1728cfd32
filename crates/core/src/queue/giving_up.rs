//! Orders that may be the end of the process that carries them out, and what is told when an order is
//! given up.

use super::effect::Effect;
use super::event::{Access, Event, Refusal};

/// How often the process may end while an order is under way before the order is given up.
pub const DEATHS_MAX: u32 = 3;

impl Effect {
    /// Whether carrying it out works on what strangers made, on this machine. The rest asks
    /// another service something, and waits for most of its time.
    pub fn is_risky(&self) -> bool {
        match self {
            Self::MakeMerge(_)
            | Self::PublishMerge { .. }
            | Self::ReadMerge { .. }
            | Self::ReadSuites { .. }
            | Self::MakeTestMerge(_)
            | Self::MarkTestMerge { .. }
            | Self::CompareSuites { .. }
            | Self::JudgeExemption(_)
            | Self::StartJobs { .. }
            | Self::AdvanceBranch(_)
            | Self::MarkMerged(_)
            | Self::CheckMergeability { .. } => true,
            Self::AskAccess { .. }
            | Self::AskStanding { .. }
            | Self::RankJobs { .. }
            | Self::ReadCheckRuns { .. }
            | Self::RepeatBuilds { .. }
            | Self::StopBuilds { .. }
            | Self::CancelJobs { .. }
            | Self::CancelSuites { .. }
            | Self::PostComment { .. }
            | Self::SetStatus { .. }
            | Self::EditLabels { .. }
            | Self::CallHook { .. }
            | Self::LogRetry { .. }
            | Self::ClosePull { .. }
            | Self::ReadPull { .. } => false,
        }
    }

    /// What answers it when it is given up. Whoever waits for an answer gets one, so that nothing
    /// waits for ever; `why` is for people.
    pub fn given_up(&self, why: &str) -> Vec<Event> {
        let broken = |run| {
            let why = why.to_owned();
            vec![Event::SetupFailed { run, why }]
        };
        match self {
            Self::MakeMerge(order) => broken(order.run),
            Self::MakeTestMerge(order) => broken(order.run),
            Self::PublishMerge { run, .. }
            | Self::ReadSuites { run, .. }
            | Self::StartJobs { run, .. } => broken(*run),
            // What another queue merged is then merged here.
            Self::ReadMerge { run, .. } => vec![Event::MergeRead {
                run: *run,
                found: None,
            }],
            Self::JudgeExemption(asked) => vec![Event::ExemptionJudged {
                run: asked.run,
                exemption: None,
            }],
            Self::AdvanceBranch(order) => vec![Event::LandingRefused {
                run: order.run,
                why: Refusal::Rejected(why.to_owned()),
            }],
            Self::CheckMergeability { base, .. } => vec![Event::MergeabilityFound {
                base: base.clone(),
                found: Vec::new(),
            }],
            Self::ReadCheckRuns { run, .. } => {
                let (run, why) = (*run, why.to_owned());
                vec![Event::CheckRunsUnread { run, why }]
            }
            Self::RepeatBuilds { run, .. } => {
                let (run, why) = (*run, why.to_owned());
                vec![Event::BuildsRefused { run, why }]
            }
            Self::ReadPull { pull } => vec![Event::PullUnseen { pull: *pull }],
            // What nobody tells us is no leave to run a stranger's code.
            Self::AskAccess { user } => vec![Event::AccessTold {
                user: user.clone(),
                access: Access::Less,
            }],
            Self::AskStanding { user } => vec![Event::StandingUntold { user: user.clone() }],
            Self::MarkTestMerge { .. }
            | Self::CompareSuites { .. }
            | Self::MarkMerged(_)
            | Self::RankJobs { .. }
            | Self::StopBuilds { .. }
            | Self::CancelJobs { .. }
            | Self::CancelSuites { .. }
            | Self::PostComment { .. }
            | Self::SetStatus { .. }
            | Self::EditLabels { .. }
            | Self::CallHook { .. }
            | Self::LogRetry { .. }
            | Self::ClosePull { .. } => Vec::new(),
        }
    }
}
