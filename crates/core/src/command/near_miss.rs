//! Words that are no command but were probably meant as one.
//!
//! Only the word at which the reading ended is looked at, and so a comment gets one answer at most.
//! It is a near miss if it
//!
//! 1. is the bot's name with something attached to it (`@bot,` or `@bot:r+`) and a command follows;
//! 2. has the form `WORD=VALUE`, or begins with a `=` that has lost its word;
//! 3. is `r` or `p` beside a mark or number that those commands could have (`r +`, `r–`, `p 5`);
//! 4. is the name of a command or a hook, in capitals, with punctuation around it, without the
//!    value that belongs to it, or with a slip of the fingers in it.
//!
//! Everything else is prose and gets no answer. So is what stands in backticks: that is talk about
//! commands.

use super::NOT_UNDERSTOOD_CHARS_MAX;
use super::words::{Meaning, Vocabulary, Words, integer};

/// What was probably meant as a command, if the next word was.
pub(super) fn find(words: Words<'_>, vocabulary: Vocabulary<'_>) -> Option<String> {
    let mut ahead = words;
    let word = ahead.next()?;
    let next = ahead.peek();
    let text = match next {
        Some(next) if is_torn_apart(word, next) || is_attached(word, ahead, vocabulary) => {
            format!("{word} {next}")
        }
        _ if holds_a_command(word, vocabulary) || is_alone(word, vocabulary) => word.to_owned(),
        _ => return None,
    };
    Some(shortened(text))
}

/// Rule 1 for `@bot, r+`: only punctuation is attached, and a command comes next.
fn is_attached(word: &str, mut next: Words<'_>, vocabulary: Vocabulary<'_>) -> bool {
    let attached = vocabulary.after_address(word);
    attached.is_some_and(|attached| !attached.contains(char::is_alphanumeric))
        && is_command(&mut next, vocabulary)
}

/// Rule 1 for `@bot:r+`: a command is attached.
fn holds_a_command(word: &str, vocabulary: Vocabulary<'_>) -> bool {
    let attached = vocabulary.after_address(word).unwrap_or_default();
    let attached = attached.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    is_command(&mut Words::of(attached), vocabulary)
}

fn is_command(words: &mut Words<'_>, vocabulary: Vocabulary<'_>) -> bool {
    matches!(vocabulary.take(words), Some(Meaning::Command(_)))
}

/// The part of rule 3 that needs two words.
fn is_torn_apart(word: &str, next: &str) -> bool {
    match word {
        "r" | "R" => next.starts_with(['+', '-', '=', '＋', '–', '—', '−']),
        "p" | "P" => next.starts_with(['=', ':']) || integer(next).is_some(),
        _ => false,
    }
}

fn is_alone(word: &str, vocabulary: Vocabulary<'_>) -> bool {
    if word.contains('`') {
        return false;
    }
    let bare = word.trim_start_matches(is_decoration);
    is_assignment(bare) || is_like_approval(bare) || is_like_priority(bare) || {
        let name = bare.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        is_like_a_name(&name.to_lowercase(), vocabulary)
    }
}

/// What people put before a command: emphasis, the marks of other bots' commands, and letters
/// without width that come along when text is copied.
fn is_decoration(letter: char) -> bool {
    "/!\\*_".contains(letter)
        || "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2060}\u{feff}".contains(letter)
}

/// Rule 2. What follows `=` does not matter, unless this is an arrow or a comparison.
fn is_assignment(word: &str) -> bool {
    let is_of_name = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
    match word.split_once('=') {
        Some(("", value)) => !value.starts_with(['=', '>']),
        Some((name, _)) => name.chars().all(is_of_name),
        None => false,
    }
}

/// Rule 3 for `r`: the mark is another than `+` or `-`, or something is attached to it.
fn is_like_approval(word: &str) -> bool {
    let Some(rest) = word.strip_prefix(['r', 'R']) else {
        return false;
    };
    match rest.chars().next() {
        Some('+' | '=' | '_' | '*' | ':' | '~') => true,
        // `r-squared` is a word.
        Some('-') => !rest.contains(char::is_alphanumeric),
        // `r’s` and `r…` are prose; a dash, a wide plus or a picture of one is not.
        Some('’' | '…') | None => false,
        Some(mark) => !mark.is_ascii() && !mark.is_alphanumeric(),
    }
}

/// Rule 3 for `p`.
fn is_like_priority(word: &str) -> bool {
    let value = word.strip_prefix('p').unwrap_or_default();
    integer(value.strip_prefix(':').unwrap_or(value)).is_some()
}

/// The names of commands in which a slip is looked for. The others are too short, or prose.
const NAMES: [&str; 10] = [
    "cancel",
    "rollup",
    "try",
    "retry",
    "delegate",
    "force",
    "clean",
    "treeclosed",
    "squash",
    "ping",
];

/// English words that are one slip away from a name; inflected names are left out by rule.
const ENGLISH: [&str; 15] = [
    "clan",
    "clear",
    "cleat",
    "glean",
    "lean",
    "farce",
    "fore",
    "forge",
    "forte",
    "delegation",
    "delegator",
    "relegate",
    "relegated",
    "retro",
    "quash",
];

/// Rule 4, for a word in small letters.
fn is_like_a_name(word: &str, vocabulary: Vocabulary<'_>) -> bool {
    let hooks = vocabulary.grammar.hooks.iter().map(String::as_str);
    let mut names = NAMES.into_iter().chain(hooks);
    !ENGLISH.contains(&word) && names.any(|name| is_near(word, &name.to_lowercase()))
}

/// Whether the word is the name, or becomes it when the fingers slip: two neighbours are swapped,
/// or, in a name so long that few other words are near it, a letter is wrong, missing or more.
fn is_near(word: &str, name: &str) -> bool {
    let length = name.chars().count();
    let limit = match length {
        0..3 => return false,
        3..5 => return word == name || is_swapped(word, name),
        5..8 => 1,
        _ => 2,
    };
    // Words of another length need no comparison, which would take long for the longest of them.
    word.chars().count().abs_diff(length) <= limit
        && !is_inflected(word, name)
        && strsim::osa_distance(word, name) <= limit
}

fn is_swapped(word: &str, name: &str) -> bool {
    strsim::osa_distance(word, name) == 1 && strsim::hamming(word, name) == Ok(2)
}

/// `forces`, `forced`: prose, although one letter away.
fn is_inflected(word: &str, name: &str) -> bool {
    let ending = word.strip_prefix(name);
    ending.is_some_and(|ending| ["s", "d", "r", "es", "ed", "er", "rs"].contains(&ending))
}

fn shortened(text: String) -> String {
    if text.chars().count() <= NOT_UNDERSTOOD_CHARS_MAX {
        return text;
    }
    let kept = text.chars().take(NOT_UNDERSTOOD_CHARS_MAX - 1);
    kept.chain(['…']).collect()
}
