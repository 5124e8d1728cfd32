//! The runs of one base branch that are to land, in their order, and what is to be done next.
//!
//! A [`Train`] knows which runs are in flight, what each stands on and how it came out, and which
//! groups of pulls are still to be told apart. It knows nothing of comments, checks and git. Its
//! methods are facts; [`plan`](plan::plan) says what follows from them. [`Queue`](super::Queue) does not
//! follow it yet: it leads one run at a time.

mod batch;
mod cars;
pub mod plan;
#[cfg(test)]
mod tests;

use crate::ids::{PullNumber, RunId};

/// What one base branch has in flight. Equal facts in the same order make equal trains.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Train {
    /// From the one that lands first to the last.
    places: Vec<Place>,
    /// To whose commit the base branch is being moved.
    landing: Option<RunId>,
}

/// What stands at one place of the order.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    /// A run in flight.
    Car(Car),
    /// Pulls of which one at least made a run fail: they are tested again as this group, before
    /// all that is behind them.
    Suspects(Vec<PullNumber>),
}

/// A run in flight.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Car {
    /// Which.
    pub run: RunId,
    /// Its pulls, each merged upon the one before it.
    pub members: Vec<PullNumber>,
    /// What the first of them is merged upon.
    pub onto: Onto,
    /// How it came out.
    pub state: CarState,
    /// Why its pulls are together.
    pub origin: Origin,
}

/// What a run stands on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Onto {
    /// The tip of the base branch.
    Tip,
    /// The commit of a run before it.
    Run(RunId),
    /// What was the tip before somebody else moved it.
    FormerTip,
}

/// How a run came out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CarState {
    /// It is being tested.
    Testing,
    /// It passed.
    Passed,
    /// It failed, and nobody has been told.
    Failed,
}

/// Why the pulls of a run are together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// They were next when it began.
    Queue,
    /// They are suspects, and stay together where the run is stopped.
    Suspects,
}

/// What landed with a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Landed {
    /// Which run.
    pub run: RunId,
    /// Its pulls.
    pub members: Vec<PullNumber>,
    /// How it had come out when it landed: one that had failed is flaky.
    pub state: CarState,
}

impl Train {
    /// The runs in flight, in their order.
    pub fn cars(&self) -> impl DoubleEndedIterator<Item = &Car> {
        self.places.iter().filter_map(|place| match place {
            Place::Car(car) => Some(car),
            Place::Suspects(_) => None,
        })
    }

    /// Whether a pull is in a run in flight, or among suspects that wait for one.
    pub fn holds(&self, pull: PullNumber) -> bool {
        self.places
            .iter()
            .any(|place| place.members().contains(&pull))
    }

    /// A run begins with these pulls: the first suspects that wait, or else the last in order.
    pub fn begun(&mut self, run: RunId, members: Vec<PullNumber>, onto: Onto) {
        let waiting = Place::Suspects(members.clone());
        let place = self.places.iter_mut().find(|place| **place == waiting);
        let car = |origin| {
            Place::Car(Car {
                run,
                members,
                onto,
                state: CarState::Testing,
                origin,
            })
        };
        match place {
            Some(place) => *place = car(Origin::Suspects),
            None => self.places.push(car(Origin::Queue)),
        }
    }

    /// A run came out so. What is landing has been decided about.
    pub fn came_out(&mut self, run: RunId, state: CarState) {
        if self.is_landing(run) {
            return;
        }
        if let Some(car) = self.car_mut(run) {
            car.state = state;
        }
    }

    /// The base branch is being moved to a run's commit. What lands with it comes before what does
    /// not.
    pub fn landing(&mut self, run: RunId) {
        let chain = self.chain(run);
        self.landing = Some(run);
        self.places.sort_by_key(|place| match place {
            Place::Car(car) => !chain.contains(&car.run),
            Place::Suspects(_) => true,
        });
    }

    /// The base branch could not be moved.
    pub fn landing_refused(&mut self) {
        self.landing = None;
    }

    /// A run is stopped. Suspects wait for another one; all others are in the queue again.
    pub fn stopped(&mut self, run: RunId) {
        self.replace(run, |car| match car.origin {
            Origin::Queue => Vec::new(),
            Origin::Suspects => vec![Place::Suspects(car.members)],
        });
    }

    /// Nothing but its own pulls made a run fail: one alone is out, several are halved.
    pub fn judged(&mut self, run: RunId) {
        self.replace(run, |mut car| {
            if car.members.len() < 2 {
                return Vec::new();
            }
            let second = car.members.split_off(car.members.len().div_ceil(2));
            vec![Place::Suspects(car.members), Place::Suspects(second)]
        });
    }

    /// The base branch moved to a run's commit. Returns the run and all that it stood on, in order.
    pub fn landed(&mut self, run: RunId) -> Vec<Landed> {
        self.landing = None;
        let landed = self.chain(run);
        let is_gone = |run: &RunId| landed.contains(run);
        let mut gone = Vec::new();
        self.places.retain(|place| match place {
            Place::Car(car) if is_gone(&car.run) => {
                gone.push(Landed {
                    run: car.run,
                    members: car.members.clone(),
                    state: car.state,
                });
                false
            }
            Place::Car(_) | Place::Suspects(_) => true,
        });
        self.restand(|onto| match onto {
            Onto::Run(below) if below == run => Onto::Tip,
            // What landed beside it moved the tip.
            Onto::Tip => Onto::FormerTip,
            Onto::Run(below) if is_gone(&below) => Onto::FormerTip,
            other @ (Onto::Run(_) | Onto::FormerTip) => other,
        });
        gone
    }

    /// Somebody else moved the base branch.
    pub fn base_moved(&mut self) {
        self.restand(|onto| match onto {
            Onto::Tip => Onto::FormerTip,
            other @ (Onto::Run(_) | Onto::FormerTip) => other,
        });
    }

    /// A pull is no member of anything any more. Returns the run that is stopped for it.
    pub fn left(&mut self, pull: PullNumber) -> Option<RunId> {
        let run = self
            .cars()
            .find(|car| car.members.contains(&pull))
            .map(|car| car.run);
        if let Some(run) = run {
            self.stopped(run);
        }
        for place in &mut self.places {
            if let Place::Suspects(members) = place {
                members.retain(|member| *member != pull);
            }
        }
        self.places.retain(|place| !place.members().is_empty());
        run
    }
}
