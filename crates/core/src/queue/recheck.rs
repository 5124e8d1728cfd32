//! Asking GitHub before something is decided that cannot be taken back.
//!
//! A comment may arrive before the news that it is about: an approval of a commit that is not yet
//! known, of a pull that is not yet known to be open again. Such a comment waits until GitHub was
//! asked, and is then judged by the answer. A pull that is doubted is not tested meanwhile.

use super::Queue;
use super::effect::Effect;
use super::event::{Comment, PullFacts, PullState, Source};
use super::pull::{Inquiry, Pull};
use super::step::Step;
use crate::command::Command;
use crate::ids::{PullNumber, Timestamp};

/// For how long GitHub may not show a pull before it counts as gone, in seconds: a day.
const UNSEEN_S_MAX: u64 = 86_400;

impl Queue {
    /// Asks GitHub how a pull stands; until the answer it is not tested.
    pub(super) fn inquire(&mut self, number: PullNumber, step: &mut Step) {
        let until = step.now.plus_s(self.rules.setup_timeout_s);
        if let Some(pull) = self.pull_mut(number) {
            let inquiry = pull.inquiry.get_or_insert_with(|| Inquiry {
                until,
                pushed_at: None,
                comments: Vec::new(),
            });
            inquiry.until = until;
            step.order(Effect::ReadPull { pull: number });
        }
    }

    /// Lets a comment wait for GitHub's answer.
    pub(super) fn hold(&mut self, number: PullNumber, comment: Comment, step: &mut Step) {
        self.inquire(number, step);
        if let Some(pull) = self.pull_mut(number)
            && let Some(inquiry) = &mut pull.inquiry
        {
            inquiry.comments.push(comment);
        }
    }

    /// GitHub answered, or never will: the comments that waited are judged by what is known.
    pub(super) fn end_inquiry(&mut self, number: PullNumber, step: &mut Step) {
        if self
            .pulls
            .get(&number)
            .is_none_or(|pull| pull.inquiry.is_none())
        {
            return;
        }
        let inquiry = self.pull_mut(number).and_then(|pull| pull.inquiry.take());
        let mut comments = inquiry.map_or_else(Vec::new, |inquiry| inquiry.comments);
        comments.sort_by_key(|comment| comment.key);
        for comment in comments {
            self.obey_comment(number, &comment, step);
        }
    }

    /// GitHub does not show a pull. It may do so again in a minute; only after a day is it gone.
    pub(super) fn miss_pull(&mut self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pull_mut(number).filter(|pull| pull.is_open()) else {
            return;
        };
        let since = *pull.unseen_since.get_or_insert(step.now);
        if since.plus_s(UNSEEN_S_MAX) > step.now {
            return;
        }
        let facts = PullFacts {
            state: PullState::Closed,
            ..pull.facts.clone()
        };
        self.update_pull(facts, Source::Reading, step);
        self.end_inquiry(number, step);
    }

    /// GitHub shows a pull.
    pub(super) fn find_pull(&mut self, number: PullNumber) {
        let is_unseen = |pull: &Pull| pull.unseen_since.is_some();
        if self.pulls.get(&number).is_some_and(is_unseen)
            && let Some(pull) = self.pull_mut(number)
        {
            pull.unseen_since = None;
        }
    }

    /// Ends the inquiries whose time is up; the sweep finds what they did not.
    pub(super) fn give_up_inquiries(&mut self, step: &mut Step) {
        let overdue: Vec<_> = self
            .pulls
            .values()
            .filter(|pull| deadline(pull).is_some_and(|until| until <= step.now))
            .map(Pull::number)
            .collect();
        for number in overdue {
            self.end_inquiry(number, step);
        }
    }

    pub(super) fn inquiry_deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.pulls.values().filter_map(deadline)
    }

    /// Whether a comment gives a command that would be refused by what is known of the pull, but
    /// may be right by what is not known yet.
    pub(super) fn is_premature(
        &self,
        number: PullNumber,
        comment: &Comment,
        commands: &[Command],
    ) -> bool {
        let Some(pull) = self.pulls.get(&number) else {
            return false;
        };
        let mut permitted = commands
            .iter()
            .filter(|command| self.permits(command, number, comment).is_ok());
        let about_another = comment
            .commit
            .is_some_and(|commit| commit != pull.facts.head);
        if about_another {
            return permitted.next().is_some();
        }
        permitted.any(|command| contradicts(pull, command) || is_doubtful(pull, command))
    }
}

fn deadline(pull: &Pull) -> Option<Timestamp> {
    pull.inquiry.as_ref().map(|inquiry| inquiry.until)
}

/// Whether what is known of a pull forbids a command.
fn contradicts(pull: &Pull, command: &Command) -> bool {
    if let Command::Approve { commit, .. } = command {
        !pull.is_open()
            || pull.unfinished().is_some()
            || commit
                .as_ref()
                .is_some_and(|prefix| !prefix.matches(pull.facts.head))
    } else {
        matches!(command, Command::Try { .. }) && !pull.is_open()
    }
}

/// Whether GitHub is being asked about what a command means.
fn is_doubtful(pull: &Pull, command: &Command) -> bool {
    pull.inquiry.is_some() && matches!(command, Command::Approve { .. } | Command::Try { .. })
}
