//! What strangers push costs the server little until somebody trusted stands for it.

use std::path::Path;

use paprq_core::ids::{CommitId, PullNumber};

use crate::world::{BASE, REPO, Settings, World};

/// More than a megabyte, whatever git makes of it.
fn noise() -> String {
    let mut state = 7_u64;
    let words = std::iter::repeat_with(|| {
        // xorshift64 (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}\n")
    });
    words.take(200_000).collect()
}

const FORK: &str = "mallory/widgets";

fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map_while(Result::ok);
    let sizes = entries.filter_map(|entry| {
        let meta = entry.metadata().ok()?;
        Some(if meta.is_dir() {
            bytes_below(&entry.path())
        } else {
            meta.len()
        })
    });
    sizes.sum()
}

/// Mallory pushes to a fork.
fn push(world: &World, files: &[(&str, &str)]) -> CommitId {
    let files = files.iter().copied();
    let pushed = world
        .practice
        .commit(FORK, "noise", files, "Noise", "mallory");
    pushed.unwrap()
}

/// Mallory proposes what is in the fork.
fn open_pull(world: &World) -> PullNumber {
    let opened = world
        .practice
        .open_pull(REPO, "mallory:noise", BASE, "Noise", "", "mallory");
    opened.unwrap()
}

/// What lies beside the mirror.
fn quarantined(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.path("cache/widgets/quarantine")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_noise_is_fetched_once_a_reviewer_stands_for_it() {
    let world = World::start_with(Settings {
        git: "stranger_mib = 1".to_owned(),
        ..Settings::default()
    })
    .await;
    world.expects("of a stranger is not fetched");
    // Without the head nobody knows.
    world.tolerates("it is not known whether a pull changes the suites");
    world.practice.fork(REPO, "mallory").unwrap();
    push(&world, &[("noise", &noise())]);
    let pull = open_pull(&world);
    world.until_logged("of a stranger is not fetched", 1).await;
    let cache = world.path("cache/widgets");
    assert!(bytes_below(&cache) < 1 << 20);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert!(bytes_below(&cache) > 1 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_head_goes_when_it_is_replaced_and_when_its_pull_is_closed() {
    let world = World::start().await;
    world.practice.fork(REPO, "mallory").unwrap();
    push(&world, &[("a", "1")]);
    let pull = open_pull(&world);
    for text in ["2", "3"] {
        let head = world.head(pull);
        let kept = format!("{} of a stranger is beside the mirror", head.short());
        world.until_logged(&kept, 1).await;
        assert_eq!(quarantined(&world), [format!("{pull}-{head}")]);
        push(&world, &[("a", text)]);
    }
    let head = world.head(pull);
    let kept = format!("{} of a stranger is beside the mirror", head.short());
    world.until_logged(&kept, 1).await;
    let dropped = "strangers' heads are dropped";
    let before = world.log().matches(dropped).count();
    world.practice.close_pull(REPO, pull, "mallory").unwrap();
    world.until_logged(dropped, before + 1).await;
    assert_eq!(quarantined(&world), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commit_of_a_run_that_is_forgotten_is_given_up() {
    let mut world = World::start().await;
    let pull = world.open_pull("bad", &[("fine.sh", "exit 1\n")]);
    world.tell(pull, "r+");
    world.hear(pull, ":broken_heart: Test failed").await;
    world.stop_server();
    let mirror = git2::Repository::open(world.path("cache/widgets")).unwrap();
    let head = git2::Oid::from_str(&world.head(pull).to_string()).unwrap();
    let pins = |keep: &dyn Fn(&git2::Reference<'_>) -> bool| -> Vec<_> {
        let pins = mirror.references_glob("refs/paprq/runs/*").unwrap();
        let pins = pins.map(Result::unwrap).filter(keep);
        pins.map(|pin| pin.name().unwrap().to_owned()).collect()
    };
    let of_pull = pins(&|pin| pin.peel_to_commit().unwrap().parent_id(1) == Ok(head));
    assert_ne!(of_pull, Vec::<String>::new());
    let old = "refs/paprq/runs/77777";
    mirror.reference(old, head, true, "").unwrap();
    world.start_server();
    world
        .until_logged("commits of forgotten runs are given up", 1)
        .await;
    let left = pins(&|_| true);
    assert!(!left.iter().any(|name| name == old));
    assert!(of_pull.iter().all(|name| left.contains(name)));
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_beyond_the_bound_of_a_repository_are_deleted() {
    let mut world = World::start_with(Settings {
        tables: "[storage]\nrepo_mib = 1".to_owned(),
        ..Settings::default()
    })
    .await;
    let pull = world.open_pull("loud", &[("fine.sh", "seq 300000\n")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    let logs = world.path("storage/logs");
    assert!(bytes_below(&logs) > 1 << 20);
    world.stop_server();
    world.start_server();
    world.until_logged("storage.repo_mib is used up", 1).await;
    assert!(bytes_below(&logs) < 1 << 20);
}
