//! What need not even be kept: facts that cannot change anything.

use super::Queue;
use super::event::{Comment, Event, PullFacts, PullState};
use super::note::MARKER;
use super::rules::{BuildbotRule, Rules};
use crate::ids::is_same_name;

impl Queue {
    /// Whether an event may change anything now.
    ///
    /// What cannot is answered and forgotten: most of what GitHub sends is about commits that are
    /// not tested, or is talk among people. A queue that is not loaded yet cannot tell.
    pub fn is_of_interest(&self, event: &Event) -> bool {
        match event {
            Event::CommentMade { comment, .. } => self.rules.may_hold_commands(comment),
            Event::PullSeen { facts, .. } => self.is_news(facts),
            Event::BranchPushed { branch, before, .. } => {
                let mut pulls = self.pulls().filter(|pull| pull.is_open());
                self.tests_branch(branch)
                    || pulls.any(|pull| pull.facts.base == *branch || pull.facts.head == *before)
            }
            Event::StatusReported {
                commit, context, ..
            } => self.rules.awaits_status(context) && self.tests_commit(*commit),
            Event::CheckRunReported { commit, name, .. } => {
                self.rules.awaits_check_run(name) && self.tests_commit(*commit)
            }
            Event::CheckSuiteCompleted { commit, .. } => {
                !self.rules.check_runs.is_empty() && self.tests_commit(*commit)
            }
            Event::BuildReported {
                commit, builder, ..
            } => self.rules.awaits_build(builder) && self.tests_commit(*commit),
            // Who pushed is told by no other event.
            Event::HeadPushed { .. }
            | Event::PullRestored { .. }
            | Event::CheckRunsRead { .. }
            | Event::StandingUntold { .. }
            | Event::PullUnseen { .. }
            | Event::LandingDelayed { .. }
            | Event::CheckRunsUnread { .. }
            | Event::BuildsRefused { .. }
            | Event::StandingTold { .. }
            | Event::ExemptionJudged { .. }
            | Event::MergeabilityFound { .. }
            | Event::HookAnswered { .. }
            | Event::HookFailed { .. }
            | Event::RollupMade { .. }
            | Event::BaseSeen { .. }
            | Event::MergeMade { .. }
            | Event::TestMergeMade { .. }
            | Event::AccessTold { .. }
            | Event::SuitesCompared { .. }
            | Event::MergeConflicted { .. }
            | Event::MergeAltered { .. }
            | Event::MergePublished { .. }
            | Event::NothingToMerge { .. }
            | Event::PullContained { .. }
            | Event::SetupFailed { .. }
            | Event::SuitesRead { .. }
            | Event::SuiteStarted { .. }
            | Event::SuiteFinished { .. }
            | Event::BranchAdvanced { .. }
            | Event::LandingRefused { .. }
            | Event::MergeRead { .. }
            | Event::TimePassed => true,
        }
    }

    fn is_news(&self, facts: &PullFacts) -> bool {
        match self.pull(facts.number) {
            // Whoever asks about it, or missed it, waits to hear that it is as it was.
            Some(pull) => {
                pull.facts != *facts || pull.inquiry.is_some() || pull.unseen_since.is_some()
            }
            None => facts.state == PullState::Open,
        }
    }
}

impl Rules {
    /// Whether a run may wait for a check run of this name.
    pub fn awaits_check_run(&self, name: &str) -> bool {
        let names = self.check_runs.iter();
        let mut names = names.flat_map(|rule| std::iter::once(&rule.name).chain(&rule.try_name));
        names.any(|known| is_same_name(known, name))
    }

    fn awaits_status(&self, context: &str) -> bool {
        let mut statuses = self.statuses.iter();
        statuses.any(|rule| is_same_name(&rule.context, context))
    }

    fn awaits_build(&self, builder: &str) -> bool {
        let mut builders = self.buildbot.iter().flat_map(BuildbotRule::all);
        builders.any(|known| known == builder)
    }

    /// The bot's own comments hold commands only for those who rebuild approvals from them.
    fn may_hold_commands(&self, comment: &Comment) -> bool {
        if comment.author == self.grammar.bot && comment.body.contains(MARKER) {
            return false;
        }
        let reading = self.grammar.read(&comment.body, &comment.author);
        !reading.commands.is_empty() || reading.not_understood.is_some()
    }
}

impl BuildbotRule {
    /// All builders, of whatever.
    fn all(&self) -> impl Iterator<Item = &String> {
        let lists = [&self.builders, &self.try_builders].into_iter();
        lists.chain(self.choosers.values()).flatten()
    }
}
