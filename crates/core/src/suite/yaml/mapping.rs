//! A mapping that keeps its order.

use std::collections::HashMap;

use super::{Node, Scalar};
use crate::suite::Position;

/// Keys and values in the order in which the keys first came; no key twice.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::suite) struct Mapping {
    entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::suite) struct Entry {
    pub(in crate::suite) key: Scalar,
    pub(in crate::suite) key_place: Position,
    pub(in crate::suite) value: Node,
}

impl Mapping {
    /// The entries, in order.
    pub(in crate::suite) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The value of a text key.
    pub(in crate::suite) fn value(&self, key: &str) -> Option<&Node> {
        self.entries
            .iter()
            .find(|entry| matches!(&entry.key, Scalar::Text(text) if text == key))
            .map(|entry| &entry.value)
    }

    /// Whether there is this text key, with whatever value.
    pub(in crate::suite) fn mentions(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Keeps the entries that `keep` likes.
    pub(in crate::suite) fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(keep);
    }

    /// See [`Node::weight`].
    pub(in crate::suite) fn weight(&self) -> usize {
        self.entries
            .iter()
            .map(|entry| entry.key.weight().saturating_add(entry.value.weight()))
            .sum()
    }
}

impl FromIterator<Entry> for Mapping {
    /// The last value of a key wins; it takes the place of the first (as in Python's `dict`).
    fn from_iter<T: IntoIterator<Item = Entry>>(entries: T) -> Self {
        let mut positions: HashMap<Scalar, usize> = HashMap::new();
        let mut kept: Vec<Entry> = Vec::new();
        for entry in entries {
            let seen = positions.get(&entry.key).and_then(|&at| kept.get_mut(at));
            match seen {
                Some(earlier) => *earlier = entry,
                None => {
                    positions.insert(entry.key.clone(), kept.len());
                    kept.push(entry);
                }
            }
        }
        Self { entries: kept }
    }
}

impl IntoIterator for Mapping {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}
