//! What the server says to a worker, and to somebody else, over real HTTP.

use std::process::Command;

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value as Json, json};

use super::board::Board;
use super::server::RunServer;
use super::snapshot::Snapshot;
use crate::protocol::{JobOutcome, Report};
use paprq_core::suite::read;

/// A server with one suite, and somebody who speaks to it.
struct Visit {
    server: RunServer,
    client: Client,
    token: String,
    _repository: tempfile::TempDir,
}

impl Visit {
    fn new() -> Self {
        crate::tls::install();
        let repository = tempfile::tempdir().unwrap();
        let git = Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(repository.path())
            .status();
        assert!(git.expect("git runs (package git)").success());
        std::fs::create_dir(repository.path().join("beside")).unwrap();
        std::fs::write(repository.path().join(".gitignore"), "beside\n").unwrap();
        let snapshot =
            Snapshot::take(repository.path(), &repository.path().join("beside")).unwrap();
        let suites = read("f", b"sandbox: true\ntests: ['true']\nartifacts: [a]\n").unwrap();
        let server = RunServer::open(Board::new(suites), snapshot).unwrap();
        Self {
            client: Client::new(),
            token: server.token().to_owned(),
            server,
            _repository: repository,
        }
    }

    fn stranger(self) -> Self {
        Self {
            token: "wrong".to_owned(),
            ..self
        }
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        let call = self.client.post(self.server.url().join(path).unwrap());
        let call = call
            .bearer_auth(&self.token)
            .header("content-type", "application/json");
        call.body(body).send().await.unwrap()
    }

    async fn claim(&self) -> Response {
        let claim = json!({
            "worker": "w", "executors": ["sandbox"], "labels": [], "slots_free": 1,
            "running": [], "wait_s": 0,
        });
        self.post("/api/v1/worker/claim", claim.to_string()).await
    }

    /// Calls about the only attempt; the answer's `log_bytes`.
    async fn attempt(&self, call: &str, body: String) -> u64 {
        let response = self
            .post(&format!("/api/v1/jobs/0/attempts/1/{call}"), body)
            .await;
        let answer: Json = response.json().await.unwrap();
        answer["log_bytes"].as_u64().unwrap()
    }

    async fn git(&self, password: &str) -> StatusCode {
        let path = "/api/v1/jobs/0/attempts/1/git/info/refs?service=git-upload-pack";
        let call = self.client.get(self.server.url().join(path).unwrap());
        let answer = call.basic_auth("paprq", Some(password)).send().await;
        answer.unwrap().status()
    }
}

fn report(log_bytes: u64) -> String {
    let report = Report {
        outcome: JobOutcome::Passed,
        fault: None,
        log_bytes,
    };
    serde_json::to_string(&report).unwrap()
}

#[tokio::test]
async fn a_suite_is_given_once_and_its_log_and_end_are_taken() {
    let visit = Visit::new();
    let order: Json = visit.claim().await.json().await.unwrap();
    assert_eq!(order["suite"]["context"], "Red Hat CI");
    assert_eq!(order["suite"]["artifacts"], json!([]));
    assert_eq!(visit.claim().await.status(), StatusCode::NO_CONTENT);
    assert_eq!(visit.attempt("log?offset=0", "abc".to_owned()).await, 3);
    // What is there already, and what would leave a gap, is not taken.
    assert_eq!(visit.attempt("log?offset=0", "abc".to_owned()).await, 3);
    assert_eq!(visit.attempt("log?offset=9", "abc".to_owned()).await, 3);
    assert_eq!(visit.attempt("beat", "{}".to_owned()).await, 3);
    visit.attempt("result", report(4)).await;
    assert!(!visit.server.look(Board::is_over));
    visit.attempt("result", report(3)).await;
    assert!(visit.server.look(Board::is_over));
    assert_eq!(
        visit.server.look(|board| board.jobs()[0].log.clone()),
        b"abc"
    );
    let unknown = visit.post("/api/v1/jobs/7/attempts/1/beat", "{}").await;
    assert_eq!(unknown.status(), StatusCode::GONE);
}

#[tokio::test]
async fn nobody_else_gets_or_changes_anything() {
    let visit = Visit::new().stranger();
    assert_eq!(visit.claim().await.status(), StatusCode::UNAUTHORIZED);
    for (call, body) in [
        ("log?offset=0", "abc".to_owned()),
        ("beat", "{}".to_owned()),
        ("result", report(0)),
    ] {
        let path = format!("/api/v1/jobs/0/attempts/1/{call}");
        let status = visit.post(&path, body).await.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{call}");
    }
    assert_eq!(visit.server.look(|board| board.jobs()[0].log.len()), 0);
    let pack = visit
        .post("/api/v1/jobs/0/attempts/1/git/git-upload-pack", "")
        .await;
    assert_eq!(pack.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn git_is_let_in_with_its_own_password_only() {
    let visit = Visit::new();
    let order: Json = visit.claim().await.json().await.unwrap();
    let password = order["git_token"].as_str().unwrap();
    assert_eq!(visit.git(password).await, StatusCode::OK);
    assert_eq!(visit.git(&visit.token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(visit.git("").await, StatusCode::UNAUTHORIZED);
}
