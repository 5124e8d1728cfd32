//! Going over everything that stands in a file, with what is known of it.

use std::collections::BTreeSet;

use super::section::join;
use super::tree::{Entry, Table, Value};

/// One key of the file.
pub(super) struct Found<'t> {
    /// The table it stands in: `repo.x`.
    pub(super) table: String,
    /// The same with `*` for names that people choose: `repo.*`.
    pub(super) table_pattern: String,
    /// The key with its table, with `*`: `repo.*.owner`. None where nobody reads such a key.
    pub(super) pattern: Option<String>,
    pub(super) entry: &'t Entry,
}

/// All keys of a file; below unknown ones and below values that are no tables nothing.
pub(super) fn survey<'t>(top: &'t Table, known: &BTreeSet<String>) -> Vec<Found<'t>> {
    let mut found = Vec::new();
    go_over(top, "", "", known, &mut found);
    found
}

fn go_over<'t>(
    table: &'t Table,
    path: &str,
    table_pattern: &str,
    known: &BTreeSet<String>,
    found: &mut Vec<Found<'t>>,
) {
    for entry in &table.0 {
        let candidates = [&entry.key, "*"].map(|key| join(table_pattern, key));
        let pattern = candidates
            .into_iter()
            .find(|pattern| known.contains(pattern));
        found.push(Found {
            table: path.to_owned(),
            table_pattern: table_pattern.to_owned(),
            pattern: pattern.clone(),
            entry,
        });
        let Some(pattern) = pattern.filter(|pattern| has_keys(pattern, known)) else {
            continue;
        };
        let inner_path = join(path, &entry.key);
        for inner in tables(&entry.node.value) {
            go_over(inner, &inner_path, &pattern, known, found);
        }
    }
}

fn has_keys(table_pattern: &str, known: &BTreeSet<String>) -> bool {
    let start = join(table_pattern, "");
    known
        .range(start.clone()..)
        .next()
        .is_some_and(|key| key.starts_with(&start))
}

fn tables(value: &Value) -> Vec<&Table> {
    match value {
        Value::Table(table) => vec![table],
        Value::List(items) => items.iter().flat_map(|item| tables(&item.value)).collect(),
        Value::Text(_) | Value::Whole(_) | Value::Truth(_) | Value::Other(_) => Vec::new(),
    }
}
