//! One call of [`super::Queue::handle`]: its moment, and the effects that it collects.

use super::effect::Effect;
use super::note::{Note, QueueStatus, StatusNote};
use crate::ids::{CommitId, PullNumber, Timestamp};

/// One call of [`super::Queue::handle`].
pub(super) struct Step {
    pub(super) now: Timestamp,
    pub(super) effects: Vec<Effect>,
}

impl Step {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            effects: Vec::new(),
        }
    }

    pub(super) fn order(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn post(&mut self, pull: PullNumber, note: Note) {
        self.order(Effect::PostComment { pull, note });
    }

    pub(super) fn set_status(&mut self, commit: CommitId, note: StatusNote) {
        self.order(Effect::SetStatus { commit, note });
    }

    pub(super) fn set_queue_status(&mut self, commit: CommitId, status: QueueStatus) {
        self.set_status(commit, StatusNote::Queue(status));
    }
}
