//! Laws over random histories with faults. The checks of L1 to L3 and L5 are in `world`.

use proptest::prelude::*;

use super::world::{Waits, World};

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// L9 in the core: what happens to one repository changes nothing of another.
    #[test]
    fn two_repositories_know_nothing_of_each_other(
        first in proptest::collection::vec((0_u8..39, any::<u16>()), 0..60),
        second in proptest::collection::vec((0_u8..39, any::<u16>()), 0..60),
    ) {
        let mut alone = World::new(Waits::Status);
        first.iter().for_each(|happening| alone.step(*happening));
        let (mut one, mut other) = (World::new(Waits::Status), World::new(Waits::Status));
        let longest = first.len().max(second.len());
        for at in 0..longest {
            second.get(at).into_iter().for_each(|happening| other.step(*happening));
            first.get(at).into_iter().for_each(|happening| one.step(*happening));
        }
        let seen = |world: &World| format!("{:?}", world.queue);
        prop_assert_eq!(seen(&alone), seen(&one));
    }

    #[test]
    fn whatever_happens_only_tested_approved_commits_land_and_nothing_gets_stuck(
        history in proptest::collection::vec((0_u8..39, any::<u16>()), 0..250),
    ) {
        run(World::new(Waits::Status), &history);
    }

    #[test]
    fn the_same_holds_for_check_runs_of_one_name_their_re_runs_and_a_github_that_refuses_and_lags(
        history in proptest::collection::vec((0_u8..39, any::<u16>()), 0..250),
    ) {
        run(World::new(Waits::CheckRuns), &history);
    }

    #[test]
    fn the_laws_hold_for_a_test_that_another_queue_began(
        history in proptest::collection::vec((0_u8..39, any::<u16>()), 0..250),
    ) {
        run(World::taken_over(), &history);
    }
}

#[test]
fn a_test_that_another_queue_began_lands() {
    let mut world = World::taken_over();
    world.settle();
    assert_eq!(world.landed(), 1);
}

/// The laws would hold for a queue that does nothing: this one lands pulls.
#[test]
fn random_histories_do_land_pulls() {
    for waits in [Waits::Status, Waits::CheckRuns] {
        let landed = landed_in_200_histories(waits);
        assert!(
            landed >= 60,
            "only {landed} landings in 200 histories: {waits:?}"
        );
    }
}

fn landed_in_200_histories(waits: Waits) -> usize {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let histories = proptest::collection::vec((0_u8..39, any::<u16>()), 0..250);
    let landed = (0..200).map(|_| {
        let mut world = World::new(waits);
        let history = histories.new_tree(&mut runner).unwrap().current();
        history.iter().for_each(|happening| world.step(*happening));
        world.settle();
        world.landed()
    });
    landed.sum()
}

fn run(mut world: World, history: &[super::world::Happening]) {
    for happening in history {
        world.step(*happening);
    }
    world.settle();
    world.check_nothing_is_stuck();
    world.check_old_things_are_forgotten();
}
