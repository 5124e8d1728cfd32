//! What the reader of suites promises, by example, and in `generated` on texts made by chance.

mod calling;
mod comparing;
mod definition_hash;
mod environments;
mod generated;
mod inheriting;
mod keys;
mod loading;
mod matrix;
mod messages;
mod needing;
mod own_keys;
mod paths;
mod printing;
mod waiting;
mod wild;

use serde_json::Value as Json;

use super::*;

/// What the file's author is told; `ok` if nothing.
fn verdict(file: impl AsRef<[u8]>) -> String {
    match read(".papr.yml", file.as_ref()) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.message,
    }
}

/// Each of these files gets this verdict.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (file, expected) in cases {
        assert_eq!(verdict(file), *expected, "{file:?}");
    }
}

/// Each of these lines, added to a suite that is fine, gets this verdict on the first suite.
#[track_caller]
fn check_lines(cases: &[(&str, &str)]) {
    for (lines, expected) in cases {
        let expected = match *expected {
            "ok" => "ok".to_owned(),
            message => format!("failed to parse 1st testsuite: {message}"),
        };
        assert_eq!(verdict(with(lines)), expected, "{lines:?}");
    }
}

/// Each of these lines gets a verdict that is one finding of the schema.
#[track_caller]
fn check_schema(cases: &[(&str, &str)]) {
    for (lines, finding) in cases {
        let expected = format!("Schema validation failed:\n - {finding}.");
        check_lines(&[(lines, &expected)]);
    }
}

/// A file of one suite that is fine but for these lines.
fn with(lines: &str) -> String {
    let mut file = String::new();
    if !["sandbox", "host", "container", "cluster"]
        .iter()
        .any(|key| lines.starts_with(key))
    {
        file.push_str("sandbox: true\n");
    }
    if !lines.starts_with("tests") && !lines.starts_with("build") {
        file.push_str("tests: []\n");
    }
    file + lines + "\n"
}

#[track_caller]
fn suites(file: &str) -> Vec<Suite> {
    match read(".papr.yml", file.as_bytes()) {
        Ok(suites) => suites,
        Err(error) => panic!("{}: {file}", error.message),
    }
}

/// The suite of a file of one, made of these lines and what else it takes.
#[track_caller]
fn suite(lines: &str) -> Suite {
    let mut suites = suites(&with(lines));
    assert_eq!(suites.len(), 1);
    suites.remove(0)
}

/// What `paprq validate --json` says of each suite.
#[track_caller]
fn printed(file: &str) -> Vec<Json> {
    let documents = read_documents(".papr.yml", file.as_bytes()).unwrap();
    let json = as_json(Ok(&documents));
    assert_eq!(json["error"], Json::Null);
    json["suites"].as_array().unwrap().clone()
}

/// How the suite of these lines prints the value of this key.
#[track_caller]
fn printed_key(lines: &str, key: &str) -> String {
    printed(&with(lines))[0][key].to_string()
}
