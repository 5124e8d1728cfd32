//! What suites wait for, and what they may know.

use paprq_practice::StatusState;

use crate::oracle::{Answer, Oracle, with_suites, words};
use crate::world::{REPO, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_begins_once_those_that_it_needs_have_passed() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", "needs: [build]"),
        oracle.suite("build", "needs: [lint]\npulls: false\nbranches: []"),
        oracle.suite("lint", ""),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("lint", Answer::Later);
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    oracle.until_asked(&world, "lint", 1).await;
    // Two workers are there, so nothing but the order keeps these back.
    world.until_status(head, "unit", StatusState::Pending).await;
    world
        .until_status(head, "build", StatusState::Pending)
        .await;
    oracle.say("lint", Answer::Pass);
    world.until_status(head, "unit", StatusState::Success).await;
    assert_eq!(oracle.in_order(), ["lint", "build", "unit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_suite_that_failed_is_not_executed() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", "needs: [lint]"),
        oracle.suite("lint", ""),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("lint", Answer::Fail);
    let pull = world.open_pull("bad", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "lint", StatusState::Failure).await;
    world.until_status(head, "unit", StatusState::Error).await;
    assert_eq!(oracle.in_order(), ["lint"]);
    oracle.say("lint", Answer::Pass);
    world.tell(pull, "retry");
    world.until_status(head, "unit", StatusState::Success).await;
    assert_eq!(oracle.in_order(), ["lint", "lint", "unit"]);
}

const TOKEN: &str = "hunter2-hunter2-hunter2";

/// Whether a file below a directory, or one that it holds, has the text.
fn holds(at: &std::path::Path, text: &str) -> bool {
    if at.is_dir() {
        let entries = std::fs::read_dir(at).unwrap();
        return entries
            .into_iter()
            .any(|entry| holds(&entry.unwrap().path(), text));
    }
    let content = std::fs::read(at).unwrap_or_default();
    content
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_merges_and_no_pull_and_is_nowhere_to_be_found() {
    let oracle = Oracle::start();
    let ask = oracle.ask("\"secret-${#UPLOAD_TOKEN}\"");
    let file = format!(
        "context: unit\nsandbox: {{network: true}}\nbranches: [auto]\nsecrets: [UPLOAD_TOKEN]\n\
         env: {{EMPTY: ''}}\ntests:\n  - |\n    : \"${{UPLOAD_TOKEN:=}}\"; \
         echo \"it is $UPLOAD_TOKEN\"; env; {ask}\n"
    );
    let settings = with_suites(
        &[file],
        &format!("secrets = {{ UPLOAD_TOKEN = \"{TOKEN}\" }}"),
    );
    let world = World::start_with(settings).await;
    let pull = world.open_pull("curious", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    assert_eq!(oracle.in_order(), ["secret-0"]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    let known = format!("secret-{}", TOKEN.len());
    assert_eq!(
        oracle.in_order(),
        ["secret-0", &known],
        "it is another test"
    );
    world
        .until_status(world.base(), "unit", StatusState::Success)
        .await;
    let (_, _, job) = words(&world, world.base(), "unit");
    let path = job.strip_prefix("https://paprq.example").unwrap();
    let log = world.page(&format!("{path}/log")).await;
    assert!(log.contains("it is ***"), "{log}");
    world.stop_server();
    std::fs::remove_file(world.path("cfg.toml")).unwrap();
    // What is stored lies in the database or in the journal beside it.
    let stored = ["paprq.db", "paprq.db-wal"].map(|name| holds(&world.path(name), "UPLOAD_TOKEN"));
    assert!(stored.contains(&true), "{stored:?}");
    assert!(!holds(&world.path(""), TOKEN), "{}", world.log());
    assert!(!world.log().contains(TOKEN));
    let posted = world.practice.statuses(REPO, head);
    assert!(!format!("{posted:?}").contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_told_what_it_tests_by_paprs_variables() {
    let oracle = Oracle::start();
    let ask = |names: &str| {
        let ask = oracle.ask(names);
        format!(
            "context: unit\nsandbox: {{network: true}}\nbranches: [auto]\ntests:\n  - |\n    {ask}\n"
        )
    };
    let told = "\"pull=${PAPR_PULL_ID:-} branch=${PAPR_BRANCH:-} to=${PAPR_PULL_TARGET_BRANCH:-} \
                head=$RHCI_COMMIT merge=${RHCI_MERGE_COMMIT:+$(git rev-parse HEAD)}\"";
    let settings = with_suites(&[ask(told)], "suites.reuse = false");
    let world = World::start_with(settings).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    let (_, _, job) = words(&world, head, "unit");
    let path = job.strip_prefix("https://paprq.example").unwrap();
    let log = world.page(&format!("{path}/log")).await;
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[1].ends_with(&format!("/{REPO}/pull/{pull}")), "{log}");
    assert_eq!(lines[2], format!("### {head}"));
    assert_eq!(lines[3], "### TESTSUITE unit");
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    let merge = world.base();
    let told = oracle.in_order();
    let own = format!("pull={pull} branch= to=master head={head} merge=");
    assert!(
        told[0].starts_with(&own) && told[0].len() == own.len() + 40,
        "{told:?}"
    );
    assert_eq!(
        told[1],
        format!("pull= branch=auto to= head={merge} merge=")
    );
}
