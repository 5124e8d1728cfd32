//! What a visitor is told when there is no answer. Never a cause, a path or a statement.

use std::fmt::Display;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

/// Why a request was not answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum WebError {
    /// There is no such page, pull, run or job. Visitors get a whole page, by `front`.
    #[error("There is no such page.")]
    NoPage,
    /// No such repository is configured.
    #[error("no such repository")]
    NoRepo,
    /// The request is not what it must be.
    #[error("{0}")]
    Bad(&'static str),
    /// A header is there twice or cannot be read.
    #[error("the header {0} is sent twice or holds more than visible ASCII")]
    Header(&'static str),
    /// Whoever asks has not shown who they are.
    #[error("wrong or missing credentials")]
    Unauthorized(Scheme),
    /// Whoever asks may not have that.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The attempt's lease is over.
    #[error("the lease is over")]
    LeaseOver,
    /// The body is too large.
    #[error("too large")]
    TooLarge,
    /// The body came too slowly.
    #[error("the body came too slowly")]
    TooSlow,
    /// There is no room for the body beside those that are being received.
    #[error("too much is being received; send it again later")]
    Busy,
    /// There are as many streams of events as there may be.
    #[error("too many pages are being followed; load this one again later")]
    Full,
    /// The part of a log that is asked for does not exist.
    #[error("no such part")]
    NoSuchRange,
    /// Something behind us failed; the same request may do later.
    #[error("not possible now; try again later")]
    Unavailable,
}

/// How to show who one is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    /// A worker's token.
    Bearer,
    /// A user and a password, as git sends them.
    Basic,
    /// A webhook's signature, for which HTTP has no name.
    Signature,
}

impl WebError {
    /// Writes down what failed behind us; the visitor learns only that something did.
    pub(super) fn unavailable(doing: &'static str, error: &dyn Display) -> Self {
        tracing::error!(%error, doing, "a request could not be answered");
        Self::Unavailable
    }
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoPage | Self::NoRepo => StatusCode::NOT_FOUND,
            Self::Bad(_) | Self::Header(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::LeaseOver => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NoSuchRange => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Busy | Self::Full | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Unauthorized(Scheme::Bearer) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::Unauthorized(Scheme::Basic) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"git\""));
            }
            Self::Busy | Self::Full | Self::Unavailable => {
                response.insert_header((header::RETRY_AFTER, "5"));
            }
            Self::NoPage
            | Self::NoRepo
            | Self::Bad(_)
            | Self::Header(_)
            | Self::Unauthorized(Scheme::Signature)
            | Self::Forbidden(_)
            | Self::LeaseOver
            | Self::TooLarge
            | Self::TooSlow
            | Self::NoSuchRange => {}
        }
        response
            .content_type("text/plain; charset=utf-8")
            .body(format!("{self}\n"))
    }
}
