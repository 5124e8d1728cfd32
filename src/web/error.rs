//! What a caller hears when a request is not answered: never a source, a path or SQL.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, ResponseError};

use crate::engine::CallError;
use crate::store::StoreError;

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The request makes no sense.
    #[error("{0}")]
    BadRequest(&'static str),
    /// The caller does not show who it is.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// The body is longer than what is taken.
    #[error("too large")]
    TooLarge,
    /// The lease of the attempt is over.
    #[error("the lease of this attempt is over")]
    Gone,
    /// Something here failed; the same request may be answered later.
    #[error("the server cannot answer now; try again later")]
    Unavailable,
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Gone => StatusCode::GONE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .content_type(ContentType::plaintext())
            .body(format!("{self}\n"))
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database did not answer a request");
        Self::Unavailable
    }
}

impl From<CallError> for WebError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::LeaseOver(_) => Self::Gone,
            CallError::TooLong => Self::TooLarge,
            CallError::Store(error) => error.into(),
            CallError::Log(_) | CallError::Task(_) => {
                tracing::error!(%error, "a worker's call failed");
                Self::Unavailable
            }
        }
    }
}
