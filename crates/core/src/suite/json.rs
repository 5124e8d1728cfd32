//! What `paprq validate --json` prints.

use serde_json::{Map, Number, Value as Json, json};

use super::BRANCH_DEFAULT;
use super::audit::text_key;
use super::yaml::{Entry, Mapping, Scalar, Value, display_scalar};
use super::{Document, SuiteFileError};

/// `{"error": null | "message", "suites": […]}`; no suites where there is an error.
///
/// Each suite has the file's own keys and values as they were written, after inheritance and
/// unsetting, and the defaults of `context`, `branches`, `pulls`, `required` and `timeout`.
pub fn as_json(read: Result<&[Document], &SuiteFileError>) -> Json {
    match read {
        Ok(documents) => {
            let suites: Vec<Json> = documents.iter().map(document).collect();
            json!({ "error": null, "suites": suites })
        }
        Err(error) => json!({ "error": error.message, "suites": [] }),
    }
}

fn document(document: &Document) -> Json {
    let written = document.written();
    let mut suite = mapping(written);
    let defaults = [
        ("branches", json!([BRANCH_DEFAULT])),
        ("pulls", json!(true)),
        ("required", json!(false)),
        ("timeout", json!("2h")),
    ];
    for (key, default) in defaults {
        if !written.mentions(key) {
            suite.insert(key.to_owned(), default);
        }
    }
    Json::Object(suite)
}

/// An entry; a key that is no text as Python prints it.
pub(super) fn entry_as_json(entry: &Entry) -> (String, Json) {
    let key = text_key(entry).map_or_else(|| display_scalar(&entry.key), str::to_owned);
    (key, value(&entry.value.value))
}

fn mapping(mapping: &Mapping) -> Map<String, Json> {
    mapping.entries().iter().map(entry_as_json).collect()
}

fn value(value_: &Value) -> Json {
    match value_ {
        Value::Scalar(scalar_) => scalar(scalar_),
        Value::List(items) => items.iter().map(|item| value(&item.value)).collect(),
        Value::Map(mapping_) => Json::Object(mapping(mapping_)),
    }
}

/// Numbers as numbers where JSON has them; dates, and numbers beyond JSON's, as texts.
fn scalar(scalar: &Scalar) -> Json {
    match scalar {
        Scalar::Null => Json::Null,
        Scalar::Bool(truth) => Json::Bool(*truth),
        Scalar::Int(number) => Json::from(*number),
        Scalar::Float(text) => text
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| Json::from(text.as_str()), Json::Number),
        Scalar::HugeInt(text) | Scalar::Text(text) | Scalar::Date(text) => {
            Json::from(text.as_str())
        }
    }
}
