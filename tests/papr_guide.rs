//! Holds the checklist at the end of `docs/from-papr.md`: it has all rows, and each test that it names
//! is there.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, helpers too fail by panicking"
)]

mod guides;

use std::collections::BTreeSet;

use guides::{is_test, quoted, root, rows};

const GUIDE: &str = include_str!("../docs/from-papr.md");
const HEADING: &str = "## What its authors wished for, and the test that holds it";

/// How many wishes there are.
const WISHES: usize = 52;

/// What is known not to be there.
const NOT_YET: [&str; 3] = ["36", "48", "49"];

fn wishes() -> Vec<Vec<&'static str>> {
    let (_, table) = GUIDE.split_once(HEADING).unwrap();
    rows(table)
}

#[test]
fn every_wish_has_its_row() {
    let numbers: Vec<String> = wishes().iter().map(|row| row[0].to_owned()).collect();
    let wanted: Vec<String> = (1..=WISHES).map(|number| number.to_string()).collect();
    assert_eq!(numbers, wanted);
}

#[test]
fn every_row_names_tests_that_exist_or_says_that_it_is_not_there_yet() {
    let mut missing = BTreeSet::new();
    for row in wishes() {
        assert_eq!(row.len(), 3, "{row:?}");
        let (number, held_by) = (row[0], row[2]);
        let tests = quoted(held_by);
        if tests.is_empty() {
            assert!(held_by.starts_with("not yet"), "{row:?}");
        }
        assert_eq!(tests.is_empty(), NOT_YET.contains(&number), "{row:?}");
        missing.extend(tests.into_iter().filter(|name| !is_test(name)));
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn every_page_that_the_guide_leads_to_is_there() {
    let links = GUIDE.split("](").skip(1);
    let links: Vec<_> = links
        .map(|rest| rest.split([')', '#']).next().unwrap())
        .collect();
    let ours = links
        .iter()
        .filter(|link| !link.is_empty() && !link.contains("://"));
    let missing: Vec<_> = ours
        .filter(|link| !root().join("docs").join(link).exists())
        .collect();
    assert!(missing.is_empty(), "no such pages: {missing:?}");
}
