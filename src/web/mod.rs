//! HTTP: webhooks, pages, live events and the workers' API.
//!
//! `front` stands before all routes, `webhook` takes what GitHub sends, `worker_api` and `worker_git` serve workers, `pages` and
//! `api` show what the engine knows, `live` and `job_log` follow it. Nothing here decides anything.

mod admin;
mod announcement;
mod api;
mod artifacts;
mod assets;
mod buildbot;
mod error;
mod front;
mod header;
mod job_log;
mod live;
mod login;
mod pages;
mod secret;
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
use actix_web::{App, HttpResponse, HttpServer, web};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::error::WebError;
use crate::engine::Engine;

/// How many threads answer.
const THREADS: usize = 2;

/// How long requests that are under way may take after the server was told to stop, in seconds.
const STOP_S: u64 = 3;

/// What every handler gets.
struct Site {
    engine: Engine,
    /// The path at which people reach us, without a slash at its end; mostly empty.
    root: String,
    /// How people log in, if they can.
    login: Option<login::Login>,
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
        engine,
        stop,
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(site.clone())
            .app_data(front::numbers())
            .wrap(from_fn(front::pass))
            .wrap(header::defaults(site.login.as_ref()))
            .configure(routes)
    });
    let server = server
        .workers(THREADS)
        .disable_signals()
        .shutdown_timeout(STOP_S)
        .listen(listener)?
        .run();
    let handle = server.handle();
    tokio::spawn(async move {
        ending.cancelled().await;
        handle.stop(true).await;
    });
    Ok(server)
}

fn root(base_url: &str) -> String {
    let path = Url::parse(base_url).map(|url| url.path().trim_end_matches('/').to_owned());
    path.unwrap_or_default()
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/github", web::post().to(webhook::receive))
        .route("/admin", web::post().to(admin::order))
        .route("/buildbot", web::post().to(buildbot::receive))
        .route("/health", web::get().to(health))
        .route("/events", web::get().to(live::events))
        .route("/assets/{name}", web::get().to(assets::serve))
        .route("/api/v1/queue/{label}", web::get().to(api::queue));
    login::routes(config);
    worker_api::routes(config);
    worker_git::routes(config);
    job_log::routes(config);
    artifacts::routes(config);
    pages::routes(config);
    config.default_service(web::to(missing));
}

/// Whether the repositories' loops are alive.
async fn health(site: web::Data<Site>) -> HttpResponse {
    let text = HttpResponse::Ok();
    if site.engine.repos().all(crate::engine::Repo::is_running) {
        return plain(text, "OK");
    }
    plain(
        HttpResponse::ServiceUnavailable(),
        "a repository's loop has ended",
    )
}

fn plain(mut response: actix_web::HttpResponseBuilder, text: &'static str) -> HttpResponse {
    response
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

async fn missing() -> Result<HttpResponse, WebError> {
    Err(WebError::NoPage)
}
