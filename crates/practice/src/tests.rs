//! The practice GitHub from outside: real git, real HTTP, a real receiver of webhooks.

pub(crate) mod clock;
mod faults;
mod login;
mod refs;
mod rest;

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use paprq_core::ids::{CommitId, PullNumber};

use super::*;

const SOON: Duration = Duration::from_secs(10);
const REPO: &str = "octo/widget";

struct Site {
    practice: Practice,
    client: reqwest::Client,
    dir: tempfile::TempDir,
}

async fn site() -> Site {
    let dir = tempfile::tempdir().unwrap();
    let practice = Practice::start(dir.path(), 0, clock::now).await.unwrap();
    practice.add_user("octo", Some("octo-token"));
    practice.add_user("bot", Some("bot-token"));
    practice.add_user("guest", Some("guest-token"));
    practice
        .create_repo(
            REPO,
            [("README.md", "hello\n"), ("src/lib.rs", "one\ntwo\n")],
        )
        .unwrap();
    practice
        .add_collaborator(REPO, "bot", Permission::Write)
        .unwrap();
    Site {
        practice,
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        dir,
    }
}

impl Site {
    fn change(&self, branch: &str, path: &str) -> CommitId {
        self.practice
            .commit(REPO, branch, [(path, "changed\n")], "Change it", "octo")
            .unwrap()
    }

    fn pull(&self, branch: &str) -> PullNumber {
        self.change(branch, &format!("{branch}.txt"));
        self.practice
            .open_pull(REPO, branch, "master", "A change", "Please.", "octo")
            .unwrap()
    }

    fn master(&self) -> CommitId {
        self.practice.branch(REPO, "master").unwrap().unwrap()
    }

    fn state(&self, number: PullNumber) -> PullState {
        self.practice.pull(REPO, number).unwrap().state
    }

    fn request(&self, method: &str, path: &str, token: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.practice.api_url());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.client
            .request(method, url)
            .header("authorization", format!("Bearer {token}"))
            .timeout(SOON)
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.request(method, path, "bot-token");
        let request = match body.is_null() {
            true => request,
            false => request.json(&body),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn git_url(&self, token: &str) -> String {
        let url = self.practice.git_url();
        format!("{}/{REPO}.git", url.replace("//", &format!("//x:{token}@")))
    }

    async fn git(&self, folder: &str, args: &[&str]) -> Result<String, String> {
        let folder = self.dir.path().join(folder);
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        tokio::task::spawn_blocking(move || git(&folder, &args))
            .await
            .unwrap()
    }
}

fn git(folder: &Path, args: &[String]) -> Result<String, String> {
    std::fs::create_dir_all(folder).unwrap();
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["-c", "user.name=octo", "-c", "user.email=octo@example.org"])
        .args(args)
        .output()
        .expect("the package git");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// One webhook as it arrived.
#[derive(Clone, Debug)]
struct Arrived {
    event: String,
    guid: String,
    signature: String,
    body: Bytes,
}

impl Arrived {
    fn payload(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn name(&self) -> String {
        match self.payload()["action"].as_str() {
            Some(action) => format!("{} {action}", self.event),
            None => self.event.clone(),
        }
    }
}

#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<Arrived>>>);

impl Receiver {
    /// Listens on a free port until the test ends.
    fn listen(&self, site: &Site) {
        let receiver = self.clone();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(web::Data::new(receiver.clone()))
                    .default_service(web::to(receive))
            });
            let server = server.workers(1).disable_signals().listen(listener);
            actix_web::rt::System::new().block_on(server.unwrap().run())
        });
        site.practice.add_webhook(REPO, &url, "secret").unwrap();
    }

    fn names(&self) -> Vec<String> {
        self.all().iter().map(Arrived::name).collect()
    }

    fn all(&self) -> Vec<Arrived> {
        self.0.lock().unwrap().clone()
    }
}

async fn receive(request: HttpRequest, body: Bytes, receiver: web::Data<Receiver>) -> HttpResponse {
    let text = |name: &str| server::header(&request, name).unwrap();
    receiver.0.lock().unwrap().push(Arrived {
        event: text("x-github-event"),
        guid: text("x-github-delivery"),
        signature: text("x-hub-signature-256"),
        body,
    });
    HttpResponse::Accepted().finish()
}

async fn delivered(site: &Site) {
    site.practice
        .wait_until(SOON, Practice::deliveries_are_done)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn git_clones_and_pushes_with_a_writers_token_and_nobody_elses() {
    let site = site().await;
    let url = site.git_url("bot-token");
    site.git("", &["clone", "-q", &url, "work"]).await.unwrap();
    let commit = ["commit", "-q", "--allow-empty", "-m", "Empty"];
    site.git("work", &commit).await.unwrap();
    let tip = site.git("work", &["rev-parse", "HEAD"]).await.unwrap();
    let guest = site.git_url("guest-token");
    let refused = site.git("work", &["push", "-q", &guest, "master"]).await;
    assert!(refused.unwrap_err().contains("403"));
    let stranger = site.git_url("wrong-token");
    site.git("work", &["push", "-q", &stranger, "master"])
        .await
        .unwrap_err();
    assert_ne!(site.master().to_string(), tip);
    site.git("work", &["push", "-q", "origin", "master"])
        .await
        .unwrap();
    assert_eq!(site.master().to_string(), tip);
    let anonymous = format!("{}/{REPO}", site.practice.git_url());
    let seen = site.git("", &["ls-remote", &anonymous, "master"]).await;
    assert!(seen.unwrap().starts_with(&tip));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_moves_the_pulls_head_and_is_told_once_with_a_good_signature() {
    let site = site().await;
    let number = site.pull("topic");
    let receiver = Receiver::default();
    receiver.listen(&site);
    let url = site.git_url("bot-token");
    let clone = ["clone", "-q", "-b", "topic", url.as_str(), "work"];
    site.git("", &clone).await.unwrap();
    let commit = ["commit", "-q", "--allow-empty", "-m", "More"];
    site.git("work", &commit).await.unwrap();
    let tip = site.git("work", &["rev-parse", "HEAD"]).await.unwrap();
    site.git("work", &["push", "-q"]).await.unwrap();

    assert_eq!(
        site.practice.pull(REPO, number).unwrap().head.to_string(),
        tip
    );
    delivered(&site).await;
    assert_eq!(receiver.names(), ["push", "pull_request synchronize"]);
    let push = &receiver.all()[0];
    assert_eq!(push.payload()["after"], tip);
    assert_eq!(push.payload()["commits"][0]["message"], "More");
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").unwrap();
    mac.update(&push.body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(push.signature, expected);
    let pulled = ["fetch", "-q", "origin", "refs/pull/1/head"];
    site.git("work", &pulled).await.unwrap();
    let fetched = site.git("work", &["rev-parse", "FETCH_HEAD"]).await;
    assert_eq!(fetched.unwrap(), tip);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_whose_head_reaches_its_base_is_closed_as_merged_by_the_merging_commit() {
    let site = site().await;
    let merged = site.pull("one");
    let other = site.pull("two");
    let receiver = Receiver::default();
    receiver.listen(&site);
    let body = json!({"base": "master", "head": "one", "commit_message": "Take one"});
    let path = format!("/repos/{REPO}/merges");
    let (status, commit) = site.call("POST", &path, body).await;
    assert_eq!(status, 201);

    let pull = site.practice.pull(REPO, merged).unwrap();
    assert_eq!(pull.state, PullState::Merged);
    assert_eq!(commit["sha"], pull.merge_commit.unwrap().to_string());
    assert_eq!(site.master(), pull.merge_commit.unwrap());
    assert_eq!(site.state(other), PullState::Open);
    delivered(&site).await;
    assert_eq!(receiver.names(), ["push", "pull_request closed"]);
    let closed = receiver.all()[1].payload();
    assert_eq!(closed["pull_request"]["merged"], true);
    assert_eq!(closed["pull_request"]["merge_commit_sha"], commit["sha"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refs_move_forward_only_unless_forced() {
    let site = site().await;
    let old = site.master();
    let new = site.change("topic", "a");
    let path = format!("/repos/{REPO}/git/refs/heads/topic");
    let back = json!({"sha": old.to_string(), "force": false});
    let (status, answer) = site.call("PATCH", &path, back).await;
    assert_eq!(status, 422);
    assert_eq!(answer["message"], "Update is not a fast forward");
    assert_eq!(site.practice.branch(REPO, "topic").unwrap(), Some(new));
    let back = json!({"sha": old.to_string(), "force": true});
    assert_eq!(site.call("PATCH", &path, back).await.0, 200);
    assert_eq!(site.practice.branch(REPO, "topic").unwrap(), Some(old));
    let forward = json!({"sha": new.to_string()});
    assert_eq!(site.call("PATCH", &path, forward).await.0, 200);
    let nowhere = json!({"sha": "1".repeat(40)});
    let (status, answer) = site.call("PATCH", &path, nowhere).await;
    assert_eq!(
        (status, &answer["message"]),
        (422, &json!("Object does not exist"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_is_mergeable_until_its_base_changes_the_same_lines() {
    let site = site().await;
    let number = site.pull("topic");
    let path = format!("/repos/{REPO}/pulls/{number}");
    site.practice.faults().mergeability_unknown(1);
    let (_, pull) = site.call("GET", &path, Value::Null).await;
    assert_eq!(pull["mergeable"], Value::Null);
    let (_, pull) = site.call("GET", &path, Value::Null).await;
    assert_eq!(pull["mergeable"], true);
    let url = site.git_url("bot-token");
    let question = ["ls-remote", &url, "refs/pull/1/merge"];
    let merge = site.git("", &question).await.unwrap();
    assert!(merge.starts_with(pull["merge_commit_sha"].as_str().unwrap()));
    site.practice
        .commit(REPO, "master", [("topic.txt", "other\n")], "Clash", "octo")
        .unwrap();
    let (_, pull) = site.call("GET", &path, Value::Null).await;
    assert_eq!(pull["mergeable"], false);
    assert_eq!(pull["mergeable_state"], "dirty");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forks_pull_brings_its_commits_and_follows_the_forks_branch() {
    let site = site().await;
    site.practice.fork(REPO, "guest").unwrap();
    let change = |text: &str| {
        site.practice
            .commit("guest/widget", "idea", [("idea", text)], "Idea", "guest")
            .unwrap()
    };
    let first = change("one\n");
    let number = site
        .practice
        .open_pull(REPO, "guest:idea", "master", "Idea", "", "guest")
        .unwrap();
    let pull = site.practice.pull(REPO, number).unwrap();
    assert_eq!((pull.head, pull.head_ref.as_str()), (first, "guest:idea"));
    let second = change("two\n");
    assert_eq!(site.practice.pull(REPO, number).unwrap().head, second);
    let merge = site.practice.merge_pull(REPO, number, "octo").unwrap();
    assert_eq!(site.practice.parents(REPO, merge).unwrap()[1], second);
    assert_eq!(site.state(number), PullState::Merged);
}

#[tokio::test(flavor = "multi_thread")]
async fn pulls_without_a_branch_are_closed_and_open_again_only_with_it() {
    let site = site().await;
    let number = site.pull("topic");
    let head = site.practice.pull(REPO, number).unwrap().head;
    site.practice.delete_branch(REPO, "topic", "octo").unwrap();
    assert_eq!(site.state(number), PullState::Closed);
    let reopen = || site.practice.reopen_pull(REPO, number, "octo");
    assert!(matches!(reopen(), Err(PracticeError::Refused(_))));
    site.practice
        .set_branch(REPO, "topic", head, "octo")
        .unwrap();
    reopen().unwrap();
    assert_eq!(site.state(number), PullState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_checked_as_github_checks_them() {
    let site = site().await;
    let head = site.master();
    let path = format!("/repos/{REPO}/statuses/{head}");
    let long = json!({"state": "success", "description": "x".repeat(141)});
    let (status, answer) = site.call("POST", &path, long).await;
    assert_eq!(
        (status, &answer["message"]),
        (422, &json!("Validation Failed"))
    );
    assert_eq!(answer["errors"][0]["field"], "description");
    let unknown = format!("/repos/{REPO}/statuses/{}", "1".repeat(40));
    let (status, answer) = site
        .call("POST", &unknown, json!({"state": "success"}))
        .await;
    let message = format!("No commit found for SHA: {}", "1".repeat(40));
    assert_eq!(
        (status, answer["message"].as_str()),
        (422, Some(message.as_str()))
    );
    assert_eq!(site.practice.statuses(REPO, head).len(), 0);

    for state in ["pending", "success"] {
        let body = json!({"state": state, "context": "ci", "description": "x".repeat(140)});
        assert_eq!(site.call("POST", &path, body).await.0, 201);
    }
    let combined = format!("/repos/{REPO}/commits/master/status");
    let (_, answer) = site.call("GET", &combined, Value::Null).await;
    assert_eq!(
        (&answer["state"], &answer["total_count"]),
        (&json!("success"), &json!(1))
    );
    let guest = site.request("POST", &path, "guest-token");
    let refused = guest.json(&json!({"state": "error"})).send().await.unwrap();
    assert_eq!(refused.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_unknown_things_and_spent_limits_are_refused() {
    let site = site().await;
    let status = async |path: &str, token: &str| {
        let answer = site.request("GET", path, token).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(status("/user", "wrong").await, 401);
    assert_eq!(status("/user", "bot-token").await, 200);
    assert_eq!(status("/repos/octo/nothing", "bot-token").await, 404);
    assert_eq!(
        status(&format!("/repos/{REPO}/pulls/7"), "bot-token").await,
        404
    );
    site.practice.faults().hourly_limit(3);
    let limited = site
        .request("GET", "/user", "bot-token")
        .send()
        .await
        .unwrap();
    assert_eq!(limited.status(), 403);
    assert_eq!(limited.headers()["x-ratelimit-remaining"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_answer_is_304_and_costs_nothing() {
    let site = site().await;
    let number = site.pull("topic");
    let path = format!("/repos/{REPO}/issues/{number}/comments");
    let first = site
        .request("GET", &path, "bot-token")
        .send()
        .await
        .unwrap();
    let (tag, left) = (
        first.headers()["etag"].clone(),
        first.headers()["x-ratelimit-remaining"].clone(),
    );
    let again = async || {
        let request = site.request("GET", &path, "bot-token");
        request
            .header("if-none-match", tag.clone())
            .send()
            .await
            .unwrap()
    };
    let same = again().await;
    assert_eq!(same.status(), 304);
    assert_eq!(same.headers()["x-ratelimit-remaining"], left);
    site.practice.comment(REPO, number, "guest", "Hi").unwrap();
    assert_eq!(again().await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_with_links_that_lead_on() {
    let site = site().await;
    let number = site.pull("topic");
    for count in 0..5 {
        let body = format!("comment {count}");
        site.practice.comment(REPO, number, "guest", &body).unwrap();
    }
    let path = format!("/repos/{REPO}/issues/{number}/comments?per_page=2");
    let mut next = Some(format!("{}{path}", site.practice.api_url()));
    let mut bodies = Vec::new();
    while let Some(url) = next {
        let answer = site.client.get(url).send().await.unwrap();
        let link = answer.headers()["link"].to_str().unwrap().to_owned();
        next = link.split(", ").find_map(|link| {
            let url = link.strip_suffix(">; rel=\"next\"")?;
            Some(url.trim_start_matches('<').to_owned())
        });
        let page: Vec<Value> = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        bodies.extend(page.into_iter().map(|comment| comment["body"].clone()));
    }
    let expected: Vec<String> = (0..5).map(|count| format!("comment {count}")).collect();
    assert_eq!(bodies, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_with_the_change_or_says_what_was_asked_last() {
    let site = site().await;
    let number = site.pull("topic");
    let practice = site.practice.clone();
    let waiting = tokio::spawn(async move {
        let commented = |practice: &Practice| practice.comments(REPO, number).len() == 1;
        practice.wait_until(SOON, commented).await
    });
    site.practice.comment(REPO, number, "guest", "Hi").unwrap();
    waiting.await.unwrap().unwrap();
    site.call("GET", "/user", Value::Null).await;
    let late = site
        .practice
        .wait_until(Duration::from_millis(1), |_| false);
    assert!(
        late.await
            .unwrap_err()
            .to_string()
            .contains("GET /user 200")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_no_more_once_stopped() {
    let site = site().await;
    site.practice.faults().api(Calls::any(), ApiFault::Hang);
    let hanging = site.request("GET", "/user", "bot-token").send();
    let practice = site.practice.clone();
    let stop = async {
        let seen = |practice: &Practice| practice.api_calls() == 1;
        practice.wait_until(SOON, seen).await.unwrap();
        tokio::task::spawn_blocking(move || practice.stop())
            .await
            .unwrap();
    };
    let (hanging, ()) = tokio::join!(hanging, stop);
    assert!(!hanging.unwrap_err().is_timeout());
    let later = site.request("GET", "/user", "bot-token").send().await;
    assert!(later.unwrap_err().is_connect());
}
