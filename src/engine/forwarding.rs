//! Passing webhooks on to the service beside us: each, in order, at least once.
//!
//! What that service does, or that it is away, delays nothing else here.

use std::time::Duration;

use backon::BackoffBuilder as _;
use bytes::Bytes;
use reqwest::{Client, StatusCode};

use super::repo::Repo;
use super::{http_client, retry};
use crate::clock;
use crate::config::Forward;
use crate::github::signature;
use crate::store::{BacklogBounds, ForwardId, Forwarded, StoreError};

/// How much may wait for one repository.
const BACKLOG: BacklogBounds = BacklogBounds {
    count_max: 10_000,
    bytes_max: 256 << 20,
};
/// How long a webhook is tried to be passed on, in milliseconds.
const PATIENCE_MS: u64 = 24 * 3600 * 1000;
/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Says that a webhook was passed on: whoever gets it does not pass it on again.
const MARK: &str = "x-paprq-forwarded";

/// What comes of trying to pass on the oldest webhook.
enum Tried {
    /// It is off the list; on with the next.
    Done,
    /// Nothing waits.
    Nothing,
    /// It stays; try again later.
    Failed { why: String, waiting: u64 },
}

impl Repo {
    /// Writes a webhook of this repository down to be passed on, if the configuration says so and
    /// it was not passed on to us.
    ///
    /// # Errors
    /// It is not passed on then; the sender must be told.
    pub async fn pass_on(
        &self,
        headers: Vec<(String, String)>,
        body: Bytes,
    ) -> Result<(), StoreError> {
        if self.config().forward.is_none() || headers.iter().any(|(name, _)| name == MARK) {
            return Ok(());
        }
        let forwarded = Forwarded {
            repo: self.label().clone(),
            headers: headers
                .into_iter()
                .filter(|(name, _)| goes_along(name))
                .collect(),
            body,
            received_at: clock::now(),
        };
        let dropped = self.shared().store.add_forward(forwarded, BACKLOG).await?;
        if dropped > 0 {
            tracing::error!(
                repo.label = %self.label(), dropped,
                "webhooks that could not be passed on for long are dropped: too many wait"
            );
        }
        self.shared().forwarding.notify_one();
        Ok(())
    }
}

/// GitHub's own headers, and those that say what the body is; signatures are made anew.
fn goes_along(header: &str) -> bool {
    header.starts_with("x-github-") || ["content-type", "user-agent", "accept"].contains(&header)
}

/// Passes on what waits, for as long as the server lives; ends at once where nothing is to be
/// passed on.
pub(super) async fn keep_up(repo: Repo) {
    let Some(forward) = repo.config().forward.clone() else {
        return;
    };
    let http = match http_client::client().timeout(TIMEOUT).build() {
        Ok(http) => http,
        Err(error) => {
            tracing::error!(%error, repo.label = %repo.label(), "webhooks cannot be passed on");
            return;
        }
    };
    let mut pauses = retry::patient().build();
    let mut failures: u64 = 0;
    loop {
        let more = repo.shared().forwarding.notified();
        match try_next(&repo, &forward, &http).await {
            Tried::Done if failures > 0 => {
                tracing::info!(repo.label = %repo.label(), failures, "webhooks are passed on again");
                failures = 0;
                pauses = retry::patient().build();
            }
            Tried::Done => {}
            Tried::Nothing => more.await,
            Tried::Failed { why, waiting } => {
                failures += 1;
                if failures.is_power_of_two() {
                    let label = repo.label();
                    tracing::warn!(
                        repo.label = %label, failures, waiting, why,
                        "webhooks cannot be passed on; they wait"
                    );
                }
                tokio::time::sleep(pauses.next().unwrap_or(retry::DELAY_MAX)).await;
            }
        }
    }
}

async fn try_next(repo: &Repo, forward: &Forward, http: &Client) -> Tried {
    let store = &repo.shared().store;
    let failed = |error: StoreError| Tried::Failed {
        why: error.to_string(),
        waiting: 0,
    };
    let (id, forwarded, waiting) = match store.next_forward(repo.label()).await {
        Ok(None) => return Tried::Nothing,
        Ok(Some(next)) => next,
        Err(error) => return failed(error),
    };
    let age_ms = clock::now().ms_since(forwarded.received_at);
    let unwanted = if age_ms > PATIENCE_MS {
        Some("it could not be passed on for 24 hours".to_owned())
    } else {
        match send(forward, http, &forwarded).await {
            Ok(()) => None,
            Err(Refusal::Final(why)) => Some(why),
            Err(Refusal::Passing(why)) => return Tried::Failed { why, waiting },
        }
    };
    if let Some(why) = unwanted {
        drop_it(repo, &forwarded, &why);
    }
    forget(repo, id).await.map_or_else(failed, |()| Tried::Done)
}

async fn forget(repo: &Repo, id: ForwardId) -> Result<(), StoreError> {
    repo.shared().store.forget_forward(id).await
}

fn drop_it(repo: &Repo, forwarded: &Forwarded, why: &str) {
    let delivery = forwarded
        .headers
        .iter()
        .find(|(name, _)| name == "x-github-delivery");
    tracing::warn!(
        repo.label = %repo.label(), why,
        delivery.id = delivery.map(|(_, id)| id.as_str()).unwrap_or_default(),
        "a webhook is not passed on"
    );
}

/// Why a webhook was not taken.
enum Refusal {
    /// Another try may come to something else.
    Passing(String),
    /// It never will be.
    Final(String),
}

async fn send(forward: &Forward, http: &Client, forwarded: &Forwarded) -> Result<(), Refusal> {
    let signed = signature::sign(forward.secret.expose().as_bytes(), &forwarded.body);
    let mut call = http
        .post(&forward.url)
        .header("x-hub-signature-256", signed.sha256)
        .header("x-hub-signature", signed.sha1)
        .header(MARK, "1");
    for (name, value) in &forwarded.headers {
        call = call.header(name, value);
    }
    let sent = call.body(forwarded.body.clone()).send().await;
    let answer = sent.map_err(|error| Refusal::Passing(http_client::cause(error).to_string()))?;
    let status = answer.status();
    let why = format!("it was answered with status {}", status.as_u16());
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(Refusal::Passing(why)),
        status if status.is_server_error() => Err(Refusal::Passing(why)),
        _ => Err(Refusal::Final(why)),
    }
}
