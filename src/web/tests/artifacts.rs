//! The files that suites leave: taken from whoever has the lease, and shown so that they cannot act.

use serde_json::Value;

use super::{House, TOKEN};
use crate::protocol::{Order, Report};
use paprq_core::jobs::JobOutcome;

async fn put(house: &House, order: &Order, path: &str, content: &'static [u8]) -> u16 {
    let (job, number) = (order.attempt.job, order.attempt.number);
    let base = &house.base;
    let address = format!("{base}/api/v1/jobs/{job}/attempts/{number}/artifacts/{path}");
    let call = house.http.put(address).bearer_auth(TOKEN).body(content);
    call.send().await.unwrap().status().as_u16()
}

async fn finish(house: &House, order: &Order) {
    let (job, number) = (order.attempt.job, order.attempt.number);
    let report = Report {
        outcome: JobOutcome::Passed,
        fault: None,
        log_bytes: 0,
    };
    let call = house.call(&format!("jobs/{job}/attempts/{number}/result"));
    assert_eq!(call.json(&report).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_listed_and_served_by_their_paths() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let odd = "out/odd%20%C3%BC%23%25%3F%3Cb%3E/100%2525%2B.log";
    for (path, content) in [("out/a", &b"aaa"[..]), (odd, b"odd"), ("top", b"")] {
        assert_eq!(put(&house, &order, path, content).await, 200, "{path}");
    }
    finish(&house, &order).await;
    let job = order.attempt.job;
    let listed: Value = house
        .get(&format!("/api/v1/jobs/{job}/artifacts"))
        .await
        .json()
        .await
        .unwrap();
    let files = listed["artifacts"].as_array().unwrap();
    let paths: Vec<_> = files
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["out/a", "out/odd ü#%?<b>/100%25+.log", "top"]);
    assert_eq!(listed["job"], job.0);
    for (file, content) in files.iter().zip(["aaa", "odd", ""]) {
        let served = house.get(file["url"].as_str().unwrap()).await;
        assert_eq!(
            served.headers()["content-length"],
            content.len().to_string()
        );
        assert_eq!(served.text().await.unwrap(), content);
    }
    let page = house.page(&format!("/job/{job}")).await;
    assert!(
        page.contains("/100%25+.log</a>") && !page.contains("<b>"),
        "{page}"
    );
    let top = house.page(&format!("/job/{job}/artifacts/")).await;
    assert!(
        top.contains("2 entries") && top.contains(">out/</a>"),
        "{top}"
    );
    let below = house.page(&format!("/job/{job}/artifacts/out/")).await;
    assert!(
        below.contains(">a</a> <span class=\"more\">3 bytes"),
        "{below}"
    );
    assert!(!below.contains("<b>"), "{below}");
    for missing in ["artifacts/none", "artifacts/out/a/b", "artifacts/..%2Flog"] {
        let missing = house.get(&format!("/job/{job}/{missing}")).await;
        assert_eq!(missing.status(), 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_served_acts_on_our_address() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let script = b"<html><script>alert(1)</script>";
    for (path, content) in [
        ("index.html", &script[..]),
        ("a.svg", script),
        ("a.js", b"alert(1)"),
        ("a.png", b"\x89PNG\r\n\x1a\nrest"),
        ("core.html", b"\0\xff"),
    ] {
        assert_eq!(put(&house, &order, path, content).await, 200);
    }
    let job = order.attempt.job;
    for (path, media, is_saved) in [
        ("index.html", "text/plain; charset=utf-8", false),
        ("a.svg", "text/plain; charset=utf-8", false),
        ("a.js", "text/plain; charset=utf-8", false),
        ("a.png", "image/png", false),
        ("core.html", "application/octet-stream", true),
    ] {
        let served = house.get(&format!("/job/{job}/artifacts/{path}")).await;
        let header = |name: &str| {
            served
                .headers()
                .get(name)
                .map(|text| text.to_str().unwrap())
        };
        assert_eq!(header("content-type"), Some(media), "{path}");
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        let policy = header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'; sandbox;"), "{policy}");
        let saved = header("content-disposition");
        assert_eq!(
            saved.is_some_and(|text| text.starts_with("attachment;")),
            is_saved
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_holder_of_the_lease_leaves_files_and_no_more_than_is_kept() {
    let house = House::start_with(|config, _| {
        config["storage"]["artifact_files_max"] = 1.into();
        config["storage"]["artifact_file_bytes_max"] = 3.into();
    })
    .await;
    let order = house.order(house.sample.good).await;
    assert_eq!(order.artifacts.files_max, 1);
    assert_eq!(put(&house, &order, "large", b"1234").await, 413);
    assert_eq!(put(&house, &order, "a", b"123").await, 200);
    assert_eq!(put(&house, &order, "b", b"1").await, 413);
    for odd in ["%2E%2E%2Fb", "a%0Ab", "a//b"] {
        assert_eq!(put(&house, &order, odd, b"1").await, 400, "{odd}");
    }
    let (job, number) = (order.attempt.job, order.attempt.number);
    let address = format!(
        "{}/api/v1/jobs/{job}/attempts/{number}/artifacts/a",
        house.base
    );
    let stranger = house.http.put(&address).bearer_auth("a guess").body("x");
    assert_eq!(stranger.send().await.unwrap().status(), 401);
    finish(&house, &order).await;
    assert_eq!(put(&house, &order, "a", b"new").await, 410);
    let kept = house.page(&format!("/job/{job}/artifacts/a")).await;
    assert_eq!(kept, "123");
}
