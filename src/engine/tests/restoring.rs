//! Pulls that are taken up from their comments.

use actix_web::HttpResponse;

use super::server::Recorder;
use super::stage::{BOT, REPO, Stage};
use crate::clock;
use crate::engine::sync::{Start, SweepError, restore, sweep};
use crate::github::Value;
use paprq_core::ids::{PullNumber, Timestamp};
use paprq_core::queue::pull::Stage as PullStage;
use paprq_core::queue::run::Ending;
use paprq_practice::StatusState;

/// All that was said before is history.
const LATER: Timestamp = Timestamp(i64::MAX);

/// Takes up a pull, as a sweep does that finds one that it does not know.
async fn take_up(stage: &Stage, pull: PullNumber) {
    let repo = stage.repo();
    let facts = repo.shared().api.pull(pull).await.unwrap();
    restore(&repo, facts, LATER, Value::Background)
        .await
        .unwrap();
    repo.until_read().await;
}

fn approver(stage: &Stage, pull: PullNumber) -> Option<String> {
    stage.repo().look(|queue| {
        let approval = queue.pull(pull).unwrap().standing_approval();
        approval.map(|approval| approval.approver.to_string())
    })
}

fn ending(stage: &Stage, pull: PullNumber) -> Option<Ending> {
    stage.repo().look(|queue| {
        if let PullStage::Ended { ending, .. } = queue.pull(pull).unwrap().stage {
            return Some(ending);
        }
        None
    })
}

/// A pull that somebody approved by its commit.
fn approved_by(stage: &Stage, login: &str) -> PullNumber {
    let pull = stage.pull(&format!("Approved by {login}"));
    let head = stage.practice.pull(REPO, pull).unwrap().head;
    let words = format!("@bors r+ {head}");
    stage.practice.comment(REPO, pull, login, &words).unwrap();
    pull
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_by_somebody_whose_right_is_asked_for_is_taken_up() {
    let stage = Stage::start("auth_collaborators = true").await;
    let pull = approved_by(&stage, "alice");
    take_up(&stage, pull).await;
    assert_eq!(approver(&stage, pull).as_deref(), Some("alice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_pinned_is_history_however_young_it_is() {
    const NEVER: Timestamp = Timestamp(0);
    let stage = Stage::start("").await;
    let pull = stage.pull("Pinned");
    let head = stage.practice.pull(REPO, pull).unwrap().head;
    let pin = format!(":pushpin: Commit {head}\n<!-- @bors r=carol {head} -->\n<!-- paprq:x-1 -->");
    stage.practice.comment(REPO, pull, BOT, &pin).unwrap();
    let repo = stage.repo();
    let facts = repo.shared().api.pull(pull).await.unwrap();
    restore(&repo, facts, NEVER, Value::Background)
        .await
        .unwrap();
    repo.until_read().await;
    assert_eq!(approver(&stage, pull).as_deref(), Some("carol"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_by_somebody_who_has_no_right_any_more_is_not_taken_up() {
    let stage = Stage::start("auth_collaborators = true").await;
    let pull = approved_by(&stage, "alice");
    stage.practice.remove_collaborator(REPO, "alice").unwrap();
    take_up(&stage, pull).await;
    assert_eq!(approver(&stage, pull), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_about_those_who_are_listed_or_say_nothing() {
    let stage = Stage::start("auth_collaborators = true").await;
    let pull = approved_by(&stage, "dora");
    for (login, words) in [("alice", "Nice."), (BOT, "@bors ping")] {
        stage.practice.comment(REPO, pull, login, words).unwrap();
    }
    take_up(&stage, pull).await;
    assert_eq!(approver(&stage, pull).as_deref(), Some("dora"));
    let mut requests = stage.practice.requests().into_iter();
    assert!(!requests.any(|request| request.path.contains("/collaborators/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_last_test_came_to_is_told_by_the_heads_status() {
    for (state, expected) in [
        (StatusState::Failure, Some(Ending::Failed)),
        (StatusState::Error, Some(Ending::Broken)),
        (StatusState::Success, None),
        (StatusState::Pending, None),
    ] {
        let stage = Stage::start("").await;
        let pull = approved_by(&stage, "dora");
        let head = stage.practice.pull(REPO, pull).unwrap().head;
        for state in [StatusState::Failure, StatusState::Error, state] {
            let practice = &stage.practice;
            practice.set_status(REPO, head, "homu", state).unwrap();
        }
        let other = stage
            .practice
            .set_status(REPO, head, "ci", StatusState::Failure);
        other.unwrap();
        take_up(&stage, pull).await;
        assert_eq!(ending(&stage, pull), expected, "{state:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_pull_that_nobody_approved_no_status_is_read() {
    let stage = Stage::start("").await;
    let pull = stage.pull("A pull");
    stage
        .practice
        .comment(REPO, pull, "dora", "@bors p=1")
        .unwrap();
    take_up(&stage, pull).await;
    let mut requests = stage.practice.requests().into_iter();
    assert!(!requests.any(|request| request.path.contains("/status")));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_of_whom_nothing_is_heard_keeps_only_their_own_pull_out() {
    let server = Recorder::start(|_| HttpResponse::BadGateway().finish());
    let lines = format!("rust_team = true\nrust_team_url = \"{}\"", server.url);
    let stage = Stage::start(&lines).await;
    let (theirs, other) = (approved_by(&stage, "erin"), approved_by(&stage, "dora"));
    let repo = stage.repo();
    // Whatever was said before this moment is history.
    let tomorrow = clock::now().plus_s(86_400);
    let store = stage.engine.store();
    store.set_synced_at(repo.label(), tomorrow).await.unwrap();
    let swept = sweep(&repo, Start::News).await;
    assert!(matches!(swept, Err(SweepError::Permission(_))), "{swept:?}");
    repo.until_read().await;
    assert_eq!(approver(&stage, other).as_deref(), Some("dora"));
    assert!(repo.look(|queue| queue.pull(theirs).is_none()));
    let mark = store.watermark(repo.label()).await.unwrap();
    assert_eq!(mark.synced_at, Some(tomorrow));
}
