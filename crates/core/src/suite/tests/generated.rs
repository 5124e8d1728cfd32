//! Whatever a stranger writes, reading it ends soon, in suites or in a message.

use proptest::prelude::*;

use super::*;
use crate::stopwatch::Stopwatch;

/// Pieces that files of suites are made of, and some that they should not be.
const PIECES: &[&str] = &[
    "sandbox: true\n",
    "tests: []\n",
    "tests:\n",
    "  - make\n",
    "- ",
    "  ",
    "\n",
    "---\n",
    "...\n",
    "context: a\n",
    "inherit: true\n",
    "container: {image: i}\n",
    "host: ",
    "cluster: ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    ":",
    "? ",
    "&a ",
    "*a ",
    "<<: *a\n",
    "!!str ",
    "!!int ",
    "!x ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "#",
    "\t",
    "\r\n",
    "%YAML 1.1\n",
    "yes",
    "~",
    "010",
    "1:30",
    "2001-01-01",
    "é",
    "\u{85}",
    "\u{2028}",
    "\u{0}",
    "\\x41",
    "env: {A: b}\n",
    "build: ",
    "timeout: 5m\n",
    "extra-repos: ",
    "name: n",
    "distro: d",
    "specs: ",
    "required: yes\n",
    "branches: [auto]\n",
    "name: n\n",
    "needs: [a]\n",
    "matrix: {A: [x, y]}\n",
    "context: '{A}'\n",
    "paths: [a/**]\n",
    "secrets: [S]\n",
    "checkout: {submodules: recursive, lfs: true, depth: 2}\n",
];

/// What must hold of every answer.
fn is_sound(bytes: &[u8]) {
    match read_documents(".papr.yml", bytes) {
        Ok(documents) => {
            for suite in documents.iter().flat_map(|document| &document.suites) {
                assert!(suite.timeout_s <= TIMEOUT_S_MAX);
                assert!(suite.context.is_ascii());
            }
            let suites = as_json(Ok(&documents))["suites"].as_array().unwrap().len();
            assert_eq!(suites, documents.len());
        }
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(error.message.chars().count() < 4100);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        is_sound(&bytes);
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        is_sound(text.as_bytes());
    }

    #[test]
    fn any_pieces_of_yaml_are_answered(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40),
    ) {
        is_sound(pieces.concat().as_bytes());
    }

    /// Good files stay good whatever order their keys are in.
    #[test]
    fn the_order_of_keys_does_not_matter(
        keys in Just(vec!["sandbox: true\n", "tests: [t]\n", "context: a\n", "env: {A: b}\n", "timeout: 5m\n"])
            .prop_shuffle(),
    ) {
        let ordered = suites("sandbox: true\ntests: [t]\ncontext: a\nenv: {A: b}\ntimeout: 5m\n");
        prop_assert_eq!(suites(&keys.concat()), ordered);
    }
}

/// Fills the longest file with the pattern.
fn longest(start: &str, pattern: &str) -> String {
    let room = FILE_BYTES_MAX - start.len();
    start.to_owned() + &pattern.repeat(room / pattern.len())
}

#[test]
fn a_file_that_is_too_long_is_not_looked_at() {
    let file = longest("", "#");
    assert_eq!(verdict(&file), "ok");
    assert_eq!(verdict(file + "#"), "file is larger than 262144 bytes");
}

#[test]
fn aliases_do_not_multiply_without_limit() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = read("f", bomb.as_bytes()).unwrap_err();
    assert_eq!(error.detail.as_deref(), Some("too large with its aliases"));
    let merges = "<<: *a\n".repeat(1000);
    let file = format!(
        "a: &a {{{}}}\nb:\n{}",
        "k: v, ".repeat(1000),
        merges.replace("<<", "  <<")
    );
    is_sound(file.as_bytes());
}

#[test]
fn inheritance_does_not_multiply_without_limit() {
    let first = format!("sandbox: true\ntests: ['{}']\n", "x".repeat(200_000));
    let others: String = (0..200)
        .map(|number| format!("---\ninherit: true\ncontext: c{number}\n"))
        .collect();
    assert!(verdict(first + &others).ends_with(" testsuite: too large with what it inherits"));
}

#[test]
fn depth_is_limited() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let deep = format!("a:\n {}x{}", open.repeat(65), close.repeat(65));
        let error = read("f", deep.as_bytes()).unwrap_err();
        assert_eq!(error.detail.as_deref(), Some("nested too deeply"), "{open}");
    }
}

/// Each link of the chain is as deep as a file may write it, and stands in the next.
#[test]
fn depth_is_limited_also_where_aliases_make_it() {
    let chain = |deep: usize, links: usize| -> String {
        let link = |number: usize| {
            let inner = match number {
                0 => "x".to_owned(),
                _ => format!("*a{}", number - 1),
            };
            let (open, close) = ("[".repeat(deep), "]".repeat(deep));
            format!("x-{number}: &a{number} {open}{inner}{close}\n")
        };
        (0..links).map(link).collect()
    };
    for (deep, links) in [(62, 2), (32, 3), (62, 60), (1, 600)] {
        let error = read("f", chain(deep, links).as_bytes()).unwrap_err();
        let detail = error.detail.as_deref();
        assert_eq!(detail, Some("nested too deeply"), "{deep} {links}");
    }
    let detail = read("f", chain(20, 3).as_bytes()).unwrap_err().detail;
    assert_ne!(detail.as_deref(), Some("nested too deeply"));
}

/// Each takes well under a second without optimization; what is quadratic takes a minute.
#[test]
fn the_longest_files_take_linear_time() {
    let patterns = [
        "[",
        "{",
        "- ",
        "? ",
        "a: ",
        "a:\n",
        "- a\n",
        "- - \n",
        "&a ",
        "*a ",
        "!a ",
        "'",
        "\"",
        "|\n",
        ">\n",
        "\n",
        "#",
        "# \n",
        "---\n",
        "...\n",
        "---\nx\n",
        "\t",
        "a\n",
        " a\n",
        "\\",
        "[a, ",
        "{a: b, ",
        "[], ",
        "%A\n",
        "é",
        "a",
        "9",
        "9:",
        "_",
        "<<: {}\n",
        "- {a: &a b}\n",
        "a: 1\n",
    ];
    for pattern in patterns {
        for start in ["", "a: [", "a: \"", "a: |\n  ", "tests:\n"] {
            let file = longest(start, pattern);
            let stopwatch = Stopwatch::start();
            is_sound(file.as_bytes());
            let elapsed = stopwatch.elapsed();
            assert!(elapsed.as_secs() < 5, "{elapsed:?}: {start:?}, {pattern:?}");
        }
    }
}
