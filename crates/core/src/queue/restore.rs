//! Rebuilding what the queue should know of a pull from its comments alone.
//!
//! Nothing is said and nothing is started on account of the comments: they were acted on when they
//! were made, or nobody was there to do so.

use super::Queue;
use super::approving::DIGITS_OF_OLD_COMMENT_MIN;
use super::effect::{Effect, News};
use super::event::{Comment, PullFacts, Source};
use super::note::PIN;
use super::pull::{Approval, Named, Squash, Stage};
use super::rules::Replay;
use super::run::{Ending, Member, Purpose, Run};
use super::step::Step;
use crate::command::{Command, CommitPrefix};
use crate::ids::{CommitId, Login, PullNumber};

impl Queue {
    /// Takes up a pull with what its comments say.
    ///
    /// Of a pull that became known meanwhile, comments that were acted on stay acted on, and what
    /// younger ones set stays set.
    pub(super) fn restore(
        &mut self,
        facts: PullFacts,
        mut comments: Vec<Comment>,
        result: Option<Ending>,
        step: &mut Step,
    ) {
        let number = facts.number;
        let is_new = !self.pulls.contains_key(&number);
        if is_new && facts.head != CommitId::ZERO {
            self.add_pull(facts, Source::Reading);
        } else {
            self.see_pull(facts, Source::Reading, step);
        }
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        comments.retain(|comment| !pull.handled.contains(&comment.key));
        comments.sort_by_key(|comment| comment.key);
        for comment in &comments {
            self.recall(number, comment, step);
        }
        if let Some(ending) = result.filter(|_| is_new) {
            self.recall_result(number, ending, step);
        }
        if self
            .pulls
            .get(&number)
            .is_some_and(|pull| pull.facts.mergeable.is_none())
        {
            self.look_at_pull(number, step);
        }
    }

    /// An approved pull whose last test is known to have ended badly is not tested again unasked.
    fn recall_result(&mut self, number: PullNumber, ending: Ending, step: &Step) {
        let id = self.state.last_run.next();
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let Some(approval) = pull.standing_approval() else {
            return;
        };
        let member = Member {
            pull: number,
            head: pull.facts.head,
            approver: Some(approval.approver.clone()),
            said_by: Some(approval.said_by.clone()),
        };
        let base = pull.facts.base.clone();
        pull.last_run = Some(id);
        pull.stage = Stage::Ended {
            run: id,
            purpose: Purpose::Land,
            ending,
        };
        self.add_run(Run::ended(id, base, member, ending, step.now));
    }

    /// Believes a comment: of the bot's own only the pins, whose text nobody else can choose.
    fn recall(&mut self, number: PullNumber, comment: &Comment, step: &mut Step) {
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
            self.recall_command(command, number, comment, step);
            self.replay_hook(command, number, comment, step);
        }
    }

    fn replay_hook(
        &self,
        command: &Command,
        number: PullNumber,
        comment: &Comment,
        step: &mut Step,
    ) {
        if let Command::Hook { name, data } = command
            && let Some(hook) = self.rules.hooks.get(name)
            && hook.replay == Replay::AtRestore
        {
            step.order(Effect::CallHook {
                pull: number,
                hook: name.clone(),
                body: comment.body.clone(),
                data: data.clone(),
                news: News::Old,
            });
        }
    }

    fn recall_command(
        &mut self,
        command: &Command,
        number: PullNumber,
        comment: &Comment,
        step: &mut Step,
    ) {
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
            } => self.recall_approval(number, approver, prefix, comment),
            Command::Unapprove => {
                let _taken = pull.approval.set(None, key);
            }
            Command::Priority { value } if *value <= max_priority => {
                let _taken = pull.priority.set(*value, key);
            }
            Command::Rollup { value } => {
                let _taken = pull.rollup.set(*value, key);
            }
            Command::Delegate { to } => {
                let _taken = pull.delegate.set(Some(to.clone()), key);
            }
            Command::DelegateAuthor => {
                let author = pull.facts.author.clone();
                let _taken = pull.delegate.set(Some(author), key);
            }
            Command::Undelegate => {
                let _taken = pull.delegate.set(None, key);
            }
            Command::Squash => {
                let _taken = pull.squash.set(Squash::Yes, key);
            }
            Command::Unsquash => {
                let _taken = pull.squash.set(Squash::No, key);
            }
            Command::Hold => {
                let by = comment.author.clone();
                let _taken = pull.hold.set(Some(by), key);
            }
            Command::Unhold => {
                let _taken = pull.hold.set(None, key);
            }
            Command::OkAuthor => self.let_author_test(number, comment, step),
            Command::TreeClosed { value } => self.close_tree(*value, comment),
            Command::TreeOpen => self.set_tree(super::Tree::Open, comment),
            Command::Priority { .. }
            | Command::Retry { .. }
            | Command::Test { .. }
            | Command::Cancel
            | Command::Ok
            | Command::Info
            | Command::Try { .. }
            | Command::Untry
            | Command::Force
            | Command::Clean
            | Command::Ping
            | Command::Portal
            | Command::Hook { .. } => {}
        }
    }

    /// An approval of another commit than the head is history.
    fn recall_approval(
        &mut self,
        number: PullNumber,
        approver: &Login,
        prefix: &CommitPrefix,
        comment: &Comment,
    ) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let head = pull.facts.head;
        let is_named = prefix.digits() >= DIGITS_OF_OLD_COMMENT_MIN && prefix.matches(head);
        if is_named && pull.unfinished().is_none() {
            let approval = Approval {
                commit: head,
                approver: approver.clone(),
                said_by: comment.author.clone(),
                named: Named::Commit,
            };
            let _taken = pull.approval.set(Some(approval), comment.key);
        }
    }
}
