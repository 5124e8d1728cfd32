//! What people tell the bot in comments.

use super::event::{Comment, CommentSort};
use super::note::{MARKER, Missing, Note, Purpose};
use super::pull::{Approval, Named, Pull, Stage, Taken};
use super::rules::Collaborators;
use super::run::Run;
use super::turn::Turn;
use super::{Queue, Tree};
use crate::command::{Command, CommitPrefix, Right, Standing};
use crate::ids::{Login, PullNumber, RunId, Timestamp};

impl Queue {
    /// Acts on a comment's commands, once.
    pub(super) fn read_comment(&mut self, number: PullNumber, comment: Comment, turn: &mut Turn) {
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
        if self.is_premature(number, &comment, &reading.commands) {
            self.hold(number, comment, turn);
        } else {
            self.obey_comment(number, &comment, turn);
        }
    }

    /// Acts on a comment's commands by what is known of the pull.
    pub(super) fn obey_comment(&mut self, number: PullNumber, comment: &Comment, turn: &mut Turn) {
        if !self.is_about_the_head(number, comment) {
            return;
        }
        let reading = self.rules.grammar.read(&comment.body, &comment.author);
        for command in reading.commands {
            if let Err(missing) = self.permits(&command, number, comment) {
                let user = comment.author.clone();
                turn.post(number, Note::Refused { user, missing });
                return;
            }
            self.obey(command, number, comment, turn);
        }
        if let Some(word) = reading.not_understood {
            let user = comment.author.clone();
            turn.post(number, Note::NotUnderstood { user, word });
        }
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

    /// Whether the author of a comment may give a command, and what is missing if not.
    pub(super) fn permits(
        &self,
        command: &Command,
        number: PullNumber,
        comment: &Comment,
    ) -> Result<(), Missing> {
        let standing = self.standing(comment);
        let is_author = self
            .pulls
            .get(&number)
            .is_some_and(|pull| pull.facts.author == comment.author);
        let enough = match command.right() {
            Right::Anyone => true,
            Right::Try => standing >= Standing::Trier,
            Right::Reviewer => standing >= Standing::Reviewer,
            Right::ReviewerOrAuthor => standing >= Standing::Reviewer || is_author,
        };
        match (enough, command.right(), self.rules.collaborators) {
            (true, ..) => Ok(()),
            (false, Right::Try, _) => Err(Missing::Trier),
            (false, _, Collaborators::MayApprove) => Err(Missing::Collaborator),
            (false, _, Collaborators::DoNotCount) => Err(Missing::Reviewer),
        }
    }

    fn standing(&self, comment: &Comment) -> Standing {
        let author = &comment.author;
        let counts_as_writer =
            self.rules.collaborators == Collaborators::MayApprove && comment.writer == Some(true);
        if *author == self.rules.grammar.bot
            || counts_as_writer
            || self.rules.reviewers.contains(author)
        {
            Standing::Reviewer
        } else if self.rules.try_users.contains(author) {
            Standing::Trier
        } else {
            Standing::Outsider
        }
    }

    fn obey(&mut self, command: Command, number: PullNumber, comment: &Comment, turn: &mut Turn) {
        match command {
            Command::Approve { approver, commit } => {
                let wanted = Wanted { approver, commit };
                self.approve(number, wanted, comment, turn);
            }
            Command::Unapprove => self.unapprove(number, comment, turn),
            Command::Priority { value } => self.set_priority(number, value, comment, turn),
            Command::Rollup { value } => {
                if let Some(pull) = self.pull_mut(number) {
                    let _taken = pull.rollup.set(value, comment.key);
                }
            }
            Command::Retry { suites: _ } => self.retry(number, turn),
            Command::Try { chooser: None } => self.want_try(number, comment, turn),
            Command::Untry => self.drop_try(number, comment, turn),
            Command::TreeClosed { value } => self.close_tree(value, comment),
            Command::TreeOpen => self.set_tree(Tree::Open, comment),
            Command::Ping => turn.post(number, Note::Awake),
            Command::Portal => turn.post(
                number,
                Note::Portal {
                    seed: comment.key.id,
                },
            ),
            Command::Try {
                chooser: Some(name),
            } => {
                self.decline(number, format!("try={name}"), comment, turn);
            }
            Command::Delegate { to } => {
                self.decline(number, format!("delegate={to}"), comment, turn);
            }
            Command::DelegateAuthor => self.decline(number, "delegate+".to_owned(), comment, turn),
            Command::Undelegate => self.decline(number, "delegate-".to_owned(), comment, turn),
            Command::Squash => self.decline(number, "squash".to_owned(), comment, turn),
            Command::Unsquash => self.decline(number, "squash-".to_owned(), comment, turn),
            Command::Force => self.decline(number, "force".to_owned(), comment, turn),
            Command::Clean => self.decline(number, "clean".to_owned(), comment, turn),
            Command::Hook { name, .. } => self.decline(number, name, comment, turn),
        }
    }

    /// Says that a command is known but not acted on.
    #[expect(clippy::unused_self, reason = "reads as one of the queue's answers")]
    fn decline(&self, number: PullNumber, command: String, comment: &Comment, turn: &mut Turn) {
        let user = comment.author.clone();
        turn.post(number, Note::NotOffered { user, command });
    }

    fn approve(&mut self, number: PullNumber, wanted: Wanted, comment: &Comment, turn: &mut Turn) {
        let Wanted { approver, commit } = wanted;
        let named = commit.as_ref();
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        if !pull.is_open() || !pull.approval.takes(comment.key) {
            return;
        }
        if let Some(note) = objection(pull, named, comment) {
            turn.post(number, note);
            return;
        }
        let approval = Approval {
            commit: pull.facts.head,
            approver,
            said_by: comment.author.clone(),
            named: match (named, comment.key.sort) {
                (None, CommentSort::Issue) => Named::Head,
                _ => Named::Commit,
            },
        };
        match pull.standing_approval() {
            Some(_) => self.approve_again(number, approval, comment, turn),
            None => self.approve_anew(number, approval, comment, turn),
        }
    }

    fn approve_again(
        &mut self,
        number: PullNumber,
        approval: Approval,
        comment: &Comment,
        turn: &mut Turn,
    ) {
        let why = self.why(number);
        if let Some(pull) = self.pull_mut(number) {
            let _taken = pull.approval.set(Some(approval), comment.key);
            turn.post(number, Note::AlreadyApproved { why });
        }
    }

    fn approve_anew(
        &mut self,
        number: PullNumber,
        approval: Approval,
        comment: &Comment,
        turn: &mut Turn,
    ) {
        self.stop_trying(number, turn);
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let (commit, approver) = (approval.commit, approval.approver.clone());
        let _taken = pull.approval.set(Some(approval), comment.key);
        if matches!(pull.stage, Stage::Ended { .. }) {
            pull.stage = Stage::Idle;
        }
        turn.post(number, Note::Approved { commit, approver });
        self.mention_closed_tree(number, turn);
    }

    /// A pull that the closed tree holds back is told so.
    fn mention_closed_tree(&self, number: PullNumber, turn: &mut Turn) {
        if let Tree::Closed { below, source, .. } = &self.desk.tree.value
            && !self.tree_lets_through(number)
        {
            let (below, source) = (*below, source.clone());
            turn.post(number, Note::TreeClosed { below, source });
        }
    }

    /// Whether the tree is open for a pull.
    pub(super) fn tree_lets_through(&self, number: PullNumber) -> bool {
        match (&self.desk.tree.value, self.pulls.get(&number)) {
            (Tree::Closed { below, .. }, Some(pull)) => pull.priority.value >= *below,
            _ => true,
        }
    }

    fn unapprove(&mut self, number: PullNumber, comment: &Comment, turn: &mut Turn) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        if pull.approval.set(None, comment.key) == Taken::No {
            return;
        }
        let head = pull.facts.head;
        match pull.stage {
            Stage::Running {
                run,
                purpose: Purpose::Land,
            } => self.cancel_visibly(run, head, turn),
            Stage::RetryWanted { .. }
            | Stage::Ended {
                purpose: Purpose::Land,
                ..
            } => pull.stage = Stage::Idle,
            Stage::Idle | Stage::TryWanted | Stage::Running { .. } | Stage::Ended { .. } => {}
        }
    }

    fn set_priority(&mut self, number: PullNumber, value: i64, comment: &Comment, turn: &mut Turn) {
        let max = self.rules.max_priority;
        if value > max {
            turn.post(number, Note::PriorityTooHigh { max });
        } else if let Some(pull) = self.pull_mut(number) {
            let _taken = pull.priority.set(value, comment.key);
        }
    }

    pub(super) fn close_tree(&mut self, below: i64, comment: &Comment) {
        let tree = Tree::Closed {
            below,
            by: comment.author.clone(),
            source: comment.url.clone(),
        };
        self.set_tree(tree, comment);
    }

    pub(super) fn set_tree(&mut self, tree: Tree, comment: &Comment) {
        let _taken = self.desk.tree.set(tree, comment.key);
        self.touched.desk = true;
    }

    /// Repeats the run that ended, or that is under way but does not come to an end.
    fn retry(&mut self, number: PullNumber, turn: &mut Turn) {
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        match pull.stage.clone() {
            Stage::Ended { run, purpose, .. } => self.repeat(number, run, purpose),
            Stage::Running { run, purpose } => {
                self.cancel(run, turn);
                let stopped = self.runs.get(&run).is_some_and(Run::is_over);
                if stopped {
                    self.repeat(number, run, purpose);
                }
            }
            Stage::RetryWanted { .. } | Stage::TryWanted => {}
            Stage::Idle => turn.post(number, Note::NothingToRetry),
        }
    }

    fn repeat(&mut self, number: PullNumber, of: RunId, purpose: Purpose) {
        let stage = match purpose {
            Purpose::Land => Stage::RetryWanted { of },
            Purpose::Try => Stage::TryWanted,
        };
        self.set_stage(number, stage);
    }

    pub(super) fn set_stage(&mut self, number: PullNumber, stage: Stage) {
        if let Some(pull) = self.pull_mut(number) {
            pull.stage = stage;
        }
    }

    fn want_try(&mut self, number: PullNumber, comment: &Comment, turn: &mut Turn) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        if !pull.is_open() || pull.try_key.is_some_and(|last| last > comment.key) {
            return;
        }
        if pull.standing_approval().is_some() {
            turn.post(number, Note::TryAfterApproval);
            return;
        }
        pull.try_key = Some(comment.key);
        // A run that is to land is left only in its landing, which goes on by itself.
        let tries = Purpose::Try;
        if !matches!(pull.stage, Stage::Running { purpose, .. } if purpose == tries) {
            pull.stage = Stage::TryWanted;
        }
    }

    fn drop_try(&mut self, number: PullNumber, comment: &Comment, turn: &mut Turn) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        if pull.try_key.is_none_or(|last| last <= comment.key) {
            pull.try_key = Some(comment.key);
            self.stop_trying(number, turn);
        }
    }

    /// Ends a try that waits or is under way.
    fn stop_trying(&mut self, number: PullNumber, turn: &mut Turn) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let head = pull.facts.head;
        match pull.stage {
            Stage::TryWanted => pull.stage = Stage::Idle,
            Stage::Running {
                run,
                purpose: Purpose::Try,
            } => self.cancel_visibly(run, head, turn),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::Running { .. }
            | Stage::Ended { .. } => {}
        }
    }
}

/// What a comment wants approved.
struct Wanted {
    /// In whose name.
    approver: Login,
    /// Which commit, if it says so.
    commit: Option<CommitPrefix>,
}

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
        Some(_) | None if is_outdated(pull, named, comment) => Some(Note::ApprovalOutdated {
            by: comment.author.clone(),
            head,
        }),
        Some(_) | None => None,
    }
}

/// Whether the pull changed after the comment was made: its base or its being open, or its head
/// where the comment does not say which it means.
fn is_outdated(pull: &Pull, named: Option<&CommitPrefix>, comment: &Comment) -> bool {
    let is_older = |since: Option<Timestamp>| since.is_some_and(|since| since > comment.key.at);
    let names_none = named.is_none() && comment.commit.is_none();
    is_older(pull.changed_since) || (names_none && is_older(pull.head_since))
}
