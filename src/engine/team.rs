//! The Rust project's team service: lists of those who may approve and try.

use std::time::Duration;

use reqwest::{StatusCode, redirect};
use serde::Deserialize;

use super::http_client::{self, Cause};
use paprq_core::command::Permission;
use paprq_core::ids::{Login, RepoLabel};

/// How long the service may take to give one list.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A list of every GitHub account that ever was in a team is far smaller.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why a list was not to be had. It may be the next time.
#[derive(Debug, thiserror::Error)]
pub(super) enum TeamError {
    /// There was no answer, or not all of it.
    #[error("ask the team service: {0}")]
    Unanswered(Cause),
    /// It does not want to.
    #[error("ask the team service, which answers {0}")]
    Refused(StatusCode),
    /// Its answer is none that it should give.
    #[error("understand the team service: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// The lists of one repository.
#[derive(Clone, Debug)]
pub(super) struct Team {
    base: String,
    name: String,
}

#[derive(Deserialize)]
struct List {
    github_users: Vec<Login>,
}

impl Team {
    /// The lists below this address, which has no slash at its end.
    pub(super) fn new(base: &str, repo: &RepoLabel) -> Self {
        Self {
            base: base.to_owned(),
            name: repo.as_str().replace('-', "_"),
        }
    }

    /// How far somebody is trusted by the lists as they are now.
    ///
    /// # Errors
    /// See [`TeamError`].
    pub(super) async fn permission(&self, user: &Login) -> Result<Permission, TeamError> {
        if self.lists("review", user).await? {
            return Ok(Permission::Reviewer);
        }
        if self.lists("try", user).await? {
            return Ok(Permission::Trier);
        }
        Ok(Permission::Outsider)
    }

    /// Whether somebody is on a list. On one that does not exist, nobody is.
    async fn lists(&self, right: &str, user: &Login) -> Result<bool, TeamError> {
        let url = format!("{}/permissions/bors.{}.{right}.json", self.base, self.name);
        let client = http_client::client()
            .redirect(redirect::Policy::limited(3))
            .timeout(TIMEOUT)
            .build();
        let client = client.map_err(|error| TeamError::Unanswered(http_client::cause(error)))?;
        let answer = client.get(url).send().await;
        let answer = answer.map_err(|error| TeamError::Unanswered(http_client::cause(error)))?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Ok(false),
            status if !status.is_success() => return Err(TeamError::Refused(status)),
            _ => {}
        }
        let bytes = http_client::read(answer, ANSWER_BYTES_MAX).await;
        let list: List = serde_json::from_slice(&bytes.map_err(TeamError::Unanswered)?)?;
        Ok(list.github_users.contains(user))
    }
}
