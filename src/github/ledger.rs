//! What one token has spent of GitHub's limits, and whether a call may go now.
//!
//! GitHub's limits are of the form "no more than N within a span", and one call counts against
//! several of them, so each is kept as a sliding window and a call is booked in all of them or in
//! none. (A token bucket lets up to twice N through within one span.) Pure: told what time it is,
//! in milliseconds of any clock that never goes back.
//!
//! Source of the numbers: GitHub's "Rate limits for the REST API".

use std::collections::VecDeque;

/// How many calls one token may make. GitHub's own limits are the default.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Calls under way at the same time. GitHub allows 100 to all programs of a token together.
    pub in_flight: u32,
    /// Points within a minute: a reading call costs 1, a writing one 5.
    pub points_per_min: u32,
    /// Calls within a minute that create what people are notified of: comments.
    pub comments_per_min: u32,
    /// The same within an hour.
    pub comments_per_h: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 10,
            points_per_min: 900,
            comments_per_min: 80,
            comments_per_h: 500,
        }
    }
}

/// What a call is worth. Of the calls that wait, those of the most worth go first; and the less a
/// call is worth, the larger the part of every limit that it leaves to others.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Value {
    /// Moves a base branch, or is read right before that.
    Landing,
    /// Somebody asked and waits: answers to comments, the merge of what was approved.
    Awaited,
    /// What runs: progress and results of tests.
    Visible,
    /// Nobody waits for it: the past, and what webhooks lost.
    Background,
}

impl Value {
    /// How many percent of each limit may be used when a call of this value is made.
    fn share(self) -> u32 {
        match self {
            Self::Landing => 100,
            Self::Awaited => 95,
            Self::Visible => 85,
            Self::Background => 70,
        }
    }

    /// The part of `limit` that may be used, but at least 1.
    fn part_of(self, limit: u32) -> u32 {
        let part = u64::from(limit) * u64::from(self.share()) / 100;
        u32::try_from(part).unwrap_or(u32::MAX).max(1)
    }
}

/// What a call does, as far as limits care.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Changes nothing.
    Read,
    /// Changes something that nobody is notified of.
    Write,
    /// Creates a comment.
    Comment,
}

impl Kind {
    fn points(self) -> u32 {
        match self {
            Self::Read => 1,
            Self::Write | Self::Comment => 5,
        }
    }
}

/// Why a call may not go now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Obstacle {
    /// As many as may are under way.
    InFlight,
    /// No call of this value or less may go before this moment.
    Until(u64),
    /// No comment of this value or less may go before this moment.
    CommentsUntil(u64),
}

/// What GitHub says of the hourly limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Hourly {
    /// How many calls the token has in an hour.
    pub(super) limit: u32,
    /// How many are left of them.
    pub(super) remaining: u32,
    /// When all of them will be there again.
    pub(super) resets_at: u64,
}

/// The first wait after a secondary limit that does not say how long; doubles each time.
const STRIKE_MS: u64 = 60_000;
/// The longest such wait.
const STRIKE_MS_MAX: u64 = 15 * 60_000;
/// Added to each span, because GitHub counts when a call arrives and we when it leaves.
const ON_THE_WAY_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60_000 + ON_THE_WAY_MS;
const HOUR_MS: u64 = 3_600_000 + ON_THE_WAY_MS;

/// See the module.
#[derive(Debug)]
pub(super) struct Ledger {
    limits: Limits,
    in_flight: u32,
    points: Window,
    comments_of_minute: Window,
    comments_of_hour: Window,
    hourly: Option<Hourly>,
    paused_until: u64,
    strikes: u32,
}

impl Ledger {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            in_flight: 0,
            points: Window::new(MINUTE_MS),
            comments_of_minute: Window::new(MINUTE_MS),
            comments_of_hour: Window::new(HOUR_MS),
            hourly: None,
            paused_until: 0,
            strikes: 0,
        }
    }

    /// Books a call that goes now, or says why it may not.
    pub(super) fn book(&mut self, now: u64, value: Value, kind: Kind) -> Result<(), Obstacle> {
        self.check(now, value, kind)?;
        self.in_flight += 1;
        self.points.spend(now, kind.points());
        if kind == Kind::Comment {
            self.comments_of_minute.spend(now, 1);
            self.comments_of_hour.spend(now, 1);
        }
        if let Some(hourly) = &mut self.hourly {
            hourly.remaining = hourly.remaining.saturating_sub(1);
        }
        Ok(())
    }

    /// Whether a call may go now.
    pub(super) fn check(&mut self, now: u64, value: Value, kind: Kind) -> Result<(), Obstacle> {
        if self.paused_until > now {
            return Err(Obstacle::Until(self.paused_until));
        }
        if let Some(at) = self.hourly.and_then(|hourly| hourly.shut(now, value)) {
            return Err(Obstacle::Until(at));
        }
        let points_max = value.part_of(self.limits.points_per_min);
        if let Some(at) = self.points.shut(now, kind.points(), points_max) {
            return Err(Obstacle::Until(at));
        }
        if self.in_flight >= value.part_of(self.limits.in_flight) {
            return Err(Obstacle::InFlight);
        }
        if kind == Kind::Comment {
            let minute_max = value.part_of(self.limits.comments_per_min);
            let hour_max = value.part_of(self.limits.comments_per_h);
            let minute = self.comments_of_minute.shut(now, 1, minute_max);
            let hour = self.comments_of_hour.shut(now, 1, hour_max);
            if let Some(at) = minute.max(hour) {
                return Err(Obstacle::CommentsUntil(at));
            }
        }
        Ok(())
    }

    /// A booked call is over.
    pub(super) fn ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// GitHub answered and said how much is left of the hour.
    pub(super) fn told(&mut self, told: Hourly) {
        let unanswered = self.in_flight.saturating_sub(1);
        self.hourly = Some(Hourly {
            remaining: told.remaining.saturating_sub(unanswered),
            ..told
        });
    }

    /// GitHub wants no calls for so long.
    pub(super) fn pause(&mut self, now: u64, wait_ms: u64) {
        self.paused_until = self.paused_until.max(now.saturating_add(wait_ms));
    }

    /// GitHub wants fewer calls but does not say for how long; returns for how long none goes.
    pub(super) fn strike(&mut self, now: u64) -> u64 {
        // Calls that were under way together are told so together: that is one strike.
        if self.paused_until <= now {
            self.strikes = self.strikes.saturating_add(1);
        }
        let doublings = self.strikes.saturating_sub(1).min(10);
        let wait_ms = (STRIKE_MS << doublings).min(STRIKE_MS_MAX);
        self.pause(now, wait_ms);
        wait_ms
    }

    /// GitHub took a call.
    pub(super) fn forgive(&mut self, now: u64) {
        if self.paused_until <= now {
            self.strikes = 0;
        }
    }
}

impl Hourly {
    /// Until when a call of this value has to wait.
    fn shut(self, now: u64, value: Value) -> Option<u64> {
        let used = self.limit.saturating_sub(self.remaining);
        let full = self.remaining == 0 || used >= value.part_of(self.limit);
        (full && now < self.resets_at).then_some(self.resets_at)
    }
}

/// What was spent within the last span.
#[derive(Debug)]
struct Window {
    span_ms: u64,
    spent: VecDeque<Spent>,
    sum: u32,
}

#[derive(Clone, Copy, Debug)]
struct Spent {
    at: u64,
    cost: u32,
}

impl Window {
    fn new(span_ms: u64) -> Self {
        Self {
            span_ms,
            spent: VecDeque::new(),
            sum: 0,
        }
    }

    fn spend(&mut self, at: u64, cost: u32) {
        self.spent.push_back(Spent { at, cost });
        self.sum += cost;
    }

    /// The moment from which `cost` more is not above `max`; none if that is now.
    fn shut(&mut self, now: u64, cost: u32, max: u32) -> Option<u64> {
        while let Some(oldest) = self.spent.front()
            && oldest.at + self.span_ms <= now
        {
            self.sum -= oldest.cost;
            self.spent.pop_front();
        }
        let mut excess = (self.sum + cost).saturating_sub(max.max(cost));
        let mut free_at = None;
        for spent in &self.spent {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(spent.cost);
            free_at = Some(spent.at + self.span_ms);
        }
        free_at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIGHT: Limits = Limits {
        in_flight: 10,
        points_per_min: 20,
        comments_per_min: 2,
        comments_per_h: 3,
    };

    #[test]
    fn the_default_limits_are_githubs_own() {
        let Limits {
            points_per_min,
            comments_per_min,
            comments_per_h,
            ..
        } = Limits::default();
        assert_eq!(
            (points_per_min, comments_per_min, comments_per_h),
            (900, 80, 500)
        );
    }

    #[test]
    fn reads_cost_1_and_writes_5_of_a_minutes_points() {
        let mut ledger = Ledger::new(TIGHT);
        for _ in 0..3 {
            assert_eq!(ledger.book(0, Value::Landing, Kind::Write), Ok(()));
        }
        for _ in 0..5 {
            assert_eq!(ledger.book(500, Value::Landing, Kind::Read), Ok(()));
        }
        let refused = ledger.book(500, Value::Landing, Kind::Read);
        assert_eq!(refused, Err(Obstacle::Until(MINUTE_MS)));
        assert_eq!(ledger.book(MINUTE_MS, Value::Landing, Kind::Read), Ok(()));
    }

    #[test]
    fn lesser_calls_leave_a_part_of_each_limit_to_greater_ones() {
        let mut ledger = Ledger::new(TIGHT);
        for _ in 0..7 {
            assert_eq!(ledger.book(0, Value::Background, Kind::Read), Ok(()));
        }
        let refused = ledger.book(0, Value::Background, Kind::Read);
        assert_eq!(refused, Err(Obstacle::InFlight));
        for value in [Value::Visible, Value::Awaited] {
            assert_eq!(ledger.book(0, value, Kind::Read), Ok(()));
            let refused = ledger.book(0, value, Kind::Read);
            assert_eq!(refused, Err(Obstacle::InFlight));
        }
        assert_eq!(ledger.book(0, Value::Landing, Kind::Read), Ok(()));
        assert_eq!(
            ledger.book(0, Value::Landing, Kind::Read),
            Err(Obstacle::InFlight)
        );
        ledger.ended();
        assert_eq!(ledger.book(0, Value::Landing, Kind::Read), Ok(()));
    }

    #[test]
    fn comments_have_limits_of_a_minute_and_of_an_hour_that_hold_up_nothing_else() {
        let mut ledger = Ledger::new(TIGHT);
        let mut comment = |now| ledger.book(now, Value::Landing, Kind::Comment);
        assert_eq!(comment(0), Ok(()));
        assert_eq!(comment(10), Ok(()));
        assert_eq!(comment(20), Err(Obstacle::CommentsUntil(MINUTE_MS)));
        assert_eq!(comment(MINUTE_MS), Ok(()));
        assert_eq!(
            comment(MINUTE_MS + 10),
            Err(Obstacle::CommentsUntil(HOUR_MS))
        );
        assert_eq!(comment(HOUR_MS), Ok(()));
        assert_eq!(ledger.book(HOUR_MS, Value::Background, Kind::Read), Ok(()));
    }

    fn hour(remaining: u32) -> Hourly {
        Hourly {
            limit: 5000,
            remaining,
            resets_at: 9_000,
        }
    }

    #[test]
    fn the_last_calls_of_an_hour_are_kept_for_landings() {
        let mut ledger = Ledger::new(Limits::default());
        ledger.told(hour(1501));
        assert_eq!(ledger.book(0, Value::Background, Kind::Read), Ok(()));
        let refused = ledger.book(0, Value::Background, Kind::Read);
        assert_eq!(refused, Err(Obstacle::Until(9_000)));
        for (value, left) in [(Value::Visible, 750), (Value::Awaited, 250)] {
            ledger.told(hour(left));
            let refused = ledger.book(0, value, Kind::Read);
            assert_eq!(refused, Err(Obstacle::Until(9_000)));
        }
        ledger.told(hour(2));
        assert_eq!(ledger.book(0, Value::Landing, Kind::Read), Ok(()));
        ledger.told(hour(0));
        assert_eq!(
            ledger.book(0, Value::Landing, Kind::Read),
            Err(Obstacle::Until(9_000))
        );
        assert_eq!(ledger.book(9_000, Value::Background, Kind::Read), Ok(()));
    }

    #[test]
    fn calls_that_are_not_answered_yet_count_against_what_github_says_is_left() {
        let mut ledger = Ledger::new(Limits::default());
        for _ in 0..3 {
            assert_eq!(ledger.book(0, Value::Landing, Kind::Read), Ok(()));
        }
        ledger.told(hour(3));
        assert_eq!(ledger.book(0, Value::Landing, Kind::Read), Ok(()));
        assert_eq!(
            ledger.book(0, Value::Landing, Kind::Read),
            Err(Obstacle::Until(9_000))
        );
    }

    #[test]
    fn a_pause_holds_everything_and_is_never_shortened() {
        let mut ledger = Ledger::new(Limits::default());
        ledger.pause(0, 5_000);
        ledger.pause(0, 1_000);
        let refused = ledger.book(4_999, Value::Landing, Kind::Read);
        assert_eq!(refused, Err(Obstacle::Until(5_000)));
        assert_eq!(ledger.book(5_000, Value::Landing, Kind::Read), Ok(()));
    }

    #[test]
    fn strikes_double_the_wait_until_a_call_is_taken() {
        let mut ledger = Ledger::new(Limits::default());
        assert_eq!(ledger.strike(0), 60_000);
        assert_eq!(ledger.strike(1), 60_000);
        assert_eq!(ledger.strike(60_001), 120_000);
        ledger.forgive(60_002);
        assert_eq!(ledger.strike(300_000), 240_000);
        for now in 1..20 {
            assert!(ledger.strike(now * 1_000_000) <= STRIKE_MS_MAX);
        }
        ledger.forgive(100_000_000);
        assert_eq!(ledger.strike(100_000_000), 60_000);
    }

    proptest! {
        #[test]
        fn no_span_ever_holds_more_than_its_limit_and_what_is_shut_opens_when_said(
            calls in proptest::collection::vec((0..30_000_u64, 0..3_usize, 0..3_usize), 1..80)
        ) {
            let mut ledger = Ledger::new(Limits { in_flight: u32::MAX, ..TIGHT });
            let mut booked: Vec<(u64, Kind)> = Vec::new();
            let mut now = 0;
            for (later, value, kind) in calls {
                now += later;
                let value = [Value::Landing, Value::Visible, Value::Background][value];
                let kind = [Kind::Read, Kind::Write, Kind::Comment][kind];
                match ledger.book(now, value, kind) {
                    Ok(()) => booked.push((now, kind)),
                    Err(Obstacle::Until(at) | Obstacle::CommentsUntil(at)) => {
                        prop_assert!(at > now);
                        now = at;
                        // Another limit may still be shut then, but never for the same reason.
                        if ledger.book(now, value, kind).is_ok() {
                            booked.push((now, kind));
                        }
                    }
                    Err(Obstacle::InFlight) => prop_assert!(false),
                }
                let within = |span: u64| booked.iter().filter(move |(at, _)| at + span > now);
                let points: u32 = within(60_000).map(|(_, kind)| kind.points()).sum();
                prop_assert!(points <= TIGHT.points_per_min);
                let comments = |span| within(span).filter(|(_, kind)| *kind == Kind::Comment).count();
                prop_assert!(comments(60_000) <= 2);
                prop_assert!(comments(3_600_000) <= 3);
            }
        }
    }
}
