//! Headers that cannot be read or are there twice: each is refused, none counts as missing.

use base64::Engine as _;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use serde_json::json;

use super::{House, LIMIT, SECRET, TOKEN, claim, comment, sha256};
use crate::github::signature;
use crate::protocol::Order;
use paprq_core::ids::RepoLabel;

fn unreadable() -> HeaderValue {
    HeaderValue::from_bytes(b"sha256=\xff").unwrap()
}

async fn code(call: RequestBuilder) -> u16 {
    call.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_cannot_be_read_does_not_let_the_older_one_decide() {
    let house = House::start().await;
    let text = format!("@{} r+", house.sample.bot);
    let body = comment(&house.sample, house.sample.good, &text).to_string();
    let signed = signature::sign(SECRET.as_bytes(), body.as_bytes());
    let webhook = |newer: &[HeaderValue]| {
        let webhook = house.webhook("d", "issue_comment", body.clone());
        let webhook = webhook.header("X-Hub-Signature", &signed.sha1);
        newer.iter().fold(webhook, |webhook, value| {
            webhook.header("X-Hub-Signature-256", value)
        })
    };
    let right = HeaderValue::from_str(&signed.sha256).unwrap();
    for newer in [
        &[unreadable()][..],
        &[unreadable(), right.clone()],
        &[right.clone(), right],
    ] {
        assert_eq!(code(webhook(newer)).await, 401);
    }
    assert_eq!(house.pull(house.sample.good).await["status"], "none");
    assert_eq!(code(webhook(&[])).await, 202);
}

/// A header that is read, what it may hold, and a call that lacks it.
struct Reading {
    header: &'static str,
    right: String,
    call: RequestBuilder,
}

/// Of all headers that are read.
fn readings(house: &House, order: &Order) -> Vec<Reading> {
    // The server closes some of these connections. A client that keeps them could be about to send
    // the next request on one.
    let http = Client::builder().pool_max_idle_per_host(0);
    let http = http.no_proxy().timeout(LIMIT);
    let http = http.redirect(Policy::none()).build().unwrap();
    let (base, attempt) = (&house.base, order.attempt);
    let (job, number) = (attempt.job, attempt.number);
    let body = comment(&house.sample, house.sample.good, "hello").to_string();
    let signed = signature::sign(SECRET.as_bytes(), body.as_bytes());
    let webhook = |without: &str| {
        let all = [
            ("x-github-event", "issue_comment"),
            ("content-type", "application/json"),
            ("x-hub-signature-256", &*signed.sha256),
        ];
        let all = all.into_iter().filter(|(name, _)| *name != without);
        let call = http.post(format!("{base}/github")).body(body.clone());
        all.fold(call, |call, (name, value)| call.header(name, value))
    };
    let page = |path: &str| http.get(format!("{base}{path}"));
    let form = || {
        http.post(format!("{base}/login"))
            .body("cmd=synch&repo_label=demo")
    };
    let git = format!("/api/v1/jobs/{job}/attempts/{number}/git/info/refs?service=git-upload-pack");
    let basic = base64::engine::general_purpose::STANDARD;
    let basic = basic.encode(format!("x:{}", order.git_token));
    let claim = http
        .post(format!("{base}/api/v1/worker/claim"))
        .json(&claim(0));
    let host = base.trim_start_matches("http://");
    [
        ("x-github-event", "issue_comment", webhook("x-github-event")),
        ("x-github-delivery", "d7", webhook("")),
        ("content-type", "application/json", webhook("content-type")),
        (
            "x-hub-signature-256",
            &signed.sha256,
            webhook("x-hub-signature-256"),
        ),
        (
            "x-hub-signature",
            &signed.sha1,
            webhook("x-hub-signature-256"),
        ),
        ("authorization", &format!("Basic {basic}"), page(&git)),
        ("range", "bytes=0-1", page(&format!("/job/{job}/log"))),
        ("last-event-id", "0", page(&format!("/job/{job}/log/live"))),
        ("sec-fetch-site", "same-origin", form()),
        ("origin", base, form()),
        ("cookie", "paprq-login=x", page("/callback")),
        ("host", host, page("/")),
        // It says that nothing runs there, which ends the attempt.
        ("authorization", &format!("Bearer {TOKEN}"), claim),
    ]
    .map(|(header, right, call)| Reading {
        header,
        right: right.to_owned(),
        call,
    })
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_header_that_is_read_is_refused_where_it_cannot_be_or_is_there_twice() {
    let house = House::start_with(|config, _| {
        config["github"]["app_client_id"] = json!("the application");
        config["github"]["app_client_secret"] = json!("the application's secret");
    })
    .await;
    let order = house.order(house.sample.good).await;
    for Reading {
        header,
        right,
        call,
    } in readings(&house, &order)
    {
        let with = |value: &HeaderValue| call.try_clone().unwrap().header(header, value);
        let right = HeaderValue::from_str(&right).unwrap();
        let once = code(with(&right)).await;
        assert!(!matches!(once, 400 | 401), "{header}: {once}");
        for bad in [
            with(&unreadable()),
            with(&right).header(header, &right),
            with(&right).header(header, unreadable()),
        ] {
            let code = code(bad).await;
            assert!(matches!(code, 400 | 401), "{header}: {code}");
        }
    }
    for name in ["Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto"] {
        let page = house.http.get(&house.base).header(name, unreadable());
        assert_eq!(code(page).await, 400, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_passed_on_is_not_passed_on_again_however_it_says_so() {
    let house = House::start_with(|config, _| {
        config["repo"]["demo"]["forward_to"] = json!("http://127.0.0.1:9/");
        config["repo"]["demo"]["forward_secret"] = json!("what Homu knows");
    })
    .await;
    let body = comment(&house.sample, house.sample.good, "hello").to_string();
    let webhook = house
        .webhook("d", "issue_comment", body.clone())
        .header("X-Hub-Signature-256", sha256(&body))
        .header("X-Paprq-Forwarded", unreadable());
    assert_eq!(code(webhook).await, 200);
    let waiting = house.engine.store();
    let waiting = waiting.next_forward(&RepoLabel::new("demo")).await;
    assert_eq!(waiting.unwrap(), None);
}
