//! Labels that events move.

use super::Queue;
use super::effect::Effect;
use super::turn::Turn;
use crate::config::LabelEvent;
use crate::ids::{PullNumber, RunId};

impl Queue {
    /// Something happened to a pull: its labels are moved as the repository wants it.
    pub(super) fn label(&self, pull: PullNumber, event: LabelEvent, turn: &mut Turn) {
        if let Some(change) = self.rules.labels.get(&event) {
            let change = change.clone();
            turn.order(Effect::EditLabels { pull, change });
        }
    }

    /// The same for every pull of a run.
    pub(super) fn label_members(&self, run: RunId, event: LabelEvent, turn: &mut Turn) {
        let members = self.runs.get(&run).map(|run| run.members.as_slice());
        for member in members.unwrap_or_default() {
            self.label(member.pull, event, turn);
        }
    }

    /// A rollup was made of pulls.
    pub(super) fn note_rollup(&self, pulls: &[PullNumber], turn: &mut Turn) {
        for pull in pulls {
            if self.pulls.contains_key(pull) {
                self.label(*pull, LabelEvent::RollupMade, turn);
            }
        }
    }
}
