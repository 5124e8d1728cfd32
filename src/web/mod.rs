//! HTTP: webhooks, the workers' API, pages, live events.

mod error;
mod webhooks;
mod workers;

use std::net::TcpListener;

use actix_web::{App, HttpServer, web};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;

/// Threads that answer requests.
const THREADS: usize = 2;
/// How long requests under way may take when the server stops, in seconds.
const SHUTDOWN_S: u64 = 3;

/// Serves everything over HTTP on this listener until `stop`.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(
    engine: Engine,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<impl Future<Output = std::io::Result<()>> + Send> {
    let ending = stop.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(engine.clone()))
            .app_data(web::Data::new(stop.clone()))
            .configure(webhooks::routes)
            .configure(workers::routes)
    })
    .workers(THREADS)
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_S)
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(async move {
        ending.cancelled().await;
        handle.stop(true).await;
    });
    Ok(server)
}
