//! The commands that need no server, as a person or a program meets them: the built binary, its
//! output, its exit status.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, helpers too fail by panicking"
)]

#[path = "command_line/homu.rs"]
mod homu;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};

const GOOD: &str = "sandbox: true\ntests: [make]\ncontext: a\n";
const BAD: &str = "sandbox: true\ntests: [make]\nnonsense: 1\n";

fn paprq(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paprq"));
    command.args(words).env_clear();
    command
}

/// Runs it with nobody at its input.
fn run(words: &[&str]) -> Output {
    paprq(words).stdin(Stdio::null()).output().unwrap()
}

/// Runs it in a directory with this piped into it.
fn pipe(words: &[&str], directory: &Path, input: &[u8]) -> Output {
    let mut child = paprq(words)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may stop reading before the end, or not read at all.
    let _written = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn help_and_version_are_no_errors() {
    for words in [
        &["--help"][..],
        &["--version"],
        &["parse", "--help"],
        &["validate", "--help"],
        &["check", "--help"],
        &["worker", "--help"],
    ] {
        let output = run(words);
        assert_eq!((status(&output), err(&output)), (0, ""), "{words:?}");
        assert!(!out(&output).is_empty(), "{words:?}");
    }
}

#[test]
fn wrong_usage_is_status_2_and_told_on_standard_error() {
    for words in [
        &[][..],
        &["nonsense"],
        &["parse"],
        &["parse", "--bot"],
        &["parse", "--bot", "b", "a", "b"],
        &["parse", "--bot", "b", "/nonexistent/comment"],
        &["validate", "--nonsense"],
        &["validate", "/nonexistent/.papr.yml"],
        &["validate", "--json", "/"],
    ] {
        let output = run(words);
        assert_eq!((status(&output), out(&output)), (2, ""), "{words:?}");
        assert!(!err(&output).is_empty(), "{words:?}");
    }
}

/// What `paprq parse` prints for this comment.
fn parsed(comment: &str) -> Json {
    let words = [
        "parse", "--bot", "bot", "--user", "jack", "--hook", "deploy", "--hook", "docs",
    ];
    let output = pipe(&words, Path::new("/"), comment.as_bytes());
    assert_eq!(status(&output), 0, "{}", err(&output));
    serde_json::from_str(out(&output)).unwrap()
}

#[test]
fn parse_prints_every_command() {
    for (words, expected) in [
        (
            "r+",
            json!({"command": "approve", "approver": "jack", "commit": null}),
        ),
        (
            "r+ 0123abcd",
            json!({"command": "approve", "approver": "jack", "commit": "0123abcd"}),
        ),
        (
            "r=@jill,joe",
            json!({"command": "approve", "approver": "jill,joe", "commit": null}),
        ),
        ("r-", json!({"command": "unapprove"})),
        ("p=-5", json!({"command": "priority", "value": -5})),
        (
            "delegate=@jill",
            json!({"command": "delegate", "to": "jill"}),
        ),
        ("delegate+", json!({"command": "delegate_author"})),
        ("delegate-", json!({"command": "undelegate"})),
        ("retry", json!({"command": "retry", "suites": []})),
        (
            "retry 'f26 sanity' b",
            json!({"command": "retry", "suites": ["f26 sanity", "b"]}),
        ),
        ("try", json!({"command": "try", "chooser": null})),
        ("try=arm", json!({"command": "try", "chooser": "arm"})),
        ("try-", json!({"command": "untry"})),
        ("rollup", json!({"command": "rollup", "value": 1})),
        ("rollup=always", json!({"command": "rollup", "value": 1})),
        ("rollup=maybe", json!({"command": "rollup", "value": 0})),
        ("rollup-", json!({"command": "rollup", "value": 0})),
        ("rollup=iffy", json!({"command": "rollup", "value": -1})),
        ("rollup=never", json!({"command": "rollup", "value": -2})),
        ("squash", json!({"command": "squash"})),
        ("squash-", json!({"command": "unsquash"})),
        ("force", json!({"command": "force"})),
        ("clean", json!({"command": "clean"})),
        ("ping", json!({"command": "ping"})),
        ("hello?", json!({"command": "ping"})),
        ("are you still there?", json!({"command": "portal"})),
        ("treeclosed=5", json!({"command": "treeclosed", "value": 5})),
        ("treeclosed-", json!({"command": "treeopen"})),
        (
            "deploy",
            json!({"command": "hook", "name": "deploy", "data": null}),
        ),
        (
            "docs=all",
            json!({"command": "hook", "name": "docs", "data": "all"}),
        ),
    ] {
        assert_eq!(
            parsed(&format!("@bot {words}\n")),
            json!([expected]),
            "{words}"
        );
    }
}

#[test]
fn parse_reads_comments_as_homu_does() {
    let names = |comment: &str| -> Vec<String> {
        let list = parsed(comment);
        let commands = list.as_array().unwrap().iter();
        commands
            .map(|command| command["command"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names("LGTM @Bot: r+ p=5 rollup, thanks"),
        ["approve", "priority"]
    );
    assert_eq!(names("@bot r+ nonsense p=1\n@bot ping"), ["approve"]);
    assert_eq!(names("@bot ping\n> @bot r+\n@bot try"), ["ping", "try"]);
    assert_eq!(names("    @bot ping <!-- @bot try -->"), ["ping"]);
    assert_eq!(names("<!-- @bot ping -->"), ["ping"]);
    for comment in [
        "",
        "r+",
        "@bots r+",
        "@bot-two r+",
        "x@bot r+",
        "`@bot r+`",
        "```\n@bot r+\n```",
        "> @bot r+",
        "@bot r=me",
        "@bot unknown-hook",
    ] {
        assert_eq!(names(comment), [""; 0], "{comment:?}");
    }
}

#[test]
fn parse_reads_a_file_or_what_is_piped_in() {
    let folder = folder(&[("comment", "@bot ping")]);
    for (words, input) in [
        (&["parse", "--bot", "bot", "comment"][..], ""),
        (&["parse", "--bot", "@bot", "-"], "@bot ping"),
        (&["parse", "--bot", "BOT"], "@bot ping"),
    ] {
        let output = pipe(words, folder.path(), input.as_bytes());
        let list: Json = serde_json::from_str(out(&output)).unwrap();
        assert_eq!(list, json!([{"command": "ping"}]), "{words:?}");
    }
    let output = pipe(&["parse", "--bot", "bot"], folder.path(), b"\xff");
    assert_eq!((status(&output), out(&output)), (2, ""));
}

#[test]
fn parse_tells_a_near_miss_beside_its_output() {
    let output = pipe(&["parse", "--bot", "bot"], Path::new("/"), b"@bot rty");
    assert_eq!((status(&output), out(&output)), (0, "[]\n"));
    assert_eq!(err(&output), "paprq: not understood: rty\n");
}

#[test]
fn validate_says_what_a_good_file_means() {
    let folder = folder(&[(".papr.yml", GOOD)]);
    let output = pipe(&["validate", ".papr.yml"], folder.path(), b"");
    assert_eq!((status(&output), err(&output)), (0, ""));
    insta::assert_snapshot!(out(&output), @r"
    .papr.yml: valid, 1 suite

    a
      environment  sandbox without network
      runs on      pull requests, pushes to master
      timeout      2 h
    ");
}

#[test]
fn validate_says_what_is_bad_and_where() {
    let folder = folder(&[(".papr.yml", BAD)]);
    let output = pipe(&["validate", ".papr.yml"], folder.path(), b"");
    assert_eq!((status(&output), err(&output)), (1, ""));
    insta::assert_snapshot!(out(&output), @r"
    .papr.yml:3:1: failed to parse 1st testsuite: Schema validation failed:
     - Key 'nonsense' was not defined. Path: ''.
    ");
}

#[test]
fn validate_prints_json() {
    let folder = folder(&[("good", GOOD), ("bad", BAD), ("none", "# nothing\n")]);
    let json_of = |file: &str| -> (i32, Json) {
        let output = pipe(&["validate", "--json", file], folder.path(), b"");
        (status(&output), serde_json::from_str(out(&output)).unwrap())
    };
    let suite = json!({
        "sandbox": true, "tests": ["make"], "context": "a",
        "branches": ["master"], "pulls": true, "required": false, "timeout": "2h",
    });
    assert_eq!(
        json_of("good"),
        (0, json!({"error": null, "suites": [suite]}))
    );
    let message = "failed to parse 1st testsuite: Schema validation failed:\n \
                   - Key 'nonsense' was not defined. Path: ''.";
    assert_eq!(json_of("bad"), (1, json!({"error": message, "suites": []})));
    assert_eq!(json_of("none"), (0, json!({"error": null, "suites": []})));
}

#[test]
fn validate_without_a_file_takes_the_first_of_four_names() {
    let names = [".papr-ex.yaml", ".papr.yml", ".papr.yaml", ".redhat-ci.yml"];
    let folder = tempfile::tempdir().unwrap();
    for name in names.iter().rev() {
        std::fs::write(folder.path().join(name), GOOD).unwrap();
        let nobody = paprq(&["validate"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(out(&nobody).starts_with(&format!("{name}: valid")));
        let nothing = pipe(&["validate"], folder.path(), b"");
        assert!(out(&nothing).starts_with(&format!("{name}: valid")));
    }
}

#[test]
fn validate_without_a_file_takes_what_is_piped_in() {
    let folder = folder(&[(".papr.yml", BAD)]);
    for words in [&["validate"][..], &["validate", "-"]] {
        let output = pipe(words, folder.path(), GOOD.as_bytes());
        assert!(
            out(&output).starts_with("standard input: valid, 1 suite"),
            "{words:?}"
        );
    }
    let empty = tempfile::tempdir().unwrap();
    let output = pipe(&["validate"], empty.path(), b"");
    assert_eq!(
        (status(&output), out(&output)),
        (0, "standard input: valid, 0 suites\n")
    );
}

#[test]
fn validate_without_anything_is_wrong_usage() {
    let empty = tempfile::tempdir().unwrap();
    let output = paprq(&["validate", "--json"])
        .current_dir(empty.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!((status(&output), out(&output)), (2, ""));
    let said = "paprq: there is no file of suites here; \
                looked for .papr-ex.yaml, .papr.yml, .papr.yaml, .redhat-ci.yml\n";
    assert_eq!(err(&output), said);
}

#[test]
fn validate_finds_the_example_of_the_documentation_good() {
    let page = include_str!("../docs/suites.md");
    let example: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("    "))
        .take_while(|line| line.starts_with("    ") || line.is_empty())
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    let output = pipe(&["validate"], Path::new("/"), example.join("\n").as_bytes());
    insta::assert_snapshot!(out(&output), @r"
    standard input: valid, 2 suites

    Red Hat CI
      environment  sandbox without network
      runs on      pull requests, pushes to auto, try
      timeout      30 min

    lint
      environment  sandbox without network
      runs on      pull requests, pushes to auto, try
      timeout      30 min
    ");
}

#[test]
fn validate_reads_no_more_than_the_longest_file() {
    let output = pipe(
        &["validate", "--json"],
        Path::new("/"),
        &vec![b'#'; 300_000],
    );
    let json: Json = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(json["error"], "file is larger than 262144 bytes");
    assert_eq!(status(&output), 1);
}

#[test]
fn validate_shows_a_terminal_nothing_that_it_would_obey() {
    let file = "sandbox: true\ntests: []\ncontext: \"\\e[31m\"\n";
    let output = pipe(&["validate"], Path::new("/"), file.as_bytes());
    assert_eq!(status(&output), 0);
    assert!(!out(&output).contains('\u{1b}'));
    assert!(out(&output).contains("\\u{1b}[31m"));
}
