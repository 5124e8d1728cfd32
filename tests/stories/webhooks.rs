//! The webhook endpoint: who is let in, and what happens to what was taken in.

use crate::world::{REPO, SECRET, World};

pub(crate) fn signature(body: &[u8], secret: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

struct Sender {
    client: reqwest::Client,
    url: String,
}

impl Sender {
    fn new(world: &World) -> Self {
        paprq::tls::install();
        Self {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: format!("http://{}/github", world.address()),
        }
    }

    async fn send(&self, event: &str, delivery: &str, body: Vec<u8>, secret: &str) -> u16 {
        let sent = self
            .client
            .post(&self.url)
            .header("X-GitHub-Event", event)
            .header("X-GitHub-Delivery", delivery)
            .header("X-Hub-Signature-256", signature(&body, secret))
            .header("Content-Type", "application/json")
            .body(body)
            .send()
            .await;
        sent.unwrap().status().as_u16()
    }
}

pub(crate) fn comment(pull: u64, id: u64, repo: &str, body: &str) -> Vec<u8> {
    serde_json::json!({
        "action": "created",
        "issue": { "number": pull, "pull_request": {} },
        "comment": {
            "id": id,
            "user": { "login": "alice" },
            "body": body,
            "created_at": "2030-01-01T00:00:00Z",
            "html_url": "https://example.org/comment",
        },
        "repository": { "full_name": repo },
        "sender": { "login": "alice" },
    })
    .to_string()
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_with_the_right_code_and_a_line_in_the_log() {
    let world = World::start().await;
    world.expects("a webhook is about a repository that cfg.toml does not have");
    let sender = Sender::new(&world);
    let good = comment(1, 1, REPO, "@bors ping");
    let wrong_secret = sender
        .send("issue_comment", "d1", good.clone(), "another secret")
        .await;
    let unknown_repo = comment(1, 1, "octo/unknown", "@bors ping");
    let unknown_repo = sender
        .send("issue_comment", "d2", unknown_repo, SECRET)
        .await;
    let not_json = sender
        .send("issue_comment", "d3", b"not json".to_vec(), SECRET)
        .await;
    let too_large = vec![b' '; (25 << 20) + 1];
    let too_large = sender.send("issue_comment", "d4", too_large, SECRET).await;
    assert_eq!(
        (wrong_secret, unknown_repo, not_json, too_large),
        (401, 404, 400, 413)
    );
    world.until_logged("a webhook was refused", 4).await;
    let log = world.log();
    for delivery in ["d1", "d2", "d3", "d4"] {
        let lines = log
            .lines()
            .filter(|line| line.contains("a webhook was refused") && line.contains(delivery));
        assert_eq!(lines.count(), 1, "{delivery}\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_hangs_up_leaves_nothing_behind_that_is_not_applied() {
    use tokio::io::AsyncWriteExt as _;
    let world = World::start().await;
    let pull = world.open_pull("asked", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    for id in 5000..5200 {
        let body = comment(pull.0, id, REPO, &format!("@bors p={id}"));
        let signature = signature(&body, SECRET);
        let stream = tokio::net::TcpStream::connect(world.address()).await;
        let mut stream = stream.unwrap();
        // Closing resets the connection, which the server sees at once.
        stream.set_zero_linger().unwrap();
        let head = format!(
            "POST /github HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: issue_comment\r\n\
             X-GitHub-Delivery: gone-{id}\r\nX-Hub-Signature-256: {signature}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let request = [head.as_bytes(), &body].concat();
        stream.write_all(&request).await.unwrap();
        tokio::task::yield_now().await;
    }
    let store = paprq::store::Store::open(&world.path("paprq.db")).unwrap();
    let repo = paprq_core::ids::RepoLabel::new("widgets");
    let applied = tokio::time::timeout(crate::world::LIMIT, async {
        while !store.unapplied(&repo).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    world.expect(applied.await, "all that is on disk is applied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_webhooks_over_32_connections_are_all_taken_in_and_act_once_each() {
    const COUNT: u64 = 1000;
    let world = World::start().await;
    let pull = world.open_pull("asked", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    let sender = std::sync::Arc::new(Sender::new(&world));
    let mut senders = Vec::new();
    for connection in 0..32_u64 {
        let sender = std::sync::Arc::clone(&sender);
        senders.push(tokio::spawn(async move {
            for number in (connection..COUNT).step_by(32) {
                // Each sets the priority; every tenth comes twice.
                let body = comment(pull.0, 1000 + number, REPO, &format!("@bors p={number}"));
                let delivery = format!("flood-{number}");
                let times = if number % 10 == 0 { 2 } else { 1 };
                for _ in 0..times {
                    let code = sender
                        .send("issue_comment", &delivery, body.clone(), SECRET)
                        .await;
                    assert!((200..300).contains(&code), "{number}: {code}");
                }
            }
        }));
    }
    for sending in senders {
        sending.await.unwrap();
    }
    // What was taken in before is applied before.
    world.tell(pull, "ping");
    world
        .until("the second answer", |practice| {
            let comments = practice.comments(REPO, pull);
            let answers = comments
                .iter()
                .filter(|said| said.body.starts_with(":sleepy:"));
            answers.count() == 2
        })
        .await;
    let line = format!("comment by @alice made on #{pull}");
    let log = world.log();
    let applied = log.lines().filter(|entry| entry.contains(&line)).count();
    assert_eq!(applied as u64, COUNT + 2);
}
