//! A pull is tested as soon as it is there: as merged, and again with every push.

use paprq_core::ids::{CommitId, PullNumber};
use paprq_practice::StatusState;

use crate::oracle::{Answer, Oracle, with_suites, words};
use crate::world::{BASE, REPO, Settings, World};

fn opened(world: &World, branch: &str, base: &str) -> PullNumber {
    let title = format!("Change {branch}");
    let practice = &world.practice;
    practice
        .open_pull(REPO, branch, base, &title, "", "bob")
        .unwrap()
}

/// What the server shows at a target of one of its statuses.
async fn page_of(world: &World, target: &str) -> String {
    let path = target.strip_prefix("https://paprq.example").unwrap();
    world.page(path).await
}

/// GitHub's own merge of a pull, which it makes when somebody looks.
async fn githubs_merge(world: &World, pull: PullNumber) -> CommitId {
    let address = format!("{}/repos/{REPO}/pulls/{pull}", world.practice.api_url());
    let looked = reqwest::get(address).await.unwrap();
    let looked: serde_json::Value = looked.json().await.unwrap();
    looked["merge_commit_sha"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_is_tested_as_merged_with_a_status_for_each_suite_and_one_for_the_required() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", "required: true"),
        oracle.suite("lint", "required: true"),
        oracle
            .suite("docs", "")
            .replace("  - |\n", "  - test -e settings\n  - |\n"),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("unit", Answer::Later);
    let head = world.push("good", &[("a", "1")]);
    let practice = &world.practice;
    // Only the merge has it.
    practice
        .commit(REPO, BASE, [("settings", "1")], "Settings", "alice")
        .unwrap();
    let pull = opened(&world, "good", BASE);
    oracle.until_asked(&world, "unit", 1).await;
    world.until_status(head, "lint", StatusState::Success).await;
    world.until_status(head, "docs", StatusState::Success).await;
    world.until_status(head, "unit", StatusState::Pending).await;
    let (state, text, required_page) = words(&world, head, "required");
    assert_eq!((state, &*text), (StatusState::Pending, "Waiting..."));
    oracle.say("unit", Answer::Pass);
    world
        .until_status(head, "required", StatusState::Success)
        .await;
    assert_eq!(words(&world, head, "required").1, "2/2 PASSES");
    let (_, text, job_page) = words(&world, head, "unit");
    assert_eq!(text, "All tests passed.");
    assert!(page_of(&world, &job_page).await.contains("unit"));
    let page = page_of(&world, &required_page).await;
    for shown in ["unit", "lint", "docs", "not required", "3 of 3"] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    let merge = githubs_merge(&world, pull).await;
    for suite in ["unit", "lint", "docs"] {
        world.until_status(merge, suite, StatusState::Success).await;
    }
    assert_eq!(world.said(pull), [""; 0], "nobody was spoken to");
    assert_eq!(oracle.all(), ["docs", "lint", "unit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_conflicts_is_tested_at_its_head_and_its_status_says_so() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    let head = world.push("clash", &[("a", "theirs\n")]);
    world
        .practice
        .commit(REPO, BASE, [("a", "ours\n")], "Ours", "alice")
        .unwrap();
    opened(&world, "clash", BASE);
    world.until_status(head, "unit", StatusState::Success).await;
    assert_eq!(
        words(&world, head, "unit").1,
        "All tests passed, but merge commit could not be tested."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_of_suites_in_a_pull_is_answered_as_papr_did() {
    let oracle = Oracle::start();
    let suites = oracle.suite("unit", "");
    let world = World::start_with(with_suites(std::slice::from_ref(&suites), "")).await;
    let wrong = format!("{suites}pull: true\n");
    let pull = world.open_pull("wrong", &[(".papr.yml", &wrong)]);
    let said = world.hear(pull, ":boom: Invalid `.papr.yml`: ").await;
    assert!(
        said.contains("failed to parse 1st testsuite: Schema validation failed:")
            && said.contains("Key 'pull' was not defined. Path: ''"),
        "{said}"
    );
    let head = world.head(pull);
    world
        .until_status(head, "Red Hat CI", StatusState::Error)
        .await;
    assert_eq!(words(&world, head, "Red Hat CI").1, "Invalid YAML file.");
    let mended = world.push("wrong", &[(".papr.yml", &suites), ("b", "1")]);
    world
        .until_status(mended, "unit", StatusState::Success)
        .await;
    assert_eq!(oracle.times("unit"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_while_a_pull_is_tested_stops_that_and_tests_the_new_commit() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", "required: true"),
        oracle.suite("lint", ""),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("unit", Answer::Later);
    let pull = world.open_pull("moving", &[("a", "1")]);
    let old = world.head(pull);
    oracle.until_asked(&world, "unit", 1).await;
    world.until_status(old, "lint", StatusState::Success).await;
    world.until_status(old, "unit", StatusState::Pending).await;
    let new = world.push("moving", &[("a", "2")]);
    world.until_status(old, "unit", StatusState::Error).await;
    world
        .until_status(old, "required", StatusState::Failure)
        .await;
    oracle.until_asked(&world, "unit", 2).await;
    oracle.say("unit", Answer::Pass);
    world
        .until_status(new, "required", StatusState::Success)
        .await;
    // What the stopped test would have said counts for nothing.
    assert_eq!(words(&world, old, "unit").0, StatusState::Error);
    assert_eq!(words(&world, old, "lint").0, StatusState::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pull_is_tested_no_longer_and_no_status_of_it_stays_pending() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    oracle.say("unit", Answer::Later);
    let pull = world.open_pull("dropped", &[("a", "1")]);
    let head = world.head(pull);
    oracle.until_asked(&world, "unit", 1).await;
    world.practice.close_pull(REPO, pull, "bob").unwrap();
    world.until_status(head, "unit", StatusState::Error).await;
    assert_eq!(words(&world, head, "unit").1, "Stopped: the run is over.");
    oracle.say("unit", Answer::Pass);
    world.practice.reopen_pull(REPO, pull, "bob").unwrap();
    world.until_status(head, "unit", StatusState::Success).await;
    assert_eq!(oracle.times("unit"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_asks_not_to_be_tested_is_not_until_somebody_asks_for_it() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    let head = world.push("words", &[("README", "1")]);
    let practice = &world.practice;
    let pull = practice
        .open_pull(REPO, "words", BASE, "Words [skip ci]", "", "bob")
        .unwrap();
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    assert_eq!(oracle.times("unit"), 0);
    world.tell(pull, "test");
    world.until_status(head, "unit", StatusState::Success).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_does_not_hold_up_its_own_merge_and_takes_over_its_results() {
    let oracle = Oracle::start();
    let settings = Settings {
        local_workers: 1,
        ..with_suites(&[oracle.suite("unit", ""), oracle.suite("lint", "")], "")
    };
    let world = World::start_with(settings).await;
    for suite in ["unit", "lint"] {
        oracle.say(suite, Answer::Later);
    }
    let head = world.push("good", &[("a", "1")]);
    let pull = opened(&world, "good", BASE);
    // The only worker is busy with the pull request test.
    oracle.until_any(&world, 1).await;
    world.tell(pull, "r+");
    oracle.until_any(&world, 2).await;
    for suite in ["unit", "lint"] {
        let words = "Superseded by the merge test, whose result will count.";
        world.until_words(head, suite, words).await;
    }
    for suite in ["unit", "lint"] {
        oracle.say(suite, Answer::Pass);
    }
    world.until_merged(pull).await;
    for suite in ["unit", "lint"] {
        let words = "Superseded by the merge test: all tests passed.";
        world.until_words(head, suite, words).await;
        world.until_status(head, suite, StatusState::Success).await;
    }
}
