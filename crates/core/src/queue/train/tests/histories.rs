//! Laws over random histories.

use proptest::prelude::*;

use super::world::{Happening, World};
use super::*;

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => any::<usize>().prop_map(Happening::Ends),
        1 => any::<usize>().prop_map(Happening::Lies),
        6 => Just(Happening::Lands),
        1 => Just(Happening::Refused),
        1 => Just(Happening::BaseMoved),
        1 => any::<usize>().prop_map(Happening::Pushed),
        2 => (0..400_u64).prop_map(Happening::Passes),
    ]
}

fn any_rules() -> impl Strategy<Value = TrainRules> {
    let batch = (1..=8_usize, 1..=8_usize, 0..600_u64);
    let rest = (1..=6_usize, any::<bool>(), 0..=2_usize);
    (batch, rest).prop_map(
        |((min, max, wait_s), (window, land_ahead, failure_depth))| TrainRules {
            batch: Batch {
                min: min.min(max),
                max,
                wait_s,
            },
            window,
            land_ahead,
            failure_depth,
        },
    )
}

/// Pulls 1 to N; each may depend on an earlier or later one.
fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let mixing = prop_oneof![
        6 => Just(Mixing::Freely),
        1 => Just(Mixing::Iffily),
        1 => Just(Mixing::Never),
    ];
    let one = (mixing, 0..300_i64, prop::option::weighted(0.1, 1..12_u64));
    prop::collection::vec(one, 1..14).prop_map(|all| {
        let all = all.into_iter().zip(1..);
        all.map(|((mixing, ready, depends_on), number)| Candidate {
            mixing,
            ready_since: Timestamp(ready * 1000),
            depends_on: depends_on
                .into_iter()
                .map(PullNumber)
                .filter(|pull| pull.0 != number)
                .collect(),
            ..candidate(number)
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// L10, and that the plan is that of the slow planner at every point.
    #[test]
    fn every_pull_lands_or_is_told(
        rules in any_rules(),
        candidates in candidates(),
        bad in prop::collection::btree_set(1..14_u64, 0..4),
        happenings in prop::collection::vec(happening(), 0..60),
    ) {
        let bad: Vec<u64> = bad.into_iter().collect();
        let count = u64::try_from(candidates.len()).unwrap();
        let mut world = World::new(rules, candidates, &bad);
        for happening in &happenings {
            world.happens(happening);
        }
        world.settle();
        let window = u64::try_from(world.rules.window).unwrap();
        let failures = u64::try_from(bad.len()).unwrap() + world.disturbances;
        // A failure costs the halving of its run, and every run of the window once for each step of it.
        let bound = count + failures * 8 * (window + 1) + 8;
        prop_assert!(world.runs <= bound, "{} runs for {count} pulls and {failures} failures", world.runs);
        if world.disturbances == 0 {
            let is_bad = |pull: &PullNumber| bad.contains(&pull.0);
            prop_assert!(world.told.iter().all(is_bad), "{:?}", world.told);
            prop_assert!(!world.landed.iter().any(is_bad), "{:?}", world.landed);
        }
        prop_assert!(world.waiting().all(|candidate| !candidate.depends_on.is_empty()));
    }
}
