//! What only a real browser can tell: what it lets forms do, and what it keeps of a page.

use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder, Locator};

use super::{LIMIT, Town};

/// Chromium with its driver, from Debian's packages `chromium` and `chromium-driver`.
struct Chromium {
    client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Chromium {
    async fn open() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the package chromium-driver");
        let options = serde_json::json!({ "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--no-first-run", "--disable-quic",
            format!("--user-data-dir={}", profile.path().display()),
        ] });
        let capabilities = [("goog:chromeOptions".to_owned(), options)];
        let connecting = tokio::time::timeout(LIMIT, async {
            loop {
                let http = hyper_util::client::legacy::connect::HttpConnector::new();
                let mut builder = ClientBuilder::new(http);
                builder.capabilities(capabilities.clone().into_iter().collect());
                match builder.connect(&format!("http://127.0.0.1:{port}")).await {
                    Ok(client) => return client,
                    // The driver needs a moment until it listens.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Self {
            client: connecting.await.expect("the package chromium"),
            driver,
            _profile: profile,
        }
    }

    /// Waits until there is such an element.
    async fn find(&self, css: &str) -> fantoccini::elements::Element {
        let wait = self.client.wait().at_most(LIMIT);
        wait.for_element(Locator::Css(css)).await.unwrap()
    }

    async fn is_ticked(&self, css: &str) -> bool {
        self.find(css).await.is_selected().await.unwrap()
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

#[tokio::test(flavor = "multi_thread")]
async fn ticks_outlive_a_change_of_the_page_and_lead_to_a_rollup() {
    let town = Town::start().await;
    let sample = town.house.sample.clone();
    town.approve("a", sample.good).await;
    town.approve("b", sample.slow).await;
    let chromium = Chromium::open().await;
    let page = format!("{}/queue/demo?prs={}", town.house.base, sample.good);
    chromium.client.goto(&page).await.unwrap();
    let pick = |pull| format!("#pick-demo-{pull}");
    assert!(chromium.is_ticked(&pick(sample.good)).await);
    assert!(!chromium.is_ticked(&pick(sample.slow)).await);
    chromium
        .find(&pick(sample.slow))
        .await
        .click()
        .await
        .unwrap();
    // The page hears of it and exchanges its content by itself.
    town.approve("c", sample.rival).await;
    assert!(!chromium.is_ticked(&pick(sample.rival)).await);
    assert!(chromium.is_ticked(&pick(sample.good)).await);
    assert!(chromium.is_ticked(&pick(sample.slow)).await);
    let button = chromium.find("button[value=rollup]").await;
    button.click().await.unwrap();
    let title = Locator::XPath("//h1[contains(., 'Rollup of 2 pull requests')]");
    let wait = chromium.client.wait().at_most(LIMIT);
    wait.for_element(title).await.unwrap();
    let address = chromium.client.current_url().await.unwrap();
    let pulls = format!("{}/octo/demo/pull/", town.forge.url);
    assert!(address.as_str().starts_with(&pulls), "{address}");
    chromium.close().await;
}
