//! The worker's calls to the server, one function per call of the protocol.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use url::Url;

use super::settings::Token;
use crate::protocol::{ArtifactPath, Attempt, Beat, Claim, Order, Renewal, Report};

/// How long a call may take beyond what the server may wait.
const CALL: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);

/// Speaks to one server with one token. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct ServerClient {
    http: Client,
    server: Url,
}

/// What became of a call that brought no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The server does not know this worker's token.
    #[error("the server refuses the token")]
    Unauthorized,
    /// The lease is over.
    #[error("the lease is over")]
    Gone,
    /// Try again. Whether the server acted on the call is not known.
    #[error("the server answers {0}")]
    Refused(StatusCode),
    /// Try again. Whether the server acted on the call is not known.
    #[error("the server is not reached")]
    Unreached(#[source] reqwest::Error),
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoClient {
    /// A token is one line of visible ASCII.
    #[error("the token has characters that no HTTP header takes")]
    Token(#[from] header::InvalidHeaderValue),
    /// TLS or the system's resolver.
    #[error("no HTTP client")]
    Http(#[from] reqwest::Error),
}

impl ServerClient {
    pub(super) fn new(server: &Url, token: &Token) -> Result<Self, NoClient> {
        crate::tls::install();
        let mut shown = header::HeaderValue::from_str(&format!("Bearer {}", token.reveal()))?;
        shown.set_sensitive(true);
        let http = Client::builder()
            .default_headers(header::HeaderMap::from_iter([(
                header::AUTHORIZATION,
                shown,
            )]))
            .user_agent(concat!("paprq-worker/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            server: server.clone(),
        })
    }

    /// Asks for a job; `None` if there is none.
    pub(super) async fn claim(&self, claim: &Claim) -> Result<Option<Order>, CallError> {
        let wait = Duration::from_secs(claim.wait_s).saturating_add(CALL);
        let call = self.http.post(self.address("api/v1/worker/claim"));
        let response = send(call.json(claim).timeout(wait)).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        body(response).await.map(Some)
    }

    /// Sends a piece of the log.
    pub(super) async fn chunk(
        &self,
        attempt: Attempt,
        offset: u64,
        bytes: Bytes,
    ) -> Result<Renewal, CallError> {
        let mut address = self.attempt_address(attempt, "log");
        address.set_query(Some(&format!("offset={offset}")));
        self.answer(self.http.post(address).body(bytes)).await
    }

    /// Sends a file of the attempt's. Takes as long as the lease lasts.
    pub(super) async fn artifact(
        &self,
        attempt: Attempt,
        path: &ArtifactPath,
        content: reqwest::Body,
    ) -> Result<Renewal, CallError> {
        let mut address = self.attempt_address(attempt, "artifacts");
        if let Ok(mut names) = address.path_segments_mut() {
            names.extend(path.names());
        }
        body(send(self.http.put(address).body(content)).await?).await
    }

    /// Says that the attempt is still at work.
    pub(super) async fn beat(&self, attempt: Attempt) -> Result<Renewal, CallError> {
        let call = self.http.post(self.attempt_address(attempt, "beat"));
        self.answer(call.json(&Beat {})).await
    }

    /// Says how the attempt ended.
    pub(super) async fn report(
        &self,
        attempt: Attempt,
        report: &Report,
    ) -> Result<Renewal, CallError> {
        let call = self.http.post(self.attempt_address(attempt, "result"));
        self.answer(call.json(report)).await
    }

    /// Where git finds the attempt's commit.
    pub(super) fn repository(&self, attempt: Attempt) -> Url {
        self.attempt_address(attempt, "git")
    }

    async fn answer(&self, call: RequestBuilder) -> Result<Renewal, CallError> {
        body(send(call.timeout(CALL)).await?).await
    }

    fn attempt_address(&self, attempt: Attempt, call: &str) -> Url {
        let Attempt { job, number } = attempt;
        self.address(&format!("api/v1/jobs/{job}/attempts/{number}/{call}"))
    }

    fn address(&self, path: &str) -> Url {
        let mut address = self.server.clone();
        let base = address.path().trim_end_matches('/').to_owned();
        address.set_path(&format!("{base}/{path}"));
        address
    }
}

async fn send(call: RequestBuilder) -> Result<Response, CallError> {
    let response = call.send().await.map_err(unreached)?;
    match response.status() {
        StatusCode::UNAUTHORIZED => Err(CallError::Unauthorized),
        StatusCode::GONE => Err(CallError::Gone),
        status if status.is_success() => Ok(response),
        status => Err(CallError::Refused(status)),
    }
}

async fn body<T: DeserializeOwned>(response: Response) -> Result<T, CallError> {
    response.json().await.map_err(unreached)
}

fn unreached(error: reqwest::Error) -> CallError {
    CallError::Unreached(error.without_url())
}
