//! The HTTP server: its thread, its routes, and what every request goes through: the log, the
//! faults, and the connection that can be broken.

use std::any::Any;
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use actix_web::dev::Extensions;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use paprq_core::ids::Login;

use super::PracticeError;
use super::core::Core;
use super::faults::{ApiFault, Arrival, Plan};
use super::hooks::{self, Parcel};
use super::world::Request;
use super::{git_http, pages, rest};

/// Pushes of tests are small; a fork's whole history still fits.
const BODY_BYTES_MAX: usize = 256 << 20;

/// A server on its own thread. Stops when dropped.
#[derive(Debug)]
pub(super) struct Server {
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    pub(super) fn start(
        core: Arc<Core>,
        listener: TcpListener,
        parcels: mpsc::UnboundedReceiver<Parcel>,
    ) -> Result<Self, PracticeError> {
        // The client wants one even for plain HTTP; another one that is there already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(PracticeError::Client)?;
        let (stop, stopped) = oneshot::channel();
        let (started, starts) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("practice-github".to_owned())
            .spawn(move || {
                actix_web::rt::System::new().block_on(async move {
                    tokio::spawn(hooks::deliver(Arc::clone(&core), client, parcels));
                    serve(core, listener, stopped, started).await;
                });
            })
            .map_err(PracticeError::Start)?;
        match starts.recv() {
            Ok(Ok(())) | Err(_) => Ok(Self {
                running: Mutex::new(Some(Running { stop, thread })),
            }),
            Ok(Err(error)) => Err(PracticeError::Start(error)),
        }
    }

    /// Stops the server and waits until it has. Requests under way are broken off.
    pub(super) fn stop(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Running { stop, thread }) = running
            && (stop.send(()).is_err() || thread.join().is_err())
        {
            tracing::error!("the practice server had ended before it was stopped");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn serve(
    core: Arc<Core>,
    listener: TcpListener,
    stopped: oneshot::Receiver<()>,
    started: std::sync::mpsc::Sender<std::io::Result<()>>,
) {
    let core = web::Data::from(core);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(core.clone())
            .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
            .configure(routes)
    })
    .workers(2)
    .disable_signals()
    .on_connect(remember_connection)
    .listen(listener);
    let server = match server {
        Ok(server) => server.run(),
        Err(error) => {
            drop(started.send(Err(error)));
            return;
        }
    };
    drop(started.send(Ok(())));
    let handle = server.handle();
    tokio::spawn(async move {
        // An error says that the other end is gone: then there is nobody to serve either.
        drop(stopped.await);
        handle.stop(false).await;
    });
    if let Err(error) = server.await {
        tracing::error!(%error, "practice server failed");
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/api/v3/{path:.*}", web::to(api))
        .route("/{owner}/{repo}/info/refs", web::get().to(git_refs))
        .route(
            "/{owner}/{repo}/{service:git-upload-pack|git-receive-pack}",
            web::post().to(git_service),
        )
        .configure(pages::routes);
}

async fn api(request: HttpRequest, body: Bytes, core: web::Data<Core>) -> HttpResponse {
    let core = core.into_inner();
    let path = request.uri().to_string();
    let path = path.strip_prefix("/api/v3").unwrap_or(&path).to_owned();
    let seen = Seen::of(&core, &request, path, Kind::Api, &body);
    let call = rest::Call {
        method: request.method().as_str().to_owned(),
        path: seen.arrival.path.clone(),
        caller: seen.caller.clone(),
        if_none_match: header(&request, "if-none-match"),
        body,
    };
    let worker = Arc::clone(&core);
    let work = async move {
        web::block(move || rest::answer(&worker, &call))
            .await
            .unwrap_or_else(|_| rest::Answer::broken())
            .into_response()
    };
    seen.through_faults(core, &request, work).await
}

async fn git_refs(request: HttpRequest, core: web::Data<Core>) -> HttpResponse {
    let core = core.into_inner();
    let path = request.uri().to_string();
    let seen = Seen::of(&core, &request, path, Kind::Git, &Bytes::new());
    let visit = git_http::Visit::of(&request, &seen.caller, Bytes::new());
    let work = git_http::refs(Arc::clone(&core), visit);
    seen.through_faults(core, &request, work).await
}

async fn git_service(request: HttpRequest, body: Bytes, core: web::Data<Core>) -> HttpResponse {
    let core = core.into_inner();
    let path = request.uri().to_string();
    let seen = Seen::of(&core, &request, path, Kind::Git, &Bytes::new());
    let visit = git_http::Visit::of(&request, &seen.caller, body);
    let work = git_http::service(Arc::clone(&core), visit);
    seen.through_faults(core, &request, work).await
}

/// Who sent a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Caller {
    /// It carried no token.
    Anonymous,
    /// It carried this user's token.
    User(Login),
    /// It carried a token that nobody has.
    Stranger,
}

impl Caller {
    pub(super) fn login(&self) -> Option<&Login> {
        match self {
            Self::User(login) => Some(login),
            Self::Anonymous | Self::Stranger => None,
        }
    }

    /// `Authorization: Bearer T` or `token T` (REST), or `Basic` with the token as password (git).
    fn of(core: &Core, request: &HttpRequest) -> Self {
        let Some(value) = header(request, AUTHORIZATION.as_str()) else {
            return Self::Anonymous;
        };
        let token = match value.split_once(' ') {
            Some((scheme, token))
                if scheme.eq_ignore_ascii_case("bearer")
                    || scheme.eq_ignore_ascii_case("token") =>
            {
                token.trim().to_owned()
            }
            Some((scheme, login)) if scheme.eq_ignore_ascii_case("basic") => password(login),
            Some(_) | None => return Self::Stranger,
        };
        let world = core.world();
        let known = world.tokens.get(&token);
        match known.or_else(|| world.logins.tokens.get(&token)) {
            Some(login) => Self::User(login.clone()),
            None => Self::Stranger,
        }
    }
}

fn password(basic: &str) -> String {
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(basic.trim())
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&decoded);
    text.split_once(':')
        .map_or_else(String::new, |(_, password)| password.to_owned())
}

/// A header's text.
pub(super) fn header(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name)?;
    Some(value.to_str().ok()?.to_owned())
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Api,
    Git,
}

/// A request that is in the log, and what is planned for it.
struct Seen {
    arrival: Arrival,
    caller: Caller,
    plan: Plan,
}

impl Seen {
    fn of(core: &Core, request: &HttpRequest, path: String, kind: Kind, body: &Bytes) -> Self {
        let caller = Caller::of(core, request);
        let json = header(request, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("json"));
        let body = match json || kind == Kind::Api {
            true => serde_json::from_slice(body).unwrap_or(Value::Null),
            false => Value::Null,
        };
        let mut world = core.world();
        let number = u64::try_from(world.requests.len()).unwrap_or(u64::MAX) + 1;
        let arrival = Arrival {
            number,
            method: request.method().as_str().to_owned(),
            path,
            login: caller.login().cloned(),
        };
        world.requests.push(Request {
            number,
            method: arrival.method.clone(),
            path: arrival.path.clone(),
            login: arrival.login.clone(),
            body,
            at: core.now(),
            status: None,
            api: kind == Kind::Api,
        });
        drop(world);
        let plan = core.faults.plan(&arrival);
        Self {
            arrival,
            caller,
            plan,
        }
    }

    async fn through_faults(
        self,
        core: Arc<Core>,
        request: &HttpRequest,
        work: impl Future<Output = HttpResponse>,
    ) -> HttpResponse {
        core.changed();
        match &self.plan.fault {
            Some(ApiFault::Hang) => return std::future::pending().await,
            Some(ApiFault::Refuse) => return break_connection(request),
            Some(
                fault @ (ApiFault::Fail(_)
                | ApiFault::Say(..)
                | ApiFault::RetryAfter(_)
                | ApiFault::SecondaryLimit(_)),
            ) => return self.finish(&core, rest::planned_failure(fault)),
            Some(ApiFault::ApplyThenBreak | ApiFault::ApplyThenHang | ApiFault::Delay(_))
            | None => {}
        }
        let (plan, arrival) = (self.plan.clone(), self.arrival.clone());
        told(move || plan.tell_before(&arrival)).await;
        let response = work.await;
        let (plan, arrival) = (self.plan.clone(), self.arrival.clone());
        told(move || plan.tell_after(&arrival)).await;
        match &self.plan.fault {
            Some(ApiFault::ApplyThenBreak) => return break_connection(request),
            Some(ApiFault::ApplyThenHang) => return std::future::pending().await,
            Some(ApiFault::Delay(delay)) => tokio::time::sleep(*delay).await,
            Some(_) | None => {}
        }
        self.finish(&core, response)
    }

    /// Writes the answer into the log.
    fn finish(&self, core: &Core, response: HttpResponse) -> HttpResponse {
        let mut world = core.world();
        let number = self.arrival.number;
        let found = world
            .requests
            .iter_mut()
            .rev()
            .find(|request| request.number == number);
        if let Some(request) = found {
            request.status = Some(response.status().as_u16());
        }
        drop(world);
        core.changed();
        response
    }
}

/// Watchers may block: they kill processes and wait for them.
async fn told(tell: impl FnOnce() + Send + 'static) {
    if web::block(tell).await.is_err() {
        tracing::error!("a watcher of the practice server panicked");
    }
}

/// A second handle to a connection's socket, by which it can be broken.
#[derive(Debug)]
struct Connection(std::net::TcpStream);

fn remember_connection(io: &dyn Any, extensions: &mut Extensions) {
    use std::os::fd::AsFd as _;
    if let Some(stream) = io.downcast_ref::<TcpStream>()
        && let Ok(copy) = stream.as_fd().try_clone_to_owned()
    {
        extensions.insert(Connection(copy.into()));
    }
}

/// Breaks the connection before anything is answered; what is returned reaches nobody.
fn break_connection(request: &HttpRequest) -> HttpResponse {
    if let Some(Connection(stream)) = request.conn_data::<Connection>() {
        // A connection that is closed already is as broken as it shall be.
        drop(stream.shutdown(Shutdown::Both));
    }
    HttpResponse::ServiceUnavailable().finish()
}
