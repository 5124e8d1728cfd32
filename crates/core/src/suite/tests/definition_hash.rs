//! When two suites do the same.

use std::collections::HashSet;

use super::*;
use crate::ids::{JobId, Timestamp};

/// Each changes what the suite of `BASE` does.
const CHANGES: [&str; 16] = [
    "context: other",
    "sandbox: {network: true}",
    "container: {image: i}",
    "env: {A: b}",
    "packages: [p]",
    "extra-repos: [{name: n}]",
    "build: true\ntests: []",
    "tests: [make]",
    "tests: [make, make]",
    "timeout: 5m",
    "artifacts: [log]",
    "checkout: {submodules: true}",
    "checkout: {submodules: recursive}",
    "checkout: {lfs: true}",
    "checkout: {depth: 2}",
    "matrix: {A: [b]}\ncontext: Red Hat CI{A}",
];

#[test]
fn whatever_changes_what_is_done_changes_the_definition() {
    let definitions: HashSet<String> = CHANGES
        .into_iter()
        .chain(["pulls: true"])
        .map(|lines| definition(&suite(lines)).unwrap())
        .collect();
    assert_eq!(definitions.len(), CHANGES.len() + 1);
}

#[test]
fn when_and_where_it_is_done_does_not() {
    let plain = definition(&suite("pulls: true"));
    for lines in [
        "branches: [auto]",
        "pulls: false",
        "required: true",
        "name: n",
        "paths: [a]",
        "paths-ignore: [a]",
        "labels: [l]",
        "slots: 2",
        "retries: 2",
        "preemptible: true",
        "allow-failure: true",
        "on-demand: true",
    ] {
        assert_eq!(definition(&suite(lines)), plain, "{lines}");
    }
    let needing =
        "sandbox: true\ntests: []\nneeds: [b]\n---\nsandbox: true\ntests: []\ncontext: b\n";
    assert_eq!(definition(&suites(needing)[0]), plain);
}

#[test]
fn combinations_of_a_matrix_differ() {
    let suites = suites(&with("matrix: {A: [x, y]}"));
    assert_ne!(definition(&suites[0]), definition(&suites[1]));
}

#[test]
fn what_is_given_secrets_has_no_definition() {
    assert_eq!(definition(&suite("secrets: [S]")), None);
    assert!(definition(&suite("secrets: []")).is_some());
}

/// Results are kept across versions: a change here throws them all away.
#[test]
fn definitions_stay_what_they_are() {
    insta::assert_snapshot!(definition(&suite("tests: [make]\nsandbox: true")).unwrap(), @"bef46a93660589662d7d23f89e91b8e96901978359dad9d99958b48bbcf2aaf4");
}

#[test]
fn only_a_digest_names_an_image_for_good() {
    let digest = "0123456789abcdef".repeat(4);
    let by_digest = |lines: &str| {
        let suite = suite(lines);
        let pass = Pass {
            job: JobId(1),
            definition: definition(&suite).unwrap(),
            at: Timestamp(0),
        };
        // Where an image may be another one by now, a result counts for its time.
        let stands =
            |ms| standing_pass(&suite, std::slice::from_ref(&pass), 9, Timestamp(ms)).is_some();
        assert!(stands(8999));
        stands(9000)
    };
    assert!(!by_digest("sandbox: true"));
    assert!(by_digest(&format!(
        "container: {{image: 'r/fedora@sha256:{digest}'}}"
    )));
    assert!(by_digest(&format!(
        "container: {{image: 'r/fedora:28@sha256:{digest}'}}"
    )));
    for image in [
        "fedora:28".to_owned(),
        format!("fedora@sha256:{}", &digest[1..]),
        format!("fedora@sha256:{digest}0"),
        format!("@sha256:{digest}"),
        format!("sha256:{digest}"),
        format!("fedora@sha256:{}", digest.replace('f', "g")),
    ] {
        assert!(
            !by_digest(&format!("container: {{image: '{image}'}}")),
            "{image}"
        );
    }
    assert!(!by_digest("host: {distro: d}"));
    assert!(!by_digest("cluster: {hosts: [{name: h, distro: d}]}"));
}

#[test]
fn only_what_did_the_same_stands_for_a_suite() {
    let (wanted, other) = (suite("tests: [make]"), suite("tests: [make, make]"));
    let pass = |job, suite: &Suite| Pass {
        job: JobId(job),
        definition: definition(suite).unwrap(),
        at: Timestamp(0),
    };
    let passes = [pass(1, &other), pass(2, &wanted), pass(3, &wanted)];
    let found = standing_pass(&wanted, &passes, 9, Timestamp(0));
    assert_eq!(found.map(|pass| pass.job), Some(JobId(2)));
    assert_eq!(standing_pass(&wanted, &passes[..1], 9, Timestamp(0)), None);
}
