//! Repositories that come, change and go while the server runs, as Homu's operators order it.

use paprq_core::ids::PullNumber;
use paprq_practice::{Permission, PullState};
use serde_json::{Value, json};

use crate::world::{BASE, BOT, SECRET, SUITES, Settings, World};

const OTHER: &str = "octo/other";

/// A server that takes orders, beside which there is a repository that it does not know.
async fn with_another() -> (World, u64) {
    let settings = Settings {
        web: "secret = \"sesame\"".to_owned(),
        ..Settings::default()
    };
    let mut world = World::prepare(settings).await;
    let files = [(".papr.yml", SUITES), ("fine.sh", "echo fine\n")];
    let practice = &world.practice;
    practice.create_repo(OTHER, files).unwrap();
    practice
        .add_collaborator(OTHER, BOT, Permission::Write)
        .unwrap();
    let hook = practice.add_webhook(OTHER, "http://127.0.0.1:9/", SECRET);
    let hook = hook.unwrap();
    world.start_server();
    (world, hook)
}

async fn order(world: &World, cmd: &str, repo: Value) -> (u16, String) {
    let order = json!({"secret": "sesame", "cmd": cmd, "repo_label": "other", "repo_cfg": repo});
    let address = format!("http://{}/admin", world.address());
    let sent = reqwest::Client::new().post(address).json(&order).send();
    let answer = sent.await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn configured(reviewers: &[&str]) -> Value {
    json!({"owner": "octo", "name": "other", "reviewers": reviewers,
           "github": {"secret": SECRET}})
}

fn open(world: &World, branch: &str) -> PullNumber {
    let practice = &world.practice;
    practice
        .commit(OTHER, branch, [(branch, "1")], "A change", "bob")
        .unwrap();
    practice
        .open_pull(OTHER, branch, BASE, branch, "", "bob")
        .unwrap()
}

async fn lands(world: &World, who: &str, pull: PullNumber) {
    let text = format!("@{BOT} r+");
    world.practice.comment(OTHER, pull, who, &text).unwrap();
    world
        .until("it lands", |practice| {
            practice.pull(OTHER, pull).unwrap().state == PullState::Merged
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_come_change_and_go_while_the_server_runs() {
    let (world, hook) = with_another().await;
    // Its last webhooks may come when it is gone.
    world.tolerates("a webhook is about a repository that cfg.toml does not have");
    let taken = order(&world, "repo_new", configured(&["alice"])).await;
    assert_eq!(taken, (200, "OK".to_owned()));
    world.until_logged("serving address=", 2).await;
    let webhook = format!("http://{}/github", world.address());
    world.practice.move_webhook(OTHER, hook, &webhook).unwrap();
    lands(&world, "alice", open(&world, "one")).await;
    let (code, why) = order(&world, "repo_edit", json!({"owner": "octo"})).await;
    assert_eq!(code, 400);
    assert!(why.contains("missing key"), "{why}");
    let taken = order(&world, "repo_edit", configured(&["carol"])).await;
    assert_eq!(taken.0, 200, "{}", taken.1);
    world.until_logged("serving address=", 3).await;
    lands(&world, "carol", open(&world, "two")).await;
    let taken = order(&world, "repo_del", Value::Null).await;
    assert_eq!(taken.0, 200, "{}", taken.1);
    world.until_logged("serving address=", 4).await;
    let queue = format!("http://{}/queue/other", world.address());
    assert_eq!(reqwest::get(queue).await.unwrap().status(), 404);
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
}
