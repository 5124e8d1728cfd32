//! Holds the table at the end of `docs/migrating-from-homu.md`: each test that it names is there,
//! and what the program can do of Homu's is in it.
//!
//! Sources are read as text, so that nothing need be built.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, helpers too fail by panicking"
)]

mod guides;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use guides::{is_test, quoted, root, rows};
use paprq_core::command::Grammar;
use paprq_core::ids::Login;

const GUIDE: &str = include_str!("../docs/migrating-from-homu.md");
const HEADING: &str = "## Every line of Homu, and the test that holds it";

#[test]
fn every_row_names_tests_and_every_test_that_is_named_exists() {
    let rows = rows(table());
    assert!(rows.len() > 100, "only {} rows", rows.len());
    for row in &rows {
        let tests = quoted(row.last().unwrap());
        assert!(
            !tests.is_empty() || row.last().unwrap() == &"see below",
            "{row:?}"
        );
        assert!(tests.iter().all(|name| name.contains("::")), "{row:?}");
    }
    let named = quoted(table()).into_iter();
    let named: BTreeSet<_> = named.filter(|name| name.contains("::")).collect();
    let missing: Vec<_> = named.iter().filter(|name| !is_test(name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn what_is_no_test_is_found_out() {
    for name in [
        "queue::tests::compat::no_such_test",
        "queue::tests::no_such_module::rollup_in_all_its_forms_sets_one_value",
        // A helper, and a function of the program.
        "queue::tests::compat::said",
        "command::mention::all",
        "no_such_binary::main_job::a_try_is_tested_and_never_lands",
    ] {
        assert!(!is_test(name), "{name}");
    }
    for name in [
        "queue::message::tests::ignored_blocks_are_cut",
        "queue::tests::order::pulls_are_ordered_by_homus_tuple",
        "stories::main_job::a_try_is_tested_and_never_lands",
        "command_line::homu::check_names_each_variable_that_is_not_set",
        "migration_guide::what_is_no_test_is_found_out",
    ] {
        assert!(is_test(name), "{name}");
    }
}

#[test]
fn every_command_is_in_the_table() {
    let grammar = Grammar {
        bot: Login::new("bot"),
        hooks: vec!["HOOK".to_owned()],
        aliases: Vec::new(),
    };
    let mut read = BTreeSet::new();
    for row in rows(section("Commands")) {
        for form in quoted(row[0]) {
            let reading = grammar.read(&format!("@bot {form}"), &Login::new("alice"));
            let commands = reading
                .commands
                .iter()
                .map(|command| format!("{command:?}"));
            read.extend(commands.map(|text| text.split([' ', '(']).next().unwrap().to_owned()));
        }
    }
    assert_eq!(read, variants("crates/core/src/command/mod.rs", "Command"));
}

#[test]
fn every_label_event_is_in_the_table() {
    let events = variants("crates/core/src/queue/labels.rs", "LabelEvent");
    let events: BTreeSet<String> = events.iter().map(|event| snake_case(event)).collect();
    let named = rows(section("Label events")).into_iter();
    let named = named.flat_map(|row| quoted(row[0]));
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), events);
}

#[test]
fn every_message_and_every_type_is_in_the_table() {
    let messages = section("Messages");
    let signs = signs(&read("crates/core/src/notes/comment.rs"));
    assert!(signs.len() > 15, "{signs:?}");
    for sign in signs {
        assert!(messages.contains(&sign), "{sign}");
    }
    let source = read("crates/core/src/notes/machine.rs");
    let types = source.split('"').skip(1).step_by(2);
    let types = types.filter(|text| text.starts_with(|first: char| first.is_ascii_uppercase()));
    let types: BTreeSet<&str> = types.collect();
    let named = rows(messages).into_iter().flat_map(|row| quoted(row[1]));
    assert_eq!(named.collect::<BTreeSet<_>>(), types);
}

#[test]
fn every_route_is_in_the_table() {
    let named = quoted(section("Routes"));
    let mut routes = 0;
    let files = rust_files("src/web").into_iter();
    for file in files.filter(|file| !file.starts_with("src/web/tests")) {
        let source = read(&file);
        let methods = [".get(", ".post(", ".put("].into_iter();
        let places = methods.flat_map(|method| source.split(method).skip(1));
        let paths = places.filter_map(|place| place.trim_start().strip_prefix('"'));
        let paths = paths.filter_map(|place| place.split('"').next());
        for path in paths.filter(|path| path.starts_with('/')) {
            let is_named = named.iter().any(|name| {
                *name == path || (name.ends_with('/') && *name != "/" && path.starts_with(name))
            });
            assert!(is_named, "{path}");
            routes += 1;
        }
    }
    assert!(routes > 20, "only {routes} routes");
}

#[test]
fn every_column_of_both_lines_is_in_the_table() {
    let named = quoted(section("main.db"));
    for file in ["tests/homu/servo.sql", "tests/homu/rust-lang.sql"] {
        let sql = read(file);
        for table in sql.split("create table ").skip(1) {
            let (name, columns) = table.split_once('(').unwrap();
            let columns = columns.split(',').filter_map(|column| {
                let column = column.split_whitespace().next()?;
                (!column.starts_with("unique") && !column.contains(')')).then_some(column)
            });
            for column in columns.flat_map(|column| [name.trim(), column]) {
                assert!(named.contains(&column), "{file}: {column}");
            }
        }
    }
}

fn table() -> &'static str {
    GUIDE.split_once(HEADING).unwrap().1
}

/// What stands under a heading of the table.
fn section(heading: &str) -> &'static str {
    let (_, rest) = table().split_once(&format!("\n### {heading}\n")).unwrap();
    rest.split("\n### ").next().unwrap()
}

/// The variants of an enum.
fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let source = read(file);
    let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let body = body.split("\n}").next().unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    names
        .map(|line| line.split([' ', ',', '(']).next().unwrap().to_owned())
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The pictures that texts begin with, such as `:lock:`.
fn signs(source: &str) -> BTreeSet<String> {
    let parts: Vec<&str> = source.split(':').collect();
    let inner = parts
        .windows(3)
        .filter(|w| w[0].ends_with(['"', ' ']) && w[2].starts_with([' ', '"']));
    let names = inner.map(|w| w[1]).filter(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    });
    names.map(|name| format!(":{name}:")).collect()
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let path = path.strip_prefix(root()).unwrap().to_owned();
        if root().join(&path).is_dir() {
            files.extend(rust_files(path.to_str().unwrap()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}
