//! Whose pulls are tested by themselves, and whose wait for somebody who looks at them first.

use paprq_core::ids::PullNumber;
use paprq_practice::{Permission, StatusState};

use crate::oracle::{Oracle, with_suites};
use crate::world::{BASE, REPO, World};

fn pull_by(world: &World, author: &str, branch: &str) -> PullNumber {
    world.push(branch, &[(branch, "1")]);
    let practice = &world.practice;
    practice
        .open_pull(REPO, branch, BASE, branch, "", author)
        .unwrap()
}

/// How many pull request tests were begun so far.
fn begun(world: &World) -> usize {
    world.log().matches("make test merge").count()
}

/// Waits until all has been done that was said on a pull.
async fn until_read(world: &World, pull: PullNumber, times: usize) {
    world.tell(pull, "ping");
    world
        .until("a ping is answered", |practice| {
            let comments = practice.comments(REPO, pull).into_iter();
            let awake = comments.filter(|comment| comment.body.starts_with(":sleepy:"));
            awake.count() >= times
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outsiders_pull_waits_for_ok_and_is_told_once_whom_to_ask() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    let pull = pull_by(&world, "carol", "one");
    let said = world.hear(pull, ":wave: Thank you, @carol.").await;
    assert!(said.contains("You can ask `alice`."), "{said}");
    world.say("carol", pull, "@bors ok");
    world.hear(pull, "@carol: :key:").await;
    world.say("carol", pull, "@bors test unit");
    world
        .until("both are refused", |practice| {
            let comments = practice.comments(REPO, pull).into_iter();
            comments
                .filter(|comment| comment.body.starts_with("@carol: :key:"))
                .count()
                == 2
        })
        .await;
    assert_eq!((oracle.times("unit"), begun(&world)), (0, 0));
    world.tell(pull, "ok");
    world
        .until_status(world.head(pull), "unit", StatusState::Success)
        .await;
    // The next commit may be anything.
    let second = world.push("one", &[("one", "2")]);
    world
        .until_logged(&format!("pull #{pull} put at {}", second.short()), 1)
        .await;
    until_read(&world, pull, 1).await;
    assert_eq!((oracle.times("unit"), begun(&world)), (1, 1));
    assert_eq!(world.count(pull, ":wave:"), 1);
    world.tell(pull, "ok+");
    world
        .until_status(second, "unit", StatusState::Success)
        .await;
    let third = world.push("one", &[("one", "3")]);
    world
        .until_status(third, "unit", StatusState::Success)
        .await;
    let other = pull_by(&world, "carol", "two");
    world
        .until_status(world.head(other), "unit", StatusState::Success)
        .await;
    assert_eq!(world.count(other, ":wave:"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_write_or_is_named_is_tested_at_once() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", "")];
    let settings = with_suites(&suites, "suites.trusted = [\"erin\"]");
    let world = World::start_with(settings).await;
    let practice = &world.practice;
    practice
        .add_collaborator(REPO, "dave", Permission::Write)
        .unwrap();
    practice
        .add_collaborator(REPO, "frank", Permission::Triage)
        .unwrap();
    for author in ["alice", "bob", "dave", "erin"] {
        let pull = pull_by(&world, author, &format!("by-{author}"));
        world
            .until_status(world.head(pull), "unit", StatusState::Success)
            .await;
        assert_eq!(world.said(pull), [""; 0], "{author}");
    }
    let pull = pull_by(&world, "frank", "by-frank");
    world.hear(pull, ":wave: Thank you, @frank.").await;
    assert_eq!(oracle.times("unit"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_pulls_are_tested_where_the_configuration_says_so_and_nobodys_where_not() {
    for (pulls, times) in [("all", 1), ("none", 0)] {
        let oracle = Oracle::start();
        let suites = [oracle.suite("unit", "")];
        let settings = with_suites(&suites, &format!("suites.pulls = \"{pulls}\""));
        let world = World::start_with(settings).await;
        let pull = pull_by(&world, "carol", "strange");
        until_read(&world, pull, 1).await;
        oracle.until_asked(&world, "unit", times).await;
        assert_eq!((oracle.times("unit"), begun(&world)), (times, times));
        assert_eq!(world.count(pull, ":wave:"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewers_pull_of_a_strangers_branch_is_tested_commit_by_commit() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    let (practice, fork) = (&world.practice, "carol/widgets");
    practice.fork(REPO, "carol").unwrap();
    let push = |text| {
        let files = [("fix", text)];
        practice.commit(fork, "fix", files, "A change", "carol")
    };
    push("1").unwrap();
    let pull = practice
        .open_pull(REPO, "carol:fix", BASE, "Fix it", "", "alice")
        .unwrap();
    world
        .hear(pull, ":wave: Thank you, @alice. `carol` can push")
        .await;
    assert_eq!((oracle.times("unit"), begun(&world)), (0, 0));
    world.tell(pull, "ok");
    world
        .until_status(world.head(pull), "unit", StatusState::Success)
        .await;
    let second = push("2").unwrap();
    world
        .until_logged(
            &format!("pull #{pull} put at {} by @carol", second.short()),
            1,
        )
        .await;
    until_read(&world, pull, 1).await;
    assert_eq!((oracle.times("unit"), begun(&world)), (1, 1));
}
