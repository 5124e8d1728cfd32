//! How far the open pulls of a repository have been read that is served for the first time.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::repo::Repo;
use paprq_core::ids::PullNumber;

/// How far the reading is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// How many open pulls were read.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// Which pulls were read, until all are.
#[derive(Debug, Default)]
pub(super) struct FirstReading(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How many there are to be read; `None` when that is not going on.
    total: Option<usize>,
    taken_up: BTreeSet<PullNumber>,
}

impl FirstReading {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many pulls are to be read.
    pub(super) fn begin(&self, total: usize) {
        self.lock().total = Some(total);
    }

    /// A pull was read, with all that was said on it.
    pub(super) fn took_up(&self, pull: PullNumber) {
        self.lock().taken_up.insert(pull);
    }

    /// Whether a pull was read already, because somebody waited for it or before an interruption.
    pub(super) fn has_taken_up(&self, pull: PullNumber) -> bool {
        self.lock().taken_up.contains(&pull)
    }

    /// All are read; or what was read is lost, and must be read again.
    pub(super) fn end(&self) {
        *self.lock() = State::default();
    }
}

impl Repo {
    /// How far the first reading of all open pulls is, while it goes on.
    pub fn reading(&self) -> Option<Reading> {
        let state = self.shared().first_reading.lock();
        let total = state.total?;
        let done = state.taken_up.len().min(total);
        Some(Reading { done, total })
    }
}
