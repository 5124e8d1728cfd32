//! Runs that wait for somebody else's CI.

use paprq_practice::{ApiFault, Calls, Conclusion, Deliveries, HookFault, Practice, StatusState};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_check_run_of_the_same_name_that_still_runs_keeps_a_pull_out() {
    let world = World::start_with(with("checks.build = { name = \"build\" }")).await;
    let practice = &world.practice;
    let mut before = world.base();
    for (branch, other_app, end) in [
        ("one", 1, Conclusion::Failure),
        ("two", 2, Conclusion::Failure),
        ("three", 2, Conclusion::Success),
    ] {
        let pull = world.open_pull(branch, &[(branch, "1")]);
        world.tell(pull, "r+");
        world.hear(pull, ":hourglass: Testing").await;
        let merge = practice.branch(REPO, "auto").unwrap().unwrap();
        let first = practice.create_check_run(REPO, merge, "build").unwrap();
        let second = practice.create_check_run_of(REPO, merge, "build", other_app);
        let second = second.unwrap();
        practice
            .complete_check_run(REPO, first, Conclusion::Success)
            .unwrap();
        practice
            .wait_until(crate::world::LIMIT, Practice::deliveries_are_done)
            .await
            .unwrap();
        // What is told later is answered later.
        world.tell(pull, "ping");
        world.hear(pull, ":sleepy:").await;
        assert_eq!(world.base(), before, "{}", world.log());
        practice.complete_check_run(REPO, second, end).unwrap();
        if end == Conclusion::Success {
            world.until_merged(pull).await;
            before = world.base();
        } else {
            world.hear(pull, ":broken_heart: Test failed").await;
        }
        assert_eq!(world.base(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_check_run_whose_webhook_was_lost_is_seen_before_the_landing() {
    let world = World::start_with(with("checks.build = { name = \"build\" }")).await;
    let practice = &world.practice;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = practice.branch(REPO, "auto").unwrap().unwrap();
    let lost = Deliveries::of("check_run").nth(1);
    practice.faults().webhooks(lost, HookFault::Drop);
    let second = practice
        .create_check_run_of(REPO, merge, "build", 2)
        .unwrap();
    let first = practice.create_check_run(REPO, merge, "build").unwrap();
    practice
        .complete_check_run(REPO, first, Conclusion::Success)
        .unwrap();
    world.until_logged("check runs of", 2).await;
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    assert_eq!(world.base(), before, "{}", world.log());
    practice
        .complete_check_run(REPO, second, Conclusion::Failure)
        .unwrap();
    world.hear(pull, ":broken_heart: Test failed").await;
    assert_eq!(world.base(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_neutral_or_skipped_does_not_hold_up_the_queue() {
    let world = World::start_with(with("checks.build = { name = \"Build\" }")).await;
    let practice = &world.practice;
    let neutral = world.open_pull("neutral", &[("a", "1")]);
    world.tell(neutral, "r+");
    world.hear(neutral, ":hourglass: Testing").await;
    let merge = practice.branch(REPO, "auto").unwrap().unwrap();
    let run = practice.create_check_run(REPO, merge, "build").unwrap();
    practice
        .complete_check_run(REPO, run, Conclusion::Neutral)
        .unwrap();
    world.until_merged(neutral).await;
    let skipped = world.open_pull("skipped", &[("b", "1")]);
    let before = world.base();
    world.tell(skipped, "r+");
    world.hear(skipped, ":hourglass: Testing").await;
    let merge = practice.branch(REPO, "auto").unwrap().unwrap();
    let run = practice.create_check_run(REPO, merge, "build").unwrap();
    let beside = practice.create_check_run_beside(REPO, run, "lint").unwrap();
    practice
        .complete_check_run(REPO, run, Conclusion::Skipped)
        .unwrap();
    world.tell(skipped, "ping");
    world.hear(skipped, ":sleepy:").await;
    assert_eq!(world.base(), before, "{}", world.log());
    practice
        .complete_check_run(REPO, beside, Conclusion::Success)
        .unwrap();
    world.until_merged(skipped).await;
    assert_eq!(world.base(), merge);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_warns_of_names_that_were_never_seen_on_the_repository() {
    let lines = "status.ci = { context = \"CI/Test\" }
status.other = { context = \"ci/tset\" }
checks.build = { name = \"bulid\" }";
    let world = World::start_with(with(lines)).await;
    world.tolerates("the mirror is not brought up to date");
    world
        .practice
        .set_status(REPO, world.base(), "ci/test", StatusState::Success)
        .unwrap();
    world.open_pull("good", &[("a", "1")]);
    let check = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_paprq"))
            .args(["check", "-c", "cfg.toml"])
            .current_dir(world.path(""))
            .output()
            .unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = check();
    for name in ["The context \"ci/tset\"", "The check run \"bulid\""] {
        assert!(
            said.contains(&format!("{name} was never seen on octo/widgets")),
            "{said}"
        );
    }
    assert!(!said.contains("\"CI/Test\" was never seen"), "{said}");
    world.practice.faults().api(Calls::any(), ApiFault::Refuse);
    let said = check();
    assert!(
        said.contains("was not looked up whether the configured checks exist"),
        "{said}"
    );
}
