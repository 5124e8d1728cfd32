//! Holds the table of keys in `docs/suites.md`: every key is in it, and what it says of each is true.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, helpers too fail by panicking"
)]

use std::collections::BTreeSet;

use paprq_core::suite::{KEYS, Suite, read};

const PAGE: &str = include_str!("../docs/suites.md");
const HEADER: &str = "| key | type | default | meaning | whose | example |";

/// PAPR's keys; whatever else there is, is ours.
const OF_PAPR: [&str; 15] = [
    "container",
    "host",
    "cluster",
    "tests",
    "build",
    "env",
    "timeout",
    "context",
    "required",
    "branches",
    "pulls",
    "inherit",
    "packages",
    "extra-repos",
    "artifacts",
];

/// One line of the table.
#[derive(Debug)]
struct Row {
    key: String,
    kind: String,
    default: String,
    meaning: String,
    whose: String,
    example: String,
}

fn rows() -> Vec<Row> {
    let lines = PAGE.lines().skip_while(|line| *line != HEADER).skip(2);
    let rows: Vec<Row> = lines
        .take_while(|line| line.starts_with('|'))
        .map(row)
        .collect();
    assert!(!rows.is_empty(), "no table with the header {HEADER}");
    rows
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    assert_eq!(cells.len(), 6, "{line}");
    Row {
        key: code(cells[0]),
        kind: cells[1].to_owned(),
        default: cells[2].to_owned(),
        meaning: cells[3].to_owned(),
        whose: cells[4].to_owned(),
        example: code(cells[5]),
    }
}

/// What stands between backticks.
fn code(cell: &str) -> String {
    let code = cell
        .strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'));
    code.unwrap_or_else(|| panic!("not code: {cell}"))
        .to_owned()
}

/// A file of two suites, the second of which has this line, and nothing else of its key.
fn file(key: &str, line: &str) -> String {
    let environment = ["sandbox", "container", "host", "cluster"].contains(&key);
    let also = [
        ("context", "context: example", true),
        ("sandbox", "sandbox: true", !environment),
        ("tests", "tests: [make]", true),
    ];
    let mut file =
        String::from("context: lint\nsandbox: true\ntests: [make lint]\ntimeout: 1m\n---\n");
    for (other, line, fits) in also {
        if other != key && fits {
            file.push_str(line);
            file.push('\n');
        }
    }
    file + line + "\n"
}

/// The suites of the second document.
fn suites(key: &str, line: &str) -> Result<Vec<Suite>, String> {
    let suites = read("suites.yml", file(key, line).as_bytes());
    let suites = suites.map_err(|error| error.message)?;
    Ok(suites.into_iter().skip(1).collect())
}

#[test]
fn the_table_has_every_key_of_the_reader_once_and_no_other() {
    let keys: Vec<String> = rows().into_iter().map(|row| row.key).collect();
    let distinct: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    assert_eq!(distinct, BTreeSet::from(KEYS));
    assert_eq!(keys.len(), KEYS.len());
}

#[test]
fn the_table_says_whose_each_key_is_and_what_it_means() {
    for row in rows() {
        let papr = OF_PAPR.contains(&row.key.as_str());
        let whose = if papr { "PAPR" } else { "ours" };
        assert_eq!(row.whose, whose, "{}", row.key);
        assert!(!row.meaning.is_empty(), "{}", row.key);
    }
}

#[test]
fn every_example_is_valid_states_its_key_and_makes_a_difference() {
    for Row { key, example, .. } in rows() {
        assert!(example.starts_with(&format!("{key}: ")), "{example}");
        let with = suites(&key, &example).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert!(!with.is_empty());
        // What must be there has no suite without it to be compared with.
        let without = suites("", "pulls: true").unwrap();
        assert_ne!(with, without, "{example} says nothing");
    }
}

#[test]
fn every_default_is_what_a_suite_has_that_does_not_state_the_key() {
    for Row { key, default, .. } in rows() {
        if default.is_empty() || default == "see below" {
            continue;
        }
        let stated = suites(&key, &format!("{key}: {}", code(&default)));
        let silent = suites("", "pulls: true");
        assert_eq!(stated, silent, "{key}");
    }
}

#[test]
fn a_key_without_a_default_can_be_left_out_or_is_missed() {
    let silent = suites("", "pulls: true").unwrap();
    assert_eq!(silent.len(), 1, "all keys but three are left out");
    for (key, missed) in [
        ("context", "Cannot find required key 'context'"),
        (
            "sandbox",
            "at least one of 'host', 'container', or 'cluster'",
        ),
        ("tests", "at least one of 'build' or 'tests'"),
    ] {
        let error = suites(key, "pulls: true").unwrap_err();
        assert!(error.contains(missed), "{error}");
    }
}

#[test]
fn values_of_other_types_are_refused() {
    for Row { key, kind, .. } in rows() {
        for value in wrong(&kind) {
            let line = format!("{key}: {value}");
            assert!(
                suites(&key, &line).is_err(),
                "{line} is no {kind}, and goes"
            );
        }
        for value in right(&kind) {
            let line = format!("{key}: {value}");
            if let Err(error) = suites(&key, &line) {
                panic!("{line} is a {kind}, and is refused: {error}");
            }
        }
    }
}

/// Values that are none of this type.
fn wrong(kind: &str) -> Vec<String> {
    let values: &[&str] = match kind {
        "text" => &["5", "yes", "[a]", "{a: b}"],
        "boolean" => &["1", "'yes'", "y", "[]", "{}"],
        "boolean or mapping" => &["1", "'yes'", "[]"],
        "`true` or mapping" => &["false", "1", "[]", "a"],
        "mapping" => &["a", "1", "[]", "true"],
        "mapping of texts" => &["a", "[a]", "{A: 1}", "{A: [a]}", "{1A: a}"],
        "mapping of lists" => &["a", "[a]", "{A: a}", "{A: []}", "{A: [1.5]}", "{1A: [a]}"],
        "list of texts" => &["a", "5", "{a: b}", "[5]", "[[a]]"],
        "list of mappings" => &["a", "{name: a}", "[a]", "[[a]]"],
        "list of distinct texts" => &["a", "5", "{a: b}", "[5]", "[a, a]"],
        "list of distinct globs" => &["a", "[5]", "[a, a]", "['[a']", "[/a]", "[a**]"],
        "list of distinct words" => &["a", "[5]", "[a, a]", "[a b]", "['']"],
        "list of distinct variables" => &["a", "[5]", "[a, a]", "[a b]", "[1a]", "[a-b]"],
        "digits and unit" => &["20", "'20'", "m", "1d", "1 h", "1.5h", "-1s", "3h", "[1h]"],
        _ => return beyond(kind),
    };
    values.iter().map(|&value| value.to_owned()).collect()
}

/// Values that show how much of this type goes.
fn right(kind: &str) -> Vec<String> {
    let values: &[&str] = match kind {
        "boolean" => &["true", "no", "on"],
        "boolean or mapping" => &["true", "off", "{}"],
        "`true` or mapping" => &["yes", "{}"],
        "list of texts" => &["[]", "[a, a]"],
        "mapping of texts" => &["{}", "{_a1: ä}"],
        "mapping of lists" => &["{}", "{A: [1, yes, b]}"],
        "digits and unit" => &["0s", "120m", "1h"],
        _ if kind.starts_with("integer") => return ends(kind).map(|end| end.to_string()).into(),
        _ => &[],
    };
    values.iter().map(|&value| value.to_owned()).collect()
}

fn beyond(kind: &str) -> Vec<String> {
    let [least, most] = ends(kind);
    let beyond = [(least - 1).to_string(), (most + 1).to_string()];
    let other = ["'1'", "1.5", "yes", "[1]"].map(str::to_owned);
    beyond.into_iter().chain(other).collect()
}

/// The least and the most of `integer from A to B`.
fn ends(kind: &str) -> [i64; 2] {
    let ends = kind.strip_prefix("integer from ");
    let ends = ends.unwrap_or_else(|| panic!("the test knows no type {kind}"));
    let (least, most) = ends.split_once(" to ").unwrap();
    [least.parse().unwrap(), most.parse().unwrap()]
}

#[test]
fn the_example_of_a_matrix_makes_the_suites_that_the_page_promises() {
    let block: String = PAGE
        .lines()
        .skip_while(|line| *line != "    matrix:")
        .map_while(|line| line.strip_prefix("    "))
        .map(|line| format!("{line}\n"))
        .collect();
    let contexts = |file: &str| -> Vec<String> {
        let suites = read("suites.yml", file.as_bytes()).unwrap();
        suites.into_iter().map(|suite| suite.context).collect()
    };
    assert_eq!(
        contexts(&format!("{block}tests: [make]\n")),
        [
            "f28 with gcc",
            "f29 with gcc",
            "f28 with clang",
            "f29 with clang"
        ]
    );
    let other = block.replace("f{FEDORA} with {CC}", "unit");
    assert!(PAGE.contains("`unit (gcc, 28)`"));
    assert_eq!(
        contexts(&format!("{other}tests: [make]\n"))[0],
        "unit (gcc, 28)"
    );
}
