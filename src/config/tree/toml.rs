//! TOML to a tree.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Entry, Malformed, Node, TWICE, Table, Value, position};

/// What the parser says of a key that is there twice, without naming it.
const DUPLICATE: &str = "duplicate key";

/// Reads the whole text; every fault that the parser finds on its way.
pub(super) fn parse(text: &str) -> Result<Table, Vec<Malformed>> {
    let (document, faults) = DeTable::parse_recoverable(text);
    if faults.is_empty() {
        return Ok(table(text, document.get_ref()));
    }
    let malformed = faults.iter().map(|fault| {
        let span = fault.span();
        let at = span
            .as_ref()
            .map(|Range { start, .. }| position(text, *start));
        let message = fault.message().replace('\n', " ");
        let words = span.and_then(|span| text.get(span)).map(str::trim);
        match words.filter(|_| message == DUPLICATE) {
            Some(key) => Malformed {
                at,
                message: format!("the key {key} is there twice"),
                remedy: Some(TWICE),
            },
            None => Malformed {
                at,
                message,
                remedy: None,
            },
        }
    });
    Err(malformed.collect())
}

fn table(text: &str, table: &DeTable<'_>) -> Table {
    let entries = table.iter().map(|(key, value)| Entry {
        key: key.get_ref().clone().into_owned(),
        at: position(text, key.span().start),
        node: node(text, value),
    });
    Table(entries.collect())
}

fn node(text: &str, spanned: &Spanned<DeValue<'_>>) -> Node {
    let value = match spanned.get_ref() {
        DeValue::String(string) => Value::Text(string.clone().into_owned()),
        DeValue::Integer(integer) => whole(integer),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Boolean(truth) => Value::Truth(*truth),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(array) => Value::List(array.iter().map(|item| node(text, item)).collect()),
        DeValue::Table(inner) => Value::Table(table(text, inner)),
    };
    Node {
        at: position(text, spanned.span().start),
        value,
    }
}

fn whole(integer: &DeInteger<'_>) -> Value {
    i64::from_str_radix(integer.as_str(), integer.radix())
        .map_or(Value::Other("a number out of range"), Value::Whole)
}
