//! Every key of a suite but its environment: type, default, what is refused.

use super::*;

#[test]
fn whatever_is_not_said_has_a_default() {
    let expected = Suite {
        context: "Red Hat CI".to_owned(),
        environment: Environment::Sandbox {
            network: Network::Off,
        },
        branches: vec!["master".to_owned()],
        pulls: true,
        required: false,
        env: Vec::new(),
        build: None,
        tests: Vec::new(),
        timeout_s: 7200,
        artifacts: Vec::new(),
        packages: Vec::new(),
        extra_repos: Vec::new(),
        name: None,
        matrix: Vec::new(),
        matrix_context: None,
        needs: Vec::new(),
        paths: Vec::new(),
        paths_ignore: Vec::new(),
        labels: Vec::new(),
        slots: None,
        retries: 0,
        preemptible: false,
        allow_failure: false,
        on_demand: false,
        secrets: Vec::new(),
        checkout: Checkout::default(),
    };
    assert_eq!(suites("sandbox: true\ntests: []"), [expected]);
}

#[test]
fn context_is_a_text() {
    let context = "FAH28 - Containerized (Podman in Podman) | a/b";
    assert_eq!(suite(&format!("context: {context}")).context, context);
    check_schema(&[
        (
            "context: 5",
            "Value '5' is not of type 'str'. Path: '/context'",
        ),
        (
            "context: 1.50",
            "Value '1.5' is not of type 'str'. Path: '/context'",
        ),
        (
            "context: yes",
            "Value 'True' is not of type 'str'. Path: '/context'",
        ),
        (
            "context: [a]",
            "Value '['a']' is not of type 'str'. Path: '/context'",
        ),
    ]);
}

#[test]
fn branches_are_distinct_texts() {
    assert_eq!(suite("branches: [auto, try]").branches, ["auto", "try"]);
    assert_eq!(suite("branches: []").branches, [""; 0]);
    check_schema(&[
        (
            "branches: auto",
            "Value 'b'auto'' is not a list. Value path: '/branches'",
        ),
        (
            "branches: yes",
            "Value 'True' is not a list. Value path: '/branches'",
        ),
        (
            "branches: {a: b}",
            "Value '{'a': 'b'}' is not a list. Value path: '/branches'",
        ),
        (
            "branches: [a, 5]",
            "Value '5' is not of type 'str'. Path: '/branches/1'",
        ),
        (
            "branches: [a, ~]",
            "Value 'None' is not of type 'str'. Path: '/branches/1'",
        ),
        (
            "branches: [a, b, a]",
            "Value 'a' is not unique. Previous path: '/branches/0'. Path: '/branches/2'",
        ),
    ]);
}

#[test]
fn pulls_and_required_are_booleans() {
    assert!(!suite("pulls: no").pulls);
    assert!(suite("required: on").required);
    check_schema(&[
        (
            "pulls: 'no'",
            "Value 'no' is not of type 'bool'. Path: '/pulls'",
        ),
        (
            "pulls: 1",
            "Value '1' is not of type 'bool'. Path: '/pulls'",
        ),
        (
            "required: y",
            "Value 'y' is not of type 'bool'. Path: '/required'",
        ),
        (
            "required: []",
            "Value '[]' is not of type 'bool'. Path: '/required'",
        ),
    ]);
}

#[test]
fn packages_are_distinct_texts() {
    let packages = suite("packages: ['@group', 'https://h/p.rpm', 'pkgconfig(glib)']").packages;
    assert_eq!(packages, ["@group", "https://h/p.rpm", "pkgconfig(glib)"]);
    check_schema(&[
        (
            "packages: gcc",
            "Value 'b'gcc'' is not a list. Value path: '/packages'",
        ),
        (
            "packages: [a, b, a]",
            "Value 'a' is not unique. Previous path: '/packages/0'. Path: '/packages/2'",
        ),
        (
            "packages: [1.5]",
            "Value '1.5' is not of type 'str'. Path: '/packages/0'",
        ),
    ]);
}

#[test]
fn tests_and_artifacts_may_repeat_themselves() {
    assert_eq!(suite("tests: [make, make, '']").tests, ["make", "make", ""]);
    assert_eq!(
        suite("artifacts: [a, a, ../b, /c]").artifacts,
        ["a", "a", "../b", "/c"]
    );
    check_schema(&[
        (
            "tests: make",
            "Value 'b'make'' is not a list. Value path: '/tests'",
        ),
        (
            "tests: [true]",
            "Value 'True' is not of type 'str'. Path: '/tests/0'",
        ),
        (
            "tests: [a: b]",
            "Value '{'a': 'b'}' is not of type 'str'. Path: '/tests/0'",
        ),
        (
            "tests: [~]",
            "Value 'None' is not of type 'str'. Path: '/tests/0'",
        ),
        (
            "artifacts: log",
            "Value 'b'log'' is not a list. Value path: '/artifacts'",
        ),
        (
            "artifacts: [5]",
            "Value '5' is not of type 'str'. Path: '/artifacts/0'",
        ),
    ]);
}

#[test]
fn env_maps_names_to_texts_in_order() {
    let variables = suite("env: {B: '2', _a1: ä, C: }").env;
    let pairs: Vec<_> = variables
        .iter()
        .map(|variable| (variable.name.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(pairs, [("B", "2"), ("_a1", "ä"), ("C", "")]);
}

#[test]
fn env_refuses_what_the_shell_would() {
    let regex = "^[a-zA-Z_][a-zA-Z0-9_]*$";
    for name in ["1A", "A-B", "A B", "''", "Ä", "A.B"] {
        let key = name.trim_matches('\'');
        let finding = format!("Key '{key}' does not match any regex '{regex}'. Path: '/env'");
        check_schema(&[(&format!("env: {{{name}: v}}"), &finding)]);
    }
    check_schema(&[
        (
            "env: {5: v}",
            &format!("Key '5' does not match any regex '{regex}'. Path: '/env'"),
        ),
        (
            "env: {A: 5}",
            "Value '5' is not of type 'str'. Path: '/env/A'",
        ),
        (
            "env: {A: yes}",
            "Value 'True' is not of type 'str'. Path: '/env/A'",
        ),
        (
            "env: [A]",
            "Value '['A']' is not a dict. Value path: '/env'",
        ),
        ("env: A", "Value 'A' is not a dict. Value path: '/env'"),
    ]);
}

#[test]
fn build_is_a_boolean_or_options() {
    assert_eq!(suite("build: true").build, Some(Build::default()));
    assert_eq!(suite("build: {}").build, Some(Build::default()));
    assert_eq!(suite("build: false").build, None);
    let options =
        suite("build:\n  config-opts: >\n    --a\n    --b\n  build-opts: c\n  install-opts: d");
    let expected = Build {
        config_opts: "--a --b".to_owned(),
        build_opts: "c".to_owned(),
        install_opts: "d".to_owned(),
    };
    assert_eq!(options.build, Some(expected));
}

#[test]
fn build_refuses_other_types_and_keys() {
    for value in ["1", "'true'", "[]", "make"] {
        check_lines(&[(&format!("build: {value}"), "expected bool or map")]);
    }
    check_schema(&[
        (
            "build: {opts: a}",
            "Key 'opts' was not defined. Path: '/build'",
        ),
        (
            "build: {build-opts: 5}",
            "Value '5' is not of type 'str'. Path: '/build/build-opts'",
        ),
    ]);
}

#[test]
fn a_timeout_is_digits_and_a_unit() {
    for (text, seconds) in [
        ("0s", 0),
        ("90s", 90),
        ("007m", 420),
        ("120m", 7200),
        ("2h", 7200),
        ("7200s", 7200),
        ("0h", 0),
    ] {
        assert_eq!(
            suite(&format!("timeout: {text}")).timeout_s,
            seconds,
            "{text}"
        );
    }
    for text in [
        "''", "s", "20", "-1s", "1.5h", "1 m", "1m30s", "1d", "1M", " 1m", "٣s",
    ] {
        let line = format!("timeout: '{}'", text.trim_matches('\''));
        check_lines(&[(&line, "invalid timeout string")]);
    }
}

#[test]
fn a_timeout_is_a_text_of_at_most_two_hours() {
    for value in ["20", "1.5", "true", "[1m]", "{a: b}", "1:30"] {
        check_lines(&[(&format!("timeout: {value}"), "expected str")]);
    }
    for value in [
        "7201s",
        "121m",
        "3h",
        "99999999999999999999h",
        "9223372036854775807m",
    ] {
        check_lines(&[(
            &format!("timeout: {value}"),
            "timeout cannot be greater than 2 hours",
        )]);
    }
}

#[test]
fn extra_repos_are_settings_with_a_name() {
    let repos = suite("extra-repos: [{baseurl: u, name: n, gpgcheck: 0}, {name: m}]").extra_repos;
    assert_eq!(repos.len(), 2);
    assert_eq!(repos[0].name, "n");
    let settings: Vec<_> = repos[0]
        .settings
        .iter()
        .map(|setting| format!("{}={}", setting.key, setting.value))
        .collect();
    assert_eq!(settings, ["baseurl=u", "name=n", "gpgcheck=0"]);
    assert_eq!(suite("extra-repos: []").extra_repos, []);
}

#[test]
fn extra_repos_refuse_everything_else() {
    check_lines(&[
        ("extra-repos: n", "expected list of dicts"),
        ("extra-repos: {name: n}", "expected list of dicts"),
        ("extra-repos: [n]", "repo 0 is not a dict"),
        ("extra-repos: [{name: n}, ~]", "repo 1 is not a dict"),
        (
            "extra-repos: [{name: n}, {a: b}]",
            "repo 1 missing key 'name'",
        ),
        (
            "extra-repos: [{name: yes}]",
            "key 'name' of repo 0 is not str or int",
        ),
        (
            "extra-repos: [{name: n, a: yes}]",
            "key 'a' of repo 0 is not str or int",
        ),
        (
            "extra-repos: [{name: n, a: 1.5}]",
            "key 'a' of repo 0 is not str or int",
        ),
        (
            "extra-repos: [{name: n, a: }]",
            "key 'a' of repo 0 is not str or int",
        ),
        (
            "extra-repos: [{name: n, a: [b]}]",
            "key 'a' of repo 0 is not str or int",
        ),
    ]);
}

#[test]
fn keys_that_mean_nothing_are_refused() {
    check_schema(&[
        ("nonsense: 1", "Key 'nonsense' was not defined. Path: ''"),
        ("Tests: []", "Key 'Tests' was not defined. Path: ''"),
        ("yes: 1", "Key 'True' was not defined. Path: ''"),
        ("5: 1", "Key '5' was not defined. Path: ''"),
    ]);
}
