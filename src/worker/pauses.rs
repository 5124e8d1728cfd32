//! What a worker cannot begin now: it asks for no such jobs, and looks again after growing pauses.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::protocol::Executor;

/// The first pause; each doubles the last.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);

/// What a worker cannot begin now.
#[derive(Debug, Default)]
pub(super) struct Pauses(Mutex<BTreeMap<Executor, Pause>>);

#[derive(Debug)]
struct Pause {
    length: Duration,
    since: Stopwatch,
}

impl Pauses {
    /// Jobs for this executor cannot be begun. Says so in the log.
    pub(super) fn begin(&self, executor: Executor, reason: &str) {
        let mut pauses = self.lock();
        if pauses.contains_key(&executor) {
            return;
        }
        tracing::error!(
            executor = executor.word(),
            reason,
            "no such jobs can be begun: the worker asks for none until they can; free what it lacks"
        );
        pauses.insert(
            executor,
            Pause {
                length: FIRST,
                since: Stopwatch::start(),
            },
        );
    }

    /// It was looked again, and nothing is better: the next pause is longer.
    pub(super) fn lengthen(&self, executor: Executor, reason: &str) {
        if let Some(pause) = self.lock().get_mut(&executor) {
            pause.length = pause.length.saturating_mul(2).min(LONGEST);
            pause.since = Stopwatch::start();
            let pause_s = pause.length.as_secs();
            tracing::warn!(
                executor = executor.word(),
                reason,
                pause_s,
                "still no such jobs can be begun"
            );
        }
    }

    /// Such jobs can be begun again.
    pub(super) fn end(&self, executor: Executor) {
        if self.lock().remove(&executor).is_some() {
            let executor = executor.word();
            tracing::info!(executor, "such jobs can be begun again");
        }
    }

    /// Of these executors, those that have no pause.
    pub(super) fn without(&self, mut executors: Vec<Executor>) -> Vec<Executor> {
        let pauses = self.lock();
        executors.retain(|executor| !pauses.contains_key(executor));
        executors
    }

    /// Those whose pause is over.
    pub(super) fn over(&self) -> Vec<Executor> {
        let pauses = self.lock();
        let over = pauses.iter().filter(|(_, pause)| pause.left().is_zero());
        over.map(|(executor, _)| *executor).collect()
    }

    /// When the next pause is over, if there is any.
    pub(super) fn left(&self) -> Option<Duration> {
        self.lock().values().map(Pause::left).min()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Executor, Pause>> {
        // Every change of the map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pause {
    fn left(&self) -> Duration {
        self.length.saturating_sub(self.since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_hold_for_their_executor_alone() {
        let pauses = Pauses::default();
        pauses.begin(Executor::Container, "no engine");
        let both = vec![Executor::Sandbox, Executor::Container];
        assert_eq!(pauses.without(both.clone()), [Executor::Sandbox]);
        let mut last = pauses.left().unwrap();
        assert!(last <= FIRST && pauses.over().is_empty());
        for _ in 0..12 {
            pauses.lengthen(Executor::Container, "no engine");
            pauses.begin(Executor::Container, "no engine");
            let left = pauses.left().unwrap();
            assert!(left >= last.min(LONGEST - FIRST) && left <= LONGEST);
            last = left;
        }
        assert!(last > LONGEST - FIRST);
        pauses.end(Executor::Container);
        assert_eq!(pauses.without(both.clone()), both);
        assert_eq!(pauses.left(), None);
    }
}
