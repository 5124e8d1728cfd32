//! Hooks.

use std::time::Duration;

use actix_web::HttpResponse;
use bytes::Bytes;
use futures_util::stream;
use tokio::net::TcpListener;

use super::server::{Recorder, Seen};
use super::stage::{LONG, Stage};
use crate::clock::Stopwatch;
use crate::config::Hook;
use crate::engine::hooks::{HookError, Told, call};
use crate::engine::orders::hooks::insist;
use crate::engine::outbox::Tried;
use paprq_core::ids::PullNumber;
use paprq_core::queue::effect::{Effect, News};
use paprq_core::queue::event::Event;
use paprq_core::queue::rules::HookAccess;

const SHORT: Duration = Duration::from_millis(150);

const TOLD: Told<'static> = Told {
    pull: PullNumber(7),
    body: "@bors deploy=now \"ü\"",
    data: Some("now"),
};

fn hook(endpoint: &str) -> Hook {
    Hook {
        trigger: "deploy".to_owned(),
        endpoint: endpoint.to_owned(),
        access: HookAccess::Try,
        has_response: true,
        realtime: true,
        allow_private_redirects: false,
    }
}

fn to(location: &str) -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header(("location", location))
        .finish()
}

/// Bytes without an end.
fn endless() -> HttpResponse {
    let chunk = || Ok::<_, actix_web::Error>(Bytes::from(vec![b'x'; 10_000]));
    HttpResponse::Ok().streaming(stream::repeat_with(chunk))
}

#[tokio::test]
async fn a_hook_is_told_pull_comment_and_data_and_its_answer_comes_back() {
    let server = Recorder::start(|_| HttpResponse::Ok().body(" It is\r\non its way\u{1b}.\n"));
    let mut told = TOLD;
    let hook = hook(&format!("{}/a/b", server.url));
    let answer = call(&hook, told, LONG).await.unwrap();
    assert_eq!(answer, "It is\non its way.");
    told.data = None;
    call(&hook, told, LONG).await.unwrap();
    let [first, second] = server.seen().try_into().unwrap();
    assert_eq!(first.line, "POST /a/b");
    assert_eq!(
        first.body,
        r#"{"pull":7,"body":"@bors deploy=now \"ü\"","extra_data":"now"}"#
    );
    assert!(second.body.ends_with(r#""extra_data":null}"#));
}

#[tokio::test]
async fn a_hook_that_does_not_answer_in_time_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let watch = Stopwatch::start();
    let error = call(&hook(&url), TOLD, SHORT).await.unwrap_err();
    assert!(matches!(error, HookError::TimedOut(SHORT)), "{error:?}");
    assert!(!error.may_pass());
    let dripping = Recorder::start(|_| {
        let drips = stream::pending::<Result<Bytes, actix_web::Error>>();
        HttpResponse::Ok().streaming(drips)
    });
    let error = call(&hook(&dripping.url), TOLD, SHORT).await.unwrap_err();
    assert!(matches!(error, HookError::TimedOut(SHORT)), "{error:?}");
    assert!(watch.elapsed() < LONG);
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let server = Recorder::start(|_| endless());
    let answer = call(&hook(&server.url), TOLD, LONG).await.unwrap();
    assert_eq!(answer, "x".repeat(64 * 1024));
}

#[tokio::test]
async fn an_answer_that_nobody_wants_is_not_waited_for() {
    let server = Recorder::start(|_| endless());
    let mut hook = hook(&server.url);
    hook.has_response = false;
    assert_eq!(call(&hook, TOLD, LONG).await.unwrap(), "");
}

#[tokio::test]
async fn a_refusal_is_told_by_its_status_alone() {
    for status in [400, 404, 500, 503] {
        let server = Recorder::start(move |_| {
            let status = actix_web::http::StatusCode::from_u16(status).unwrap();
            HttpResponse::build(status).body("secret reasons at 10.0.0.1")
        });
        let error = call(&hook(&server.url), TOLD, LONG).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("it answered with status {status}")
        );
        assert!(!error.may_pass());
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_not_named() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/path", gone.local_addr().unwrap());
    drop(gone);
    let error = call(&hook(&url), TOLD, LONG).await.unwrap_err();
    assert!(matches!(error, HookError::Unreached(_)), "{error:?}");
    assert_eq!(error.to_string(), "it cannot be reached");
    assert!(error.may_pass());
}

#[tokio::test]
async fn nobody_is_redirected_into_a_private_network() {
    let inside = Recorder::start(|_| HttpResponse::Ok().body("a secret"));
    let other = Recorder::start_at("127.0.0.9", |_| HttpResponse::Ok().body("a secret"));
    let port = inside.url.rsplit(':').next().unwrap().to_owned();
    for location in [
        inside.url.clone(),
        other.url.clone(),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("//0:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/".to_owned(),
    ] {
        let sent_to = location.clone();
        let server = Recorder::start(move |_| to(&sent_to));
        let error = call(&hook(&server.url), TOLD, LONG).await.unwrap_err();
        assert!(matches!(error, HookError::Inside), "{location}: {error:?}");
        assert!(!error.to_string().contains("127"), "{error}");
    }
    assert_eq!((inside.seen(), other.seen()), (vec![], vec![]));
}

#[tokio::test]
async fn a_private_network_is_allowed_where_the_operator_says_so() {
    let inside = Recorder::start(|_| HttpResponse::Ok().body("hello"));
    let port = inside.url.rsplit(':').next().unwrap();
    let location = format!("http://localhost:{port}/there");
    let server = Recorder::start(move |_| to(&location));
    let mut hook = hook(&server.url);
    hook.allow_private_redirects = true;
    assert_eq!(call(&hook, TOLD, LONG).await.unwrap(), "hello");
    assert_eq!(inside.lines(), ["POST /there"]);
    assert_eq!(inside.seen()[0].body, server.seen()[0].body);
}

/// Sends each request on to the path with a number lower by one; answers at 0.
fn count_down(seen: &Seen) -> HttpResponse {
    let count: u32 = seen.line.rsplit('/').next().unwrap().parse().unwrap();
    match count.checked_sub(1) {
        Some(next) => to(&format!("/{next}")),
        None => HttpResponse::Ok().body("done"),
    }
}

#[tokio::test]
async fn a_service_may_redirect_within_itself_five_times() {
    let server = Recorder::start(count_down);
    let at = |count: u32| hook(&format!("{}/{count}", server.url));
    assert_eq!(call(&at(5), TOLD, LONG).await.unwrap(), "done");
    assert_eq!(server.lines().len(), 6);
    let error = call(&at(6), TOLD, LONG).await.unwrap_err();
    assert!(matches!(error, HookError::Astray), "{error:?}");
    assert_eq!(server.lines().len(), 12);
}

#[tokio::test]
async fn a_redirect_to_no_address_of_the_web_leads_nowhere() {
    for location in ["file:///etc/passwd", "ftp://example.com/", "http://"] {
        let server = Recorder::start(move |_| to(location));
        let error = call(&hook(&server.url), TOLD, LONG).await.unwrap_err();
        assert!(matches!(error, HookError::Astray), "{error:?}");
    }
}

fn ordered() -> Effect {
    called(News::Fresh)
}

fn called(news: News) -> Effect {
    Effect::CallHook {
        pull: PullNumber(7),
        hook: "deploy".to_owned(),
        body: "@bors deploy".to_owned(),
        data: None,
        news,
    }
}

fn table(url: &str, more: &str) -> String {
    format!("[hooks.deploy]\nendpoint = \"{url}\"\nrealtime = true\n{more}")
}

fn failed(why: &str) -> [Event; 1] {
    [Event::HookFailed {
        pull: PullNumber(7),
        hook: "deploy".to_owned(),
        why: why.to_owned(),
    }]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_posted_only_where_it_is_wanted_and_not_empty() {
    let said = |body: &'static str| Recorder::start(move |_| HttpResponse::Ok().body(body));
    let answered = [Event::HookAnswered {
        pull: PullNumber(7),
        answer: "ok".to_owned(),
    }];
    for (body, has_response, events) in [
        ("ok", true, &answered[..]),
        ("ok", false, &[]),
        ("\n", true, &[]),
    ] {
        let server = said(body);
        let more = format!("has_response = {has_response}");
        let stage = Stage::start(&table(&server.url, &more)).await;
        assert_eq!(stage.answers(ordered()).await, events);
        assert_eq!(server.lines(), ["POST /"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_also_where_no_answer_is_wanted() {
    let server = Recorder::start(|_| HttpResponse::NotFound().finish());
    let stage = Stage::start(&table(&server.url, "")).await;
    let why = "it answered with status 404";
    assert_eq!(stage.answers(ordered()).await, failed(why));
    assert_eq!(server.lines().len(), 1);
    let Effect::CallHook { pull, body, .. } = ordered() else {
        unreachable!();
    };
    let unknown = Effect::CallHook {
        pull,
        body,
        hook: "other".to_owned(),
        data: None,
        news: News::Fresh,
    };
    let events = stage.answers(unknown).await;
    let told = matches!(&events[..], [Event::HookFailed { hook, .. }] if hook == "other");
    assert!(told, "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_a_call_for_an_old_comment() {
    let server = Recorder::start(|_| HttpResponse::NotFound().finish());
    let stage = Stage::start(&table(&server.url, "")).await;
    assert_eq!(stage.answers(called(News::Old)).await, []);
    assert_eq!(server.lines(), ["POST /"]);
}

/// Counts connections, and breaks each after a request began to come.
async fn breaking() -> (String, std::sync::Arc<std::sync::atomic::AtomicU32>) {
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::io::AsyncReadExt as _;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = std::sync::Arc::new(AtomicU32::new(0));
    let counter = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            if stream.read(&mut buffer).await.unwrap_or(0) > 0 {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (url, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_whose_outcome_is_not_known_is_called_three_times_and_no_more() {
    use std::sync::atomic::Ordering;
    let (url, calls) = breaking().await;
    let stage = Stage::start(&table(&url, "")).await;
    let row = stage.ordered(ordered()).await;
    let delay = Duration::from_millis(1);
    let done = insist(&stage.repo(), row.id, "deploy", TOLD, delay).await;
    let why = "the connection broke before it answered";
    assert_eq!(Stage::events(done.unwrap()), failed(why));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_are_counted_over_restarts() {
    let server = Recorder::start(|_| HttpResponse::Ok().finish());
    let stage = Stage::start(&table(&server.url, "")).await;
    let row = stage.ordered(ordered()).await;
    // Each of these is a process that ended in the midst of the call.
    for tries in 1..=3 {
        let counted = stage.engine.store().count_try(row.id).await;
        assert_eq!(counted.unwrap(), Some(tries));
    }
    let done = stage.carry_out_row(row, Tried::MaybeBefore).await;
    let events = Stage::events(done.unwrap());
    assert_eq!(events, failed("it is not known what came of it"));
    assert_eq!(server.seen(), []);
}
