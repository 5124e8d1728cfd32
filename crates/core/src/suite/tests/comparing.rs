//! What holds between the suites of a file, and of every text in them.

use super::*;

#[test]
fn no_two_suites_have_one_context() {
    let duplicate = "failed to parse 2nd testsuite: duplicate 'context' value detected";
    let second = |context: &str| {
        format!("sandbox: true\ntests: []\n---\nsandbox: true\ntests: []\ncontext: {context}\n")
    };
    check(&[
        (&second("Red Hat CI"), duplicate),
        (&second("red hat ci"), "ok"),
        (&format!("context: a\n{}", second("a")), duplicate),
    ]);
}

#[test]
fn a_suite_named_required_does_not_go_with_required_suites() {
    let forbidden = |ordinal: &str| {
        format!(
            "failed to parse {ordinal} testsuite: \
             context \"required\" forbidden when using the 'required' key"
        )
    };
    let suite = |context: &str, required: bool| {
        format!("sandbox: true\ntests: []\ncontext: {context}\nrequired: {required}\n")
    };
    let two = |a: String, b: String| format!("{a}---\n{b}");
    check(&[
        (&suite("required", true), &forbidden("1st")),
        (&suite("required", false), "ok"),
        (
            &two(suite("a", true), suite("required", false)),
            &forbidden("2nd"),
        ),
        (
            &two(suite("required", false), suite("a", true)),
            &forbidden("2nd"),
        ),
        (&two(suite("Required", false), suite("a", true)), "ok"),
    ]);
}

#[test]
fn texts_are_ascii_but_for_commands_and_variables() {
    let refused = "non-ASCII characters found in ASCII-only field";
    for lines in [
        "context: ä",
        "branches: [ä]",
        "packages: [a, ä]",
        "artifacts: [ä]",
        "extra-repos: [{name: ä}]",
        "container: {image: ä}",
        "host: {distro: ä}",
        "host: {distro: d, ostree: {branch: ä}}",
        "cluster: {hosts: [{name: h, distro: ä}]}",
        "cluster: {hosts: [{name: h, distro: d, note: ä}]}",
        "build: {config-opts: ä}",
    ] {
        assert_eq!(verdict(with(lines)), refused, "{lines}");
    }
    check_lines(&[
        ("tests: [echo ä]", "ok"),
        ("env: {A: ä}", "ok"),
        ("# ä", "ok"),
    ]);
}

#[test]
fn every_suite_is_ascii_but_is_told_after_all_other_faults() {
    let second = "sandbox: true\ntests: []\n---\nsandbox: true\ntests: []\ncontext: ä\n";
    check(&[(second, "non-ASCII characters found in ASCII-only field")]);
    let worse = "sandbox: true\ntests: []\ncontext: ä\n---\nworse\n";
    check(&[(
        worse,
        "failed to parse 2nd testsuite: top-level type should be a dict",
    )]);
    let place = read("f", second.as_bytes()).unwrap_err().place;
    assert_eq!(
        place,
        Some(Position {
            line: 6,
            column: 10
        })
    );
}

#[test]
fn a_file_has_a_limited_number_of_suites() {
    let documents = |count: usize| {
        let documents: Vec<String> = (0..count)
            .map(|number| format!("sandbox: true\ntests: []\ncontext: c{number}\n"))
            .collect();
        documents.join("---\n")
    };
    assert_eq!(suites(&documents(SUITES_MAX)).len(), SUITES_MAX);
    check(&[(
        &documents(SUITES_MAX + 1),
        "file has more than 256 testsuites",
    )]);
}
