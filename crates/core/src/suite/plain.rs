//! The words for people who have the file before them. PAPR's own words, which comments and
//! `--json` keep, are made where a fault is found.

use super::document::KEYS;
use super::yaml::{Node, Scalar, Value, display};

/// How much of a value is quoted, in characters.
const QUOTED_CHARS_MAX: usize = 60;

/// Where in a suite, such as `"tests", item 2`; of the path `/tests/1`.
pub(super) fn spot(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| match part.parse::<usize>() {
        Ok(index) => format!("item {}", index.saturating_add(1)),
        Err(_) => format!("\"{part}\""),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What is said of the value at a path: `"timeout": expected …`.
pub(super) fn of_value(path: &str, words: &str) -> String {
    let spot = spot(path);
    if spot.is_empty() {
        words.to_owned()
    } else {
        format!("{spot}: {words}")
    }
}

/// A value that has another type than the one of this Python name.
pub(super) fn of_type(node: &Node, name: &str, path: &str) -> String {
    let wanted = match name {
        "str" => "a text",
        "bool" => "true or false",
        "int" => "a whole number",
        "list" => "a list",
        "dict" => "keys with values",
        other => return of_value(path, &format!("expected {}", other.replace('|', " or "))),
    };
    let found = kind(node);
    let remedy = match (name, &node.value) {
        ("str", Value::Scalar(_)) => "; put it in quotes",
        ("str", Value::List(_) | Value::Map(_)) if has_colon(node) => {
            "; put a text with \": \" in it in quotes"
        }
        ("bool" | "int", Value::Scalar(Scalar::Text(_))) => "; write it without quotes",
        ("list", Value::Scalar(_)) => "; write it in [brackets], or below with \"- \" before it",
        _ => "",
    };
    of_value(path, &format!("expected {wanted}, not {found}{remedy}"))
}

/// `- echo a: b` is a mapping to YAML.
fn has_colon(node: &Node) -> bool {
    matches!(&node.value, Value::Map(mapping) if mapping.entries().len() == 1)
}

fn kind(node: &Node) -> String {
    match &node.value {
        Value::Scalar(Scalar::Null) => "an empty value".to_owned(),
        Value::Scalar(Scalar::Text(text)) => format!("the text \"{}\"", shortened(text)),
        value @ Value::Scalar(_) => format!("the value {}", shortened(&display(value))),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "keys with values".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// A key that means nothing in the mapping with this path.
pub(super) fn unknown_key(key: &str, path: &str) -> String {
    let known = known_keys(path);
    let key = shortened(key);
    let remedy = match nearest(&key, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if path.is_empty() => "docs/suites.md has all keys".to_owned(),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    };
    of_value(path, &format!("unknown key \"{key}\": {remedy}"))
}

/// The known key that was probably meant: at most a third of the letters differ.
pub(super) fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let distance = |other: &str| strsim::damerau_levenshtein(&plain(key), &plain(other));
    let near = known.iter().copied().min_by_key(|other| distance(other))?;
    (distance(near) <= (near.len() / 3).max(1)).then_some(near)
}

fn known_keys(path: &str) -> &'static [&'static str] {
    match path {
        "" => &KEYS,
        "/sandbox" => &["network"],
        "/checkout" => &["submodules", "lfs", "depth"],
        "/build" => &["config-opts", "build-opts", "install-opts"],
        "/container" => &["image", "kvm", "specs"],
        "/container/specs" => &["ram", "cpus"],
        "/host" => &["distro", "ostree", "specs"],
        "/host/ostree" => &["remote", "branch", "revision"],
        "/cluster" => &["hosts", "container"],
        "/cluster/container" => &["image"],
        _ if path.ends_with("/specs") => &["ram", "cpus", "disk", "secondary-disk"],
        _ => &[],
    }
}
