//! The first start on a repository that has many open pulls.

use paprq_core::ids::PullNumber;

use crate::world::{Settings, World};

/// More calls than the first minute has for the past.
const PULLS: usize = 90;

/// A stage with many pulls, for which there are few calls.
async fn crowded() -> (World, Vec<PullNumber>) {
    let world = World::prepare(Settings {
        github: "limits = { points_per_min = 200 }".to_owned(),
        repo: "[repo.widgets.suites]\npulls = \"none\"".to_owned(),
        ..Settings::default()
    })
    .await;
    let pulls = (0..PULLS).map(|n| {
        let branch = format!("topic-{n}");
        let pull = world.open_pull(&branch, &[(branch.as_str(), "1")]);
        world.say("bob", pull, "What do you think?");
        pull
    });
    let pulls = pulls.collect();
    (world, pulls)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_does_not_wait_until_all_pulls_were_read() {
    let (mut world, pulls) = crowded().await;
    let before = world.base();
    world.start_server();
    let last = *pulls.last().unwrap();
    world.tell(last, "r+");
    world.until_merged(last).await;
    world.hear(last, ":sunny: Test successful").await;
    world.assert_landed_once(last, before);
    let page = world.page("/queue/widgets").await;
    let reading = page.split_once("Reading open pull requests: ");
    let (_, reading) = reading.expect("the first reading is over: take more pulls");
    let done = reading.split(' ').next().unwrap();
    let done: usize = done.parse().unwrap();
    assert!(
        done < PULLS && reading.contains(&format!("{done} of {PULLS}")),
        "{page}"
    );
    assert!(
        world
            .page("/")
            .await
            .contains("Reading open pull requests: ")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_the_start_counts_for_a_pull_that_is_asked_for_first() {
    let (mut world, pulls) = crowded().await;
    let last = *pulls.last().unwrap();
    world.tell(last, "delegate=bob");
    world.start_server();
    world.say("bob", last, "@bors r+");
    world.until_merged(last).await;
    assert!(
        world
            .page("/")
            .await
            .contains("Reading open pull requests: ")
    );
}
