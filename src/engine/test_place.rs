//! Where runs are made and pushed to be tested: mostly the repository itself, by the mirror.

use crate::git::Remote;
use crate::github;

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
    pub(super) remote: Remote,
}

impl TestPlace {
    /// Where statuses and check runs of tested commits are.
    pub(super) fn api<'a>(&'a self, own: &'a github::Repo) -> &'a github::Repo {
        self.fork.as_ref().map_or(own, |fork| &fork.api)
    }
}
