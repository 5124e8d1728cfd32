//! `paprq import-homu`, as a person meets it: the built binary, its output, its exit status.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, helpers too fail by panicking"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::sqlite::SqliteConnection;
use tempfile::TempDir;

const CONFIGURATION: &str = r#"
[github]
access_token = "t"
[repo.widgets]
owner = "octo"
name = "widgets"
reviewers = ["alice"]
github = { secret = "s" }
"#;

const SERVO: &str = include_str!("homu/servo.sql");
const RUST_LANG: &str = include_str!("homu/rust-lang.sql");

const PULL: &str = "insert into pull (repo, num, status, head_sha, head_ref, base_ref, approved_by)
    values ('widgets', 7, '', '7777777777777777777777777777777777777777', 'bob:x', 'main', 'alice');";

fn folder(homu: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cfg.toml"), CONFIGURATION).unwrap();
    sql(&folder.path().join("main.db"), homu);
    folder
}

fn sql(file: &Path, text: &str) {
    let connection = SqliteConnection::establish(&file.to_string_lossy());
    connection.unwrap().batch_execute(text).unwrap();
}

fn import(folder: &TempDir, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_paprq"))
        .arg("import-homu")
        .args(words)
        .current_dir(folder.path())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The exit status, and what is said on standard output and on standard error.
fn told(output: &Output) -> (i32, &str, &str) {
    (
        output.status.code().unwrap(),
        str::from_utf8(&output.stdout).unwrap(),
        str::from_utf8(&output.stderr).unwrap(),
    )
}

#[test]
fn files_of_both_lines_are_imported_once() {
    for schema in [SERVO, RUST_LANG] {
        let folder = folder(&[schema, PULL].concat());
        let before = std::fs::read(folder.path().join("main.db")).unwrap();
        let first = import(&folder, &["main.db", "-c", "cfg.toml"]);
        let (status, report, said) = told(&first);
        assert_eq!((status, said), (0, ""));
        assert!(report.contains("1 pull: 1 taken over, 0 "), "{report}");
        assert!(report.contains("- 1 approval\n"), "{report}");
        let again = import(&folder, &["main.db"]);
        let (status, report, said) = told(&again);
        assert_eq!((status, said), (0, ""));
        assert!(report.contains("0 taken over, 0 known here and completed, 1 already there"));
        assert!(!report.contains("approval"), "{report}");
        let after = std::fs::read(folder.path().join("main.db")).unwrap();
        assert_eq!(after, before);
    }
}

#[test]
fn a_file_that_is_not_homu_s_is_exit_status_1() {
    let folder = folder("create table t (x);");
    let output = import(&folder, &["main.db"]);
    let said = "paprq: main.db is no database of Homu: it has no table \"pull\"\n";
    assert_eq!(told(&output), (1, "", said));
    std::fs::write(folder.path().join("main.db"), "words ".repeat(500)).unwrap();
    let output = import(&folder, &["main.db"]);
    let said = "paprq: main.db is no database of Homu: file is not a database\n";
    assert_eq!(told(&output), (1, "", said));
    assert!(!folder.path().join("paprq.db").exists());
}

#[test]
fn wrong_usage_and_configuration_are_exit_status_2() {
    let folder = folder(&[SERVO, PULL].concat());
    let status = |words: &[&str]| told(&import(&folder, words)).0;
    assert_eq!(status(&[]), 2);
    assert_eq!(status(&["missing.db"]), 2);
    assert!(!folder.path().join("missing.db").exists());
    assert_eq!(status(&["main.db", "-c", "missing.toml"]), 2);
    std::fs::write(folder.path().join("cfg.toml"), "[repo.x]\nowne = 1\n").unwrap();
    assert_eq!(status(&["main.db"]), 2);
    let elsewhere = [CONFIGURATION, "[db]\nurl = \"postgres://h/d\"\n"].concat();
    std::fs::write(folder.path().join("cfg.toml"), elsewhere).unwrap();
    let output = import(&folder, &["main.db"]);
    let (status, _, said) = told(&output);
    assert_eq!(status, 2);
    assert!(said.contains("SQLite only"), "{said}");
}

#[test]
fn a_database_that_a_server_uses_is_refused() {
    let folder = folder(&[SERVO, PULL].concat());
    let lock = std::fs::File::create(folder.path().join("paprq.db.lock")).unwrap();
    lock.lock().unwrap();
    let output = import(&folder, &["main.db"]);
    let (status, report, said) = told(&output);
    assert_eq!((status, report), (2, ""));
    assert!(said.contains("another server uses it"), "{said}");
    drop(lock);
    assert_eq!(told(&import(&folder, &["main.db"])).0, 0);
}

#[test]
fn the_help_names_the_command_and_its_file() {
    let folder = folder(SERVO);
    let help = import(&folder, &["--help"]);
    let (status, help, _) = told(&help);
    assert_eq!(status, 0);
    assert!(
        help.contains("paprq import-homu [OPTIONS] <FILE>"),
        "{help}"
    );
    assert!(help.contains("Stop the server first"), "{help}");
}
