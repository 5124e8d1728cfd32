//! Phrases that are no commands, but stand for some where they are a whole line.

use std::ops::Range;

use super::said::Said;
use super::{Alias, Grammar, lines};

/// The aliases among a comment's lines, in the order of the comment.
pub(super) fn all<'g>(grammar: &'g Grammar, comment: &str, said: &Said) -> Vec<&'g Alias> {
    let paragraphs = lines::paragraphs(comment, said).into_iter();
    let lines = paragraphs.flat_map(|paragraph| lines_of(comment, paragraph));
    lines
        .filter(|(position, _)| said.shows(*position))
        .filter_map(|(_, line)| grammar.aliases.iter().find(|alias| is(line, &alias.phrase)))
        .collect()
}

/// Whether any line is an alias, seen or not.
pub(super) fn holds(grammar: &Grammar, comment: &str) -> bool {
    let mut lines = comment.split(['\n', '\r']);
    lines.any(|line| {
        let mut aliases = grammar.aliases.iter();
        aliases.any(|alias| is(line, &alias.phrase))
    })
}

/// The lines of a paragraph, each with the position of its first letter.
fn lines_of(comment: &str, paragraph: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
    let mut position = paragraph.start;
    let text = comment.get(paragraph).unwrap_or_default();
    text.split_inclusive(['\n', '\r']).map(move |line| {
        let first = position + line.len() - line.trim_start().len();
        position += line.len();
        (first, line)
    })
}

fn is(line: &str, phrase: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        text.split_whitespace().map(str::to_lowercase).collect()
    };
    // Most lines are no phrase, and the first words say so already.
    line.trim_start().len() >= phrase.trim().len() / 2 && words(line) == words(phrase)
}
