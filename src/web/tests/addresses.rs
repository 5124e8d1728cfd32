//! By which addresses we are reached.

use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use serde_json::json;

use super::{House, LIMIT};

/// Asks as if by another host's name; follows nowhere.
async fn ask(house: &House, method: reqwest::Method, path: &str, host: &str) -> reqwest::Response {
    let http = reqwest::Client::builder().no_proxy().timeout(LIMIT);
    let http = http.redirect(Policy::none()).build().unwrap();
    let call = http.request(method, format!("{}{path}", house.base));
    call.header("Host", host).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_another_host_are_sent_to_the_canonical_one() {
    use reqwest::Method;
    let house = House::start_with(|config, _| {
        let canonical = "https://bot.example.org";
        config["web"] = json!({ "canonical_url": canonical, "remove_path_prefixes": ["homu"] });
    })
    .await;
    for (path, to) in [
        ("/homu/queue/demo?prs=1,2", "/queue/demo?prs=1,2"),
        ("/queue/a%2Fb", "/queue/a%2Fb"),
        ("/nothing", "/nothing"),
        ("//evil.example/x", "/evil.example/x"),
    ] {
        let moved = ask(&house, Method::GET, path, "old.example.org").await;
        assert_eq!(moved.status(), 301, "{path}");
        let to = format!("https://bot.example.org{to}");
        assert_eq!(moved.headers()[LOCATION], to.as_str());
    }
    for (method, path, host, code) in [
        (Method::GET, "/health", "old.example.org", 200),
        (Method::GET, "/queue/demo", "bot.example.org", 200),
        (Method::GET, "/homu/queue/demo", "BOT.example.org:443", 200),
        (Method::POST, "/github", "old.example.org", 400),
        (Method::POST, "/api/v1/worker/claim", "127.0.0.1:80", 401),
        (
            Method::GET,
            "/api/v1/jobs/1/attempts/1/git/info/refs",
            "127.0.0.1",
            404,
        ),
    ] {
        let answer = ask(&house, method, path, host).await;
        assert_ne!(answer.status(), 301, "{path}");
        let fine = answer.status() == code || (code >= 400 && answer.status().is_client_error());
        assert!(fine, "{path}: {}", answer.status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn below_a_path_of_a_proxy_pages_lead_to_pages_there() {
    let house = House::start_with(|config, _| {
        let base_url = "https://ci.example.org/homu/";
        config["web"] = json!({ "base_url": base_url, "remove_path_prefixes": ["/homu/"] });
    })
    .await;
    for path in ["/homu/queue/demo", "/queue/demo"] {
        let page = house.page(path).await;
        assert!(page.contains("<a href=\"/homu/workers\">"), "{page}");
        assert!(page.contains("sse-connect=\"/homu/events?queue=demo\""));
        let local = page.split("href=\"/").skip(1);
        let outside: Vec<_> = local.filter(|link| !link.starts_with("homu/")).collect();
        assert_eq!(outside, [""; 0]);
        for asset in page.split("\"/homu/assets/").skip(1) {
            let name = asset.split('"').next().unwrap();
            house.page(&format!("/homu/assets/{name}")).await;
        }
    }
    assert_eq!(house.get("/homunculus").await.status(), 404);
    // Until all pulls are read the page says how many are.
    while house.page("/").await.contains("Reading open") {}
    assert_eq!(house.page("/homu").await, house.page("/").await);
}
