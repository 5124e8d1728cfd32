//! The one gate through which all calls of a token go.
//!
//! A call that the [`Ledger`] does not let pass waits here; of those that wait, the most worthy
//! goes first, and among equals the one that came first. What is held up by the limit of comments
//! holds up no other call, and neither does a caller whose calls are not answered: apart from
//! landings, one may have a part of all calls under way only. Nothing waits while there is plenty.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::ledger::{Hourly, Kind, Ledger, Limits, Obstacle, Value};
use crate::clock::Stopwatch;

/// See the module. Clones are the same budget.
#[derive(Clone)]
pub(super) struct Budget(Arc<Gate>);

struct Gate {
    clock: Stopwatch,
    runtime: Handle,
    queue: Mutex<Waiting>,
}

/// On whose account calls go: a repository, or the bot's own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Caller(u64);

/// One caller may have one in so many of the calls that are under way at the same time.
const CALLERS_MIN: u32 = 4;

struct Waiting {
    ledger: Ledger,
    tickets: BTreeMap<CallRank, Ticket>,
    next: u64,
    /// How many calls of one caller may be under way, apart from landings.
    share: u32,
    /// How many are.
    under_way: BTreeMap<Caller, u32>,
    callers: u64,
    alarm: Option<Alarm>,
}

/// Where a call stands in the queue.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct CallRank {
    value: Value,
    came: u64,
}

struct Ticket {
    caller: Caller,
    kind: Kind,
    call: oneshot::Sender<Permit>,
}

/// A call that may go.
struct Passing {
    call: oneshot::Sender<Permit>,
    /// Whose share it takes a place of, if it does.
    taken: Option<Caller>,
}

/// The moment at which somebody who waits may go, and who will see to that.
struct Alarm {
    at: u64,
    task: AbortHandle,
}

/// The right to make one call; ends with the call.
pub(super) struct Permit {
    gate: Arc<Gate>,
    taken: Option<Caller>,
}

impl Budget {
    /// A fresh budget whose timers run on this runtime.
    pub(super) fn new(limits: Limits, runtime: Handle) -> Self {
        Self(Arc::new(Gate {
            clock: Stopwatch::start(),
            runtime,
            queue: Mutex::new(Waiting {
                ledger: Ledger::new(limits),
                tickets: BTreeMap::new(),
                next: 0,
                share: (limits.in_flight / CALLERS_MIN).max(1),
                under_way: BTreeMap::new(),
                callers: 0,
                alarm: None,
            }),
        }))
    }

    /// Somebody whose calls are to be told from those of others.
    pub(super) fn new_caller(&self) -> Caller {
        let mut queue = self.0.lock();
        queue.callers += 1;
        Caller(queue.callers)
    }

    /// Waits until a call may go.
    pub(super) async fn admit(&self, caller: Caller, value: Value, kind: Kind) -> Permit {
        loop {
            let (call, receiver) = oneshot::channel();
            let ticket = Ticket { caller, kind, call };
            let _queued = self.enqueue(value, ticket);
            self.0.let_pass();
            // A ticket is only dropped with its answer, so this is the first and last round.
            if let Ok(permit) = receiver.await {
                return permit;
            }
        }
    }

    /// Whether a reading call of this value would have to wait now.
    pub(super) fn is_scarce(&self, value: Value) -> bool {
        let mut queue = self.0.lock();
        let overtakes = queue
            .tickets
            .first_key_value()
            .is_none_or(|(first, _)| first.value > value);
        let now = self.0.clock.elapsed_ms();
        !overtakes || queue.ledger.check(now, value, Kind::Read).is_err()
    }

    /// GitHub said how much is left of the hour, and when that will be all of it again.
    pub(super) fn told(&self, limit: u32, remaining: u32, resets_in: Duration) {
        let resets_at = self.after(resets_in);
        self.0.lock().ledger.told(Hourly {
            limit,
            remaining,
            resets_at,
        });
    }

    /// GitHub wants no calls for so long.
    pub(super) fn pause(&self, wait: Duration) {
        let now = self.0.clock.elapsed_ms();
        self.0.lock().ledger.pause(now, whole_ms(wait));
    }

    /// GitHub wants fewer calls but does not say for how long; returns for how long none goes.
    pub(super) fn strike(&self) -> Duration {
        let now = self.0.clock.elapsed_ms();
        Duration::from_millis(self.0.lock().ledger.strike(now))
    }

    /// GitHub took a call.
    pub(super) fn forgive(&self) {
        let now = self.0.clock.elapsed_ms();
        self.0.lock().ledger.forgive(now);
    }

    fn after(&self, wait: Duration) -> u64 {
        self.0.clock.elapsed_ms().saturating_add(whole_ms(wait))
    }

    fn enqueue(&self, value: Value, ticket: Ticket) -> Queued {
        let mut queue = self.0.lock();
        let place = CallRank {
            value,
            came: queue.next,
        };
        queue.next += 1;
        queue.tickets.insert(place, ticket);
        Queued {
            gate: Arc::clone(&self.0),
            place,
        }
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all pass that may, and sets the alarm for the next that will.
    fn let_pass(self: &Arc<Self>) {
        let mut passing = Vec::new();
        let mut queue = self.lock();
        let next_at = queue.take_passing(self.clock.elapsed_ms(), &mut passing);
        self.set_alarm(&mut queue, next_at);
        drop(queue);
        for Passing { call, taken } in passing {
            let gate = Arc::clone(self);
            // A call that was given up gives its permit back by dropping it.
            drop(call.send(Permit { gate, taken }));
        }
    }

    fn set_alarm(self: &Arc<Self>, queue: &mut Waiting, next_at: Option<u64>) {
        if queue.alarm.as_ref().map(|alarm| alarm.at) == next_at {
            return;
        }
        if let Some(alarm) = queue.alarm.take() {
            alarm.task.abort();
        }
        queue.alarm = next_at.map(|at| {
            let wait = Duration::from_millis(at.saturating_sub(self.clock.elapsed_ms()));
            let gate = Arc::clone(self);
            let ring = async move {
                tokio::time::sleep(wait).await;
                gate.lock().alarm = None;
                gate.let_pass();
            };
            Alarm {
                at,
                task: self.runtime.spawn(ring).abort_handle(),
            }
        });
    }
}

impl Waiting {
    /// Moves all calls that may go to `passing`; returns when the next may.
    fn take_passing(&mut self, now: u64, passing: &mut Vec<Passing>) -> Option<u64> {
        let mut next_at: Option<u64> = None;
        let mut looked_at = None;
        while let Some((place, caller, kind)) = self.after(looked_at) {
            looked_at = Some(place);
            let taken = (place.value != Value::Landing).then_some(caller);
            if taken.is_some_and(|caller| self.has_its_share(caller)) {
                continue;
            }
            match self.ledger.book(now, place.value, kind) {
                Ok(()) => passing.extend(self.take(place, taken)),
                Err(Obstacle::CommentsUntil(at)) => {
                    next_at = Some(next_at.map_or(at, |next| next.min(at)));
                }
                Err(Obstacle::Until(at)) => {
                    return Some(next_at.map_or(at, |next| next.min(at)));
                }
                Err(Obstacle::InFlight) => return next_at,
            }
        }
        next_at
    }

    fn has_its_share(&self, caller: Caller) -> bool {
        let under_way = self.under_way.get(&caller);
        under_way.is_some_and(|calls| *calls >= self.share)
    }

    fn take(&mut self, place: CallRank, taken: Option<Caller>) -> Option<Passing> {
        let Ticket { call, .. } = self.tickets.remove(&place)?;
        if let Some(caller) = taken {
            *self.under_way.entry(caller).or_default() += 1;
        }
        Some(Passing { call, taken })
    }

    fn give_back(&mut self, taken: Option<Caller>) {
        self.ledger.ended();
        if let Some(caller) = taken
            && let Some(calls) = self.under_way.get_mut(&caller)
        {
            *calls = calls.saturating_sub(1);
        }
        self.under_way.retain(|_, calls| *calls > 0);
    }

    /// The first in the queue behind this place.
    fn after(&self, place: Option<CallRank>) -> Option<(CallRank, Caller, Kind)> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        let (place, ticket) = self.tickets.range((from, Bound::Unbounded)).next()?;
        Some((*place, ticket.caller, ticket.kind))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.lock().give_back(self.taken);
        self.gate.let_pass();
    }
}

/// Takes a call that was given up out of the queue.
struct Queued {
    gate: Arc<Gate>,
    place: CallRank,
}

impl Drop for Queued {
    fn drop(&mut self) {
        let given_up = self.gate.lock().tickets.remove(&self.place);
        // It may have stood in the way of others.
        if given_up.is_some() {
            self.gate.let_pass();
        }
    }
}

fn whole_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
