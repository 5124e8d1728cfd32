//! What an answer of GitHub means: for its caller, and for the budget.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::budget::Budget;
use super::error::{ApiError, Cause};
use super::ledger::Kind;
use crate::clock;

/// No wait that a server asks for is longer: GitHub's longest span is an hour.
const WAIT_MAX: Duration = Duration::from_secs(3_660);

/// An answer that was read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// Reads the body.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(ApiError::unreadable)
    }

    /// Tells the budget what the answer says of limits, and sorts out all that is no success.
    pub(super) fn judge(self, kind: Kind, budget: &Budget) -> Result<Self, ApiError> {
        let hourly = self.hourly();
        if let Some(hourly) = hourly {
            budget.told(hourly.limit, hourly.remaining, hourly.resets_in);
        }
        // Where an answer leads elsewhere, the caller follows, or does not.
        if self.status.is_success() || self.status.is_redirection() {
            budget.forgive();
            return Ok(self);
        }
        Err(match self.status {
            StatusCode::UNAUTHORIZED => ApiError::Unauthorized,
            StatusCode::NOT_FOUND | StatusCode::GONE => ApiError::Gone,
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => self.forbidden(hourly, budget),
            status if status.is_server_error() => self.broken_down(kind),
            status => ApiError::Rejected {
                status: status.as_u16(),
                message: self.message(),
            },
        })
    }

    /// Tells the two sorts of exhausted limits from what is really forbidden.
    fn forbidden(&self, hourly: Option<Hourly>, budget: &Budget) -> ApiError {
        let message = self.message();
        let lower = message.to_lowercase();
        let wait = if let Some(wait) = self.retry_after() {
            budget.pause(wait);
            wait
        } else if let Some(hourly) = hourly.filter(|hourly| hourly.remaining == 0) {
            hourly.resets_in
        } else if self.status == StatusCode::TOO_MANY_REQUESTS
            || lower.contains("rate limit")
            || lower.contains("abuse detection")
        {
            budget.strike()
        } else {
            return ApiError::Rejected {
                status: self.status.as_u16(),
                message,
            };
        };
        ApiError::Transient {
            retry_after: Some(wait),
            cause: self.refused(),
        }
    }

    fn broken_down(&self, kind: Kind) -> ApiError {
        let cause = self.refused();
        match kind {
            Kind::Read => ApiError::Transient {
                retry_after: self.retry_after(),
                cause,
            },
            Kind::Write | Kind::Comment => ApiError::OutcomeUnknown { cause },
        }
    }

    fn refused(&self) -> Cause {
        Cause::Refused {
            status: self.status.as_u16(),
            message: self.message(),
        }
    }

    /// GitHub's reason; the words of its `errors` where it gives any.
    fn message(&self) -> String {
        let Ok(refusal) = serde_json::from_slice::<Refusal>(&self.body) else {
            let reason = self.status.canonical_reason();
            return reason.unwrap_or("an unknown status").to_owned();
        };
        let details = refusal
            .errors
            .into_iter()
            .flatten()
            .filter_map(Detail::text);
        let parts: Vec<String> = refusal.message.into_iter().chain(details).collect();
        parts.join("; ")
    }

    fn retry_after(&self) -> Option<Duration> {
        let seconds = number(&self.headers, header::RETRY_AFTER.as_str())?;
        Some(Duration::from_secs(seconds).min(WAIT_MAX))
    }

    /// What is left of the hour, if the answer says so and means the limit that all our calls have
    /// in common.
    fn hourly(&self) -> Option<Hourly> {
        let resource = text(&self.headers, "x-ratelimit-resource");
        if resource.is_some_and(|resource| resource != "core") {
            return None;
        }
        let limit = number(&self.headers, "x-ratelimit-limit").unwrap_or(5_000);
        let remaining = number(&self.headers, "x-ratelimit-remaining")?;
        let resets_at = number(&self.headers, "x-ratelimit-reset")?;
        let resets_in = Duration::from_secs(resets_at.saturating_sub(self.sent_at()));
        Some(Hourly {
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            // One more second, because both moments are cut to whole ones.
            resets_in: (resets_in + Duration::from_secs(1)).min(WAIT_MAX),
        })
    }

    /// Seconds since 1970 by the server's clock, which may differ from ours.
    fn sent_at(&self) -> u64 {
        let date = text(&self.headers, header::DATE.as_str())
            .and_then(|date| jiff::fmt::rfc2822::parse(date).ok())
            .map(|date| date.timestamp().as_second());
        let seconds = date.unwrap_or_else(|| clock::now().0.div_euclid(1000));
        u64::try_from(seconds).unwrap_or(0)
    }
}

/// What is left of the hour.
#[derive(Clone, Copy)]
struct Hourly {
    limit: u32,
    remaining: u32,
    resets_in: Duration,
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

#[derive(Deserialize)]
struct Refusal {
    message: Option<String>,
    errors: Option<Vec<Detail>>,
}

/// GitHub's `errors` are objects, in some answers texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Detail {
    Text(String),
    Object {
        message: Option<String>,
        code: Option<String>,
    },
    Other(serde::de::IgnoredAny),
}

impl Detail {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Object { message, code } => message.or(code),
            Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::github::ledger::{Limits, Value};

    /// How an answer to a call is judged, and whether landings have to wait then.
    struct Judged {
        error: Option<ApiError>,
        scarce: bool,
    }

    fn judge(kind: Kind, status: u16, headers: &[(&'static str, &str)], body: &str) -> Judged {
        let budget = Budget::new(Limits::default(), Handle::current());
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        Judged {
            error: answer.judge(kind, &budget).err(),
            scarce: budget.is_scarce(Value::Landing),
        }
    }

    fn retry_after(judged: Judged) -> u64 {
        match judged.error {
            Some(ApiError::Transient {
                retry_after: Some(wait),
                ..
            }) => wait.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_secondary_limit_holds_all_calls_for_as_long_as_it_says() {
        for status in [403, 429] {
            let body = r#"{"message": "You have exceeded a secondary rate limit."}"#;
            let judged = judge(Kind::Comment, status, &[("retry-after", "30")], body);
            assert!(judged.scarce);
            assert_eq!(retry_after(judged), 30);
        }
    }

    #[tokio::test]
    async fn a_secondary_limit_that_does_not_say_how_long_holds_all_calls_for_a_minute() {
        let body = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        for judged in [
            judge(Kind::Read, 403, &[], body),
            judge(Kind::Read, 429, &[], ""),
        ] {
            assert!(judged.scarce);
            assert_eq!(retry_after(judged), 60);
        }
    }

    #[tokio::test]
    async fn an_exhausted_hour_is_waited_for_by_the_servers_own_clock() {
        let headers = [
            ("date", "Tue, 02 Jan 2024 03:04:05 GMT"),
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1704164700"),
        ];
        let judged = judge(
            Kind::Read,
            403,
            &headers,
            r#"{"message": "API rate limit exceeded"}"#,
        );
        assert!(judged.scarce);
        assert_eq!(retry_after(judged), 56);
        let judged = judge(Kind::Read, 200, &headers, "{}");
        assert!(judged.error.is_none() && judged.scarce);
    }

    #[tokio::test]
    async fn the_limit_of_another_resource_is_not_ours() {
        let headers = [
            ("x-ratelimit-resource", "search"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "99999999999"),
        ];
        assert!(!judge(Kind::Read, 200, &headers, "{}").scarce);
    }

    #[tokio::test]
    async fn no_server_can_hold_us_up_for_longer_than_an_hour() {
        let judged = judge(Kind::Read, 429, &[("retry-after", "99999999999")], "");
        assert_eq!(retry_after(judged), WAIT_MAX.as_secs());
        let headers = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "99999999999"),
        ];
        let judged = judge(Kind::Read, 403, &headers, "");
        assert_eq!(retry_after(judged), WAIT_MAX.as_secs());
    }

    #[tokio::test]
    async fn what_is_really_forbidden_is_rejected_and_holds_up_nothing() {
        let body = r#"{"message": "Resource not accessible by integration"}"#;
        let headers = [
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "99999999999"),
        ];
        let judged = judge(Kind::Write, 403, &headers, body);
        assert!(!judged.scarce);
        let message = judged.error.unwrap().to_string();
        assert!(message.contains("Resource not accessible"), "{message}");
    }

    #[tokio::test]
    async fn each_status_says_what_the_caller_does_next() {
        let error = |kind, status| judge(kind, status, &[], "<html>").error.unwrap();
        assert!(matches!(error(Kind::Read, 401), ApiError::Unauthorized));
        assert!(matches!(error(Kind::Write, 404), ApiError::Gone));
        assert!(matches!(error(Kind::Write, 410), ApiError::Gone));
        for status in [500, 502, 503, 504] {
            assert!(matches!(
                error(Kind::Read, status),
                ApiError::Transient { .. }
            ));
            for kind in [Kind::Write, Kind::Comment] {
                assert!(matches!(
                    error(kind, status),
                    ApiError::OutcomeUnknown { .. }
                ));
            }
        }
        for status in [400, 409, 422, 451] {
            assert!(matches!(
                error(Kind::Write, status),
                ApiError::Rejected { .. }
            ));
        }
    }

    #[tokio::test]
    async fn the_words_of_a_refusal_are_kept_whatever_their_form() {
        let message = |body| {
            judge(Kind::Write, 422, &[], body)
                .error
                .unwrap()
                .to_string()
        };
        let start = "get it from GitHub, which answers 422: ";
        for (body, words) in [
            (
                r#"{"message": "Validation Failed", "errors": [{"code": "custom", "message": "no"}]}"#,
                "Validation Failed; no",
            ),
            (
                r#"{"message": "A", "errors": ["b", {"code": "c"}, 7]}"#,
                "A; b; c",
            ),
            (r#"{"message": "A", "errors": null}"#, "A"),
            ("<html>", "Unprocessable Entity"),
        ] {
            assert_eq!(message(body), format!("{start}{words}"));
        }
    }
}
