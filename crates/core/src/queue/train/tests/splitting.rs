//! How culprits are found, and what lands ahead.

use super::world::{Happening, World};
use super::*;

fn numbers(pulls: &[PullNumber]) -> Vec<u64> {
    pulls.iter().map(|pull| pull.0).collect()
}

#[test]
fn one_culprit_is_found_in_twice_the_logarithm_of_runs() {
    for count in 2..=32_u64 {
        for culprit in 1..=count {
            let batch = usize::try_from(count).unwrap();
            let candidates = (1..=count).map(candidate).collect();
            let mut world = World::new(rules(batch, 1), candidates, &[culprit]);
            world.settle();
            let bound = 2 * u64::from(count.next_power_of_two().ilog2()) + 1;
            assert!(
                world.runs <= bound,
                "{} runs for #{culprit} of {count}",
                world.runs
            );
            assert_eq!(numbers(&world.told), [culprit]);
            let others: Vec<u64> = (1..=count).filter(|pull| *pull != culprit).collect();
            assert_eq!(numbers(&world.landed), others);
        }
    }
}

#[test]
fn what_cannot_be_together_is_passed_over() {
    let never = |pull| Candidate {
        mixing: Mixing::Never,
        ..candidate(pull)
    };
    let iffy = |pull| Candidate {
        mixing: Mixing::Iffily,
        ..candidate(pull)
    };
    let after = |pull, other| Candidate {
        depends_on: vec![PullNumber(other)],
        ..candidate(pull)
    };
    let against = |pull, other| Candidate {
        conflicts_with: vec![PullNumber(other)],
        ..candidate(pull)
    };
    let first = |candidates: &[Candidate]| {
        let moves = plan(&Train::default(), candidates, &rules(8, 1), Timestamp(0));
        match &moves[..] {
            [Move::Start { members, .. }] => numbers(members),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(first(&[candidate(1), never(2), candidate(3)]), [1, 3]);
    assert_eq!(first(&[never(2), candidate(1)]), [2]);
    assert_eq!(first(&[iffy(1), iffy(2), candidate(3)]), [1, 3]);
    assert_eq!(first(&[after(1, 3), candidate(2), candidate(3)]), [2, 3, 1]);
    assert_eq!(first(&[after(1, 9), candidate(2)]), [2]);
    assert_eq!(first(&[candidate(1), against(2, 1), candidate(3)]), [1, 3]);
}

#[test]
fn a_run_that_passes_takes_those_before_it_along() {
    for (land_ahead, landed) in [(true, &[1, 2, 3][..]), (false, &[])] {
        let rules = TrainRules {
            land_ahead,
            ..rules(1, 3)
        };
        let mut world = World::new(rules, (1..=3).map(candidate).collect(), &[]);
        world.happens(&Happening::Ends(2));
        world.happens(&Happening::Lands);
        assert_eq!(numbers(&world.landed), landed);
    }
}

#[test]
fn a_run_behind_a_failed_one_clears_it() {
    for (failure_depth, landed, told) in [(1, &[1, 2, 3][..], &[][..]), (0, &[2, 3], &[1])] {
        let rules = TrainRules {
            failure_depth,
            ..rules(1, 3)
        };
        let mut world = World::new(rules, (1..=3).map(candidate).collect(), &[]);
        world.happens(&Happening::Lies(0));
        world.settle();
        assert_eq!(numbers(&world.landed), landed);
        assert_eq!(numbers(&world.told), told);
    }
}

#[test]
fn a_run_further_behind_does_not_clear_a_failed_one() {
    let rules = TrainRules {
        failure_depth: 1,
        ..rules(1, 3)
    };
    let mut world = World::new(rules, (1..=3).map(candidate).collect(), &[]);
    for happening in [Happening::Lies(0), Happening::Ends(1), Happening::Lands] {
        world.happens(&happening);
    }
    assert_eq!(
        numbers(&world.landed),
        [0; 0],
        "the first behind it has to say so"
    );
    world.happens(&Happening::Lies(0));
    world.settle();
    assert_eq!(numbers(&world.told), [1]);
    assert_eq!(numbers(&world.landed), [2, 3]);
}
