//! Goes through a comment: finds the lines that speak to the bot, and takes their words in turn.

use std::ops::Range;

use crate::ids::Login;

use super::said::{Look, Said};
use super::words::{Meaning, VALUED, Vocabulary, Words};
use super::{Command, Grammar, Reading, aliases, code, lines, mention, near_miss, suites};

/// See [`Grammar::read`].
pub(super) fn read(grammar: &Grammar, comment: &str, author: &Login) -> Reading {
    let vocabulary = Vocabulary { grammar, author };
    let mut reading = Reading::default();
    if !grammar.mentions_bot(comment) {
        return reading;
    }
    let look = if *author == grammar.bot {
        Look::Own
    } else {
        Look::Others
    };
    let said = lines::said(comment, look);
    for alias in aliases::all(grammar, comment, &said) {
        let mut words = Words::of(&alias.commands);
        read_words(&mut words, vocabulary, &mut reading.commands);
    }
    if is_portal(comment, vocabulary) {
        reading.commands.push(Command::Portal);
        return reading;
    }
    let text = Text { comment, said };
    let paragraphs = lines::paragraphs(comment, &text.said).into_iter();
    let lines = paragraphs.flat_map(|paragraph| text.addressed_lines(paragraph, &grammar.bot));
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

/// Reads what stands for commands; everything in it must be one.
pub(super) fn understand(grammar: &Grammar, commands: &str) -> Result<(), String> {
    let author = Login::new("");
    let vocabulary = Vocabulary {
        grammar,
        author: &author,
    };
    let (mut words, mut found) = (Words::of(commands), Vec::new());
    read_words(&mut words, vocabulary, &mut found);
    match words.peek() {
        Some(word) => Err(word.to_owned()),
        None if found.is_empty() => Err(commands.trim().to_owned()),
        None => Ok(()),
    }
}

/// Whether a word is a command of its own, which no hook can be called by.
pub(super) fn is_taken(word: &str) -> bool {
    let grammar = Grammar {
        bot: Login::new(""),
        hooks: Vec::new(),
        aliases: Vec::new(),
    };
    VALUED.contains(&word) || understand(&grammar, word).is_ok()
}

/// The lines of a text that people take for said: outside quotes, code and folds.
pub(super) fn plain_lines(text: &str) -> Vec<&str> {
    let said = lines::said(text, Look::Unfolding);
    let text = Text {
        comment: text,
        said,
    };
    let paragraphs = lines::paragraphs(text.comment, &text.said).into_iter();
    paragraphs
        .flat_map(|paragraph| text.plain_lines(paragraph))
        .collect()
}

/// A comment, and what is seen of it.
struct Text<'a> {
    comment: &'a str,
    said: Said,
}

impl<'a> Text<'a> {
    /// From each line of the paragraph that speaks to the bot, what begins with the bot's name.
    fn addressed_lines(&self, paragraph: Range<usize>, bot: &Login) -> Vec<&'a str> {
        let start = paragraph.start;
        let text = self.comment.get(paragraph).unwrap_or_default();
        let mut lines = Vec::new();
        if mention::all(text, bot.as_str()).next().is_none() {
            return lines;
        }
        let code = code::spans(text);
        let mut line_end = 0;
        for position in mention::all(text, bot.as_str()) {
            let is_code = is_in(&code, position);
            if position < line_end || is_code || !self.said.shows(start + position) {
                continue;
            }
            let rest = text.get(position..).unwrap_or_default();
            let line = rest.split(['\n', '\r']).next().unwrap_or_default();
            line_end = position + line.len();
            lines.push(line);
        }
        lines
    }

    /// The lines of a paragraph that do not begin hidden or in inline code, without the white space
    /// around them.
    fn plain_lines(&self, paragraph: Range<usize>) -> Vec<&'a str> {
        let start = paragraph.start;
        let text = self.comment.get(paragraph).unwrap_or_default();
        let code = code::spans(text);
        let mut position = 0;
        let mut lines = Vec::new();
        for line in text.split_inclusive(['\n', '\r']) {
            let begins = position + line.len() - line.trim_start().len();
            position += line.len();
            if self.said.shows(start + begins) && !is_in(&code, begins) {
                lines.push(line.trim());
            }
        }
        lines
    }
}

fn is_in(spans: &[Range<usize>], position: usize) -> bool {
    let span = spans.get(spans.partition_point(|span| span.end <= position));
    span.is_some_and(|span| span.contains(&position))
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
