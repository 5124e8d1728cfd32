//! What becomes of the files that a suite leaves.

use std::collections::BTreeMap;

use super::server::Server;
use super::{Worker, attempt, suite};
use crate::protocol::{ArtifactBounds, JobOutcome, Order, Report, SecretVariable};

struct Left {
    log: String,
    report: Report,
    files: BTreeMap<String, Vec<u8>>,
}

impl Left {
    fn names(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }
}

async fn leave_on(
    server: &Server,
    tests: &[&str],
    paths: &[&str],
    change: impl FnOnce(&mut Order),
) -> Left {
    let worker = Worker::start(server).await;
    let (log, report) = server
        .execute(1, |order| {
            order.suite = suite(tests);
            order.suite.artifacts = paths.iter().map(|&path| path.to_owned()).collect();
            change(order);
        })
        .await;
    worker.stop().await.unwrap();
    let files = server.change(|state| state.attempts[&attempt(1)].artifacts.clone());
    Left { log, report, files }
}

async fn leave(tests: &[&str], paths: &[&str]) -> Left {
    leave_on(&Server::start(), tests, paths, |_order| {}).await
}

#[tokio::test]
async fn files_and_directories_are_kept_under_their_paths_whatever_they_are_called() {
    let make = "mkdir -p out/deep 'odd ü#%?'; printf one >out/one; printf '\\377\\0' >out/deep/two; \
                touch 'odd ü#%?/100%25+&;=.log' empty; echo unnamed >other";
    let left = leave(
        &[make],
        &[
            "./out//",
            "odd ü#%?",
            "empty",
            "missing",
            "greeting",
            "out/one",
        ],
    )
    .await;
    assert_eq!(left.report.outcome, JobOutcome::Passed);
    let names = [
        "empty",
        "greeting",
        "odd ü#%?/100%25+&;=.log",
        "out/deep/two",
        "out/one",
    ];
    assert_eq!(left.names(), names, "{}", left.log);
    assert_eq!(left.files["out/one"], b"one");
    assert_eq!(left.files["out/deep/two"], b"\xff\0");
    assert_eq!(left.files["greeting"], b"hello\n");
    assert!(!left.log.contains("LEFT OUT"), "{}", left.log);
}

#[tokio::test]
async fn what_failed_or_took_too_long_leaves_files_too() {
    let left = leave(&["echo x >kept; exit 3"], &["kept"]).await;
    assert_eq!(left.report.outcome, JobOutcome::Failed { exit_code: 3 });
    assert_eq!(left.names(), ["kept"]);
    let server = Server::start();
    let tests = ["echo x >kept; echo here", "sleep 1000"];
    let left = leave_on(&server, &tests, &["greeting"], |order| {
        order.suite.timeout_s = 1;
    })
    .await;
    assert_eq!(left.report.outcome, JobOutcome::TimedOut);
    assert_eq!(left.names(), ["greeting"]);
}

#[tokio::test]
async fn the_whole_working_copy_is_kept_without_its_history() {
    let left = leave(&["mkdir a; touch a/.git a/b"], &["."]).await;
    assert_eq!(left.names(), ["a/.git", "a/b", "greeting"]);
}

#[tokio::test]
async fn nothing_but_files_of_the_working_copy_leaves_the_worker() {
    let make = "mkdir real; echo x >real/file; ln -s /etc/passwd passwd; ln -s /etc etc; \
                ln -s real link; mkdir out; ln -s ../real out/link; ln -s /etc/passwd out/file; \
                ln -s ../../control/0.sh script; mkfifo out/pipe; echo y >out/good; \
                printf 'a\\nb' >\"$(printf 'out/new\\nline')\"; touch \"$(printf 'out/\\377')\"";
    let paths = [
        "passwd",
        "etc/passwd",
        "etc",
        "link/file",
        "out",
        "script",
        "/etc/passwd",
        "../control/0.sh",
        "out/../../log",
    ];
    let left = leave(&[make], &paths).await;
    assert_eq!(left.report.outcome, JobOutcome::Passed, "{}", left.log);
    assert_eq!(left.names(), ["out/good"], "{}", left.log);
    let told = left
        .log
        .lines()
        .filter_map(|line| line.strip_prefix("### ARTIFACT LEFT OUT: "));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    passwd: it is neither a file nor a directory
    etc/passwd: a link is on the way
    etc: it is neither a file nor a directory
    link/file: a link is on the way
    out/�: its name is no UTF-8
    out/file: it is neither a file nor a directory
    out/link: it is neither a file nor a directory
    out/new\nline: has a name that cannot be kept
    out/pipe: it is neither a file nor a directory
    script: it is neither a file nor a directory
    /etc/passwd: it is not below the working copy
    ../control/0.sh: it leads out of the working copy
    out/../../log: it leads out of the working copy
    ");
}

#[tokio::test]
async fn no_more_is_sent_than_the_server_keeps() {
    let server = Server::start();
    let make = "mkdir out; cd out; printf 1234567 >a; printf 123456 >b; printf 123 >c; \
                printf 12 >d; printf 1 >e; : >f";
    let left = leave_on(&server, &[make], &["out"], |order| {
        order.artifacts = ArtifactBounds {
            files_max: 3,
            file_bytes_max: 6,
            bytes_max: 8,
        };
    })
    .await;
    assert_eq!(left.names(), ["out/b", "out/d", "out/f"]);
    let told = left
        .log
        .lines()
        .filter_map(|line| line.strip_prefix("### ARTIFACT LEFT OUT: "));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    out/a: of 7 bytes; at most 6 are kept
    out/c: at most 8 bytes are kept of all
    out/e: at most 8 bytes are kept of all
    ");
}

#[tokio::test]
async fn many_that_are_left_out_are_counted() {
    let make = "mkdir out; for i in $(seq 25); do ln -s nowhere out/$i; done";
    let left = leave(&[make], &["out"]).await;
    assert_eq!(left.log.matches("### ARTIFACT LEFT OUT: out/").count(), 20);
    assert!(
        left.log.ends_with("### 5 MORE ARTIFACTS LEFT OUT\n"),
        "{}",
        left.log
    );
}

#[tokio::test]
async fn a_file_is_sent_until_the_server_has_it_or_does_not_want_it() {
    let server = Server::start();
    server.change(|state| state.artifact_codes = [503, 500, 413, 400].into());
    let make = "echo a >a; echo b >b; echo c >c";
    let left = leave_on(&server, &[make], &["a", "b", "c"], |_order| {}).await;
    assert_eq!(left.report.outcome, JobOutcome::Passed);
    assert_eq!(left.names(), ["c"]);
    assert!(
        left.log
            .contains("### ARTIFACT LEFT OUT: a: the server keeps no more\n")
    );
    assert!(
        left.log
            .contains("### ARTIFACT LEFT OUT: b: the server does not take it\n")
    );
}

#[tokio::test]
async fn no_file_and_no_path_shows_a_secret() {
    let server = Server::start();
    let make = "mkdir out; head -c 300000 /dev/zero >out/file; echo \"<$TOKEN>\" >>out/file; \
                touch \"out/$TOKEN\"";
    let left = leave_on(&server, &[make], &["out"], |order| {
        order.secrets = vec![SecretVariable {
            name: "TOKEN".to_owned(),
            value: "secret-token".to_owned(),
        }];
    })
    .await;
    assert_eq!(left.names(), ["out/file"]);
    assert!(left.files["out/file"].ends_with(b"\0<***>\n"));
    assert_eq!(left.files["out/file"].len(), 300_000 + 6);
    assert!(!left.log.contains("secret-token"), "{}", left.log);
}
