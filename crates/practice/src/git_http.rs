//! Git's smart HTTP protocol over the repositories on disk.
//!
//! `git upload-pack` and `git receive-pack` are run directly, one process per request: what
//! `git http-backend` would run after looking at the same headers. After a push the refs that it
//! named are announced. Source: gitprotocol-http(5).

use std::process::Stdio;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;

use paprq_core::ids::{CommitId, Login, PullNumber};

use super::core::Core;
use super::disk;
use super::protection::REFUSED_REFS;
use super::server::{Caller, header};
use super::world::Permission;

/// One request of a git client.
#[derive(Debug)]
pub(super) struct Visit {
    repo: String,
    service: Option<Service>,
    caller: Caller,
    protocol: Option<String>,
    body: Bytes,
    /// What comes after the repository in the address.
    rest: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Service {
    Fetch,
    Push,
}

impl Service {
    fn of(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::Fetch),
            "git-receive-pack" => Some(Self::Push),
            _ => None,
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Fetch => "upload-pack",
            Self::Push => "receive-pack",
        }
    }
}

impl Visit {
    pub(super) fn of(request: &HttpRequest, caller: &Caller, body: Bytes) -> Self {
        let part = |name: &str| request.match_info().query(name);
        let repo = part("repo");
        let asked = request
            .query_string()
            .split('&')
            .find_map(|pair| pair.strip_prefix("service="))
            .unwrap_or_else(|| part("service"));
        Self {
            repo: format!(
                "{}/{}",
                part("owner"),
                repo.strip_suffix(".git").unwrap_or(repo)
            ),
            service: Service::of(asked),
            caller: caller.clone(),
            protocol: header(request, "git-protocol"),
            body,
            rest: rest_of(request),
        }
    }

    fn sent_on(&self, core: &Core, repo: &str) -> HttpResponse {
        let location = format!("{}/{repo}.git/{}", core.url, self.rest);
        HttpResponse::MovedPermanently()
            .insert_header(("location", location))
            .finish()
    }

    /// The service, if the repository is there and the caller may use it.
    #[expect(
        clippy::result_large_err,
        reason = "the error is the answer, made once per request"
    )]
    fn admit(&self, core: &Core) -> Result<Service, HttpResponse> {
        let service = self
            .service
            .ok_or_else(|| plain(StatusCode::FORBIDDEN, "the dumb protocol is not served"))?;
        let world = core.world();
        let Some(repo) = world.repo(&self.repo) else {
            return Err(match world.renamed(&self.repo) {
                Some(repo) => self.sent_on(core, &repo.full_name()),
                None => plain(StatusCode::NOT_FOUND, "Repository not found."),
            });
        };
        match (&self.caller, service) {
            (Caller::Stranger, _) | (Caller::Anonymous, Service::Push) => Err(ask_for_password()),
            (_, Service::Fetch) => Ok(service),
            (Caller::User(login), Service::Push) => {
                if repo.permission(login) >= Permission::Write {
                    Ok(service)
                } else {
                    Err(plain(StatusCode::FORBIDDEN, "Permission denied."))
                }
            }
        }
    }
}

/// What comes after `/OWNER/NAME/`.
fn rest_of(request: &HttpRequest) -> String {
    let address = request.uri().to_string();
    address.splitn(4, '/').nth(3).unwrap_or_default().to_owned()
}

/// `GET …/info/refs?service=…`
pub(super) async fn refs(core: Arc<Core>, visit: Visit) -> HttpResponse {
    let service = match visit.admit(&core) {
        Ok(service) => service,
        Err(refusal) => return refusal,
    };
    let greeting = format!("# service=git-{}\n", service.command());
    let mut body = format!("{:04x}{greeting}0000", greeting.len() + 4).into_bytes();
    if visit.protocol.as_deref() == Some("version=2") && service == Service::Fetch {
        body.clear();
    }
    let args = ["--http-backend-info-refs"];
    match run(&core, &visit, service, &args).await {
        Ok(refs) => {
            body.extend(refs);
            answer(service, "advertisement", body)
        }
        Err(error) => failure(&error),
    }
}

/// `POST …/git-upload-pack` and `POST …/git-receive-pack`
pub(super) async fn service(core: Arc<Core>, visit: Visit) -> HttpResponse {
    let service = match visit.admit(&core) {
        Ok(service) => service,
        Err(refusal) => return refusal,
    };
    if service == Service::Fetch {
        make_wanted_merges(&core, &visit).await;
    }
    let result = match run(&core, &visit, service, &[]).await {
        Ok(result) => result,
        Err(error) => return failure(&error),
    };
    if service == Service::Push
        && let Some(by) = visit.caller.login().cloned()
    {
        announce_push(core, &visit, by).await;
    }
    answer(service, "result", result)
}

async fn run(
    core: &Core,
    visit: &Visit,
    service: Service,
    args: &[&str],
) -> std::io::Result<Vec<u8>> {
    let path = core
        .read_repo(&visit.repo, |repo| repo.path.clone())
        .map_err(std::io::Error::other)?;
    let mut command = tokio::process::Command::from(disk::git(&path));
    command.arg(service.command()).arg("--stateless-rpc");
    command.args(args).arg(&path);
    if service == Service::Push {
        let refused = core.refused_moves(&visit.repo, &pushed_moves(&visit.body));
        command.env(REFUSED_REFS, refused);
    }
    if let Some(protocol) = &visit.protocol {
        command.env("GIT_PROTOCOL", protocol);
    }
    let mut child = command.stdin(Stdio::piped()).kill_on_drop(true).spawn()?;
    let stdin = child.stdin.take();
    let body = visit.body.clone();
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // git may have heard enough before the end; what it thinks of it is in its answer.
            drop(stdin.write_all(&body).await);
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        tracing::debug!(stderr = %text, "git ended with a failure");
    }
    Ok(output.stdout)
}

async fn announce_push(core: Arc<Core>, visit: &Visit, by: Login) {
    let names: Vec<String> = pushed_moves(&visit.body)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let repo = visit.repo.clone();
    let done = web::block(move || core.announce(&repo, &names, &by)).await;
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "failed to announce a push"),
        Err(error) => tracing::error!(%error, "failed to announce a push"),
    }
}

/// The refs that a push's first packets name, and where they shall go: `OLD NEW REF`, until the
/// flush packet.
fn pushed_moves(mut body: &[u8]) -> Vec<(String, CommitId)> {
    let mut moves = Vec::new();
    while let Some((length, rest)) = body.split_at_checked(4) {
        let length = std::str::from_utf8(length).ok();
        let length = length.and_then(|length| usize::from_str_radix(length, 16).ok());
        let Some((line, rest)) = length
            .and_then(|length| length.checked_sub(4))
            .and_then(|length| rest.split_at_checked(length))
        else {
            break;
        };
        let line = line.split(|byte| *byte == 0).next().unwrap_or(line);
        let line = String::from_utf8_lossy(line);
        let mut parts = line.trim_end().splitn(3, ' ').skip(1);
        if let (Some(new), Some(name)) = (parts.next(), parts.next())
            && let Ok(new) = new.parse()
        {
            moves.push((name.to_owned(), new));
        }
        body = rest;
    }
    moves
}

/// Test merges are made when they are asked for by name, as in `ref-prefix refs/pull/1/merge`.
async fn make_wanted_merges(core: &Arc<Core>, visit: &Visit) {
    let text = String::from_utf8_lossy(&visit.body);
    let mut wanted: Vec<PullNumber> = text
        .split("refs/pull/")
        .skip(1)
        .filter_map(|rest| {
            let (number, rest) = rest.split_once('/')?;
            rest.starts_with("merge")
                .then(|| number.parse().map(PullNumber).ok())?
        })
        .collect();
    wanted.dedup();
    for number in wanted {
        let (core, repo) = (Arc::clone(core), visit.repo.clone());
        match web::block(move || core.test_merge(&repo, number)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "failed to make a test merge"),
            Err(error) => tracing::error!(%error, "failed to make a test merge"),
        }
    }
}

fn answer(service: Service, kind: &str, body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(format!("application/x-git-{}-{kind}", service.command()))
        .insert_header(("cache-control", "no-cache"))
        .body(body)
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain")
        .body(text)
}

fn ask_for_password() -> HttpResponse {
    HttpResponse::Unauthorized()
        .insert_header(("www-authenticate", "Basic realm=\"GitHub\""))
        .finish()
}

fn failure(error: &std::io::Error) -> HttpResponse {
    tracing::error!(%error, "failed to run git");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "git failed")
}
