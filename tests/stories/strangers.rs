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
