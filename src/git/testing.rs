//! For the tests: a remote repository with hand-made commits, and an HTTP server in front of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine as _;
use futures_util::stream;
use git2::{Oid, Repository, Signature, Time};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use super::mirror::{commit_id, oid};
use super::{Limits, Mirror, Person, Remote, RemoteAuth, Secret};
use paprq_core::ids::{BranchName, CommitId, PullNumber, RunId, Timestamp};

pub(super) const TOKEN: &str = "ghs_sesame";

pub(super) fn branch(name: &str) -> BranchName {
    BranchName::new(name)
}

pub(super) fn bot() -> Person {
    Person {
        name: "Bot".to_owned(),
        email: "bot@example.org".to_owned(),
    }
}

pub(super) const AT: Timestamp = Timestamp(1_700_000_000_000);

/// One directory entry of a commit to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    File(Vec<u8>),
    Program(Vec<u8>),
    Link(Vec<u8>),
    /// A submodule at the commit whose id is this byte, twenty times.
    Module(u8),
}

/// Path, as bytes, to content.
pub(super) type Files = BTreeMap<Vec<u8>, Entry>;

pub(super) fn files(list: &[(&str, &str)]) -> Files {
    list.iter()
        .map(|(path, text)| {
            (
                path.as_bytes().to_vec(),
                Entry::File(text.as_bytes().to_vec()),
            )
        })
        .collect()
}

/// A bare repository in a temporary directory, which plays the remote.
pub(super) struct Origin {
    pub(super) dir: TempDir,
}

impl Origin {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(dir.path().join("r.git")).unwrap();
        let mut config = repository.config().unwrap();
        config.set_bool("http.receivepack", true).unwrap();
        Self { dir }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join("r.git")
    }

    pub(super) fn repository(&self) -> Repository {
        Repository::open_bare(self.path()).unwrap()
    }

    pub(super) fn commit(&self, parents: &[CommitId], files: &Files) -> CommitId {
        commit(&self.repository(), parents, files)
    }

    pub(super) fn set(&self, name: &str, commit: CommitId) {
        let id = oid(commit).unwrap();
        self.repository().reference(name, id, true, "").unwrap();
    }

    pub(super) fn set_branch(&self, name: &str, commit: CommitId) {
        self.set(&format!("refs/heads/{name}"), commit);
    }

    pub(super) fn set_pull(&self, pull: PullNumber, head: CommitId) {
        self.set(&format!("refs/pull/{pull}/head"), head);
    }

    pub(super) fn delete_branch(&self, name: &str) {
        let repository = self.repository();
        let name = format!("refs/heads/{name}");
        repository.find_reference(&name).unwrap().delete().unwrap();
    }

    pub(super) fn branch(&self, name: &str) -> Option<CommitId> {
        let id = self
            .repository()
            .refname_to_id(&format!("refs/heads/{name}"));
        id.ok().map(commit_id)
    }

    /// Runs this shell script before every push is accepted.
    pub(super) fn set_hook(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let hook = self.path().join("hooks/pre-receive");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A mirror of this, over the file system, that lives in the same temporary directory.
    pub(super) fn mirror(&self) -> Mirror {
        self.mirror_of(
            &format!("file://{}", self.path().display()),
            Limits::default(),
        )
    }

    pub(super) fn mirror_of(&self, url: &str, limits: Limits) -> Mirror {
        let auth = if url.starts_with("http") {
            RemoteAuth::Token(Secret::new(TOKEN))
        } else {
            RemoteAuth::None
        };
        let url = url.to_owned();
        Mirror::open(self.mirror_dir(), Remote { url, auth }, limits).unwrap()
    }

    pub(super) fn mirror_dir(&self) -> PathBuf {
        self.dir.path().join("mirror")
    }
}

/// Makes a commit of exactly these files.
pub(super) fn commit(repository: &Repository, parents: &[CommitId], files: &Files) -> CommitId {
    let parents: Vec<_> = parents
        .iter()
        .map(|&parent| repository.find_commit(oid(parent).unwrap()).unwrap())
        .collect();
    let parents: Vec<_> = parents.iter().collect();
    let person = Signature::new("A", "a@example.org", &Time::new(1_600_000_000, 0)).unwrap();
    let tree = write_tree(repository, files);
    let tree = repository.find_tree(tree).unwrap();
    let made = repository.commit(None, &person, &person, "work\n", &tree, &parents);
    commit_id(made.unwrap())
}

pub(super) fn write_tree(repository: &Repository, files: &Files) -> Oid {
    let mut here = repository.treebuilder(None).unwrap();
    let mut below: BTreeMap<&[u8], Files> = BTreeMap::new();
    for (path, entry) in files {
        if let Some(slash) = path.iter().position(|byte| *byte == b'/') {
            let rest = path[slash + 1..].to_vec();
            let dir = below.entry(&path[..slash]).or_default();
            dir.insert(rest, entry.clone());
            continue;
        }
        let (id, mode) = match entry {
            Entry::File(content) => (repository.blob(content).unwrap(), 0o100_644),
            Entry::Program(content) => (repository.blob(content).unwrap(), 0o100_755),
            Entry::Link(target) => (repository.blob(target).unwrap(), 0o120_000),
            Entry::Module(n) => (Oid::from_bytes(&[*n; 20]).unwrap(), 0o160_000),
        };
        here.insert(path.as_slice(), id, mode).unwrap();
    }
    for (name, files) in below {
        let tree = write_tree(repository, &files);
        here.insert(name, tree, 0o040_000).unwrap();
    }
    here.write().unwrap()
}

/// What the server does wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    None,
    /// Answers every request 503.
    Unavailable,
    /// Never answers.
    Hang,
    /// Does what a push asks, then breaks the connection instead of answering.
    ApplyThenBreak,
    /// Breaks the connection of a push without doing anything.
    BreakPush,
}

/// A smart-HTTP git server on a port of its own. Ends with the runtime of its test.
pub(super) struct Server {
    pub(super) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    root: PathBuf,
    fault: Mutex<Fault>,
    requests: AtomicUsize,
    mirror: Mutex<Option<Mirror>>,
}

impl Server {
    /// Serves the repositories below `root` to whoever has [`TOKEN`], and runs to all.
    pub(super) fn start(root: &Path) -> Self {
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            fault: Mutex::new(Fault::None),
            requests: AtomicUsize::new(0),
            mirror: Mutex::new(None),
        });
        let data = web::Data::from(shared.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(1 << 28))
                .route("/run/{run}/info/refs", web::get().to(advertise))
                .route("/run/{run}/git-upload-pack", web::post().to(upload_pack))
                .default_service(web::to(backend))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, shared }
    }

    pub(super) fn repository_url(&self) -> String {
        format!("{}/r.git", self.url)
    }

    pub(super) fn run_url(&self, run: RunId) -> String {
        format!("{}/run/{run}", self.url)
    }

    pub(super) fn fault(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = fault;
    }

    /// How many requests came for the repositories.
    pub(super) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Serves the runs of this mirror.
    pub(super) fn serve(&self, mirror: &Mirror) {
        *self.shared.mirror.lock().unwrap() = Some(mirror.clone());
    }
}

async fn advertise(shared: web::Data<Shared>, run: web::Path<u64>) -> HttpResponse {
    let mirror = shared.mirror.lock().unwrap().clone().unwrap();
    match super::serve::advertise(&mirror, RunId(*run)).await {
        Ok(body) => HttpResponse::Ok()
            .content_type(super::serve::ADVERTISEMENT_TYPE)
            .body(body),
        Err(_) => HttpResponse::NotFound().finish(),
    }
}

async fn upload_pack(
    shared: web::Data<Shared>,
    run: web::Path<u64>,
    request: Bytes,
) -> HttpResponse {
    let mirror = shared.mirror.lock().unwrap().clone().unwrap();
    match super::serve::upload_pack(&mirror, RunId(*run), request).await {
        Ok(body) => HttpResponse::Ok()
            .content_type(super::serve::RESULT_TYPE)
            .streaming(body),
        Err(_) => HttpResponse::NotFound().finish(),
    }
}

async fn backend(shared: web::Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let fault = *shared.fault.lock().unwrap();
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let is_push = request.path().ends_with("/git-receive-pack");
    let login = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{TOKEN}"));
    match fault {
        Fault::Unavailable => return HttpResponse::ServiceUnavailable().finish(),
        Fault::Hang => return std::future::pending().await,
        Fault::BreakPush if is_push => return broken(),
        Fault::None | Fault::ApplyThenBreak | Fault::BreakPush => {}
    }
    let given = request.headers().get("Authorization");
    if given.and_then(|value| value.to_str().ok()) != Some(&format!("Basic {login}")) {
        return HttpResponse::Unauthorized()
            .insert_header(("WWW-Authenticate", "Basic realm=\"git\""))
            .finish();
    }
    let answer = run_backend(&shared.root, &request, &body).await;
    if is_push && fault == Fault::ApplyThenBreak {
        return broken();
    }
    answer
}

/// Ends the connection in the middle of the answer.
fn broken() -> HttpResponse {
    let error = std::io::Error::other("broken on purpose");
    HttpResponse::Ok().streaming(stream::iter([Err::<Bytes, _>(error)]))
}

async fn run_backend(root: &Path, request: &HttpRequest, body: &Bytes) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
            .to_owned()
    };
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", request.path())
        .env("QUERY_STRING", request.query_string())
        .env("CONTENT_TYPE", header("Content-Type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("GIT_PROTOCOL", header("Git-Protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("git http-backend must run: install the package git");
    let mut stdin = child.stdin.take().unwrap();
    let body = body.clone();
    tokio::spawn(async move { stdin.write_all(&body).await });
    let output = child.wait_with_output().await.unwrap().stdout;
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let mut answer = HttpResponse::Ok();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        match line.split_once(": ").unwrap() {
            ("Status", status) => {
                answer.status(StatusCode::from_bytes(&status.as_bytes()[..3]).unwrap());
            }
            pair => {
                answer.insert_header(pair);
            }
        }
    }
    answer.body(output[end + 4..].to_vec())
}
