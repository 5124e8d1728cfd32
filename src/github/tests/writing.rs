//! What is ordered, and how refusals are read.

use crate::github::scripted::{Scripted, meanwhile};
use crate::github::{ApiError, Moved, NewPull, PullEdit, Slug, StatusState, StatusText};
use paprq_core::ids::{BranchName, CommitId, PullNumber};
use paprq_core::queue::event::PullState;

const SHA: &str = "1234567890123456789012345678901234567890";

fn commit() -> CommitId {
    SHA.parse().unwrap()
}

#[tokio::test]
async fn a_comment_is_posted_as_it_is() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let post = meanwhile(async move { repo.post_comment(PullNumber(7), "a \"b\"\nü").await });
    let order = server
        .expect("POST /repos/octo/hello/issues/7/comments")
        .await;
    assert_eq!(order.body, r#"{"body":"a \"b\"\nü"}"#);
    assert_eq!(order.header("content-type"), Some("application/json"));
    order.answer(201, r#"{"id": 1}"#);
    assert!(post.await.unwrap().is_ok());
}

async fn status_order(text: StatusText) -> String {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let set = meanwhile(async move { repo.set_status(commit(), &text).await });
    let line = format!("POST /repos/octo/hello/statuses/{SHA}");
    let order = server.expect(&line).await;
    let body = order.body.clone();
    order.answer(201, "{}");
    assert!(set.await.unwrap().is_ok());
    body
}

#[tokio::test]
async fn a_status_is_set_with_an_address_only_where_there_is_one() {
    let mut text = StatusText {
        context: "homu".to_owned(),
        state: StatusState::Pending,
        description: "d".to_owned(),
        url: Some("http://q/".to_owned()),
    };
    assert_eq!(
        status_order(text.clone()).await,
        r#"{"state":"pending","context":"homu","description":"d","target_url":"http://q/"}"#
    );
    text.url = Some(String::new());
    text.state = StatusState::Error;
    let without = r#"{"state":"error","context":"homu","description":"d"}"#;
    assert_eq!(status_order(text.clone()).await, without);
    text.url = None;
    assert_eq!(status_order(text).await, without);
}

async fn move_main(status: u16, body: &str) -> Result<Moved, ApiError> {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let order = meanwhile(async move {
        repo.move_branch(&BranchName::new("v1/main"), commit())
            .await
    });
    let line = "PATCH /repos/octo/hello/git/refs/heads/v1/main";
    let seen = server.expect(line).await;
    assert_eq!(seen.body, format!(r#"{{"sha":"{SHA}","force":false}}"#));
    seen.answer(status, body);
    order.await.unwrap()
}

#[tokio::test]
async fn a_branch_is_moved_without_force_and_refusals_are_told_apart() {
    assert_eq!(move_main(200, "{}").await.unwrap(), Moved::Done);
    let body = r#"{"message": "Update is not a fast forward"}"#;
    assert_eq!(move_main(422, body).await.unwrap(), Moved::NotFastForward);
    let reason = "Required status check 'homu' is expected.";
    let body = format!(r#"{{"message": "{reason}", "documentation_url": "…"}}"#);
    for status in [403, 409, 422] {
        let moved = move_main(status, &body).await.unwrap();
        assert_eq!(moved, Moved::Protected(reason.to_owned()));
    }
    let moved = move_main(422, r#"{"message": "Object does not exist"}"#).await;
    assert_eq!(
        moved.unwrap(),
        Moved::Refused("Object does not exist".to_owned())
    );
}

#[tokio::test]
async fn a_move_whose_outcome_is_not_certain_is_no_refusal() {
    let error = move_main(502, "<html>").await.unwrap_err();
    assert!(matches!(error, ApiError::OutcomeUnknown { .. }));
    let error = move_main(404, "{}").await.unwrap_err();
    assert!(matches!(error, ApiError::Gone));
    let body = r#"{"message": "You have exceeded a secondary rate limit"}"#;
    let error = move_main(403, body).await.unwrap_err();
    assert!(matches!(error, ApiError::Transient { .. }));
}

#[tokio::test]
async fn a_label_goes_alone_whatever_it_is_called() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let remove = meanwhile(async move { repo.remove_label(PullNumber(7), "a/b ü?").await });
    let order = server
        .expect("DELETE /repos/octo/hello/issues/7/labels/a%2Fb%20%C3%BC%3F")
        .await;
    assert_eq!(order.body, "");
    order.answer(200, "[]");
    assert!(remove.await.unwrap().is_ok());
    // An address that ends so would be that of all labels.
    for name in ["", ".", ".."] {
        let gone = server.repo().remove_label(PullNumber(7), name).await;
        assert!(matches!(gone, Err(ApiError::Gone)));
    }
    assert!(server.is_quiet());
}

#[tokio::test]
async fn of_a_pull_only_what_is_to_change_is_sent_and_no_longer_a_title_than_github_takes() {
    for (edit, body) in [
        (
            PullEdit {
                title: Some("ü".repeat(300)),
                state: None,
            },
            format!(r#"{{"title":"{}"}}"#, "ü".repeat(256)),
        ),
        (
            PullEdit {
                title: None,
                state: Some(PullState::Closed),
            },
            r#"{"state":"closed"}"#.to_owned(),
        ),
    ] {
        let mut server = Scripted::start().await;
        let repo = server.repo();
        let order = meanwhile(async move { repo.edit_pull(PullNumber(7), &edit).await });
        let seen = server.expect("PATCH /repos/octo/hello/pulls/7").await;
        assert_eq!(seen.body, body);
        seen.answer(200, "{}");
        assert!(order.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_fork_is_named_by_the_answer() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let fork = meanwhile(async move { repo.fork().await });
    let order = server.expect("POST /repos/octo/hello/forks").await;
    assert_eq!(order.body, "{}");
    // Somebody who had another repository of that name.
    order.answer(
        202,
        r#"{"full_name": "bob/hello-1", "owner": {"login": "bob"}}"#,
    );
    assert_eq!(fork.await.unwrap().unwrap(), Slug::new("bob", "hello-1"));
}

#[tokio::test]
async fn a_pull_is_opened_from_a_fork() {
    let mut server = Scripted::start().await;
    for (answer, expected) in [
        (r#"{"number": 9, "html_url": "x"}"#, Some(PullNumber(9))),
        ("not what it should be", None),
    ] {
        let repo = server.repo();
        let pull = NewPull {
            title: "t".to_owned(),
            body: "b".to_owned(),
            head: "bob:rollup-1".to_owned(),
            base: BranchName::new("main"),
        };
        let opening = meanwhile(async move { repo.open_pull(&pull).await });
        let order = server.expect("POST /repos/octo/hello/pulls").await;
        let body = r#"{"title":"t","body":"b","head":"bob:rollup-1","base":"main"}"#;
        assert_eq!(order.body, body);
        order.answer(201, answer);
        match (opening.await.unwrap(), expected) {
            (Ok(number), Some(expected)) => assert_eq!(number, expected),
            (Err(ApiError::OutcomeUnknown { .. }), None) => {}
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn failure_and_error_of_a_status_are_told_apart() {
    for (state, expected) in [
        ("failure", Some(StatusState::Failure)),
        ("error", Some(StatusState::Error)),
        ("unheard-of", None),
    ] {
        let mut server = Scripted::start().await;
        let repo = server.repo();
        let read = meanwhile(async move { repo.status_of(commit(), "homu").await });
        let line = format!("GET /repos/octo/hello/commits/{SHA}/status?per_page=100");
        let statuses = format!(
            r#"[{{"context": "ci", "state": "pending"}}, {{"context": "homu", "state": "{state}"}}]"#
        );
        let body = format!(r#"{{"statuses": {statuses}}}"#);
        server.expect(&line).await.answer(200, &body);
        assert_eq!(read.await.unwrap().unwrap(), expected);
    }
}

#[tokio::test]
async fn a_repository_is_private_only_where_github_says_so() {
    let mut server = Scripted::start().await;
    for (answer, private) in [
        (r#"{"private": true}"#, true),
        (r#"{"private": false}"#, false),
        ("{}", false),
    ] {
        let repo = server.repo();
        let asking = meanwhile(async move { repo.is_private().await });
        server
            .expect("GET /repos/octo/hello")
            .await
            .answer(200, answer);
        assert_eq!(asking.await.unwrap().unwrap(), private);
    }
}
