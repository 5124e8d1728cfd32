//! What became of a call that was not answered with success, as far as its caller must know.

use std::time::Duration;

/// Why a REST call has no result. Each variant says what the caller does next; none holds the
/// access token.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nothing was changed. Ask again, where it is said how long to wait not before that.
    #[error("get an answer from GitHub for now: {cause}")]
    Transient {
        /// How long GitHub wants us to wait. The budget sees to that by itself.
        retry_after: Option<Duration>,
        /// What happened.
        #[source]
        cause: Cause,
    },
    /// The order was sent, but GitHub may or may not have done it. Read back, then decide.
    #[error("learn whether GitHub did it: {cause}")]
    OutcomeUnknown {
        /// What happened.
        #[source]
        cause: Cause,
    },
    /// Nothing was changed, and asking the same again is of no use.
    #[error("get it from GitHub, which answers {status}: {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// GitHub's reason, for people.
        message: String,
    },
    /// It is not there (404, 410): never was, was deleted, or is hidden from this token.
    #[error("find it on GitHub")]
    Gone,
    /// GitHub does not know the access token (401). Somebody must put in another.
    #[error("log in to GitHub: it refuses the access token")]
    Unauthorized,
}

/// What happened on the way to GitHub and back.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// There was no connection to send anything over.
    #[error("no connection: {0}")]
    NoConnection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke after something may have been sent.
    #[error("the connection broke: {0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No whole answer came within this time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// GitHub answered that it cannot, or does not want to, now.
    #[error("it answers {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// GitHub's reason, for people.
        message: String,
    },
    /// The answer, or a list of answers, is longer than we read.
    #[error("its answer is too long")]
    TooLong,
    /// The answer is not what the API's description says.
    #[error("its answer is not understood: {0}")]
    Unreadable(#[source] serde_json::Error),
}

/// What GitHub refuses, however often it is asked. Fits "GitHub {refusal}".
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It answered so.
    #[error("answers {status}: {message}")]
    Answered {
        /// The HTTP status.
        status: u16,
        /// GitHub's reason, for people, without a full stop at its end.
        message: String,
    },
    /// What is asked for is not there (404, 410), or hidden from the token.
    #[error("answers 404: it is not there, or hidden from the bot")]
    Missing,
    /// The access token (401).
    #[error("answers 401: it does not take the bot's token")]
    Token,
}

/// An error of which it is certain that it is no refusal: GitHub may do it the next time.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Unsettled(ApiError);

impl ApiError {
    /// Tells what GitHub refuses from what can pass.
    ///
    /// # Errors
    /// If it can pass.
    pub fn settle(self) -> Result<Refusal, Unsettled> {
        match self {
            Self::Transient { .. } | Self::OutcomeUnknown { .. } => Err(Unsettled(self)),
            Self::Rejected { status, message } => Ok(Refusal::Answered {
                status,
                message: message.trim_end_matches('.').to_owned(),
            }),
            Self::Gone => Ok(Refusal::Missing),
            Self::Unauthorized => Ok(Refusal::Token),
        }
    }

    /// The answer makes no sense now; perhaps it does the next time.
    pub(super) fn unreadable(error: serde_json::Error) -> Self {
        Self::transient(Cause::Unreadable(error))
    }

    pub(super) fn transient(cause: Cause) -> Self {
        Self::Transient {
            retry_after: None,
            cause,
        }
    }
}
