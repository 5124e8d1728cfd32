//! Labels that events move.

use serde::{Deserialize, Serialize};

use super::Queue;
use super::effect::Effect;
use super::step::Step;
use crate::ids::{PullNumber, RunId};

/// What happened to a pull (homu: main.py LabelEvent).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelEvent {
    /// It was approved.
    Approved,
    /// Its approval was dropped.
    Rejected,
    /// It could not be merged.
    Conflict,
    /// Its merge passed.
    Succeed,
    /// Its merge failed.
    Failed,
    /// It landed without a test.
    Exempted,
    /// Its test took too long.
    TimedOut,
    /// Its test was interrupted.
    Interrupted,
    /// A try began.
    Try,
    /// A try passed.
    TrySucceed,
    /// A try failed.
    TryFailed,
    /// Its head changed.
    Pushed,
    /// A rollup was made.
    RollupMade,
}

/// Which labels an event moves: `[repo.LABEL.labels.EVENT]`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LabelChange {
    /// Taken off. Default none.
    pub remove: Vec<String>,
    /// Put on. Default none.
    pub add: Vec<String>,
    /// Nothing is done where the pull has one of these. Default none.
    pub unless: Vec<String>,
}

impl Queue {
    /// Something happened to a pull: its labels are moved as the repository wants it.
    pub(super) fn label(&self, pull: PullNumber, event: LabelEvent, step: &mut Step) {
        if let Some(change) = self.rules.labels.get(&event) {
            let change = change.clone();
            step.order(Effect::EditLabels { pull, change });
        }
    }

    /// The same for every pull of a run.
    pub(super) fn label_members(&self, run: RunId, event: LabelEvent, step: &mut Step) {
        let members = self.runs.get(&run).map(|run| run.members.as_slice());
        for member in members.unwrap_or_default() {
            self.label(member.pull, event, step);
        }
    }

    /// A rollup was made of pulls.
    pub(super) fn note_rollup(&self, pulls: &[PullNumber], step: &mut Step) {
        for pull in pulls {
            if self.pulls.contains_key(pull) {
                self.label(*pull, LabelEvent::RollupMade, step);
            }
        }
    }
}
