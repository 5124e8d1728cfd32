//! Calling another service, once, within a time.
//!
//! Its answer may be of any size, may never end, and may send us elsewhere: it is cut while it is
//! read, and nobody is followed into a private network. Trying again is for others.

use std::time::Duration;

use paprq_core::ids::PullNumber;
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use url::Url;

use super::http_client::{self, Cause};
use crate::config::Hook;
use crate::public_address::{self, Astray, NoWay, REDIRECTS_MAX, Reach};

/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long a call may take, with all redirects and the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// What a hook is told.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Told<'a> {
    /// The pull.
    pub(super) pull: PullNumber,
    /// The comment that calls it.
    pub(super) body: &'a str,
    /// What followed `=`.
    #[serde(rename = "extra_data")]
    pub(super) data: Option<&'a str>,
}

impl<'a> Told<'a> {
    pub(super) fn of(pull: PullNumber, body: &'a str, data: Option<&'a str>) -> Self {
        Self { pull, body, data }
    }
}

/// Why a call came to nothing, in words for people: they name no address.
#[derive(Debug, thiserror::Error)]
pub(super) enum HookError {
    /// Nothing was sent. Another try may reach it.
    #[error("it cannot be reached")]
    Unreached(#[source] Cause),
    /// It may have been called. Another try calls it again.
    #[error("the connection broke before it answered")]
    Broken(#[source] Cause),
    /// It was called, and half of its answer is none.
    #[error("the connection broke in the middle of its answer")]
    CutShort(#[source] Cause),
    /// Another try would take as long.
    #[error("it did not answer within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// It does not want to.
    #[error("it answered with status {}", .0.as_u16())]
    Refused(StatusCode),
    /// It does not say where it is.
    #[error("it redirects too often, or to no address")]
    Astray,
    /// It sends us into a private network.
    #[error("it redirects to where hooks may not go")]
    Inside,
}

impl HookError {
    /// Whether another try may come to something else.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreached(_) | Self::Broken(_) => true,
            Self::CutShort(_)
            | Self::TimedOut(_)
            | Self::Refused(_)
            | Self::Astray
            | Self::Inside => false,
        }
    }

    fn sending(error: reqwest::Error) -> Self {
        if error.is_connect() {
            return Self::Unreached(http_client::cause(error));
        }
        Self::Broken(http_client::cause(error))
    }
}

impl From<NoWay> for HookError {
    fn from(error: NoWay) -> Self {
        match error {
            NoWay::NoHost(cause) => Self::Unreached(cause),
            NoWay::Inside => Self::Inside,
        }
    }
}

impl From<Astray> for HookError {
    fn from(_: Astray) -> Self {
        Self::Astray
    }
}

/// Calls a hook; gives what it answered, where an answer is wanted.
///
/// # Errors
/// If it did not do as it was told.
pub(super) async fn call(
    hook: &Hook,
    told: Told<'_>,
    timeout: Duration,
) -> Result<String, HookError> {
    let exchange = async {
        let response = follow(hook, told).await?;
        if response.status().as_u16() >= 400 {
            return Err(HookError::Refused(response.status()));
        }
        if hook.has_response {
            return read(response).await;
        }
        Ok(String::new())
    };
    let outcome = tokio::time::timeout(timeout, exchange).await;
    outcome.unwrap_or(Err(HookError::TimedOut(timeout)))
}

/// Goes where the hook sends us, as far as that is allowed.
async fn follow(hook: &Hook, told: Told<'_>) -> Result<Response, HookError> {
    let endpoint = Url::parse(&hook.endpoint);
    let endpoint = endpoint.map_err(|error| HookError::Unreached(error.into()))?;
    let mut url = endpoint.clone();
    let mut method = Method::POST;
    for _ in 0..=REDIRECTS_MAX {
        let client =
            public_address::client(http_client::client(), &url, reach(hook, &endpoint, &url))
                .await?;
        let mut request = client.request(method.clone(), url.clone());
        if method == Method::POST {
            request = request.json(&told);
        }
        let response = request.send().await.map_err(HookError::sending)?;
        let Some(next) = public_address::redirected(&response, &url)? else {
            return Ok(response);
        };
        url = next;
        let status = response.status().as_u16();
        // As browsers have it, all others make a question of an order (Fetch, HTTP-redirect fetch).
        if !matches!(status, 307 | 308) {
            method = Method::GET;
        }
    }
    Err(HookError::Astray)
}

/// The operator named the hook's own server, wherever that is.
fn reach(hook: &Hook, endpoint: &Url, url: &Url) -> Reach {
    if hook.allow_private_redirects || public_address::is_at(endpoint, url) {
        Reach::Anywhere
    } else {
        Reach::PublicOnly
    }
}

/// Reads an answer as far as it is wanted.
async fn read(response: Response) -> Result<String, HookError> {
    let bytes = http_client::read(response, ANSWER_BYTES_MAX).await;
    let bytes = bytes.map_err(HookError::CutShort)?;
    let text = String::from_utf8_lossy(&bytes);
    let shown = text
        .chars()
        .filter(|letter| !letter.is_control() || "\n\t".contains(*letter));
    Ok(shown.collect::<String>().trim().to_owned())
}
