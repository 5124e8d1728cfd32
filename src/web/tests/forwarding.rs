//! Webhooks on their way to a service beside us.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::RequestBuilder;
use tokio::sync::watch;

use super::{House, LIMIT, sha256};
use crate::clock;
use crate::github::signature;
use crate::store::{BacklogBounds, Forwarded};
use paprq_core::ids::{RepoLabel, Timestamp};

const OTHER_SECRET: &str = "what Homu knows";

#[derive(Clone, Debug)]
struct Seen {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn delivery(&self) -> &str {
        self.header("x-github-delivery").unwrap_or_default()
    }
}

/// The service beside us.
#[derive(Clone)]
struct Neighbour {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// What is answered to the next requests; 200 after that.
    codes: Arc<Mutex<VecDeque<u16>>>,
    changed: Arc<watch::Sender<()>>,
}

impl Neighbour {
    fn start(port: u16, codes: &[u16]) -> (Self, u16) {
        let neighbour = Self {
            seen: Arc::default(),
            codes: Arc::new(Mutex::new(codes.iter().copied().collect())),
            changed: Arc::new(watch::channel(()).0),
        };
        let shared = web::Data::new(neighbour.clone());
        let server = HttpServer::new(move || {
            let app = App::new().app_data(shared.clone());
            app.route("/github/", web::post().to(Self::receive))
        });
        let server = server.workers(1).disable_signals();
        let server = server.bind(("127.0.0.1", port)).unwrap();
        let port = server.addrs()[0].port();
        tokio::spawn(server.run());
        (neighbour, port)
    }

    #[expect(clippy::unused_async, reason = "actix takes no other")]
    async fn receive(
        request: HttpRequest,
        this: web::Data<Self>,
        body: web::Bytes,
    ) -> HttpResponse {
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let seen = Seen {
            headers: headers.collect(),
            body: body.to_vec(),
        };
        this.seen.lock().unwrap().push(seen);
        let code = this.codes.lock().unwrap().pop_front().unwrap_or(200);
        this.changed.send_replace(());
        HttpResponse::build(StatusCode::from_u16(code).unwrap()).finish()
    }

    /// Waits for so many requests.
    async fn seen(&self, count: usize) -> Vec<Seen> {
        let mut changed = self.changed.subscribe();
        let waiting = async {
            loop {
                changed.mark_unchanged();
                let seen = self.seen.lock().unwrap().clone();
                if seen.len() >= count {
                    return seen;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LIMIT, waiting)
            .await
            .expect("they never came")
    }

    async fn deliveries(&self, count: usize) -> Vec<String> {
        let seen = self.seen(count).await;
        seen.iter().map(|seen| seen.delivery().to_owned()).collect()
    }
}

async fn house(port: u16) -> House {
    House::start_with(|config, _| {
        config["repo"]["demo"]["forward_to"] = format!("http://127.0.0.1:{port}/github/").into();
        config["repo"]["demo"]["forward_secret"] = OTHER_SECRET.into();
    })
    .await
}

/// A port at which nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

const PING: &str = "{ \"repository\": {\"full_name\":\"octo/demo\"} , \"zen\": \"\u{e9}\"}\n";

fn ping(house: &House, delivery: &str) -> RequestBuilder {
    let webhook = house.webhook(delivery, "ping", PING);
    webhook.header("X-Hub-Signature-256", sha256(PING))
}

async fn send(webhook: RequestBuilder) -> u16 {
    webhook.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_other_side_was_away_is_passed_on_unchanged_and_in_order() {
    let port = closed_port();
    let house = house(port).await;
    let pull = house.sample.good;
    let text = format!("@{} r+", house.sample.bot);
    let first = ping(&house, "one").header("User-Agent", "GitHub-Hookshot/1");
    assert_eq!(send(first.header("X-GitHub-Hook-ID", "77")).await, 200);
    assert_eq!(send(house.comment("two", pull, &text)).await, 202);
    let hollow = "{\"action\": \"created\", \"repository\": {\"full_name\": \"octo/demo\"}}";
    let strange = house.webhook("three", "issue_comment", hollow);
    assert_eq!(
        send(strange.header("X-Hub-Signature-256", sha256(hollow))).await,
        400
    );
    let wrong = house.webhook("wrong", "ping", PING);
    assert_eq!(
        send(wrong.header("X-Hub-Signature-256", sha256("x"))).await,
        401
    );
    let ours = ping(&house, "ours").header("X-Paprq-Forwarded", "1");
    assert_eq!(send(ours).await, 200);
    assert_eq!(send(ping(&house, "last")).await, 200);
    // Nothing here waits for the other side.
    house
        .until(async |house| (house.pull(pull).await["status"] == "pending").then_some(()))
        .await;
    let (neighbour, _) = Neighbour::start(port, &[]);
    let seen = neighbour.seen(4).await;
    let deliveries: Vec<_> = seen.iter().map(Seen::delivery).collect();
    assert_eq!(deliveries, ["one", "two", "three", "last"]);
    assert_eq!(seen[0].body, PING.as_bytes());
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-github-event", "ping"),
        ("x-github-hook-id", "77"),
        ("user-agent", "GitHub-Hookshot/1"),
        ("x-paprq-forwarded", "1"),
    ] {
        assert_eq!(seen[0].header(name), Some(value), "{name}");
    }
    for seen in &seen {
        let names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
        let (sha256, sha1) = (
            seen.header("x-hub-signature-256"),
            seen.header("x-hub-signature"),
        );
        for (sha256, sha1) in [(sha256, None), (None, sha1)] {
            let secret = OTHER_SECRET.as_bytes();
            signature::verify(secret, &seen.body, sha256, sha1).unwrap();
        }
        let signatures = names.iter().filter(|name| name.starts_with("x-hub-"));
        assert_eq!(signatures.count(), 2, "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_the_other_sides_is_waited_out_and_what_it_refuses_is_dropped() {
    let (neighbour, port) = Neighbour::start(0, &[503, 429, 200, 404, 302, 200]);
    let house = house(port).await;
    for delivery in ["a", "b", "c", "d"] {
        assert_eq!(send(ping(&house, delivery)).await, 200);
    }
    assert_eq!(
        neighbour.deliveries(6).await,
        ["a", "a", "a", "b", "c", "d"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_day_is_dropped() {
    let (neighbour, port) = Neighbour::start(0, &[]);
    let house = house(port).await;
    let day_ms = 24 * 3600 * 1000;
    for (delivery, age_ms) in [("old", day_ms + 1000), ("younger", day_ms - 600_000)] {
        let forwarded = Forwarded {
            repo: RepoLabel::new("demo"),
            headers: vec![("x-github-delivery".to_owned(), delivery.to_owned())],
            body: bytes::Bytes::new(),
            received_at: Timestamp(clock::now().0 - age_ms),
        };
        let bounds = BacklogBounds {
            count_max: 9,
            bytes_max: 9,
        };
        house
            .engine
            .store()
            .add_forward(forwarded, bounds)
            .await
            .unwrap();
    }
    assert_eq!(send(ping(&house, "new")).await, 200);
    assert_eq!(neighbour.deliveries(2).await, ["younger", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repo_that_passes_nothing_on_keeps_nothing_for_it() {
    let house = House::start().await;
    assert_eq!(send(ping(&house, "a")).await, 200);
    let next = house
        .engine
        .store()
        .next_forward(&RepoLabel::new("demo"))
        .await;
    assert!(next.unwrap().is_none());
}
