//! What people say about suites: `retry`, `test`, `cancel`, `hold`, `info`, and phrases of their own.

use paprq_practice::{PullState, StatusState};

use crate::oracle::{Answer, Oracle, with_suites, words};
use crate::world::{REPO, Settings, World};

/// `[repo.widgets]` without tests of pulls by themselves.
const MERGES_ONLY: &str = "suites.pulls = \"none\"";

#[tokio::test(flavor = "multi_thread")]
async fn retry_of_one_suite_runs_that_alone_and_the_merge_lands() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("f38-sanity", ""), oracle.suite("unit", "")];
    let world = World::start_with(with_suites(&suites, MERGES_ONLY)).await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    oracle.say("f38-sanity", Answer::Later);
    world.tell(pull, "r+");
    oracle.until_asked(&world, "f38-sanity", 1).await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    world
        .until_status(merge, "unit", StatusState::Success)
        .await;
    oracle.say("f38-sanity", Answer::Fail);
    let said = world.hear(pull, ":broken_heart: Test failed").await;
    assert!(said.contains("f38-sanity"), "{said}");
    oracle.say("f38-sanity", Answer::Pass);
    world.tell(pull, "retry f38-sanity");
    let said = world.hear(pull, ":zap: Previous build results for").await;
    assert!(said.contains("Rebuilding only f38-sanity"), "{said}");
    world.until_merged(pull).await;
    assert_eq!(world.base(), merge, "the commit that failed before");
    let parents = world.practice.parents(REPO, merge).unwrap();
    assert_eq!(parents, [before, world.head(pull)]);
    assert_eq!(oracle.all(), ["f38-sanity", "f38-sanity", "unit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_of_a_pulls_own_test_runs_what_failed_and_unknown_names_are_answered() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("fedora/28 | unit", ""),
        oracle.suite("lint", ""),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("lint", Answer::Fail);
    let pull = world.open_pull("bad", &[("a", "1")]);
    let head = world.head(pull);
    world
        .until_status(head, "fedora/28 | unit", StatusState::Success)
        .await;
    world.until_status(head, "lint", StatusState::Failure).await;
    assert_eq!(words(&world, head, "lint").1, "Test failed with rc 1.");
    oracle.say("lint", Answer::Pass);
    world.say("bob", pull, "@bors retry");
    world.until_status(head, "lint", StatusState::Success).await;
    assert_eq!(oracle.all(), ["fedora/28 | unit", "lint", "lint"]);
    world.say("bob", pull, "@bors test f38-sanity");
    let said = world.hear(pull, ":thinking: No suite").await;
    assert_eq!(
        said.lines().next().unwrap(),
        ":thinking: No suite, or more than one, is called `f38-sanity`. The suites are: \
         `fedora/28 | unit`, `lint`"
    );
    world.say("bob", pull, "@bors test \"fedora/28 | unit\"");
    oracle.until_asked(&world, "fedora/28 | unit", 2).await;
    world.say("mallory", pull, "@bors retry");
    world.hear(pull, "@mallory: :key:").await;
    assert_eq!(oracle.times("lint"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pulls_own_test_came_to_is_known_after_a_restart() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", ""), oracle.suite("lint", "")];
    let settings = with_suites(&suites, "require_green_pull = true");
    let mut world = World::start_with(settings).await;
    oracle.say("lint", Answer::Fail);
    let pull = world.open_pull("bad", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    world.until_status(head, "lint", StatusState::Failure).await;
    world.stop_server();
    oracle.say("lint", Answer::Pass);
    world.start_server();
    world.tell(pull, "retry");
    world.until_status(head, "lint", StatusState::Success).await;
    assert_eq!(oracle.all(), ["lint", "lint", "unit"]);
    world.stop_server();
    world.start_server();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_eq!(oracle.all(), ["lint", "lint", "unit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_on_demand_runs_when_somebody_asks_for_it() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", ""),
        oracle.suite("compose", "on-demand: true\nbranches: []"),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    let unasked = world.practice.status(REPO, head, "compose");
    assert!(unasked.is_none(), "{unasked:?}");
    world.tell(pull, "test compose");
    world
        .until_status(head, "compose", StatusState::Success)
        .await;
    assert_eq!(oracle.all(), ["compose", "unit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_stops_what_is_tested_and_says_so_on_the_commit() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    oracle.say("unit", Answer::Later);
    let pull = world.open_pull("slow", &[("a", "1")]);
    let head = world.head(pull);
    oracle.until_asked(&world, "unit", 1).await;
    world.tell(pull, "cancel");
    world.until_status(head, "unit", StatusState::Error).await;
    world.tell(pull, "cancel");
    world
        .hear(pull, ":thinking: There is nothing to cancel")
        .await;
    world.tell(pull, "r+");
    oracle.until_asked(&world, "unit", 2).await;
    world.tell(pull, "cancel");
    world.until_status(head, "homu", StatusState::Error).await;
    assert_eq!(words(&world, head, "homu").1, "Test stopped");
    oracle.say("unit", Answer::Pass);
    world.tell(pull, "retry");
    world.until_merged(pull).await;
    assert_eq!(oracle.times("unit"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_on_hold_is_approved_and_does_not_land_until_it_is_let_go() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", "")];
    let world = World::start_with(with_suites(&suites, MERGES_ONLY)).await;
    let held = world.open_pull("held", &[("a", "1")]);
    let other = world.open_pull("other", &[("b", "1")]);
    world.tell(held, "hold");
    let said = world.hear(held, ":hand: @alice holds").await;
    assert!(said.contains("`hold-`"), "{said}");
    world.tell(held, "r+ p=5");
    world.hear(held, ":pushpin: Commit").await;
    world.tell(other, "r+");
    world.until_merged(other).await;
    let seen = world.practice.pull(REPO, held).unwrap();
    assert_eq!(seen.state, PullState::Open);
    world.say("anybody", held, "@bors info");
    let said = world
        .hear(held, ":information_source: How this pull request stands:")
        .await;
    assert!(said.contains("Held back by"), "{said}");
    assert_eq!(world.count(held, ":hourglass:"), 0);
    world.tell(held, "hold-");
    world.until_merged(held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hold_stops_a_merge_that_is_tested_and_others_have_their_turn() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", "")];
    let world = World::start_with(with_suites(&suites, MERGES_ONLY)).await;
    oracle.say("unit", Answer::Later);
    let held = world.open_pull("held", &[("a", "1")]);
    let other = world.open_pull("other", &[("b", "1")]);
    world.tell(held, "r+");
    oracle.until_asked(&world, "unit", 1).await;
    world.tell(other, "r+");
    world.hear(other, ":pushpin: Commit").await;
    world.tell(held, "hold");
    oracle.until_asked(&world, "unit", 2).await;
    oracle.say("unit", Answer::Pass);
    world.until_merged(other).await;
    assert_eq!(
        world.practice.pull(REPO, held).unwrap().state,
        PullState::Open
    );
    world.tell(held, "hold-");
    world.until_merged(held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phrases_of_the_configuration_are_commands_without_the_bots_name() {
    let oracle = Oracle::start();
    let aliases = "[aliases]\n\"bot, retest this please\" = \"retry all\"\n\
                   \"bot, test pull request once\" = \"ok\"\n\
                   \"bot, add author to whitelist\" = \"ok+\"\n";
    let settings = Settings {
        tables: aliases.to_owned(),
        ..with_suites(&[oracle.suite("unit", "")], "")
    };
    let world = World::start_with(settings).await;
    world.push("strange", &[("a", "1")]);
    let practice = &world.practice;
    let pull = practice
        .open_pull(REPO, "strange", crate::world::BASE, "Strange", "", "carol")
        .unwrap();
    let head = world.head(pull);
    world.hear(pull, ":wave: Thank you, @carol.").await;
    world.say("carol", pull, "bot, test pull request once");
    world.hear(pull, "@carol: :key:").await;
    assert_eq!(oracle.times("unit"), 0);
    world.say("alice", pull, "Looks sane.\n\nBot, test pull request once.");
    world.until_status(head, "unit", StatusState::Success).await;
    world.say("alice", pull, "bot, retest this please, soon");
    world.say("alice", pull, "bot, retest this please");
    oracle.until_asked(&world, "unit", 2).await;
    world.say("alice", pull, "bot, add author to whitelist.");
    world.push("strange", &[("a", "2")]);
    oracle.until_asked(&world, "unit", 3).await;
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    assert_eq!(oracle.times("unit"), 3);
}
