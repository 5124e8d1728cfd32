//! Which message comes first, and which are told together.

use super::*;

const NO_ENVIRONMENT: &str = "at least one of 'host', 'container', or 'cluster' required";
const TWO_ENVIRONMENTS: &str = "only one of 'host', 'container', or 'cluster' required";
const NOTHING_TO_DO: &str = "at least one of 'build' or 'tests' required";

#[track_caller]
fn check_first(cases: &[(&str, &str)]) {
    for (file, message) in cases {
        check(&[(file, &format!("failed to parse 1st testsuite: {message}"))]);
    }
}

#[test]
fn a_suite_has_one_environment_and_something_to_do() {
    check_first(&[
        ("tests: []", NO_ENVIRONMENT),
        (
            "host: {distro: d}\ncontainer: {image: i}\ntests: []",
            TWO_ENVIRONMENTS,
        ),
        ("host: x\ncluster: x\ncontainer: x\n", TWO_ENVIRONMENTS),
        (
            "sandbox: true\ncontainer: {image: i}\ntests: []",
            "only one of 'sandbox', 'host', 'container', or 'cluster' required",
        ),
        ("host: {distro: d}", NOTHING_TO_DO),
    ]);
    check(&[
        ("sandbox: true\nbuild: false\n", "ok"),
        ("sandbox: true\nbuild: true\ntests: []\n", "ok"),
    ]);
}

#[test]
fn papr_s_own_checks_come_first_and_alone() {
    check_first(&[
        (
            "nonsense: 1\ninherit: 1\n",
            "expected 'bool' value for 'inherit' key",
        ),
        ("nonsense: 1\ntests: 5\ntimeout: 5\n", NO_ENVIRONMENT),
        ("sandbox: true\nnonsense: 1\ntimeout: 5\n", NOTHING_TO_DO),
        (
            "sandbox: true\nnonsense: 1\ntests: 5\ntimeout: 5\n",
            "expected str",
        ),
        (
            "sandbox: true\ntests: []\ntimeout: 3h\nbuild: 5\n",
            "timeout cannot be greater than 2 hours",
        ),
        (
            "sandbox: true\ntests: []\nbuild: 5\ntimeout: 3h\n",
            "expected bool or map",
        ),
    ]);
}

#[test]
fn findings_of_the_schema_are_told_together_in_the_order_of_the_file() {
    let file = "container: {image: , tag: t}\ntests: [5]\ncontext:\nnonsense: 1\nenv: {1: v}\npulls: maybe\n";
    insta::assert_snapshot!(verdict(file), @r"
    failed to parse 1st testsuite: Schema validation failed:
     - Cannot find required key 'context'. Path: ''.
     - required.novalue : '/container/image'.
     - Key 'tag' was not defined. Path: '/container'.
     - Value '5' is not of type 'str'. Path: '/tests/0'.
     - Key 'nonsense' was not defined. Path: ''.
     - Key '1' does not match any regex '^[a-zA-Z_][a-zA-Z0-9_]*$'. Path: '/env'.
     - Value 'maybe' is not of type 'bool'. Path: '/pulls'.
    ");
}

#[test]
fn a_suite_is_checked_before_it_is_compared_with_others() {
    let suite = "sandbox: true\ntests: []\ncontext: a\n";
    let file = format!("{suite}---\n{suite}nonsense: 1\n");
    assert!(verdict(file).ends_with(" - Key 'nonsense' was not defined. Path: ''."));
}

#[test]
fn values_are_quoted_as_python_prints_them() {
    check_schema(&[
        (
            "tests: \"it's\\n\"",
            "Value 'b\"it's\\\\n\"' is not a list. Value path: '/tests'",
        ),
        (
            "context: {a: [yes, ~, 1.0, x'y]}",
            "Value '{'a': [True, None, 1.0, \"x'y\"]}' is not of type 'str'. Path: '/context'",
        ),
        (
            "context: 99999999999999999999",
            "Value '99999999999999999999' is not of type 'str'. Path: '/context'",
        ),
    ]);
}

#[test]
fn a_message_does_not_grow_with_the_values_that_it_quotes() {
    let message = verdict(with(&format!("pulls: {}", "x".repeat(100_000))));
    assert!(message.ends_with("xxx [...]"), "{message}");
    assert!(message.len() < 4100, "{}", message.len());
}
