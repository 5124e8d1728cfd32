//! A configuration file as a tree of values that know where they stand, in either notation.
//!
//! What the keys mean is not known here.

mod json;
mod toml;
mod unclosed;

use self::unclosed::Notation;
use super::finding::Position;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

/// What a file can hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A string, as written: `${VARIABLE}` still stands in it.
    Text(String),
    Whole(i64),
    Truth(bool),
    List(Vec<Node>),
    Table(Table),
    /// What no key takes, by its name: a fraction, a date, null.
    Other(&'static str),
}

/// Entries in any order; no key occurs twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table(pub(super) Vec<Entry>);

/// One key of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key stands.
    pub(super) at: Position,
    pub(super) node: Node,
}

/// A place where the file breaks the rules of its notation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Malformed {
    pub(super) at: Option<Position>,
    pub(super) message: String,
    /// What to write instead, where more is known than that the notation is broken.
    pub(super) remedy: Option<&'static str>,
}

/// What to do about a key that is there twice.
const TWICE: &str = "keep one of the two and remove the other";

impl Table {
    /// Reads TOML; all its faults where there are several.
    pub(super) fn from_toml(text: &str) -> Result<Self, Vec<Malformed>> {
        toml::parse(text).map_err(|faults| match unclosed::find(text, Notation::Toml) {
            Some(unclosed) => {
                let mut faults = faults;
                faults.retain(|fault| fault.at < unclosed.at);
                faults.push(unclosed);
                faults
            }
            None => faults,
        })
    }

    /// Reads JSON, whose top must be an object; the first fault.
    pub(super) fn from_json(text: &str) -> Result<Self, Vec<Malformed>> {
        json::parse(text).map_err(|malformed| {
            let unclosed = unclosed::find(text, Notation::Json);
            vec![unclosed.unwrap_or(malformed)]
        })
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }
}

impl Value {
    /// What the value is, for a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Whole(_) => "a whole number",
            Self::Truth(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// The position of a byte of the text.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let in_line = before.get(line_start..).unwrap_or_default();
    Position {
        line: before.matches('\n').count() + 1,
        column: in_line.chars().count() + 1,
    }
}
