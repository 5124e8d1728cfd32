//! Who may give which command, as far as it is known here; the rest is asked live.

use super::Queue;
use super::effect::Effect;
use super::event::Comment;
use super::note::{Missing, Note};
use super::pull::{Pull, Unjudged};
use super::rules::{Authority, HookAccess};
use super::step::Step;
use crate::command::{Authorship, Command, Permission, Right, Speaker};
use crate::ids::{Login, PullNumber, Timestamp};

impl Queue {
    /// Whether the author of a comment may give a command, and what is missing if not.
    pub(super) fn permits(
        &self,
        command: &Command,
        number: PullNumber,
        comment: &Comment,
    ) -> Result<(), Missing> {
        let right = self.right(command);
        let speaker = self.speaker(number, comment);
        let asks_github = self.rules.authorities.contains(&Authority::Collaborators);
        match (right.is_held_by(speaker), right, asks_github) {
            (true, ..) => Ok(()),
            (false, Right::Try, _) => Err(Missing::Trier),
            (false, Right::Anyone | Right::Reviewer | Right::ReviewerOrAuthor, true) => {
                Err(Missing::Collaborator)
            }
            (false, Right::Anyone | Right::Reviewer | Right::ReviewerOrAuthor, false) => {
                Err(Missing::Reviewer)
            }
        }
    }

    /// What it takes to give a command; hooks have theirs from the configuration.
    fn right(&self, command: &Command) -> Right {
        if let Command::Hook { name, .. } = command
            && let Some(hook) = self.rules.hooks.get(name)
            && hook.access == HookAccess::Reviewer
        {
            return Right::Reviewer;
        }
        command.right()
    }

    fn speaker(&self, number: PullNumber, comment: &Comment) -> Speaker {
        let author = &comment.author;
        let pull = self.pulls.get(&number);
        let is_author = pull.is_some_and(|pull| pull.facts.author == *author);
        let is_delegate = pull.is_some_and(|pull| pull.delegate.value.as_ref() == Some(author));
        let listed = if *author == self.rules.grammar.bot
            || is_delegate
            || self.rules.reviewers.contains(author)
        {
            Permission::Reviewer
        } else if self.rules.try_users.contains(author) {
            Permission::Trier
        } else {
            Permission::Outsider
        };
        Speaker {
            permission: listed.max(comment.standing.unwrap_or(Permission::Outsider)),
            authorship: if is_author {
                Authorship::Author
            } else {
                Authorship::Other
            },
        }
    }

    /// Whether a comment gives a command that its author may not give as far as is known, but
    /// maybe by the word of somebody who can be asked.
    pub(super) fn must_ask_rights(
        &self,
        number: PullNumber,
        comment: &Comment,
        commands: &[Command],
    ) -> bool {
        let is_asked = !self.rules.authorities.is_empty() && comment.standing.is_none();
        is_asked
            && commands
                .iter()
                .any(|command| self.permits(command, number, comment).is_err())
    }

    /// Lets a comment wait until it is known what its author may do.
    pub(super) fn ask_rights(&mut self, number: PullNumber, comment: Comment, step: &mut Step) {
        let until = step.now.plus_s(self.rules.setup_timeout_s);
        let user = comment.author.clone();
        if let Some(pull) = self.pull_mut(number) {
            pull.unjudged.push(Unjudged { comment, until });
            step.order(Effect::AskStanding { user });
        }
    }

    /// It is known now what somebody may do: what they wrote is judged by that.
    pub(super) fn hear_permission(&mut self, user: &Login, standing: Permission, step: &mut Step) {
        for (number, mut comment) in self.take_unjudged(|waiting| waiting.comment.author == *user) {
            comment.standing = Some(standing);
            self.judge_comment(number, comment, step);
        }
    }

    /// Gives up on comments of whose authors nothing was heard, and says so.
    pub(super) fn give_up_unjudged(&mut self, step: &mut Step) {
        let now = step.now;
        self.leave_unjudged(|waiting| waiting.until <= now, step);
    }

    /// The same for what somebody wrote of whom nobody says what they may do.
    pub(super) fn give_up_on(&mut self, user: &Login, step: &mut Step) {
        self.leave_unjudged(|waiting| waiting.comment.author == *user, step);
    }

    fn leave_unjudged(&mut self, which: impl Fn(&Unjudged) -> bool, step: &mut Step) {
        for (number, comment) in self.take_unjudged(which) {
            let user = comment.author;
            step.post(number, Note::RightsUnknown { user });
        }
    }

    pub(super) fn unjudged_deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let waiting = self.pulls.values().flat_map(|pull| &pull.unjudged);
        waiting.map(|waiting| waiting.until)
    }

    fn take_unjudged(&mut self, wanted: impl Fn(&Unjudged) -> bool) -> Vec<(PullNumber, Comment)> {
        let concerned: Vec<_> = self
            .pulls
            .values()
            .filter(|pull| pull.unjudged.iter().any(&wanted))
            .map(Pull::number)
            .collect();
        let mut taken = Vec::new();
        for number in concerned {
            if let Some(pull) = self.pull_mut(number) {
                let now = pull.unjudged.extract_if(.., |waiting| wanted(waiting));
                taken.extend(now.map(|waiting| (number, waiting.comment)));
            }
        }
        taken.sort_by_key(|(_, comment)| comment.key);
        taken
    }
}
