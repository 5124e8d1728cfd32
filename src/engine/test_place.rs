//! Where runs are made and pushed to be tested: mostly the repository itself, by the mirror.

use std::sync::{PoisonError, RwLock};

use crate::git::Remote;
use crate::github::{self, Slug};

/// Where a repository's runs are made and tested.
pub(super) struct TestPlace {
    /// Who makes merges.
    pub(super) maker: Maker,
    /// The fork that runs are pushed to (`test-on-fork`).
    pub(super) fork: Option<Fork>,
}

/// Who makes merges.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Maker {
    /// We, in the mirror.
    Mirror,
    /// GitHub, by its API (`local_git = false`): there is no mirror.
    GitHub,
}

/// A fork in which runs are tested.
pub(super) struct Fork {
    /// Its side of the API.
    pub(super) api: github::Repo,
    /// Where it is pushed to.
    pub(super) remote: Address,
}

/// A remote whose address can change.
pub(super) struct Address(RwLock<Remote>);

impl Address {
    pub(super) fn new(remote: Remote) -> Self {
        Self(RwLock::new(remote))
    }

    pub(super) fn get(&self) -> Remote {
        let remote = self.0.read();
        remote.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn move_to(&self, url: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).url = url;
    }
}

/// Below which address git finds repositories.
#[derive(Clone, Debug)]
pub(super) struct GitUrl(String);

impl GitUrl {
    pub(super) fn new(url: &str) -> Self {
        Self(url.to_owned())
    }

    /// Where git finds this one.
    pub(super) fn of(&self, slug: &Slug) -> String {
        format!("{}/{slug}.git", self.0)
    }
}

impl TestPlace {
    /// Where statuses and check runs of tested commits are.
    pub(super) fn api<'a>(&'a self, own: &'a github::Repo) -> &'a github::Repo {
        self.fork.as_ref().map_or(own, |fork| &fork.api)
    }
}
