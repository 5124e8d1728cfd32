//! Why a file of suites is refused, and where.

use serde::{Deserialize, Serialize};

/// How long a message may get, in characters: it becomes part of a comment on GitHub, and the
/// values that it quotes are a stranger's.
const MESSAGE_CHARS_MAX: usize = 4000;

/// A place in a file. Both count from 1; columns count characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column in it.
    pub column: usize,
}

/// A file that holds no valid suites: none of it is run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct SuiteFileError {
    /// The file's name, as it was given to the reader.
    pub file_name: String,
    /// What is wrong, in PAPR's words where PAPR had any; at most about 4,000 characters. It
    /// quotes the file: whoever shows it must escape it.
    pub message: String,
    /// What the YAML parser found, where the message only says that it is no YAML.
    pub detail: Option<String>,
    /// Where, if that is known; of several things, where the first is.
    pub place: Option<Position>,
    /// Each thing in plain words, for people who have the file before them; empty where there are
    /// none but the message.
    #[serde(default)]
    pub plain: Vec<Finding>,
}

/// One of several things that are wrong with a file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong; at most about 4,000 characters.
    pub message: String,
    /// Where.
    pub place: Position,
}

/// What is wrong with a document or a file, before it is known which.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) place: Option<Position>,
    pub(super) plain: Vec<Finding>,
}

impl Problem {
    /// A problem at a known place.
    pub(super) fn at(place: Position, message: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            ..Self::of_file(message)
        }
    }

    /// A problem of the whole file.
    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            detail: None,
            place: None,
            plain: Vec::new(),
        }
    }

    /// The same problem, said in plain words, too.
    pub(super) fn plainly(mut self, words: impl Into<String>) -> Self {
        self.plain.extend(self.place.map(|place| Finding {
            message: words.into(),
            place,
        }));
        self
    }

    /// A file that is no YAML as PAPR read it.
    pub(super) fn yaml(place: Option<Position>, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            place,
            ..Self::of_file("file could not be parsed as valid YAML")
        }
    }

    /// The same problem, said of the file's document with this number (from 1).
    pub(super) fn of_document(mut self, number: usize) -> Self {
        let ordinal = ordinal(number);
        self.message = format!("failed to parse {ordinal} testsuite: {}", self.message);
        self
    }

    /// The same problem, said of this file.
    pub(super) fn of(self, file_name: &str) -> SuiteFileError {
        SuiteFileError {
            file_name: file_name.to_owned(),
            message: cut(self.message),
            detail: self.detail.map(cut),
            place: self.place,
            plain: self.plain.into_iter().map(Finding::cut).collect(),
        }
    }
}

impl Finding {
    fn cut(self) -> Self {
        Self {
            message: cut(self.message),
            ..self
        }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MESSAGE_CHARS_MAX) {
        None => text,
        Some((end, _)) => format!("{} [...]", text.get(..end).unwrap_or_default()),
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, `11th`, `21st` …
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_follow_english() {
        let ordinals: Vec<String> = [1, 2, 3, 4, 10, 11, 12, 13, 20, 21, 22, 23, 111, 121]
            .into_iter()
            .map(ordinal)
            .collect();
        assert_eq!(
            ordinals.join(" "),
            "1st 2nd 3rd 4th 10th 11th 12th 13th 20th 21st 22nd 23rd 111th 121st"
        );
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        let long = Problem::of_file("ä".repeat(5000)).of("f").message;
        assert_eq!(long, format!("{} [...]", "ä".repeat(4000)));
        assert_eq!(Problem::of_file("ä").of("f").message, "ä");
    }
}
