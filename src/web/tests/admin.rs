//! What operators order.

use serde_json::{Value, json};

use super::{House, LIMIT};
use crate::clock;
use paprq_core::ids::RepoLabel;
use paprq_practice::Edit;

async fn house() -> House {
    let secret = |config: &mut Value| config["web"] = json!({ "secret": "the operator's" });
    House::start_with(|config, _| secret(config)).await
}

async fn order(house: &House, order: &Value) -> (u16, String) {
    let call = house.http.post(format!("{}/admin", house.base));
    let answer = call.body(order.to_string()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_all_finds_what_no_webhook_told() {
    let house = house().await;
    let sample = &house.sample;
    let edit = Edit {
        title: Some("Another title".to_owned()),
        ..Edit::default()
    };
    let edited = house
        .practice
        .edit_pull(sample.repo, sample.good, edit, sample.reviewer);
    edited.unwrap();
    let sync = json!({ "secret": "the operator's", "cmd": "sync_all" });
    assert_eq!(order(&house, &sync).await, (200, "OK".to_owned()));
    let path = format!("/pull/demo/{}", house.sample.good);
    house
        .until(async |house| {
            house
                .page(&path)
                .await
                .contains("Another title")
                .then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_all_takes_up_what_old_comments_say_and_answers_none() {
    let house = house().await;
    let (sample, pull) = (&house.sample, house.sample.good);
    let text = format!("@{bot} p=3\n@{bot} p=99999", bot = sample.bot);
    let said = house
        .practice
        .comment(sample.repo, pull, sample.reviewer, &text);
    said.unwrap();
    // As if the comment were older than what was swept, and had been missed nevertheless.
    let (label, later) = (RepoLabel::new("demo"), clock::now().plus_s(3600));
    let store = house.engine.store();
    // The first sweep says at its end how far it came.
    while store.watermark(&label).await.unwrap().synced_at.is_none() {
        tokio::task::yield_now().await;
    }
    store.set_synced_at(&label, later).await.unwrap();
    let sync = json!({ "secret": "the operator's", "cmd": "sync_all" });
    assert_eq!(order(&house, &sync).await.0, 200);
    house
        .until(async |house| (house.pull(pull).await["priority"] == 3).then_some(()))
        .await;
    let ping = format!("@{} ping", sample.bot);
    house.comment("d", pull, &ping).send().await.unwrap();
    let says = |text: &str| {
        let mut comments = house.practice.comments(sample.repo, pull).into_iter();
        comments.any(|comment| comment.body.contains(text))
    };
    let answered = house.practice.wait_until(LIMIT, |_| says(":sleepy:"));
    answered.await.unwrap();
    assert!(!says(":stop_sign:"), "what was said long ago was answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_secret_orders_nothing() {
    let house = house().await;
    for secret in [json!("the operator'"), json!(""), json!(null), json!(7)] {
        let (code, text) = order(&house, &json!({ "secret": secret, "cmd": "sync_all" })).await;
        assert!(code == 403 || code == 400, "{code} {text}");
        assert!(text.starts_with("{\"error\":"), "{text}");
    }
    let (code, _) = order(&house, &json!("sync_all")).await;
    assert_eq!(code, 400);
    let without = House::start().await;
    let (code, _) = order(&without, &json!({ "secret": "", "cmd": "sync_all" })).await;
    assert_eq!(code, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_a_fitting_label_and_somebody_to_make_it() {
    let house = house().await;
    for (cmd, label, expected) in [
        ("repo_new", "demo", 400),
        ("repo_new", "other", 501),
        ("repo_edit", "demo", 501),
        ("repo_edit", "other", 400),
        ("repo_del", "demo", 501),
        ("repo_del", "other", 400),
    ] {
        let wish = json!({ "secret": "the operator's", "cmd": cmd, "repo_label": label,
            "repo_cfg": { "reviewers": ["mallory"] } });
        let (code, text) = order(&house, &wish).await;
        assert_eq!(code, expected, "{cmd} {label}: {text}");
    }
    let (code, text) = order(&house, &json!({ "secret": "the operator's", "cmd": "x" })).await;
    assert_eq!((code, text.contains("sync_all")), (400, true));
}
