//! An HTTP server on loopback that records what it is asked and answers by a script.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// A request that came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Seen {
    /// `METHOD PATH`
    pub(super) line: String,
    pub(super) body: String,
    /// The header `Cookie`; empty where there is none.
    pub(super) cookie: String,
}

/// Stops when it is dropped.
pub(super) struct Recorder {
    /// Where it listens, without a slash at its end.
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    handle: ServerHandle,
}

type Script = Arc<dyn Fn(&Seen) -> HttpResponse + Send + Sync>;

impl Recorder {
    /// Listens on any free port of 127.0.0.1.
    pub(super) fn start(script: impl Fn(&Seen) -> HttpResponse + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", script)
    }

    /// Listens on any free port of this address.
    pub(super) fn start_at(
        host: &str,
        script: impl Fn(&Seen) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let script: Script = Arc::new(script);
        let server = serve(listener, Arc::clone(&seen), script);
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, seen, handle }
    }

    /// All requests so far, in order.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Their `METHOD PATH`.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Answers that never end are broken off.
        drop(self.handle.stop(false));
    }
}

fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Seen>>>, script: Script) -> Server {
    let server = HttpServer::new(move || {
        let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
        let answer = move |request: HttpRequest, body: String| {
            let came = Seen {
                line: format!("{} {}", request.method(), request.uri()),
                body,
                cookie: header(&request, "cookie"),
            };
            seen.lock().unwrap().push(came.clone());
            std::future::ready(script(&came))
        };
        App::new().default_service(web::to(answer))
    });
    let server = server.workers(1).disable_signals();
    server.listen(listener).unwrap().run()
}

fn header(request: &HttpRequest, name: &str) -> String {
    let value = request.headers().get(name);
    let value = value.map(|value| value.to_str().unwrap());
    value.unwrap_or_default().to_owned()
}
