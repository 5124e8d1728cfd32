//! The practice GitHub held to GitHub's own words: what our client asks of it and what it answers
//! against GitHub's OpenAPI description, its webhooks against GitHub's own examples.
//!
//! Both come from npm packages that `tests/fixtures.sh` fetches into `fixtures/`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail wherever it is wrong"
)]

#[path = "practice_openapi/description.rs"]
mod description;
#[path = "practice_openapi/examples.rs"]
mod examples;

use std::net::TcpListener;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use description::Description;
use paprq::clock;
use paprq::github::{
    ApiError, GitHub, PullEdit, Repo, Settings, Slug, Sorts, StatusState, StatusText,
};
use paprq_core::ids::{BranchName, Login, PullNumber, Timestamp};
use paprq_practice::{Conclusion, Edit, Permission, Practice, ReviewState};
use serde_json::{Value, json};

const REPO: &str = "octo/widget";
const TOKEN: &str = "bot-token";
const SOON: Duration = Duration::from_secs(10);

struct Site {
    practice: Practice,
    _dir: tempfile::TempDir,
}

async fn site() -> Site {
    let dir = tempfile::tempdir().unwrap();
    let practice = Practice::start(dir.path(), 0, clock::now).await.unwrap();
    practice.add_user("bot", Some(TOKEN));
    practice.add_user("octo", Some("octo-token"));
    practice.create_repo(REPO, [("a.txt", "one\n")]).unwrap();
    practice
        .add_collaborator(REPO, "bot", Permission::Write)
        .unwrap();
    practice
        .add_collaborator(REPO, "alice", Permission::Maintain)
        .unwrap();
    Site {
        practice,
        _dir: dir,
    }
}

impl Site {
    /// A pull with all that can hang on one.
    fn full_pull(&self, branch: &str) -> PullNumber {
        let practice = &self.practice;
        let files = [(format!("{branch}.txt"), "new\n".to_owned())];
        practice
            .commit(REPO, branch, files, "Add a file", "carol")
            .unwrap();
        let number = practice
            .open_pull(REPO, branch, "master", "Add a file", "Please.", "carol")
            .unwrap();
        practice.comment(REPO, number, "alice", "@bot r+").unwrap();
        let file = format!("{branch}.txt");
        practice
            .review(REPO, number, "alice", ReviewState::Approved, "@bot r+")
            .unwrap();
        practice
            .review_comment(REPO, number, "alice", &file, "Nice.")
            .unwrap();
        number
    }

    fn client(&self) -> Repo {
        paprq_client(&self.practice).repo(Slug::new("octo", "widget"))
    }
}

fn paprq_client(practice: &Practice) -> GitHub {
    GitHub::new(&practice.api_url(), TOKEN, Settings::default()).unwrap()
}

/// Calls everything that the client can, on a world where there is something to be answered.
async fn use_the_client(site: &Site) {
    let number = site.full_pull("topic");
    let practice = &site.practice;
    let head = practice.pull(REPO, number).unwrap().head;
    let run = practice.create_check_run(REPO, head, "ci").unwrap();
    practice
        .complete_check_run(REPO, run, Conclusion::Success)
        .unwrap();
    practice.create_check_run(REPO, head, "slow ci").unwrap();
    assert_eq!(
        paprq_client(practice).login().await.unwrap(),
        Login::new("bot")
    );
    let repo = site.client();
    repo.pull(number).await.unwrap();
    assert_eq!(repo.open_pulls().await.unwrap().pulls.len(), 1);
    repo.post_comment(number, "Hello.").await.unwrap();
    assert_eq!(
        repo.comments(number, Sorts::All, None).await.unwrap().len(),
        4
    );
    assert_eq!(repo.comments_since(Timestamp(0)).await.unwrap().len(), 3);
    let bot = Login::new("bot");
    let said = repo.has_comment_with(number, &bot, "Hello", Timestamp(0));
    assert!(said.await.unwrap());
    let text = StatusText {
        context: "unit".to_owned(),
        state: StatusState::Pending,
        description: "Running".to_owned(),
        url: Some("http://127.0.0.1/run/1".to_owned()),
    };
    repo.set_status(head, &text).await.unwrap();
    assert_eq!(repo.statuses(head).await.unwrap().len(), 1);
    assert_eq!(
        repo.status_of(head, "unit").await.unwrap(),
        Some(StatusState::Pending)
    );
    repo.add_labels(number, &["ready".to_owned()])
        .await
        .unwrap();
    assert!(
        repo.labels(number)
            .await
            .unwrap()
            .contains(&"ready".to_owned())
    );
    let removed = repo.remove_label(number, "not there").await;
    assert!(matches!(removed, Err(ApiError::Gone)));
    let edit = PullEdit {
        title: Some("Another".to_owned()),
        state: None,
    };
    repo.edit_pull(number, &edit).await.unwrap();
    assert!(!repo.check_runs(head).await.unwrap().is_empty());
    assert!(repo.may_write(&Login::new("alice")).await.unwrap());
    assert!(!repo.may_write(&Login::new("stranger")).await.unwrap());
    let master = BranchName::new("master");
    repo.branch_tip(&master).await.unwrap().unwrap();
    assert_eq!(
        repo.branch_tip(&BranchName::new("none")).await.unwrap(),
        None
    );
    repo.move_branch(&master, head).await.unwrap();
}

/// The answer to a call, made once more or for the first time.
async fn answer(practice: &Practice, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = client
        .request(method, format!("{}{path}", practice.api_url()))
        .timeout(SOON)
        .bearer_auth(if path.contains("/hooks") {
            "octo-token"
        } else {
            TOKEN
        });
    let request = match body {
        Value::Null => request,
        body => request.json(body),
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn our_calls_and_the_practice_answers_are_those_that_github_describes() {
    let description = Description::read();
    let site = site().await;
    use_the_client(&site).await;
    let made: Vec<_> = site
        .practice
        .requests()
        .into_iter()
        .filter(|call| call.api)
        .collect();
    assert!(made.len() >= 15, "{}", made.len());
    for call in &made {
        let operation = description.operation(&call.method, &call.path);
        operation.check_request(&call.body);
        // The log keeps no answers: the same call gives one of the same shape.
        let (status, body) = answer(&site.practice, &call.method, &call.path, &call.body).await;
        assert_eq!(Some(status), call.status, "{} {}", call.method, call.path);
        operation.check_answer(status, &body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_others_make_are_answered_as_github_describes() {
    let site = site().await;
    let number = site.full_pull("topic");
    let head = site.practice.pull(REPO, number).unwrap().head;
    let hook = site
        .practice
        .add_webhook(REPO, "http://127.0.0.1:9/", "secret")
        .unwrap();
    site.practice.comment(REPO, number, "bob", "Hi.").unwrap();
    site.practice
        .wait_until(SOON, Practice::deliveries_are_done)
        .await
        .unwrap();
    let master = site.practice.branch(REPO, "master").unwrap().unwrap();
    for (method, path, body) in [
        ("GET", String::new(), Value::Null),
        ("GET", "/collaborators".to_owned(), Value::Null),
        ("GET", "/collaborators/alice".to_owned(), Value::Null),
        ("GET", "/collaborators/nobody".to_owned(), Value::Null),
        ("GET", "/hooks".to_owned(), Value::Null),
        ("GET", format!("/hooks/{hook}/deliveries"), Value::Null),
        ("GET", "/branches/master".to_owned(), Value::Null),
        ("GET", format!("/commits/{head}"), Value::Null),
        ("GET", "/commits".to_owned(), Value::Null),
        ("GET", format!("/commits/{head}/statuses"), Value::Null),
        ("GET", format!("/pulls/{number}/commits"), Value::Null),
        ("GET", "/pulls/999".to_owned(), Value::Null),
        (
            "POST",
            "/git/refs".to_owned(),
            json!({"ref": "refs/heads/new", "sha": master.to_string()}),
        ),
        (
            "POST",
            "/merges".to_owned(),
            json!({"base": "new", "head": "topic", "commit_message": "m"}),
        ),
        (
            "POST",
            format!("/issues/{number}/labels"),
            json!({"labels": ["ready"]}),
        ),
        ("GET", format!("/issues/{number}/labels"), Value::Null),
        ("GET", format!("/issues/{number}"), Value::Null),
        (
            "PUT",
            format!("/issues/{number}/labels"),
            json!({"labels": ["set"]}),
        ),
        (
            "DELETE",
            format!("/issues/{number}/labels/set"),
            Value::Null,
        ),
        ("DELETE", format!("/issues/{number}/labels"), Value::Null),
        (
            "PATCH",
            format!("/pulls/{number}"),
            json!({"title": "Other", "state": "closed"}),
        ),
    ] {
        check(&site, method, &path, &body).await;
    }
}

/// Makes a call about the repository, and holds it and its answer to the description.
async fn check(site: &Site, method: &str, path: &str, body: &Value) -> Value {
    let path = format!("/repos/{REPO}{path}");
    let operation = Description::read().operation(method, &path);
    operation.check_request(body);
    let (status, answered) = answer(&site.practice, method, &path, body).await;
    operation.check_answer(status, &answered);
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_protected_refs_are_answered_as_github_describes() {
    let site = site().await;
    let number = site.full_pull("topic");
    let head = site.practice.pull(REPO, number).unwrap().head;
    site.practice.protect_branch(REPO, "master", "ci").unwrap();
    let branch = check(&site, "GET", "/branches/master", &Value::Null).await;
    assert_eq!(branch["protected"], true);
    check(&site, "GET", "/branches", &Value::Null).await;
    check(&site, "POST", "/forks", &json!({})).await;
    let commit = format!("/git/commits/{head}");
    let commit = check(&site, "GET", &commit, &Value::Null).await;
    let body = json!({
        "message": "m", "tree": commit["tree"]["sha"], "parents": [head.to_string()],
    });
    let made = check(&site, "POST", "/git/commits", &body).await;
    let master = "/git/refs/heads/master";
    let body = json!({"sha": made["sha"], "force": true});
    let refused = check(&site, "PATCH", master, &body).await;
    assert_eq!(refused["status"], "422");
    check(&site, "DELETE", master, &Value::Null).await;
    check(&site, "PATCH", "/git/refs/heads/topic", &body).await;
    check(&site, "DELETE", "/git/refs/heads/topic", &Value::Null).await;
}

#[test]
fn the_description_refuses_what_it_does_not_describe() {
    let description = Description::read();
    assert!(!description.knows("GET", "/repos/octo/widget/queue"));
    assert!(!description.knows("DELETE", "/user"));
    let status = description.operation("POST", "/repos/o/r/statuses/abc");
    assert!(
        !status
            .request_problems(&json!({"state": "great"}))
            .is_empty()
    );
    assert!(!status.request_problems(&json!({"context": "x"})).is_empty());
    assert!(!status.answer_problems(201, &json!({"id": "1"})).is_empty());
    assert!(
        status
            .request_problems(&json!({"state": "success", "target_url": null}))
            .is_empty()
    );
}

/// Listens for webhooks on a free port until the test ends, and answers all of them.
fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let app = || App::new().default_service(web::to(HttpResponse::Accepted));
        let server = HttpServer::new(app).workers(1).disable_signals();
        actix_web::rt::System::new().block_on(server.listen(listener).unwrap().run())
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_have_all_that_githubs_own_examples_have() {
    let site = site().await;
    let practice = &site.practice;
    practice.add_webhook(REPO, &receiver(), "secret").unwrap();
    let number = site.full_pull("topic");
    let id = practice.comment(REPO, number, "bob", "Hi.").unwrap();
    practice.edit_comment(REPO, id, "bob", "Ho.").unwrap();
    practice.delete_comment(REPO, id, "bob").unwrap();
    practice
        .commit(REPO, "topic", [("b.txt", "b\n")], "More", "carol")
        .unwrap();
    let edit = Edit {
        title: Some("Other".to_owned()),
        ..Edit::default()
    };
    practice.edit_pull(REPO, number, edit, "carol").unwrap();
    practice.make_draft(REPO, number, "carol").unwrap();
    practice.make_ready(REPO, number, "carol").unwrap();
    let path = format!("/repos/{REPO}/issues/{number}/labels");
    answer(practice, "POST", &path, &json!({"labels": ["ready"]})).await;
    answer(practice, "DELETE", &format!("{path}/ready"), &Value::Null).await;
    practice.close_pull(REPO, number, "carol").unwrap();
    practice.reopen_pull(REPO, number, "carol").unwrap();
    let head = practice.pull(REPO, number).unwrap().head;
    practice
        .set_status(REPO, head, "ci", paprq_practice::StatusState::Success)
        .unwrap();
    let run = practice.create_check_run(REPO, head, "ci").unwrap();
    practice
        .complete_check_run(REPO, run, Conclusion::Failure)
        .unwrap();
    practice.merge_pull(REPO, number, "octo").unwrap();
    practice
        .wait_until(SOON, Practice::deliveries_are_done)
        .await
        .unwrap();
    let deliveries = practice.deliveries();
    let checked = examples::compare(&deliveries);
    assert!(
        checked >= 15,
        "only {checked} sorts of deliveries have examples"
    );
}
