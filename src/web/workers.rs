//! The workers' API; see [`crate::protocol`].

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use bytes::Bytes;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::error::WebError;
use crate::engine::{Engine, Repo};
use crate::git::serve;
use crate::ids::{AttemptNumber, JobId, RunId};
use crate::jobs::Attempt;
use crate::protocol::{CHUNK_BYTES_MAX, Claim, Report};

/// What a claim or a report needs at most, in bytes.
const CALL_BYTES_MAX: usize = 256 << 10;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/api/v1/worker/claim")
                .app_data(web::JsonConfig::default().limit(CALL_BYTES_MAX))
                .route(web::post().to(claim)),
        )
        .service(
            web::scope("/api/v1/jobs/{job}/attempts/{number}")
                .app_data(web::JsonConfig::default().limit(CALL_BYTES_MAX))
                .app_data(web::PayloadConfig::new(
                    CHUNK_BYTES_MAX.max(serve::REQUEST_BYTES_MAX),
                ))
                .route("/log", web::post().to(append_log))
                .route("/beat", web::post().to(beat))
                .route("/result", web::post().to(report))
                .route("/git/info/refs", web::get().to(advertise))
                .route("/git/git-upload-pack", web::post().to(upload_pack)),
        );
}

#[derive(Clone, Copy, Deserialize)]
struct Path {
    job: JobId,
    number: AttemptNumber,
}

impl Path {
    fn attempt(self) -> Attempt {
        Attempt {
            job: self.job,
            number: self.number,
        }
    }
}

/// The name of the token that the request shows.
fn token(request: &HttpRequest, engine: &Engine) -> Result<String, WebError> {
    authorization(request, "Bearer")
        .and_then(|token| engine.jobs().token_name(token))
        .ok_or(WebError::Unauthorized("no worker has this token"))
}

fn authorization<'a>(request: &'a HttpRequest, wanted: &str) -> Option<&'a str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| rest.trim())
}

async fn claim(
    request: HttpRequest,
    claim: web::Json<Claim>,
    engine: web::Data<Engine>,
    stop: web::Data<CancellationToken>,
) -> Result<HttpResponse, WebError> {
    let token = token(&request, &engine)?;
    let order = tokio::select! {
        order = engine.jobs().claim(&token, claim.into_inner()) => order?,
        () = stop.cancelled() => None,
    };
    Ok(match order {
        Some(order) => HttpResponse::Ok().json(order),
        None => HttpResponse::NoContent().finish(),
    })
}

#[derive(Deserialize)]
struct Offset {
    offset: u64,
}

async fn append_log(
    request: HttpRequest,
    path: web::Path<Path>,
    offset: web::Query<Offset>,
    chunk: Bytes,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, WebError> {
    let token = token(&request, &engine)?;
    if chunk.len() > CHUNK_BYTES_MAX {
        return Err(WebError::TooLarge);
    }
    let jobs = engine.jobs();
    let answer = jobs.append_log(&token, path.attempt(), offset.offset, chunk);
    Ok(HttpResponse::Ok().json(answer.await?))
}

async fn beat(
    request: HttpRequest,
    path: web::Path<Path>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, WebError> {
    let token = token(&request, &engine)?;
    let answer = engine.jobs().beat(&token, path.attempt()).await?;
    Ok(HttpResponse::Ok().json(answer))
}

async fn report(
    request: HttpRequest,
    path: web::Path<Path>,
    report: web::Json<Report>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, WebError> {
    let token = token(&request, &engine)?;
    let jobs = engine.jobs();
    let answer = jobs.report(&token, path.attempt(), report.into_inner());
    Ok(HttpResponse::Ok().json(answer.await?))
}

async fn advertise(
    request: HttpRequest,
    path: web::Path<Path>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, WebError> {
    if request.query_string() != "service=git-upload-pack" {
        return Err(WebError::NotFound);
    }
    let (repo, run) = git_access(&request, *path, &engine).await?;
    let refs = serve::advertise(repo.mirror(), run).await;
    let refs = refs.map_err(git_failed)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-cache"))
        .content_type(serve::ADVERTISEMENT_TYPE)
        .body(refs))
}

async fn upload_pack(
    request: HttpRequest,
    path: web::Path<Path>,
    body: Bytes,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, WebError> {
    // actix has unzipped the body where its header says that it must.
    if body.len() > serve::REQUEST_BYTES_MAX {
        return Err(WebError::TooLarge);
    }
    let (repo, run) = git_access(&request, *path, &engine).await?;
    let answer = serve::upload_pack(repo.mirror(), run, body).await;
    let answer = answer.map_err(git_failed)?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-cache"))
        .content_type(serve::RESULT_TYPE)
        .streaming(answer))
}

fn git_failed(error: crate::git::GitError) -> WebError {
    tracing::warn!(%error, "a worker's fetch was not answered");
    match error {
        crate::git::GitError::Gone(_) => WebError::Gone,
        _ => WebError::Unavailable,
    }
}

async fn git_access<'a>(
    request: &HttpRequest,
    path: Path,
    engine: &'a Engine,
) -> Result<(&'a Repo, RunId), WebError> {
    let password = password(request).ok_or(WebError::Unauthorized("a password is needed"));
    let access = engine.jobs().git_access(path.attempt(), &password?).await;
    let (label, run) = access.ok_or(WebError::Gone)?;
    let repo = engine.repo(&label).ok_or(WebError::Gone)?;
    Ok((repo, run))
}

fn password(request: &HttpRequest) -> Option<String> {
    let encoded = authorization(request, "Basic")?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
    let text = String::from_utf8(decoded.ok()?).ok()?;
    Some(text.split_once(':')?.1.to_owned())
}
