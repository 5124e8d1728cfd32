//! What was written for Homu: the configurations of both its lines are good as they are.

use std::collections::BTreeSet;

use super::{err, out, paprq, status};

/// Every key that Homu reads, in either line, with `*` for names that people choose.
const KEYS: &str = include_str!("../homu/keys.txt");

const SAMPLES: [(&str, &str); 2] = [
    ("cfg.servo.toml", include_str!("../homu/cfg.servo.toml")),
    ("cfg.rust.toml", include_str!("../homu/cfg.rust.toml")),
];

/// The environment variables that the samples name.
const VARIABLES: [&str; 14] = [
    "GITHUB_TOKEN",
    "OAUTH_ID",
    "OAUTH_SECRET",
    "SSH_KEY",
    "ADMIN_SECRET",
    "BROWSER_SECRET",
    "BUILDBOT_SECRET",
    "BUILDBOT_PASSWORD",
    "PARSER_SECRET",
    "TRAVIS_TOKEN",
    "DOCS_SECRET",
    "HOOK_PATH",
    "COMPILER_SECRET",
    "LIBRARY_SECRET",
];

/// `paprq check` with these words, where the samples are and with their variables but one.
fn check(words: &[&str], unset: &str) -> std::process::Output {
    let set = VARIABLES.iter().filter(|name| **name != unset);
    paprq(&[&["check"], words].concat())
        .envs(set.map(|name| (*name, format!("value-of-{name}"))))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/homu"))
        .output()
        .unwrap()
}

/// What is said of the repositories and the server, without what to beware of.
fn description(text: &str) -> &str {
    text.split("\nBeware").next().unwrap()
}

#[test]
fn check_finds_the_configurations_of_both_lines_of_homu_good() {
    for (file, text) in SAMPLES {
        let output = check(&["-c", file], "");
        assert_eq!((status(&output), err(&output)), (0, ""), "{file}");
        let labels = text.lines().filter_map(|line| line.strip_prefix("[repo."));
        for label in labels.filter(|line| !line.contains('.')) {
            assert!(out(&output).contains(&format!("[repo.{label}")), "{label}");
        }
        assert!(!out(&output).contains("value-of"), "{}", out(&output));
    }
}

#[test]
fn check_without_a_file_takes_cfg_json_where_there_is_no_cfg_toml() {
    let json = check(&[], "");
    let toml = check(&["-c", "cfg.servo.toml"], "");
    assert_eq!((status(&json), err(&json)), (0, ""));
    assert_eq!(description(out(&json)), description(out(&toml)));
    assert!(out(&json).contains("\ncfg.json:"), "{}", out(&json));
}

#[test]
fn check_names_each_variable_that_is_not_set() {
    let of_samples = SAMPLES.map(|(_, text)| text).concat();
    for name in VARIABLES {
        assert!(of_samples.contains(&format!("${{{name}}}")), "{name}");
        for (file, _) in SAMPLES
            .iter()
            .filter(|(_, text)| text.contains(&format!("${{{name}}}")))
        {
            let output = check(&["-c", file], name);
            assert_eq!((status(&output), out(&output)), (2, ""), "{name}");
            let told = format!("needs the environment variable {name}, which is not set");
            assert_eq!(err(&output).matches(&told).count(), 1, "{}", err(&output));
        }
    }
}

#[test]
fn every_key_of_homu_is_set_in_one_of_the_samples_and_no_other() {
    let set = SAMPLES.iter().flat_map(|(_, text)| keys(text));
    let set: BTreeSet<String> = set.collect();
    let known: BTreeSet<String> = KEYS.lines().map(str::to_owned).collect();
    let forgotten: Vec<_> = known.difference(&set).collect();
    let invented: Vec<_> = set.difference(&known).collect();
    assert!(
        forgotten.is_empty() && invented.is_empty(),
        "forgotten {forgotten:?}, invented {invented:?}"
    );
}

/// The keys that stand in a file, those of tables too.
fn keys(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    go_over(&text.parse().unwrap(), &mut Vec::new(), &mut keys);
    keys
}

fn go_over<'t>(table: &'t toml::Table, path: &mut Vec<&'t str>, keys: &mut BTreeSet<String>) {
    for (key, value) in table {
        path.push(key);
        keys.insert(pattern(path, value.is_table()));
        if let Some(inner) = value.as_table() {
            go_over(inner, path, keys);
        }
        path.pop();
    }
}

/// The path with `*` for names that people choose; label events, which are alike, count as names
/// where a key stands below.
fn pattern(path: &[&str], is_table: bool) -> String {
    let is_name = |at: usize| match (path[..at].first().copied(), at) {
        (Some("hooks" | "repo"), 1) => true,
        (_, 3) => match path[2] {
            "status" | "checks" => is_table || path.len() > 4,
            "labels" => path.len() > 4,
            _ => false,
        },
        (_, 4) => path[3] == "try_choosers",
        _ => false,
    };
    let parts = path.iter().enumerate();
    let parts: Vec<&str> = parts
        .map(|(at, part)| if is_name(at) { "*" } else { part })
        .collect();
    parts.join(".")
}
