//! What people tell the bot in comments.

use super::approving::ApprovalRequest;
use super::effect::{Effect, News};
use super::event::Comment;
use super::note::{MARKER, Missing, Note};
use super::pull::{Squash, Stage, Taken};
use super::rules::Merging;
use super::run::Scope;
use super::step::Step;
use super::{Queue, Tree};
use crate::command::Command;
use crate::ids::PullNumber;

impl Queue {
    /// Acts on a comment's commands, once.
    pub(super) fn read_comment(&mut self, number: PullNumber, comment: Comment, step: &mut Step) {
        if self.is_own(&comment) {
            return;
        }
        let reading = self.rules.grammar.read(&comment.body, &comment.author);
        if reading.commands.is_empty() && reading.not_understood.is_none() {
            return;
        }
        let known = self.pulls.get(&number);
        if known.is_none_or(|pull| pull.handled.contains(&comment.key)) {
            return;
        }
        if let Some(pull) = self.pull_mut(number) {
            pull.handled.insert(comment.key);
        }
        if self.must_ask_rights(number, &comment, &reading.commands) {
            self.ask_rights(number, comment, step);
        } else {
            self.judge_comment(number, comment, step);
        }
    }

    /// Acts on a comment whose author's rights are known, or lets it wait for news of the pull.
    pub(super) fn judge_comment(&mut self, number: PullNumber, comment: Comment, step: &mut Step) {
        let reading = self.rules.grammar.read(&comment.body, &comment.author);
        if self.is_premature(number, &comment, &reading.commands) {
            self.hold(number, comment, step);
        } else {
            self.obey_comment(number, &comment, step);
        }
    }

    /// Acts on a comment's commands by what is known of the pull.
    pub(super) fn obey_comment(&mut self, number: PullNumber, comment: &Comment, step: &mut Step) {
        if !self.is_about_the_head(number, comment) {
            return;
        }
        let reading = self.rules.grammar.read(&comment.body, &comment.author);
        let was_approved = self.is_approved(number);
        let is_forced = reading.commands.contains(&Command::Force);
        let refused = self.obey_all(reading.commands, number, comment, step);
        // The whole comment counts: `r+ p=9` may be let through.
        if self.is_approved(number) && (is_forced || !was_approved) {
            self.mention_closed_tree(number, step);
        }
        let user = comment.author.clone();
        let not_understood = reading
            .not_understood
            .filter(|_| self.rules.merging != Merging::Off);
        match (refused, not_understood) {
            (Some(missing), _) => step.post(number, Note::Refused { user, missing }),
            (None, Some(word)) => step.post(number, Note::NotUnderstood { user, word }),
            (None, None) => {}
        }
    }

    /// Obeys commands up to the first that the author may not give; says what is missing for that.
    fn obey_all(
        &mut self,
        commands: Vec<Command>,
        number: PullNumber,
        comment: &Comment,
        step: &mut Step,
    ) -> Option<Missing> {
        for command in commands {
            if self.is_for_others(&command) {
                continue;
            }
            if let Err(missing) = self.permits(&command, number, comment) {
                return Some(missing);
            }
            self.obey(command, number, comment, step);
        }
        None
    }

    /// Whether a command is for whoever merges here, where that is not us.
    fn is_for_others(&self, command: &Command) -> bool {
        let is_about_tests = match command {
            Command::Retry { .. }
            | Command::Test { .. }
            | Command::Cancel
            | Command::Ok
            | Command::OkAuthor
            | Command::Info
            | Command::Hook { .. } => true,
            Command::Approve { .. }
            | Command::Unapprove
            | Command::Priority { .. }
            | Command::Delegate { .. }
            | Command::DelegateAuthor
            | Command::Undelegate
            | Command::Try { .. }
            | Command::Untry
            | Command::Rollup { .. }
            | Command::Squash
            | Command::Unsquash
            | Command::Force
            | Command::Clean
            | Command::Ping
            | Command::Portal
            | Command::TreeClosed { .. }
            | Command::TreeOpen
            | Command::Hold
            | Command::Unhold => false,
        };
        self.rules.merging == Merging::Off && !is_about_tests
    }

    fn is_approved(&self, number: PullNumber) -> bool {
        let pull = self.pulls.get(&number);
        pull.is_some_and(|pull| pull.standing_approval().is_some())
    }

    /// Whether the bot wrote this itself, and not somebody by its account.
    fn is_own(&self, comment: &Comment) -> bool {
        comment.author == self.rules.grammar.bot && comment.body.contains(MARKER)
    }

    /// Reviews count only if they are about the commit that the pull proposes now.
    fn is_about_the_head(&self, number: PullNumber, comment: &Comment) -> bool {
        let Some(pull) = self.pulls.get(&number) else {
            return false;
        };
        match comment.commit {
            Some(commit) => commit == pull.facts.head,
            None => true,
        }
    }

    fn obey(&mut self, command: Command, number: PullNumber, comment: &Comment, step: &mut Step) {
        match command {
            Command::Approve { approver, commit } => {
                let wanted = ApprovalRequest { approver, commit };
                self.approve(number, wanted, comment, step);
            }
            Command::Unapprove => self.unapprove(number, comment, step),
            Command::Priority { value } => self.set_priority(number, value, comment, step),
            Command::Rollup { value } => {
                if let Some(pull) = self.pull_mut(number) {
                    let _taken = pull.rollup.set(value, comment.key);
                }
            }
            Command::Retry { suites } => self.retry(number, &suites, comment, step),
            Command::Test { suites } => self.test(number, suites, comment, step),
            Command::Cancel => self.stop_tests(number, step),
            Command::Hold => self.hold_back(number, Some(comment.author.clone()), comment, step),
            Command::Unhold => self.hold_back(number, None, comment, step),
            Command::Ok => self.let_test(number, comment, step),
            Command::OkAuthor => self.let_author_test(number, comment, step),
            Command::Info => {
                let why = self.why(number);
                step.post(number, Note::Standing { why });
            }
            Command::Try { chooser } => self.want_try(number, chooser, comment, step),
            Command::Untry => self.drop_try(number, comment, step),
            Command::TreeClosed { value } => self.close_tree(value, comment),
            Command::TreeOpen => self.set_tree(Tree::Open, comment),
            Command::Ping => step.post(number, Note::Awake),
            Command::Portal => {
                let seed = comment.key.id;
                step.post(number, Note::Portal { seed });
            }
            Command::Delegate { to } => self.delegate(number, to, comment, step),
            Command::DelegateAuthor => self.delegate_to_author(number, comment, step),
            Command::Undelegate => {
                if let Some(pull) = self.pull_mut(number) {
                    let _taken = pull.delegate.set(None, comment.key);
                }
            }
            Command::Squash => self.set_squash(number, Squash::Yes, comment, step),
            Command::Unsquash => self.set_squash(number, Squash::No, comment, step),
            Command::Force => self.force(number, step),
            Command::Clean => self.clean(number),
            Command::Hook { name, data } => step.order(Effect::CallHook {
                pull: number,
                hook: name,
                body: comment.body.clone(),
                data,
                news: News::Fresh,
            }),
        }
    }

    /// What is tested is what lands: a test of the other shape begins anew.
    fn set_squash(
        &mut self,
        number: PullNumber,
        squash: Squash,
        comment: &Comment,
        step: &mut Step,
    ) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let before = pull.squash.value;
        if pull.squash.set(squash, comment.key) == Taken::Yes && before != squash {
            let stage = pull.stage.clone();
            if let Stage::Running { run, purpose } = stage {
                self.cancel(run, step);
                self.want_again(number, run, purpose, Scope::Usual);
            }
        }
    }

    /// A pull that the closed tree holds back is told so.
    pub(super) fn mention_closed_tree(&self, number: PullNumber, step: &mut Step) {
        if let Tree::Closed { below, source, .. } = &self.state.tree.value
            && !self.tree_lets_through(number)
        {
            let (below, source) = (*below, source.clone());
            step.post(number, Note::TreeClosed { below, source });
        }
    }

    /// Whether the tree is open for a pull.
    pub(super) fn tree_lets_through(&self, number: PullNumber) -> bool {
        match (&self.state.tree.value, self.pulls.get(&number)) {
            (Tree::Closed { below, .. }, Some(pull)) => pull.priority.value >= *below,
            (Tree::Closed { .. }, None) | (Tree::Open, _) => true,
        }
    }

    fn set_priority(&mut self, number: PullNumber, value: i64, comment: &Comment, step: &mut Step) {
        let max = self.rules.max_priority;
        if value > max {
            step.post(number, Note::PriorityTooHigh { max });
        } else if let Some(pull) = self.pull_mut(number)
            && pull.priority.set(value, comment.key) == Taken::Yes
        {
            self.rank_jobs(number, step);
        }
    }

    pub(super) fn close_tree(&mut self, below: i64, comment: &Comment) {
        let tree = Tree::Closed {
            below,
            by: Some(comment.author.clone()),
            source: comment.url.clone(),
        };
        self.set_tree(tree, comment);
    }

    pub(super) fn set_tree(&mut self, tree: Tree, comment: &Comment) {
        let _taken = self.state.tree.set(tree, comment.key);
        self.touched.state = true;
    }

    pub(super) fn set_stage(&mut self, number: PullNumber, stage: Stage) {
        if let Some(pull) = self.pull_mut(number) {
            pull.stage = stage;
        }
    }
}
