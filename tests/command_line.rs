//! The commands that need no server, as a person or a program meets them: the built binary, its
//! output, its exit status.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, helpers too fail by panicking"
)]

#[path = "command_line/homu.rs"]
mod homu;
#[path = "command_line/run.rs"]
mod run;
#[path = "command_line/validate.rs"]
mod validate;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};

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
        &["run", "--help"],
        &["validate", "--help"],
        &["check", "--help"],
        &["worker", "--help"],
        &["help"],
        &["help", "--help"],
        &["help", "-h"],
        &["help", "check", "--help"],
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
    for comment in [
        "",
        "r+",
        "@bots r+",
        "@bot-two r+",
        "x@bot r+",
        "`@bot r+`",
        "```\n@bot r+\n```",
        "> @bot r+",
        "<!-- @bot r+ -->",
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
fn a_worker_whose_engine_does_not_answer_says_where_it_looked_and_what_to_do() {
    let folder = folder(&[("token", "secret")]);
    let nowhere = format!("unix://{}/engine.sock", folder.path().display());
    let token = folder.path().join("token");
    let done = run(&[
        "worker",
        "--server",
        "http://127.0.0.1:1",
        "--token-file",
        token.to_str().unwrap(),
        "--executor",
        "container",
        "--engine",
        &nowhere,
    ]);
    assert_ne!(status(&done), 0);
    let said = err(&done);
    assert!(
        said.contains(&nowhere) && said.contains("--engine"),
        "{said}"
    );
}
