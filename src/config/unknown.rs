//! Keys that nobody reads: each is an error that names the nearest one that somebody does.

use std::collections::BTreeSet;

use super::reading::Reading;
use super::section::join;
use super::survey::Found;

/// Notes an error for each key that was not asked for.
pub(super) fn report(reading: &Reading<'_>, found: &[Found<'_>]) {
    let known = reading.known.borrow();
    for key in found.iter().filter(|key| key.pattern.is_none()) {
        let place = reading.place(Some(key.entry.at), &key.table);
        let message = format!("unknown key \"{}\"", key.entry.key);
        reading.error(
            place,
            message,
            &remedy(&key.entry.key, &key.table_pattern, &known),
        );
    }
}

fn remedy(key: &str, table_pattern: &str, known: &BTreeSet<String>) -> String {
    let here = keys_of(table_pattern, known);
    if let Some(near) = nearest(key, &here) {
        return format!("did you mean \"{near}\"?");
    }
    let elsewhere: Vec<String> = known
        .iter()
        .filter_map(|pattern| table_with(key, pattern))
        .collect();
    if !elsewhere.is_empty() {
        return format!("it belongs {}", elsewhere.join(" or "));
    }
    format!("remove it; known here: {}", here.join(", "))
}

/// The keys of one table, without names that people choose.
fn keys_of<'k>(table_pattern: &str, known: &'k BTreeSet<String>) -> Vec<&'k str> {
    let start = if table_pattern.is_empty() {
        String::new()
    } else {
        join(table_pattern, "")
    };
    let keys = known
        .iter()
        .filter_map(|pattern| pattern.strip_prefix(&start));
    keys.filter(|key| !key.contains('.') && *key != "*")
        .collect()
}

/// The key that was probably meant: at most a third of the letters differ.
pub(super) fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let distance = |other: &str| strsim::damerau_levenshtein(&plain(key), &plain(other));
    let near = known.iter().copied().min_by_key(|other| distance(other))?;
    (distance(near) <= (near.len() / 3).max(1)).then_some(near)
}

/// Where a key of this name is read, if the pattern is one.
fn table_with(key: &str, pattern: &str) -> Option<String> {
    if pattern == key {
        return Some("at the top of the file".to_owned());
    }
    let table = pattern.strip_suffix(key)?.strip_suffix('.')?;
    Some(format!("in [{}]", table.replace('*', "NAME")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> BTreeSet<String> {
        let keys = [
            "web",
            "web.port",
            "web.host",
            "repo",
            "repo.*",
            "repo.*.reviewers",
            "max",
        ];
        keys.map(str::to_owned).into()
    }

    #[test]
    fn the_nearest_key_of_the_table_is_named() {
        assert_eq!(
            remedy("reviewer", "repo.*", &known()),
            "did you mean \"reviewers\"?"
        );
        assert_eq!(remedy("Prot", "web", &known()), "did you mean \"port\"?");
        assert_eq!(remedy("wbe", "", &known()), "did you mean \"web\"?");
    }

    #[test]
    fn a_key_of_another_table_is_sent_there() {
        assert_eq!(
            remedy("reviewers", "web", &known()),
            "it belongs in [repo.NAME]"
        );
        assert_eq!(
            remedy("max", "repo.*", &known()),
            "it belongs at the top of the file"
        );
    }

    #[test]
    fn a_key_like_no_other_gets_the_list() {
        let remedy = remedy("unlikely", "web", &known());
        assert_eq!(remedy, "remove it; known here: host, port");
    }
}
