//! Tests of branches that somebody pushed to.

use super::story::{Story, commit, run_id, suite, with_suites};
use crate::ids::{BranchName, CommitId};
use crate::queue::event::{Event, SuiteVerdict};
use crate::queue::rules::{Merging, Rules};
use crate::suite::Suite;

fn pushed(story: &mut Story, branch: &str, before: CommitId, after: CommitId) {
    story.tell(Event::BranchPushed {
        branch: BranchName::new(branch),
        before,
        after,
        at: None,
    });
}

#[test]
fn a_push_to_a_branch_is_tested_by_the_suites_that_name_it() {
    let mut story = Story::of(with_suites());
    pushed(&mut story, "stable", commit("b0"), commit("b1"));
    let named = Suite {
        branches: vec!["stable".to_owned()],
        ..suite("x")
    };
    story.found(1, &[named, suite("y")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    0s branch stable pushed to b100000
        run 10000: read suites of b100000
    0s run 10000: suites read: 2
        run 10000: start jobs ["x"]
        set status of b100000: "x" Waiting
    0s run 10000: suite "x" finished Passed
        set status of b100000: "x" Ended(Passed)
    "#);
}

#[test]
fn branches_of_ours_are_not_tested_unless_somebody_else_merges() {
    for (merging, count) in [(Merging::On, 0), (Merging::Off, 2)] {
        let rules = Rules {
            merging,
            ..with_suites()
        };
        let mut story = Story::of(rules);
        pushed(&mut story, "auto", commit("b0"), commit("b1"));
        pushed(&mut story, "try", commit("b0"), commit("b2"));
        assert_eq!(story.queue.runs_in_flight().count(), count, "{merging:?}");
    }
}

#[test]
fn a_branch_is_tested_once_at_a_tip_and_an_older_test_goes_on_only_if_it_has_begun() {
    let named = Suite {
        branches: vec!["stable".to_owned()],
        ..suite("x")
    };
    let mut story = Story::of(with_suites());
    pushed(&mut story, "stable", commit("b0"), commit("b1"));
    pushed(&mut story, "stable", commit("b0"), commit("b1"));
    assert_eq!(story.queue.runs_in_flight().count(), 1);
    story.found(1, std::slice::from_ref(&named));
    pushed(&mut story, "stable", commit("b1"), commit("b2"));
    let live: Vec<_> = story.queue.runs_in_flight().map(|run| run.id).collect();
    assert_eq!(live, [run_id(2)]);
    story.found(2, &[named]);
    story.began(2, "x");
    pushed(&mut story, "stable", commit("b2"), commit("b3"));
    assert_eq!(story.queue.runs_in_flight().count(), 2);
    pushed(&mut story, "stable", commit("b3"), CommitId::ZERO);
    let live: Vec<_> = story.queue.runs_in_flight().map(|run| run.id).collect();
    assert_eq!(live, [run_id(2)]);
}

#[test]
fn a_push_of_which_nothing_was_heard_is_tested_when_the_branch_is_seen() {
    let mut story = Story::of(with_suites());
    let branch = BranchName::new("main");
    let seen = |tip: &str| Event::BaseSeen {
        branch: branch.clone(),
        tip: commit(tip),
    };
    story.tell(seen("b0"));
    assert_eq!(story.queue.runs_in_flight().count(), 0);
    story.tell(seen("b1"));
    assert_eq!(story.queue.runs_in_flight().count(), 1);
    story.tell(seen("b1"));
    assert_eq!(story.queue.runs_in_flight().count(), 1);
}
