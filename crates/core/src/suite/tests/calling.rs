//! How people name suites in commands.

use super::*;

const FILE: &str = "\
sandbox: true
tests: []
context: fedora/28/atomic | origin/latest
name: f28-sanity
---
sandbox: true
tests: []
context: Fedora 29
---
sandbox: true
tests: []
context: f28
---
sandbox: true
tests: []
context: unit
name: tests
matrix: {PYTHON: ['3.1', '3.10']}
---
sandbox: true
tests: []
context: on {OS}
name: '{OS} boot'
matrix: {OS: [arm, x86]}
";

/// The contexts of what is found in the file, or why nothing is.
fn found(asked: &str) -> String {
    let called: Vec<Called> = suites(FILE).iter().map(Suite::called).collect();
    match find(&called, asked) {
        Ok(found) => {
            let contexts: Vec<&str> = found.iter().map(|called| called.context.as_str()).collect();
            contexts.join(", ")
        }
        Err(why) => why.to_string(),
    }
}

#[test]
fn the_exact_context_or_name_is_found_before_any_part() {
    assert_eq!(found("f28"), "f28");
    assert_eq!(found("f28-sanity"), "fedora/28/atomic | origin/latest");
    assert_eq!(
        found("fedora/28/atomic | origin/latest"),
        "fedora/28/atomic | origin/latest"
    );
    assert_eq!(found("unit (3.1)"), "unit (3.1)");
    assert_eq!(found("arm boot"), "on arm");
}

#[test]
fn what_a_document_is_called_means_all_its_combinations() {
    assert_eq!(found("unit"), "unit (3.1), unit (3.10)");
    assert_eq!(found("tests"), "unit (3.1), unit (3.10)");
    assert_eq!(found("on {OS}"), "on arm, on x86");
}

#[test]
fn a_part_is_enough_where_it_means_one() {
    assert_eq!(found("SANITY"), "fedora/28/atomic | origin/latest");
    assert_eq!(found("29"), "Fedora 29");
    assert_eq!(found("x86"), "on x86");
    assert_eq!(found("UNI"), "unit (3.1), unit (3.10)");
    assert_eq!(found("Boot"), "on arm, on x86");
}

#[test]
fn a_part_that_could_mean_several_is_answered_with_them() {
    assert_eq!(
        found("fedora"),
        "it could be any of fedora/28/atomic | origin/latest, Fedora 29"
    );
    let some = suites(FILE).iter().map(Suite::called).collect::<Vec<_>>();
    let ambiguous = vec![
        "fedora/28/atomic | origin/latest".to_owned(),
        "Fedora 29".to_owned(),
    ];
    assert_eq!(find(&some, "edora"), Err(NotFound::Ambiguous(ambiguous)));
    // Combinations, but not all of them.
    let three = suites(&with("context: u\nmatrix: {P: ['3.1', '3.10', '2']}"));
    let called: Vec<Called> = three.iter().map(Suite::called).collect();
    assert!(matches!(find(&called, "3."), Err(NotFound::Ambiguous(two)) if two.len() == 2));
}

#[test]
fn what_nothing_is_called_is_unknown() {
    for asked in ["f30", "", "unit (3.2)", " f28"] {
        assert_eq!(found(asked), "there is no such suite", "{asked:?}");
    }
    assert_eq!(find(&[], "a"), Err(NotFound::Unknown));
    let nameless = [Called {
        context: String::new(),
        name: None,
        matrix_context: None,
    }];
    assert_eq!(find(&nameless, "").map(|found| found.len()), Ok(1));
}

#[test]
fn what_a_suite_is_called_can_be_kept() {
    let called = suites(FILE)[3].called();
    let json = serde_json::to_string(&called).unwrap();
    assert_eq!(
        json,
        r#"{"context":"unit (3.1)","name":"tests","matrix_context":"unit"}"#
    );
    assert_eq!(serde_json::from_str::<Called>(&json).unwrap(), called);
    let least: Called = serde_json::from_str(r#"{"context":"a"}"#).unwrap();
    assert_eq!((least.name, least.matrix_context), (None, None));
}
