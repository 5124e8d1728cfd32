//! The shell around the core: one loop per repository, orders, timers, the sweep.
//!
//! * `dispatcher`: takes events, lets the core decide, makes it durable, hands orders on.
//! * `outbox` and `orders`: carry orders out, again and again until it is certain that they are.
//! * `connecting`: until GitHub has said who the bot is.
//! * `job_service`: jobs and workers, `job_statuses`: where they stand. `sync` and `restoring`: what webhooks lost. `naming`: what a
//!   repository is called. `live`: tells pages what
//!   changed.
//! * `login` and `rollup`: what people do on our pages, with their own accounts.
//! * `permissions` and `team`: how far people are trusted. `hooks` and `buildbot`: other services, over
//!   `http_client`.
//! * `mirroring`: fetches before it is needed. `test_place`: where runs are made and tested.
//!
//! Nothing here decides what shall happen to a pull; that is the core's business.

mod amending;
mod buildbot;
mod checks;
mod connecting;
mod dispatcher;
mod first_reading;
mod forwarding;
mod hooks;
mod http_client;
mod job_events;
mod job_service;
mod job_statuses;
mod job_variables;
mod keeping;
mod live;
mod login;
mod mirroring;
mod naming;
mod orders;
mod outbox;
mod permissions;
mod repo;
mod restoring;
mod retry;
mod rollup;
mod secrets;
mod setup;
mod start;
mod sync;
mod team;
mod test_place;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::amending::Amendments;
pub use self::amending::{AmendError, AmendmentAsked};
pub use self::first_reading::Reading;
pub use self::job_service::{CallError, JobService};
pub use self::job_statuses::{JobStatusInWords, KnownWorker};
pub use self::live::{Change, Live};
pub use self::login::{Grant, LoginError, Person};
pub use self::repo::Repo;
pub use self::rollup::{Rollup, RollupError};
pub use self::setup::awaited;
pub use self::start::{LOCAL_TOKEN_NAME, PagesAt, StartError, take_database};
use crate::config::Config;
use crate::github::Slug;
use crate::store::Store;
use crate::store::artifacts::Artifacts;
use crate::store::logs::Logs;
use paprq_core::ids::{GitHubRepoId, Login, RepoLabel};

/// The running engine. Clones are handles to the same.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    config: Config,
    base_url: String,
    /// The bot's, or what stands for it.
    login: Login,
    bot: connecting::Bot,
    connection: tokio::sync::watch::Sender<connecting::Connection>,
    store: Store,
    /// Keeps other servers from the database.
    _lock: std::fs::File,
    logs: Logs,
    live: Live,
    jobs: JobService,
    local_token: String,
    repos: BTreeMap<RepoLabel, Repo>,
    labels: HashMap<Slug, RepoLabel>,
    /// Whose runs are tested in a fork.
    forks: HashMap<Slug, RepoLabel>,
    amendments: Amendments,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Engine {
    /// What it was started with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The bot's own login.
    pub fn bot(&self) -> &Login {
        &self.0.login
    }

    /// Where our pages are reached, if only from this machine; without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The files that suites left.
    pub fn artifacts(&self) -> Artifacts {
        self.0.logs.artifacts()
    }

    /// The logs of jobs.
    pub fn logs(&self) -> &Logs {
        &self.0.logs
    }

    /// What changes, for pages that follow it.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// Jobs and workers.
    pub fn jobs(&self) -> &JobService {
        &self.0.jobs
    }

    /// The token of workers inside this process; made anew at each start.
    pub fn local_token(&self) -> &str {
        &self.0.local_token
    }

    /// All repositories, by label.
    pub fn repos(&self) -> impl Iterator<Item = &Repo> {
        self.0.repos.values()
    }

    /// The repository with this label.
    pub fn repo(&self, label: &RepoLabel) -> Option<&Repo> {
        self.0.repos.get(label)
    }

    /// The repository that is called so in cfg.toml, or else on GitHub now.
    pub fn repo_of(&self, slug: &Slug) -> Option<&Repo> {
        let configured = self.0.labels.get(slug).and_then(|label| self.repo(label));
        configured.or_else(|| {
            self.repos()
                .find(|repo| repo.new_name().as_ref() == Some(slug))
        })
    }

    /// The repository that GitHub knows by this number.
    pub fn repo_by_id(&self, id: GitHubRepoId) -> Option<&Repo> {
        self.repos().find(|repo| repo.has_id(id))
    }

    /// The repository whose runs are tested in the fork of this name.
    pub fn tested_in(&self, slug: &Slug) -> Option<&Repo> {
        self.repo(self.0.forks.get(slug)?)
    }

    /// Ends every loop after what it is writing down. What was under way is looked at again at
    /// the next start.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}
