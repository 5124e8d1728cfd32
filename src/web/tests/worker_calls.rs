//! The workers' calls, as the protocol says.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{House, LIMIT, claim};
use crate::git::serve::REQUEST_TYPE;
use crate::protocol::{CHUNK_BYTES_MAX, Order, Renewal, Report, Wish};
use paprq_core::jobs::JobOutcome;

fn attempt(order: &Order, call: &str) -> String {
    let attempt = order.attempt;
    format!("jobs/{}/attempts/{}/{call}", attempt.job, attempt.number)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_goes_from_claim_to_result_and_is_then_over() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let log = house.call(&attempt(&order, "log?offset=0")).body("hello\n");
    let answer: Renewal = log.send().await.unwrap().json().await.unwrap();
    assert_eq!((answer.wish, answer.log_bytes), (Wish::GoOn, 6));
    let gap = house.call(&attempt(&order, "log?offset=99")).body("x");
    let answer: Renewal = gap.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer.log_bytes, 6);
    let report = Report {
        outcome: JobOutcome::Passed,
        fault: None,
        log_bytes: 6,
    };
    let result = house.call(&attempt(&order, "result")).json(&report);
    assert_eq!(result.send().await.unwrap().status(), 200);
    let late = house.call(&attempt(&order, "beat")).json(&Value::Null);
    assert_eq!(late.send().await.unwrap().status(), 410);
    let page = house.page(&format!("/job/{}", order.attempt.job)).await;
    assert!(page.contains("Every command ended with 0."), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_is_given_a_job_as_soon_as_there_is_one() {
    let house = House::start().await;
    let text = format!("@{} r+", house.sample.bot);
    let approval = house.comment("approval", house.sample.good, &text);
    let wait = house.call("worker/claim").json(&claim(30)).send();
    let (order, approved) = tokio::join!(wait, approval.send());
    assert_eq!(approved.unwrap().status(), 202);
    // 204 would be that nothing came as long as it waited.
    let order = order.unwrap();
    assert_eq!(order.status(), 200);
    let order: Order = order.json().await.unwrap();
    assert_eq!(order.attempt.number, paprq_core::ids::AttemptNumber(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_too_much_are_refused() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    for call in ["worker/claim", &attempt(&order, "beat")] {
        let stranger = house.http.post(format!("{}/api/v1/{call}", house.base));
        let stranger = stranger.bearer_auth("a guess").json(&claim(0));
        assert_eq!(stranger.send().await.unwrap().status(), 401, "{call}");
    }
    let chunk = vec![b'x'; CHUNK_BYTES_MAX + 1];
    let chunk = house.call(&attempt(&order, "log?offset=0")).body(chunk);
    assert_eq!(chunk.send().await.unwrap().status(), 413);
    let nonsense = house.call("worker/claim").json(&Value::Null);
    assert_eq!(nonsense.send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn git_fetches_the_commit_with_the_password_of_the_attempt_alone() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let folder = tempfile::tempdir().unwrap();
    let fetch = async |password: &str| {
        let host = house.base.strip_prefix("http://").unwrap();
        let path = attempt(&order, "git");
        let url = format!("http://anybody:{password}@{host}/api/v1/{path}");
        let script = format!(
            "git init -q -b x . && git fetch -q '{url}' {} && git rev-parse FETCH_HEAD",
            order.git_ref
        );
        let fetched = Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("GIT_TERMINAL_PROMPT", "0")
            .output()
            .await
            .expect("git runs (package git)");
        String::from_utf8(fetched.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(fetch("a-guess").await, "");
    assert_eq!(fetch(&order.git_token).await, order.commit.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn git_may_zip_what_it_asks() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let wanted = format!("0032want {}\n00000009done\n", order.commit);
    let mut zip = Command::new("gzip")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the package gzip");
    let mut stdin = zip.stdin.take().unwrap();
    stdin.write_all(wanted.as_bytes()).await.unwrap();
    drop(stdin);
    let zipped = zip.wait_with_output().await.unwrap().stdout;
    let path = attempt(&order, "git/git-upload-pack");
    let pack = house
        .http
        .post(format!("{}/api/v1/{path}", house.base))
        .basic_auth("anybody", Some(&order.git_token))
        .header("Content-Type", REQUEST_TYPE)
        .header("Content-Encoding", "gzip")
        .body(zipped);
    let pack = pack.send().await.unwrap().bytes().await.unwrap();
    assert!(pack.windows(4).any(|four| four == b"PACK"), "{pack:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_is_sent_away_when_the_server_stops() {
    let mut house = House::start().await;
    let waiting = tokio::spawn(house.call("worker/claim").json(&claim(30)).send());
    let mut events = house.get("/events?queue=demo").await;
    events.chunk().await.unwrap();
    house.stop.cancel();
    let ended = house.serving.take().unwrap();
    tokio::time::timeout(LIMIT / 4, ended)
        .await
        .expect("the server stops at once")
        .unwrap()
        .unwrap();
    while let Ok(Some(_)) = events.chunk().await {}
    // Where the claim came first it is answered; else the port was closed already.
    if let Ok(claim) = waiting.await.unwrap() {
        assert_eq!(claim.status(), 204);
    }
}
