//! The workers' calls, as `protocol.rs` says.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::Site;
use super::error::{Scheme, WebError};
use crate::engine::CallError;
use crate::ids::{AttemptNumber, JobId};
use crate::protocol::{Answer, ArtifactPath, Attempt, CHUNK_BYTES_MAX, Claim, Report};
use crate::store::artifacts::ArtifactError;

/// The largest JSON body, in bytes.
const JSON_BYTES_MAX: usize = 256 << 10;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let json = || {
        web::JsonConfig::default()
            .limit(JSON_BYTES_MAX)
            .error_handler(|error, _| bad_json(&error).into())
    };
    config
        .service(
            web::resource("/api/v1/worker/claim")
                .app_data(json())
                .route(web::post().to(claim)),
        )
        .service(
            web::resource("/api/v1/jobs/{job}/attempts/{number}/log")
                .app_data(web::PayloadConfig::new(CHUNK_BYTES_MAX))
                .route(web::post().to(append_log)),
        )
        .route(
            "/api/v1/jobs/{job}/attempts/{number}/artifacts/{path:.*}",
            web::put().to(put_artifact),
        )
        .service(
            web::resource("/api/v1/jobs/{job}/attempts/{number}/beat").route(web::post().to(beat)),
        )
        .service(
            web::resource("/api/v1/jobs/{job}/attempts/{number}/result")
                .app_data(json())
                .route(web::post().to(report)),
        );
}

/// Which attempt an address names.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Place {
    job: u64,
    number: u32,
}

impl Place {
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
    claim: web::Json<Claim>,
) -> Result<HttpResponse, WebError> {
    let token = token_name(&request, &site)?;
    let order = tokio::select! {
        biased;
        order = site.engine.jobs().claim(&token, claim.into_inner()) => order.map_err(refusal)?,
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
    place: web::Path<Place>,
    offset: web::Query<Offset>,
    chunk: web::Bytes,
) -> Result<web::Json<Answer>, WebError> {
    let token = token_name(&request, &site)?;
    let desk = site.engine.jobs();
    let answer = desk.append_log(&token, place.attempt(), offset.offset, chunk);
    answer.await.map(web::Json).map_err(refusal)
}

async fn put_artifact(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<(u64, u32, String)>,
    content: web::Payload,
) -> Result<web::Json<Answer>, WebError> {
    let token = token_name(&request, &site)?;
    let (job, number, path) = place.into_inner();
    let path = ArtifactPath::new(&path).or(Err(WebError::Bad("such a path is not kept")))?;
    let attempt = Place { job, number }.attempt();
    let desk = site.engine.jobs();
    let answer = desk.put_artifact(&token, attempt, &path, content);
    answer.await.map(web::Json).map_err(refusal)
}

async fn beat(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<Place>,
) -> Result<web::Json<Answer>, WebError> {
    let token = token_name(&request, &site)?;
    let answer = site.engine.jobs().beat(&token, place.attempt());
    answer.await.map(web::Json).map_err(refusal)
}

async fn report(
    request: HttpRequest,
    site: web::Data<Site>,
    place: web::Path<Place>,
    report: web::Json<Report>,
) -> Result<web::Json<Answer>, WebError> {
    let token = token_name(&request, &site)?;
    let desk = site.engine.jobs();
    let answer = desk.report(&token, place.attempt(), report.into_inner());
    answer.await.map(web::Json).map_err(refusal)
}

fn token_name(request: &HttpRequest, site: &Site) -> Result<String, WebError> {
    let shown = request.headers().get(header::AUTHORIZATION);
    shown
        .and_then(|shown| shown.to_str().ok()?.strip_prefix("Bearer "))
        .and_then(|token| site.engine.jobs().token_name(token))
        .ok_or(WebError::Unauthorized(Scheme::Bearer))
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

fn bad_json(error: &actix_web::error::JsonPayloadError) -> WebError {
    use actix_web::error::JsonPayloadError as Bad;
    if matches!(
        error,
        Bad::OverflowKnownLength { .. } | Bad::Overflow { .. }
    ) {
        return WebError::TooLarge;
    }
    WebError::Bad("the body is not what this call takes")
}
