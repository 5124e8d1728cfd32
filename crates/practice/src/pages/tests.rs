//! The pages over HTTP, with forms as a browser sends them.

use std::collections::BTreeMap;

use crate::tests::clock;
use crate::world::{PullState, StatusState};
use crate::{Practice, Sample};

struct Browser {
    practice: Practice,
    sample: Sample,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

async fn browser() -> Browser {
    let dir = tempfile::tempdir().unwrap();
    let practice = Practice::start(dir.path(), 0, clock::now).await.unwrap();
    let sample = practice.sample().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    Browser {
        practice,
        sample,
        client,
        _dir: dir,
    }
}

impl Browser {
    async fn read(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.practice.url());
        let answer = self.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends a form; the status and the page where that led to.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        self.send_from(&self.practice.url(), path, fields).await
    }

    async fn send_from(&self, origin: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .client
            .post(format!("{}{path}", self.practice.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin)
            .body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    fn path(&self) -> String {
        format!("/octo/demo/pull/{}", self.sample.good)
    }

    fn good(&self) -> crate::PullSeen {
        self.practice.pull("octo/demo", self.sample.good).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_says_that_this_is_practice_and_leads_to_the_queue() {
    let browser = browser().await;
    browser.practice.set_bot_pages("http://127.0.0.1:1/queue");
    for path in ["/", "/octo/demo", &browser.path()] {
        let (status, page) = browser.read(path).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("practice GitHub"), "{path}");
        assert!(page.contains("href=\"http://127.0.0.1:1/queue\""), "{path}");
    }
    let (status, page) = browser.read("/octo/other").await;
    assert_eq!(status, 404);
    assert!(page.contains("There is no repository octo/other"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_written_as_the_chosen_user_and_shown_without_its_markup() {
    let browser = browser().await;
    let path = format!("{}/comment", browser.path());
    let text = "@paprq-bot r+\r\n<img src=x onerror=y> **b** <!-- hidden -->";
    let fields = [("as", "alice"), ("body", text)];
    let (status, page) = browser.send(&path, &fields).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("@paprq-bot r+<br />"), "{page}");
    assert!(page.contains("<strong>b</strong>"), "{page}");
    assert!(
        !page.contains("<img") && !page.contains("hidden -->"),
        "{page}"
    );
    assert!(page.contains("<option selected>alice"), "{page}");
    let comment = browser.good().comments.remove(0);
    assert_eq!(comment.author.as_str(), "alice");
    assert!(comment.body.starts_with("@paprq-bot r+\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_other_sites_change_nothing() {
    let browser = browser().await;
    let path = format!("{}/comment", browser.path());
    let fields = [("as", "alice"), ("body", "@paprq-bot r+")];
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let (status, _) = browser.send_from(origin, &path, &fields).await;
        assert_eq!(status, 422, "{origin}");
    }
    assert!(browser.good().comments.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_is_renamed_drafted_closed_and_reopened() {
    let browser = browser().await;
    let stand = format!("{}/stand", browser.path());
    let edit = format!("{}/edit", browser.path());
    browser
        .send(&edit, &[("as", "bob"), ("title", "Other words")])
        .await;
    assert_eq!(browser.good().title, "Other words");
    browser
        .send(&stand, &[("as", "bob"), ("deed", "draft")])
        .await;
    assert!(browser.good().draft);
    browser
        .send(&stand, &[("as", "bob"), ("deed", "ready")])
        .await;
    assert!(!browser.good().draft);
    browser
        .send(&stand, &[("as", "bob"), ("deed", "close")])
        .await;
    assert_eq!(browser.good().state, PullState::Closed);
    browser
        .send(&stand, &[("as", "bob"), ("deed", "reopen")])
        .await;
    assert_eq!(browser.good().state, PullState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_and_a_prepared_fix_move_the_head() {
    let browser = browser().await;
    let before = browser.good().head;
    let fields = [
        ("as", "bob"),
        ("path", "notes/a.md"),
        ("content", "one\r\ntwo\r\n"),
        ("message", "Add a note"),
    ];
    browser
        .send(&format!("{}/push", browser.path()), &fields)
        .await;
    let head = browser.good().head;
    assert_ne!(head, before);
    let file = browser.practice.file("octo/demo", head, "notes/a.md");
    assert_eq!(file.unwrap().as_deref(), Some("one\ntwo\n"));

    let failing = browser.sample.failing;
    let before = browser.practice.pull("octo/demo", failing).unwrap().head;
    let path = format!("/octo/demo/pull/{failing}");
    let (_, page) = browser.read(&path).await;
    assert!(page.contains("Push a fix: Put the comma back"), "{page}");
    let (_, page) = browser.send(&format!("{path}/fix"), &[("as", "bob")]).await;
    assert!(!page.contains("Push a fix"), "{page}");
    let after = browser.practice.pull("octo/demo", failing).unwrap().head;
    assert_ne!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_is_opened_and_a_status_set() {
    let browser = browser().await;
    let fields = BTreeMap::from([
        ("as", "carol"),
        ("branch", "mine"),
        ("title", "Mine"),
        ("body", "Please."),
        ("path", "mine.txt"),
        ("content", "mine\n"),
    ]);
    let fields: Vec<(&str, &str)> = fields.into_iter().collect();
    let (status, page) = browser.send("/octo/demo/pulls", &fields).await;
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("Mine <span class=\"number\">#7</span>"),
        "{page}"
    );

    let head = browser.good().head;
    let id = head.to_string();
    let fields = [
        ("commit", id.as_str()),
        ("context", "ci"),
        ("state", "failure"),
    ];
    let (_, page) = browser
        .send(&format!("{}/status", browser.path()), &fields)
        .await;
    assert!(page.contains("✕ failure"), "{page}");
    let status = browser.practice.status("octo/demo", head, "ci").unwrap();
    assert_eq!(status.state, StatusState::Failure);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_is_put_on_shown_in_words_and_taken_off() {
    let browser = browser().await;
    let path = format!("{}/label", browser.path());
    let fields = [("as", "alice"), ("label", "S-waiting"), ("deed", "add")];
    let (status, page) = browser.send(&path, &fields).await;
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("Labels: <span class=\"mark none\">S-waiting</span>"),
        "{page}"
    );
    let fields = [("as", "alice"), ("label", "S-waiting"), ("deed", "remove")];
    let (_, page) = browser.send(&path, &fields).await;
    assert!(!page.contains("Labels: "), "{page}");
    let (status, page) = browser.send(&path, &fields).await;
    assert_eq!(status, 404, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_written_anew_and_deleted() {
    let browser = browser().await;
    let number = browser.sample.good;
    let id = browser
        .practice
        .comment("octo/demo", number, "bob", "@paprq-bot r+")
        .unwrap();
    let (_, page) = browser.read(&browser.path()).await;
    assert!(page.contains(">bob: @paprq-bot r+</option>"), "{page}");
    let path = format!("{}/recomment", browser.path());
    let id = id.to_string();
    let fields = [
        ("as", "alice"),
        ("comment", id.as_str()),
        ("body", "Never mind."),
        ("deed", "save"),
    ];
    browser.send(&path, &fields).await;
    assert_eq!(browser.good().comments[0].body, "Never mind.");
    assert_eq!(browser.good().comments[0].author.as_str(), "bob");
    let fields = [
        ("as", "alice"),
        ("comment", id.as_str()),
        ("deed", "delete"),
    ];
    browser.send(&path, &fields).await;
    assert!(browser.good().comments.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulls_description_and_base_are_changed() {
    let browser = browser().await;
    let tip = browser.practice.branch("octo/demo", "master");
    let tip = tip.unwrap().unwrap();
    browser
        .practice
        .set_branch("octo/demo", "next", tip, "octo")
        .unwrap();
    let fields = [
        ("as", "bob"),
        ("title", "T"),
        ("body", "B"),
        ("base", "next"),
    ];
    browser
        .send(&format!("{}/edit", browser.path()), &fields)
        .await;
    let pull = browser.good();
    let seen = (&*pull.title, &*pull.body, &*pull.base_ref);
    assert_eq!(seen, ("T", "B", "next"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_delivered_again_with_a_button() {
    let browser = browser().await;
    let practice = &browser.practice;
    practice
        .add_webhook("octo/demo", "http://127.0.0.1:9/", "secret")
        .unwrap();
    practice
        .comment("octo/demo", browser.sample.good, "bob", "Hi.")
        .unwrap();
    let id = practice.deliveries()[0].id.to_string();
    let fields = [("delivery", id.as_str())];
    let (status, page) = browser.send("/octo/demo/redeliver", &fields).await;
    assert_eq!(status, 200, "{page}");
    let made = practice.deliveries();
    assert_eq!(made.len(), 2);
    assert_eq!(made[0].guid, made[1].guid);
    let fields = [("delivery", "1")];
    let (status, _) = browser.send("/octo/demo/redeliver", &fields).await;
    assert_eq!(status, 404);
}
