//! `needs`: which suites a suite waits for.

use super::*;

/// A file of these documents, each a sandbox that does nothing.
fn file(documents: &[&str]) -> String {
    let documents: Vec<String> = documents
        .iter()
        .map(|lines| format!("sandbox: true\ntests: []\n{lines}\n"))
        .collect();
    documents.join("---\n")
}

/// What each suite needs.
fn needs(documents: &[&str]) -> Vec<Vec<String>> {
    suites(&file(documents))
        .into_iter()
        .map(|suite| suite.needs)
        .collect()
}

/// What is wrong, and on which line.
fn fault(documents: &[&str]) -> (String, usize) {
    match read("f", file(documents).as_bytes()) {
        Err(error) => (error.message, error.place.unwrap().line),
        Ok(_) => ("ok".to_owned(), 0),
    }
}

#[test]
fn suites_are_needed_by_context_or_name_from_before_or_behind() {
    let none: [&str; 0] = [];
    let found = needs(&[
        "context: a\nneeds: [c, n]",
        "context: b\nname: n",
        "context: c",
    ]);
    assert_eq!(found, [["c", "b"].as_slice(), &none, &none]);
}

#[test]
fn a_matrix_is_needed_whole_or_by_one_of_its_combinations() {
    let matrix = "context: m\nname: n\nmatrix: {A: [x, y]}";
    for (call, expected) in [
        ("m", ["m (x)", "m (y)"].as_slice()),
        ("n", &["m (x)", "m (y)"]),
        ("m (y)", &["m (y)"]),
        ("m (y), m", &["m (y)", "m (x)"]),
    ] {
        let quoted: Vec<String> = call.split(", ").map(|call| format!("'{call}'")).collect();
        let last = format!("context: last\nneeds: [{}]", quoted.join(", "));
        assert_eq!(needs(&[matrix, &last])[2], expected, "{call}");
    }
    let named = "context: m\nname: 'n {A}'\nmatrix: {A: [x, y]}";
    assert_eq!(needs(&[named, "context: z\nneeds: ['n x']"])[2], ["m (x)"]);
    assert_eq!(
        needs(&[named, "context: z\nneeds: ['n {A}']"])[2],
        ["m (x)", "m (y)"]
    );
}

#[test]
fn every_combination_needs_what_its_document_needs() {
    let found = needs(&["context: a", "context: m\nneeds: [a]\nmatrix: {A: [x, y]}"]);
    assert_eq!(found[1..], [["a"], ["a"]]);
}

#[test]
fn what_no_suite_is_called_cannot_be_needed() {
    assert_eq!(
        fault(&["context: a", "context: b\nneeds: [a, c]"]),
        (
            "failed to parse 2nd testsuite: unknown suite 'c' in 'needs'".to_owned(),
            8
        )
    );
    assert!(
        fault(&["context: a", "context: b\nneeds: [A]"])
            .0
            .contains("unknown suite 'A'")
    );
}

#[test]
fn a_suite_cannot_need_itself() {
    let message = |call: &str| {
        format!("failed to parse 1st testsuite: the suite's own name '{call}' in 'needs'")
    };
    for (lines, call) in [
        ("context: a\nneeds: [a]", "a"),
        ("context: a\nname: n\nneeds: [n]", "n"),
        ("context: a\nneeds: ['a (x)']\nmatrix: {A: [x, y]}", "a (x)"),
    ] {
        assert_eq!(fault(&[lines]).0, message(call));
    }
}

#[test]
fn suites_cannot_need_each_other() {
    let found = fault(&[
        "context: a",
        "context: b\nneeds: [a, c]",
        "context: c\nneeds: [d]",
        "context: d\nname: n\nneeds: [a, b]",
        "context: e\nneeds: [n]",
    ]);
    let message = "failed to parse 2nd testsuite: suites need each other: 'b', 'c', 'd'";
    assert_eq!(found, (message.to_owned(), 8));
}

#[test]
fn a_long_chain_and_a_wide_graph_are_no_circle() {
    let chain: Vec<String> = (0..SUITES_MAX)
        .map(|number| format!("context: c{number}\nneeds: [c{}]", number + 1))
        .collect();
    let mut chain: Vec<&str> = chain.iter().map(String::as_str).collect();
    chain.pop();
    chain.push("context: c255");
    assert_eq!(needs(&chain)[254], ["c255"]);
    let all: Vec<String> = (0..200).map(|number| format!("c{number}")).collect();
    let wide: Vec<String> = (0..200)
        .map(|number| format!("context: c{number}\nneeds: [{}]", all[..number].join(", ")))
        .collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    assert_eq!(needs(&wide)[199].len(), 199);
}

#[test]
fn needs_are_distinct_texts() {
    check_schema(&[
        (
            "needs: a",
            "Value 'b'a'' is not a list. Value path: '/needs'",
        ),
        (
            "needs: [5]",
            "Value '5' is not of type 'str'. Path: '/needs/0'",
        ),
        (
            "needs: [a, a]",
            "Value 'a' is not unique. Previous path: '/needs/0'. Path: '/needs/1'",
        ),
    ]);
}

#[test]
fn what_is_needed_does_not_multiply_without_limit() {
    let long = "x".repeat(1100);
    let matrix = |number: usize, more: &str| {
        let numbers: Vec<String> = (0..64).map(|number| number.to_string()).collect();
        format!(
            "context: '{long}{number}'\nmatrix: {{A: [{}]}}\n{more}",
            numbers.join(", ")
        )
    };
    let second = format!("needs: ['{long}0']");
    let documents = [matrix(0, ""), matrix(1, &second)];
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    assert_eq!(
        fault(&documents).0,
        "failed to parse 2nd testsuite: too large with what it needs"
    );
}
