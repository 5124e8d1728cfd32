//! Starting the engine: from a configuration to running loops.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connecting::{self, Bot, Connection};
use super::first_reading::FirstReading;
use super::job_service::{Equipment, JobService, RepoPlace};
use super::live::Live;
use super::naming::{self, Names};
use super::repo::{Message, Repo};
use super::{Engine, Shared, dispatcher, mirroring, repo, setup, sync};
use crate::clock;
use crate::config::{self, Config, Db};
use crate::git::{GitError, Mirror};
use crate::github::{ApiError, GitHub, NewClientError, Slug};
use crate::store::logs::{LogError, Logs};
use crate::store::{Store, StoreError, StoredName, private};
use paprq_core::ids::{RepoLabel, RunId, Timestamp};
use paprq_core::queue::Queue;

/// The name of the token of workers inside the server.
pub const LOCAL_TOKEN_NAME: &str = "local";

/// A webhook that is to be passed on is given up long before, in seconds.
const FORWARDS_KEPT_S: u64 = 2 * 24 * 3600;

/// How long applied deliveries and the event log are kept, in seconds.
const HISTORY_KEPT_S: u64 = 30 * 86_400;

/// Why the engine did not start. Somebody must act.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The storage of logs.
    #[error(transparent)]
    Logs(#[from] LogError),
    /// The client of GitHub.
    #[error(transparent)]
    Client(#[from] NewClientError),
    /// GitHub refuses the access token.
    #[error("{0}: put another into [github] access_token")]
    Token(ApiError),
    /// A mirror.
    #[error("open the mirror of [repo.{label}]")]
    Mirror {
        /// Of which repository.
        label: RepoLabel,
        /// What happened.
        source: GitError,
    },
    /// The SSH key's file.
    #[error("write the SSH key to {path}")]
    Key {
        /// Where.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Two servers would do everything twice.
    #[error("use the database {0}: another server uses it")]
    Taken(String),
    /// The lock beside the database.
    #[error("lock {path}")]
    Lock {
        /// Its file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The configuration asks for what this build has not.
    #[error("store in PostgreSQL: this build stores in SQLite only")]
    Postgres,
}

impl Engine {
    /// Starts all repositories' loops. `pages` is where our pages are reached.
    ///
    /// Waits for GitHub to say who the bot is, however long that takes.
    ///
    /// # Errors
    /// If somebody must act before it can start.
    pub async fn start(config: Config, pages: PagesAt) -> Result<Self, StartError> {
        let opened = Opened::new(config).await?;
        let address = &opened.config.github.api_url;
        let bot = connecting::who_am_i(&opened.github, address).await?;
        opened.store.remember_bot(&bot).await?;
        let made = watch::Sender::new(Connection::Made);
        opened
            .into_parts(&pages, Bot::Known(bot), made)
            .assemble()
            .await
    }

    /// The same without waiting: where GitHub does not answer soon, everything goes on that can, as
    /// [`Engine::waits_for`] tells; see also [`Engine::until_outdated`].
    ///
    /// # Errors
    /// If somebody must act before it can start.
    pub async fn begin(config: Config, pages: PagesAt) -> Result<Self, StartError> {
        let opened = Opened::new(config).await?;
        let (bot, connection) = connecting::ask(&opened.github, &opened.store).await?;
        let github = opened.github.clone();
        let engine = opened
            .into_parts(&pages, bot, connection)
            .assemble()
            .await?;
        if engine.waits_for().is_some() {
            engine.until_stopped(engine.clone().connect(github));
        }
        Ok(engine)
    }
}

/// Where our pages are reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PagesAt {
    /// Here, by everybody (`web.base_url`).
    Public(String),
    /// Here, from this machine. Where others reach them nobody said, so nothing that is posted leads
    /// to them.
    Local(String),
}

impl PagesAt {
    /// The address, without a slash at its end.
    fn url(&self) -> &str {
        match self {
            Self::Public(url) | Self::Local(url) => url.trim_end_matches('/'),
        }
    }

    /// The address for everybody; empty where nobody said it.
    fn public_url(&self) -> &str {
        match self {
            Self::Public(_) => self.url(),
            Self::Local(_) => "",
        }
    }
}

/// What can be opened before GitHub has answered.
struct Opened {
    config: Config,
    store: Store,
    lock: File,
    logs: Logs,
    github: GitHub,
}

impl Opened {
    async fn new(config: Config) -> Result<Self, StartError> {
        crate::tls::install();
        let Db::Sqlite(file) = &config.db else {
            return Err(StartError::Postgres);
        };
        let lock = take_database(file)?;
        let store = Store::open(file)?;
        let orders = store.count_deaths().await?;
        if orders > 0 {
            tracing::warn!(orders, "the last process ended while orders were under way");
        }
        let logs = Logs::open(&format!("file:{}", config.storage.directory().display()))?;
        let token = config.github.access_token.expose();
        let settings = setup::github_settings(&config);
        let github = GitHub::new(&config.github.api_url, token, settings)?;
        Ok(Self {
            config,
            store,
            lock,
            logs,
            github,
        })
    }

    fn into_parts(self, pages: &PagesAt, bot: Bot, connection: watch::Sender<Connection>) -> Parts {
        tracing::info!(bot = %bot.login(), repos = self.config.repos.len(), "the engine starts");
        Parts {
            public_url: pages.public_url().to_owned(),
            base_url: pages.url().to_owned(),
            local_token: hex::encode(rand::random::<[u8; 20]>()),
            live: Live::new(),
            lock: self.lock,
            config: self.config,
            store: self.store,
            logs: self.logs,
            github: self.github,
            bot,
            connection,
        }
    }
}

/// Holds the database for this process alone, for as long as the file lives. The kernel lets go of
/// it however the process ends.
///
/// # Errors
/// [`StartError::Taken`] if another process holds it, [`StartError::Lock`] if that cannot be known.
pub fn take_database(database: &Path) -> Result<File, StartError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let failed = |source| StartError::Lock {
        path: path.to_string_lossy().into_owned(),
        source,
    };
    let lock = private::open_file(Path::new(&path)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::Taken(database.display().to_string())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// What the engine is put together from.
struct Parts {
    config: Config,
    base_url: String,
    /// The same if others reach it there, else empty.
    public_url: String,
    bot: Bot,
    connection: watch::Sender<Connection>,
    github: GitHub,
    store: Store,
    lock: File,
    logs: Logs,
    live: Live,
    local_token: String,
}

impl Parts {
    async fn assemble(self) -> Result<Engine, StartError> {
        let key_file = write_key(&self.config)?;
        let mut places = HashMap::new();
        let mut mailboxes = BTreeMap::new();
        for (label, repo) in &self.config.repos {
            let (sender, mailbox) = mpsc::unbounded_channel();
            places.insert(label.clone(), self.place(repo, sender.clone()));
            mailboxes.insert(label.clone(), (sender, mailbox));
        }
        let jobs = JobService::open(self.equipment(places)).await?;
        let mut repos = BTreeMap::new();
        let mut loops = Vec::new();
        for (label, (sender, mailbox)) in mailboxes {
            let Some(config) = self.config.repos.get(&label) else {
                continue;
            };
            let name = self.store.name_of(&label).await?;
            let repo = self.open_repo(config, key_file.clone(), (sender, name), &jobs)?;
            naming::resume(&repo);
            loops.push((repo.clone(), mailbox));
            repos.insert(label, repo);
        }
        let engine = self.into_engine(jobs, repos);
        engine.close_what_was_there();
        if engine.is_asleep() {
            return Ok(engine);
        }
        for (repo, mailbox) in loops {
            engine.run_repo(repo, mailbox);
        }
        engine.run_upkeep();
        Ok(engine)
    }

    fn place(&self, repo: &config::Repo, mailbox: mpsc::UnboundedSender<Message>) -> RepoPlace {
        RepoPlace {
            mailbox,
            slug: repo.slug(),
            web_url: format!("{}/{}", self.config.github.web_url, repo.slug()),
            origin: format!("{}/{}", self.config.github.public_git_url(), repo.slug()),
            secrets: repo.secrets.clone(),
        }
    }

    fn equipment(&self, places: HashMap<RepoLabel, RepoPlace>) -> Equipment {
        let remote = self.config.worker.tokens.iter();
        let mut tokens: BTreeMap<_, _> = remote
            .map(|(name, token)| (name.clone(), token.expose().to_owned()))
            .collect();
        tokens.insert(LOCAL_TOKEN_NAME.to_owned(), self.local_token.clone());
        Equipment {
            store: self.store.clone(),
            artifact_bounds: self.config.storage.artifacts,
            logs: self.logs.clone(),
            live: self.live.clone(),
            tokens,
            places,
            base_url: self.public_url.clone(),
            policy: setup::policy(&self.config),
        }
    }

    fn open_repo(
        &self,
        repo: &config::Repo,
        key_file: Option<PathBuf>,
        (mailbox, name): (mpsc::UnboundedSender<Message>, Option<StoredName>),
        jobs: &JobService,
    ) -> Result<Repo, StartError> {
        let dir = self.config.git.cache_dir.join(repo.label.as_str());
        let key_file_again = key_file.clone();
        let remote = setup::remote(&self.config, &setup::slug(repo), key_file);
        let limits = setup::git_limits(&self.config.git);
        let mirror = Mirror::open(dir, remote, limits).map_err(|source| StartError::Mirror {
            label: repo.label.clone(),
            source,
        })?;
        let bot = self.bot.login();
        let rules = setup::rules(&self.config, repo, &bot);
        let slug = setup::slug(repo);
        Ok(Repo::new(repo::Shared {
            queue: Queue::new(rules.clone(), RunId(0)).into(),
            links: setup::links(&self.config, repo, &bot, &self.public_url),
            hooks: setup::hooks(&self.config),
            permissions: setup::permissions(repo, &rules),
            suite_files: setup::suite_files(repo),
            committer: setup::committer(&self.config, &bot),
            github: self.github.clone(),
            api: self.github.repo(slug.clone()),
            git_url: setup::git_url(&self.config),
            names: Names::new(name, &slug),
            store: self.store.clone(),
            live: self.live.clone(),
            jobs: jobs.clone(),
            running: watch::Sender::new(false),
            swept: watch::Sender::new(false),
            first_reading: FirstReading::default(),
            prefetch: repo::Prefetch::default(),
            strangers: repo::Prefetch::default(),
            private: tokio::sync::OnceCell::new(),
            synchronize: tokio::sync::Notify::new(),
            forwarding: tokio::sync::Notify::new(),
            config: repo.clone(),
            bot: self.bot.clone(),
            slug,
            rules,
            mirror,
            tests: setup::test_place(&self.config, repo, &self.github, key_file_again),
            mailbox,
        }))
    }

    fn into_engine(self, jobs: JobService, repos: BTreeMap<RepoLabel, Repo>) -> Engine {
        let labels = repos
            .iter()
            .map(|(label, repo)| (repo.slug().clone(), label.clone()))
            .collect();
        let forks = repos.iter().filter_map(|(label, repo)| {
            let fork = repo.config().test_on_fork.as_ref()?;
            Some((Slug::new(&fork.owner, &fork.name), label.clone()))
        });
        let forks = forks.collect();
        Engine(Arc::new(Shared {
            config: self.config,
            base_url: self.base_url,
            login: self.bot.login(),
            bot: self.bot,
            connection: self.connection,
            store: self.store,
            _lock: self.lock,
            logs: self.logs,
            live: self.live,
            local_token: self.local_token,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            jobs,
            repos,
            labels,
            forks,
            amendments: super::amending::Amendments::default(),
        }))
    }
}

impl Engine {
    fn run_repo(&self, repo: Repo, mailbox: mpsc::UnboundedReceiver<Message>) {
        let github = &self.0.config.github;
        let reconcile = Duration::from_secs(github.reconcile_s);
        let poll = Duration::from_secs(github.poll_pending_s);
        let start = if self.0.config.web.sync_on_start {
            sync::Start::Everything
        } else {
            sync::Start::News
        };
        let stop = &self.0.stop;
        let mailbox = Arc::new(Mutex::new(mailbox));
        self.0
            .tasks
            .spawn(dispatcher::supervise(repo.clone(), mailbox, stop.clone()));
        self.until_stopped(mirroring::prefetch(repo.clone()));
        self.until_stopped(mirroring::keep_strangers(repo.clone()));
        self.until_stopped(mirroring::keep_up(repo.clone()));
        self.until_stopped(sync::keep_up(repo.clone(), start, reconcile));
        self.until_stopped(naming::keep_up(repo.clone()));
        self.until_stopped(super::forwarding::keep_up(repo.clone()));
        self.until_stopped(sync::poll_checks(repo, poll));
    }

    /// Closes to other users what earlier starts left open, beside everything else: there may be much.
    fn close_what_was_there(&self) {
        let config = &self.0.config;
        let mirrors = self.0.repos.keys();
        let mut trees: Vec<PathBuf> = mirrors
            .map(|label| config.git.cache_dir.join(label.as_str()))
            .collect();
        trees.extend(Logs::TOPS.map(|top| config.storage.directory().join(top)));
        let (cache, workers) = (
            config.git.cache_dir.clone(),
            config.git.cache_dir.join("workers"),
        );
        self.0.tasks.spawn_blocking(move || {
            // What suites do with their own working copies is theirs: only the door is closed.
            let doors = private::make_directory(&cache).and(private::restrict(&workers));
            if let Err(error) = doors {
                tracing::error!(%error, "the directory of mirrors stays open to other users");
            }
            let faults: usize = trees.iter().map(|tree| private::restrict_all(tree)).sum();
            tracing::info!("what was kept is closed to other users of this machine");
            if faults > 0 {
                tracing::error!(faults, "files stay open to other users of this machine");
            }
        });
    }

    fn run_upkeep(&self) {
        self.until_stopped(self.0.jobs.clone().watch_leases());
        let retries_kept_s = self.0.config.retry_log_expire_s;
        self.until_stopped(prune(self.0.store.clone(), retries_kept_s));
        let bytes_max = self.0.config.storage.repo_mib.saturating_mul(1 << 20);
        let (store, logs) = (self.0.store.clone(), self.0.logs.clone());
        self.until_stopped(super::keeping::keep_within(store, logs, bytes_max));
    }

    fn until_stopped(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.stop.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// Forgets old deliveries, history and retries, at the start and then once an hour.
async fn prune(store: Store, retries_kept_s: u64) {
    loop {
        if let Err(error) = prune_once(&store, retries_kept_s).await {
            tracing::warn!(%error, "old history could not be deleted");
        }
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}

async fn prune_once(store: &Store, retries_kept_s: u64) -> Result<(), StoreError> {
    let ago = |seconds: u64| {
        let now = clock::now().0;
        Timestamp(now.saturating_sub_unsigned(seconds.saturating_mul(1000)))
    };
    store.prune_inbox(ago(HISTORY_KEPT_S)).await?;
    store.prune_events(ago(HISTORY_KEPT_S)).await?;
    store.prune_forwards(ago(FORWARDS_KEPT_S)).await?;
    store.prune_retry_log(ago(retries_kept_s)).await
}

/// Writes the SSH key where git finds it and nobody else can read it.
fn write_key(config: &Config) -> Result<Option<PathBuf>, StartError> {
    let Some(key) = &config.git.ssh_key else {
        return Ok(None);
    };
    let path = config.git.cache_dir.join("ssh_key");
    write_private(&path, key.expose()).map_err(|source| StartError::Key {
        path: path.display().to_string(),
        source,
    })?;
    Ok(Some(path))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    if let Some(dir) = path.parent() {
        private::make_directory(dir)?;
    }
    let mut file = private::open_file(path)?;
    file.set_len(0)?;
    file.write_all(format!("{}\n", text.trim_end()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paprq.db");
        let held = take_database(&file).unwrap();
        assert!(matches!(take_database(&file), Err(StartError::Taken(_))));
        drop(held);
        take_database(&file).unwrap();
    }

    #[test]
    fn a_reason_is_told_once() {
        let source = StoreError::Open {
            path: "p".to_owned(),
            why: "denied".to_owned(),
        };
        let error = anyhow::Error::from(StartError::from(source));
        assert_eq!(format!("{error:#}"), "open the database p: denied");
    }
}
