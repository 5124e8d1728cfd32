//! The workers' calls, as `protocol.rs` says.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::bodies::{Sender, Terms};
use super::error::{Scheme, WebError};
use super::routes::Routes;
use super::{Site, front, sent};
use crate::engine::CallError;
use crate::protocol::{ArtifactPath, Attempt, CHUNK_BYTES_MAX, Claim, Renewal, Report};
use crate::store::artifacts::ArtifactError;
use paprq_core::ids::{AttemptNumber, JobId};

/// Of a JSON body.
const JSON: Terms = Terms {
    bytes_max: 256 << 10,
    sender: Sender::Known,
};

/// Of a piece of a log.
const CHUNK: Terms = Terms {
    bytes_max: CHUNK_BYTES_MAX,
    sender: Sender::Known,
};

pub(super) fn routes(routes: Routes<'_>) -> Routes<'_> {
    routes
        .post("/api/v1/worker/claim", claim)
        .post("/api/v1/jobs/{job}/attempts/{number}/log", append_log)
        .put(
            "/api/v1/jobs/{job}/attempts/{number}/artifacts/{path:.*}",
            put_artifact,
        )
        .post("/api/v1/jobs/{job}/attempts/{number}/beat", beat)
        .post("/api/v1/jobs/{job}/attempts/{number}/result", report)
}

/// Which attempt an address names.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct AttemptPath {
    job: u64,
    number: u32,
}

impl AttemptPath {
    pub(super) fn attempt(self) -> Attempt {
        Attempt {
            job: JobId(self.job),
            number: AttemptNumber(self.number),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Offset {
    offset: u64,
}

async fn claim(
    request: HttpRequest,
    site: web::Data<Site>,
    body: web::Payload,
) -> Result<HttpResponse, WebError> {
    let token = token_name(&request, &site)?;
    let claim: Claim = json(&request, &site, body).await?;
    let order = tokio::select! {
        biased;
        order = site.engine.jobs().claim(&token, claim) => order.map_err(refusal)?,
        () = site.stop.cancelled() => None,
    };
    Ok(match order {
        Some(order) => HttpResponse::Ok().json(order),
        None => HttpResponse::NoContent().finish(),
    })
}

async fn append_log(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<AttemptPath>,
    offset: web::Query<Offset>,
    body: web::Payload,
) -> Result<web::Json<Renewal>, WebError> {
    let token = token_name(&request, &site)?;
    let chunk = site.bodies.receive(request.headers(), body, CHUNK).await?;
    let service = site.engine.jobs();
    let answer = service.append_log(&token, place.attempt(), offset.offset, chunk);
    answer.await.map(web::Json).map_err(refusal)
}

async fn put_artifact(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<(u64, u32, String)>,
    content: web::Payload,
) -> Result<web::Json<Renewal>, WebError> {
    let token = token_name(&request, &site)?;
    let (job, number, path) = place.into_inner();
    let path = ArtifactPath::new(&path).or(Err(WebError::Bad("such a path is not kept")))?;
    let attempt = AttemptPath { job, number }.attempt();
    let service = site.engine.jobs();
    let answer = service.put_artifact(&token, attempt, &path, content);
    answer.await.map(web::Json).map_err(refusal)
}

async fn beat(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<AttemptPath>,
) -> Result<web::Json<Renewal>, WebError> {
    let token = token_name(&request, &site)?;
    let answer = site.engine.jobs().beat(&token, place.attempt());
    answer.await.map(web::Json).map_err(refusal)
}

async fn report(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<AttemptPath>,
    body: web::Payload,
) -> Result<web::Json<Renewal>, WebError> {
    let token = token_name(&request, &site)?;
    let report: Report = json(&request, &site, body).await?;
    let service = site.engine.jobs();
    let answer = service.report(&token, place.attempt(), report);
    answer.await.map(web::Json).map_err(refusal)
}

fn token_name(request: &HttpRequest, site: &Site) -> Result<String, WebError> {
    let shown = sent::sole(request.headers(), "authorization")
        .ok()
        .flatten();
    let name = shown
        .and_then(|shown| shown.strip_prefix("Bearer "))
        .and_then(|token| site.engine.jobs().token_name(token))
        .ok_or(WebError::Unauthorized(Scheme::Bearer))?;
    front::visit(request)?.is_known();
    Ok(name)
}

fn refusal(error: CallError) -> WebError {
    match error {
        CallError::LeaseOver(_) => WebError::LeaseOver,
        CallError::TooLong => WebError::TooLarge,
        CallError::Store(error) => WebError::unavailable("answer a worker", &error),
        CallError::Artifact(ArtifactError::TooMuch) => WebError::TooLarge,
        CallError::Artifact(ArtifactError::Cut) => WebError::Bad("the body ended too early"),
        CallError::Artifact(error @ ArtifactError::Storage(_)) => {
            WebError::unavailable("keep an artifact", &error)
        }
        CallError::Log(error) => WebError::unavailable("keep a log", &error),
        CallError::Task(error) => WebError::unavailable("answer a worker", &error),
    }
}

/// What the body of somebody says who has shown a token.
async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    site: &Site,
    body: web::Payload,
) -> Result<T, WebError> {
    let body = site.bodies.receive(request.headers(), body, JSON).await?;
    serde_json::from_slice(&body).or(Err(WebError::Bad("the body is not what this call takes")))
}
