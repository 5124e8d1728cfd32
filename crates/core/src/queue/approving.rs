//! Approving a pull, taking that back, and letting others approve it.

use super::Queue;
use super::event::{Comment, CommentSort};
use super::labels::LabelEvent;
use super::note::Note;
use super::pull::{Approval, Named, Pull, Stage, Taken, Urgency};
use super::run::Purpose;
use super::step::Step;
use super::trying::was_tried;
use crate::command::CommitPrefix;
use crate::ids::{Login, PullNumber, Timestamp};

impl Queue {
    pub(super) fn approve(
        &mut self,
        number: PullNumber,
        wanted: ApprovalRequest,
        comment: &Comment,
        step: &mut Step,
    ) {
        let ApprovalRequest { approver, commit } = wanted;
        let named = commit.as_ref();
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        if !pull.is_open() || !pull.approval.takes(comment.key) {
            return;
        }
        if let Some(note) = objection(pull, named, comment) {
            step.post(number, note);
            return;
        }
        let approval = Approval {
            commit: pull.facts.head,
            approver,
            said_by: comment.author.clone(),
            named: match (named, comment.key.sort) {
                (None, CommentSort::Issue) => Named::Head,
                (Some(_), CommentSort::Issue)
                | (_, CommentSort::Review | CommentSort::ReviewComment) => Named::Commit,
            },
        };
        // After a try of what failed as a merge, an approval asks for the merge.
        if pull.standing_approval().is_some() && !was_tried(&pull.stage) {
            self.approve_again(number, approval, comment, step);
        } else {
            self.approve_anew(number, approval, comment, step);
        }
    }

    fn approve_again(
        &mut self,
        number: PullNumber,
        approval: Approval,
        comment: &Comment,
        step: &mut Step,
    ) {
        let why = self.why(number);
        if let Some(pull) = self.pull_mut(number) {
            let _taken = pull.approval.set(Some(approval), comment.key);
            step.post(number, Note::AlreadyApproved { why });
        }
    }

    fn approve_anew(
        &mut self,
        number: PullNumber,
        approval: Approval,
        comment: &Comment,
        step: &mut Step,
    ) {
        self.stop_trying(number, step);
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let (commit, approver) = (approval.commit, approval.approver.clone());
        let _taken = pull.approval.set(Some(approval), comment.key);
        if matches!(pull.stage, Stage::Ended { .. }) {
            pull.stage = Stage::Idle;
        }
        step.post(number, Note::Approved { commit, approver });
        self.label(number, LabelEvent::Approved, step);
    }

    pub(super) fn unapprove(&mut self, number: PullNumber, comment: &Comment, step: &mut Step) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        if pull.approval.set(None, comment.key) == Taken::No {
            return;
        }
        pull.urgency = Urgency::Usual;
        let head = pull.facts.head;
        match pull.stage {
            Stage::Running {
                run,
                purpose: Purpose::Land,
            } => self.cancel_visibly(run, head, step),
            Stage::RetryWanted { .. }
            | Stage::Ended {
                purpose: Purpose::Land,
                ..
            } => pull.stage = Stage::Idle,
            Stage::Idle | Stage::TryWanted { .. } | Stage::Running { .. } | Stage::Ended { .. } => {
            }
        }
        self.label(number, LabelEvent::Rejected, step);
    }

    /// Lets somebody else approve a pull.
    pub(super) fn delegate(
        &mut self,
        number: PullNumber,
        to: Login,
        comment: &Comment,
        step: &mut Step,
    ) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        if pull.delegate.set(Some(to.clone()), comment.key) == Taken::Yes {
            let (delegator, delegate) = (comment.author.clone(), to);
            let note = Note::Delegated {
                delegator,
                delegate,
            };
            step.post(number, note);
        }
    }

    /// Lets a pull's author approve it.
    pub(super) fn delegate_to_author(
        &mut self,
        number: PullNumber,
        comment: &Comment,
        step: &mut Step,
    ) {
        if let Some(pull) = self.pulls.get(&number) {
            let author = pull.facts.author.clone();
            self.delegate(number, author, comment, step);
        }
    }
}

/// What a comment wants approved.
pub(super) struct ApprovalRequest {
    /// In whose name.
    pub(super) approver: Login,
    /// Which commit, if it says so.
    pub(super) commit: Option<CommitPrefix>,
}

/// How many digits of a commit's id an approval must name. With fewer, somebody could make another
/// commit that begins with them.
const DIGITS_MIN: usize = 7;

/// The same where the head changed while the reviewer may have looked at the one before it.
const DIGITS_OF_NEW_HEAD_MIN: usize = 12;

/// How long a reviewer may look at a page before approving what it shows, in seconds.
const LOOK_S: u64 = 3_600;

/// How many digits name a pull's head well enough, at this moment.
pub(super) fn digits_min(pull: &Pull, at: Timestamp) -> usize {
    let is_new = |moved: Timestamp| at < moved.plus_s(LOOK_S);
    if pull.head_moved.is_some_and(is_new) {
        DIGITS_OF_NEW_HEAD_MIN
    } else {
        DIGITS_MIN
    }
}

/// How many digits name a commit well enough for a comment that is read again long after: the head
/// may have changed since without anybody knowing.
pub(super) const DIGITS_OF_OLD_COMMENT_MIN: usize = DIGITS_OF_NEW_HEAD_MIN;

/// Why an approval cannot be taken, if so.
fn objection(pull: &Pull, named: Option<&CommitPrefix>, comment: &Comment) -> Option<Note> {
    let head = pull.facts.head;
    if let Some(sign) = pull.unfinished() {
        return Some(Note::NotFinished { commit: head, sign });
    }
    match named {
        Some(prefix) if !prefix.matches(head) => Some(Note::NotTheHead {
            given: prefix.as_str().to_owned(),
            head,
        }),
        Some(prefix) if prefix.digits() < digits_min(pull, comment.key.at) => {
            Some(Note::CommitTooShort {
                given: prefix.as_str().to_owned(),
                head,
                digits_min: digits_min(pull, comment.key.at),
            })
        }
        Some(_) | None if is_outdated(pull, named, comment) => Some(Note::ApprovalOutdated {
            by: comment.author.clone(),
            head,
        }),
        Some(_) | None => None,
    }
}

/// Whether the pull changed after the comment was made: its base or its being open, or its head
/// where the comment does not say which it means.
pub(super) fn is_outdated(pull: &Pull, named: Option<&CommitPrefix>, comment: &Comment) -> bool {
    let is_older = |since: Option<Timestamp>| since.is_some_and(|since| since > comment.key.at);
    let names_none = named.is_none() && comment.commit.is_none();
    is_older(pull.changed_since) || (names_none && is_older(pull.head_since))
}
