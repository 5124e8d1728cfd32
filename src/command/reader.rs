//! Goes through a comment: finds the lines that speak to the bot, and takes their words in turn.

use crate::ids::Login;

use super::words::{Meaning, Vocabulary, Words};
use super::{Command, Grammar, Reading, aliases, code, lines, mention, near_miss, suites};

/// See [`Grammar::read`].
pub(super) fn read(grammar: &Grammar, comment: &str, author: &Login) -> Reading {
    let vocabulary = Vocabulary { grammar, author };
    let mut reading = Reading::default();
    if !grammar.mentions_bot(comment) {
        return reading;
    }
    for alias in aliases::all(grammar, comment) {
        let mut words = Words::of(&alias.commands);
        read_words(&mut words, vocabulary, &mut reading.commands);
    }
    if is_portal(comment, vocabulary) {
        reading.commands.push(Command::Portal);
        return reading;
    }
    let paragraphs = lines::paragraphs(comment).into_iter();
    let lines = paragraphs.flat_map(|paragraph| addressed_lines(paragraph, grammar.bot.as_str()));
    for line in lines {
        let mut words = Words::of(line);
        read_words(&mut words, vocabulary, &mut reading.commands);
        if words.peek().is_some() {
            reading.not_understood = near_miss::find(words, vocabulary);
            break;
        }
    }
    reading
}

/// From each line of the paragraph that speaks to the bot, what begins with the bot's name.
fn addressed_lines<'a>(paragraph: &'a str, bot: &str) -> Vec<&'a str> {
    let mut lines = Vec::new();
    if mention::all(paragraph, bot).next().is_none() {
        return lines;
    }
    let code = code::spans(paragraph);
    let mut line_end = 0;
    for position in mention::all(paragraph, bot) {
        let span = code.get(code.partition_point(|span| span.end <= position));
        if position < line_end || span.is_some_and(|span| span.contains(&position)) {
            continue;
        }
        let rest = paragraph.get(position..).unwrap_or_default();
        let line = rest.split(['\n', '\r']).next().unwrap_or_default();
        line_end = position + line.len();
        lines.push(line);
    }
    lines
}

/// Whether the comment says this, to the bot, and nothing else.
fn is_portal(comment: &str, vocabulary: Vocabulary<'_>) -> bool {
    Words::of(comment)
        .filter(|word| !vocabulary.is_address(word))
        .eq(["are", "you", "still", "there?"])
}

/// Reads commands up to the line's end, or to the first word that is none, which stays the next.
fn read_words(words: &mut Words<'_>, vocabulary: Vocabulary<'_>, commands: &mut Vec<Command>) {
    while let Some(meaning) = vocabulary.take(words) {
        match meaning {
            Meaning::Nothing => {}
            Meaning::Command(Command::Retry { .. }) => commands.push(Command::Retry {
                suites: suites::take(words, vocabulary),
            }),
            Meaning::Command(Command::Test { .. }) => commands.push(Command::Test {
                suites: suites::take(words, vocabulary),
            }),
            Meaning::Command(command) => commands.push(command),
        }
    }
}
