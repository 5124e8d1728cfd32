//! A team whose only builders are Buildbot's.

use paprq_core::ids::CommitId;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::{REPO, Settings, World};

const BUILDBOT: &str = "[repo.widgets.buildbot]
url = \"http://127.0.0.1:9/buildbot\"
secret = \"of the builders\"
builders = [\"linux\", \"mac\"]
";

async fn world() -> World {
    World::start_with(Settings {
        repo: BUILDBOT.to_owned(),
        files: Vec::new(),
        ..Settings::default()
    })
    .await
}

/// What Buildbot says of a build of a commit.
fn packet(event: &str, builder: &str, commit: CommitId, results: u8) -> Value {
    let text = if results == 0 { "successful" } else { "failed" };
    json!({ "event": event, "payload": { "build": {
        "builderName": builder,
        "properties": [["revision", commit, "Build"], ["buildnumber", 7, "Build"]],
        "text": ["build", text],
        "results": results,
        "steps": [],
    } } })
}

async fn report(world: &World, secret: &str, packets: Value) -> StatusCode {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("packets", &packets.to_string())
        .append_pair("secret", secret);
    let sent = reqwest::Client::new()
        .post(format!("http://{}/buildbot", world.address()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish())
        .send();
    sent.await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_lands_once_all_builders_are_green_and_only_by_those_who_know_the_secret() {
    let world = world().await;
    let before = world.base();
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    let green = |builder| packet("buildFinished", builder, merge, 0);
    let all = json!([green("linux"), green("mac")]);
    assert_eq!(report(&world, "guessed", all).await, StatusCode::FORBIDDEN);
    let started = packet("buildStarted", "linux", merge, 0);
    let first = json!([started, green("linux")]);
    assert!(report(&world, "of the builders", first).await.is_success());
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    assert_eq!(world.base(), before, "one builder is not all");
    let rest = json!([green("elsewhere"), green("mac")]);
    assert!(report(&world, "of the builders", rest).await.is_success());
    world.until_merged(pull).await;
    let said = world.hear(pull, ":sunny: Test successful").await;
    assert!(said.contains("[linux](http://127.0.0.1:9/buildbot/builders/linux/builds/7)"));
    world.assert_landed_once(pull, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_builder_keeps_a_pull_out() {
    let world = world().await;
    let before = world.base();
    let pull = world.open_pull("bad", &[("a", "1")]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    let packets = json!([
        packet("buildFinished", "linux", merge, 0),
        packet("buildFinished", "mac", merge, 2),
    ]);
    assert!(
        report(&world, "of the builders", packets)
            .await
            .is_success()
    );
    let said = world.hear(pull, ":broken_heart: Test failed").await;
    assert!(said.contains("[mac]"), "{said}");
    assert_eq!(world.base(), before);
}
