//! What is let go of, so that memory does not grow with a repository's age. The store keeps all.

use std::collections::BTreeSet;

use super::Queue;
use super::pull::{Pull, Stage};
use super::run::{Phase, Run};
use crate::ids::{RunId, Timestamp};

/// How long closed pulls are remembered, in seconds: late news may still tell of them.
const CLOSED_KEPT_S: u64 = 14 * 86_400;

/// How long runs that are over are remembered though nothing refers to them, in seconds: what was
/// decided in one go is written down by then.
const OVER_KEPT_S: u64 = 3_600;

impl Queue {
    /// Forgets pulls that were closed long ago, and runs that nothing refers to any more.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        let touched = &self.touched;
        self.pulls.retain(|number, pull| {
            touched.pulls.contains(number) || pull.is_open() || is_in_use(pull, now)
        });
        let wanted = self.wanted_runs();
        self.runs.retain(|id, run| {
            touched.runs.contains(id) || wanted.contains(id) || ended_lately(run, now)
        });
    }

    /// Runs in flight, the latest of each pull, and those that one of these repeats.
    fn wanted_runs(&self) -> BTreeSet<RunId> {
        let of_pulls = self.pulls.values().flat_map(|pull| {
            let repeated = match pull.stage {
                Stage::RetryWanted { of, .. } => Some(of),
                Stage::Idle
                | Stage::TryWanted { .. }
                | Stage::Running { .. }
                | Stage::Ended { .. } => None,
            };
            let own = pull.own.last_run.into_iter();
            pull.last_run.into_iter().chain(repeated).chain(own)
        });
        let repeated = self.runs_in_flight().filter_map(|run| run.repeats);
        of_pulls.chain(repeated).collect()
    }
}

fn is_in_use(pull: &Pull, now: Timestamp) -> bool {
    matches!(pull.stage, Stage::Running { .. }) || pull.facts.updated_at.plus_s(CLOSED_KEPT_S) > now
}

fn ended_lately(run: &Run, now: Timestamp) -> bool {
    match run.phase {
        Phase::Done { at, .. } => at.plus_s(OVER_KEPT_S) > now,
        Phase::Merging { .. } | Phase::Testing { .. } | Phase::Landing { .. } => true,
    }
}
