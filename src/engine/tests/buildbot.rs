//! Sessions with Buildbot, and when there is one.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;

use super::server::{Recorder, Seen};
use super::stage::Stage;
use crate::clock;
use crate::config::{Buildbot, Secret};
use crate::engine::buildbot::{BuildbotError, Session, page};
use crate::engine::orders::{Done, Trouble};
use crate::engine::outbox::Tried;
use paprq_core::ids::{RunId, Timestamp};
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::{BuildVerdict, Event};
use paprq_core::queue::note::Link;

/// A Buildbot that lets `bot` in with `pa&ss`, and takes orders with its cookie alone.
fn buildbot(seen: &Seen) -> HttpResponse {
    if seen.line == "POST /bb/login" {
        let is_right = seen.body == "username=bot&passwd=pa%26ss";
        let target = if is_right { "/bb/" } else { "/bb/authfail" };
        return HttpResponse::Found()
            .insert_header(("location", target))
            .cookie(
                Cookie::build("SESSION", "a+b/c=")
                    .path("/bb")
                    .http_only(true)
                    .finish(),
            )
            .cookie(Cookie::new("other", "1"))
            .finish();
    }
    let is_known = seen.cookie == "SESSION=a+b/c=; other=1";
    let target = if is_known {
        "/bb/done"
    } else {
        "/bb/authzfail"
    };
    HttpResponse::Found()
        .insert_header(("location", target))
        .finish()
}

fn config(server: &Recorder) -> Buildbot {
    Buildbot {
        url: format!("{}/bb", server.url),
        secret: Secret::new("s"),
        builders: vec!["linux".to_owned()],
        try_builders: Vec::new(),
        try_choosers: std::collections::BTreeMap::new(),
        username: Some("bot".to_owned()),
        password: Some(Secret::new("pa&ss")),
    }
}

fn build(url: String) -> Link {
    let name = "linux".to_owned();
    Link { name, url }
}

async fn rebuild(config: &Buildbot) -> Result<(), BuildbotError> {
    let build = build(format!("{}/builders/linux/builds/7", config.url));
    let pages = [page(config, &build)?];
    let mut session = Session::open(config).await?;
    let outcome = session.rebuild(&pages).await;
    session.close().await;
    outcome
}

/// What people are told if Buildbot answers so to the order to build again.
async fn told_after(answer: impl Fn() -> HttpResponse + Send + Sync + 'static) -> String {
    let server = Recorder::start(move |seen| match seen.line.as_str() {
        "POST /bb/builders/linux/builds/7/rebuild" => answer(),
        _ => buildbot(seen),
    });
    let told = rebuild(&config(&server)).await;
    assert_eq!(server.lines().last().unwrap(), "GET /bb/logout");
    told.unwrap_err().to_string()
}

#[tokio::test]
async fn builds_are_repeated_within_a_session_that_is_ended() {
    let server = Recorder::start(buildbot);
    rebuild(&config(&server)).await.unwrap();
    let seen = server.seen();
    let lines: Vec<_> = seen.iter().map(|seen| seen.line.as_str()).collect();
    let order = "POST /bb/builders/linux/builds/7/rebuild";
    assert_eq!(lines, ["POST /bb/login", order, "GET /bb/logout"]);
    let cookies: Vec<_> = seen.iter().map(|seen| seen.cookie.as_str()).collect();
    let session = "SESSION=a+b/c=; other=1";
    assert_eq!(cookies, ["", session, session]);
    assert_eq!(seen[1].body, "useSourcestamp=exact&comments=by+paprq");
}

#[tokio::test]
async fn a_missing_right_is_shown() {
    let to_page = || {
        HttpResponse::Found()
            .insert_header(("location", "../../authzfail"))
            .finish()
    };
    assert_eq!(told_after(to_page).await, "Authorization failed");
    let in_page = || HttpResponse::Ok().body("<p>See <a href='/authzfail'>here</a></p>");
    assert_eq!(told_after(in_page).await, "Authorization failed");
}

#[tokio::test]
async fn the_words_of_an_error_page_are_shown_without_tags_and_cut() {
    let told = told_after(|| {
        HttpResponse::Ok().body(
            "<html><div class=\"error\">\n No <b>slave</b> &lt;x&gt;\n is there\n</div> more</html>",
        )
    });
    assert_eq!(told.await, "No slave <x> is there");
    let long = || HttpResponse::Ok().body(format!("<div class=\"error\">{}", "ü".repeat(9000)));
    assert_eq!(told_after(long).await, "ü".repeat(500));
    let empty = || HttpResponse::Ok().body("<div class=\"error\"> </div>");
    assert_eq!(told_after(empty).await, "Unknown error");
    let broken = || HttpResponse::InternalServerError().body("Traceback");
    assert_eq!(told_after(broken).await, "Unknown error");
}

#[tokio::test]
async fn a_wrong_password_shows_as_such() {
    let server = Recorder::start(buildbot);
    let mut config = config(&server);
    config.password = Some(Secret::new("wrong"));
    let error = rebuild(&config).await.unwrap_err();
    assert!(matches!(error, BuildbotError::LogIn), "{error:?}");
    assert!(error.to_string().starts_with("Authentication failed"));
    assert!(!error.may_pass());
    assert_eq!(server.lines(), ["POST /bb/login"]);
}

#[tokio::test]
async fn the_session_never_goes_to_what_is_not_below_the_configured_address() {
    let server = Recorder::start(buildbot);
    let other = Recorder::start(buildbot);
    let ours = config(&server);
    for url in [
        format!("{}/bb/builders/linux/builds/7", other.url),
        format!("{}/bbx/builds/7", server.url),
        format!("{}/bb/../admin/7", server.url),
        format!("{}/bb/%2e%2e/admin/7", server.url),
        server.url.replace("http://", "http://bot:pw@") + "/bb/7",
        String::new(),
        "nonsense".to_owned(),
    ] {
        let error = page(&ours, &build(url.clone())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no build of linux is known to Buildbot",
            "{url}"
        );
    }
    let with_more = build(format!("{}/bb/builds/7?a=b#c", server.url));
    let page = page(&ours, &with_more).unwrap();
    assert_eq!(page.as_str(), format!("{}/bb/builds/7", server.url));
}

fn table(server: &Recorder, more: &str) -> String {
    format!(
        "[repo.widgets.buildbot]\nurl = \"{}/bb/\"\nsecret = \"s\"\nbuilders = [\"linux\"]\n{more}",
        server.url
    )
}

const LOG_IN: &str = "username = \"bot\"\npassword = \"pa&ss\"";

/// A run that waits for Buildbot.
async fn testing(stage: &Stage) -> RunId {
    let pull = stage.pull("A pull");
    stage.see(pull).await;
    stage.hear(pull, "dora", "@bors r+").await;
    stage.says(pull, ":hourglass: Testing").await;
    let run = stage
        .repo()
        .look(|queue| queue.runs_in_flight().next().map(|run| run.id));
    run.unwrap()
}

fn stop(run: RunId, builder: &str) -> Effect {
    Effect::StopBuilds {
        run,
        builders: vec![builder.to_owned(), "m c".to_owned()],
    }
}

fn repeat(server: &Recorder, run: RunId) -> Effect {
    let build = build(format!("{}/bb/builders/linux/builds/7", server.url));
    let builds = vec![build];
    Effect::RepeatBuilds { run, builds }
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_of_a_run_that_is_over_are_stopped_by_who_can_log_in() {
    let server = Recorder::start(buildbot);
    let stage = Stage::start(&table(&server, LOG_IN)).await;
    assert_eq!(stage.answers(stop(RunId(10_000), "linux")).await, []);
    let seen = server.seen();
    let lines: Vec<_> = seen.iter().map(|seen| seen.line.as_str()).collect();
    let order = "POST /bb/builders/_selected/stopselected";
    assert_eq!(lines, ["POST /bb/login", order, "GET /bb/logout"]);
    assert_eq!(
        seen[1].body,
        "selected=linux&selected=m+c&comments=by+paprq"
    );
    let nobody = Recorder::start(buildbot);
    let stage = Stage::start(&table(&nobody, "")).await;
    assert_eq!(stage.answers(stop(RunId(10_000), "linux")).await, []);
    assert_eq!(nobody.seen(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_next_run_has_built_is_not_stopped() {
    let server = Recorder::start(buildbot);
    let stage = Stage::start(&table(&server, LOG_IN)).await;
    let run = testing(&stage).await;
    assert_eq!(stage.answers(stop(RunId(1), "linux")).await, []);
    assert_eq!(server.seen(), []);
    assert_eq!(stage.answers(stop(RunId(1), "mac")).await, []);
    assert_eq!(stage.answers(stop(run, "linux")).await, []);
    assert_eq!(server.lines().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_to_repeat_is_told_and_one_without_a_user_is_tried() {
    let server = Recorder::start(buildbot);
    let stage = Stage::start(&table(&server, "")).await;
    let run = testing(&stage).await;
    let why = "Authorization failed".to_owned();
    let told = stage.answers(repeat(&server, run)).await;
    assert_eq!(told, [Event::BuildsRefused { run, why }]);
    assert_eq!(server.lines(), ["POST /bb/builders/linux/builds/7/rebuild"]);
    // Nobody waits for the builds of a run that is over.
    assert_eq!(stage.answers(repeat(&server, RunId(1))).await, []);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buildbot_that_is_away_is_tried_for_a_while_and_then_told_of() {
    let server = Recorder::start(|_| HttpResponse::BadGateway().finish());
    let stage = Stage::start(&table(&server, LOG_IN)).await;
    let run = testing(&stage).await;
    let mut row = stage.ordered(repeat(&server, run)).await;
    let young = stage.carry_out_row(row.clone(), Tried::Never).await;
    assert!(matches!(young, Err(Trouble::Passing(_))), "{young:?}");
    row.ordered_at = Timestamp(clock::now().0 - 11 * 60_000);
    let old = stage.carry_out_row(row, Tried::MaybeBefore).await;
    let why = "Buildbot answers with status 502".to_owned();
    let events = Stage::events(old.unwrap());
    assert_eq!(events, [Event::BuildsRefused { run, why }]);
    let mut row = stage.ordered(stop(RunId(1), "mac")).await;
    row.ordered_at = Timestamp(0);
    let done = stage.carry_out_row(row, Tried::MaybeBefore).await;
    assert!(matches!(done.unwrap(), Done::Quietly));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_heard_before_the_queue_is_loaded_is_kept() {
    let stage = Stage::start(
        "[repo.widgets.buildbot]\nurl = 'http://127.0.0.1:9'\nsecret = 's'\nbuilders = ['linux']",
    )
    .await;
    let repo = stage.repo();
    let reported = Event::BuildReported {
        commit: "e".repeat(40).parse().unwrap(),
        builder: "linux".to_owned(),
        verdict: BuildVerdict::Passed,
        url: String::new(),
        number: None,
    };
    assert!(!repo.is_of_interest(&reported), "no run tests that commit");
    let running = &repo.shared().running;
    running.send_replace(false);
    assert!(repo.is_of_interest(&reported), "a run may test it");
    running.send_replace(true);
}
