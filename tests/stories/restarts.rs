//! A server that ends, however it ends, goes on where it was.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use paprq_practice::StatusState;

use crate::world::{REPO, Settings, World};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_while_the_server_was_down_is_found_at_its_start() {
    let mut world = World::start().await;
    let known = world.open_pull("known", &[("a", "1")]);
    world.tell(known, "ping");
    world.hear(known, ":sleepy:").await;
    let before = world.base();
    world.program().kill();
    let unknown = world.open_pull("unknown", &[("b", "1")]);
    world.tell(known, "r+");
    world.start_server();
    world.until_merged(known).await;
    world.hear(known, ":sunny: Test successful").await;
    world.assert_landed_once(known, before);
    world.tell(unknown, "r+");
    world.until_merged(unknown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_are_rebuilt_from_the_comments_alone() {
    let mut world = World::start().await;
    let pull = world.open_pull("kept", &[("a", "1")]);
    world.tell(pull, "treeclosed=9");
    world.tell(pull, "r+ p=3");
    world.hear(pull, ":evergreen_tree:").await;
    world.program().kill();
    for name in ["paprq.db", "paprq.db-wal", "paprq.db-shm"] {
        std::fs::remove_file(world.path(name)).ok();
    }
    world.start_server();
    world.tell(pull, "treeclosed-");
    world.until_merged(pull).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_stops_and_goes_on_later() {
    let mut world = World::start().await;
    let pull = world.open_pull("slow", &[("fine.sh", "sleep 3\n")]);
    let before = world.base();
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    assert!(world.stop_server().success(), "{}", world.log());
    world.start_server();
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_came_while_the_server_was_down_is_read_at_its_start() {
    let settings = Settings {
        repo: "status.ci = { context = \"ci\" }".to_owned(),
        ..Settings::default()
    };
    let mut world = World::start_with(settings).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    world.program().kill();
    let merge = world.practice.branch(REPO, "auto");
    let merge = merge.unwrap().unwrap();
    world
        .practice
        .set_status(REPO, merge, "ci", StatusState::Success)
        .unwrap();
    world.start_server();
    world.until_merged(pull).await;
}

/// Documents had no numbers before version 1 of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_with_what_an_older_version_stored() {
    let mut world = World::start().await;
    let pull = world.open_pull("under-way", &[("fine.sh", "sleep 3\n")]);
    let waiting = world.open_pull("waiting", &[("b", "1")]);
    let before = world.base();
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    world.tell(waiting, "r+ p=-1");
    world.hear(waiting, ":pushpin:").await;
    world.program().kill();
    make_old(&world.path("paprq.db"));
    world.start_server();
    for pull in [pull, waiting] {
        world.until_merged(pull).await;
        world.hear(pull, ":sunny: Test successful").await;
    }
    let parents = |merge| world.practice.parents(REPO, merge).unwrap();
    let first = parents(world.base())[0];
    assert_eq!(parents(first), [before, world.head(pull)]);
    world.assert_landed_once(waiting, first);
}

/// Takes the numbers off all documents.
fn make_old(database: &std::path::Path) {
    let mut connection = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    let mut statements = "update instance set document_version = 0;".to_owned();
    for (table, column) in [
        ("repos", "desk"),
        ("pulls", "doc"),
        ("runs", "doc"),
        ("jobs", "doc"),
        ("inbox", "events"),
        ("outbox", "effect"),
    ] {
        statements += &format!(
            "update {table} set {column} = {column} -> 'doc' where {column} -> 'version' is not null;"
        );
    }
    connection.batch_execute(&statements).unwrap();
}
