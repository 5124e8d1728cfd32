//! Makes a document whole: what it takes over from the one before it, and what it unsets.

use super::error::Problem;
use super::yaml::{Entry, Mapping, Node, Scalar, Value};
use super::{CONTEXT_DEFAULT, Position};

/// The keys of which a suite has exactly one. The first is ours, the others are PAPR's.
pub(super) const ENVIRONMENT_KEYS: [&str; 4] = ["sandbox", "host", "container", "cluster"];

/// Merges a document with the merged document before it; `None` for a file's first.
///
/// What is null afterwards is dropped, so a document can unset what it would take over.
///
/// # Errors
///
/// The document is no mapping, or `inherit` is no boolean.
pub(super) fn merge(document: Node, previous: Option<&Mapping>) -> Result<Mapping, Problem> {
    let place = document.place;
    let Value::Map(own) = document.value else {
        return Err(Problem::at(place, "top-level type should be a dict")
            .plainly("a suite is written as keys with values, such as context: unit"));
    };
    let inherits = inherits(&own)?;
    let mut merged: Mapping = match previous {
        None => default_context(&own, place)
            .into_iter()
            .chain(own)
            .collect(),
        Some(previous) if inherits => heritage(previous, &own).chain(own.clone()).collect(),
        Some(_) => own,
    };
    merged.retain(|entry| !entry.value.is_null() && !is(entry, "inherit"));
    Ok(merged)
}

fn inherits(own: &Mapping) -> Result<bool, Problem> {
    match own.value("inherit") {
        None => Ok(false),
        Some(Node {
            value: Value::Scalar(Scalar::Bool(inherits)),
            ..
        }) => Ok(*inherits),
        Some(other) => Err(Problem::at(
            other.place,
            "expected 'bool' value for 'inherit' key",
        )),
    }
}

/// The context that the first document gets if it does not mention one.
fn default_context(own: &Mapping, place: Position) -> Option<Entry> {
    (!own.mentions("context")).then(|| Entry {
        key: Scalar::from("context"),
        key_place: place,
        value: Node {
            value: Value::Scalar(Scalar::from(CONTEXT_DEFAULT)),
            place,
        },
    })
}

/// What a document takes over: everything but what it is called, and no environment if it has a word
/// to say about its own. Lists and mappings come whole; the document's own replace them.
fn heritage<'a>(previous: &'a Mapping, own: &Mapping) -> impl Iterator<Item = Entry> + use<'a> {
    let own_environment = ENVIRONMENT_KEYS.iter().any(|key| own.mentions(key));
    previous
        .entries()
        .iter()
        .filter(move |entry| {
            !(own_environment && ENVIRONMENT_KEYS.iter().any(|key| is(entry, key)))
        })
        .filter(|entry| !is(entry, "context") && !is(entry, "name"))
        .cloned()
}

fn is(entry: &Entry, key: &str) -> bool {
    matches!(&entry.key, Scalar::Text(text) if text == key)
}
