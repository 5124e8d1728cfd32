//! The tail of `retry` and `test`: the suites that it names, up to the line's end or a remark.

use super::words::{Vocabulary, Words};

/// Takes the names after `retry` or `test`.
///
/// They end before the bot's name and before the next command that no suite would be called by
/// (`p=5`, `rollup-`), because Homu reads on after `retry`. A word that begins with punctuation
/// begins a remark, which takes the rest of the line.
pub(super) fn take(words: &mut Words<'_>, vocabulary: Vocabulary<'_>) -> Vec<String> {
    let mut suites = Vec::new();
    while let Some(word) = words.peek() {
        if vocabulary.is_address(word) || is_plainly_a_command(word, vocabulary) {
            break;
        }
        let Some((name, rest)) = name(words.rest()) else {
            *words = Words::of("");
            break;
        };
        *words = Words::of(rest);
        if !name.is_empty() {
            suites.push(name.to_owned());
        }
    }
    suites
}

/// Whether the word is a command with a mark in it. One without (`clean`, `force`) is a name.
fn is_plainly_a_command(word: &str, vocabulary: Vocabulary<'_>) -> bool {
    let has_mark = word.contains('=') || word.ends_with(['+', '-']);
    has_mark && vocabulary.take(&mut Words::of(word)).is_some()
}

/// The name at the beginning of a text, and what follows it; `None` if a remark begins there.
fn name(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = quoted(text) {
        return Some(quoted);
    }
    text.chars()
        .next()
        .filter(|first| first.is_alphanumeric() || *first == '_')?;
    let length = text.find(char::is_whitespace).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(length)?;
    Some((name.trim_end_matches(SEPARATORS), rest))
}

/// What may stand directly after a name in a list of names.
const SEPARATORS: [char; 2] = [',', ';'];

/// Marks that quote; each closes what any of its row has opened, for keyboards mix them.
const QUOTES: [&str; 3] = ["\"“”„‟«»", "'‘’‚‛", "`"];

/// The name in quotes at the beginning of a text, and what follows it.
///
/// A closing mark ends its word, so that the apostrophe in `'it doesn't start'` closes nothing.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let opening = text.chars().next()?;
    let closing = QUOTES.iter().find(|row| row.contains(opening))?;
    let body = text.strip_prefix(opening)?;
    body.match_indices(|letter| closing.contains(letter))
        .find_map(|(position, mark)| {
            let (name, rest) = body.split_at_checked(position)?;
            let rest = rest.strip_prefix(mark)?.trim_start_matches(SEPARATORS);
            let ends_word = rest.is_empty() || rest.starts_with(char::is_whitespace);
            ends_word.then_some((name.trim(), rest))
        })
}
