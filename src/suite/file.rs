//! A whole file: its documents one after the other, then compared with each other.

use std::collections::HashSet;

use super::document;
use super::error::Problem;
use super::inherit::merge;
use super::yaml::{Entry, Mapping, Node, Scalar, Value, load};
use super::{FILE_BYTES_MAX, Place, SUITES_MAX, Suite, SuiteFileError};

/// What all suites of a file may weigh together once each has what it inherits; see
/// [`Mapping::weight`].
const WEIGHT_MAX: usize = 4 * 1024 * 1024;

/// A suite and how the file writes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// The suite.
    pub suite: Suite,
    written: Mapping,
    place: Place,
}

impl Document {
    /// Its keys and values, after inheritance and unsetting.
    pub(super) fn written(&self) -> &Mapping {
        &self.written
    }

    /// Where it begins.
    pub fn place(&self) -> Place {
        self.place
    }
}

/// Reads the suites of a file, in its order; none is fine.
///
/// # Errors
///
/// Anything is wrong with any of it: nothing of the file is to be run then. The messages are
/// PAPR's (`papr validate`).
pub fn read(file_name: &str, bytes: &[u8]) -> Result<Vec<Suite>, SuiteFileError> {
    let documents = read_documents(file_name, bytes)?;
    Ok(documents
        .into_iter()
        .map(|document| document.suite)
        .collect())
}

/// Like [`read`], and keeps how the file writes each suite.
///
/// # Errors
///
/// As [`read`].
pub fn read_documents(file_name: &str, bytes: &[u8]) -> Result<Vec<Document>, SuiteFileError> {
    documents(bytes).map_err(|problem| problem.of(file_name))
}

fn documents(bytes: &[u8]) -> Result<Vec<Document>, Problem> {
    let nodes = load(text(bytes)?)?;
    if nodes.len() > SUITES_MAX {
        let message = format!("file has more than {SUITES_MAX} testsuites");
        return Err(Problem::of_file(message));
    }
    let mut reader = Reader::default();
    for node in nodes {
        let number = reader.documents.len() + 1;
        reader
            .take(node)
            .map_err(|problem| problem.of_document(number))?;
    }
    match reader.documents.iter().find_map(non_ascii) {
        Some(place) => Err(Problem::at(
            place,
            "non-ASCII characters found in ASCII-only field",
        )),
        None => Ok(reader.documents),
    }
}

fn text(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() > FILE_BYTES_MAX {
        let message = format!("file is larger than {FILE_BYTES_MAX} bytes");
        return Err(Problem::of_file(message));
    }
    let text = str::from_utf8(bytes).map_err(|error| Problem {
        detail: Some(error.to_string()),
        ..Problem::of_file("file is not valid UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// What the documents so far amount to.
#[derive(Default)]
struct Reader {
    documents: Vec<Document>,
    contexts: HashSet<String>,
    weight: usize,
    /// Whether a suite has the name that the sum of the required ones is reported under.
    is_required_a_name: bool,
    is_required_a_key: bool,
}

impl Reader {
    fn take(&mut self, node: Node) -> Result<(), Problem> {
        let place = node.place;
        let written = merge(node, self.documents.last().map(Document::written))?;
        self.weight = self.weight.saturating_add(written.weight());
        if self.weight > WEIGHT_MAX {
            return Err(Problem::at(place, "too large with what it inherits"));
        }
        let suite = document::suite(&written, place)?;
        self.compare(&suite)
            .map_err(|message| Problem::at(place_of_context(&written, place), message))?;
        self.documents.push(Document {
            suite,
            written,
            place,
        });
        Ok(())
    }

    /// Compares a suite with those before it.
    fn compare(&mut self, suite: &Suite) -> Result<(), &'static str> {
        if !self.contexts.insert(suite.context.clone()) {
            return Err("duplicate 'context' value detected");
        }
        self.is_required_a_name |= suite.context == "required";
        self.is_required_a_key |= suite.required;
        if self.is_required_a_name && self.is_required_a_key {
            return Err("context \"required\" forbidden when using the 'required' key");
        }
        Ok(())
    }
}

fn place_of_context(written: &Mapping, otherwise: Place) -> Place {
    written
        .value("context")
        .map_or(otherwise, |node| node.place)
}

/// The first text that must be ASCII and is not; commands and variables need not be.
fn non_ascii(document: &Document) -> Option<Place> {
    document
        .written
        .entries()
        .iter()
        .filter(|entry| !is_free(entry))
        .find_map(|entry| first_non_ascii(&entry.value))
}

fn is_free(entry: &Entry) -> bool {
    matches!(&entry.key, Scalar::Text(key) if key == "tests" || key == "env")
}

fn first_non_ascii(node: &Node) -> Option<Place> {
    match &node.value {
        Value::Scalar(Scalar::Text(text)) => (!text.is_ascii()).then_some(node.place),
        Value::Scalar(_) => None,
        Value::List(items) => items.iter().find_map(first_non_ascii),
        Value::Map(mapping) => mapping
            .entries()
            .iter()
            .find_map(|entry| first_non_ascii(&entry.value)),
    }
}
