//! What people see of tests that are not merges: on the queue's page, the pull's and the run's.

use paprq_core::ids::PullNumber;
use paprq_practice::StatusState;

use crate::oracle::{Answer, Oracle, with_suites, words};
use crate::world::{BASE, REPO, World};

/// The page of a run, by a status that leads there.
async fn run_page(world: &World, commit: paprq_core::ids::CommitId) -> String {
    let (_, _, target) = words(world, commit, "required");
    let path = target.strip_prefix("https://paprq.example").unwrap();
    plain(&world.page(path).await)
}

/// The text of a page's content, each element's end a blank.
fn plain(page: &str) -> String {
    let (_, content) = page.split_once("<main").unwrap();
    let pieces = content.split('<').map(|piece| {
        let (_, text) = piece.split_once('>').unwrap_or(("", piece));
        text
    });
    let text: Vec<&str> = pieces.flat_map(str::split_whitespace).collect();
    text.join(" ").replace("&#39;", "'")
}

fn assert_shows(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text:?} is not in {page}");
    }
}

async fn queue(world: &World) -> serde_json::Value {
    let answer = world.page("/api/v1/queue/widgets").await;
    serde_json::from_str(&answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_of_pulls_and_branches_are_listed_while_they_run() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", "required: true\nbranches: [release]"),
        oracle.suite("lint", ""),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("unit", Answer::Later);
    let pull = world.open_pull("good", &[("a", "1")]);
    let head = world.head(pull);
    oracle.until_asked(&world, "unit", 1).await;
    world.until_status(head, "lint", StatusState::Success).await;
    let tip = world.push("release", &[("b", "1")]);
    oracle.until_asked(&world, "unit", 2).await;
    world.until_status(tip, "unit", StatusState::Pending).await;
    // No suite names this one.
    let elsewhere = world.push("elsewhere", &[("c", "1")]);
    world
        .until_logged(
            &format!("branch elsewhere pushed to {}", elsewhere.short()),
            1,
        )
        .await;
    assert_shows(
        &plain(&world.page("/queue/widgets").await),
        &[
            "In the queue 0",
            "Pull requests and branches being tested 2",
            "testing branch release branch run",
            &format!("testing #{pull} Change good pull run"),
            "1 of 2 passed",
            "open pull request test ◐ testing",
        ],
    );
    let told = queue(&world).await;
    assert_eq!(told["tests"][0]["kind"], "branch");
    assert_eq!(told["tests"][0]["branch"], "release");
    assert_eq!(told["tests"][0]["commit"], tip.to_string());
    assert_eq!(told["tests"][1]["kind"], "pull");
    assert_eq!(told["tests"][1]["pull"], pull.0);
    assert_eq!(told["tests"][1]["commit"], head.to_string());
    assert_eq!(told["tests"][1]["passed"], 1);
    assert_eq!(told["tests"][1]["suites"], 2);
    assert_eq!(told["tests"].as_array().unwrap().len(), 2);
    assert_eq!(told["pulls"][0]["pull_test"]["status"], "pending");
    assert_shows(
        &plain(&world.page(&format!("/pull/widgets/{pull}")).await),
        &[
            "The pull request test ◐ testing pull run",
            "The merge with master",
        ],
    );
    assert_shows(
        &run_page(&world, tip).await,
        &[
            "A test of what somebody pushed to a branch.",
            "The tip of release",
        ],
    );
    oracle.say("unit", Answer::Pass);
    world
        .until_status(head, "required", StatusState::Success)
        .await;
    world
        .until_status(tip, "required", StatusState::Success)
        .await;
    let page = plain(&world.page("/queue/widgets").await);
    assert!(!page.contains("being tested"), "{page}");
    assert_shows(&page, &["open pull request test ✔ passed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_run_says_what_was_tested_and_what_needed_no_test() {
    let oracle = Oracle::start();
    let suites = [
        oracle.suite("unit", "required: true"),
        oracle.suite("docs", "paths: [docs/]"),
        oracle.suite("nightly", "allow-failure: true"),
    ];
    let world = World::start_with(with_suites(&suites, "")).await;
    oracle.say("nightly", Answer::Fail);
    let file = format!("{}# changed\n", suites.concat());
    let pull = world.open_pull("clash", &[("a", "theirs\n"), (".papr.yml", &file)]);
    let head = world.head(pull);
    world
        .until_status(head, "nightly", StatusState::Success)
        .await;
    world
        .until_status(head, "required", StatusState::Success)
        .await;
    assert_shows(
        &run_page(&world, head).await,
        &[
            "A pull request test: it never lands.",
            &format!("#{pull} Change clash at {}", head.short()),
            "As merged The merge with master at",
            "Changes the suites .papr.yml is not as it was",
            "✔ passed unit",
            "✔ passed docs",
            "▲ failed nightly exit code 1, allowed to fail",
        ],
    );
    // Again, and nothing is executed that passed.
    world.tell(pull, "test");
    oracle.until_asked(&world, "nightly", 2).await;
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    let landed = world.base();
    world
        .until_status(landed, "required", StatusState::Success)
        .await;
    let page = run_page(&world, landed).await;
    assert_shows(
        &page,
        &[
            "An approved merge: it lands if it passes.",
            "✔ landed",
            "✔ passed unit before, on the same tree",
        ],
    );
    assert_eq!(oracle.times("unit"), 1);
    let head = world.push("other", &[("a", "other\n")]);
    let practice = &world.practice;
    practice
        .commit(REPO, BASE, [("a", "ours\n")], "Ours", "alice")
        .unwrap();
    let other = practice
        .open_pull(REPO, "other", BASE, "Other", "", "bob")
        .unwrap();
    world
        .until_status(head, "required", StatusState::Success)
        .await;
    assert_shows(
        &run_page(&world, head).await,
        &[
            "Not as merged Its head alone, because it conflicts with master",
            "○ not needed docs it is about no path that was changed",
        ],
    );
    assert_shows(
        &plain(&world.page(&format!("/pull/widgets/{other}")).await),
        &["Its head alone, because it conflicts with master"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_pull_says_that_it_waits_for_ok_or_is_held_back() {
    let oracle = Oracle::start();
    let world = World::start_with(with_suites(&[oracle.suite("unit", "")], "")).await;
    world.push("strange", &[("a", "1")]);
    let practice = &world.practice;
    let pull = practice
        .open_pull(REPO, "strange", BASE, "Strange", "", "carol")
        .unwrap();
    practice
        .add_label(REPO, pull, "needs-review", "alice")
        .unwrap();
    world.hear(pull, ":wave: Thank you, @carol.").await;
    assert_eq!(own_status(&world, pull).await, "waits_for_ok");
    world.tell(pull, "hold");
    world.hear(pull, ":hand: @alice holds").await;
    assert_shows(
        &plain(&world.page(&format!("/pull/widgets/{pull}")).await),
        &[
            "The pull request test ◆ waits for ok Somebody who may approve it looks at it first",
            "Held back by @alice",
            "Labels needs-review",
        ],
    );
    let told = queue(&world).await;
    assert_eq!(told["pulls"][0]["held_by"], "alice");
    assert_eq!(told["pulls"][0]["labels"][0], "needs-review");
}

async fn own_status(world: &World, pull: PullNumber) -> serde_json::Value {
    let told = queue(world).await;
    let pulls = told["pulls"].as_array().unwrap().iter();
    let mut pulls = pulls.filter(|told| told["number"] == pull.0);
    pulls.next().unwrap()["pull_test"]["status"].clone()
}
