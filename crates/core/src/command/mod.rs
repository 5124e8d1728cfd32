//! From a comment's text to commands, and who may give them. Pure.
//!
//! [`Grammar::read`] is the way in. The steps, one file each: `said` finds what GitHub's page shows
//! of the HTML in it, `lines` the text that is neither quoted nor fenced, `mail` where a quoted mail
//! begins, `code` the inline code, `mention` the bot's name; `reader` goes
//! through the words after the name; `words` knows the commands, `suites` the tail of `retry` and `test`, `aliases` other bots' phrases,
//! `near_miss` what was probably meant as a command; `rights` says who may give which.
//!
//! Nothing here knows a pull, a repository or a configuration. `docs/commands.md` is this grammar
//! for users.

mod aliases;
mod code;
mod lines;
mod mail;
mod mention;
mod near_miss;
mod reader;
mod rights;
mod said;
mod suites;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{CommitId, Login};

/// Whether a word is a command, or the name of one that takes a value: no hook is heard by it.
pub fn is_taken(word: &str) -> bool {
    reader::is_taken(word)
}

pub use rights::{Authorship, Permission, Right, Speaker};

/// One order to the bot. As JSON it is what `paprq parse` prints.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// `r+` and `r=NAME`: the pull may land.
    Approve {
        /// On whose behalf: the comment's author, or NAME (several are joined by commas).
        approver: Login,
        /// The commit that was named, if one was; else the head is meant.
        commit: Option<CommitPrefix>,
    },
    /// `r-`: the approval is withdrawn.
    Unapprove,
    /// `p=N`: the pull's priority.
    Priority {
        /// Higher goes first. A number too large for the type is its largest (or smallest) value.
        value: i64,
    },
    /// `delegate=NAME`: NAME may approve this pull.
    Delegate {
        /// Who.
        to: Login,
    },
    /// `delegate+`: the pull's author may approve it.
    DelegateAuthor,
    /// `delegate-`: nobody is a delegate any more.
    Undelegate,
    /// `retry`: what failed runs again.
    Retry {
        /// The words after it. None of them need name a suite: then they were a remark, and a
        /// plain `retry` is meant.
        suites: Vec<String>,
    },
    /// `test`: suites are executed on the pull, also such as run only when they are asked for.
    Test {
        /// The words after it: what the suites are called; none for those of any pull.
        suites: Vec<String>,
    },
    /// `cancel`: what is being tested of the pull is stopped.
    Cancel,
    /// `hold`: the pull is not merged until that is lifted, approved or not.
    Hold,
    /// `hold-`: it may be merged again.
    Unhold,
    /// `ok`: the pull's present commit may be tested, whoever wrote it.
    Ok,
    /// `ok+`: everything that the pull's author proposes may be tested from now on.
    OkAuthor,
    /// `info`: how the pull stands.
    Info,
    /// `try`: the merge is tested and never lands.
    Try {
        /// CHOOSER in `try=CHOOSER`.
        chooser: Option<String>,
    },
    /// `try-`: the request for a try is dropped.
    Untry,
    /// `rollup` in all its forms.
    Rollup {
        /// always 1, maybe 0, iffy -1, never -2.
        value: i8,
    },
    /// `squash`: the pull becomes one commit when it is merged.
    Squash,
    /// `squash-`: it does not.
    Unsquash,
    /// `force`: the running test is interrupted so that this pull goes next.
    Force,
    /// `clean`: the results of this pull are forgotten.
    Clean,
    /// `ping` or `hello?`.
    Ping,
    /// `are you still there?` as the whole comment.
    Portal,
    /// `treeclosed=N`: only pulls of at least this priority are tested.
    #[serde(rename = "treeclosed")]
    TreeClosed {
        /// The priority; saturated like that of [`Command::Priority`].
        value: i64,
    },
    /// `treeclosed-`.
    #[serde(rename = "treeopen")]
    TreeOpen,
    /// A hook's trigger.
    Hook {
        /// The trigger, as the configuration spells it.
        name: String,
        /// What follows `=`, if that is there.
        data: Option<String>,
    },
}

/// The beginning of a commit id as a person wrote it: at least four hexadecimal digits.
///
/// More digits than an id has are kept too. Such a prefix matches nothing, and so a mistyped id is
/// refused instead of being taken for no id at all.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitPrefix(String);

/// Why a text is no [`CommitPrefix`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a commit is named by at least four hexadecimal digits")]
pub struct BadCommitPrefix;

impl CommitPrefix {
    const DIGITS_MIN: usize = 4;

    /// How many digits were written.
    pub fn digits(&self) -> usize {
        self.0.len()
    }

    /// Whether this commit's id begins so, in any case of the letters.
    pub fn matches(&self, commit: CommitId) -> bool {
        commit.starts_with(&self.0)
    }

    /// The digits as they were written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommitPrefix {
    type Error = BadCommitPrefix;

    fn try_from(text: String) -> Result<Self, BadCommitPrefix> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && text.len() >= Self::DIGITS_MIN {
            Ok(Self(text))
        } else {
            Err(BadCommitPrefix)
        }
    }
}

impl From<CommitPrefix> for String {
    fn from(prefix: CommitPrefix) -> Self {
        prefix.0
    }
}

impl fmt::Display for CommitPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a comment is read by: the names that have a meaning in one repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grammar {
    /// The bot's whole login, without `@`.
    pub bot: Login,
    /// The triggers of the hooks. One that is spelt like a built-in command is never heard.
    pub hooks: Vec<String>,
    /// What else is read as commands.
    pub aliases: Vec<Alias>,
}

/// A phrase that stands for commands where it is a whole line, such as another bot's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alias {
    /// The phrase; letters count in any case, white space in any amount, and a full stop at the
    /// end not at all.
    pub phrase: String,
    /// The commands, as after the bot's name.
    pub commands: String,
}

/// The lines of a text that stand there by themselves, as people see it on GitHub: outside quotes,
/// code, HTML comments and what is folded away. White space around them is left out.
///
/// Total, and linear in the length of the text.
pub fn plain_lines(text: &str) -> Vec<&str> {
    reader::plain_lines(text)
}

/// What was read in one comment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reading {
    /// The commands, in their order.
    pub commands: Vec<Command>,
    /// What ended the reading, if it looks like a command. It is a stranger's text of at most
    /// [`NOT_UNDERSTOOD_CHARS_MAX`] characters on one line: to be shown as code, if at all.
    pub not_understood: Option<String>,
}

/// The length limit of [`Reading::not_understood`]; what is longer is cut and ends in `…`.
pub const NOT_UNDERSTOOD_CHARS_MAX: usize = 60;

impl Grammar {
    /// Reads a comment that `author` wrote (homu: `parse_commands.py parse_issue_comment`).
    ///
    /// Total, and linear in the length of the comment.
    pub fn read(&self, comment: &str, author: &Login) -> Reading {
        reader::read(self, comment, author)
    }

    /// Of commands that a configuration holds: the first word that is none; all of them if there is
    /// no command at all.
    ///
    /// # Errors
    /// The words, as they are written.
    pub fn understand(&self, commands: &str) -> Result<(), String> {
        reader::understand(self, commands)
    }

    /// Whether the comment may hold a mention of the bot, or an alias. Cheap and without allocation: it is asked
    /// for each comment of each repository. Says yes to mentions in code and in quotes, too.
    pub fn mentions_bot(&self, comment: &str) -> bool {
        mention::all(comment, self.bot.as_str()).next().is_some()
            || (!self.aliases.is_empty() && aliases::holds(self, comment))
    }
}
