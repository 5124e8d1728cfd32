//! The REST API: what every call has in common, and which function answers it.
//!
//! Answers are made on a blocking thread: they may run git. Paths, refusals and headers follow
//! GitHub's documentation (`docs.github.com/rest`).

mod asked;
mod commits;
mod issues;
mod labels;
mod objects;
mod pulls;
mod refs;
mod repo;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use paprq_core::ids::Login;

use super::PracticeError;
use super::core::Core;
use super::faults::ApiFault;
use super::server::Caller;

use self::asked::Asked;

/// A REST call as it came.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// With query, without `/api/v3`.
    pub(super) path: String,
    pub(super) caller: Caller,
    pub(super) if_none_match: Option<String>,
    pub(super) body: Bytes,
}

/// What a call is answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    /// `None` where GitHub sends no body.
    body: Option<Value>,
    headers: Vec<Header>,
}

#[derive(Clone, Debug)]
struct Header {
    name: &'static str,
    value: String,
}

impl Answer {
    fn ok(body: Value) -> Self {
        Self::with_status(StatusCode::OK, Some(body))
    }

    fn created(body: Value) -> Self {
        Self::with_status(StatusCode::CREATED, Some(body))
    }

    fn nothing() -> Self {
        Self::with_status(StatusCode::NO_CONTENT, None)
    }

    fn with_status(status: StatusCode, body: Option<Value>) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    /// What is answered when the answering itself failed.
    pub(super) fn broken() -> Self {
        Refusal::Broken.into()
    }

    fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push(Header { name, value });
        self
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for Header { name, value } in self.headers {
            response.insert_header((name, value));
        }
        response.insert_header(("x-github-media-type", "github.v3; format=json"));
        match self.body {
            Some(body) => response
                .content_type("application/json; charset=utf-8")
                .body(body.to_string()),
            None => response.finish(),
        }
    }
}

/// Why a call is refused.
#[derive(Clone, Debug)]
enum Refusal {
    NotFound,
    BadCredentials,
    NeedsLogin,
    Forbidden(&'static str),
    LimitReached,
    BadJson,
    /// 422 with only a message.
    Invalid(String),
    /// 422 about one field.
    InvalidField(Field),
    Conflict(&'static str),
    Broken,
}

/// What is wrong with a field of a body.
#[derive(Clone, Debug)]
struct Field {
    resource: &'static str,
    name: &'static str,
    code: &'static str,
    message: String,
}

impl From<PracticeError> for Refusal {
    fn from(error: PracticeError) -> Self {
        match error {
            PracticeError::Unknown(_) => Self::NotFound,
            PracticeError::Refused(message) => Self::Invalid(message),
            error @ (PracticeError::Start(_)
            | PracticeError::Client(_)
            | PracticeError::Disk(_)
            | PracticeError::Git(_)
            | PracticeError::Repository(_)) => {
                tracing::error!(%error, "failed to answer a practice call");
                Self::Broken
            }
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let (status, message) = match &refusal {
            Refusal::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Refusal::BadCredentials => (StatusCode::UNAUTHORIZED, "Bad credentials"),
            Refusal::NeedsLogin => (StatusCode::UNAUTHORIZED, "Requires authentication"),
            Refusal::Forbidden(message) => (StatusCode::FORBIDDEN, *message),
            Refusal::LimitReached => (StatusCode::FORBIDDEN, "API rate limit exceeded"),
            Refusal::BadJson => (StatusCode::BAD_REQUEST, "Problems parsing JSON"),
            Refusal::Invalid(message) => (StatusCode::UNPROCESSABLE_ENTITY, message.as_str()),
            Refusal::InvalidField(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed"),
            Refusal::Conflict(message) => (StatusCode::CONFLICT, *message),
            Refusal::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "Server Error"),
        };
        let mut body = error_body(status, message);
        if let (Refusal::InvalidField(field), Some(members)) = (&refusal, body.as_object_mut()) {
            let error = json!({
                "resource": field.resource,
                "field": field.name,
                "code": field.code,
                "message": field.message,
            });
            members.insert("errors".to_owned(), json!([error]));
        }
        Self::with_status(status, Some(body))
    }
}

fn error_body(status: StatusCode, message: &str) -> Value {
    json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.as_str(),
    })
}

/// What a planned failure looks like.
pub(super) fn planned_failure(fault: &ApiFault) -> HttpResponse {
    let (status, message, wait) = match fault {
        ApiFault::RetryAfter(seconds) => (429, "Too Many Requests", Some(*seconds)),
        ApiFault::SecondaryLimit(seconds) => (
            403,
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            Some(*seconds),
        ),
        ApiFault::Fail(status) => (*status, "Planned failure", None),
        ApiFault::Say(status, words) => (*status, *words, None),
        ApiFault::Hang
        | ApiFault::Refuse
        | ApiFault::ApplyThenBreak
        | ApiFault::ApplyThenHang
        | ApiFault::Delay(_) => (500, "Planned failure", None),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = Answer::with_status(status, Some(error_body(status, message)));
    match wait {
        Some(seconds) => answer.header("retry-after", seconds.to_string()),
        None => answer,
    }
    .into_response()
}

/// Answers a call.
pub(super) fn answer(core: &Core, call: &Call) -> Answer {
    let payer = call.caller.login().cloned();
    let payer = payer.unwrap_or_else(|| Login::new("anonymous"));
    let spent = core.world().spent.get(&payer).copied().unwrap_or(0);
    // GitHub lets a spent token ask how spent it is.
    if spent >= core.faults.limit() && !call.path.starts_with("/rate_limit") {
        return with_limits(Refusal::LimitReached.into(), Limits::of(core, spent));
    }
    let answer = Asked::of(core, call)
        .and_then(|asked| route(&asked))
        .unwrap_or_else(Answer::from);
    let answer = conditional(call, answer);
    let mut world = core.world();
    let spent = world.spent.entry(payer).or_default();
    if answer.status != StatusCode::NOT_MODIFIED {
        *spent += 1;
    }
    let spent = *spent;
    drop(world);
    with_limits(answer, Limits::of(core, spent))
}

/// Gives an answer its `ETag`, and takes away the body if the caller has it.
fn conditional(call: &Call, answer: Answer) -> Answer {
    let Some(body) = answer
        .body
        .as_ref()
        .filter(|_| call.method == "GET" && answer.status == StatusCode::OK)
    else {
        return answer;
    };
    let digest = Sha256::digest(body.to_string().as_bytes());
    let tag = format!("W/\"{}\"", hex::encode(digest));
    let known = call.if_none_match.as_deref().is_some_and(|known| {
        let mut tags = known.split(',').map(str::trim);
        tags.any(|known| known == "*" || known.trim_start_matches("W/") == &tag[2..])
    });
    let answer = if known {
        Answer {
            status: StatusCode::NOT_MODIFIED,
            body: None,
            headers: answer.headers,
        }
    } else {
        answer
    };
    answer.header("etag", tag)
}

fn with_limits(answer: Answer, limits: Limits) -> Answer {
    answer
        .header("x-ratelimit-limit", limits.limit.to_string())
        .header("x-ratelimit-remaining", limits.remaining.to_string())
        .header("x-ratelimit-used", limits.used.to_string())
        .header("x-ratelimit-reset", limits.reset.to_string())
        .header("x-ratelimit-resource", "core".to_owned())
}

/// A token's hourly limit, as headers and `GET /rate_limit` tell it.
#[derive(Clone, Copy, Debug)]
struct Limits {
    limit: u32,
    used: u32,
    remaining: u32,
    /// Seconds since 1970: the end of this hour.
    reset: i64,
}

impl Limits {
    fn of(core: &Core, used: u32) -> Self {
        const HOUR_S: i64 = 3600;
        let limit = core.faults.limit();
        let hour = core.now().0.div_euclid(1000 * HOUR_S);
        Self {
            limit,
            used,
            remaining: limit.saturating_sub(used),
            reset: (hour + 1) * HOUR_S,
        }
    }
}

fn route(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let segments = asked.segments();
    match (asked.method(), segments.as_slice()) {
        ("GET", ["user"]) => repo::own_user(asked),
        ("GET", ["rate_limit"]) => repo::rate_limit(asked),
        (_, ["repos", owner, name, rest @ ..]) => {
            let repo = format!("{owner}/{name}");
            match asked.about(&repo) {
                Ok(asked) => route_of_repo(&asked, rest),
                Err(refusal) => asked.sent_on(&repo).ok_or(refusal),
            }
        }
        (_, ["repositories", number, rest @ ..]) => {
            let repo = asked.name_of(asked::id(number)?)?;
            route_of_repo(&asked.about(&repo)?, rest)
        }
        _ => Err(Refusal::NotFound),
    }
}

fn route_of_repo(asked: &Asked<'_>, rest: &[&str]) -> Result<Answer, Refusal> {
    match rest {
        ["pulls", ..] => pulls::route(asked, rest),
        ["issues", ..] => issues::route(asked, rest),
        ["commits", ..] | ["statuses", ..] => commits::route(asked, rest),
        ["git", ..] | ["branches", ..] | ["merges"] => refs::route(asked, rest),
        _ => repo::route(asked, rest),
    }
}
