//! `paths` and `paths-ignore`: which changes concern a suite.

use super::*;
use crate::stopwatch::Stopwatch;

/// Whether a suite of these lines need not be run for these changes.
fn is_untouched(lines: &str, changed: &[&str]) -> bool {
    let suites = suites(&with(lines));
    !untouched(&suites, changed).is_empty()
}

#[track_caller]
fn check_glob(glob: &str, fitting: &[&str], other: &[&str]) {
    let lines = format!("paths: ['{glob}']");
    for path in fitting {
        assert!(!is_untouched(&lines, &[path]), "{glob} does not fit {path}");
    }
    for path in other {
        assert!(is_untouched(&lines, &[path]), "{glob} fits {path}");
    }
}

#[test]
fn a_glob_is_for_whole_paths_from_the_top() {
    check_glob("a", &["a"], &["b", "a/b", "b/a", "ab"]);
    check_glob("*", &["a", ".a", "a.rs"], &["a/b"]);
    check_glob("*.md", &["a.md", ".md"], &["a/b.md", "a.mdx"]);
    check_glob("a/*", &["a/b", "a/.b"], &["a", "a/b/c"]);
    check_glob("a?c", &["abc"], &["a/c", "ac"]);
    check_glob("[ab]/{x,y}", &["a/x", "b/y"], &["c/x", "a/z"]);
    check_glob("\\*", &["*"], &["a"]);
}

#[test]
fn two_stars_stand_for_any_directories() {
    check_glob("**", &["a", "a/b/c"], &[]);
    check_glob("**/a", &["a", "b/a", "b/c/a"], &["ba", "a/b"]);
    check_glob("a/**", &["a/b", "a/b/c"], &["a", "ab/c"]);
    check_glob("a/**/b", &["a/b", "a/c/b", "a/c/d/b"], &["a/cb"]);
    check_glob("**/*.rs", &["a.rs", "b/a.rs"], &["a.c"]);
}

#[test]
fn a_slash_at_the_end_stands_for_everything_below() {
    check_glob("a/", &["a/b", "a/b/c"], &["a", "b/a/c"]);
    check_glob("*/x/", &["a/x/b"], &["x/b", "a/b/x/c"]);
}

#[test]
fn a_suite_is_needed_if_one_changed_path_fits_and_is_not_to_be_ignored() {
    let lines = "paths: [src/, build.rs]\npaths-ignore: ['**/*.md']";
    assert!(is_untouched(lines, &["README.md", "docs/a", "src/a.md"]));
    assert!(!is_untouched(lines, &["README.md", "src/a.rs"]));
    assert!(!is_untouched(lines, &["build.rs"]));
    let lines = "paths-ignore: [docs/]";
    assert!(is_untouched(lines, &["docs/a", "docs/b/c"]));
    assert!(!is_untouched(lines, &["docs/a", "src/a"]));
}

#[test]
fn where_nothing_changed_whatever_asks_for_changes_is_not_needed() {
    assert!(is_untouched("paths: [a]", &[]));
    assert!(is_untouched("paths-ignore: [a]", &[]));
}

#[test]
fn a_suite_that_says_nothing_is_needed_for_any_change() {
    for lines in ["pulls: true", "paths: []", "paths-ignore: []"] {
        assert!(!is_untouched(lines, &["a"]), "{lines}");
        assert!(!is_untouched(lines, &[]), "{lines}");
    }
}

#[test]
fn a_change_in_one_directory_concerns_one_suite() {
    let file: String = ["a", "b", "c"]
        .map(|name| format!("sandbox: true\ntests: []\ncontext: {name}\npaths: [{name}/]\n"))
        .join("---\n");
    let suites = suites(&file);
    let left: Vec<&str> = untouched(&suites, &["b/x"])
        .into_iter()
        .map(|suite| suite.context.as_str())
        .collect();
    assert_eq!(left, ["a", "c"]);
}

#[test]
fn globs_that_mean_nothing_are_refused() {
    let no_path = "it is no path below the top of the repository";
    let stars = "** stands for whole directories, so only / can be beside it";
    for (glob, why) in [
        ("[a", "unclosed character class; missing ']'"),
        (
            "{a",
            "unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        ),
        (
            "a}",
            "unopened alternate group; missing '{' (maybe escape '}' with '[}]'?)",
        ),
        ("[b-a]", "invalid range; 'b' > 'a'"),
        ("a\\", "dangling '\\'"),
        ("", no_path),
        ("/a", no_path),
        ("!a", no_path),
        ("./a", no_path),
        ("a/../b", no_path),
        ("**.rs", stars),
        ("a**/b", stars),
        ("a/***", stars),
    ] {
        for key in ["paths", "paths-ignore"] {
            let finding = format!("Value '{glob}' is not a valid glob: {why}. Path: '/{key}/1'");
            check_schema(&[(&format!("{key}: [x, '{glob}']"), &finding)]);
        }
    }
}

#[test]
fn paths_are_distinct_texts_of_limited_number_and_length() {
    check_schema(&[
        (
            "paths: a",
            "Value 'b'a'' is not a list. Value path: '/paths'",
        ),
        (
            "paths: [5]",
            "Value '5' is not of type 'str'. Path: '/paths/0'",
        ),
        (
            "paths-ignore: [a, a]",
            "Value 'a' is not unique. Previous path: '/paths-ignore/0'. Path: '/paths-ignore/1'",
        ),
    ]);
    let of = |count: usize| {
        let globs: Vec<String> = (0..count).map(|number| format!("p{number}")).collect();
        format!("paths: [{}]", globs.join(", "))
    };
    assert_eq!(suite(&of(100)).paths.len(), 100);
    check_schema(&[(&of(101), "List has more than 100 items. Path: '/paths'")]);
    assert_eq!(
        suite(&format!("paths: [{}]", "a".repeat(500))).paths.len(),
        1
    );
    let long = "a".repeat(501);
    let finding =
        format!("Value '{long}' is not a valid glob: it has more than 500 bytes. Path: '/paths/0'");
    check_schema(&[(&format!("paths: [{long}]"), &finding)]);
}

#[test]
fn paths_need_not_be_ascii() {
    assert!(!is_untouched("paths: ['docs/ä*']", &["docs/äö"]));
}

/// A second without optimization; ten times that if equal lists were looked through again.
#[test]
fn many_changes_and_many_suites_are_compared_soon() {
    let globs =
        "paths: [src/**/*.rs, 'lib/[a-m]*/', '*.toml', 'docs/{a,b}/**']\npaths-ignore: ['**/*.md']";
    let file: String = (0..256)
        .map(|number| format!("sandbox: true\ntests: []\ncontext: c{number}\n{globs}\n"))
        .collect::<Vec<_>>()
        .join("---\n");
    let suites = suites(&file);
    let changed: Vec<String> = (0..50_000)
        .map(|number| format!("vendor/some/module{number}/source/file_{number}.c"))
        .collect();
    let stopwatch = Stopwatch::start();
    assert_eq!(untouched(&suites, &changed).len(), 256);
    let elapsed = stopwatch.elapsed();
    assert!(elapsed.as_secs() < 10, "{elapsed:?}");
}
