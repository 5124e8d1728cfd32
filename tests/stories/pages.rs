//! What a person sees in a real browser.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use paprq_core::ids::PullNumber;
use paprq_practice::Edit;

use crate::world::{LIMIT, SUITES, Settings, World};

/// Chromium with its driver, from Debian's packages `chromium` and `chromium-driver`.
struct Browser {
    client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the package chromium-driver");
        let options = serde_json::json!({
            "goog:chromeOptions": { "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--no-first-run", "--disable-quic",
                format!("--user-data-dir={}", profile.path().display()),
            ] },
        });
        let serde_json::Value::Object(options) = options else {
            panic!("the options are an object");
        };
        let address = format!("http://127.0.0.1:{port}");
        let client = tokio::time::timeout(LIMIT, async {
            loop {
                let mut builder =
                    ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
                builder.capabilities(options.clone());
                match builder.connect(&address).await {
                    Ok(client) => return client,
                    // The driver needs a moment until it listens.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Self {
            client: client.await.expect("the package chromium"),
            driver,
            _profile: profile,
        }
    }

    async fn go(&self, world: &World, path: &str) {
        let address = format!("http://{}{path}", world.address());
        self.client.goto(&address).await.unwrap();
    }

    async fn text(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await.unwrap();
        body.text().await.unwrap()
    }

    /// Waits until the page, which nobody loads again, shows this.
    async fn shows(&self, text: &str) {
        let shown = tokio::time::timeout(LIMIT, async {
            while !self.text().await.contains(text) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        if shown.await.is_err() {
            panic!("the page does not show {text:?}:\n{}", self.text().await);
        }
    }

    async fn close(self) {
        let Self {
            client, mut driver, ..
        } = self;
        client.close().await.unwrap();
        driver.kill().unwrap();
        driver.wait().unwrap();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn queue_row(pull: PullNumber) -> String {
    format!("#{pull}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_page_changes_and_the_log_grows_by_themselves() {
    // What passed in the pull request test would count, and the merge be over before anybody looks.
    let suites = format!("{SUITES}pulls: false\n");
    let world = World::start_with(Settings {
        files: vec![(".papr.yml".to_owned(), suites)],
        ..Settings::default()
    })
    .await;
    let script = "echo first; while [ ! -e go ]; do sleep 0.1; n=$((${n:-0} + 1)); \
                  [ $n -gt 80 ] && break; done; echo \"last <b>line</b>\"\n";
    let pull = world.open_pull("watched", &[("fine.sh", script)]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    let browser = Browser::open().await;
    browser.go(&world, "/queue/widgets").await;
    browser.shows(&queue_row(pull)).await;
    browser.shows("Nothing is queued").await;
    world.tell(pull, "r+");
    browser.shows("Its merge is being tested").await;
    world.hear(pull, ":hourglass:").await;
    browser.go(&world, "/job/1").await;
    browser.shows("first").await;
    browser.shows("last <b>line</b>").await;
    world.until_merged(pull).await;
    browser.go(&world, "/queue/widgets").await;
    browser.shows("Nothing is queued").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_a_phone_and_say_the_same_without_scripts() {
    let world = World::start().await;
    let edit = Edit {
        title: Some("a".repeat(200)),
        ..Edit::default()
    };
    let pull = world.open_pull("wide", &[("a", "1")]);
    world
        .practice
        .edit_pull(crate::world::REPO, pull, edit, "bob")
        .unwrap();
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    let browser = Browser::open().await;
    browser.client.set_window_size(390, 844).await.unwrap();
    for path in [
        "/",
        "/queue/widgets",
        &format!("/pull/widgets/{pull}"),
        "/workers",
    ] {
        browser.go(&world, path).await;
        let width = "return document.documentElement.scrollWidth <= window.innerWidth";
        let fits = browser.client.execute(width, Vec::new()).await.unwrap();
        assert_eq!(
            fits,
            serde_json::json!(true),
            "{path} is wider than the screen"
        );
    }
    browser.close().await;
}
