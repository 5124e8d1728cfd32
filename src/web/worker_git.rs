//! The commit of one attempt, over git's smart HTTP, read-only.

use actix_web::dev::Decompress;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use serde::Deserialize;

use super::bodies::{Sender, Terms};
use super::error::{Scheme, WebError};
use super::routes::Routes;
use super::worker_api::AttemptPath;
use super::{Site, front, sent};
use crate::engine::Repo;
use crate::git::GitError;
use crate::git::serve::{
    ADVERTISEMENT_TYPE, REQUEST_BYTES_MAX, REQUEST_TYPE, RESULT_TYPE, advertise, upload_pack,
};
use paprq_core::ids::RunId;

/// Of a request for a pack.
const REQUEST: Terms = Terms {
    bytes_max: REQUEST_BYTES_MAX,
    sender: Sender::Known,
};

pub(super) fn routes(routes: Routes<'_>) -> Routes<'_> {
    routes
        .get("/api/v1/jobs/{job}/attempts/{number}/git/info/refs", refs)
        .post(
            "/api/v1/jobs/{job}/attempts/{number}/git/git-upload-pack",
            pack,
        )
}

#[derive(Debug, Deserialize)]
struct Service {
    #[serde(default)]
    service: String,
}

async fn refs(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<AttemptPath>,
    service: web::Query<Service>,
) -> Result<HttpResponse, WebError> {
    if service.service != "git-upload-pack" {
        return Err(WebError::Forbidden("only git-upload-pack is served"));
    }
    let (repo, run) = readable(&request, &site, *place).await?;
    let refs = advertise(repo.mirror(), run).await.map_err(refusal)?;
    Ok(uncached(ADVERTISEMENT_TYPE).body(refs))
}

/// The body is at most [`REQUEST_BYTES_MAX`] long after it was unzipped.
async fn pack(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<AttemptPath>,
    body: web::Payload,
) -> Result<HttpResponse, WebError> {
    let (repo, run) = readable(&request, &site, *place).await?;
    let headers = request.headers();
    if sent::sole(headers, "content-type")? != Some(REQUEST_TYPE) {
        return Err(WebError::Bad("the body is no request for a pack"));
    }
    sent::sole(headers, "content-encoding")?;
    let body = Decompress::from_headers(body, headers);
    let body = site.bodies.receive(headers, body, REQUEST).await?;
    let answer = upload_pack(repo.mirror(), run, body)
        .await
        .map_err(refusal)?;
    Ok(uncached(RESULT_TYPE).streaming(answer))
}

fn uncached(media: &'static str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(media)
        .insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// What the password that git shows, whatever the user, opens.
async fn readable(
    request: &HttpRequest,
    site: &Site,
    place: AttemptPath,
) -> Result<(Repo, RunId), WebError> {
    const REFUSED: WebError = WebError::Unauthorized(Scheme::Basic);
    let password = password(request).ok_or(REFUSED)?;
    let service = site.engine.jobs();
    let access = service.git_access(place.attempt(), &password).await;
    let (label, run) = access.ok_or(REFUSED)?;
    front::visit(request)?.is_known();
    let repo = site.engine.repo(&label).ok_or(WebError::LeaseOver)?;
    Ok((repo.clone(), run))
}

fn password(request: &HttpRequest) -> Option<String> {
    let shown = sent::sole(request.headers(), "authorization").ok()??;
    let pair = shown.strip_prefix("Basic ")?;
    let pair = base64::engine::general_purpose::STANDARD
        .decode(pair)
        .ok()?;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':')
        .map(|(_, password)| password.to_owned())
}

fn refusal(error: GitError) -> WebError {
    if let GitError::Gone(_) = error {
        return WebError::LeaseOver;
    }
    WebError::unavailable("serve a commit", &error)
}
