//! Another server than ours: repositories over git's smart HTTP, and their files of Git LFS.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::worker::tests::server::{git, upload_pack};

/// What a request had that might have let it in.
const LETS_IN: [&str; 3] = ["authorization", "cookie", "x-lfs"];

#[derive(Default)]
struct State {
    /// Objects of Git LFS, by their names.
    objects: BTreeMap<String, Vec<u8>>,
    /// Where objects are said to be, if not here.
    elsewhere: Option<String>,
    /// Where requests for this repository are sent.
    moved: BTreeMap<String, String>,
    /// Repositories that want a password.
    closed: Vec<String>,
    /// Path, and what might have let in.
    asked: Vec<(String, String)>,
}

#[derive(Clone)]
struct Shared {
    directory: Arc<TempDir>,
    state: Arc<Mutex<State>>,
    base: String,
}

pub(in crate::worker::tests) struct Forge {
    shared: Shared,
    handle: ServerHandle,
}

impl Forge {
    pub(in crate::worker::tests) fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let shared = Shared {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            state: Arc::default(),
            base: format!("http://{}", listener.local_addr().unwrap()),
        };
        let served = shared.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(served.clone()))
                .default_service(web::route().to(answer))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { shared, handle }
    }

    /// The address of a repository, or of anything else.
    pub(in crate::worker::tests) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.shared.base)
    }

    /// Makes a repository of one commit with these files and submodules; returns its id.
    pub(in crate::worker::tests) fn repo(
        &self,
        path: &str,
        files: &[(&str, &str)],
        links: &[(&str, &str)],
    ) -> String {
        let root = self.shared.directory.path().join(path);
        std::fs::create_dir_all(&root).unwrap();
        git(&root, &["init", "--quiet"]);
        commit(&root, files, links)
    }

    /// Keeps an object of Git LFS; returns the pointer to it.
    pub(in crate::worker::tests) fn keep(&self, content: &str) -> String {
        let oid = hex::encode(Sha256::digest(content));
        let objects = &mut self.shared.state.lock().unwrap().objects;
        objects.insert(oid.clone(), content.as_bytes().to_vec());
        pointer(&oid, content.len())
    }

    /// Says from now on that objects are below this address.
    pub(super) fn keeps_at(&self, address: &str) {
        self.shared.state.lock().unwrap().elsewhere = Some(address.to_owned());
    }

    /// Redirects whatever begins with this path.
    pub(super) fn moves(&self, path: &str, to: &str) {
        let moved = &mut self.shared.state.lock().unwrap().moved;
        moved.insert(format!("/{path}"), to.to_owned());
    }

    pub(super) fn closes(&self, path: &str) {
        let closed = &mut self.shared.state.lock().unwrap().closed;
        closed.push(format!("/{path}"));
    }

    /// What was asked for, and what it had that might have let it in.
    pub(super) fn asked(&self) -> Vec<(String, String)> {
        self.shared.state.lock().unwrap().asked.clone()
    }

    pub(super) async fn go_away(&self) {
        self.handle.stop(false).await;
    }
}

/// Adds files and gitlinks to a repository.
pub(in crate::worker::tests) fn commit(
    root: &Path,
    files: &[(&str, &str)],
    links: &[(&str, &str)],
) -> String {
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        git(root, &["add", "--", name]);
    }
    for (path, id) in links {
        let entry = format!("160000,{id},{path}");
        git(root, &["update-index", "--add", "--cacheinfo", &entry]);
    }
    git(root, &["commit", "--quiet", "--message", "files"]);
    git(root, &["rev-parse", "HEAD"])
}

/// A pointer to a file of Git LFS (git-lfs: docs/spec.md).
pub(super) fn pointer(oid: &str, size: usize) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
}

async fn answer(request: HttpRequest, shared: web::Data<Shared>, body: web::Bytes) -> HttpResponse {
    let path = request.path().to_owned();
    let shown = LETS_IN.map(|name| {
        let value = request.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    });
    {
        let mut state = shared.state.lock().unwrap();
        state.asked.push((path.clone(), shown.concat()));
        let moved = state.moved.iter().find_map(|(from, to)| {
            let rest = path.strip_prefix(from.as_str())?;
            Some(format!("{to}{rest}?{}", request.query_string()))
        });
        if let Some(to) = moved {
            return HttpResponse::Found()
                .insert_header(("location", to))
                .finish();
        }
        if state.closed.iter().any(|closed| path.starts_with(closed)) {
            let wants = ("www-authenticate", "Basic realm=\"closed\"");
            return HttpResponse::Unauthorized().insert_header(wants).finish();
        }
        if let Some(oid) = path.strip_prefix("/objects/") {
            let object = state.objects.get(oid);
            return object.map_or_else(
                || HttpResponse::NotFound().finish(),
                |object| HttpResponse::Ok().body(object.clone()),
            );
        }
        if path.ends_with("/info/lfs/objects/batch") {
            return HttpResponse::Ok().json(batch(&shared, &state, &body));
        }
    }
    serve(&shared, &path, &body)
}

fn batch(shared: &Shared, state: &State, body: &[u8]) -> Value {
    let wanted: Value = serde_json::from_slice(body).unwrap();
    let base = state.elsewhere.clone();
    let base = base.unwrap_or_else(|| format!("{}/objects", shared.base));
    let objects = wanted["objects"].as_array().unwrap().iter().map(|object| {
        let oid = object["oid"].as_str().unwrap();
        json!({
            "oid": oid,
            "size": object["size"],
            "actions": {"download": {
                "href": format!("{base}/{oid}"),
                "header": {"X-Lfs": "let-me-in"},
            }},
        })
    });
    json!({ "transfer": "basic", "objects": objects.collect::<Vec<_>>() })
}

fn serve(shared: &Shared, path: &str, body: &[u8]) -> HttpResponse {
    let path = path.trim_start_matches('/');
    let (repo, is_refs) = match path.strip_suffix("/info/refs") {
        Some(repo) => (repo, true),
        None => match path.strip_suffix("/git-upload-pack") {
            Some(repo) => (repo, false),
            None => return HttpResponse::NotFound().finish(),
        },
    };
    let root = shared.directory.path().join(repo.trim_end_matches(".git"));
    if !root.exists() {
        return HttpResponse::NotFound().finish();
    }
    if is_refs {
        let mut refs = b"001e# service=git-upload-pack\n0000".to_vec();
        refs.extend(upload_pack(&root, &["--advertise-refs"], b""));
        return HttpResponse::Ok()
            .content_type("application/x-git-upload-pack-advertisement")
            .body(refs);
    }
    HttpResponse::Ok()
        .content_type("application/x-git-upload-pack-result")
        .body(upload_pack(&root, &[], body))
}
