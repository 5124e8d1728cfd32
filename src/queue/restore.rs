//! Rebuilding what the queue should know of a pull from its comments alone.
//!
//! Nothing is said and nothing is started on account of the comments: they were acted on when they
//! were made, or nobody was there to do so.

use super::Queue;
use super::event::{Comment, PullFacts, Source};
use super::note::PIN;
use super::pull::{Approval, Named};
use super::turn::Turn;
use crate::command::Command;
use crate::ids::{CommitId, PullNumber};

impl Queue {
    /// Takes up a pull with what its comments say.
    ///
    /// Of a pull that became known meanwhile, comments that were acted on stay acted on, and what
    /// younger ones set stays set.
    pub(super) fn restore(
        &mut self,
        facts: PullFacts,
        mut comments: Vec<Comment>,
        turn: &mut Turn,
    ) {
        let number = facts.number;
        if self.pulls.contains_key(&number) || facts.head == CommitId::ZERO {
            self.see_pull(facts, Source::Reading, turn);
        } else {
            self.add_pull(facts, Source::Reading);
        }
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        comments.retain(|comment| !pull.handled.contains(&comment.key));
        comments.sort_by_key(|comment| comment.key);
        for comment in &comments {
            self.recall(number, comment);
        }
    }

    /// Believes a comment: of the bot's own only the pins, whose text nobody else can choose.
    fn recall(&mut self, number: PullNumber, comment: &Comment) {
        let by_bot = comment.author == self.rules.grammar.bot;
        if by_bot && !comment.body.starts_with(PIN) {
            return;
        }
        let reading = self.rules.grammar.read(&comment.body, &comment.author);
        if reading.commands.is_empty() {
            return;
        }
        if let Some(pull) = self.pull_mut(number) {
            pull.handled.insert(comment.key);
        }
        for command in &reading.commands {
            if self.permits(command, number, comment).is_err() {
                return;
            }
            self.recall_command(command, number, comment);
        }
    }

    fn recall_command(&mut self, command: &Command, number: PullNumber, comment: &Comment) {
        let key = comment.key;
        let max_priority = self.rules.max_priority;
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        match command {
            // Without a commit nobody knows any more which one was meant.
            Command::Approve { commit: None, .. } => {}
            Command::Approve {
                approver,
                commit: Some(prefix),
            } => {
                let approval = Approval {
                    commit: pull.facts.head,
                    approver: approver.clone(),
                    said_by: comment.author.clone(),
                    named: Named::Commit,
                };
                if prefix.matches(pull.facts.head) && pull.unfinished().is_none() {
                    let _taken = pull.approval.set(Some(approval), key);
                }
            }
            Command::Unapprove => {
                let _taken = pull.approval.set(None, key);
            }
            Command::Priority { value } if *value <= max_priority => {
                let _taken = pull.priority.set(*value, key);
            }
            Command::Rollup { value } => {
                let _taken = pull.rollup.set(*value, key);
            }
            Command::TreeClosed { value } => self.close_tree(*value, comment),
            Command::TreeOpen => self.set_tree(super::Tree::Open, comment),
            Command::Priority { .. }
            | Command::Delegate { .. }
            | Command::DelegateAuthor
            | Command::Undelegate
            | Command::Retry { .. }
            | Command::Try { .. }
            | Command::Untry
            | Command::Squash
            | Command::Unsquash
            | Command::Force
            | Command::Clean
            | Command::Ping
            | Command::Portal
            | Command::Hook { .. } => {}
        }
    }
}
