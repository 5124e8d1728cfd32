//! Reading one table: its values by key, each checked for its type, every fault noted.
//!
//! A method that finds a fault notes it and goes on with None or an empty value, so that all
//! faults come out at once; what was read so never leaves [`super::Config::load`].

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::address;
use super::finding::{Location, Position};
use super::reading::Reading;
use super::secret::Secret;
use super::tree::{Entry, Node, Table, Value};
use super::{unknown, variables};

/// A table that is being read. One that is not in the file reads as empty.
pub(super) struct Section<'r> {
    reading: &'r Reading<'r>,
    /// As in the file: `repo.x.github`.
    path: String,
    /// With `*` for names that people choose: `repo.*.github`.
    pattern: String,
    at: Option<Position>,
    table: Option<&'r Table>,
}

/// One of the tables whose names people choose.
pub(super) struct NamedSection<'r> {
    pub(super) name: String,
    pub(super) section: Section<'r>,
}

/// A closed set of words, one of which a key takes.
pub(super) trait Word: Copy + 'static {
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
}

impl<'r> Section<'r> {
    /// The file itself.
    pub(super) fn top(reading: &'r Reading<'r>, table: &'r Table) -> Self {
        Section {
            reading,
            path: String::new(),
            pattern: String::new(),
            at: None,
            table: Some(table),
        }
    }

    /// Whether the file has this table.
    pub(super) fn exists(&self) -> bool {
        self.table.is_some()
    }

    /// Notes a fault of a key's value, or of the table where the key is missing.
    pub(super) fn error(&self, key: &str, message: impl Into<String>, remedy: &str) {
        let entry = self.table.and_then(|table| table.entry(key));
        self.error_at(entry.map(|entry| entry.node.at), message, remedy);
    }

    /// Notes something about a key that does no harm.
    pub(super) fn warn(&self, key: &str, message: impl Into<String>, reason: &str) {
        self.reading.warn(self.place(key), message, reason);
    }

    /// Where a key stands, or the table where the key is missing.
    pub(super) fn place(&self, key: &str) -> Location {
        let entry = self.table.and_then(|table| table.entry(key));
        let at = entry.map(|entry| entry.at).or(self.at);
        self.reading.place(at, &self.path)
    }

    /// Notes that a key must be there.
    pub(super) fn missing(&self, key: &str, remedy: &str) {
        if self.table.is_none_or(|table| table.entry(key).is_none()) {
            self.error_at(None, format!("missing key \"{key}\""), remedy);
        }
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        self.text_or(key, "write a value or remove the line")
    }

    /// A text that is not empty; `remedy` says what to write where it is.
    fn text_or(&self, key: &'static str, remedy: &str) -> Option<String> {
        let entry = self.take(key)?;
        let text = self.text_of(key, &entry.node)?;
        if text.trim().is_empty() {
            let message = match &entry.node.value {
                Value::Text(written) if written.contains("${") => {
                    format!("\"{key}\" is empty, because {written} is")
                }
                Value::Text(_)
                | Value::Whole(_)
                | Value::Truth(_)
                | Value::List(_)
                | Value::Table(_)
                | Value::Other(_) => format!("\"{key}\" is empty"),
            };
            self.error(key, message, remedy);
            return None;
        }
        Some(text)
    }

    /// A text, where an empty one counts as absent.
    pub(super) fn text_unless_empty(&self, key: &'static str) -> Option<String> {
        let entry = self.take(key)?;
        self.text_of(key, &entry.node)
            .filter(|text| !text.is_empty())
    }

    /// A text that must be there; empty after a fault.
    pub(super) fn needed_text(&self, key: &'static str, remedy: &str) -> String {
        let text = self.text_or(key, remedy);
        self.missing(key, remedy);
        text.unwrap_or_default()
    }

    /// A secret that is not empty; `remedy` says what to write where it is.
    pub(super) fn secret_or(&self, key: &'static str, remedy: &str) -> Option<Secret> {
        self.text_or(key, remedy).map(Secret::new)
    }

    /// A secret that is not empty.
    pub(super) fn secret(&self, key: &'static str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    /// A secret, where an empty one counts as absent.
    pub(super) fn secret_unless_empty(&self, key: &'static str) -> Option<Secret> {
        self.text_unless_empty(key).map(Secret::new)
    }

    /// An http or https address, without the slashes at its end.
    pub(super) fn address(&self, key: &'static str) -> Option<String> {
        self.web_address(key, self.text(key)?)
    }

    /// Such an address, where an empty one counts as absent.
    pub(super) fn address_unless_empty(&self, key: &'static str) -> Option<String> {
        self.web_address(key, self.text_unless_empty(key)?)
    }

    /// An http, https or ssh address, without the slashes at its end.
    pub(super) fn git_address(&self, key: &'static str) -> Option<String> {
        let remedy = "write https:// or ssh://, a host, and a path if need be, nothing else";
        let text = self.text(key)?;
        self.checked_address(key, &text, address::is_git(&text), remedy)
    }

    fn web_address(&self, key: &str, text: String) -> Option<String> {
        let remedy = "write http:// or https://, a host, and a path if need be, nothing else";
        self.checked_address(key, &text, address::is_web(&text), remedy)
    }

    fn checked_address(&self, key: &str, text: &str, fits: bool, remedy: &str) -> Option<String> {
        if fits {
            return Some(text.trim_end_matches('/').to_owned());
        }
        let message = format!("\"{key}\" is no address that can be used here");
        self.error(key, message, remedy);
        None
    }

    /// A whole number in a range.
    pub(super) fn whole<T>(&self, key: &'static str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        self.named_whole(self.take(key)?, range)
    }

    /// The whole number of one of [`Section::names`].
    pub(super) fn named_whole<T>(&self, entry: &Entry, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let Value::Whole(number) = entry.node.value else {
            self.wrong_type(entry, "a whole number, without quotes");
            return None;
        };
        let fitting = T::try_from(number)
            .ok()
            .filter(|value| range.contains(value));
        if fitting.is_none() {
            let (least, most) = (range.start(), range.end());
            let remedy = format!("write a number from {least} to {most}");
            self.error(
                &entry.key,
                format!("\"{}\" is {number}", entry.key),
                &remedy,
            );
        }
        fitting
    }

    /// True or false.
    pub(super) fn truth(&self, key: &'static str) -> Option<bool> {
        let entry = self.take(key)?;
        if let Value::Truth(truth) = entry.node.value {
            return Some(truth);
        }
        self.wrong_type(entry, "true or false, without quotes");
        None
    }

    /// One of a set of words.
    pub(super) fn choice<T: Word>(&self, key: &'static str) -> Option<T> {
        let text = self.text(key)?;
        let chosen = T::ALL.iter().copied().find(|choice| choice.word() == text);
        if chosen.is_none() {
            let words: Vec<_> = T::ALL
                .iter()
                .map(|choice| format!("\"{}\"", choice.word()))
                .collect();
            let message = format!("\"{key}\" has none of its possible values");
            self.error(key, message, &format!("write {}", words.join(" or ")));
        }
        chosen
    }

    /// A list of texts, none of them empty. An absent list is empty.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(entry) = self.take(key) else {
            return Vec::new();
        };
        let Value::List(items) = &entry.node.value else {
            self.wrong_type(entry, "a list: [\"…\", \"…\"]");
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| self.item(key, item))
            .collect()
    }

    /// The table under a key.
    pub(super) fn section(&self, key: &'static str) -> Self {
        let entry = self.take(key);
        let table = entry.and_then(|entry| self.table_of(entry));
        self.below(key, key, table, entry.map(|entry| entry.at).or(self.at))
    }

    /// The tables under a key whose names people choose.
    pub(super) fn named_sections(&self, key: &'static str) -> Vec<NamedSection<'r>> {
        self.named_sections_beside(key, &[])
    }

    /// The tables under a key whose names people choose, where values of these other keys may
    /// stand beside them.
    pub(super) fn named_sections_beside(
        &self,
        key: &'static str,
        beside: &[&'static str],
    ) -> Vec<NamedSection<'r>> {
        let tables = self.section(key);
        tables.know("*");
        let entries = tables.table.map(|table| table.0.as_slice());
        let named = entries.unwrap_or_default().iter().filter_map(|entry| {
            let is_value = !matches!(entry.node.value, Value::Table(_));
            if is_value && beside.contains(&entry.key.as_str()) {
                return None;
            }
            if let Some(near) = unknown::nearest(&entry.key, beside).filter(|_| is_value) {
                tables.misspelt(entry, near);
                return None;
            }
            let table = tables.table_of(entry)?;
            Some(NamedSection {
                name: entry.key.clone(),
                section: tables.below(&entry.key, "*", Some(table), Some(entry.at)),
            })
        });
        named.collect()
    }

    /// The tables of a list of tables: `[[key]]`.
    pub(super) fn list_of_sections(&self, key: &'static str) -> Vec<Self> {
        let Some(entry) = self.take(key) else {
            return Vec::new();
        };
        let Value::List(items) = &entry.node.value else {
            let remedy = format!("write [[{}]] before each", join(&self.path, key));
            self.error(
                key,
                format!(
                    "\"{key}\" is {}, not a list of tables",
                    entry.node.value.kind()
                ),
                &remedy,
            );
            return Vec::new();
        };
        let sections = items.iter().filter_map(|item| match &item.value {
            Value::Table(table) => Some(self.below(key, key, Some(table), Some(item.at))),
            other @ (Value::Text(_)
            | Value::Whole(_)
            | Value::Truth(_)
            | Value::List(_)
            | Value::Other(_)) => {
                let message = format!("\"{key}\" holds {}", other.kind());
                self.error_at(Some(item.at), message, "write a table");
                None
            }
        });
        sections.collect()
    }

    /// The names that people chose in this table; each can then be read like a known key.
    pub(super) fn names(&self) -> Vec<&'r Entry> {
        self.know("*");
        let entries = self.table.map(|table| table.0.as_slice());
        entries.unwrap_or_default().iter().collect()
    }

    /// The text of one of [`Section::names`], not empty.
    pub(super) fn named_text(&self, entry: &Entry) -> Option<String> {
        self.item(&entry.key, &entry.node)
    }

    /// The list of texts of one of [`Section::names`].
    pub(super) fn named_texts(&self, entry: &Entry) -> Vec<String> {
        let Value::List(items) = &entry.node.value else {
            self.wrong_type(entry, "a list: [\"…\", \"…\"]");
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| self.item(&entry.key, item))
            .collect()
    }

    /// The value of a key as it stands, for keys that take several types.
    pub(super) fn value(&self, key: &'static str) -> Option<&'r Value> {
        self.take(key).map(|entry| &entry.node.value)
    }

    fn take(&self, key: &'static str) -> Option<&'r Entry> {
        self.know(key);
        self.table?.entry(key)
    }

    fn know(&self, key: &str) {
        let pattern = join(&self.pattern, key);
        self.reading.known.borrow_mut().insert(pattern);
    }

    fn below(
        &self,
        key: &str,
        pattern: &str,
        table: Option<&'r Table>,
        at: Option<Position>,
    ) -> Self {
        Section {
            reading: self.reading,
            path: join(&self.path, key),
            pattern: join(&self.pattern, pattern),
            at,
            table,
        }
    }

    fn table_of(&self, entry: &'r Entry) -> Option<&'r Table> {
        if let Value::Table(table) = &entry.node.value {
            return Some(table);
        }
        let remedy = format!(
            "write [{}] and its keys below",
            join(&self.path, &entry.key)
        );
        let message = format!(
            "\"{}\" is {}, not a table",
            entry.key,
            entry.node.value.kind()
        );
        self.error_at(Some(entry.node.at), message, &remedy);
        None
    }

    fn item(&self, key: &str, item: &Node) -> Option<String> {
        if !matches!(item.value, Value::Text(_)) {
            let message = format!("\"{key}\" holds {}", item.value.kind());
            self.error_at(Some(item.at), message, "write texts, each in quotes");
            return None;
        }
        let text = self.text_of(key, item)?;
        if text.is_empty() {
            let message = format!("\"{key}\" holds an empty text");
            self.error_at(Some(item.at), message, "write a value or remove it");
            return None;
        }
        Some(text)
    }

    fn text_of(&self, key: &str, node: &Node) -> Option<String> {
        let Value::Text(written) = &node.value else {
            let message = format!("\"{key}\" is {}", node.value.kind());
            self.error_at(Some(node.at), message, "write a text in quotes");
            return None;
        };
        let faults = match variables::expand(written, self.reading.environment) {
            Ok(text) => return Some(text),
            Err(faults) => faults,
        };
        for fault in faults {
            let message = format!("\"{key}\" {}", fault.message());
            self.error_at(Some(node.at), message, &fault.remedy());
        }
        None
    }

    fn misspelt(&self, entry: &Entry, meant: &str) {
        let message = format!("unknown key \"{}\"", entry.key);
        let remedy = format!("did you mean \"{meant}\"?");
        self.error_at(Some(entry.at), message, &remedy);
    }

    fn wrong_type(&self, entry: &Entry, wanted: &str) {
        let message = format!("\"{}\" is {}", entry.key, entry.node.value.kind());
        self.error_at(Some(entry.node.at), message, &format!("write {wanted}"));
    }

    fn error_at(&self, at: Option<Position>, message: impl Into<String>, remedy: &str) {
        let place = self.reading.place(at.or(self.at), &self.path);
        self.reading.error(place, message, remedy);
    }
}

/// The path of a key in a table.
pub(super) fn join(table: &str, key: &str) -> String {
    if table.is_empty() {
        return key.to_owned();
    }
    format!("{table}.{key}")
}
