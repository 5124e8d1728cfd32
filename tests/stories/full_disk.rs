//! A server whose database cannot grow: it says so, and goes on once there is room.

use std::fs::File;
use std::io::Write as _;

use reqwest::StatusCode;

use crate::world::{LIMIT, Settings, World};

async fn health(world: &World) -> (StatusCode, String) {
    let address = format!("http://{}/health", world.address());
    let answer = reqwest::get(address).await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_store_a_webhook_is_not_healthy() {
    let world = World::start_with(Settings {
        disk: Some("size=24m"),
        tables: "[db]\nfile = \"data/paprq.db\"".to_owned(),
        ..Settings::default()
    })
    .await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    assert_eq!(health(&world).await, (StatusCode::OK, "OK".to_owned()));

    // The disk is the server's own: others see it through the process only.
    let root = format!("/proc/{}/root", world.process_id());
    let data = world.path("data");
    let ballast = std::path::Path::new(&root).join(data.strip_prefix("/").unwrap());
    let ballast = ballast.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let full = "the disk of the database is full".to_owned();
    assert_eq!(
        health(&world).await,
        (StatusCode::SERVICE_UNAVAILABLE, full)
    );
    world.expects("a request could not be answered");
    // Whatever else wants to write at that moment says so, too.
    world.tolerates("ERROR");
    world.tolerates("WARN");
    // SQLite uses the room that it has first.
    for _ in 0..2000 {
        if world.log().contains("a request could not be answered") {
            break;
        }
        world.say(
            "alice",
            pull,
            &format!("@bors hello {}", "x".repeat(60_000)),
        );
    }
    world
        .until_logged("a request could not be answered", 1)
        .await;
    assert_eq!(health(&world).await.0, StatusCode::SERVICE_UNAVAILABLE);

    drop(file);
    std::fs::remove_file(&ballast).unwrap();
    // The repository's loop, which could not write either, begins again after a pause.
    let is_well = async { while health(&world).await.0 != StatusCode::OK {} };
    let is_well = tokio::time::timeout(LIMIT, is_well).await;
    world.expect(is_well, "the server is healthy again");
    world.tell(pull, "r+");
    world.until_merged(pull).await;
}
