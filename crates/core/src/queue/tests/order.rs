//! The queue's order against homu-compat §2, written down a second time.

use crate::queue::run::Scope;
use proptest::prelude::*;

use super::story::{Story, facts, run_id, with_status};
use crate::ids::{Login, PullNumber, RunId, Timestamp};
use crate::queue::event::{CommentKey, CommentSort};
use crate::queue::pull::{Approval, Named, Pull, Register, Stage};
use crate::queue::run::{Ending, Purpose};
use crate::queue::{Queue, QueuePosition};

/// What the order looks at.
#[derive(Clone, Copy, Debug)]
struct Looks {
    stage: u8,
    approved: bool,
    mergeable: Option<bool>,
    priority: i64,
    rollup: i8,
}

fn looks() -> impl Strategy<Value = Looks> {
    let mergeable = prop_oneof![Just(None), Just(Some(true)), Just(Some(false))];
    (0_u8..8, any::<bool>(), mergeable, -1_i64..2, -2_i8..2).prop_map(
        |(stage, approved, mergeable, priority, rollup)| Looks {
            stage,
            approved,
            mergeable,
            priority,
            rollup,
        },
    )
}

/// Where the tests of a pull stand, and Homu's rank of that: success, pending, approved, none,
/// error, failure.
fn stage(looks: Looks) -> (Stage, u8) {
    let (run, purpose) = (run_id(1), Purpose::Land);
    let ended = |ending| Stage::Ended {
        run,
        purpose,
        ending,
    };
    match looks.stage {
        0 => (Stage::Running { run, purpose }, 1),
        1 => (
            Stage::RetryWanted {
                of: run,
                scope: Scope::Usual,
            },
            if looks.approved { 2 } else { 3 },
        ),
        2 => (ended(Ending::Succeeded), 0),
        3 => (ended(Ending::Conflicted), 4),
        4 => (ended(Ending::Broken), 4),
        5 => (ended(Ending::Failed), 5),
        6 => (ended(Ending::TimedOut), 5),
        _ => (Stage::Idle, if looks.approved { 2 } else { 3 }),
    }
}

/// Homu's tuple, smallest first.
fn tuple(number: usize, looks: Looks) -> impl Ord {
    let unmergeable = looks.mergeable == Some(false);
    let rollup = if looks.rollup < 0 { -1 } else { looks.rollup };
    let rank = stage(looks).1;
    (
        rank,
        unmergeable,
        !looks.approved,
        -looks.priority,
        rollup,
        number,
    )
}

fn pull(number: usize, looks: Looks) -> Pull {
    let mut facts = facts(number as u64, "a1", 0);
    facts.mergeable = looks.mergeable;
    let head = facts.head;
    let mut pull = Pull::new(facts);
    let key = CommentKey {
        at: Timestamp(0),
        id: 1,
        sort: CommentSort::Issue,
    };
    let approval = Approval {
        commit: head,
        approver: Login::new("rev"),
        said_by: Login::new("rev"),
        named: Named::Head,
    };
    pull.approval = Register {
        value: looks.approved.then_some(approval),
        set_by: Some(key),
    };
    pull.priority.value = looks.priority;
    pull.rollup.value = looks.rollup;
    pull.stage = stage(looks).0;
    pull
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn pulls_are_ordered_by_homus_tuple(all in proptest::collection::vec(looks(), 0..12)) {
        let pulls: Vec<_> = all.iter().enumerate().map(|(number, looks)| pull(number, *looks)).collect();
        let mut expected: Vec<_> = all.iter().copied().enumerate().collect();
        expected.sort_by_key(|(number, looks)| tuple(*number, *looks));
        let expected: Vec<_> = expected.into_iter().map(|(number, _)| number as u64).collect();
        let state = Queue::new(with_status(), RunId(0)).state().clone();
        let queue = Queue::restored(with_status(), state, pulls, Vec::new());
        let order: Vec<_> = queue.in_order().iter().map(|pull| pull.number().0).collect();
        prop_assert_eq!(order, expected);
    }
}

#[test]
fn a_forced_pull_goes_before_all_others_that_wait_but_not_before_one_that_runs() {
    let mut story = Story::with_pulls(with_status(), &[(1, "a1"), (2, "a2"), (3, "a3")]);
    story
        .at(1)
        .say(1, "r+ p=9")
        .at(2)
        .say(2, "r+ p=8")
        .at(3)
        .say(3, "r+");
    story.merged(1, "b0", "e1").published(1);
    let place =
        |story: &Story, number| QueuePosition::of(story.queue.pull(PullNumber(number)).unwrap());
    assert!(place(&story, 2) < place(&story, 3));
    // While the tree is closed for it, it only takes its place.
    story.at(4).say(2, "treeclosed=5").at(5).say(3, "force");
    assert!(place(&story, 3) < place(&story, 2));
    assert!(place(&story, 1) < place(&story, 3));
    assert_eq!(story.status_of(1), "pending");
}
