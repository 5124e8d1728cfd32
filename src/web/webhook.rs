//! What GitHub sends: checked, made durable, answered; all else comes later.

use std::borrow::Cow;
use std::io::{self, BufReader, Read};

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use percent_encoding::percent_decode;

use super::bodies::{LARGE_BYTES, Sender, Terms};
use super::error::{Scheme, WebError};
use super::{Site, front, plain, sent};
use crate::engine::{Engine, Repo};
use crate::github::webhook::{self, Named, Payload};
use crate::github::{Identity, signature};
use paprq_core::queue::event::Event;

/// The largest body, in bytes (GitHub: "Webhook events and payloads", payload cap).
const BODY_BYTES_MAX: usize = 25 << 20;

const NOT_JSON: WebError = WebError::Bad("the body is no JSON object");

/// Nobody knows who sends one before it is there.
const TERMS: Terms = Terms {
    bytes_max: BODY_BYTES_MAX,
    sender: Sender::Stranger,
};

/// A webhook that was believed.
struct Believed {
    repo: Repo,
    /// What it calls the repository, if it is about that and not about a fork of it.
    named: Option<Identity>,
    /// What it says, if we understand it.
    event: Result<Option<Event>, WebError>,
}

/// `POST /github`.
pub(super) async fn receive(
    request: HttpRequest,
    body: web::Payload,
    site: web::Data<Site>,
) -> Result<HttpResponse, WebError> {
    let taken = take(&site, &request, body).await;
    let taken = taken.inspect_err(|error| {
        let shown = |name| sent::sole(request.headers(), name).ok().flatten();
        let kind = shown("x-github-event").unwrap_or_default();
        let id = shown("x-github-delivery").unwrap_or_default();
        tracing::warn!(delivery.id = id, delivery.event = kind, %error, "a webhook was refused");
    })?;
    Ok(match taken {
        Taken::Stored => plain(HttpResponse::Accepted(), "accepted\n"),
        Taken::OfNoInterest => plain(HttpResponse::Ok(), "nothing to do\n"),
    })
}

/// What became of a webhook that was believed.
enum Taken {
    Stored,
    OfNoInterest,
}

async fn take(site: &Site, request: &HttpRequest, body: web::Payload) -> Result<Taken, WebError> {
    let headers = request.headers();
    let proof = Proof::of(headers)?;
    let delivery = sent::sole(headers, "x-github-delivery")?.map(str::to_owned);
    let body = site.bodies.receive(headers, body, TERMS).await?;
    let _turn = site.bodies.turn(body.len()).await;
    let believed = judge(&site.engine, proof, body.clone()).await?;
    front::visit(request)?.is_known();
    if let Some(named) = &believed.named {
        believed.repo.hear_name(named);
    }
    pass_on(&believed.repo, headers, body).await?;
    let Some(event) = believed.event? else {
        return Ok(Taken::OfNoInterest);
    };
    if !believed.repo.is_of_interest(&event) {
        return Ok(Taken::OfNoInterest);
    }
    let stored = believed.repo.take_in(delivery, vec![event]).await;
    stored.map_err(|error| WebError::unavailable("store a webhook", &error))?;
    Ok(Taken::Stored)
}

/// Whatever it says, a service beside us may want to hear it.
async fn pass_on(repo: &Repo, headers: &HeaderMap, body: Bytes) -> Result<(), WebError> {
    if repo.config().forward.is_none() {
        return Ok(());
    }
    let headers = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str().to_owned(), value.into_owned())
    });
    let stored = repo.pass_on(headers.collect(), body).await;
    stored.map_err(|error| WebError::unavailable("store a webhook to be passed on", &error))
}

async fn judge(engine: &Engine, proof: Proof, body: Bytes) -> Result<Believed, WebError> {
    if body.len() <= LARGE_BYTES {
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
    fn of(headers: &HeaderMap) -> Result<Self, WebError> {
        const UNREADABLE: WebError = WebError::Unauthorized(Scheme::Signature);
        let owned = |name| sent::sole(headers, name).map(|value| value.map(str::to_owned));
        let media = sent::sole(headers, "content-type")?.unwrap_or_default();
        Ok(Self {
            event: owned("x-github-event")?,
            sha256: owned("x-hub-signature-256").or(Err(UNREADABLE))?,
            sha1: owned("x-hub-signature").or(Err(UNREADABLE))?,
            is_form: media.starts_with("application/x-www-form-urlencoded"),
        })
    }

    /// Finds the repository, and with it the secret; reads the rest only after the body is proven
    /// to come from GitHub. Nothing of the body is copied before that.
    fn judge(&self, engine: &Engine, body: &[u8]) -> Result<Believed, WebError> {
        let named = self.named(body)?.ok_or(WebError::NoRepo)?;
        let own = named.id.and_then(|id| engine.repo_by_id(id));
        let own = own.or_else(|| engine.repo_of(&named.slug));
        let repo = own.or_else(|| engine.tested_in(&named.slug));
        let repo = repo.ok_or_else(|| unknown(&named))?;
        let secret = repo.config().secret.expose().as_bytes();
        let (sha256, sha1) = (self.sha256.as_deref(), self.sha1.as_deref());
        signature::verify(secret, body, sha256, sha1)
            .or(Err(WebError::Unauthorized(Scheme::Signature)))?;
        let json = self.json(body);
        let payload = Payload::parse(&json).or(Err(NOT_JSON))?;
        Ok(Believed {
            named: named.identity().filter(|_| own.is_some()),
            event: self
                .event(repo, payload)
                .map(|event| event.filter(|event| own.is_some() || is_result(event))),
            repo: repo.clone(),
        })
    }

    /// The repository that a body names.
    fn named(&self, body: &[u8]) -> Result<Option<Named>, WebError> {
        if self.is_form {
            let json = form_field(body).ok_or(NOT_JSON)?;
            return webhook::repo(BufReader::new(Unescaped::new(json))).or(Err(NOT_JSON));
        }
        let payload = Payload::parse(body).or(Err(NOT_JSON))?;
        Ok(payload.named())
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

    fn json<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.is_form {
            return Cow::Borrowed(body);
        }
        let json = form_field(body).unwrap_or_default();
        Cow::Owned(unescape(json).collect())
    }
}

/// The field of a form that holds the JSON, as it was sent.
fn form_field(body: &[u8]) -> Option<&[u8]> {
    let mut fields = body.split(|byte| *byte == b'&');
    fields.find_map(|field| field.strip_prefix(b"payload="))
}

/// What a field of a form says (WHATWG URL, "application/x-www-form-urlencoded parsing").
fn unescape(field: &[u8]) -> impl Iterator<Item = u8> {
    let words = field.split(|byte| *byte == b'+').enumerate();
    words.flat_map(|(at, word)| {
        let blank = (at > 0).then_some(b' ');
        blank.into_iter().chain(percent_decode(word))
    })
}

/// What a field of a form says, byte by byte, so that it need not be kept a second time.
struct Unescaped<I>(I);

impl Unescaped<()> {
    fn new(field: &[u8]) -> Unescaped<impl Iterator<Item = u8>> {
        Unescaped(unescape(field))
    }
}

impl<I: Iterator<Item = u8>> Read for Unescaped<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = buffer.iter_mut().zip(&mut self.0);
        Ok(bytes.map(|(place, byte)| *place = byte).count())
    }
}

/// Somebody wants to know which repository it was: it may have been renamed before we ever asked.
fn unknown(named: &Named) -> WebError {
    let id = named.id.map(|id| id.0);
    tracing::error!(
        repo.name = %named.slug, repo.id = id,
        "a webhook is about a repository that cfg.toml does not have: add it, or correct its name"
    );
    WebError::NoRepo
}

/// Whether an event tells of a tested commit: nothing else of the fork in which it is tested counts.
fn is_result(event: &Event) -> bool {
    matches!(
        event,
        Event::StatusReported { .. }
            | Event::CheckRunReported { .. }
            | Event::CheckSuiteCompleted { .. }
    )
}
