//! A whole file: its documents one after the other, then compared with each other.

use super::document;
use super::error::Problem;
use super::inherit::merge;
use super::needs::{Calls, Taken, resolve};
use super::yaml::{Entry, Mapping, Node, Scalar, Value, load};
use super::{FILE_BYTES_MAX, Position, SUITES_MAX, Suite, SuiteFileError};

/// What all suites of a file may weigh together once each has what it inherits; see
/// [`Mapping::weight`].
const WEIGHT_MAX: usize = 4 * 1024 * 1024;

/// A document's suites and how the file writes them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// One suite, or those that its matrix makes.
    pub suites: Vec<Suite>,
    written: Mapping,
    place: Position,
}

impl Document {
    /// Its keys and values, after inheritance and unsetting.
    pub(super) fn written(&self) -> &Mapping {
        &self.written
    }

    /// Where it begins.
    pub fn place(&self) -> Position {
        self.place
    }

    /// The context that it states.
    pub fn context(&self) -> &str {
        self.text("context").unwrap_or_default()
    }

    /// The name that it states.
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// What it needs, as it states it, and where.
    pub(super) fn needs(&self) -> impl Iterator<Item = (&str, Position)> {
        let node = self.written.value("needs");
        node.into_iter()
            .flat_map(Node::texts)
            .map(|(_, call, place)| (call, place))
    }

    /// Where the value of this key is; where it begins itself, if it has none.
    fn place_of(&self, key: &str) -> Position {
        self.written
            .value(key)
            .map_or(self.place, |node| node.place)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.written.value(key)?.text()
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
        .flat_map(|document| document.suites)
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
        return Err(too_many());
    }
    let mut reader = Reader::default();
    for node in nodes {
        let number = reader.documents.len() + 1;
        reader
            .take(node)
            .map_err(|problem| problem.of_document(number))?;
        if reader.suites > SUITES_MAX {
            return Err(too_many());
        }
    }
    let Reader {
        mut documents,
        calls,
        ..
    } = reader;
    resolve(&mut documents, &calls)?;
    match documents.iter().find_map(non_ascii) {
        Some(place) => Err(Problem::at(
            place,
            "non-ASCII characters found in ASCII-only field",
        )),
        None => Ok(documents),
    }
}

fn too_many() -> Problem {
    Problem::of_file(format!("file has more than {SUITES_MAX} testsuites"))
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
    suites: usize,
    calls: Calls,
    weight: usize,
    /// Whether a suite has the name that the sum of the required ones is reported under.
    is_required_a_name: bool,
    is_required_a_key: bool,
}

impl Reader {
    fn take(&mut self, node: Node) -> Result<(), Problem> {
        let place = node.place;
        let written = merge(node, self.documents.last().map(Document::written))?;
        self.weigh(written.weight(), place)?;
        let suites = document::suites(&written, place)?;
        // Every combination of a matrix has what the document has.
        let copies = suites.len().saturating_sub(1);
        self.weigh(written.weight().saturating_mul(copies), place)?;
        let document = Document {
            suites,
            written,
            place,
        };
        self.compare(&document)?;
        self.suites = self.suites.saturating_add(document.suites.len());
        self.documents.push(document);
        Ok(())
    }

    fn weigh(&mut self, weight: usize, place: Position) -> Result<(), Problem> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > WEIGHT_MAX {
            return Err(Problem::at(place, "too large with what it inherits"));
        }
        Ok(())
    }

    /// Compares a document's suites with those before it.
    fn compare(&mut self, document: &Document) -> Result<(), Problem> {
        let problem = |key: &str, message: String| Problem::at(document.place_of(key), message);
        self.calls
            .add(self.documents.len(), document)
            .map_err(|Taken { key }| problem(key, format!("duplicate '{key}' value detected")))?;
        for suite in &document.suites {
            self.is_required_a_name |= suite.context == "required";
            self.is_required_a_key |= suite.required;
        }
        if self.is_required_a_name && self.is_required_a_key {
            let message = "context \"required\" forbidden when using the 'required' key";
            return Err(problem("context", message.to_owned()));
        }
        Ok(())
    }
}

/// The first text that must be ASCII and is not; commands, variables and paths need not be.
fn non_ascii(document: &Document) -> Option<Position> {
    document
        .written
        .entries()
        .iter()
        .filter(|entry| !is_free(entry))
        .find_map(|entry| first_non_ascii(&entry.value))
}

fn is_free(entry: &Entry) -> bool {
    const FREE: [&str; 4] = ["tests", "env", "paths", "paths-ignore"];
    matches!(&entry.key, Scalar::Text(key) if FREE.contains(&key.as_str()))
}

fn first_non_ascii(node: &Node) -> Option<Position> {
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
