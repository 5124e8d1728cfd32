//! What a document takes over from the one before it, and how it unsets things.

use super::*;

const ENVIRONMENTS: [&str; 4] = [
    "sandbox: true",
    "container: {image: i}",
    "host: {distro: d}",
    "cluster: {hosts: [{name: h, distro: d}]}",
];

/// A file of these documents.
fn file(documents: &[&str]) -> String {
    documents.join("\n---\n")
}

#[test]
fn only_the_first_suite_has_a_default_context() {
    assert_eq!(suites("sandbox: true\ntests: []")[0].context, "Red Hat CI");
    let two = file(&["sandbox: true\ntests: []", "sandbox: true\ntests: []"]);
    let message = "failed to parse 2nd testsuite: Schema validation failed:\n - \
                   Cannot find required key 'context'. Path: ''.";
    assert_eq!(verdict(two), message);
}

#[test]
fn a_context_that_is_null_is_missing_in_the_first_suite_too() {
    check_schema(&[("context:", "Cannot find required key 'context'. Path: ''")]);
    assert_eq!(suite("context: ''").context, "");
}

#[test]
fn inherit_is_a_boolean() {
    let message = "expected 'bool' value for 'inherit' key";
    for value in ["1", "'true'", "", "~", "[]", "{}", "y"] {
        check_lines(&[(&format!("inherit: {value}"), message)]);
    }
    for value in ["true", "false", "yes", "off"] {
        check_lines(&[(&format!("inherit: {value}"), "ok")]);
    }
}

#[test]
fn everything_but_the_context_is_inherited() {
    let first = "container: {image: i}\nbranches: [auto]\npulls: false\nrequired: true\n\
                 env: {A: a}\nbuild: true\ntests: [t]\ntimeout: 5m\nartifacts: [f]\n\
                 packages: [p]\nextra-repos: [{name: n}]";
    let suites = suites(&file(&[first, "inherit: true\ncontext: second"]));
    let expected = Suite {
        context: "second".to_owned(),
        ..suites[0].clone()
    };
    assert_eq!(suites[1], expected);
    let nameless = file(&[first, "inherit: true"]);
    assert!(verdict(nameless).contains("Cannot find required key 'context'"));
}

#[test]
fn nothing_is_inherited_without_being_asked_for() {
    let first = "sandbox: true\ntests: [t]\ntimeout: 5m";
    for second in [
        "tests: []\ncontext: b",
        "tests: []\ncontext: b\ninherit: false",
    ] {
        let message = "failed to parse 2nd testsuite: \
                       at least one of 'host', 'container', or 'cluster' required";
        assert_eq!(verdict(file(&[first, second])), message);
    }
    let own = "sandbox: true\ntests: []\ncontext: b\ninherit: no";
    assert_eq!(suites(&file(&[first, own]))[1].timeout_s, TIMEOUT_S_MAX);
}

#[test]
fn the_first_suite_has_nothing_to_inherit() {
    assert_eq!(suite("inherit: true").context, "Red Hat CI");
}

#[test]
fn inheritance_goes_on_from_suite_to_suite_until_one_does_not_inherit() {
    let suites = suites(&file(&[
        "sandbox: true\ntests: [t]\ntimeout: 1m\nenv: {A: a}",
        "inherit: true\ncontext: b\ntimeout: 2m",
        "inherit: true\ncontext: c",
        "sandbox: true\ntests: []\ncontext: d",
        "inherit: true\ncontext: e",
    ]));
    let timeouts: Vec<u64> = suites.iter().map(|suite| suite.timeout_s).collect();
    assert_eq!(timeouts, [60, 120, 120, 7200, 7200]);
    assert_eq!(suites[2].env.len(), 1);
    assert_eq!(suites[4].env, []);
}

#[test]
fn a_suite_that_no_event_needs_is_inherited_from_all_the_same() {
    let suites = suites(&file(&[
        "sandbox: true\ntests: [t]\nbranches: []\npulls: false",
        "inherit: true\ncontext: b\npulls: true",
    ]));
    assert_eq!(suites[1].tests, ["t"]);
}

#[test]
fn lists_and_mappings_are_replaced_whole() {
    let suites = suites(&file(&[
        "sandbox: true\ntests: [t, u]\nenv: {A: a, B: b}\nbranches: [x]",
        "inherit: true\ncontext: b\ntests: [v]\nenv: {C: c}\nbranches: []",
    ]));
    assert_eq!(suites[1].tests, ["v"]);
    assert_eq!(suites[1].env.len(), 1);
    assert_eq!(suites[1].branches, [""; 0]);
}

#[test]
fn an_environment_replaces_the_inherited_one_of_whatever_kind() {
    for first in ENVIRONMENTS {
        for second in ENVIRONMENTS {
            let first = format!("{first}\ntests: []");
            let second_document = format!("inherit: true\ncontext: b\n{second}");
            let suites = suites(&file(&[&first, &second_document]));
            assert!(second.starts_with(suites[1].environment.key()));
        }
    }
}

#[test]
fn an_environment_of_null_takes_the_inherited_one_away() {
    let none = "failed to parse 2nd testsuite: \
                at least one of 'host', 'container', or 'cluster' required";
    for key in ["sandbox", "host", "container", "cluster"] {
        let second = format!("inherit: true\ncontext: b\n{key}:");
        let file = file(&["container: {image: i}\ntests: []", &second]);
        assert_eq!(verdict(file), none, "{key}");
    }
}

#[test]
fn null_unsets_what_is_inherited() {
    let suites = suites(&file(&[
        "sandbox: true\nbuild: true\ntests: [t]\ntimeout: 1m\nrequired: true\nenv: {A: a}",
        "inherit: true\ncontext: b\ntimeout:\nrequired: ~\nenv: null\ntests:",
    ]));
    let second = &suites[1];
    assert_eq!((second.timeout_s, second.required), (TIMEOUT_S_MAX, false));
    assert_eq!((second.env.len(), second.tests.len()), (0, 0));
    assert_eq!(second.build, Some(Build::default()));
}

#[test]
fn null_is_the_same_as_no_key_also_for_keys_that_mean_nothing() {
    check(&[
        (
            "sandbox: true\nbuild:\ntests:\n",
            "failed to parse 1st testsuite: at least one of 'build' or 'tests' required",
        ),
        ("sandbox: true\ntests: []\nnonsense:\nhost: ~\n", "ok"),
    ]);
    let json = &printed("sandbox: true\ntests: []\nnonsense:\ninherit: false\n")[0];
    assert_eq!((json.get("nonsense"), json.get("inherit")), (None, None));
}
