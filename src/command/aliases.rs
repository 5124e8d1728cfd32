//! Phrases that are no commands, but stand for some where they are a whole line.

use super::{Alias, Grammar, lines};

/// The aliases among a comment's lines, in the order of the comment.
pub(super) fn all<'g>(grammar: &'g Grammar, comment: &str) -> Vec<&'g Alias> {
    let paragraphs = lines::paragraphs(comment).into_iter();
    let lines = paragraphs.flat_map(|paragraph| paragraph.split(['\n', '\r']));
    lines
        .filter_map(|line| grammar.aliases.iter().find(|alias| is(line, &alias.phrase)))
        .collect()
}

/// Whether any line is an alias.
pub(super) fn holds(grammar: &Grammar, comment: &str) -> bool {
    !all(grammar, comment).is_empty()
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
