//! Suites that are for some changes only: branches, paths, matrices; and whoever else reports or
//! merges.

use paprq_practice::{PullState, StatusState};

use crate::oracle::{Oracle, with_suites, words};
use crate::world::{REPO, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_a_branch_runs_the_suites_that_name_it() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", "branches: [release, auto]\nrequired: true"),
        oracle.suite("lint", ""),
        oracle.suite("pages", "branches: [release]\npulls: false"),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    let tip = world.push("release", &[("a", "1")]);
    for context in ["unit", "pages", "required"] {
        world.until_status(tip, context, StatusState::Success).await;
    }
    let (_, _, page) = words(&world, tip, "required");
    let path = page.strip_prefix("https://paprq.example").unwrap();
    let page = world.page(path).await;
    assert!(page.contains("release"), "{page}");
    assert_eq!(oracle.all(), ["pages", "unit"]);
    // Nobody names this one; the next push to the other is heard of after it.
    let other = world.push("elsewhere", &[("b", "1")]);
    let next = world.push("release", &[("a", "2")]);
    world
        .until_status(next, "pages", StatusState::Success)
        .await;
    assert!(world.practice.statuses(REPO, other).is_empty());
    assert_eq!(oracle.times("pages"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_one_path_runs_one_suite_and_the_other_is_not_needed() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("server", "paths: [server/]\nrequired: true"),
        oracle.suite("client", "paths: [client/, .papr.yml]\nrequired: true"),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    let pull = world.open_pull("good", &[("client/a", "1")]);
    let head = world.head(pull);
    world
        .until_status(head, "required", StatusState::Success)
        .await;
    let (state, text, page) = words(&world, head, "server");
    assert_eq!(
        (state, &*text),
        (
            StatusState::Success,
            "Not needed: it is about no path that was changed."
        )
    );
    assert!(page.starts_with("https://paprq.example/run/"), "{page}");
    assert_eq!(words(&world, head, "client").1, "All tests passed.");
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_eq!(oracle.all(), ["client"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_suites_cannot_call_itself_needless() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    let file = oracle.suite("unit", "paths: [nowhere/]");
    let pull = world.open_pull("sly", &[(".papr.yml", &file), ("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_eq!(words(&world, world.base(), "unit").1, "All tests passed.");
    assert!(oracle.times("unit") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_compared_with_what_the_branch_was_before() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("server", "paths: [server/]\nbranches: [release]"),
        oracle.suite("client", "paths: [client/]\nbranches: [release]"),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    // Of a new branch nothing is known that it could be compared with.
    let first = world.push("release", &[("server/a", "1"), ("client/a", "1")]);
    for context in ["server", "client"] {
        world
            .until_status(first, context, StatusState::Success)
            .await;
    }
    assert_eq!(oracle.all(), ["client", "server"]);
    let second = world.push("release", &[("client/a", "2")]);
    for context in ["server", "client"] {
        world
            .until_status(second, context, StatusState::Success)
            .await;
    }
    assert_eq!(
        words(&world, second, "server").1,
        "Not needed: it is about no path that was changed."
    );
    assert_eq!(oracle.all(), ["client", "client", "server"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matrix_makes_a_suite_for_each_combination() {
    let oracle = Oracle::start();
    let ask = oracle.ask("$CC-$VERSION");
    let file = format!(
        "context: unit {{CC}} {{VERSION}}\nsandbox: {{network: true}}\nbranches: []\n\
         tests:\n  - |\n    {ask}\nmatrix:\n  CC: [gcc, clang]\n  VERSION: [1, 2]\n"
    );
    let world = World::start_with(with_suites(&[file], "")).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    for compiler in ["gcc", "clang"] {
        for version in 1..=2 {
            let context = format!("unit {compiler} {version}");
            world
                .until_status(head, &context, StatusState::Success)
                .await;
        }
    }
    assert_eq!(oracle.all(), ["clang-1", "clang-2", "gcc-1", "gcc-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_that_may_fail_keeps_nothing_back() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", ""),
        oracle.suite("nightly", "allow-failure: true"),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("nightly", crate::oracle::Answer::Fail);
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world
        .until_status(head, "nightly", StatusState::Success)
        .await;
    assert_eq!(
        words(&world, head, "nightly").1,
        "Allowed to fail: Test failed with rc 1."
    );
    world.tell(pull, "r+");
    world.until_merged(pull).await;
}

/// What the server wrote to GitHub so far: the paths of its calls.
fn written(world: &World) -> Vec<String> {
    let requests = world.practice.requests().into_iter();
    let writes = requests.filter(|request| request.api && request.method != "GET");
    writes.map(|request| request.path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_watches_tests_and_shows_and_posts_nothing() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", "branches: [release]")];
    let settings = with_suites(&suites, "report = false\nmerges = false");
    let world = World::start_with(settings).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world
        .until_logged("suite \"unit\" finished Passed", 1)
        .await;
    world.push("release", &[("b", "1")]);
    world
        .until_logged("suite \"unit\" finished Passed", 2)
        .await;
    assert_eq!(oracle.times("unit"), 2);
    let page = world.page(&format!("/pull/widgets/{pull}")).await;
    assert!(page.contains("unit") && page.contains("passed"), "{page}");
    assert_eq!(written(&world), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_others_merge_approvals_are_theirs_and_pulls_are_tested() {
    let oracle = Oracle::start();
    let suites = [oracle.suite("unit", "")];
    let world = World::start_with(with_suites(&suites, "merges = false")).await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    world.tell(pull, "r+ p=1");
    world.tell(pull, "treeclosed=5 rety");
    world.tell(pull, "test unit");
    oracle.until_asked(&world, "unit", 2).await;
    world.until_status(head, "unit", StatusState::Success).await;
    assert_eq!(world.said(pull), [""; 0]);
    assert_eq!(world.base(), before);
    let seen = world.practice.pull(REPO, pull).unwrap();
    assert_eq!(seen.state, PullState::Open);
    assert!(world.practice.status(REPO, head, "homu").is_none());
    // The branch of the others' merges is like any other that a suite names.
    let tip = world.push("auto", &[("c", "1")]);
    world.until_status(tip, "unit", StatusState::Success).await;
}
