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
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber, RunId};
use paprq_core::notes;
use paprq_core::queue::effect::{Effect, Which};
use paprq_core::queue::giving_up::DEATHS_MAX;
use paprq_core::queue::note::StatusNote;

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

/// Orders of one lane are carried out one after the other, in the order in which they were given.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Lane {
    Merging(RunId),
    Publishing(BranchName),
    Suites(RunId),
    Landing(BranchName),
    Comments(PullNumber),
    Statuses(CommitId),
    Readings(PullNumber),
    Labels(PullNumber),
    CheckRuns(RunId),
    Hooks(PullNumber),
    Builds,
    Permissions(Login),
    Accesses(Login),
    TestMerge(PullNumber),
    Mergeability(BranchName),
    RetryLog,
}

impl Lane {
    fn of(effect: &Effect) -> Self {
        match effect {
            Effect::MakeMerge(order) => Self::Merging(order.run),
            Effect::PublishMerge { branch, .. } => Self::Publishing(branch.clone()),
            Effect::ReadMerge { run, .. }
            | Effect::ReadSuites { run, .. }
            | Effect::StartJobs { run, .. }
            | Effect::RankJobs { run, .. }
            | Effect::CancelJobs { run }
            | Effect::CancelSuites { run, .. } => Self::Suites(*run),
            Effect::MakeTestMerge(order) => Self::Merging(order.run),
            Effect::MarkTestMerge { pull, .. } | Effect::CompareSuites { pull, .. } => {
                Self::TestMerge(*pull)
            }
            Effect::AskAccess { user } => Self::Accesses(user.clone()),
            Effect::AdvanceBranch(order) => Self::Landing(order.base.clone()),
            Effect::PostComment { pull, .. } => Self::Comments(*pull),
            Effect::SetStatus { commit, .. } => Self::Statuses(*commit),
            Effect::ReadPull { pull } => Self::Readings(*pull),
            Effect::JudgeExemption(asked) => Self::Merging(asked.run),
            Effect::ReadCheckRuns { run, .. } => Self::CheckRuns(*run),
            Effect::RepeatBuilds { .. } | Effect::StopBuilds { .. } => Self::Builds,
            Effect::EditLabels { pull, .. } => Self::Labels(*pull),
            Effect::MarkMerged(mark) => Self::Labels(mark.pull),
            Effect::ClosePull { pull, .. } => Self::Labels(*pull),
            Effect::CallHook { pull, .. } => Self::Hooks(*pull),
            Effect::LogRetry { .. } => Self::RetryLog,
            Effect::AskStanding { user } => Self::Permissions(user.clone()),
            Effect::CheckMergeability { base, .. } => Self::Mergeability(base.branch.clone()),
        }
    }
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
            let lane = Lane::of(&row.effect);
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
        waiting.any(|later| overtakes(&later.row.effect, &order.row.effect))
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

/// Whether nobody would see the earlier of two orders of a lane if both were carried out.
fn overtakes(later: &Effect, earlier: &Effect) -> bool {
    match (later, earlier) {
        (Effect::ReadPull { .. }, Effect::ReadPull { .. })
        | (Effect::AskStanding { .. }, Effect::AskStanding { .. })
        | (
            Effect::CheckMergeability {
                pulls: Which::All, ..
            },
            Effect::CheckMergeability { .. },
        ) => true,
        (Effect::SetStatus { note: later, .. }, Effect::SetStatus { note: earlier, .. }) => {
            same_context(later, earlier)
        }
        _ => false,
    }
}

fn same_context(one: &StatusNote, other: &StatusNote) -> bool {
    match (one, other) {
        (StatusNote::Queue(_), StatusNote::Queue(_))
        | (StatusNote::Required { .. }, StatusNote::Required { .. })
        | (
            StatusNote::BadSuites | StatusNote::NotTested,
            StatusNote::BadSuites | StatusNote::NotTested,
        ) => true,
        (StatusNote::Suite { context: one, .. }, StatusNote::Suite { context: other, .. }) => {
            one == other
        }
        (
            StatusNote::Queue(_)
            | StatusNote::Suite { .. }
            | StatusNote::Required { .. }
            | StatusNote::BadSuites
            | StatusNote::NotTested,
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paprq_core::queue::note::QueueStatus;

    #[test]
    fn a_status_overtakes_an_earlier_one_of_its_context() {
        for later in [StatusNote::BadSuites, StatusNote::NotTested] {
            for earlier in [StatusNote::BadSuites, StatusNote::NotTested] {
                assert!(same_context(&later, &earlier), "{later:?}, {earlier:?}");
            }
            let queue = StatusNote::Queue(QueueStatus::Interrupted);
            assert!(!same_context(&later, &queue) && !same_context(&queue, &later));
            assert!(same_context(&queue, &queue));
        }
    }
}
