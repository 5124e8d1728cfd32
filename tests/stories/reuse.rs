//! Tests of pulls and tests of merges: what one says to the other, and what is not executed twice.

use paprq_practice::{PullState, StatusState};

use crate::oracle::{Answer, Oracle, with_suites, words};
use crate::world::{BASE, REPO, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_green_on_the_very_merge_lands_without_a_new_job() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    let (_, _, job) = words(&world, head, "unit");
    // Whoever asks for all of it gets all of it.
    world.tell(pull, "retry all");
    oracle.until_asked(&world, "unit", 2).await;
    world
        .until("the new job is shown", |practice| {
            let status = practice.status(REPO, head, "unit");
            status.is_some_and(|status| {
                status.state == StatusState::Success && status.target_url != Some(job.clone())
            })
        })
        .await;
    let (_, _, job) = words(&world, head, "unit");
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
    world
        .until_status(world.base(), "unit", StatusState::Success)
        .await;
    let (_, text, earlier) = words(&world, world.base(), "unit");
    assert_eq!(text, "All tests passed before on the same tree.");
    assert_eq!(earlier, job);
    assert_eq!(oracle.times("unit"), 2, "the merge needed no job");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tree_or_another_definition_is_tested_and_so_is_all_without_reuse() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", "")];
    let world = World::start_with(with_suites(&suites, "")).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    world
        .practice
        .commit(REPO, BASE, [("b", "1")], "Move on", "alice")
        .unwrap();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_eq!(oracle.times("unit"), 2);

    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", "")];
    let world = World::start_with(with_suites(&suites, "suites.reuse = false")).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_eq!(oracle.times("unit"), 2);
}

/// Suites of which one is for pulls only and the other for merges only.
fn apart(oracle: &Oracle) -> [String; 2] {
    [
        oracle.suite("lint", "branches: []"),
        oracle.suite("unit", "pulls: false"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_pull_lands_if_its_merge_is_green() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&apart(&oracle), "")).await;
    oracle.say("lint", Answer::Fail);
    let pull = world.open_pull("ugly", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "lint", StatusState::Failure).await;
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_eq!(oracle.all(), ["lint", "unit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_pull_waits_where_it_must_be_green_first() {
    let oracle = Oracle::start();
    let settings = with_suites(&apart(&oracle), "require_green_pull = true");
    let world = World::start_with(settings).await;
    oracle.say("lint", Answer::Fail);
    let red = world.open_pull("ugly", &[("a", "1")]);
    let head = world.head(red);
    world.until_status(head, "lint", StatusState::Failure).await;
    world.tell(red, "r+ p=5");
    world.hear(red, ":pushpin: Commit").await;
    oracle.say("lint", Answer::Pass);
    let green = world.open_pull("green", &[("b", "1")]);
    world.tell(green, "r+");
    world.until_merged(green).await;
    let seen = world.practice.pull(REPO, red).unwrap();
    assert_eq!(seen.state, PullState::Open);
    assert_eq!(oracle.times("unit"), 1);
    world.tell(red, "retry");
    world.until_merged(red).await;
    assert_eq!(oracle.times("unit"), 2);
}
