//! What GitHub sends: checked, made durable, answered; all else comes later.

use std::borrow::Cow;

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;

use super::error::{Scheme, WebError};
use super::{Site, plain};
use crate::engine::{Engine, Repo};
use crate::github::signature;
use crate::github::webhook::Payload;
use crate::queue::event::Event;

/// The largest body, in bytes (GitHub: "Webhook events and payloads", payload cap).
const BODY_BYTES_MAX: usize = 25 << 20;

/// Bodies above this are read and checked where it holds up nobody, in bytes.
const INLINE_BYTES_MAX: usize = 256 << 10;

/// A webhook that was believed.
struct Believed {
    repo: Repo,
    /// What it says, if we understand it.
    event: Result<Option<Event>, WebError>,
}

/// `POST /github`.
pub(super) async fn receive(
    request: HttpRequest,
    body: web::Payload,
    site: web::Data<Site>,
) -> Result<HttpResponse, WebError> {
    let delivery = text(request.headers(), "x-github-delivery");
    let refused = |error: WebError| {
        let kind = text(request.headers(), "x-github-event").unwrap_or_default();
        let id = delivery.unwrap_or_default();
        tracing::warn!(delivery.id = id, delivery.event = kind, %error, "a webhook was refused");
        error
    };
    let body = whole(request.headers(), body).await.map_err(refused)?;
    let believed = judge(&site.engine, request.headers(), body.clone())
        .await
        .map_err(refused)?;
    pass_on(&believed.repo, request.headers(), &body).await?;
    let Some(event) = believed.event.map_err(refused)? else {
        return Ok(plain(HttpResponse::Ok(), "nothing to do\n"));
    };
    if !believed.repo.is_of_interest(&event) {
        return Ok(plain(HttpResponse::Ok(), "nothing to do\n"));
    }
    believed
        .repo
        .take_in(delivery.map(str::to_owned), vec![event])
        .await
        .map_err(|error| WebError::unavailable("store a webhook", &error))?;
    Ok(plain(HttpResponse::Accepted(), "accepted\n"))
}

/// Whatever it says, a service beside us may want to hear it.
async fn pass_on(repo: &Repo, headers: &HeaderMap, body: &Bytes) -> Result<(), WebError> {
    if repo.config().forward.is_none() {
        return Ok(());
    }
    let headers = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let stored = repo.pass_on(headers.collect(), body.to_vec()).await;
    stored.map_err(|error| WebError::unavailable("store a webhook to be passed on", &error))
}

/// The whole body, if it is not too large.
pub(super) async fn whole(headers: &HeaderMap, body: web::Payload) -> Result<Bytes, WebError> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced: Option<usize> = announced.and_then(|len| len.to_str().ok()?.parse().ok());
    if announced.is_some_and(|len| len > BODY_BYTES_MAX) {
        return Err(WebError::TooLarge);
    }
    match body.to_bytes_limited(BODY_BYTES_MAX).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(WebError::Bad("the body ended too early")),
        Err(_) => Err(WebError::TooLarge),
    }
}

async fn judge(engine: &Engine, headers: &HeaderMap, body: Bytes) -> Result<Believed, WebError> {
    let proof = Proof::of(headers);
    if body.len() <= INLINE_BYTES_MAX {
        return proof.judge(engine, &body);
    }
    let engine = engine.clone();
    let judged = web::block(move || proof.judge(&engine, &body)).await;
    judged.map_err(|error| WebError::unavailable("check a large webhook", &error))?
}

/// What the headers say.
struct Proof {
    event: Option<String>,
    sha256: Option<String>,
    sha1: Option<String>,
    is_form: bool,
}

impl Proof {
    fn of(headers: &HeaderMap) -> Self {
        let owned = |name| text(headers, name).map(str::to_owned);
        let media = text(headers, "content-type").unwrap_or_default();
        Self {
            event: owned("x-github-event"),
            sha256: owned("x-hub-signature-256"),
            sha1: owned("x-hub-signature"),
            is_form: media.starts_with("application/x-www-form-urlencoded"),
        }
    }

    /// Finds the repository, and with it the secret; reads the rest only after the body is proven
    /// to come from GitHub.
    fn judge(&self, engine: &Engine, body: &[u8]) -> Result<Believed, WebError> {
        const NOT_JSON: WebError = WebError::Bad("the body is no JSON object");
        let json = self.json(body).ok_or(NOT_JSON)?;
        let payload = Payload::parse(&json).or(Err(NOT_JSON))?;
        let slug = payload.repo().ok_or(WebError::NoRepo)?;
        let own = engine.repo_of(&slug);
        let repo = own.or_else(|| engine.tested_in(&slug));
        let repo = repo.ok_or(WebError::NoRepo)?;
        let secret = repo.config().secret.expose().as_bytes();
        let (sha256, sha1) = (self.sha256.as_deref(), self.sha1.as_deref());
        signature::verify(secret, body, sha256, sha1)
            .or(Err(WebError::Unauthorized(Scheme::Signature)))?;
        Ok(Believed {
            event: self
                .event(repo, payload)
                .map(|event| event.filter(|event| own.is_some() || is_result(event))),
            repo: repo.clone(),
        })
    }

    fn event(&self, repo: &Repo, payload: Payload<'_>) -> Result<Option<Event>, WebError> {
        let event = self.event.as_deref();
        let event = event.ok_or(WebError::Bad("the header X-GitHub-Event is missing"))?;
        let told = payload.told(event).map_err(|error| {
            tracing::debug!(%error, repo.label = %repo.label(), "a webhook could not be read");
            WebError::Bad("the event lacks what it must have")
        })?;
        Ok(told.event)
    }

    fn json<'a>(&self, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if !self.is_form {
            return Some(Cow::Borrowed(body));
        }
        let payload = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload");
        payload.map(|(_, json)| Cow::Owned(json.into_owned().into_bytes()))
    }
}

/// Whether an event tells of a tested commit: nothing else of the fork in which it is tested counts.
fn is_result(event: &Event) -> bool {
    matches!(
        event,
        Event::StatusReported { .. } | Event::CheckRunReported { .. }
    )
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
