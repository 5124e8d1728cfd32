//! The planner: what it promises over random histories, and beside one that is obviously right.

mod histories;
mod slow;
mod splitting;
mod world;

use super::plan::{Batch, Candidate, Mixing, Move, TrainRules, next_wakeup, plan};
use super::{CarState, Onto, Train};
use crate::ids::{PullNumber, RunId, Timestamp};

fn rules(max: usize, window: usize) -> TrainRules {
    TrainRules {
        batch: Batch {
            min: 1,
            max,
            wait_s: 0,
        },
        window,
        land_ahead: true,
        failure_depth: 0,
    }
}

fn candidate(pull: u64) -> Candidate {
    Candidate {
        pull: PullNumber(pull),
        ready_since: Timestamp(0),
        mixing: Mixing::Freely,
        depends_on: Vec::new(),
        conflicts_with: Vec::new(),
    }
}
