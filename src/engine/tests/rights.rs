//! What people may do, by the word of those who are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpResponse;

use super::server::{Recorder, Seen};
use super::stage::{REPO, Stage};
use crate::engine::outbox::Tried;
use crate::engine::permissions::Permissions;
use crate::engine::team::Team;
use paprq_core::command::Permission;
use paprq_core::ids::{Login, RepoLabel, Timestamp};
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::Event;
use paprq_core::queue::rules::Authority;

const COLLABORATORS: &str = "auth_collaborators = true";

/// The team service of the repository `my-repo`: erin reviews, frank tries.
fn lists(seen: &Seen) -> HttpResponse {
    let users = match seen.line.as_str() {
        "GET /v1/permissions/bors.my_repo.review.json" => r#"["Erin"]"#,
        "GET /v1/permissions/bors.my_repo.try.json" => r#"["frank", "Erin"]"#,
        _ => return HttpResponse::NotFound().body("nothing"),
    };
    let body = format!(r#"{{"people": [], "github_users": {users}, "github_ids": [1]}}"#);
    HttpResponse::Ok().body(body)
}

fn team(server: &Recorder, label: &str) -> Team {
    Team::new(&format!("{}/v1", server.url), &RepoLabel::new(label))
}

async fn told(stage: &Stage, user: &str) -> Permission {
    let user = Login::new(user);
    let events = stage
        .answers(Effect::AskStanding { user: user.clone() })
        .await;
    match &events[..] {
        [
            Event::StandingTold {
                user: told,
                standing,
            },
        ] if *told == user => *standing,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_write_is_a_reviewer_where_collaborators_are() {
    let stage = Stage::start(COLLABORATORS).await;
    assert_eq!(told(&stage, "alice").await, Permission::Reviewer);
    assert_eq!(told(&stage, "ALICE").await, Permission::Reviewer);
    assert_eq!(told(&stage, "stranger").await, Permission::Outsider);
}

#[tokio::test]
async fn the_teams_lists_are_found_by_the_label_and_read_without_regard_to_case() {
    let server = Recorder::start(lists);
    let ours = team(&server, "my-repo");
    for (user, standing) in [
        ("eRIN", Permission::Reviewer),
        ("frank", Permission::Trier),
        ("gina", Permission::Outsider),
    ] {
        let found = ours.permission(&Login::new(user)).await.unwrap();
        assert_eq!(found, standing, "{user}");
    }
    let nowhere = team(&server, "other").permission(&Login::new("erin")).await;
    assert_eq!(nowhere.unwrap(), Permission::Outsider);
}

#[tokio::test]
async fn an_answer_of_the_team_service_that_is_none_gives_no_right() {
    let answers: [fn() -> HttpResponse; 4] = [
        || HttpResponse::InternalServerError().body(r#"{"github_users": ["erin"]}"#),
        || HttpResponse::Forbidden().finish(),
        || HttpResponse::Ok().body("<html>"),
        || HttpResponse::Ok().body(r#"{"github_users": "erin"}"#),
    ];
    for answer in answers {
        let server = Recorder::start(move |_| answer());
        let found = team(&server, "my-repo")
            .permission(&Login::new("erin"))
            .await;
        assert!(found.is_err(), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_for_a_minute_and_is_then_asked_for_anew() {
    let stage = Stage::start("").await;
    let server = Recorder::start(lists);
    let permissions = Permissions::new(vec![Authority::Collaborators], team(&server, "my-repo"));
    let api = &stage.repo().shared().api.clone();
    let alice = Login::new("alice");
    let at = |s: i64| permissions.of(&alice, api, Timestamp(1_000_000 + s * 1000));
    assert_eq!(at(0).await.unwrap(), Permission::Reviewer);
    stage.practice.remove_collaborator(REPO, "alice").unwrap();
    let calls = stage.practice.api_calls();
    assert_eq!(at(59).await.unwrap(), Permission::Reviewer);
    assert_eq!(stage.practice.api_calls(), calls);
    assert_eq!(at(60).await.unwrap(), Permission::Outsider);
    // Another person is another question, and a clock that was set back makes nothing younger.
    let bob = Login::new("bob");
    let other = permissions.of(&bob, api, Timestamp(1_060_000)).await;
    assert_eq!(other.unwrap(), Permission::Outsider);
    let calls = stage.practice.api_calls();
    assert_eq!(at(30).await.unwrap(), Permission::Outsider);
    assert!(stage.practice.api_calls() > calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_not_remembered_and_hides_nobody_who_is_known() {
    let stage = Stage::start("").await;
    let works = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&works);
    let server = Recorder::start(move |seen| {
        if switch.load(Ordering::SeqCst) {
            return lists(seen);
        }
        HttpResponse::BadGateway().finish()
    });
    let both = vec![Authority::RustTeam, Authority::Collaborators];
    let permissions = Permissions::new(both, team(&server, "my-repo"));
    let api = &stage.repo().shared().api.clone();
    let of = async |user: &str| permissions.of(&Login::new(user), api, Timestamp(0)).await;
    assert_eq!(of("alice").await.unwrap(), Permission::Reviewer);
    assert!(of("erin").await.is_err());
    works.store(true, Ordering::SeqCst);
    assert_eq!(of("erin").await.unwrap(), Permission::Reviewer);
    assert_eq!(of("frank").await.unwrap(), Permission::Trier);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_fails_is_asked_again_as_long_as_a_comment_waits_for_it() {
    let failed_once = AtomicBool::new(false);
    let server = Recorder::start(move |seen| {
        if !failed_once.swap(true, Ordering::SeqCst) {
            return HttpResponse::BadGateway().finish();
        }
        let body = match seen.line.contains(".review.") {
            true => r#"{"github_users": ["erin"]}"#,
            false => r#"{"github_users": []}"#,
        };
        HttpResponse::Ok().body(body)
    });
    let lines = format!("rust_team = true\nrust_team_url = \"{}/v1\"", server.url);
    let stage = Stage::start(&lines).await;
    let pull = stage.pull("A pull");
    stage.see(pull).await;
    stage.hear(pull, "erin", "@bors r+").await;
    stage.says(pull, ":pushpin:").await;
    assert_eq!(server.lines().len(), 2);
    assert_eq!(
        server.lines()[0],
        "GET /v1/permissions/bors.widgets.review.json"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_answer_nobody_waits_for_is_not_asked_for_ever() {
    let server = Recorder::start(|_| HttpResponse::BadGateway().finish());
    let lines = format!("rust_team = true\nrust_team_url = \"{}/v1\"", server.url);
    let stage = Stage::start(&lines).await;
    let user = Login::new("erin");
    let done = stage.carry_out(Effect::AskStanding { user }, Tried::MaybeBefore);
    assert_eq!(Stage::events(done.await.unwrap()), []);
    assert_eq!(server.lines().len(), 1);
}
