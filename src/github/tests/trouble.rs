//! Connections that break, hang, lead elsewhere or say too much.

use tokio::net::TcpListener;

use crate::github::scripted::{CUT, Scripted, TOKEN, meanwhile};
use crate::github::{ApiError, Cause, GitHub, NewClientError, Repo, Settings, Slug};
use paprq_core::ids::PullNumber;
use paprq_core::queue::event::PullFacts;

const PULL: &str = r#"{"number": 7, "head": {}, "base": {"ref": "main"}}"#;

async fn read(repo: Repo) -> Result<PullFacts, ApiError> {
    repo.pull(PullNumber(7)).await
}

async fn post(repo: Repo) -> Result<(), ApiError> {
    repo.post_comment(PullNumber(7), "hello").await
}

#[tokio::test]
async fn one_connection_serves_calls_one_after_the_other() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    for _ in 0..20 {
        let call = meanwhile(read(repo.clone()));
        server.next().await.answer(200, PULL);
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_question_is_asked_once_more_if_its_connection_breaks() {
    let mut server = Scripted::start().await;
    let call = meanwhile(read(server.repo()));
    server.next().await.hang_up();
    server.next().await.answer(200, PULL);
    assert!(call.await.unwrap().is_ok());

    let call = meanwhile(read(server.repo()));
    server.next().await.hang_up();
    server.next().await.hang_up();
    assert!(matches!(
        call.await.unwrap(),
        Err(ApiError::Transient { .. })
    ));
    assert!(server.is_quiet());
}

#[tokio::test]
async fn an_order_is_never_sent_twice() {
    let mut server = Scripted::start().await;
    let call = meanwhile(post(server.repo()));
    server.next().await.hang_up();
    assert!(matches!(
        call.await.unwrap(),
        Err(ApiError::OutcomeUnknown { .. })
    ));

    let call = meanwhile(post(server.repo()));
    server.next().await.answer(502, "");
    assert!(matches!(
        call.await.unwrap(),
        Err(ApiError::OutcomeUnknown { .. })
    ));
    assert!(server.is_quiet());
}

#[tokio::test]
async fn an_order_whose_answer_is_cut_off_after_the_status_is_done() {
    let mut server = Scripted::start().await;
    let call = meanwhile(post(server.repo()));
    let mut answer = b"HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{".to_vec();
    answer.extend_from_slice(CUT);
    server.next().await.answer_raw(&answer);
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_call_that_hangs_ends_in_time() {
    let mut server = Scripted::start().await;
    let call = meanwhile(read(server.impatient_repo()));
    let hanging = server.next().await;
    let error = call.await.unwrap().unwrap_err();
    let timed_out = matches!(
        error,
        ApiError::Transient {
            cause: Cause::TimedOut(_),
            ..
        }
    );
    assert!(timed_out, "{error}");
    drop(hanging);

    let call = meanwhile(post(server.impatient_repo()));
    let hanging = server.next().await;
    let error = call.await.unwrap().unwrap_err();
    let timed_out = matches!(
        error,
        ApiError::OutcomeUnknown {
            cause: Cause::TimedOut(_)
        }
    );
    assert!(timed_out, "{error}");
    drop(hanging);
}

#[tokio::test]
async fn an_order_that_finds_no_connection_was_certainly_not_done() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let github = GitHub::new(&url, TOKEN, Settings::default()).unwrap();
    let error = post(github.repo(Slug::new("octo", "hello")))
        .await
        .unwrap_err();
    let unsent = matches!(
        error,
        ApiError::Transient {
            cause: Cause::NoConnection(_),
            ..
        }
    );
    assert!(unsent, "{error}");
}

#[tokio::test]
async fn an_answer_that_never_ends_is_not_kept() {
    let mut server = Scripted::start().await;
    let call = meanwhile(read(server.repo()));
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 99000000\r\n\r\n".to_vec();
    answer.resize(33 * 1024 * 1024, b' ');
    server.next().await.answer_raw(&answer);
    let error = call.await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            ApiError::Transient {
                cause: Cause::TooLong,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_of_another_form_is_asked_for_again_later() {
    let mut server = Scripted::start().await;
    let call = meanwhile(read(server.repo()));
    server.next().await.answer(200, "<html>");
    let error = call.await.unwrap().unwrap_err();
    assert!(
        matches!(
            error,
            ApiError::Transient {
                cause: Cause::Unreadable(_),
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let mut server = Scripted::start().await;
    let repo = server.repo();
    let mut call =
        meanwhile(async move { repo.check_runs("12".repeat(20).parse().unwrap()).await });
    let error = loop {
        tokio::select! {
            result = &mut call => break result.unwrap().unwrap_err(),
            asked = server.next() => {
                let link = ("link", r#"<?page=1>; rel="next""#);
                asked.answer_with(200, &[link], r#"{"check_runs": []}"#);
            }
        }
    };
    assert!(matches!(error, ApiError::Transient { .. }), "{error}");
}

#[tokio::test]
async fn nothing_is_sent_on_to_another_server() {
    let mut server = Scripted::start().await;
    let mut other = Scripted::start().await;
    let port = other.url.rsplit(':').next().unwrap().to_owned();
    for elsewhere in [
        format!("{}/stolen", other.url),
        format!("http://localhost:{port}/stolen"),
        format!("//127.0.0.1:{port}/stolen"),
        format!("{}/stolen", server.url.replace("http:", "https:")),
    ] {
        for status in [301, 307] {
            let call = meanwhile(read(server.repo()));
            let asked = server.next().await;
            assert!(asked.header("authorization").is_some());
            asked.answer_with(status, &[("location", &elsewhere)], "");
            let error = call.await.unwrap().unwrap_err();
            assert!(error.to_string().contains("another server"), "{error}");
        }
    }
    assert!(other.is_quiet() && server.is_quiet());
}

#[tokio::test]
async fn orders_are_sent_on_with_their_method_and_body() {
    let mut server = Scripted::start().await;
    for status in [307, 308] {
        let repo = server.repo();
        let told = meanwhile({
            let repo = repo.clone();
            async move { repo.moved().await }
        });
        let call = meanwhile(post(repo));
        let asked = server
            .expect("POST /repos/octo/hello/issues/7/comments")
            .await;
        let body = asked.body.clone();
        assert!(body.contains("hello"));
        let there = format!("{}/repositories/5/issues/7/comments", server.url);
        asked.answer_with(status, &[("location", &there)], "");
        let followed = server
            .expect("POST /repositories/5/issues/7/comments")
            .await;
        assert_eq!(followed.body, body);
        assert!(followed.header("authorization").is_some());
        followed.answer(201, "{}");
        assert!(call.await.unwrap().is_ok());
        told.await.unwrap();
    }
}

#[tokio::test]
async fn an_order_that_is_sent_on_as_a_question_is_refused() {
    let mut server = Scripted::start().await;
    for status in [301, 302, 303] {
        let call = meanwhile(post(server.repo()));
        let there = format!("{}/elsewhere", server.url);
        let asked = server.next().await;
        asked.answer_with(status, &[("location", &there)], "");
        let refused = call.await.unwrap();
        assert!(
            matches!(refused, Err(ApiError::Rejected { .. })),
            "{refused:?}"
        );
    }
    assert!(server.is_quiet());
}

#[tokio::test]
async fn a_call_that_is_sent_round_in_circles_is_given_up() {
    let mut server = Scripted::start().await;
    let call = meanwhile(read(server.repo()));
    for _ in 0..4 {
        let asked = server.next().await;
        asked.answer_with(301, &[("location", "/repos/octo/hello/pulls/7")], "");
    }
    let refused = call.await.unwrap();
    assert!(
        matches!(refused, Err(ApiError::Rejected { .. })),
        "{refused:?}"
    );
    assert!(server.is_quiet());
}

#[tokio::test]
async fn addresses_and_tokens_that_cannot_be_ones_are_refused_at_once() {
    let new = |url, token| GitHub::new(url, token, Settings::default()).err().unwrap();
    assert!(matches!(new("api.github.com", "t"), NewClientError::Url(_)));
    assert!(matches!(new("ftp://h/", "t"), NewClientError::NotHttp));
    for token in ["", "two words", "line\n", "ü"] {
        assert!(matches!(new("http://h/", token), NewClientError::Token));
    }
}

#[test]
fn a_client_outside_of_the_runtime_is_refused() {
    let refused = GitHub::new("http://h/", "t", Settings::default()).err();
    assert!(matches!(refused, Some(NewClientError::NoRuntime(_))));
}

#[tokio::test]
async fn no_error_shows_the_token() {
    let mut server = Scripted::start().await;
    let call = meanwhile(post(server.impatient_repo()));
    server.next().await.hang_up();
    let error = call.await.unwrap().unwrap_err();
    let mut shown = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        shown += &format!("{error} {error:?}");
        cause = error.source();
    }
    assert!(!shown.contains(TOKEN), "{shown}");
}
