//! The JSON of `paprq validate --json`.

use super::*;

fn json(file: &str) -> String {
    let read = read_documents(".papr.yml", file.as_bytes());
    as_json(read.as_ref().map(Vec::as_slice)).to_string()
}

#[test]
fn defaults_of_five_keys_are_filled_in_and_no_others() {
    assert_eq!(
        json("sandbox: true\ntests: []\n"),
        r#"{"error":null,"suites":[{"context":"Red Hat CI","sandbox":true,"tests":[],"branches":["master"],"pulls":true,"required":false,"timeout":"2h"}]}"#
    );
}

#[test]
fn keys_and_values_are_those_of_the_file() {
    let keys = [
        ("timeout: 90m", "timeout", r#""90m""#),
        ("branches: []", "branches", "[]"),
        ("pulls: off", "pulls", "false"),
        ("build: {config-opts: a}", "build", r#"{"config-opts":"a"}"#),
        ("build: false", "build", "false"),
        (
            "env: {B: b, A: a, C: }",
            "env",
            r#"{"B":"b","A":"a","C":null}"#,
        ),
        (
            "extra-repos: [{name: n, gpgcheck: 0}]",
            "extra-repos",
            r#"[{"name":"n","gpgcheck":0}]"#,
        ),
        (
            "host: {distro: d, ostree: latest}",
            "host",
            r#"{"distro":"d","ostree":"latest"}"#,
        ),
        ("container: {image: i}", "container", r#"{"image":"i"}"#),
    ];
    for (lines, key, expected) in keys {
        assert_eq!(printed_key(lines, key), expected, "{lines}");
    }
}

#[test]
fn inheritance_is_worked_out() {
    let file = "sandbox: true\ntests: [a]\nenv: {A: a}\n---\ninherit: true\ncontext: b\nenv:\n";
    assert_eq!(
        printed(file)[1].to_string(),
        r#"{"sandbox":true,"tests":["a"],"context":"b","branches":["master"],"pulls":true,"required":false,"timeout":"2h"}"#
    );
}

#[test]
fn an_error_comes_without_suites() {
    assert_eq!(
        json("sandbox: true\ntests: []\n---\nx\n"),
        r#"{"error":"failed to parse 2nd testsuite: top-level type should be a dict","suites":[]}"#
    );
}

#[test]
fn a_file_without_documents_is_no_error() {
    assert_eq!(json("# nothing\n"), r#"{"error":null,"suites":[]}"#);
}
