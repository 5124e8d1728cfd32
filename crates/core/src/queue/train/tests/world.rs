//! A base branch, pulls that are good or bad, and somebody who does what is planned.

use std::collections::{BTreeMap, BTreeSet};

use super::slow::plan_slowly;
use super::*;

/// What happens next; numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A test ends.
    Ends(usize),
    /// A test ends with the wrong result.
    Lies(usize),
    /// A landing that is under way is done.
    Lands,
    /// A landing is refused: somebody else moved the base branch.
    Refused,
    /// Somebody else moves the base branch.
    BaseMoved,
    /// A pull is pushed to, and approved again.
    Pushed(usize),
    /// Time passes, in seconds.
    Passes(u64),
}

pub(super) struct World {
    pub(super) rules: TrainRules,
    pub(super) train: Train,
    waiting: Vec<Candidate>,
    /// Pulls that fail alone.
    bad: BTreeSet<PullNumber>,
    now: Timestamp,
    pub(super) runs: u64,
    /// How often a test lied, a pull was pushed to, or the base branch was moved.
    pub(super) disturbances: u64,
    pub(super) landed: Vec<PullNumber>,
    pub(super) told: Vec<PullNumber>,
    /// What a run was made of when it began: what had landed, and what it stood on.
    made_of: BTreeMap<RunId, Vec<PullNumber>>,
}

impl World {
    pub(super) fn new(rules: TrainRules, waiting: Vec<Candidate>, bad: &[u64]) -> Self {
        let mut world = Self {
            rules,
            train: Train::default(),
            waiting,
            bad: bad.iter().map(|pull| PullNumber(*pull)).collect(),
            now: Timestamp(0),
            runs: 0,
            disturbances: 0,
            landed: Vec::new(),
            told: Vec::new(),
            made_of: BTreeMap::new(),
        };
        world.obey();
        world
    }

    /// Does what is planned until nothing is.
    fn obey(&mut self) {
        for _ in 0..1000 {
            // What a pull depends on is no matter any more once that has landed.
            for candidate in &mut self.waiting {
                candidate
                    .depends_on
                    .retain(|pull| !self.landed.contains(pull));
            }
            let moves = plan(&self.train, &self.waiting, &self.rules, self.now);
            let slowly = plan_slowly(&self.train, &self.waiting, &self.rules, self.now);
            assert_eq!(moves, slowly, "{:#?}", self.train);
            if moves.is_empty() {
                return self.check_wakeup();
            }
            for planned in moves {
                self.carry_out(planned);
            }
            self.check();
        }
        panic!("there is always more to be done: {:#?}", self.train);
    }

    fn carry_out(&mut self, planned: Move) {
        match planned {
            Move::Start { members, onto } => {
                self.runs += 1;
                let run = RunId(self.runs);
                let mut all = match onto {
                    Onto::Run(below) => self.made_of[&below].clone(),
                    Onto::Tip => self.landed.clone(),
                    Onto::FormerTip => panic!("nothing begins there"),
                };
                all.extend(&members);
                self.made_of.insert(run, all);
                self.train.begun(run, members, onto);
            }
            Move::Cancel { run, .. } => self.train.stopped(run),
            Move::Land { run } => self.train.landing(run),
            Move::Judge { run } => {
                let members = self.train.car(run).unwrap().members.clone();
                self.train.judged(run);
                if let [alone] = members[..] {
                    self.waiting.retain(|candidate| candidate.pull != alone);
                    self.told.push(alone);
                }
            }
        }
    }

    /// Time alone makes a run begin when the planner says so, and never else.
    fn check_wakeup(&self) {
        let at = |now| plan(&self.train, &self.waiting, &self.rules, now);
        match next_wakeup(&self.train, &self.waiting, &self.rules) {
            Some(due) => {
                assert_eq!(at(Timestamp(due.0 - 1)), []);
                assert_eq!(at(due).len(), 1);
            }
            None => assert_eq!(at(Timestamp(i64::MAX / 2)), []),
        }
    }

    fn check(&self) {
        let in_flight = self.train.cars().count();
        assert!(in_flight <= self.rules.window, "{:#?}", self.train);
        let mut seen = BTreeSet::new();
        for place in &self.train.places {
            assert!(place.members().len() <= self.rules.batch.max);
            for pull in place.members() {
                assert!(seen.insert(*pull), "#{pull} is there twice");
            }
        }
    }

    fn testing(&self) -> Vec<RunId> {
        let cars = self.train.cars();
        let cars = cars.filter(|car| car.state == CarState::Testing);
        cars.map(|car| car.run).collect()
    }

    fn end(&mut self, choice: usize, lies: bool) {
        let testing = self.testing();
        let Some(run) = testing.get(choice % testing.len().max(1)) else {
            return;
        };
        let is_bad = self.made_of[run].iter().any(|pull| self.bad.contains(pull));
        self.disturbances += u64::from(lies);
        let state = match is_bad != lies {
            true => CarState::Failed,
            false => CarState::Passed,
        };
        self.train.came_out(*run, state);
    }

    fn land(&mut self) {
        let Some(run) = self.train.landing else {
            return;
        };
        let made_of = self.made_of[&run].clone();
        let landed = self.train.landed(run);
        let pulls: Vec<_> = landed
            .iter()
            .flat_map(|one| &one.members)
            .copied()
            .collect();
        let all = [self.landed.clone(), pulls.clone()].concat();
        assert_eq!(
            made_of, all,
            "exactly what was tested lands, upon what is there"
        );
        let last = landed.last().unwrap();
        assert_eq!((last.run, last.state), (run, CarState::Passed));
        self.waiting
            .retain(|candidate| !pulls.contains(&candidate.pull));
        self.landed = all;
    }

    fn push(&mut self, choice: usize) {
        let waiting = self.waiting.len().max(1);
        let Some(candidate) = self.waiting.get(choice % waiting) else {
            return;
        };
        let pull = candidate.pull;
        if self
            .train
            .cars()
            .any(|car| car.members.contains(&pull) && self.train.is_landing(car.run))
        {
            return;
        }
        self.disturbances += 1;
        let _stopped = self.train.left(pull);
    }

    pub(super) fn happens(&mut self, happening: &Happening) {
        match happening {
            Happening::Ends(choice) => self.end(*choice, false),
            Happening::Lies(choice) => self.end(*choice, true),
            Happening::Lands => self.land(),
            Happening::Refused if self.train.landing.is_some() => {
                self.disturbances += 1;
                self.train.landing_refused();
                self.train.base_moved();
            }
            Happening::Refused => {}
            // Whoever lands reads the branch again right before.
            Happening::BaseMoved if self.train.landing.is_some() => {}
            Happening::BaseMoved => {
                self.disturbances += 1;
                self.train.base_moved();
            }
            Happening::Pushed(choice) => self.push(*choice),
            Happening::Passes(seconds) => self.now = self.now.plus_s(*seconds),
        }
        self.obey();
    }

    /// Lets everything end as it should.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.train.landing.is_some() {
                self.happens(&Happening::Lands);
            } else if self.testing().is_empty() {
                if self.train.places.is_empty() && self.is_done() {
                    return;
                }
                self.happens(&Happening::Passes(60));
            } else {
                self.happens(&Happening::Ends(0));
            }
        }
        panic!(
            "it does not come to an end: {:#?} {:?}",
            self.train, self.waiting
        );
    }

    /// Whether none waits but for what does not land.
    fn is_done(&self) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.all(|candidate| !candidate.depends_on.is_empty())
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Candidate> {
        self.waiting.iter()
    }
}
