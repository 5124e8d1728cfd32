//! Speaks with the worker as the server does, on the loopback interface, for as long as this lasts.
//!
//! [`crate::protocol`] says what is spoken. Nothing is stored, and there is one worker, so a lease
//! never ends. Another user of the machine reaches the port, and is let in nowhere without the tokens.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde::Deserialize;
use tokio::sync::watch;
use url::Url;

use super::board::Board;
use super::snapshot::{RUN, Snapshot};
use crate::git::serve::{
    ADVERTISEMENT_TYPE, REQUEST_BYTES_MAX, RESULT_TYPE, advertise, upload_pack,
};
use crate::protocol::{
    ArtifactBounds, Attempt, CHUNK_BYTES_MAX, Claim, LEASE_S, Order, Renewal, Report, Wish,
};
use paprq_core::ids::{AttemptNumber, JobId};
use paprq_core::suite::{Suite, Variable};

/// The longest log of a suite, in bytes.
const LOG_BYTES_MAX: u64 = 64 << 20;
/// The largest JSON body, in bytes.
const JSON_BYTES_MAX: usize = 256 << 10;

/// The server, and the port that it listens on.
pub(super) struct RunServer {
    shared: Arc<Shared>,
    url: Url,
    handle: ServerHandle,
}

struct Shared {
    board: Mutex<Board>,
    /// Tells of every change of the board.
    changed: watch::Sender<()>,
    snapshot: Snapshot,
    /// What the worker shows.
    token: String,
    /// What git shows for the worker.
    git_token: String,
}

impl RunServer {
    /// Opens it; the worker may come at once.
    pub(super) fn open(board: Board, snapshot: Snapshot) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            board: Mutex::new(board),
            changed: watch::channel(()).0,
            snapshot,
            token: random_text(),
            git_token: random_text(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?))?;
        let served = Arc::clone(&shared);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::from(Arc::clone(&served)))
                .app_data(web::JsonConfig::default().limit(JSON_BYTES_MAX))
                .configure(routes)
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            shared,
            url,
            handle,
        })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// What the worker shows.
    pub(super) fn token(&self) -> &str {
        &self.shared.token
    }

    /// Looks at the board.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Board) -> T) -> T {
        look(&self.shared.board())
    }

    /// What tells of every change of the board from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// Closes the port.
    pub(super) async fn close(&self) {
        self.handle.stop(false).await;
    }
}

fn random_text() -> String {
    hex::encode(rand::random::<[u8; 20]>())
}

fn routes(config: &mut web::ServiceConfig) {
    let attempt = "/api/v1/jobs/{job}/attempts/{number}";
    config
        .route("/api/v1/worker/claim", web::post().to(claim))
        .service(
            web::resource(format!("{attempt}/log"))
                .app_data(web::PayloadConfig::new(CHUNK_BYTES_MAX))
                .route(web::post().to(append_log)),
        )
        .route(&format!("{attempt}/beat"), web::post().to(beat))
        .route(&format!("{attempt}/result"), web::post().to(report))
        .route(&format!("{attempt}/git/info/refs"), web::get().to(refs))
        .service(
            web::resource(format!("{attempt}/git/git-upload-pack"))
                .app_data(web::PayloadConfig::new(REQUEST_BYTES_MAX))
                .route(web::post().to(pack)),
        );
}

impl Shared {
    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        // Each change of the board is whole, whatever its caller does next.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Board) -> T) -> T {
        let changed = change(&mut self.board());
        self.changed.send_replace(());
        changed
    }

    fn is_the_worker(&self, request: &HttpRequest) -> bool {
        let shown = request.headers().get(header::AUTHORIZATION);
        shown.is_some_and(|shown| *shown == format!("Bearer {}", self.token))
    }

    fn is_its_git(&self, request: &HttpRequest) -> bool {
        use base64::Engine as _;
        let pair = format!("paprq:{}", self.git_token);
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        let shown = request.headers().get(header::AUTHORIZATION);
        shown.is_some_and(|shown| *shown == format!("Basic {pair}"))
    }

    fn begin(&self) -> Option<Order> {
        let begun = self.change(|board| {
            let number = board.begin()?;
            Some((number, board.jobs().get(number)?.suite.clone()))
        });
        begun.map(|(number, suite)| self.order(number, suite))
    }

    fn order(&self, number: usize, mut suite: Suite) -> Order {
        // Nobody keeps files here.
        suite.artifacts.clear();
        let commit = self.snapshot.commit;
        Order {
            attempt: Attempt {
                job: JobId(u64::try_from(number).unwrap_or(u64::MAX)),
                number: AttemptNumber(1),
            },
            lease_s: LEASE_S,
            commit,
            git_ref: format!("refs/paprq/runs/{RUN}"),
            git_token: self.git_token.clone(),
            variables: variables(&self.snapshot),
            secrets: Vec::new(),
            origin: self.snapshot.origin.clone(),
            log_header: vec![
                self.snapshot.slug.clone(),
                commit.to_string(),
                format!("TESTSUITE {}", suite.context),
            ],
            suite,
            artifacts: ArtifactBounds::default(),
            slots: 1,
            log_bytes_max: LOG_BYTES_MAX,
        }
    }
}

/// `RHCI_*` and `PAPR_*`.
fn variables(snapshot: &Snapshot) -> Vec<Variable> {
    let facts = [
        ("REPO", snapshot.slug.clone()),
        ("COMMIT", snapshot.commit.to_string()),
        ("BRANCH", snapshot.branch.clone()),
    ];
    ["RHCI", "PAPR"]
        .iter()
        .flat_map(|prefix| {
            facts.iter().map(move |(name, value)| Variable {
                name: format!("{prefix}_{name}"),
                value: value.clone(),
            })
        })
        .collect()
}

/// Which attempt an address names; there is one of each job.
#[derive(Clone, Copy, Debug, Deserialize)]
struct AttemptPath {
    job: usize,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Offset {
    offset: u64,
}

async fn claim(
    request: HttpRequest,
    server: web::Data<Shared>,
    claim: web::Json<Claim>,
) -> HttpResponse {
    if !server.is_the_worker(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let mut changed = server.changed.subscribe();
    let order = async {
        loop {
            changed.mark_unchanged();
            match server.begin() {
                Some(order) => return order,
                // The sender lives as long as this call.
                None => drop(changed.changed().await),
            }
        }
    };
    let wait = std::time::Duration::from_secs(claim.wait_s);
    match tokio::time::timeout(wait, order).await {
        Ok(order) => HttpResponse::Ok().json(order),
        Err(_elapsed) => HttpResponse::NoContent().finish(),
    }
}

async fn append_log(
    request: HttpRequest,
    server: web::Data<Shared>,
    place: web::Path<AttemptPath>,
    offset: web::Query<Offset>,
    chunk: web::Bytes,
) -> HttpResponse {
    answer(&request, &server, *place, |board, number| {
        if let Some(job) = board.job_mut(number)
            && usize::try_from(offset.offset).is_ok_and(|offset| offset == job.log.len())
        {
            job.log.extend_from_slice(&chunk);
        }
    })
}

async fn beat(
    request: HttpRequest,
    server: web::Data<Shared>,
    place: web::Path<AttemptPath>,
) -> HttpResponse {
    answer(&request, &server, *place, |_, _| ())
}

async fn report(
    request: HttpRequest,
    server: web::Data<Shared>,
    place: web::Path<AttemptPath>,
    report: web::Json<Report>,
) -> HttpResponse {
    answer(&request, &server, *place, |board, number| {
        let all = board.jobs().get(number).map(|job| bytes(&job.log));
        if all.is_some_and(|all| all >= report.log_bytes) {
            board.end(number, report.outcome.clone());
        }
    })
}

fn answer(
    request: &HttpRequest,
    server: &Shared,
    place: AttemptPath,
    change: impl FnOnce(&mut Board, usize),
) -> HttpResponse {
    if !server.is_the_worker(request) {
        return HttpResponse::Unauthorized().finish();
    }
    let held = server.change(|board| {
        change(board, place.job);
        board.jobs().get(place.job).map(|job| bytes(&job.log))
    });
    match held {
        Some(log_bytes) => HttpResponse::Ok().json(Renewal {
            wish: Wish::GoOn,
            log_bytes,
        }),
        None => HttpResponse::Gone().finish(),
    }
}

fn bytes(log: &[u8]) -> u64 {
    u64::try_from(log.len()).unwrap_or(u64::MAX)
}

async fn refs(request: HttpRequest, server: web::Data<Shared>) -> HttpResponse {
    if !server.is_its_git(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    match advertise(&server.snapshot.mirror, RUN).await {
        Ok(refs) => HttpResponse::Ok()
            .content_type(ADVERTISEMENT_TYPE)
            .body(refs),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

async fn pack(request: HttpRequest, server: web::Data<Shared>, body: web::Bytes) -> HttpResponse {
    if !server.is_its_git(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    match upload_pack(&server.snapshot.mirror, RUN, body).await {
        Ok(answer) => HttpResponse::Ok()
            .content_type(RESULT_TYPE)
            .streaming(answer),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}
