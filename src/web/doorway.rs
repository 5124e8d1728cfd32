//! Where connections come in: each passes the gate, is served by actix, and is closed when the gate
//! says so.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::{HttpService, KeepAlive, Protocol, Request, Response};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, Service as _, ServiceFactory, fn_factory, fn_service, map_config,
};
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::gate::{Gate, Visit};

/// How many threads answer.
const THREADS: usize = 2;

/// How long requests that are under way may take after the server was told to stop, in seconds.
const STOP_S: u64 = 3;

/// How long the first request of a connection may take to arrive, without its body.
const HEAD: Duration = Duration::from_secs(5);

/// How long a connection stays open for another request.
const KEPT_ALIVE: Duration = Duration::from_secs(5);

/// How long a connection may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// How many connections beyond those of the gate may be there for a moment: those that it closes.
const LEAVING: usize = 32;

/// A connection that was let in.
struct Watched {
    stream: TcpStream,
    visit: Arc<Visit>,
    stalls: bool,
}

/// Serves an application to all who are let in.
///
/// # Errors
/// If the listener cannot be used.
pub(super) fn serve<F, I, S, B>(app: F, listener: TcpListener, gate: Gate) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Response<BoxBody>> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as actix_service::Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let builder = Server::build()
        .workers(THREADS)
        .disable_signals()
        .shutdown_timeout(STOP_S)
        .max_concurrent_connections(gate.room().connections_max.div_ceil(THREADS) + LEAVING);
    let stopping = builder.graceful_shutdown_signal();
    let connections = move || {
        let stopping = stopping.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KeepAlive::Timeout(KEPT_ALIVE))
            .client_request_timeout(HEAD)
            .client_disconnect_timeout(CLOSING)
            .local_addr(address)
            .on_connect_ext(|watched: &Watched, data| {
                data.insert(Arc::clone(&watched.visit));
            })
            .finish(map_config(app(), |()| AppConfig::default()));
        let gate = gate.clone();
        fn_factory(move || {
            let (http, gate) = (http.new_service(()), gate.clone());
            async move {
                let http = Rc::new(http.await?);
                Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                    let visit = enter(&gate, &stream);
                    let http = Rc::clone(&http);
                    async move {
                        let Some(visit) = visit else {
                            return Ok::<_, Infallible>(());
                        };
                        let peer = stream.peer_addr().ok();
                        let watched = Watched::new(stream, Arc::clone(&visit));
                        tokio::select! {
                            _served = http.call((watched, Protocol::Http1, peer)) => {}
                            () = visit.closed() => {}
                        }
                        Ok(())
                    }
                }))
            }
        })
    };
    Ok(builder.listen("pages", listener, connections)?.run())
}

fn enter(gate: &Gate, stream: &TcpStream) -> Option<Arc<Visit>> {
    let peer = stream.peer_addr().ok()?;
    let visit = gate.enter(peer.ip());
    if visit.is_none() {
        tracing::warn!(%peer, "a connection was refused: all that are open matter more");
    }
    visit.map(Arc::new)
}

impl Watched {
    fn new(stream: TcpStream, visit: Arc<Visit>) -> Self {
        Self {
            stream,
            visit,
            stalls: false,
        }
    }

    /// Notes whether anything can be sent.
    fn noted<T>(&mut self, sent: Poll<T>) -> Poll<T> {
        match (sent.is_pending(), self.stalls) {
            (true, false) => self.visit.stalls(),
            (false, true) => self.visit.moves(),
            (true, true) | (false, false) => {}
        }
        self.stalls = sent.is_pending();
        sent
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.noted(sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
