//! What the queue knows of one pull.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::contained::Contained;
use super::event::{Comment, CommentKey, PullFacts, PullState};
use super::note::Unfinished;
use super::pull_test::PullTest;
use super::run::{Ending, Purpose, Scope};
use crate::ids::{CommitId, Login, PullNumber, RunId, Timestamp};

/// A pull request and what people and runs made of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Pull {
    /// What GitHub said last.
    pub facts: PullFacts,
    /// When its head was last seen to change, or first seen, by GitHub's clock. An approval that
    /// was written before does not mean it, unless it names it.
    pub head_since: Option<Timestamp>,
    /// When its head was last seen to follow another one, by GitHub's clock; `None` if never.
    #[serde(default)]
    pub head_moved: Option<Timestamp>,
    /// When its base, its being open or its being finished was last seen to change, by GitHub's
    /// clock; `None` if never. An approval that was written before does not count.
    pub changed_since: Option<Timestamp>,
    /// Since when GitHub has not shown it, if it does not: it is not tested before GitHub does again.
    #[serde(default)]
    pub unseen_since: Option<Timestamp>,
    /// What the last sweep found of it in its base, if it did.
    #[serde(default)]
    pub contained: Option<Contained>,
    /// The question to GitHub that must be answered before it is tested, while one is open.
    pub inquiry: Option<Inquiry>,
    /// Who approved it, if anybody.
    pub approval: Register<Option<Approval>>,
    /// Higher goes first.
    pub priority: Register<i64>,
    /// 1 always, 0 maybe, -1 iffy, -2 never.
    pub rollup: Register<i8>,
    /// Who else may approve it.
    #[serde(default)]
    pub delegate: Register<Option<Login>>,
    /// Whether it becomes one commit when it is merged.
    #[serde(default)]
    pub squash: Register<Squash>,
    /// Who holds it back from landing, if anybody does (`hold`).
    #[serde(default)]
    pub hold: Register<Option<Login>>,
    /// The pull request test, which is made of it whether it is approved or not.
    #[serde(default)]
    pub own: PullTest,
    /// That it goes before all others, until its test begins.
    #[serde(default)]
    pub urgency: Urgency,
    /// The last run whose results are forgotten (`clean`).
    #[serde(default)]
    pub forgotten: Option<RunId>,
    /// Comments whose authors' rights are being asked for.
    #[serde(default)]
    pub unjudged: Vec<Unjudged>,
    /// The comment that last asked for a try, or for none.
    pub try_key: Option<CommentKey>,
    /// Where it stands between approval or try and result.
    pub stage: Stage,
    /// Its latest run.
    pub last_run: Option<RunId>,
    /// Comments with commands that were acted on.
    pub handled: BTreeSet<CommentKey>,
}

/// GitHub is asked how a pull stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    /// Until when the answer is waited for.
    pub until: Timestamp,
    /// When its head was last pushed away, by GitHub's clock, where a push is why it is asked.
    #[serde(default)]
    pub pushed_at: Option<Timestamp>,
    /// Comments that cannot be obeyed as far as is known, but may be younger than what is known.
    pub comments: Vec<Comment>,
}

/// A comment that waits until it is known what its author may do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Unjudged {
    /// The comment.
    pub comment: Comment,
    /// Until when it waits.
    pub until: Timestamp,
}

/// Whether a pull becomes one commit when it is merged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Squash {
    /// Its commits stay.
    #[default]
    No,
    /// It does.
    Yes,
}

/// Whether a pull goes before all others (`force`).
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// It does.
    Forced,
    /// It has its place by the queue's order.
    #[default]
    Usual,
}

/// Who approved which commit.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// The commit.
    pub commit: CommitId,
    /// In whose name.
    pub approver: Login,
    /// Who said so.
    pub said_by: Login,
    /// What the comment named.
    pub named: Named,
}

/// What an approval names.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Named {
    /// Just this commit.
    Commit,
    /// Whatever was the head when the comment was made.
    Head,
}

/// A value that comments set: the youngest comment wins, in whatever order they arrive.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Register<T> {
    /// The value now.
    pub value: T,
    /// The comment that set it.
    pub set_by: Option<CommentKey>,
}

impl<T> Register<T> {
    /// Takes the value, unless a younger comment set another; says whether it did.
    pub fn set(&mut self, value: T, by: CommentKey) -> Taken {
        if self.set_by.is_some_and(|last| last > by) {
            return Taken::No;
        }
        self.value = value;
        self.set_by = Some(by);
        Taken::Yes
    }

    /// Whether a comment with this key could still set it.
    pub fn takes(&self, by: CommentKey) -> bool {
        self.set_by.is_none_or(|last| last <= by)
    }
}

/// Whether a [`Register`] took a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It did.
    Yes,
    /// A younger comment had set it.
    No,
}

/// Where a pull stands between approval or try and result.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// No run, and none ended that counts. If approved, it waits for its turn.
    Idle,
    /// A run ended and shall be repeated; waits for its turn, if still approved.
    RetryWanted {
        /// The run to be repeated.
        of: RunId,
        /// Which of its suites.
        #[serde(default)]
        scope: Scope,
    },
    /// A try waits for its turn.
    TryWanted {
        /// CHOOSER in `try=CHOOSER`.
        chooser: Option<String>,
        /// Which suites.
        #[serde(default)]
        scope: Scope,
    },
    /// A run is under way.
    Running {
        /// Which.
        run: RunId,
        /// What for.
        purpose: Purpose,
    },
    /// The last run came to this, and nobody asked for another.
    Ended {
        /// Which run.
        run: RunId,
        /// What for.
        purpose: Purpose,
        /// What came out.
        ending: Ending,
    },
}

/// A pull's status in Homu's words.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its last run passed.
    Success,
    /// A run is under way.
    Pending,
    /// Approved, and waiting for its turn.
    Approved,
    /// Nothing was asked for.
    None,
    /// Its last run could not be carried out, or it does not merge.
    Error,
    /// Its last run failed.
    Failure,
}

impl Status {
    /// The word for pages and interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::None => "none",
            Self::Error => "error",
            Self::Failure => "failure",
        }
    }
}

/// Beginnings of titles that say that a pull is not finished, in lower case. A word must end there:
/// "Wipe the cache" is finished.
const UNFINISHED_TITLES: [&str; 5] = ["[do not merge]", "[todo]", "[wip]", "todo", "wip"];

impl Pull {
    /// A pull of which nothing is known but what GitHub says.
    pub(super) fn new(facts: PullFacts) -> Self {
        Self {
            facts,
            head_since: None,
            head_moved: None,
            changed_since: None,
            unseen_since: None,
            contained: None,
            inquiry: None,
            approval: Register::default(),
            priority: Register::default(),
            rollup: Register::default(),
            delegate: Register::default(),
            squash: Register::default(),
            hold: Register::default(),
            own: PullTest::default(),
            urgency: Urgency::Usual,
            forgotten: None,
            unjudged: Vec::new(),
            try_key: None,
            stage: Stage::Idle,
            last_run: None,
            handled: BTreeSet::new(),
        }
    }

    /// Its number.
    pub fn number(&self) -> PullNumber {
        self.facts.number
    }

    /// Whether it can still be merged.
    pub fn is_open(&self) -> bool {
        self.facts.state == PullState::Open
    }

    /// The approval, if it is for the commit that the pull proposes now.
    pub fn standing_approval(&self) -> Option<&Approval> {
        self.approval
            .value
            .as_ref()
            .filter(|approval| approval.commit == self.facts.head && self.is_open())
    }

    /// Its status in Homu's words.
    pub fn status(&self) -> Status {
        match &self.stage {
            Stage::Running { .. } => Status::Pending,
            Stage::Idle | Stage::RetryWanted { .. } if self.standing_approval().is_some() => {
                Status::Approved
            }
            Stage::TryWanted { .. } => Status::Approved,
            Stage::Idle | Stage::RetryWanted { .. } => Status::None,
            Stage::Ended { ending, .. } => match ending {
                Ending::Succeeded => Status::Success,
                Ending::Failed | Ending::TimedOut => Status::Failure,
                Ending::Conflicted | Ending::Broken => Status::Error,
                Ending::Cancelled => Status::None,
            },
        }
    }

    /// What says that the pull is not finished, if anything does.
    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        if self.facts.draft {
            return Some(Unfinished::Draft);
        }
        let title = self.facts.title.trim_start().to_lowercase();
        UNFINISHED_TITLES
            .iter()
            .find(|sign| {
                let rest = title.strip_prefix(**sign);
                rest.is_some_and(|rest| sign.ends_with(']') || ends_a_word(rest))
            })
            .map(|sign| Unfinished::Title((*sign).to_uppercase()))
    }
}

/// Whether a word is over before this text.
fn ends_a_word(rest: &str) -> bool {
    !rest.starts_with(|next: char| next == '_' || next.is_alphanumeric())
}
