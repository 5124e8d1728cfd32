//! Who goes first.

use std::cmp::Reverse;

use super::pull::{Pull, Status, Urgency};
use crate::ids::PullNumber;

/// A pull's place in the queue: the smallest goes first (homu: `PullReqState.sort_key`).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct QueuePosition {
    status: Status,
    urgency: Urgency,
    mergeable: Mergeable,
    approved: Approved,
    priority: Reverse<i64>,
    rollup: i8,
    number: PullNumber,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Mergeable {
    YesOrUnknown,
    No,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Approved {
    Yes,
    No,
}

impl QueuePosition {
    /// The place of this pull.
    pub fn of(pull: &Pull) -> Self {
        Self {
            status: pull.status(),
            urgency: pull.urgency,
            mergeable: match pull.facts.mergeable {
                Some(false) => Mergeable::No,
                Some(true) | None => Mergeable::YesOrUnknown,
            },
            approved: match pull.standing_approval() {
                Some(_) => Approved::Yes,
                None => Approved::No,
            },
            priority: Reverse(pull.priority.value),
            rollup: pull.rollup.value.max(-1),
            number: pull.number(),
        }
    }
}
