//! Runs that wait for somebody else's CI.

use paprq::practice::{Conclusion, StatusState};

use crate::world::{REPO, Settings, World};

fn with(repo: &str) -> Settings {
    Settings {
        repo: repo.to_owned(),
        ..Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_lands_a_pull_with_at_most_eight_calls() {
    let world = World::start_with(with("status.ci = { context = \"ci\" }")).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    world.until_logged(" swept ", 1).await;
    let before = world.practice.api_calls();
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    world
        .practice
        .set_status(REPO, merge, "ci", StatusState::Success)
        .unwrap();
    world.until_merged(pull).await;
    world
        .until_status(world.head(pull), "homu", StatusState::Success)
        .await;
    world.hear(pull, ":sunny: Test successful").await;
    let calls = world.practice.api_calls() - before;
    assert!(
        calls <= 8,
        "{calls} calls:\n{:#?}",
        world.practice.requests()
    );
    assert_eq!(world.base(), merge);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_status_keeps_a_pull_out() {
    let world = World::start_with(with("status.ci = { context = \"ci\" }")).await;
    let pull = world.open_pull("bad", &[("a", "1")]);
    let before = world.base();
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    world
        .practice
        .set_status(REPO, merge, "ci", StatusState::Failure)
        .unwrap();
    world.hear(pull, ":broken_heart: Test failed").await;
    assert_eq!(world.base(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_run_and_a_suite_are_both_waited_for() {
    let world = World::start_with(with("checks.build = { name = \"build\" }\nsuites = {}")).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let before = world.base();
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    world
        .until_status(merge, "unit", StatusState::Success)
        .await;
    assert_eq!(world.base(), before);
    let run = world.practice.create_check_run(REPO, merge, "build");
    world
        .practice
        .complete_check_run(REPO, run.unwrap(), Conclusion::Success)
        .unwrap();
    world.until_merged(pull).await;
    assert_eq!(world.base(), merge);
}
