//! The words of a line, and the commands that they are. What is no command is for `near_miss`.

use crate::ids::Login;

use super::{Command, CommitPrefix, Grammar, mention};

/// A place between the words of a line.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// The place before the first word.
    pub(super) fn of(line: &'a str) -> Self {
        Self { rest: line }
    }

    /// The next word, which stays the next one.
    pub(super) fn peek(self) -> Option<&'a str> {
        self.into_iter().next()
    }

    /// The rest of the line, from its next word on.
    pub(super) fn rest(self) -> &'a str {
        self.rest.trim_start()
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }
}

/// What a word in a command's place means.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// An order.
    Command(Command),
    /// Nothing, and the next word is in a command's place: the bot's name, or `r=me`.
    Nothing,
}

/// What words are read by: the names of the repository, and who wrote the comment.
#[derive(Clone, Copy)]
pub(super) struct Vocabulary<'g> {
    pub(super) grammar: &'g Grammar,
    pub(super) author: &'g Login,
}

impl Vocabulary<'_> {
    /// Takes the next words that make one meaning, if they do; else takes nothing.
    ///
    /// The tails of `retry` and `test` are not among them.
    pub(super) fn take(self, words: &mut Words<'_>) -> Option<Meaning> {
        let mut ahead = *words;
        let word = ahead.next()?;
        let meaning = if self.is_address(word) {
            Meaning::Nothing
        } else if let Some(approver) = self.approver(word) {
            approval(approver, &mut ahead)
        } else {
            let built_in = plain(word).or_else(|| valued(word));
            Meaning::Command(built_in.or_else(|| self.hook(word))?)
        };
        *words = ahead;
        Some(meaning)
    }

    /// Whether the word is the bot's name and nothing else, but for a colon.
    pub(super) fn is_address(self, word: &str) -> bool {
        matches!(self.after_address(word), Some("" | ":"))
    }

    /// What is attached to the bot's name in a word that begins with it.
    pub(super) fn after_address(self, word: &str) -> Option<&str> {
        mention::after(word, self.grammar.bot.as_str())
    }

    /// On whose behalf the word approves, if it does.
    fn approver(self, word: &str) -> Option<Login> {
        if word == "r+" {
            return Some(self.author.clone());
        }
        let names: Option<Vec<&str>> = word.strip_prefix("r=")?.split(',').map(login).collect();
        Some(Login::new(names?.join(",")))
    }

    fn hook(self, word: &str) -> Option<Command> {
        let (name, data) = match word.split_once('=') {
            Some((name, _)) if VALUED.contains(&name) => return None,
            Some((name, data)) => (name, Some(data.to_owned())),
            None => (word, None),
        };
        let mut triggers = self.grammar.hooks.iter();
        let trigger = triggers.find(|trigger| *trigger == name)?;
        Some(Command::Hook {
            name: trigger.clone(),
            data,
        })
    }
}

/// The commands that are one word and nothing else.
fn plain(word: &str) -> Option<Command> {
    Some(match word {
        "r-" => Command::Unapprove,
        "delegate+" => Command::DelegateAuthor,
        "delegate-" => Command::Undelegate,
        "retry" => Command::Retry { suites: Vec::new() },
        "test" => Command::Test { suites: Vec::new() },
        "cancel" => Command::Cancel,
        "hold" => Command::Hold,
        "hold-" => Command::Unhold,
        "ok" => Command::Ok,
        "ok+" => Command::OkAuthor,
        "info" => Command::Info,
        "try" => Command::Try { chooser: None },
        "try-" => Command::Untry,
        "rollup" => Command::Rollup { value: 1 },
        "rollup-" => Command::Rollup { value: 0 },
        "squash" => Command::Squash,
        "squash-" => Command::Unsquash,
        "force" => Command::Force,
        "clean" => Command::Clean,
        "ping" | "hello?" => Command::Ping,
        "treeclosed-" => Command::TreeOpen,
        _ => return None,
    })
}

/// The commands of the form `NAME=VALUE`, but for `r=`.
fn valued(word: &str) -> Option<Command> {
    let (name, value) = word.split_once('=')?;
    match name {
        "p" => integer(value).map(|value| Command::Priority { value }),
        "treeclosed" => integer(value).map(|value| Command::TreeClosed { value }),
        "rollup" => rollup(value).map(|value| Command::Rollup { value }),
        "delegate" => login(value).map(|name| Command::Delegate {
            to: Login::new(name),
        }),
        "try" if !value.is_empty() => Some(Command::Try {
            chooser: Some(value.to_owned()),
        }),
        _ => None,
    }
}

/// The names that no hook can take with `NAME=DATA`.
pub(super) const VALUED: [&str; 6] = ["r", "p", "treeclosed", "rollup", "delegate", "try"];

/// The approval with the commit that may follow. `r=me` (and its commit) is ignored, as in Homu:
/// people write "r=me when the tests pass" to say that they would approve.
fn approval(approver: Login, words: &mut Words<'_>) -> Meaning {
    let commit = words
        .peek()
        .and_then(|word| CommitPrefix::try_from(word.to_owned()).ok());
    if commit.is_some() {
        words.next();
    }
    if approver == Login::new("me") {
        Meaning::Nothing
    } else {
        Meaning::Command(Command::Approve { approver, commit })
    }
}

/// A login without the `@` that may be before it: ASCII letters, digits, `-`, `_` (accounts that an
/// enterprise manages) and the ending `[bot]` of apps.
fn login(text: &str) -> Option<&str> {
    let login = text.strip_prefix('@').unwrap_or(text);
    let name = login.strip_suffix("[bot]").unwrap_or(login);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_allowed)).then_some(login)
}

/// A decimal number with a sign or without; one that is too large becomes the largest.
pub(super) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let limit = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Some(text.parse().unwrap_or(limit))
}

fn rollup(value: &str) -> Option<i8> {
    match value {
        "always" => Some(1),
        "maybe" => Some(0),
        "iffy" => Some(-1),
        "never" => Some(-2),
        _ => None,
    }
}
