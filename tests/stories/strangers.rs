//! What strangers push costs the server little until somebody trusted stands for it.

use std::path::Path;

use crate::world::{Settings, World};

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
