//! `POST /github`: a webhook is checked, stored, and answered; all else comes later.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::error::WebError;
use crate::engine::{Engine, Repo};
use crate::github::signature;
use crate::github::webhook::Payload;

/// GitHub sends no longer webhooks, in bytes.
const BODY_BYTES_MAX: usize = 25 << 20;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/github", web::post().to(receive));
}

async fn receive(
    request: HttpRequest,
    body: web::Payload,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, WebError> {
    let outcome = take(&request, body, &engine).await;
    if let Err(error) = &outcome {
        tracing::warn!(
            webhook.event = header(&request, "X-GitHub-Event").unwrap_or_default(),
            webhook.delivery = header(&request, "X-GitHub-Delivery").unwrap_or_default(),
            %error, "a webhook was refused"
        );
    }
    outcome
}

async fn take(
    request: &HttpRequest,
    body: web::Payload,
    engine: &Engine,
) -> Result<HttpResponse, WebError> {
    let body = read(request, body).await?;
    let json = json_of(request, &body)?;
    let payload = Payload::parse(&json).map_err(|_| WebError::BadRequest("not a webhook"))?;
    let repo = payload.repo().and_then(|slug| engine.repo_of(&slug));
    let repo = repo.ok_or(WebError::NotFound)?;
    verify(request, repo, &body)?;
    let event = header(request, "X-GitHub-Event").ok_or(WebError::BadRequest("no event named"))?;
    let told = payload.told(event);
    let told = told.map_err(|_| WebError::BadRequest("not a payload of this event"))?;
    let Some(fact) = told.event.filter(|fact| repo.is_of_interest(fact)) else {
        return Ok(HttpResponse::Ok().body("nothing to do\n"));
    };
    let delivery = header(request, "X-GitHub-Delivery").map(str::to_owned);
    repo.take_in(delivery, fact).await?;
    Ok(HttpResponse::Accepted().body("taken in\n"))
}

async fn read(request: &HttpRequest, mut body: web::Payload) -> Result<Bytes, WebError> {
    let announced = header(request, "Content-Length").and_then(|length| length.parse().ok());
    if announced.is_some_and(|length: usize| length > BODY_BYTES_MAX) {
        return Err(WebError::TooLarge);
    }
    let mut whole = BytesMut::with_capacity(announced.unwrap_or_default());
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| WebError::BadRequest("the body broke off"))?;
        if whole.len() + piece.len() > BODY_BYTES_MAX {
            return Err(WebError::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// GitHub sends the JSON itself, or as the field `payload` of a form.
fn json_of(request: &HttpRequest, body: &Bytes) -> Result<Bytes, WebError> {
    let kind = header(request, CONTENT_TYPE.as_str()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(body.clone());
    }
    let payload = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload");
    match payload {
        Some((_, json)) => Ok(Bytes::from(json.into_owned())),
        None => Err(WebError::BadRequest("the form has no field payload")),
    }
}

fn verify(request: &HttpRequest, repo: &Repo, body: &[u8]) -> Result<(), WebError> {
    let secret = repo.config().secret.expose().as_bytes();
    let sha256 = header(request, "X-Hub-Signature-256");
    let sha1 = header(request, "X-Hub-Signature");
    signature::verify(secret, body, sha256, sha1)
        .map_err(|_| WebError::Unauthorized("the signature is missing or wrong"))
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}
