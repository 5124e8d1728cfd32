//! A start while GitHub is out of reach, and what is heard of a repository that is not there.

use paprq_practice::{ApiFault, Calls};

use crate::webhooks::{comment, signature};
use crate::world::{REPO, SECRET, Settings, World};

async fn post(world: &World, body: Vec<u8>) -> u16 {
    paprq::tls::install();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = client
        .post(format!("http://{}/github", world.address()))
        .header("X-GitHub-Event", "issue_comment")
        .header("X-GitHub-Delivery", "while-away")
        .header("X-Hub-Signature-256", signature(&body, SECRET))
        .body(body)
        .send();
    sent.await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_without_github_keeps_webhooks_until_it_answers() {
    let mut world = World::prepare(Settings::default()).await;
    world.expects("GitHub does not say who the bot is");

    let pull = world.open_pull("good", &[("a", "1")]);
    world
        .practice
        .faults()
        .api(Calls::any(), ApiFault::Fail(503));
    world.start_server();
    assert!(world.page("/").await.contains("Connecting to GitHub at"));
    assert_eq!(world.page("/health").await, "OK");
    let body = comment(pull.0, 4711, REPO, "@bors r+");
    assert_eq!(post(&world, body).await, 202);
    world
        .until_logged("GitHub does not say who the bot is", 1)
        .await;
    world.practice.faults().clear();
    world.until_merged(pull).await;
    assert!(!world.page("/").await.contains("Connecting to GitHub"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_start_without_github_knows_who_the_bot_is() {
    let mut world = World::start().await;
    world.expects("GitHub does not say who the bot is");
    world.tolerates("it answers 503: Planned failure");
    world.tolerates("reach the remote");
    let pull = world.open_pull("good", &[("a", "1")]);
    world.until_logged(": pull #1 ", 1).await;
    world.stop_server();
    world
        .practice
        .faults()
        .api(Calls::any(), ApiFault::Fail(503));
    world.start_server();
    world.until_logged("the repository is loaded", 2).await;
    let page = world.page("/queue/widgets").await;
    assert!(
        page.contains("Connecting to GitHub at") && page.contains("Change good"),
        "{page}"
    );
    world.practice.faults().clear();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_is_told_once_with_what_to_do_and_then_ever_less_often() {
    let world = World::start_with(Settings {
        tables: "[repo.gone]\nowner = \"octo\"\nname = \"nowhere\"\nreviewers = [\"alice\"]\n\
                 github = { secret = \"s\" }\n"
            .to_owned(),
        ..Settings::default()
    })
    .await;
    world.expects("the open pull requests cannot be read");
    world.tolerates("the mirror cannot be filled yet repo.label=gone");
    world.until_logged("failures=4", 1).await;
    let log = world.log();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("the open pull requests cannot be read"))
        .collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    for word in [
        "octo/nowhere",
        world.practice.api_url().as_str(),
        "owner and name",
    ] {
        assert!(told[0].contains(word), "{word}: {}", told[0]);
    }
}
