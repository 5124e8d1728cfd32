//! One loop per repository: an event, the core's decision, one transaction, the orders.
//!
//! What goes wrong in one repository stays in it: its loop is ended and begun again from what the
//! database holds.

use std::sync::Arc;
use std::time::Duration;

use backon::BackoffBuilder;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use super::outbox::{Outbox, Tried};
use super::repo::{Message, Repo};
use super::sync::SweepError;
use super::{retry, sync};
use crate::clock;
use crate::github::{ApiError, Value};
use crate::store::{Cause, Entry, InboxId, InboxRow, StepRecord, Stepped, StoreError};
use paprq_core::ids::{PullNumber, Timestamp};
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::{Event, PullFacts, PullState, Source};
use paprq_core::queue::pull::Pull;
use paprq_core::queue::{Queue, Touched};

/// How long closed pulls are kept in memory, in seconds: late webhooks may still tell of them.
const CLOSED_KEPT_S: u64 = 14 * 86_400;

/// The mailbox of a repository; it outlives the loop that reads it.
pub(super) type Mailbox = Arc<Mutex<mpsc::UnboundedReceiver<Message>>>;

/// Runs a repository's loop until it is told to stop, and begins it anew when it fails.
pub(super) async fn supervise(repo: Repo, mailbox: Mailbox, stop: CancellationToken) {
    let mut delays = retry::patient().build();
    while !stop.is_cancelled() {
        let work = run(repo.clone(), Arc::clone(&mailbox), stop.clone());
        let ended = tokio::spawn(work).await;
        repo.shared().running.send_replace(false);
        match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(
                    repo.label = %repo.label(), %error,
                    "the repository's loop failed and begins anew from the database"
                );
            }
            Err(panic) => {
                tracing::error!(
                    repo.label = %repo.label(), error = %panic,
                    "the repository's loop crashed and begins anew from the database"
                );
            }
        }
        let delay = delays.next().unwrap_or(retry::DELAY_MAX);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn run(repo: Repo, mailbox: Mailbox, stop: CancellationToken) -> Result<(), StoreError> {
    let mut mailbox = mailbox.lock().await;
    let outbox = Outbox::new(repo.clone(), &stop);
    let mut dispatcher = Dispatcher {
        repo,
        outbox,
        loaded_up_to: None,
    };
    let outcome = dispatcher.work(&mut mailbox, &stop).await;
    dispatcher.outbox.stop().await;
    outcome
}

struct Dispatcher {
    repo: Repo,
    outbox: Outbox,
    /// Deliveries up to this one were read from the database at the start.
    loaded_up_to: Option<InboxId>,
}

impl Dispatcher {
    async fn work(
        &mut self,
        mailbox: &mut mpsc::UnboundedReceiver<Message>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        self.load().await?;
        self.repo.shared().running.send_replace(true);
        loop {
            let wakeup = self.repo.look(Queue::next_wakeup);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                message = mailbox.recv() => match message {
                    Some(message) => self.read(message).await?,
                    None => return Ok(()),
                },
                () = wait_until(wakeup) => {
                    self.step(Cause::Observation, vec![Event::TimePassed]).await?;
                }
            }
        }
    }

    /// Goes on where the database says that the repository was left.
    async fn load(&mut self) -> Result<(), StoreError> {
        let shared = self.repo.shared();
        let now = clock::now();
        let kept_since = Timestamp(now.0.saturating_sub_unsigned(CLOSED_KEPT_S * 1000));
        let saved = shared
            .store
            .load_repo(self.repo.label(), kept_since, now)
            .await?;
        shared.swept.send_replace(saved.row.synced_at.is_some());
        shared.first_reading.end();
        let queue = Queue::restored(
            shared.rules.clone(),
            saved.row.state,
            saved.pulls,
            saved.runs,
        );
        self.repo.change(|known| *known = queue);
        let undone = shared.store.undone(self.repo.label()).await?;
        let unapplied = shared.store.unapplied(self.repo.label()).await?;
        tracing::info!(
            repo.label = %self.repo.label(), orders = undone.len(), deliveries = unapplied.len(),
            "the repository is loaded"
        );
        self.outbox.submit(undone, Tried::MaybeBefore);
        self.loaded_up_to = unapplied.last().map(|row| row.id);
        for row in unapplied {
            self.deliver(row).await?;
        }
        self.repo.show_change();
        Ok(())
    }

    async fn read(&mut self, message: Message) -> Result<(), StoreError> {
        match message {
            // It was read from the database already.
            Message::Delivered(row) if Some(row.id) <= self.loaded_up_to => Ok(()),
            Message::Delivered(row) => self.deliver(row).await,
            Message::Completed(row) => self.step(Cause::Delivery(row.id), row.events).await,
            Message::Answered(order, events) => self.step(Cause::Answer(order), events).await,
            Message::Observed(events) => self.step(Cause::Observation, events).await,
            Message::MayLand(run, reply) => {
                let answer = self.repo.look(|queue| queue.may_land(run));
                let _asker_gone = reply.send(answer);
                Ok(())
            }
            Message::Reached(reply) => {
                let _asker_gone = reply.send(());
                Ok(())
            }
        }
    }

    /// Applies a delivery, at once or when GitHub was asked for the pull that it is about.
    async fn deliver(&mut self, row: InboxRow) -> Result<(), StoreError> {
        match self.unknown_pull(&row.events) {
            Some(pull) => {
                self.outbox.spawn(complete(self.repo.clone(), row, pull));
                Ok(())
            }
            None => self.step(Cause::Delivery(row.id), row.events).await,
        }
    }

    fn unknown_pull(&self, events: &[Event]) -> Option<PullNumber> {
        self.repo.look(|queue| {
            let pulls = events.iter().filter_map(commented_pull);
            pulls.into_iter().find(|pull| queue.pull(*pull).is_none())
        })
    }

    /// Applies events and makes what comes of them durable, then has the orders carried out.
    async fn step(&mut self, cause: Cause, events: Vec<Event>) -> Result<(), StoreError> {
        let step = self.apply(cause, events);
        let changed = !step.history.is_empty();
        if !changed && cause == Cause::Observation {
            return Ok(());
        }
        let shared = self.repo.shared();
        match shared.store.take_step(step).await? {
            Stepped::Taken(orders) => self.outbox.submit(orders, Tried::Never),
            Stepped::Before => {}
        }
        if changed {
            self.repo.show_change();
        }
        Ok(())
    }

    fn apply(&self, cause: Cause, events: Vec<Event>) -> StepRecord {
        let now = clock::now();
        self.repo.change(|queue| {
            let mut history = Vec::new();
            let mut touched = Touched::default();
            for event in events {
                self.prefetch(&event, queue);
                let was_open = is_open(queue, &event);
                let effects = queue.handle(now, event.clone());
                self.cry_out(&event, was_open && !is_open(queue, &event));
                let newly = queue.take_touched();
                if effects.is_empty() && newly == Touched::default() {
                    continue;
                }
                touched.pulls.extend(newly.pulls);
                touched.runs.extend(newly.runs);
                touched.state |= newly.state;
                self.log(&event, &effects);
                history.push(Entry { event, effects });
            }
            let pulls = touched.pulls.iter();
            let runs = touched.runs.iter();
            StepRecord {
                repo: self.repo.label().clone(),
                cause,
                at: now,
                state: touched.state.then(|| queue.state().clone()),
                pulls: pulls
                    .filter_map(|number| queue.pull(*number).cloned())
                    .collect(),
                runs: runs.filter_map(|id| queue.run(*id).cloned()).collect(),
                history,
            }
        })
    }

    /// That a pull is given up that GitHub has not closed is for somebody to look at.
    fn cry_out(&self, event: &Event, is_given_up: bool) {
        if let Event::PullUnseen { pull } = event
            && is_given_up
        {
            tracing::error!(
                repo.label = %self.repo.label(), pull.number = %pull,
                "GitHub has not shown a pull request for a day, so it counts as closed; \
                 look whether the bot's token may still read the repository"
            );
        }
    }

    /// The log reads as the repository's history.
    fn log(&self, event: &Event, effects: &[Effect]) {
        let effects: Vec<_> = effects.iter().map(ToString::to_string).collect();
        tracing::info!(
            repo.label = %self.repo.label(), effects = effects.join("; "), "{event}"
        );
    }

    /// Lets the mirror follow what moved, before somebody needs it.
    fn prefetch(&self, event: &Event, queue: &Queue) {
        if let Event::PullSeen { facts, .. }
        | Event::HeadPushed { facts, .. }
        | Event::PullRestored { facts, .. } = event
        {
            let known = queue.pull(facts.number).map(|pull| pull.facts.head);
            let is_open = facts.state == PullState::Open;
            let is_closing = !is_open && known.is_some();
            if is_closing || (is_open && known != Some(facts.head)) {
                self.repo.prefetch_pull(facts.number);
            }
            if is_open && !queue.state().bases.contains_key(&facts.base) {
                self.repo.prefetch_branch(facts.base.clone());
            }
        }
        if let Event::BranchPushed { branch, .. } = event {
            let mut pulls = queue.pulls().filter(|pull| pull.is_open());
            if pulls.any(|pull| pull.facts.base == *branch) {
                self.repo.prefetch_branch(branch.clone());
            }
        }
    }
}

fn is_open(queue: &Queue, event: &Event) -> bool {
    if let Event::PullUnseen { pull } = event {
        queue.pull(*pull).is_some_and(Pull::is_open)
    } else {
        false
    }
}

fn commented_pull(event: &Event) -> Option<PullNumber> {
    if let Event::CommentMade { pull, .. } = event {
        Some(*pull)
    } else {
        None
    }
}

/// Asks GitHub for the pull that a delivery is about, then hands the delivery back.
async fn complete(repo: Repo, row: InboxRow, pull: PullNumber) {
    let mut delays = retry::patient().build();
    let mut pauses = retry::lag();
    let facts = loop {
        match facts_of(&repo, pull).await {
            Ok(facts) => break facts,
            Err(SweepError::Api(error @ (ApiError::Gone | ApiError::Rejected { .. }))) => {
                let Some(pause) = pauses.next() else {
                    tracing::warn!(
                        repo.label = %repo.label(), pull.number = %pull, %error,
                        "GitHub does not show the pull of a delivery, which is left"
                    );
                    break None;
                };
                tokio::time::sleep(pause).await;
            }
            Err(error) => {
                tracing::warn!(
                    repo.label = %repo.label(), pull.number = %pull, %error,
                    "cannot ask for the pull of a delivery yet"
                );
                let delay = delays.next().unwrap_or(retry::DELAY_MAX);
                tokio::time::sleep(delay).await;
            }
        }
    };
    let seen = facts.map(|facts| Event::PullSeen {
        facts,
        source: Source::Reading,
    });
    let events = seen.into_iter().chain(row.events).collect();
    repo.tell(Message::Completed(InboxRow { id: row.id, events }));
}

/// How a pull stands that is not known; `None` if it was told already. Before all pulls were read
/// once, it is read with everything that was said on it, for that may be what counts.
async fn facts_of(repo: &Repo, pull: PullNumber) -> Result<Option<PullFacts>, SweepError> {
    if !*repo.shared().swept.borrow() {
        sync::restore_ahead(repo, pull).await?;
        return Ok(None);
    }
    Ok(Some(repo.shared().api.at(Value::Awaited).pull(pull).await?))
}

async fn wait_until(moment: Option<Timestamp>) {
    match moment {
        Some(moment) => {
            let wait_ms = moment.ms_since(clock::now());
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        None => std::future::pending().await,
    }
}
