//! What people and programs read of a queue.

use serde_json::json;

use super::{HOSTILE, House};
use crate::store::Retry;
use paprq_core::ids::{Login, RepoLabel, Timestamp};

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_told_as_json() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let queue = house.queue().await;
    let pull = house.practice.pull(house.sample.repo, house.sample.good);
    let head = pull.unwrap().head.to_string();
    let run = house.pull(house.sample.good).await["run"].clone();
    assert_eq!(queue["repo"], "demo");
    assert_eq!(queue["treeclosed"], json!(null));
    let mut first = queue["pulls"][0].clone();
    let waits = first["why"].as_array_mut().unwrap().split_off(1);
    let running = format!("Waiting for {}: Running", order.suite.context);
    let is_running = |why: &serde_json::Value| why.as_str().unwrap().starts_with(&running);
    assert!(waits.iter().any(is_running), "{waits:?}");
    // The practice GitHub finds out some time after it was asked.
    first["mergeable"] = json!(null);
    // And whether the author may write: at first it is not known that this is to be asked.
    let own = first["pull_test"].take();
    let asked = ["none", "asking", "waits_for_ok"];
    let asked = asked.map(|status| json!({ "status": status, "run": null }));
    assert!(asked.contains(&own), "{own}");
    assert_eq!(
        first,
        json!({
            "number": house.sample.good,
            "status": "pending",
            "approved_by": "alice",
            "approved_sha": head,
            "head_sha": head,
            "base_ref": "master",
            "priority": 0,
            "rollup": 0,
            "mergeable": null,
            "position": 1,
            "why": ["Its merge is being tested"],
            "run": run,
            "held_by": null,
            "labels": [],
            "pull_test": null,
        })
    );
    assert_eq!(house.get("/api/v1/queue/unknown").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_title_is_shown_as_text_and_cut() {
    let house = House::start().await;
    let number = house.sample.unapproved;
    for path in [
        "/queue/demo".to_owned(),
        "/queue/all".to_owned(),
        format!("/pull/demo/{number}"),
    ] {
        let page = house.page(&path).await;
        assert!(!page.contains("<script>alert"), "{path}");
        assert!(!page.contains(['\u{202e}', '\0']), "{path}");
        assert!(page.contains("&#60;script&#62;alert(1)"), "{path}: {page}");
        assert!(!page.contains(&"x".repeat(250)), "{path}");
        assert!(!page.contains(HOSTILE), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_there_and_forbids_what_is_inline() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let job = order.attempt.job;
    let run = house.pull(house.sample.good).await["run"].clone();
    for path in [
        "/".to_owned(),
        "/queue/demo".to_owned(),
        "/queue/demo?page=7".to_owned(),
        "/queue/demo+demo".to_owned(),
        "/workers".to_owned(),
        format!("/pull/demo/{}", house.sample.good),
        format!("/results/demo/{}", house.sample.good),
        "/retry_log/demo".to_owned(),
        format!("/run/{run}"),
        format!("/job/{job}"),
    ] {
        let page = house.get(&path).await;
        assert_eq!(page.status(), 200, "{path}");
        let headers = page.headers().clone();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        let html = page.text().await.unwrap();
        assert!(!html.contains(" style="), "{path}");
        assert!(!html.contains("<script>"), "{path}");
        for asset in html.split("\"/assets/").skip(1) {
            let name = asset.split('"').next().unwrap();
            let asset = house.get(&format!("/assets/{name}")).await;
            assert_eq!(asset.status(), 200, "{name}");
            assert!(
                asset.headers()["cache-control"]
                    .to_str()
                    .unwrap()
                    .contains("immutable")
            );
        }
    }
    assert_eq!(house.page("/health").await, "OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let house = House::start().await;
    for path in [
        "/nothing",
        "/queue/unknown",
        "/queue/demo+unknown",
        "/pull/demo/99",
        "/pull/demo/x",
        "/run/1",
        "/job/1",
        "/job/1/log",
        "/job/1/log/live",
        "/assets/x.css",
        "/events?queue=unknown",
    ] {
        let page = house.get(path).await;
        assert_eq!(page.status(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_for_what_is_not_there_gets_a_page() {
    let house = House::start_with(|config, _| {
        config["web"] = json!({ "announcement":
            "Maintenance <b>tomorrow</b>, <a href=\"https://example.org/why\">why</a> <script>" });
    })
    .await;
    let huge = "9".repeat(40);
    for path in [
        "/nothing".to_owned(),
        "/pull/demo/99".to_owned(),
        "/pull/demo/x".to_owned(),
        "/queue/unknown".to_owned(),
        "/results/demo/99".to_owned(),
        "/results/unknown/1".to_owned(),
        "/retry_log/unknown".to_owned(),
        format!("/run/{huge}"),
        format!("/run/{}", u64::MAX),
        format!("/job/{huge}"),
    ] {
        let page = house.get(&path).await;
        assert_eq!(page.status(), 404, "{path}");
        let html = page.text().await.unwrap();
        assert!(html.contains("<h1>Not found</h1>"), "{path}: {html}");
        let shown = "Maintenance tomorrow, <a href=\"https://example.org/why\">why</a> &#60;script&#62;</p>";
        assert!(html.contains(shown), "{path}: {html}");
    }
    let api = house.get("/api/v1/nothing").await;
    assert_eq!(api.status(), 404);
    assert_eq!(api.text().await.unwrap(), "There is no such page.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_of_a_pull_name_its_builders() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let results = format!("/results/demo/{}", house.sample.good);
    let job = format!("<a href=\"{}/job/{}\">", house.base, order.attempt.job);
    let page = house.until(async |house| {
        let page = house.page(&results).await;
        page.contains(&job).then_some(page)
    });
    let page = page.await;
    assert!(page.contains("<th scope=\"col\">Builder</th>"));
    assert!(page.contains(&order.suite.context));
    assert!(page.contains("</span> running</span>"));
    let untested = format!("/results/demo/{}", house.sample.unapproved);
    assert!(house.page(&untested).await.contains("never tested"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retry_log_tells_who_wanted_what_again() {
    let house = House::start().await;
    assert!(house.page("/retry_log/demo").await.contains("Nobody did"));
    let retry = Retry {
        repo: RepoLabel::new("demo"),
        pull: house.sample.good,
        at: Timestamp(1_700_000_000_000),
        who: Some(Login::new("alice")),
        message: format!("@bot retry {HOSTILE}"),
        source: String::new(),
    };
    let imported = Retry {
        at: Timestamp(1_600_000_000_000),
        who: None,
        source: "https://github.com/octo/x/pull/1#issuecomment-2".to_owned(),
        ..retry.clone()
    };
    for retry in [retry, imported] {
        house.engine.store().log_retry(retry).await.unwrap();
    }
    let page = house.page("/retry_log/demo").await;
    assert!(page.contains("2023-11-14 22:13:20 UTC"));
    assert!(page.contains("@alice</a>"));
    let comment = "href=\"https://github.com/octo/x/pull/1#issuecomment-2\"";
    assert!(page.contains(comment) && !page.contains("@https"), "{page}");
    let link = format!("href=\"/pull/demo/{}\"", house.sample.good);
    assert!(page.contains(&link));
    assert!(page.contains("@bot retry &#60;script&#62;"));
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_is_told_of_a_change() {
    let house = House::start().await;
    let mut events = house.get("/events?queue=demo").await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let mut told = String::new();
    told.push_str(std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap());
    assert_eq!(told, "event: changed\nid: 1\ndata: \n\n");
    let text = format!("@{} r+", house.sample.bot);
    house
        .comment("d", house.sample.good, &text)
        .send()
        .await
        .unwrap();
    while !told.contains("event: changed\nid: 2\n") {
        told.push_str(std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap());
    }
}
