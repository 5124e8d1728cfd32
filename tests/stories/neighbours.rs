//! Two repositories of one server: what one suffers does not delay the other.

use std::time::Duration;

use paprq::clock::Stopwatch;
use paprq_core::ids::PullNumber;
use paprq_practice::{ApiFault, Calls, Permission};

use crate::world::{BASE, BOT, SECRET, Settings, World};

/// The repository that is large, busy and in trouble.
const OTHER: &str = "octo/other";

const FILES: usize = 50_000;

/// How many pulls of the other repository are approved at once.
const PULLS: usize = 12;

/// A landing may take so many times what it took alone,
const FACTOR: u32 = 6;
/// or this long, whichever is more: less than a hanging call takes to be given up.
const FLOOR: Duration = Duration::from_secs(8);

fn settings() -> Settings {
    let other = format!(
        "
[repo.other]
owner = \"octo\"
name = \"other\"
reviewers = [\"alice\"]
github = {{ secret = \"{SECRET}\" }}
status.ci = {{ context = \"ci\" }}"
    );
    Settings {
        repo: other,
        ..Settings::default()
    }
}

/// A server with both repositories.
async fn both() -> World {
    let mut world = World::prepare(settings()).await;
    let files = (0..FILES).map(|n| (format!("{}/{n}", n % 500), format!("{n}\n")));
    world.practice.create_repo(OTHER, files).unwrap();
    world
        .practice
        .add_collaborator(OTHER, BOT, Permission::Write)
        .unwrap();
    world.start_server();
    let webhook = format!("http://{}/github", world.address());
    world.practice.add_webhook(OTHER, &webhook, SECRET).unwrap();
    world.until_logged(" swept ", 2).await;
    world
}

/// How long it takes from `r+` until the base branch has moved and that was said.
async fn land(world: &World, branch: &str) -> Duration {
    let before = world.base();
    let pull = world.open_pull(branch, &[(branch, "1")]);
    let asked_at = Stopwatch::start();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    let took = asked_at.elapsed();
    world.assert_landed_once(pull, before);
    took
}

fn open_elsewhere(world: &World, number: usize) -> PullNumber {
    let (practice, branch) = (&world.practice, format!("topic-{number}"));
    let files = [(format!("{number}/new"), "1".to_owned())];
    practice
        .commit(OTHER, &branch, files, "A change", "bob")
        .unwrap();
    practice
        .open_pull(OTHER, &branch, BASE, "A change", "", "bob")
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_repository_with_a_merge_under_way_and_a_hanging_api_delays_no_other() {
    let world = both().await;
    let alone = land(&world, "alone").await;
    let pulls: Vec<_> = (0..PULLS).map(|n| open_elsewhere(&world, n)).collect();
    let hanging = Calls::to("POST", OTHER);
    world.practice.faults().api(hanging, ApiFault::Hang);
    let merges = world.log().matches("make merge onto").count();
    for pull in &pulls {
        let order = format!("@{BOT} r+");
        world
            .practice
            .comment(OTHER, *pull, "alice", &order)
            .unwrap();
    }
    world.until_logged("make merge onto", merges + 1).await;
    let beside = land(&world, "beside").await;
    let allowed = FLOOR.max(alone * FACTOR);
    assert!(
        beside <= allowed,
        "{beside:?} instead of {alone:?}\n{}",
        world.log()
    );
    let hung = world.practice.requests().into_iter();
    let hung = hung.filter(|request| request.method == "POST" && request.path.contains(OTHER));
    assert!(hung.count() > 0, "the other repository was spoken to");
    let answers = pulls
        .iter()
        .flat_map(|pull| world.practice.comments(OTHER, *pull));
    let answers = answers.filter(|comment| comment.author.as_str() == BOT);
    assert_eq!(answers.count(), 0, "its calls hung all the while");
}
