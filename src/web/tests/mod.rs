//! Everything over real HTTP: a running engine, its database, and the practice GitHub behind it.

mod addresses;
mod admin;
mod artifacts;
mod forwarding;
mod headers;
mod login;
mod logs;
mod methods;
mod pages;
mod webhooks;
mod worker_calls;

use std::net::TcpListener;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::serve;
use crate::clock;
use crate::config::Config;
use crate::engine::{Engine, PagesAt};
use crate::protocol::{Claim, Order};
use paprq_core::ids::{PullNumber, RepoLabel};
use paprq_core::jobs::Executor;
use paprq_practice::{Edit, Practice, Sample};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);
const SECRET: &str = "It's a Secret to Everybody";
const TOKEN: &str = "the worker's token";
/// Markup, a change of direction, and far too long.
const HOSTILE: &str = "<script>alert(1)</script> \u{202e}\"'&amp; ";

struct House {
    _directory: tempfile::TempDir,
    practice: Practice,
    sample: Sample,
    engine: Engine,
    base: String,
    http: Client,
    stop: CancellationToken,
    serving: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
}

impl House {
    /// With all pulls known; the unapproved one has a hostile title. No webhook comes by itself.
    async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// The same with another configuration.
    async fn start_with(configure: impl FnOnce(&mut Value, &Practice)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let practice = Practice::start(&directory.path().join("github"), 0, clock::now)
            .await
            .unwrap();
        let sample = practice.sample().unwrap();
        let edit = Edit {
            title: Some(format!("{HOSTILE}{}", "x".repeat(250))),
            ..Edit::default()
        };
        practice
            .edit_pull(sample.repo, sample.unapproved, edit, sample.reviewer)
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = configuration(directory.path(), &practice, &sample);
        configure(&mut config, &practice);
        let config = toml::to_string(&config).unwrap();
        let config = Config::from_toml("cfg.toml", &config, &|_| None).unwrap();
        let base_url = config.web.base_url.clone().unwrap_or(base.clone());
        let engine = Engine::start(config, PagesAt::Public(base_url))
            .await
            .unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(engine.clone(), listener, stop.clone()).unwrap());
        let house = Self {
            _directory: directory,
            practice,
            sample,
            engine,
            base,
            http: Client::builder().no_proxy().timeout(LIMIT).build().unwrap(),
            stop,
            serving: Some(serving),
        };
        house
            .until(async |house| {
                let repo = house.engine.repo(&RepoLabel::new("demo"))?;
                repo.look(|queue| queue.pulls().count() == 6).then_some(())
            })
            .await;
        house
    }

    /// Looks again after every change until there is something.
    async fn until<T>(&self, look: impl AsyncFn(&Self) -> Option<T>) -> T {
        let mut changes = self.engine.live().subscribe();
        let found = tokio::time::timeout(LIMIT, async {
            loop {
                if let Some(found) = look(self).await {
                    return found;
                }
                changes.recv().await.unwrap();
            }
        });
        found.await.expect("it never came")
    }

    async fn get(&self, path: &str) -> Response {
        let address = format!("{}{path}", self.base);
        self.http.get(address).send().await.unwrap()
    }

    async fn page(&self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        page.text().await.unwrap()
    }

    async fn queue(&self) -> Value {
        self.get("/api/v1/queue/demo").await.json().await.unwrap()
    }

    async fn pull(&self, number: PullNumber) -> Value {
        let queue = self.queue().await;
        let mut pulls = queue["pulls"].as_array().unwrap().iter();
        let pull = pulls.find(|pull| pull["number"] == number.0);
        pull.unwrap().clone()
    }

    /// A comment of the reviewer, as a signed webhook that is not sent yet.
    fn comment(&self, delivery: &str, pull: PullNumber, text: &str) -> RequestBuilder {
        let body = comment(&self.sample, pull, text).to_string();
        self.webhook(delivery, "issue_comment", body.clone())
            .header("X-Hub-Signature-256", sha256(&body))
    }

    /// An unsigned webhook.
    fn webhook(
        &self,
        delivery: &str,
        event: &str,
        body: impl Into<reqwest::Body>,
    ) -> RequestBuilder {
        self.http
            .post(format!("{}/github", self.base))
            .header("X-GitHub-Event", event)
            .header("X-GitHub-Delivery", delivery)
            .header("Content-Type", "application/json")
            .body(body)
    }

    /// Approves a pull and gives its first job to a worker.
    async fn order(&self, pull: PullNumber) -> Order {
        let text = format!("@{} r+", self.sample.bot);
        let answer = self.comment("approval", pull, &text).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let claim = self.call("worker/claim").json(&claim(30));
        claim.send().await.unwrap().json().await.unwrap()
    }

    /// A call of the worker.
    fn call(&self, path: &str) -> RequestBuilder {
        self.http
            .post(format!("{}/api/v1/{path}", self.base))
            .bearer_auth(TOKEN)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
        self.practice.stop();
    }
}

fn configuration(directory: &std::path::Path, practice: &Practice, sample: &Sample) -> Value {
    json!({
        "github": {
            "access_token": sample.bot_token,
            "api_url": practice.api_url(),
            "web_url": practice.url(),
            "git_url": practice.git_url(),
        },
        "git": { "cache_dir": directory.join("cache") },
        "db": { "file": directory.join("paprq.db") },
        "storage": { "url": format!("file:{}", directory.join("storage").display()) },
        "worker": { "local": 0, "tokens": { "afar": TOKEN } },
        "repo": { "demo": {
            "owner": "octo",
            "name": "demo",
            "reviewers": [sample.reviewer],
            "github": { "secret": SECRET },
        } },
    })
}

fn claim(wait_s: u64) -> Claim {
    Claim {
        worker: paprq_core::ids::WorkerId::new("one"),
        executors: vec![Executor::Sandbox],
        labels: Vec::new(),
        slots: 1,
        slots_free: 1,
        running: Vec::new(),
        wait_s,
    }
}

fn comment(sample: &Sample, pull: PullNumber, text: &str) -> Value {
    json!({
        "action": "created",
        "issue": { "number": pull, "pull_request": {} },
        "comment": {
            "id": 4711,
            "user": { "login": sample.reviewer },
            "body": text,
            "created_at": "2030-01-01T00:00:00Z",
            "html_url": "https://example.org/comment",
        },
        "repository": { "full_name": sample.repo },
        "sender": { "login": sample.reviewer },
    })
}

fn sha256(body: &str) -> String {
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
