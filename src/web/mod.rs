//! HTTP: webhooks, pages, live events and the workers' API.
//!
//! `front` stands before all routes, `webhook` takes what GitHub sends, `worker_api` and `worker_git` serve workers, `pages` and
//! `api` show what the engine knows, `live` and `job_log` follow it. Nothing here decides anything.

mod admin;
mod announcement;
mod answer;
mod api;
mod artifacts;
mod assets;
mod bodies;
mod buildbot;
mod doorway;
mod error;
mod front;
mod gate;
mod header;
mod job_log;
mod live;
mod login;
mod pages;
mod routes;
mod secret;
mod sent;
mod sse;
mod view;
mod webhook;
mod worker_api;
mod worker_git;

#[cfg(test)]
mod tests;

use std::io;
use std::net::TcpListener;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, web};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::error::WebError;
use self::routes::{Address, Routes};
use crate::engine::Engine;

/// How many pages are made at a time. Each may take some megabytes for as long.
const PAGES_AT_A_TIME: usize = 8;

/// What every handler gets.
struct Site {
    engine: Engine,
    /// The path at which people reach us, without a slash at its end; mostly empty.
    root: String,
    /// How people log in, if they can.
    login: Option<login::Login>,
    /// What is being received.
    bodies: bodies::Bodies,
    /// What is on its way out.
    answers: answer::Answers,
    /// Whose turn it is to have a page made.
    making: Semaphore,
    stop: CancellationToken,
}

/// Serves everything on this listener until `stop`, which also ends what would wait for long:
/// live events, and workers that wait for a job.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(
    engine: Engine,
    listener: TcpListener,
    stop: CancellationToken,
) -> io::Result<impl Future<Output = io::Result<()>> + Send> {
    let ending = stop.clone();
    let site = web::Data::new(Site {
        root: root(engine.base_url()),
        login: login::Login::new(&engine),
        bodies: bodies::Bodies::new(engine.config().web.capacity.bodies_bytes_max),
        answers: answer::Answers::default(),
        making: Semaphore::new(PAGES_AT_A_TIME),
        engine,
        stop,
    });
    let gate = gate::Gate::new(gate::Room::of(site.engine.config()));
    let app = move || {
        App::new()
            .app_data(site.clone())
            .app_data(front::numbers())
            .wrap(from_fn(front::pass))
            .wrap(header::defaults(site.login.as_ref()))
            .configure(|config| drop(routes(config)))
    };
    let server = doorway::serve(app, listener, gate.clone())?;
    let handle = server.handle();
    tokio::spawn(async move {
        tokio::select! {
            () = ending.cancelled() => {}
            () = gate.watch() => {}
        }
        handle.stop(true).await;
    });
    Ok(server)
}

fn root(base_url: &str) -> String {
    let path = Url::parse(base_url).map(|url| url.path().trim_end_matches('/').to_owned());
    path.unwrap_or_default()
}

/// Puts all addresses into the application; returns them.
fn routes(config: &mut web::ServiceConfig) -> Vec<Address> {
    config.default_service(web::to(missing));
    let routes = Routes::new(config)
        .post("/github", webhook::receive)
        .post("/admin", admin::order)
        .post("/buildbot", buildbot::receive)
        .get("/health", health)
        .get("/events", live::events)
        .get("/assets/{name}", assets::serve)
        .get("/api/v1/queue/{label}", api::queue);
    let routes = login::routes(routes);
    let routes = worker_api::routes(routes);
    let routes = worker_git::routes(routes);
    let routes = job_log::routes(routes);
    let routes = artifacts::routes(routes);
    pages::routes(routes).into_table()
}

/// Whether what comes in can be stored, and the repositories' loops are alive.
async fn health(site: web::Data<Site>) -> HttpResponse {
    if let Some(complaint) = site.engine.store().complaint().await {
        return plain(HttpResponse::ServiceUnavailable(), complaint.to_string());
    }
    let text = HttpResponse::Ok();
    // Nothing is wrong with us where GitHub has not said yet who the bot is.
    if site.engine.is_asleep() || site.engine.repos().all(crate::engine::Repo::is_running) {
        return plain(text, "OK");
    }
    plain(
        HttpResponse::ServiceUnavailable(),
        "a repository's loop has ended",
    )
}

fn plain(
    mut response: actix_web::HttpResponseBuilder,
    text: impl Into<std::borrow::Cow<'static, str>>,
) -> HttpResponse {
    response
        .content_type("text/plain; charset=utf-8")
        .body(text.into().into_owned())
}

async fn missing() -> Result<HttpResponse, WebError> {
    Err(WebError::NoPage)
}
