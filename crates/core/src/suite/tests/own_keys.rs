//! The keys that are ours, one by one: what they say, what is refused.

use super::*;

#[test]
fn a_suite_can_have_a_name_beside_its_context() {
    assert_eq!(
        suite("name: unit tests").name.as_deref(),
        Some("unit tests")
    );
    assert_eq!(suite("name: ~").name, None);
    check_schema(&[
        ("name: 5", "Value '5' is not of type 'str'. Path: '/name'"),
        ("name: ''", "Value '' is no name. Path: '/name'"),
    ]);
}

#[test]
fn a_name_or_context_means_one_suite() {
    let file = |second: &str| {
        format!(
            "sandbox: true\ntests: []\ncontext: a\nname: n\n---\nsandbox: true\ntests: []\n{second}\n"
        )
    };
    let duplicate =
        |key: &str| format!("failed to parse 2nd testsuite: duplicate '{key}' value detected");
    check(&[
        (&file("context: b\nname: m"), "ok"),
        (&file("context: n"), &duplicate("context")),
        (&file("context: b\nname: n"), &duplicate("name")),
        (&file("context: b\nname: a"), &duplicate("name")),
        (&file("context: b\nname: b"), &duplicate("name")),
    ]);
    let place = read("f", file("context: b\nname: a").as_bytes())
        .unwrap_err()
        .place;
    assert_eq!(place, Some(Position { line: 9, column: 7 }));
}

#[test]
fn labels_are_distinct_words() {
    assert_eq!(
        suite("labels: [kvm, arm64, a.b_c-D9]").labels,
        ["kvm", "arm64", "a.b_c-D9"]
    );
    for label in ["", "a b", "a/b", "ä"] {
        let finding = format!(
            "Value '{label}' does not match pattern '^[A-Za-z0-9._-]+$'. Path: '/labels/1'"
        );
        check_schema(&[(&format!("labels: [kvm, '{label}']"), &finding)]);
    }
    check_schema(&[
        (
            "labels: kvm",
            "Value 'b'kvm'' is not a list. Value path: '/labels'",
        ),
        (
            "labels: [kvm, kvm]",
            "Value 'kvm' is not unique. Previous path: '/labels/0'. Path: '/labels/1'",
        ),
        (
            "labels: [1]",
            "Value '1' is not of type 'str'. Path: '/labels/0'",
        ),
    ]);
}

#[test]
fn slots_and_retries_are_numbers_from_a_range() {
    assert_eq!(suite("slots: 1").slots, Some(1));
    assert_eq!(suite("slots: 64").slots, Some(64));
    assert_eq!(suite("retries: 0").retries, 0);
    assert_eq!(suite("retries: 5").retries, RETRIES_MAX);
    for (line, value) in [("slots", "0"), ("slots", "65"), ("slots", "-1")] {
        let finding = format!("Value '{value}' is not from 1 to 64. Path: '/{line}'");
        check_schema(&[(&format!("{line}: {value}"), &finding)]);
    }
    for value in ["6", "-1", "9223372036854775807"] {
        let finding = format!("Value '{value}' is not from 0 to 5. Path: '/retries'");
        check_schema(&[(&format!("retries: {value}"), &finding)]);
    }
    check_schema(&[
        (
            "slots: '2'",
            "Value '2' is not of type 'int'. Path: '/slots'",
        ),
        (
            "slots: yes",
            "Value 'True' is not of type 'int'. Path: '/slots'",
        ),
        (
            "retries: 1.5",
            "Value '1.5' is not of type 'int'. Path: '/retries'",
        ),
    ]);
}

#[test]
fn three_keys_are_booleans() {
    assert!(suite("preemptible: yes").preemptible);
    assert!(suite("allow-failure: yes").allow_failure);
    assert!(suite("on-demand: yes").on_demand);
    for key in ["preemptible", "allow-failure", "on-demand"] {
        let finding = format!("Value '1' is not of type 'bool'. Path: '/{key}'");
        check_schema(&[(&format!("{key}: 1"), &finding)]);
    }
}

#[test]
fn secrets_are_distinct_names_of_variables() {
    assert_eq!(suite("secrets: [TOKEN, _a1]").secrets, ["TOKEN", "_a1"]);
    for name in ["", "1A", "A-B", "A=B"] {
        let finding = format!(
            "Value '{name}' does not match pattern '^[a-zA-Z_][a-zA-Z0-9_]*$'. Path: '/secrets/0'"
        );
        check_schema(&[(&format!("secrets: ['{name}']"), &finding)]);
    }
    check_schema(&[
        (
            "secrets: [A, A]",
            "Value 'A' is not unique. Previous path: '/secrets/0'. Path: '/secrets/1'",
        ),
        (
            "secrets: {A: b}",
            "Value '{'A': 'b'}' is not a list. Value path: '/secrets'",
        ),
    ]);
}

#[test]
fn checkout_says_what_the_working_copy_has() {
    let checkout = |value: &str| suite(&format!("checkout: {value}")).checkout;
    let nothing = Checkout::default();
    assert_eq!(checkout("{}"), nothing);
    assert_eq!(checkout("{submodules: ~, lfs: ~, depth: ~}"), nothing);
    let all = checkout("{submodules: recursive, lfs: yes, depth: 1}");
    let expected = Checkout {
        submodules: Submodules::Recursive,
        lfs: Lfs::Fetched,
        depth: Some(1),
    };
    assert_eq!(all, expected);
    let not = checkout("{submodules: false, lfs: off}");
    assert_eq!(
        (not.submodules, not.lfs),
        (Submodules::Without, Lfs::Without)
    );
    assert_eq!(checkout("{submodules: on}").submodules, Submodules::Direct);
    check_schema(&[
        (
            "checkout: {submodules: deep}",
            "Value 'deep' is not of type 'true|false|recursive'. Path: '/checkout/submodules'",
        ),
        (
            "checkout: {lfs: 1}",
            "Value '1' is not of type 'bool'. Path: '/checkout/lfs'",
        ),
        (
            "checkout: {depth: 0}",
            "Value '0' is not from 1 to 1000000. Path: '/checkout/depth'",
        ),
        (
            "checkout: {submodule: true}",
            "Key 'submodule' was not defined. Path: '/checkout'",
        ),
    ]);
}

#[test]
fn our_keys_are_inherited_but_for_the_name_and_unset_by_null() {
    let keys = "needs: [z]\npaths: [a]\npaths-ignore: [b]\nlabels: [l]\nslots: 2\nretries: 1\n\
                preemptible: true\nallow-failure: true\non-demand: true\nsecrets: [S]\n\
                checkout: {depth: 2}\nmatrix: {M: [1]}";
    let file = format!(
        "sandbox: true\ntests: []\ncontext: z\n---\n\
         sandbox: true\ntests: []\ncontext: a {{M}}\nname: n\n{keys}\n---\n\
         inherit: true\ncontext: b {{M}}\n---\n\
         inherit: true\ncontext: c\n{}\n",
        keys.lines()
            .filter_map(|line| Some(format!("{}:\n", line.split_once(':')?.0)))
            .collect::<String>()
    );
    let suites = suites(&file);
    let inherited = Suite {
        context: "b 1".to_owned(),
        matrix_context: Some("b {M}".to_owned()),
        name: None,
        ..suites[1].clone()
    };
    assert_eq!(suites[2], inherited);
    let sandbox = Environment::Sandbox {
        network: Network::Off,
    };
    assert_eq!(suites[3], Suite::new("c", sandbox));
}

#[test]
fn keys_that_are_written_otherwise_are_unknown() {
    for key in [
        "paths_ignore",
        "allow_failure",
        "on_demand",
        "Name",
        "label",
        "secret",
    ] {
        let finding = format!("Key '{key}' was not defined. Path: ''");
        check_schema(&[(&format!("{key}: true"), &finding)]);
    }
}
