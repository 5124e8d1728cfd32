//! A planner that says the rules as they are written, and looks at everything again and again.

use super::*;
use crate::queue::train::plan::Stale;
use crate::queue::train::{Car, Place};

/// All that a run's commit contains beside the base, from the base upwards; where that begins.
fn below(train: &Train, car: &Car) -> (Onto, Vec<RunId>) {
    match car.onto {
        Onto::Run(run) => match train.car(run) {
            Some(lower) => {
                let (root, mut runs) = below(train, lower);
                runs.push(run);
                (root, runs)
            }
            None => (car.onto, Vec::new()),
        },
        root @ (Onto::Tip | Onto::FormerTip) => (root, Vec::new()),
    }
}

fn contains(train: &Train, car: &Car, run: RunId) -> bool {
    below(train, car).1.contains(&run)
}

/// The first runs behind a failed one that contain it.
fn clearing(train: &Train, run: RunId, depth: usize) -> Vec<CarState> {
    let all: Vec<_> = train
        .cars()
        .filter(|car| contains(train, car, run))
        .collect();
    all.iter().take(depth).map(|car| car.state).collect()
}

fn is_given_up(train: &Train, car: &Car, rules: &TrainRules) -> bool {
    let clearing = clearing(train, car.run, rules.failure_depth);
    car.state == CarState::Failed && clearing.iter().all(|state| *state == CarState::Failed)
}

fn may_land(train: &Train, car: &Car, rules: &TrainRules) -> bool {
    let runs = below(train, car).1;
    let fits = |run: &RunId| match train.car(*run).unwrap().state {
        CarState::Failed => clearing(train, *run, rules.failure_depth).contains(&CarState::Passed),
        CarState::Testing | CarState::Passed => rules.land_ahead,
    };
    car.state == CarState::Passed && runs.iter().all(fits)
}

/// Whether a failed run waits for nothing that could only land with a run behind it.
fn holds_up(train: &Train, car: &Car) -> bool {
    let runs = below(train, car).1;
    let states = runs.iter().map(|run| train.car(*run).unwrap().state);
    states.into_iter().all(|state| state != CarState::Failed)
}

fn why(train: &Train, car: &Car, wanted: &[RunId]) -> Stale {
    let failed = |run| train.car(run).unwrap().state == CarState::Failed;
    match car.onto {
        Onto::FormerTip => Stale::BaseMoved,
        Onto::Run(run) if !wanted.contains(&run) || failed(run) => Stale::Upon(run),
        Onto::Tip | Onto::Run(_) => Stale::Without,
    }
}

pub(super) fn plan_slowly(
    train: &Train,
    candidates: &[Candidate],
    rules: &TrainRules,
    now: Timestamp,
) -> Vec<Move> {
    let mut moves = Vec::new();
    // What every further run has to contain, and what a given-up run leaves of a place.
    let (mut kept, mut given_up): (Vec<&Car>, Vec<&Car>) = (Vec::new(), Vec::new());
    let mut landable = Vec::new();
    let mut suspects: Option<&Vec<PullNumber>> = None;
    for place in &train.places {
        let car = match place {
            Place::Car(car) => car,
            Place::Suspects(members) => {
                suspects = suspects.or(Some(members));
                continue;
            }
        };
        let (root, runs) = below(train, car);
        let wanted: Vec<_> = kept.iter().map(|car| car.run).collect();
        let is_whole = root == Onto::Tip && runs == wanted && suspects.is_none();
        if !is_whole && !train.is_landing(car.run) {
            let why = why(train, car, &wanted);
            moves.push(Move::Cancel { run: car.run, why });
        } else if is_given_up(train, car, rules) {
            if car.onto == Onto::Tip && train.landing.is_none() {
                moves.push(Move::Judge { run: car.run });
            }
            given_up.push(car);
        } else {
            if !given_up.iter().any(|car| holds_up(train, car)) && may_land(train, car, rules) {
                landable.push(car.run);
            }
            kept.push(car);
        }
    }
    let lands = if rules.land_ahead {
        landable.last()
    } else {
        landable.first()
    };
    if let (Some(run), None) = (lands, train.landing) {
        moves.push(Move::Land { run: *run });
    }
    let in_flight = kept.len() + given_up.len();
    if !moves.is_empty() || in_flight >= rules.window {
        return moves;
    }
    let members = match suspects {
        Some(members) => members.clone(),
        None => {
            let free: Vec<_> = candidates
                .iter()
                .filter(|one| !train.holds(one.pull))
                .collect();
            let chosen = choose(&free, rules, &kept);
            let oldest = chosen.iter().map(|one| one.ready_since).min();
            let is_due = oldest.is_some_and(|oldest| now >= oldest.plus_s(rules.batch.wait_s));
            if in_flight == 0 && chosen.len() < rules.batch.min && !is_due {
                return moves;
            }
            chosen.iter().map(|one| one.pull).collect()
        }
    };
    let onto = kept.last().map_or(Onto::Tip, |car| Onto::Run(car.run));
    if !members.is_empty() {
        moves.push(Move::Start { members, onto });
    }
    moves
}

fn choose<'a>(
    candidates: &[&'a Candidate],
    rules: &TrainRules,
    kept: &[&Car],
) -> Vec<&'a Candidate> {
    let mut chosen: Vec<&Candidate> = Vec::new();
    while chosen.len() < rules.batch.max {
        let next = candidates.iter().find(|candidate| {
            let of = |mixing| chosen.iter().any(|one| one.mixing == mixing);
            let there = |pull: &PullNumber| {
                kept.iter().any(|car| car.members.contains(pull))
                    || chosen.iter().any(|one| one.pull == *pull)
            };
            let is_alone = of(Mixing::Never);
            let wants_to_be_alone = candidate.mixing == Mixing::Never && !chosen.is_empty();
            let is_second_iffy = candidate.mixing == Mixing::Iffily && of(Mixing::Iffily);
            let conflicts = candidate.conflicts_with.iter().any(there);
            let is_refused = is_alone || wants_to_be_alone || is_second_iffy || conflicts;
            !is_refused && !there(&candidate.pull) && candidate.depends_on.iter().all(there)
        });
        match next {
            Some(next) => chosen.push(next),
            None => break,
        }
    }
    chosen
}
