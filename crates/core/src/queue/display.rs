//! Events and effects as one line each, for the log: no comment's text, no payload.

use std::fmt;

use super::effect::Effect;
use super::event::{Event, SuitesFound};
use super::note::StatusNote;

impl fmt::Display for Event {
    #[expect(clippy::too_many_lines, reason = "an arm for each event, and no more")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PullSeen { facts, .. } => write!(
                f,
                "pull #{} seen {:?} at {} into {}",
                facts.number,
                facts.state,
                facts.head.short(),
                facts.base
            ),
            Self::HeadPushed { facts, by } => write!(
                f,
                "pull #{} put at {} by @{by}",
                facts.number,
                facts.head.short()
            ),
            Self::PullRestored {
                facts, comments, ..
            } => {
                let count = comments.len();
                write!(f, "pull #{} restored from {count} comments", facts.number)
            }
            Self::CommentMade { pull, comment } => {
                write!(f, "comment by @{} made on #{pull}", comment.author)
            }
            Self::BranchPushed { branch, after, .. } => {
                write!(f, "branch {branch} pushed to {}", after.short())
            }
            Self::BaseSeen { branch, tip } => write!(f, "base {branch} seen at {}", tip.short()),
            Self::StatusReported {
                commit,
                context,
                verdict,
                ..
            } => write!(f, "status {context:?} of {} is {verdict:?}", commit.short()),
            Self::CheckRunReported {
                commit,
                name,
                verdict,
                ..
            } => write!(f, "check run {name:?} of {} is {verdict:?}", commit.short()),
            Self::CheckSuiteCompleted { commit, suite } => {
                write!(f, "check suite {suite} of {} is completed", commit.short())
            }
            Self::CheckRunsRead { commit, found, .. } => {
                write!(f, "{} check runs of {} read", found.len(), commit.short())
            }
            Self::CheckRunsUnread { run, .. } => write!(f, "run {run}: check runs not read"),
            Self::MergeMade { run, merge, .. } => {
                write!(f, "run {run}: merge {} made", merge.short())
            }
            Self::BuildReported {
                commit,
                builder,
                verdict,
                ..
            } => write!(f, "build {builder:?} of {} is {verdict:?}", commit.short()),
            Self::BuildsRefused { run, .. } => write!(f, "run {run}: builds refused"),
            Self::StandingTold { user, standing } => write!(f, "@{user} is {standing:?}"),
            Self::StandingUntold { user } => write!(f, "nobody says what @{user} may do"),
            Self::PullUnseen { pull } => write!(f, "pull #{pull} is not shown by GitHub"),
            Self::LandingDelayed { run, .. } => write!(f, "run {run}: landing is tried again"),
            Self::ExemptionJudged { run, exemption } => {
                write!(f, "run {run}: exemption is {exemption:?}")
            }
            Self::MergeabilityFound { base, found } => {
                let dirty = found.iter().filter(|found| !found.clean).count();
                write!(
                    f,
                    "{dirty} of {} pulls conflict with {} at {}",
                    found.len(),
                    base.branch,
                    base.tip.short()
                )
            }
            Self::HookAnswered { pull, .. } => write!(f, "a hook answered on #{pull}"),
            Self::HookFailed { pull, hook, .. } => write!(f, "hook {hook:?} failed on #{pull}"),
            Self::RollupMade { pulls, rollup } => {
                write!(f, "rollup #{rollup} of {} pulls made", pulls.len())
            }
            Self::MergeAltered { run, .. } => write!(f, "run {run}: the merge would lose content"),
            Self::MergeConflicted { run, step } => write!(f, "run {run}: {step:?} conflicted"),
            Self::TestMergeMade { run, made, .. } => write!(f, "run {run}: test merge {made:?}"),
            Self::SuitesCompared { pull, changed, .. } => match changed {
                Some(file) => write!(f, "#{pull} changes {file:?}"),
                None => write!(f, "#{pull} changes no suites"),
            },
            Self::AccessTold { user, access } => write!(f, "@{user} may {access:?}"),
            Self::MergeRead { run, found } => match found {
                Some(_) => write!(f, "run {run}: merge of another queue read"),
                None => write!(f, "run {run}: merge of another queue is gone"),
            },
            Self::MergePublished { run } => write!(f, "run {run}: merge published"),
            Self::NothingToMerge { run } => write!(f, "run {run}: nothing to merge"),
            Self::PullContained { pull, base, .. } => write!(f, "#{pull} is in {base} already"),
            Self::SetupFailed { run, .. } => write!(f, "run {run}: set-up failed"),
            Self::SuitesRead { run, found } => {
                write!(f, "run {run}: suites read: {}", Found(found))
            }
            Self::SuiteStarted { run, context, .. } => {
                write!(f, "run {run}: suite {context:?} started")
            }
            Self::SuiteFinished {
                run,
                context,
                verdict,
                ..
            } => write!(f, "run {run}: suite {context:?} finished {verdict:?}"),
            Self::BranchAdvanced { run } => write!(f, "run {run}: base branch advanced"),
            Self::LandingRefused { run, why } => write!(f, "run {run}: landing refused: {why:?}"),
            Self::TimePassed => f.write_str("time passed"),
        }
    }
}

struct Found<'a>(&'a SuitesFound);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SuitesFound::NoFile => f.write_str("no file"),
            SuitesFound::Invalid { file, .. } => write!(f, "{file:?} is invalid"),
            SuitesFound::Suites(file) => {
                write!(f, "{}", file.suites.len())?;
                match (file.passed.len(), file.untouched.len()) {
                    (0, 0) => Ok(()),
                    (passed, 0) => write!(f, ", {passed} of them passed before"),
                    (0, untouched) => write!(f, ", {untouched} of them not needed"),
                    (passed, untouched) => write!(
                        f,
                        ", {passed} of them passed before, {untouched} not needed"
                    ),
                }
            }
        }
    }
}

impl fmt::Display for Effect {
    #[expect(clippy::too_many_lines, reason = "an arm for each effect, and no more")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeMerge(order) => {
                write!(f, "run {}: make merge onto {}", order.run, order.base)
            }
            Self::PublishMerge {
                run,
                commit,
                branch,
            } => write!(f, "run {run}: publish {} to {branch}", commit.short()),
            Self::ReadMerge { run, commit, .. } => {
                write!(f, "run {run}: read merge {}", commit.short())
            }
            Self::ReadSuites { run, commit, .. } => {
                write!(f, "run {run}: read suites of {}", commit.short())
            }
            Self::StartJobs { run, suites, .. } => {
                let contexts: Vec<_> = suites.iter().map(|suite| &suite.context).collect();
                write!(f, "run {run}: start jobs {contexts:?}")
            }
            Self::MakeTestMerge(order) => write!(
                f,
                "run {}: make test merge of #{} onto {}",
                order.run, order.pull, order.base
            ),
            Self::MarkTestMerge { pull, .. } => write!(f, "mark GitHub's test merge of #{pull}"),
            Self::CompareSuites { pull, .. } => write!(f, "compare suites of #{pull}"),
            Self::AskAccess { user } => write!(f, "ask whether @{user} may write"),
            Self::RankJobs { run, .. } => write!(f, "run {run}: rank jobs anew"),
            Self::CancelJobs { run } => write!(f, "run {run}: cancel jobs"),
            Self::CancelSuites { run, contexts } => {
                write!(f, "run {run}: cancel jobs of {}", contexts.join(", "))
            }
            Self::AdvanceBranch(order) => write!(
                f,
                "run {}: advance {} to {}",
                order.run,
                order.base,
                order.to.short()
            ),
            Self::PostComment { pull, note } => write!(f, "post to #{pull}: {}", name(note)),
            Self::SetStatus { commit, note } => {
                write!(f, "set status of {}: ", commit.short())?;
                match note {
                    StatusNote::Queue(status) => write!(f, "homu {}", name(status)),
                    StatusNote::Suite {
                        context, progress, ..
                    } => write!(f, "{context:?} {progress:?}"),
                    StatusNote::Required { passed, of, .. } => {
                        write!(f, "required {passed}/{of}")
                    }
                    StatusNote::BadSuites | StatusNote::NotTested => f.write_str("bad suites"),
                }
            }
            Self::JudgeExemption(asked) => {
                let (run, merge) = (asked.run, asked.merge.short());
                write!(f, "run {run}: judge exemption of {merge}")
            }
            Self::ReadCheckRuns { run, commit } => {
                write!(f, "run {run}: read check runs of {}", commit.short())
            }
            Self::RepeatBuilds { run, builds } => {
                let builders: Vec<_> = builds.iter().map(|build| &build.name).collect();
                write!(f, "run {run}: repeat builds {builders:?}")
            }
            Self::StopBuilds { run, builders } => write!(f, "run {run}: stop builds {builders:?}"),
            Self::EditLabels { pull, change } => write!(
                f,
                "edit labels of #{pull}: add {:?}, remove {:?}",
                change.add, change.remove
            ),
            Self::ClosePull { pull, .. } => write!(f, "close #{pull}"),
            Self::MarkMerged(mark) => write!(f, "mark #{} merged", mark.pull),
            Self::CallHook { pull, hook, .. } => write!(f, "call hook {hook:?} for #{pull}"),
            Self::LogRetry(retry) => {
                write!(f, "log retry of #{} by @{}", retry.pull, retry.by)
            }
            Self::AskStanding { user } => write!(f, "ask what @{user} may do"),
            Self::CheckMergeability { base, .. } => write!(
                f,
                "check mergeability into {} at {}",
                base.branch,
                base.tip.short()
            ),
            Self::ReadPull { pull } => write!(f, "read pull #{pull}"),
        }
    }
}

/// A variant's name: what its fields hold may be a stranger's text.
fn name(value: &impl fmt::Debug) -> String {
    let debug = format!("{value:?}");
    debug
        .chars()
        .take_while(|letter| letter.is_alphanumeric())
        .collect()
}
