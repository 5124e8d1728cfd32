//! What is to be done next with a train. Total and deterministic; it reads no clock.
//!
//! A run has to contain all that is before it in the order, but for runs that failed and that nothing
//! behind them can clear any more. One that does not is stopped and begins again, at its place.

use std::collections::BTreeSet;

use super::{Car, CarState, Onto, Place, Train, batch};
use crate::ids::{PullNumber, RunId, Timestamp};

/// How a repository's approved pulls are tested together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TrainRules {
    /// How many pulls are in one run.
    pub batch: Batch,
    /// How many runs of this base may be in flight. Default 1.
    pub window: usize,
    /// Whether a run that passed lands those before it, too. Default true.
    pub land_ahead: bool,
    /// For how many runs behind it a failed run waits before it is judged. Default 0.
    pub failure_depth: usize,
}

/// How many pulls are in one run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Batch {
    /// With fewer, a run begins only after `wait_s` where nothing else is in flight. Default 1.
    pub min: usize,
    /// At most. Default 1.
    pub max: usize,
    /// Seconds since the first of them was ready. Default 0.
    pub wait_s: u64,
}

/// An approved pull that could be in the next run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Which.
    pub pull: PullNumber,
    /// Since when nothing but its turn kept it from being tested.
    pub ready_since: Timestamp,
    /// With whom it may be in a run (`rollup=`).
    pub mixing: Mixing,
    /// Pulls of the same base that must be merged before it.
    pub depends_on: Vec<PullNumber>,
    /// Pulls that it was found to conflict with.
    pub conflicts_with: Vec<PullNumber>,
}

/// With whom a pull may be in a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mixing {
    /// With all that may.
    Freely,
    /// With none of its kind (`rollup=iffy`).
    Iffily,
    /// With nobody (`rollup=never`).
    Never,
}

/// What is to be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Move {
    /// A run begins with these pulls.
    Start {
        /// Each upon the one before it,
        members: Vec<PullNumber>,
        /// the first upon this.
        onto: Onto,
    },
    /// A run is stopped; its pulls are tested again.
    Cancel {
        /// Which.
        run: RunId,
        /// Why.
        why: Stale,
    },
    /// The base branch is moved to a run's commit: it and all that it stands on land.
    Land {
        /// Which.
        run: RunId,
    },
    /// A run's own pulls made it fail: one alone is told, several are halved.
    Judge {
        /// Which.
        run: RunId,
    },
}

/// Why a run tests what would not land.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stale {
    /// The base branch was moved by somebody else.
    BaseMoved,
    /// It stands on a run that failed or was stopped.
    Upon(RunId),
    /// It lacks pulls that are before it.
    Without,
}

/// What follows from how things stand. Whoever carries the moves out tells the train, and asks again:
/// a run that begins is the last of them, since the next one may stand on it.
pub fn plan(
    train: &Train,
    candidates: &[Candidate],
    rules: &TrainRules,
    now: Timestamp,
) -> Vec<Move> {
    let mut walk = Walk::new(train, rules);
    for place in &train.places {
        match place {
            Place::Car(car) => walk.pass(car),
            Place::Suspects(members) => walk.wait(members),
        }
    }
    walk.land();
    walk.begin(candidates, now);
    walk.moves
}

/// When the passing of time alone makes a run begin.
pub fn next_wakeup(
    train: &Train,
    candidates: &[Candidate],
    rules: &TrainRules,
) -> Option<Timestamp> {
    if !train.places.is_empty() {
        return None;
    }
    let all: Vec<_> = candidates.iter().collect();
    let members = batch::members(&all, &rules.batch, &BTreeSet::new());
    let since = batch::ready_since(&all, &members)?;
    (members.len() < rules.batch.min).then(|| since.plus_s(rules.batch.wait_s))
}

/// One look at a train, from its first place to its last.
struct Walk<'a> {
    train: &'a Train,
    rules: &'a TrainRules,
    moves: Vec<Move>,
    /// What the next place has to stand on.
    top: Onto,
    /// The pulls that are in that.
    contained: BTreeSet<PullNumber>,
    /// The first suspects that wait for a run: all behind them waits, too.
    suspects: Option<&'a [PullNumber]>,
    /// The last run that could land.
    landable: Option<RunId>,
    /// Whether a run failed that has to be judged before anything behind it lands.
    has_failure: bool,
    in_flight: usize,
}

impl<'a> Walk<'a> {
    fn new(train: &'a Train, rules: &'a TrainRules) -> Self {
        Self {
            train,
            rules,
            moves: Vec::new(),
            top: Onto::Tip,
            contained: BTreeSet::new(),
            suspects: None,
            landable: None,
            has_failure: false,
            in_flight: 0,
        }
    }

    fn pass(&mut self, car: &Car) {
        if let Some(why) = self.staleness(car) {
            self.moves.push(Move::Cancel { run: car.run, why });
            return;
        }
        self.in_flight += 1;
        if car.state == CarState::Failed && !self.may_be_cleared(car.run) {
            self.pass_failure(car);
            return;
        }
        self.top = Onto::Run(car.run);
        self.contained.extend(&car.members);
        let is_first = self.rules.land_ahead || self.landable.is_none();
        if is_first && !self.has_failure && self.may_land(car) {
            self.landable = Some(car.run);
        }
    }

    /// What it stands on lands first; if that fails instead, it is tested again without it. Where that
    /// failed already and can only land with a run behind, this one does not hold that up.
    fn pass_failure(&mut self, car: &Car) {
        let chain = self.train.chain(car.run).into_iter();
        let mut below = chain.filter(|run| *run != car.run);
        let needs_clearing = |run| {
            let below = self.train.car(run);
            below.is_some_and(|below| below.state == CarState::Failed)
        };
        self.has_failure |= !below.any(needs_clearing);
        if car.onto == Onto::Tip && self.train.landing.is_none() {
            self.moves.push(Move::Judge { run: car.run });
        }
    }

    fn wait(&mut self, members: &'a [PullNumber]) {
        self.suspects.get_or_insert(members);
    }

    /// What is landing is left alone: if it is stale, its landing is refused.
    fn staleness(&self, car: &Car) -> Option<Stale> {
        if self.train.is_landing(car.run) {
            return None;
        }
        match car.onto {
            Onto::FormerTip => Some(Stale::BaseMoved),
            onto if onto == self.top && self.suspects.is_none() => None,
            Onto::Run(below) if !self.goes_on(below) => Some(Stale::Upon(below)),
            Onto::Tip | Onto::Run(_) => Some(Stale::Without),
        }
    }

    /// Whether a run before this place is neither stopped nor failed.
    fn goes_on(&self, run: RunId) -> bool {
        let car = self.train.car(run);
        !self.is_cancelled(run) && car.is_some_and(|car| car.state != CarState::Failed)
    }

    fn is_cancelled(&self, run: RunId) -> bool {
        self.moves.iter().any(|planned| match planned {
            Move::Cancel { run: stopped, .. } => *stopped == run,
            Move::Start { .. } | Move::Land { .. } | Move::Judge { .. } => false,
        })
    }

    /// Whether one of the first runs behind a failed one that contain it passed, or still may.
    fn may_be_cleared(&self, run: RunId) -> bool {
        self.clearing(run).any(|car| car.state != CarState::Failed)
    }

    fn is_cleared(&self, run: RunId) -> bool {
        self.clearing(run).any(|car| car.state == CarState::Passed)
    }

    fn clearing(&self, run: RunId) -> impl Iterator<Item = &'a Car> {
        let train = self.train;
        let contains = move |car: &&Car| car.run != run && train.chain(car.run).contains(&run);
        train.cars().filter(contains).take(self.rules.failure_depth)
    }

    /// Whether the base branch may move to a run's commit, which contains all that is before it.
    fn may_land(&self, car: &Car) -> bool {
        let chain = self.train.chain(car.run);
        let below = chain.iter().filter(|run| **run != car.run);
        let mut below = below.filter_map(|run| self.train.car(*run));
        car.state == CarState::Passed
            && below.all(|below| match below.state {
                CarState::Failed => self.is_cleared(below.run),
                CarState::Testing | CarState::Passed => self.rules.land_ahead,
            })
    }

    /// Lands the last run that can: with `land_ahead` all before it go with it.
    fn land(&mut self) {
        let run = self.landable.filter(|_| self.train.landing.is_none());
        self.moves.extend(run.map(|run| Move::Land { run }));
    }

    /// Begins one run, if there is room and nothing is about to change what it would stand on.
    fn begin(&mut self, candidates: &[Candidate], now: Timestamp) {
        let is_settled = !self.moves.iter().any(|planned| match planned {
            Move::Judge { .. } | Move::Land { .. } | Move::Cancel { .. } => true,
            Move::Start { .. } => false,
        });
        if !is_settled || self.in_flight >= self.rules.window {
            return;
        }
        let members = match self.suspects {
            Some(members) => members.to_vec(),
            None => self.next_members(candidates, now),
        };
        if !members.is_empty() {
            let onto = self.top;
            self.moves.push(Move::Start { members, onto });
        }
    }

    fn next_members(&self, candidates: &[Candidate], now: Timestamp) -> Vec<PullNumber> {
        let places = self.train.places.iter();
        let held: BTreeSet<_> = places.flat_map(Place::members).collect();
        let free = candidates.iter().filter(|one| !held.contains(&one.pull));
        let free: Vec<_> = free.collect();
        let members = batch::members(&free, &self.rules.batch, &self.contained);
        let is_due = |since: Timestamp| now >= since.plus_s(self.rules.batch.wait_s);
        let waits = self.in_flight == 0
            && members.len() < self.rules.batch.min
            && !batch::ready_since(&free, &members).is_some_and(is_due);
        if waits { Vec::new() } else { members }
    }
}
