//! Finding and replacing what stands at the places of a train.

use super::{Car, Onto, Place, Train};
use crate::ids::{PullNumber, RunId};

impl Place {
    pub(super) fn members(&self) -> &[PullNumber] {
        match self {
            Self::Car(car) => &car.members,
            Self::Suspects(members) => members,
        }
    }
}

impl Train {
    /// A run in flight.
    pub fn car(&self, run: RunId) -> Option<&Car> {
        self.cars().find(|car| car.run == run)
    }

    pub(super) fn car_mut(&mut self, run: RunId) -> Option<&mut Car> {
        self.places.iter_mut().find_map(|place| match place {
            Place::Car(car) if car.run == run => Some(car),
            Place::Car(_) | Place::Suspects(_) => None,
        })
    }

    /// What a run's commit contains beside the base branch: the runs that it stands on, in order,
    /// and itself.
    pub fn chain(&self, run: RunId) -> Vec<RunId> {
        let (mut chain, mut next) = (Vec::new(), Some(run));
        for car in self.cars().rev() {
            if next == Some(car.run) {
                chain.push(car.run);
                next = match car.onto {
                    Onto::Run(below) => Some(below),
                    Onto::Tip | Onto::FormerTip => None,
                };
            }
        }
        chain.reverse();
        chain
    }

    /// Whether the base branch is being moved to a commit that contains a run's.
    pub(super) fn is_landing(&self, run: RunId) -> bool {
        self.landing
            .is_some_and(|landing| self.chain(landing).contains(&run))
    }

    pub(super) fn replace(&mut self, run: RunId, by: impl FnOnce(Car) -> Vec<Place>) {
        let mut by = Some(by);
        let places = std::mem::take(&mut self.places).into_iter();
        self.places = places
            .flat_map(|place| match place {
                Place::Car(car) if car.run == run => match by.take() {
                    Some(by) => by(car),
                    None => Vec::new(),
                },
                other @ (Place::Car(_) | Place::Suspects(_)) => vec![other],
            })
            .collect();
    }

    pub(super) fn restand(&mut self, anew: impl Fn(Onto) -> Onto) {
        for place in &mut self.places {
            if let Place::Car(car) = place {
                car.onto = anew(car.onto);
            }
        }
    }
}
