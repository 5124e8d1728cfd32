//! From bytes to documents: encodings, YAML 1.1, anchors, what is no YAML.

use super::*;

const NO_UTF8: &str = "file is not valid UTF-8";
const NO_YAML: &str = "file could not be parsed as valid YAML";

const SUITE: &str = "sandbox: true\ntests: []\n";

fn error(file: &str) -> SuiteFileError {
    read("suites.yml", file.as_bytes()).unwrap_err()
}

#[test]
fn four_names_are_looked_for_in_this_order() {
    assert_eq!(
        FILE_NAMES,
        [".papr-ex.yaml", ".papr.yml", ".papr.yaml", ".redhat-ci.yml"]
    );
}

#[test]
fn an_error_says_which_file_and_where() {
    let error = error("sandbox: true\ntests: []\ntimeout: 20\n");
    assert_eq!(error.file_name, "suites.yml");
    assert_eq!(
        error.place,
        Some(Position {
            line: 3,
            column: 10
        })
    );
    assert_eq!(error.detail, None);
    assert_eq!(error.to_string(), error.message);
}

#[test]
fn what_is_no_yaml_is_told_with_the_parsers_reason() {
    let error = error("a: b\nc: [\n");
    assert_eq!(error.message, NO_YAML);
    assert!(error.detail.is_some_and(|detail| !detail.is_empty()));
    assert!(error.place.is_some_and(|place| place.line >= 2));
}

#[test]
fn only_utf_8_is_read() {
    assert_eq!(verdict(b"\xff"), NO_UTF8);
    assert_eq!(verdict([SUITE.as_bytes(), b"# \xe4\n"].concat()), NO_UTF8);
    let utf_16: Vec<u8> = "\u{feff}tests: []\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(verdict(utf_16), NO_UTF8);
}

#[test]
fn a_byte_order_mark_and_any_line_ends_are_fine() {
    assert_eq!(verdict(format!("\u{feff}{SUITE}")), "ok");
    assert_eq!(verdict(SUITE.replace('\n', "\r\n")), "ok");
    assert_eq!(verdict(SUITE.trim_end()), "ok");
    let block = "sandbox: true\r\ntests:\r\n  - |\r\n    a\r\n    b\r\n";
    assert_eq!(suites(block)[0].tests, ["a\nb\n"]);
}

#[test]
fn a_file_without_documents_has_no_suites() {
    for file in ["", "\n\n", "# nothing\n", "\u{feff}", "  # nothing"] {
        assert_eq!(suites(file), [], "{file:?}");
    }
}

#[test]
fn a_document_is_a_mapping() {
    check(&[
        (
            "---\n",
            "failed to parse 1st testsuite: top-level type should be a dict",
        ),
        (
            "- a\n",
            "failed to parse 1st testsuite: top-level type should be a dict",
        ),
        (
            "a\n",
            "failed to parse 1st testsuite: top-level type should be a dict",
        ),
        (
            "5\n",
            "failed to parse 1st testsuite: top-level type should be a dict",
        ),
        (
            "sandbox: true\ntests: []\n---\n",
            "failed to parse 2nd testsuite: top-level type should be a dict",
        ),
    ]);
}

#[test]
fn documents_may_begin_and_end_explicitly() {
    for file in [
        "---\nsandbox: true\ntests: []\n",
        "---\nsandbox: true\ntests: []\n...\n",
        "# first\n\n---\n# second\nsandbox: true\ntests: []\n",
        "%YAML 1.1\n---\nsandbox: true\ntests: []\n",
    ] {
        assert_eq!(suites(file).len(), 1, "{file:?}");
    }
}

#[test]
fn the_first_bad_document_is_named_and_nothing_is_read() {
    let good = |name: usize| format!("sandbox: true\ntests: []\ncontext: c{name}\n");
    for (number, ordinal) in [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (11, "11th"),
        (21, "21st"),
    ] {
        let mut documents: Vec<String> = (1..number).map(good).collect();
        documents.push("sandbox: true\ncontext: bad\n".to_owned());
        documents.push("worse".to_owned());
        let message = "at least one of 'build' or 'tests' required";
        assert_eq!(
            verdict(documents.join("---\n")),
            format!("failed to parse {ordinal} testsuite: {message}")
        );
    }
}

#[test]
fn one_error_of_syntax_anywhere_is_told_before_any_other() {
    check(&[
        ("nonsense: true\n---\na: [\n", NO_YAML),
        ("sandbox: true\ntests: []\n---\n@x\n", NO_YAML),
        ("sandbox: true\ntests: [\"a]\n", NO_YAML),
        ("sandbox: true\n tests: []\n", NO_YAML),
        ("sandbox: true\ntests:\n\t- a\n", NO_YAML),
        ("sandbox: true\ntests: []\tx\n", NO_YAML),
        ("sandbox: %x\ntests: []\n", NO_YAML),
    ]);
}

#[test]
fn what_crashed_papr_is_no_yaml_either() {
    check(&[
        ("sandbox: *nothing\n", NO_YAML),
        ("sandbox: !!python/name:os.system x\n", NO_YAML),
        ("sandbox: !python x\n", NO_YAML),
        ("sandbox: !!binary eA==\n", NO_YAML),
        ("? [a, b]\n: c\n", NO_YAML),
        ("? {a: b}\n: c\n", NO_YAML),
        ("a: \u{7}\n", NO_YAML),
        ("a: \"\u{0}\"\n", NO_YAML),
        ("a: \u{7f}\n", NO_YAML),
        ("a: 2001-02-30\n", NO_YAML),
        ("a: &x [*x]\n", NO_YAML),
    ]);
}

#[test]
fn words_mean_what_yaml_1_1_says() {
    for (word, printed) in [
        ("yes", "true"),
        ("off", "false"),
        ("Null", "null"),
        ("~", "null"),
        ("010", "8"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("1_000", "1000"),
        ("1:30", "90"),
        ("1.50", "1.5"),
        ("1.26.2", "\"1.26.2\""),
        ("0o10", "\"0o10\""),
        ("1e3", "\"1e3\""),
        ("y", "\"y\""),
        ("2001-01-01", "\"2001-01-01\""),
        ("'yes'", "\"yes\""),
        ("\"010\"", "\"010\""),
        ("!!str 010", "\"010\""),
        ("!!int '7'", "7"),
        ("a b", "\"a b\""),
        ("'it''s'", "\"it's\""),
        ("\"\\x41\\u0042\\n\"", "\"AB\\n\""),
    ] {
        // A host of a cluster may have any options, so any value can be looked at there.
        let lines = format!("cluster: {{hosts: [{{name: h, distro: d, x: {word}}}]}}");
        let json = &self::printed(&with(&lines))[0]["cluster"]["hosts"][0]["x"];
        assert_eq!(json.to_string(), printed, "{word}");
    }
}

#[test]
fn blocks_keep_or_fold_their_lines() {
    let lines = "tests:\n  - |\n    a\n    b\n\n  - |-\n    a\n    b\n  - >\n    a\n    b\n  - >-\n    a\n\n    b\n  - |+\n    a\n\n  - b";
    assert_eq!(
        suite(lines).tests,
        ["a\nb\n", "a\nb", "a b\n", "a\nb", "a\n\n", "b"]
    );
}

#[test]
fn of_a_key_that_stands_twice_the_last_value_counts() {
    assert_eq!(suite("timeout: 1m\ntimeout: 2m").timeout_s, 120);
    assert_eq!(verdict(with("timeout: 20\ntimeout: 2m")), "ok");
    let env = suite("env: {A: first, B: b, A: last}").env;
    let pairs: Vec<_> = env
        .iter()
        .map(|v| (v.name.as_str(), v.value.as_str()))
        .collect();
    assert_eq!(pairs, [("A", "last"), ("B", "b")]);
}

#[test]
fn merge_keys_give_way_to_own_ones_wherever_those_stand() {
    let file = "sandbox: &box {network: yes}\nx: &env {A: merged, B: merged}\nx: ~\nenv:\n  A: own\n  <<: *env\ntests: []\n";
    let env = &suites(file)[0].env;
    let pairs: Vec<_> = env
        .iter()
        .map(|v| (v.name.as_str(), v.value.as_str()))
        .collect();
    assert_eq!(pairs, [("A", "own"), ("B", "merged")]);
    let several = suite("env: {<<: [{A: first}, {A: second, B: second}]}").env;
    let pairs: Vec<_> = several
        .iter()
        .map(|v| (v.name.as_str(), v.value.as_str()))
        .collect();
    assert_eq!(pairs, [("A", "first"), ("B", "second")]);
    check(&[
        ("<<: a\nsandbox: true\n", NO_YAML),
        ("<<: [a]\nsandbox: true\n", NO_YAML),
    ]);
}

#[test]
fn anchors_are_known_within_their_document_only() {
    let within = "sandbox: true\nbranches: &b [auto]\ntests: *b\n";
    assert_eq!(suites(within)[0].tests, ["auto"]);
    let across = "sandbox: true\ntests: &t [a]\n---\nsandbox: true\ncontext: b\ntests: *t\n";
    check(&[(across, NO_YAML)]);
    let again = "tests: [&a x, &a y, *a]";
    assert_eq!(suite(again).tests, ["x", "y", "y"]);
}
