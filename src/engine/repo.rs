//! One configured repository: what its dispatcher, its effects and the pages share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Notify, OnceCell, mpsc, oneshot, watch};

use super::connecting::Bot;
use super::first_reading::FirstReading;
use super::job_service::JobService;
use super::live::{Change, Live};
use super::naming::Names;
use super::permissions::Permissions;
use super::test_place::{GitUrl, Maker, TestPlace};
use crate::git::{Mirror, Person, RemoteRef};
use crate::github::{self, GitHub, Slug};
use crate::store::{Delivery, InboxRow, OutboxId, Store, StoreError, Stored};
use crate::{clock, config};
use paprq_core::ids::{BranchName, JobId, PullNumber, RepoLabel, RunId};
use paprq_core::notes::Links;
use paprq_core::queue::event::Event;
use paprq_core::queue::rules::Rules;
use paprq_core::queue::{JobWords, Queue};

/// A configured repository. Clones are handles to the same.
#[derive(Clone)]
pub struct Repo(Arc<Shared>);

/// What all parts of one repository share.
pub(super) struct Shared {
    pub(super) config: config::Repo,
    pub(super) bot: Bot,
    pub(super) slug: Slug,
    pub(super) links: Links,
    pub(super) rules: Rules,
    /// The hooks, by trigger.
    pub(super) hooks: BTreeMap<String, config::Hook>,
    pub(super) permissions: Permissions,
    pub(super) suite_files: Vec<String>,
    pub(super) committer: Person,
    pub(super) github: GitHub,
    pub(super) api: github::Repo,
    /// Below which address git finds repositories.
    pub(super) git_url: GitUrl,
    pub(super) names: Names,
    pub(super) mirror: Mirror,
    pub(super) tests: TestPlace,
    pub(super) store: Store,
    pub(super) live: Live,
    pub(super) jobs: JobService,
    pub(super) mailbox: mpsc::UnboundedSender<Message>,
    pub(super) queue: RwLock<Queue>,
    /// Whether the dispatcher has loaded what the database holds, and is at work.
    pub(super) running: watch::Sender<bool>,
    /// Whether GitHub was ever asked for all pulls: before that, most are unknown.
    pub(super) swept: watch::Sender<bool>,
    pub(super) first_reading: FirstReading,
    pub(super) prefetch: Prefetch,
    /// Heads of pulls for which nobody trusted stands.
    pub(super) strangers: Prefetch,
    /// Whether not everybody may see it on GitHub, once that was asked.
    pub(super) private: OnceCell<bool>,
    /// Somebody wants all open pulls to be read anew.
    pub(super) synchronize: Notify,
    /// There is a webhook to be passed on.
    pub(super) forwarding: Notify,
}

/// What the dispatcher of a repository is told.
#[derive(Debug)]
pub(super) enum Message {
    /// A delivery is durable.
    Delivered(InboxRow),
    /// A delivery is durable, and what it needs was asked for.
    Completed(InboxRow),
    /// An order was carried out, with this news.
    Answered(OutboxId, Vec<Event>),
    /// Something was seen that can be seen again.
    Observed(Vec<Event>),
    /// Somebody is about to move the base branch: may they, after all that was said before?
    MayLand(RunId, oneshot::Sender<bool>),
    /// Somebody wants to know when all that was told before this is durable.
    Reached(oneshot::Sender<()>),
}

/// Refs that the mirror shall have soon.
#[derive(Debug, Default)]
pub(super) struct Prefetch {
    wanted: std::sync::Mutex<BTreeSet<RemoteRef>>,
    more: Notify,
}

impl Repo {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Its key in cfg.toml.
    pub fn label(&self) -> &RepoLabel {
        &self.0.config.label
    }

    /// Its name on GitHub, as cfg.toml has it.
    pub fn slug(&self) -> &Slug {
        &self.0.slug
    }

    /// What cfg.toml says of it.
    pub fn config(&self) -> &config::Repo {
        &self.0.config
    }

    /// Where words link to.
    pub fn links(&self) -> &Links {
        &self.0.links
    }

    /// Whether merges are made in the mirror; else there is none.
    pub(super) fn has_mirror(&self) -> bool {
        self.0.tests.maker == Maker::Mirror
    }

    /// Its mirror.
    pub fn mirror(&self) -> &Mirror {
        &self.0.mirror
    }

    /// Whether its dispatcher is alive.
    pub fn is_running(&self) -> bool {
        *self.0.running.borrow()
    }

    /// Waits until the dispatcher is at work: before that, the queue looks empty.
    pub(super) async fn until_running(&self) {
        let mut running = self.0.running.subscribe();
        // Without a sender the process is ending.
        let _ended = running.wait_for(|running| *running).await;
    }

    /// Looks at the queue as it is now. The dispatcher waits meanwhile: be short.
    pub fn look<T>(&self, look: impl FnOnce(&Queue) -> T) -> T {
        look(&self.0.queue.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        change(&mut self.0.queue.write().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Has every open pull read anew from GitHub soon, with all its comments: what they say is
    /// taken up as far as it is not known, without side effects; what was said since the last sweep is
    /// acted on.
    pub fn synchronize(&self) {
        tracing::info!(repo.label = %self.label(), "all open pulls are to be read anew");
        self.0.synchronize.notify_one();
    }

    /// Makes events durable and hands them to the dispatcher. A second time with the same
    /// `delivery` id is left out.
    ///
    /// # Errors
    /// Nothing is stored then, and the sender must be told.
    pub async fn take_in(
        &self,
        delivery: Option<String>,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        let delivery = Delivery {
            repo: self.label().clone(),
            id: delivery,
            events,
            received_at: clock::now(),
        };
        // In a task of its own: a sender that hangs up leaves nothing that only a restart would find.
        let repo = self.clone();
        let taking = tokio::spawn(async move {
            match repo.0.store.take_in(delivery).await? {
                Stored::New(row) => repo.tell(Message::Delivered(row)),
                Stored::Again => {}
            }
            Ok(())
        });
        taking.await?
    }

    /// Whether an event may change anything; one that cannot need not be kept. Before the queue is
    /// loaded, and while nobody knows the bot's name, nobody can tell.
    pub fn is_of_interest(&self, event: &Event) -> bool {
        let can_tell = self.is_running() && self.0.bot != Bot::Unknown;
        !can_tell || self.look(|queue| queue.is_of_interest(event))
    }

    pub(super) fn tell(&self, message: Message) {
        // Without a dispatcher the process is ending; what is durable is found again.
        let _ended = self.0.mailbox.send(message);
    }

    /// Whether a run may land, after everything that was told before this call.
    pub(super) async fn may_land(&self, run: RunId) -> bool {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::MayLand(run, reply));
        answer.await.unwrap_or(false)
    }

    /// Waits until all that was told before this call was read.
    pub(super) async fn until_read(&self) {
        let (reply, read) = oneshot::channel();
        self.tell(Message::Reached(reply));
        let _ended = read.await;
    }

    /// Whether a run still wants to be carried out.
    /// What the jobs of the runs in flight wait for or do.
    pub async fn job_words(&self) -> JobWords {
        let runs: Vec<_> = self.look(|queue| queue.runs_in_flight().map(|run| run.id).collect());
        self.shared().jobs.words(&runs).await
    }

    /// The page of a job.
    pub(super) fn job_page(&self, job: JobId) -> String {
        let base_url = self.shared().links.base_url.trim_end_matches('/');
        format!("{base_url}/job/{job}")
    }

    /// For how long a suite that passed counts as passed on the same tree, in seconds.
    pub(super) fn reuse_s(&self) -> u64 {
        super::setup::reuse_s(&self.shared().config).unwrap_or_default()
    }

    pub(super) fn is_live(&self, run: RunId) -> bool {
        self.look(|queue| queue.run(run).is_some_and(|run| !run.is_over()))
    }

    pub(super) fn show_change(&self) {
        self.0.live.tell(Change::Repo(self.label().clone()));
    }

    /// Brings a pull's head into the mirror, or into quarantine, before it is needed; drops what is
    /// kept of one that is closed.
    pub(super) fn prefetch_pull(&self, pull: PullNumber) {
        self.0.prefetch.want(RemoteRef::Pull(pull));
    }

    /// Brings a branch into the mirror before it is needed.
    pub(super) fn prefetch_branch(&self, branch: BranchName) {
        self.0.prefetch.want(RemoteRef::Branch(branch));
    }
}

impl Prefetch {
    pub(super) fn want(&self, what: RemoteRef) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.insert(what);
        self.more.notify_one();
    }

    /// What is wanted now, once there is something.
    pub(super) async fn next(&self) -> Vec<RemoteRef> {
        loop {
            let wanted = {
                let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut *wanted)
            };
            if !wanted.is_empty() {
                return wanted.into_iter().collect();
            }
            self.more.notified().await;
        }
    }
}
