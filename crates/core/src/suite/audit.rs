//! Reads values as the types they should have and collects what does not fit.
//!
//! The messages are those of pykwalify, which checked PAPR's files; its rules too: null is no
//! value where none is required, a list's items and a mapping's entries are all looked at.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::Position;
use super::error::{Finding, Problem};
use super::plain;
use super::yaml::{Entry, Mapping, Node, Scalar, Value, bytes_literal, display, display_scalar};

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Audit {
    findings: Vec<Finding>,
    /// The same in plain words.
    plain: Vec<Finding>,
}

/// What texts must look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    /// As it is told to people.
    pub(super) regex: &'static str,
    /// Whether a text fits.
    pub(super) fits: fn(&str) -> bool,
}

/// Whether a list may name a thing twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Repeats {
    Fine,
    Wrong,
}

impl Audit {
    /// All findings as one problem, at the place of the first.
    pub(super) fn problem(&self) -> Option<Problem> {
        let first = self.findings.first()?;
        let lines: Vec<String> = self
            .findings
            .iter()
            .map(|finding| format!(" - {}.", finding.message))
            .collect();
        let message = format!("Schema validation failed:\n{}", lines.join("\n"));
        Some(Problem {
            plain: self.plain.clone(),
            ..Problem::at(first.place, message)
        })
    }

    /// Finds a key without which nothing goes.
    pub(super) fn require(&mut self, mapping: &Mapping, key: &str, at: At<'_>) {
        if !mapping.mentions(key) {
            self.find(
                at.place,
                format!("Cannot find required key '{key}'. Path: '{}'", at.path),
                plain::of_value(at.path, &format!("missing key \"{key}\"")),
            );
        }
    }

    /// Finds a key that means nothing.
    pub(super) fn undefined(&mut self, entry: &Entry, path: &str) {
        let key = display_scalar(&entry.key);
        self.find(
            entry.key_place,
            format!("Key '{key}' was not defined. Path: '{path}'"),
            plain::unknown_key(&key, path),
        );
    }

    /// Finds a key of which one is required but whose value is missing.
    pub(super) fn required_text(&mut self, node: &Node, path: &str) -> Option<String> {
        if node.is_null() {
            self.find(
                node.place,
                format!("required.novalue : '{path}'"),
                plain::of_value(path, "a value is missing"),
            );
        }
        self.text(node, path)
    }

    /// A text; `None` for null.
    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        match &node.value {
            Value::Scalar(Scalar::Text(text)) => Some(text.clone()),
            Value::Scalar(_) | Value::List(_) | Value::Map(_) => {
                self.wrong_type_unless_null(node, "str", path)
            }
        }
    }

    /// A boolean; `None` for null.
    pub(super) fn boolean(&mut self, node: &Node, path: &str) -> Option<bool> {
        match &node.value {
            Value::Scalar(Scalar::Bool(truth)) => Some(*truth),
            Value::Scalar(_) | Value::List(_) | Value::Map(_) => {
                self.wrong_type_unless_null(node, "bool", path)
            }
        }
    }

    /// An integer; `None` for null.
    pub(super) fn integer(&mut self, node: &Node, path: &str) -> Option<i64> {
        match &node.value {
            Value::Scalar(Scalar::Int(number)) => Some(*number),
            Value::Scalar(_) | Value::List(_) | Value::Map(_) => {
                self.wrong_type_unless_null(node, "int", path)
            }
        }
    }

    /// A list of texts; null is not one of them.
    pub(super) fn texts(&mut self, node: &Node, path: &str, repeats: Repeats) -> Vec<String> {
        let Value::List(items) = &node.value else {
            self.not_a_list(node, path);
            return Vec::new();
        };
        if repeats == Repeats::Wrong {
            self.find_repeats(items, path);
        }
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| self.item(item, &format!("{path}/{index}")))
            .collect()
    }

    /// Finds a value that should be a list.
    pub(super) fn not_a_list(&mut self, node: &Node, path: &str) {
        let quoted = match &node.value {
            Value::Scalar(Scalar::Text(text)) => bytes_literal(text),
            value @ (Value::Scalar(_) | Value::List(_) | Value::Map(_)) => display(value),
        };
        self.find(
            node.place,
            format!("Value '{quoted}' is not a list. Value path: '{path}'"),
            plain::of_type(node, "list", path),
        );
    }

    /// A mapping; not null.
    pub(super) fn mapping<'a>(&mut self, node: &'a Node, path: &str) -> Option<&'a Mapping> {
        if let Value::Map(mapping) = &node.value {
            return Some(mapping);
        }
        let quoted = display(&node.value);
        self.find(
            node.place,
            format!("Value '{quoted}' is not a dict. Value path: '{path}'"),
            plain::of_type(node, "dict", path),
        );
        None
    }

    /// A list of distinct texts that all fit a pattern.
    pub(super) fn fitting(&mut self, node: &Node, path: &str, pattern: Pattern) -> Vec<String> {
        let texts = self.texts(node, path, Repeats::Wrong);
        for (index, text, place) in node.texts() {
            if !(pattern.fits)(text) {
                let regex = pattern.regex;
                let what = format!("Value '{text}' does not match pattern '{regex}'");
                self.wrong(place, &what, &below(path, index));
            }
        }
        texts
    }

    /// An integer from a range; `None` for null.
    pub(super) fn number(
        &mut self,
        node: &Node,
        path: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let number = self.integer(node, path)?;
        let fit = u32::try_from(number).ok().filter(|fit| range.contains(fit));
        if fit.is_none() {
            let (least, most) = range.into_inner();
            self.find(
                node.place,
                format!("Value '{number}' is not from {least} to {most}. Path: '{path}'"),
                plain::of_value(
                    path,
                    &format!("{number} is out of range: write a number from {least} to {most}"),
                ),
            );
        }
        fit
    }

    /// Finds something that only its reader knows to be wrong with a value.
    pub(super) fn wrong(&mut self, place: Position, what: &str, path: &str) {
        let plainly = plain::of_value(path, &what.replace('\'', "\""));
        self.find(place, format!("{what}. Path: '{path}'"), plainly);
    }

    /// Finds a value of a type that is none of those that go.
    pub(super) fn wrong_type(&mut self, node: &Node, name: &str, path: &str) {
        let quoted = display(&node.value);
        self.find(
            node.place,
            format!("Value '{quoted}' is not of type '{name}'. Path: '{path}'"),
            plain::of_type(node, name, path),
        );
    }

    /// Finds a name that no pattern allows.
    pub(super) fn unmatched(&mut self, entry: &Entry, pattern: &str, path: &str) {
        let key = display_scalar(&entry.key);
        self.find(
            entry.key_place,
            format!("Key '{key}' does not match any regex '{pattern}'. Path: '{path}'"),
            plain::of_value(
                path,
                &format!("\"{key}\" is not a valid name here: {pattern}"),
            ),
        );
    }

    fn item(&mut self, node: &Node, path: &str) -> Option<String> {
        if node.is_null() {
            self.wrong_type(node, "str", path);
        }
        self.text(node, path)
    }

    fn find_repeats(&mut self, items: &[Node], path: &str) {
        let mut first: HashMap<&Scalar, usize> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let Value::Scalar(scalar) = &item.value else {
                continue;
            };
            if item.is_null() {
                continue;
            }
            let earlier = *first.entry(scalar).or_insert(index);
            if earlier != index {
                let quoted = display_scalar(scalar);
                self.find(
                    item.place,
                    format!(
                        "Value '{quoted}' is not unique. Previous path: '{path}/{earlier}'. \
                         Path: '{path}/{index}'"
                    ),
                    plain::of_value(
                        path,
                        &format!("{quoted} is there twice: remove one of them"),
                    ),
                );
            }
        }
    }

    fn wrong_type_unless_null<T>(&mut self, node: &Node, name: &str, path: &str) -> Option<T> {
        if !node.is_null() {
            self.wrong_type(node, name, path);
        }
        None
    }

    /// Notes a fault in PAPR's words, and in plain ones.
    fn find(&mut self, place: Position, message: String, plainly: String) {
        self.findings.push(Finding { message, place });
        self.plain.push(Finding {
            message: plainly,
            place,
        });
    }
}

/// Where a mapping stands: in the suite and in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub(super) path: &'a str,
    pub(super) place: Position,
}

impl<'a> At<'a> {
    /// Where this value stands.
    pub(super) fn new(path: &'a str, node: &Node) -> Self {
        Self {
            path,
            place: node.place,
        }
    }
}

/// The path of an entry in the mapping with this path.
pub(super) fn below(path: &str, key: impl Display) -> String {
    format!("{path}/{key}")
}

/// The key, if it is a text.
pub(super) fn text_key(entry: &Entry) -> Option<&str> {
    match &entry.key {
        Scalar::Text(text) => Some(text),
        Scalar::Null
        | Scalar::Bool(_)
        | Scalar::Int(_)
        | Scalar::HugeInt(_)
        | Scalar::Float(_)
        | Scalar::Date(_) => None,
    }
}
