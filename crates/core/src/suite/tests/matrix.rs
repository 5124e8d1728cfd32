//! One document, many suites.

use super::*;

fn contexts(lines: &str) -> Vec<String> {
    let suites = suites(&with(lines));
    suites.into_iter().map(|suite| suite.context).collect()
}

/// `NAME=value` of some variables.
fn pairs(variables: &[Variable]) -> Vec<String> {
    variables
        .iter()
        .map(|variable| format!("{}={}", variable.name, variable.value))
        .collect()
}

#[test]
fn every_combination_is_a_suite_and_the_first_variable_varies_slowest() {
    let lines = "context: '{OS} with {CC}'\nmatrix:\n  OS: [f28, f29]\n  CC: [gcc, clang]";
    assert_eq!(
        contexts(lines),
        [
            "f28 with gcc",
            "f28 with clang",
            "f29 with gcc",
            "f29 with clang"
        ]
    );
    let suites = suites(&with(lines));
    assert_eq!(pairs(&suites[1].matrix), ["OS=f28", "CC=clang"]);
    for suite in &suites {
        assert_eq!(suite.matrix_context.as_deref(), Some("{OS} with {CC}"));
    }
}

#[test]
fn a_context_that_names_no_variable_gets_the_values_behind_it() {
    let matrix = "matrix: {OS: [a, b], N: [1]}";
    assert_eq!(
        contexts(&format!("context: unit\n{matrix}")),
        ["unit (a, 1)", "unit (b, 1)"]
    );
    assert_eq!(contexts(matrix), ["Red Hat CI (a, 1)", "Red Hat CI (b, 1)"]);
    assert_eq!(
        contexts(&format!("context: '{{o s}} {{}} {{'\n{matrix}")),
        ["{o s} {} { (a, 1)", "{o s} {} { (b, 1)"]
    );
    assert_eq!(
        contexts(&format!("context: 'in {{OS}}'\n{matrix}")),
        ["in a", "in b"]
    );
}

#[test]
fn the_environment_begins_with_the_variables() {
    let suite = suite("matrix: {A: [x]}\nenv: {B: $A-y, A: $A-z}");
    assert_eq!(pairs(&suite.env), ["A=x", "B=$A-y", "A=$A-z"]);
}

#[test]
fn the_name_and_what_is_installed_depend_on_the_variables() {
    let named = |lines: &str| suite(&format!("{lines}\nname: 'n {{V}}'\nmatrix: {{V: ['28']}}"));
    let container = named("container: {image: 'registry/fedora:{V}'}");
    assert_eq!(container.name.as_deref(), Some("n 28"));
    assert!(matches!(
        container.environment,
        Environment::Container { image, .. } if image == "registry/fedora:28"
    ));
    assert!(matches!(
        named("host: {distro: 'fedora/{V}/atomic'}").environment,
        Environment::Host { distro, .. } if distro == "fedora/28/atomic"
    ));
    let cluster = "cluster: {hosts: [{name: h, distro: d}], container: {image: 'i:{V}'}}";
    assert!(matches!(
        named(cluster).environment,
        Environment::Cluster { container_image: Some(image), .. } if image == "i:28"
    ));
}

#[test]
fn braces_in_a_value_stay_what_they_are() {
    let lines = "context: '{A}{B}{'\nmatrix: {A: ['{B}'], B: ['{A}']}";
    assert_eq!(contexts(lines), ["{B}{A}{"]);
}

#[test]
fn commands_are_not_touched() {
    assert_eq!(
        suite("tests: ['echo {A} ${A}']\nsandbox: true\nmatrix: {A: [x]}").tests,
        ["echo {A} ${A}"]
    );
}

#[test]
fn values_are_texts_integers_and_booleans() {
    let suites = suites(&with(
        "matrix: {A: ['1.10', 010, yes, 99999999999999999999]}",
    ));
    let values: Vec<String> = suites
        .iter()
        .flat_map(|suite| pairs(&suite.matrix))
        .collect();
    assert_eq!(
        values,
        ["A=1.10", "A=8", "A=true", "A=99999999999999999999"]
    );
    for (value, quoted) in [
        ("1.10", "1.1"),
        ("~", "None"),
        ("2001-01-01", "2001-01-01"),
        ("[a]", "['a']"),
    ] {
        let finding =
            format!("Value '{quoted}' is not of type 'str|int|bool'. Path: '/matrix/A/1'");
        check_schema(&[(&format!("matrix: {{A: [x, {value}]}}"), &finding)]);
    }
}

#[test]
fn a_matrix_maps_names_to_distinct_values() {
    check_schema(&[
        (
            "matrix: [A]",
            "Value '['A']' is not a dict. Value path: '/matrix'",
        ),
        (
            "matrix: {A: x}",
            "Value 'b'x'' is not a list. Value path: '/matrix/A'",
        ),
        ("matrix: {A: []}", "List is empty. Path: '/matrix/A'"),
        (
            "matrix: {A: [1, '1']}",
            "Value '1' is not unique. Path: '/matrix/A/1'",
        ),
        (
            "matrix: {A-B: [1]}",
            "Key 'A-B' does not match any regex '^[a-zA-Z_][a-zA-Z0-9_]*$'. Path: '/matrix'",
        ),
    ]);
    assert_eq!(suite("matrix: {}").matrix_context, None);
}

#[test]
fn combinations_that_are_called_alike_are_refused() {
    check_lines(&[(
        "context: 'on {A}'\nmatrix: {A: [a, b], B: [c, d]}",
        "duplicate 'context' value detected",
    )]);
    // A name may be for all of them.
    let suites = suites(&with("name: n\nmatrix: {A: [a, b]}"));
    assert_eq!(suites[1].name.as_deref(), Some("n"));
    let other = "---\nsandbox: true\ntests: []\ncontext: other\n";
    let duplicate = "failed to parse 2nd testsuite: duplicate 'name' value detected";
    let matrix = with("context: unit\nname: 'n {A}'\nmatrix: {A: [a, b]}");
    for name in ["unit", "unit (a)", "n {A}", "n a"] {
        let file = format!("{matrix}{other}name: '{name}'\n");
        check(&[(&file, duplicate)]);
    }
}

/// A list of that many numbers.
fn numbers(count: usize) -> String {
    let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(", "))
}

#[test]
fn combinations_are_limited() {
    let of = |a: usize, b: usize| format!("matrix: {{A: {}, B: {}}}", numbers(a), numbers(b));
    assert_eq!(contexts(&of(8, 8)).len(), COMBINATIONS_MAX);
    check_schema(&[(
        &of(13, 5),
        "Value has more than 64 combinations. Path: '/matrix'",
    )]);
    let many = "{A: &a [1, 2, 3, 4, 5, 6, 7, 8], B: *a, C: *a, D: *a, E: *a, F: *a, G: *a, H: *a, \
                I: *a, J: *a, K: *a, L: *a, M: *a, N: *a, O: *a, P: *a, Q: *a, R: *a, S: *a, T: *a, \
                U: *a, V: *a}";
    check_schema(&[(
        &format!("matrix: {many}"),
        "Value has more than 64 combinations. Path: '/matrix'",
    )]);
}

#[test]
fn combinations_count_as_suites_of_the_file() {
    let document = |number: usize| {
        format!(
            "sandbox: true\ntests: []\ncontext: c{number}\nmatrix: {{A: {}}}\n",
            numbers(64)
        )
    };
    let documents: Vec<String> = (0..4).map(document).collect();
    let full = documents.join("---\n");
    assert_eq!(suites(&full).len(), SUITES_MAX);
    let more = full + "---\nsandbox: true\ntests: []\ncontext: one more\n";
    check(&[(&more, "file has more than 256 testsuites")]);
}

#[test]
fn what_is_filled_in_does_not_multiply_without_limit() {
    let value = "x".repeat(50_000);
    let long = format!(
        "matrix: {{A: [{value}]}}\ncontext: '{}'",
        "{A}".repeat(30_000)
    );
    check_lines(&[(&long, "too large with the values of 'matrix'")]);
    let heavy = format!(
        "tests: ['{value}']\nsandbox: true\nmatrix: {{A: {}}}\n",
        numbers(64)
    );
    let many = format!("{heavy}---\ninherit: true\ncontext: b\n");
    check(&[(
        &many,
        "failed to parse 2nd testsuite: too large with what it inherits",
    )]);
}

#[test]
fn a_required_suite_is_not_called_required_by_a_matrix_either() {
    let message = "context \"required\" forbidden when using the 'required' key";
    check_lines(&[(
        "context: '{A}'\nrequired: true\nmatrix: {A: [required]}",
        message,
    )]);
}
