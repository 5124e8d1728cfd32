//! What a repository is called: in cfg.toml, and on GitHub now.
//!
//! A renamed or transferred repository keeps its number. GitHub sends calls for the old name on, until
//! somebody takes that name; webhooks come with the new one. So the number is remembered, and the new
//! name used as soon as it is known.

use std::sync::{PoisonError, RwLock};

use super::repo::Repo;
use super::test_place::Fork;
use crate::github::{ApiError, Identity, Slug, Value};
use crate::store::StoredName;
use paprq_core::ids::GitHubRepoId;

/// By what GitHub knows a repository, as far as it was learned.
pub(super) struct Names(RwLock<Option<Identity>>);

impl Names {
    /// What an earlier process learned, if cfg.toml still means the same.
    pub(super) fn new(stored: Option<StoredName>, asked_as: &Slug) -> Self {
        let asked_as = asked_as.to_string();
        let stored = stored.filter(|stored| stored.asked_as.eq_ignore_ascii_case(&asked_as));
        let known = stored.and_then(|stored| {
            let (owner, name) = stored.full_name.split_once('/')?;
            Some(Identity {
                id: stored.id,
                slug: Slug::new(owner, name),
            })
        });
        Self(RwLock::new(known))
    }

    fn known(&self) -> Option<Identity> {
        let known = self.0.read();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers; returns what was known before.
    fn learn(&self, identity: Identity) -> Option<Identity> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.replace(identity)
    }
}

impl Repo {
    /// How GitHub calls it now, where that is not what cfg.toml says.
    pub fn new_name(&self) -> Option<Slug> {
        let now = self.shared().names.known()?.slug;
        (now != *self.slug()).then_some(now)
    }

    /// How GitHub calls it now, as far as it is known.
    pub(super) fn name_now(&self) -> Slug {
        self.new_name().unwrap_or_else(|| self.slug().clone())
    }

    /// Whether GitHub knows it by this number.
    pub(super) fn has_id(&self, id: GitHubRepoId) -> bool {
        let known = self.shared().names.known();
        known.is_some_and(|known| known.id == id)
    }

    /// Hears from a webhook what it is called. One that comes late may tell of an old name, so GitHub is
    /// asked where that is not what is known.
    pub fn hear_name(&self, told: &Identity) {
        let shared = self.shared();
        if shared.names.known().as_ref() != Some(told) {
            shared.api.doubt_name();
        }
    }

    /// Takes in what GitHub says that it is called.
    async fn learn_name(&self, identity: Identity) {
        let before = self.shared().names.learn(identity.clone());
        if before.as_ref() == Some(&identity) {
            return;
        }
        let replaced = before.as_ref().filter(|before| before.id != identity.id);
        if replaced.is_some() {
            tracing::error!(
                repo.label = %self.label(), repo.name = %identity.slug,
                "GitHub has another repository of this name than before: it was deleted and made \
                 again, or the name was taken by somebody; check owner and name in cfg.toml"
            );
        }
        if before.is_none_or(|before| before.slug != identity.slug) {
            self.use_name(&identity.slug);
        }
        self.show_change();
        let name = StoredName {
            id: identity.id,
            full_name: identity.slug.to_string(),
            asked_as: self.slug().to_string(),
        };
        if let Err(error) = self.shared().store.set_name(self.label(), name).await {
            // It is learned again at the next sweep.
            tracing::warn!(repo.label = %self.label(), %error, "a repository's name is not stored");
        }
    }

    /// Calls it so from now on, where GitHub is asked and where git fetches and pushes.
    pub(super) fn use_name(&self, now: &Slug) {
        let shared = self.shared();
        shared.api.rename(now.clone());
        if let Err(error) = shared.mirror.move_to(shared.git_url.of(now)) {
            tracing::error!(repo.label = %self.label(), %error, "the mirror keeps its address");
        }
        if now != self.slug() {
            tracing::error!(
                repo.label = %self.label(), "{} is called {now} on GitHub now: write owner = {:?} \
                 and name = {:?} in [repo.{}]; the old name works until somebody takes it",
                self.slug(), now.owner(), now.name(), self.label(),
            );
        }
    }
}

/// Goes by the name of the last start, so that the first call does not ask for the old one.
pub(super) fn resume(repo: &Repo) {
    if let Some(now) = repo.new_name() {
        repo.use_name(&now);
    }
}

/// Asks for the name again whenever GitHub sends a call on to another address.
pub(super) async fn keep_up(repo: Repo) {
    repo.until_running().await;
    loop {
        repo.shared().api.moved().await;
        if let Err(error) = ask(&repo).await {
            tracing::warn!(repo.label = %repo.label(), %error, "a repository's name is not known");
        }
    }
}

/// Asks GitHub what the repository, and the fork in which it is tested, are called.
///
/// # Errors
/// If GitHub does not say now what the repository is called.
pub(super) async fn ask(repo: &Repo) -> Result<(), ApiError> {
    let shared = repo.shared();
    let identity = shared.api.at(Value::Background).identity().await?;
    repo.learn_name(identity).await;
    if let Some(fork) = &shared.tests.fork
        && let Err(error) = ask_of_fork(repo, fork).await
    {
        tracing::warn!(repo.label = %repo.label(), %error, "the fork's name is not known");
    }
    Ok(())
}

async fn ask_of_fork(repo: &Repo, fork: &Fork) -> Result<(), ApiError> {
    let now = fork.api.at(Value::Background).identity().await?.slug;
    let before = fork.api.slug();
    if now != before {
        tracing::error!(
            repo.label = %repo.label(), "the fork {before} is called {now} on GitHub now: write so \
             in [repo.{}.test-on-fork]", repo.label(),
        );
        fork.remote.move_to(repo.shared().git_url.of(&now));
        fork.api.rename(now);
    }
    Ok(())
}
