//! YAML as PyYAML's safe loader reads it, since that is what PAPR's files were written for:
//! YAML 1.1's meanings on top of a maintained parser's events.
//!
//! Values know where they were written. Whatever PAPR could not load is an error here, and so is
//! what grows out of proportion to the file.

mod load;
mod mapping;
mod python;
mod scalar;
mod tabs;

pub(super) use load::load;
pub(super) use mapping::{Entry, Mapping};
pub(super) use python::{bytes_literal, display, display_scalar};

use super::Position;

/// A value and where it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Position,
}

/// A value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Mapping),
}

/// A value without parts; also what a key can be.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as it was written.
    HugeInt(String),
    /// A floating-point number, as Python prints it.
    Float(String),
    Text(String),
    /// A date or a moment, as it was written.
    Date(String),
}

impl Node {
    /// The null value.
    pub(super) fn is_null(&self) -> bool {
        self.value == Value::Scalar(Scalar::Null)
    }

    /// The texts of a list, each with its position and its place.
    pub(super) fn texts(&self) -> impl Iterator<Item = (usize, &str, Position)> {
        let items = match &self.value {
            Value::List(items) => items.as_slice(),
            Value::Scalar(_) | Value::Map(_) => &[],
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| Some((index, item.text()?, item.place)))
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Scalar::Text(text)) => Some(text),
            Value::Scalar(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A measure of what it takes to keep or copy it, in bytes.
    pub(super) fn weight(&self) -> usize {
        let parts = match &self.value {
            Value::Scalar(scalar) => scalar.weight(),
            Value::List(items) => items.iter().map(Self::weight).sum(),
            Value::Map(mapping) => mapping.weight(),
        };
        parts.saturating_add(NODE_WEIGHT)
    }
}

impl Node {
    /// How many lists and mappings stand in each other in it, itself included.
    fn depth(&self) -> usize {
        let deepest = match &self.value {
            Value::Scalar(_) => return 0,
            Value::List(items) => items.iter().map(Self::depth).max(),
            Value::Map(mapping) => mapping
                .entries()
                .iter()
                .map(|entry| entry.value.depth())
                .max(),
        };
        deepest.unwrap_or(0) + 1
    }
}

/// What a value weighs beside its text.
const NODE_WEIGHT: usize = 16;

impl Scalar {
    fn weight(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) => 0,
            Self::HugeInt(text) | Self::Float(text) | Self::Text(text) | Self::Date(text) => {
                text.len()
            }
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
