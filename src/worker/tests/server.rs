//! A server for workers, as small as the protocol allows.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use tokio::sync::watch;
use url::Url;

use super::{DEADLINE, attempt, suite};
use crate::protocol::{ArtifactBounds, Attempt, Claim, LEASE_S, Order, Renewal, Report, Wish};
use paprq_core::ids::{AttemptNumber, CommitId, JobId};

pub(super) const TOKEN: &str = "worker-token";
const GIT_TOKEN: &str = "git-token";

/// What the server does with a log chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    None,
    /// Refused before anything is stored.
    Refused,
    /// Stored, but the answer is an error.
    StoredAndRefused,
    /// Only the first half is stored, and the answer is an error.
    HalfStored,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) orders: VecDeque<Order>,
    pub(super) claims: Vec<Claim>,
    pub(super) attempts: BTreeMap<Attempt, Record>,
    /// Taken from the front, one per chunk.
    pub(super) faults: VecDeque<Fault>,
    /// What is answered to the next files instead of taking them, one each.
    pub(super) artifact_codes: VecDeque<u16>,
}

#[derive(Default)]
pub(super) struct Record {
    pub(super) log: Vec<u8>,
    pub(super) reports: Vec<Report>,
    pub(super) verdict: Verdict,
    pub(super) beats: usize,
    pub(super) artifacts: BTreeMap<String, Vec<u8>>,
}

/// Shows the end of the log, not a number per byte of megabytes.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.log.len().saturating_sub(2000);
        f.debug_struct("Record")
            .field("log_bytes", &self.log.len())
            .field("log_end", &String::from_utf8_lossy(&self.log[end..]))
            .field("reports", &self.reports)
            .field("verdict", &self.verdict)
            .field("beats", &self.beats)
            .finish()
    }
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Verdict {
    #[default]
    GoOn,
    Stop,
    Gone,
}

/// Cheap to clone; the state is shared.
#[derive(Clone)]
struct Shared {
    state: Arc<Mutex<State>>,
    changed: Arc<watch::Sender<()>>,
    repository: Arc<tempfile::TempDir>,
}

pub(super) struct Server {
    shared: Shared,
    port: u16,
    handle: ServerHandle,
    pub(super) commit: CommitId,
}

impl Server {
    pub(super) fn start() -> Self {
        let repository = tempfile::tempdir().unwrap();
        let commit = make_repository(repository.path());
        let shared = Shared {
            state: Arc::default(),
            changed: Arc::new(watch::channel(()).0),
            repository: Arc::new(repository),
        };
        let (port, handle) = listen(shared.clone(), 0);
        Self {
            shared,
            port,
            handle,
            commit,
        }
    }

    pub(super) fn url(&self) -> Url {
        format!("http://127.0.0.1:{}/", self.port).parse().unwrap()
    }

    /// Orders from now on are for a commit that has these scripts too.
    pub(super) fn commit_scripts(&mut self, scripts: &[(&str, &str)]) {
        let root = self.shared.repository.path();
        for (name, text) in scripts {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        self.commit = commit(root, "scripts");
    }

    /// Orders from now on are for a commit that has these files and submodules too.
    pub(super) fn commit_with(&mut self, files: &[(&str, &str)], links: &[(&str, &str)]) {
        let id = super::completion::commit(self.repository(), files, links);
        self.commit = id.parse().unwrap();
    }

    /// The working copy of the repository that is served.
    pub(super) fn repository(&self) -> &Path {
        self.shared.repository.path()
    }

    /// Closes the port and breaks every connection.
    pub(super) async fn go_away(&self) {
        self.handle.stop(false).await;
    }

    pub(super) fn come_back(&mut self) {
        self.handle = listen(self.shared.clone(), self.port).1;
    }

    pub(super) fn order(&self, job: u64, change: impl FnOnce(&mut Order)) -> Attempt {
        let mut order = Order {
            attempt: attempt(job),
            lease_s: LEASE_S,
            commit: self.commit,
            git_ref: "refs/heads/master".to_owned(),
            git_token: GIT_TOKEN.to_owned(),
            slots: 1,
            suite: suite(&["true"]),
            variables: Vec::new(),
            secrets: Vec::new(),
            origin: None,
            log_header: vec![
                "http://example.org/pull/7".to_owned(),
                "TESTSUITE unit".to_owned(),
            ],
            log_bytes_max: 1 << 20,
            artifacts: ArtifactBounds::default(),
        };
        change(&mut order);
        let given = order.attempt;
        self.change(|state| {
            state.attempts.insert(given, Record::default());
            state.orders.push_back(order);
        });
        given
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.shared.state.lock().unwrap());
        self.shared.changed.send_replace(());
        changed
    }

    /// Waits until the state is such.
    pub(super) async fn until<T>(&self, look: impl Fn(&State) -> Option<T>) -> T {
        let mut changed = self.shared.changed.subscribe();
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = look(&self.shared.state.lock().unwrap()) {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_elapsed) => panic!("in vain: {:?}", self.shared.state.lock().unwrap()),
        }
    }

    /// Waits until the log of the attempt has this text.
    pub(super) async fn until_printed(&self, attempt: Attempt, text: &str) {
        self.until(|state| {
            // What tests wait for is printed early; a flood is not searched again and again.
            let log = &state.attempts[&attempt].log;
            let beginning = String::from_utf8_lossy(&log[..log.len().min(64 * 1024)]);
            beginning.contains(text).then_some(())
        })
        .await;
    }

    pub(super) async fn report(&self, attempt: Attempt) -> (String, Report) {
        self.until(|state| {
            let record = &state.attempts[&attempt];
            let report = record.reports.first()?.clone();
            Some((String::from_utf8_lossy(&record.log).into_owned(), report))
        })
        .await
    }

    pub(super) async fn execute(
        &self,
        job: u64,
        change: impl FnOnce(&mut Order),
    ) -> (String, Report) {
        let attempt = self.order(job, change);
        self.report(attempt).await
    }
}

fn listen(shared: Shared, port: u16) -> (u16, ServerHandle) {
    let server = HttpServer::new(move || {
        let attempt = "/api/v1/jobs/{job}/attempts/{number}";
        App::new()
            .app_data(web::Data::new(shared.clone()))
            .app_data(web::PayloadConfig::new(16 << 20))
            .route("/api/v1/worker/claim", web::post().to(claim))
            .route(&format!("{attempt}/log"), web::post().to(log))
            .route(
                &format!("{attempt}/artifacts/{{path:.*}}"),
                web::put().to(artifact),
            )
            .route(&format!("{attempt}/beat"), web::post().to(beat))
            .route(&format!("{attempt}/result"), web::post().to(result))
            .route(&format!("{attempt}/git/info/refs"), web::get().to(refs))
            .route(
                &format!("{attempt}/git/git-upload-pack"),
                web::post().to(pack),
            )
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", port))
    .unwrap();
    let port = server.addrs()[0].port();
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);
    (port, handle)
}

fn authorized(request: &HttpRequest) -> bool {
    let shown = request.headers().get("authorization");
    shown.is_some_and(|shown| *shown == format!("Bearer {TOKEN}"))
}

async fn claim(
    request: HttpRequest,
    shared: web::Data<Shared>,
    claim: web::Json<Claim>,
) -> HttpResponse {
    if !authorized(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let claim = claim.into_inner();
    let mut changed = shared.changed.subscribe();
    shared.state.lock().unwrap().claims.push(claim.clone());
    shared.changed.send_replace(());
    let order = tokio::time::timeout(std::time::Duration::from_secs(claim.wait_s), async {
        loop {
            changed.mark_unchanged();
            let order = shared.state.lock().unwrap().orders.pop_front();
            match order {
                Some(order) => return order,
                None => changed.changed().await.unwrap(),
            }
        }
    });
    match order.await {
        Ok(order) => HttpResponse::Ok().json(order),
        Err(_elapsed) => HttpResponse::NoContent().finish(),
    }
}

type AttemptPath = web::Path<(u64, u32)>;

fn answer(
    request: &HttpRequest,
    shared: &Shared,
    place: &AttemptPath,
    change: impl FnOnce(&mut Record) -> Fault,
) -> HttpResponse {
    if !authorized(request) {
        return HttpResponse::Unauthorized().finish();
    }
    let attempt = Attempt {
        job: JobId(place.0),
        number: AttemptNumber(place.1),
    };
    let mut state = shared.state.lock().unwrap();
    let record = state.attempts.get_mut(&attempt).unwrap();
    if record.verdict == Verdict::Gone {
        return HttpResponse::Gone().finish();
    }
    let fault = change(record);
    let answer = Renewal {
        wish: match record.verdict {
            Verdict::Stop => Wish::Stop,
            Verdict::GoOn | Verdict::Gone => Wish::GoOn,
        },
        log_bytes: record.log.len() as u64,
    };
    drop(state);
    shared.changed.send_replace(());
    if fault == Fault::None {
        HttpResponse::Ok().json(answer)
    } else {
        HttpResponse::InternalServerError().finish()
    }
}

#[derive(serde::Deserialize)]
struct Offset {
    offset: u64,
}

async fn log(
    request: HttpRequest,
    shared: web::Data<Shared>,
    place: AttemptPath,
    offset: web::Query<Offset>,
    body: web::Bytes,
) -> HttpResponse {
    let next = shared.state.lock().unwrap().faults.pop_front();
    let fault = next.unwrap_or(Fault::None);
    answer(&request, &shared, &place, |record| {
        let stored = match fault {
            Fault::None | Fault::StoredAndRefused => &body[..],
            Fault::HalfStored => &body[..body.len() / 2],
            Fault::Refused => &[],
        };
        if offset.offset == record.log.len() as u64 {
            record.log.extend_from_slice(stored);
        }
        fault
    })
}

async fn artifact(
    request: HttpRequest,
    shared: web::Data<Shared>,
    place: web::Path<(u64, u32, String)>,
    body: web::Bytes,
) -> HttpResponse {
    let code = shared.state.lock().unwrap().artifact_codes.pop_front();
    if let Some(code) = code {
        let code = actix_web::http::StatusCode::from_u16(code).unwrap();
        return HttpResponse::build(code).finish();
    }
    let (job, number, path) = place.into_inner();
    answer(&request, &shared, &(job, number).into(), |record| {
        record.artifacts.insert(path, body.to_vec());
        Fault::None
    })
}

async fn beat(request: HttpRequest, shared: web::Data<Shared>, place: AttemptPath) -> HttpResponse {
    answer(&request, &shared, &place, |record| {
        record.beats += 1;
        Fault::None
    })
}

async fn result(
    request: HttpRequest,
    shared: web::Data<Shared>,
    place: AttemptPath,
    report: web::Json<Report>,
) -> HttpResponse {
    answer(&request, &shared, &place, |record| {
        record.reports.push(report.into_inner());
        Fault::None
    })
}

fn may_fetch(request: &HttpRequest) -> bool {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("paprq:{GIT_TOKEN}"));
    let shown = request.headers().get("authorization");
    shown.is_some_and(|shown| *shown == format!("Basic {pair}"))
}

async fn refs(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    if !may_fetch(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let mut body = b"001e# service=git-upload-pack\n0000".to_vec();
    body.extend(upload_pack(
        shared.repository.path(),
        &["--advertise-refs"],
        b"",
    ));
    HttpResponse::Ok()
        .content_type("application/x-git-upload-pack-advertisement")
        .body(body)
}

async fn pack(request: HttpRequest, shared: web::Data<Shared>, body: web::Bytes) -> HttpResponse {
    if !may_fetch(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    HttpResponse::Ok()
        .content_type("application/x-git-upload-pack-result")
        .body(upload_pack(shared.repository.path(), &[], &body))
}

pub(super) fn upload_pack(repository: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .args(["upload-pack", "--stateless-rpc"])
        .args(arguments)
        .arg(repository)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git runs (package git)");
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, input).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap().stdout
}

/// Two commits on master; the second has a file `greeting`.
fn make_repository(path: &Path) -> CommitId {
    git(path, &["init", "--quiet"]);
    git(path, &["commit", "--quiet", "--allow-empty", "-m", "first"]);
    std::fs::write(path.join("greeting"), "hello\n").unwrap();
    commit(path, "second")
}

fn commit(path: &Path, message: &str) -> CommitId {
    git(path, &["add", "--all"]);
    git(path, &["commit", "--quiet", "-m", message]);
    git(path, &["rev-parse", "HEAD"]).parse().unwrap()
}

pub(super) fn git(path: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git")
        .current_dir(path)
        .args(["-c", "user.name=Tester", "-c", "user.email=t@example.org"])
        .args(["-c", "init.defaultBranch=master"])
        .args(arguments)
        .output()
        .expect("git runs (package git)");
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}
