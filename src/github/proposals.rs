//! What a person does, with their own token, to propose a change: fork, push elsewhere, open a pull.

use http::Method;
use serde::{Deserialize, Serialize};

use super::call::Order;
use super::error::ApiError;
use super::ledger::Kind;
use super::repo::Repo;
use super::slug::Slug;
use paprq_core::ids::{BranchName, PullNumber};

/// A pull to be opened.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct NewPull {
    /// Its title.
    pub title: String,
    /// Its description.
    pub body: String,
    /// Where its commits are: `OWNER:BRANCH`.
    pub head: String,
    /// Where they shall go.
    pub base: BranchName,
}

#[derive(Deserialize)]
struct Named {
    full_name: String,
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

#[derive(Deserialize)]
struct Visibility {
    private: Option<bool>,
}

impl Repo {
    /// The caller's fork; it is made if there is none. Git may find it only a while later.
    ///
    /// # Errors
    ///
    /// May be repeated after [`ApiError::OutcomeUnknown`].
    pub async fn fork(&self) -> Result<Slug, ApiError> {
        #[derive(Serialize)]
        struct AsItIs {}
        let order = Order {
            method: Method::POST,
            url: self.url(&["forks"]),
            kind: Kind::Write,
            body: &AsItIs {},
        };
        let fork: Named = self.github.create(order, self.value).await?;
        match fork.full_name.split_once('/') {
            Some((owner, name)) => Ok(Slug::new(owner, name)),
            None => Err(ApiError::Gone),
        }
    }

    /// Opens a pull.
    ///
    /// # Errors
    ///
    /// After [`ApiError::OutcomeUnknown`] it may be there.
    pub async fn open_pull(&self, pull: &NewPull) -> Result<PullNumber, ApiError> {
        let order = Order {
            method: Method::POST,
            url: self.url(&["pulls"]),
            kind: Kind::Comment,
            body: pull,
        };
        let opened: Numbered = self.github.create(order, self.value).await?;
        Ok(PullNumber(opened.number))
    }

    /// Whether not everybody may see the repository.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn is_private(&self) -> Result<bool, ApiError> {
        let repo: Visibility = self.github.get(self.url(&[]), self.value).await?;
        Ok(repo.private.unwrap_or(false))
    }
}
