//! JSON to a tree. `serde_json` reads it, one level at a time, so that each value's place in
//! the text stays known.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Entry, Malformed, Node, TWICE, Table, Value, position};
use crate::config::finding::Position;

/// Reads the whole text, whose top must be an object.
pub(super) fn parse(text: &str) -> Result<Table, Malformed> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| malformed(&error, None))?;
    match node(text, raw)? {
        Node {
            value: Value::Table(table),
            ..
        } => Ok(table),
        Node { at, value } => Err(Malformed {
            at: Some(at),
            message: format!("the file is {}, not an object", value.kind()),
            remedy: None,
        }),
    }
}

/// The keys and values of one object, in order.
struct Object<'t>(Vec<(String, &'t RawValue)>);

fn node(text: &str, raw: &RawValue) -> Result<Node, Malformed> {
    let at = place(text, raw);
    let source = raw.get();
    let value = match source.bytes().next() {
        Some(b'{') => Value::Table(table(text, level(raw, at)?, at)?),
        Some(b'[') => Value::List(list(text, &level::<Vec<&RawValue>>(raw, at)?)?),
        Some(b'"') => Value::Text(level(raw, at)?),
        Some(b't' | b'f') => Value::Truth(level(raw, at)?),
        Some(b'n') => Value::Other("null"),
        _ if source.contains(['.', 'e', 'E']) => Value::Other("a fraction"),
        _ => source
            .parse()
            .map_or(Value::Other("a number out of range"), Value::Whole),
    };
    Ok(Node { at, value })
}

fn table(text: &str, object: Object<'_>, at: Position) -> Result<Table, Malformed> {
    let mut table = Table::default();
    for (key, raw) in object.0 {
        if table.entry(&key).is_some() {
            let message = format!("the key {key:?} stands twice in the object");
            return Err(Malformed {
                at: Some(at),
                message,
                remedy: Some(TWICE),
            });
        }
        let node = node(text, raw)?;
        table.0.push(Entry {
            key,
            at: node.at,
            node,
        });
    }
    Ok(table)
}

fn list(text: &str, items: &[&RawValue]) -> Result<Vec<Node>, Malformed> {
    items.iter().map(|item| node(text, item)).collect()
}

/// Reads one level of a value that stands at `at`.
fn level<'t, T: Deserialize<'t>>(raw: &'t RawValue, at: Position) -> Result<T, Malformed> {
    serde_json::from_str(raw.get()).map_err(|error| malformed(&error, Some(at)))
}

/// `at` is where the text begins that was being read, if not at the file's start.
fn malformed(error: &serde_json::Error, at: Option<Position>) -> Malformed {
    let message = error.to_string();
    let plain = message.split(" at line ").next().unwrap_or_default();
    Malformed {
        at: at.or(Some(Position {
            line: error.line(),
            column: error.column(),
        })),
        message: plain.to_owned(),
        remedy: None,
    }
}

/// A borrowed raw value is a part of the text itself, so its address tells its place.
fn place(text: &str, raw: &RawValue) -> Position {
    let offset = raw.get().as_ptr().addr().checked_sub(text.as_ptr().addr());
    position(text, offset.unwrap_or_default())
}

impl<'t> Deserialize<'t> for Object<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'t> Visitor<'t> for Pairs {
            type Value = Object<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Object<'t>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
