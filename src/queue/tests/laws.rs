//! Laws over random histories with faults. The checks of L1 to L3 and L5 are in `world`.

use proptest::prelude::*;

use super::world::World;

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_only_tested_approved_commits_land_and_nothing_gets_stuck(
        history in proptest::collection::vec((0_u8..39, any::<u16>()), 0..250),
    ) {
        run(&history);
    }
}

fn run(history: &[super::world::Happening]) {
    let mut world = World::new();
    for happening in history {
        world.step(*happening);
    }
    world.settle();
    world.check_nothing_is_stuck();
    world.check_old_things_are_forgotten();
}
