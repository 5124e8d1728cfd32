//! Has orders carried out: at least once each, those of one lane one after the other.
//!
//! An order stays in the database until it is settled. What was under way when the process ended
//! is carried out again, by those who look first whether it was done already. What was under way at
//! several such ends may be their cause: it is carried out when nothing else of that sort is, and
//! after [`DEATHS_MAX`] it is given up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backon::BackoffBuilder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::orders::{self, Done, Trouble};
use super::repo::{Message, Repo};
use super::retry;
use crate::store::{OutboxRow, UnderWay};
use paprq_core::notes;
use paprq_core::queue::giving_up::DEATHS_MAX;
use paprq_core::queue::lane::Lane;

/// The orders of one repository that are not yet settled.
#[derive(Clone)]
pub(super) struct Outbox {
    repo: Repo,
    lanes: Arc<Mutex<HashMap<Lane, VecDeque<Order>>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// An order, and whether it may have been carried out before.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) row: OutboxRow,
    pub(super) tried: Tried,
}

/// Held by the one order under way that was so when the process ended before: the next end shows
/// which of them is the cause.
static SUSPECTS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Whether an order may have been carried out before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tried {
    /// It was not.
    Never,
    /// It may have been: the process ended, or an answer was lost.
    MaybeBefore,
}

impl Outbox {
    pub(super) fn new(repo: Repo, stop: &CancellationToken) -> Self {
        Self {
            repo,
            lanes: Arc::default(),
            tasks: TaskTracker::new(),
            stop: stop.child_token(),
        }
    }

    /// Has these orders carried out.
    pub(super) fn submit(&self, rows: Vec<OutboxRow>, tried: Tried) {
        for row in rows {
            let lane = row.effect.lane();
            let order = Order { row, tried };
            let mut lanes = self.lanes();
            if let Some(waiting) = lanes.get_mut(&lane) {
                waiting.push_back(order);
                continue;
            }
            lanes.insert(lane.clone(), VecDeque::new());
            drop(lanes);
            self.spawn(self.clone().drive(lane, order));
        }
    }

    /// Does something beside, until the outbox is stopped.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Breaks off what is under way; it will be looked at again.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let rested = self.repo.shared().store.rest(self.repo.label()).await;
        if let Err(error) = rested {
            tracing::warn!(
                repo.label = %self.repo.label(), %error,
                "orders that were broken off look as if they had ended the process"
            );
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Lane, VecDeque<Order>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn drive(self, lane: Lane, first: Order) {
        let mut next = Some(first);
        while let Some(order) = next {
            if self.is_overtaken(&lane, &order) {
                self.settle(&order, Done::Quietly).await;
            } else {
                let done = self.insist(order.clone()).await;
                self.settle(&order, done).await;
            }
            next = self.next(&lane);
        }
    }

    fn next(&self, lane: &Lane) -> Option<Order> {
        let mut lanes = self.lanes();
        let next = lanes.get_mut(lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            lanes.remove(lane);
        }
        next
    }

    /// Carries an order out, however often it must be tried; what is refused for good is given up.
    async fn insist(&self, mut order: Order) -> Done {
        if order.row.deaths >= DEATHS_MAX {
            return self.give_up(&order);
        }
        let mut delays = retry::patient().build();
        let mut refused_before = 0;
        loop {
            let pause = match self.try_once(&order).await {
                Ok(done) => return done,
                Err(Trouble::Passing(error)) => {
                    tracing::warn!(
                        repo.label = %self.repo.label(), order.id = %order.row.id,
                        order = %order.row.effect, %error,
                        "an order is tried again later"
                    );
                    delays.next().unwrap_or(retry::DELAY_MAX)
                }
                Err(Trouble::Refused(refused)) => match refused.pause(refused_before) {
                    Some(pause) => {
                        refused_before += 1;
                        orders::delay(&self.repo, &order, &refused);
                        pause
                    }
                    None => return orders::give_up(&self.repo, &order, &refused),
                },
            };
            order.tried = Tried::MaybeBefore;
            tokio::time::sleep(pause).await;
        }
    }

    /// Tries a risky order once, having written down that it does.
    async fn try_once(&self, order: &Order) -> Result<Done, Trouble> {
        if !order.row.effect.is_risky() {
            return orders::carry_out(&self.repo, order).await;
        }
        let _alone = if order.row.deaths > 0 {
            Some(SUSPECTS.lock().await)
        } else {
            None
        };
        let store = &self.repo.shared().store;
        store.set_under_way(order.row.id, UnderWay::Yes).await?;
        let outcome = orders::carry_out(&self.repo, order).await;
        if outcome.is_err() {
            store.set_under_way(order.row.id, UnderWay::No).await?;
        }
        outcome
    }

    fn give_up(&self, order: &Order) -> Done {
        tracing::error!(
            repo.label = %self.repo.label(), order.id = %order.row.id, order = %order.row.effect,
            deaths = order.row.deaths,
            "an order is given up: the process ended each time it was under way; look for what \
             killed it (memory, a crash) in the system's log"
        );
        let events = order.row.effect.given_up(notes::GIVEN_UP);
        if events.is_empty() {
            return Done::Quietly;
        }
        Done::Answered(events)
    }

    /// Whether a later order of the same lane makes this one superfluous.
    fn is_overtaken(&self, lane: &Lane, order: &Order) -> bool {
        let lanes = self.lanes();
        let mut waiting = lanes.get(lane).into_iter().flatten();
        waiting.any(|later| later.row.effect.overtakes(&order.row.effect))
    }

    async fn settle(&self, order: &Order, done: Done) {
        match done {
            Done::Answered(events) => self.repo.tell(Message::Answered(order.row.id, events)),
            Done::Quietly => self.mark_done(order).await,
        }
    }

    /// An order that is not marked would be carried out again after a restart, and an old status
    /// would cover a younger one: the next order of the lane waits for it.
    async fn mark_done(&self, order: &Order) {
        let mut delays = retry::patient().build();
        while let Err(error) = self.repo.shared().store.mark_done(order.row.id).await {
            tracing::warn!(
                repo.label = %self.repo.label(), order.id = %order.row.id, %error,
                "an order that is done could not be marked so yet"
            );
            let delay = delays.next().unwrap_or(retry::DELAY_MAX);
            tokio::time::sleep(delay).await;
        }
    }
}
