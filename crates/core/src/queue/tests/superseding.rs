//! What a pull request test and its merge both run.

use super::pull_tests::{all_tested, test_merged};
use super::story::{Story, facts, suite};
use crate::ids::PullNumber;
use crate::queue::event::SuiteVerdict;
use crate::queue::pull_test::PullTestStage;
use crate::queue::run::Ending;
use crate::suite::Suite;

const OWN: u64 = 1;
const MERGE: u64 = 2;

/// A pull whose pull request test runs `x` and `y`, and whose merge has begun to.
fn both(suites: &[Suite]) -> Story {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, OWN, "e1");
    story.found(OWN, &[suite("x"), suite("y")]).began(OWN, "x");
    story.at(1).say(1, "r+").merged(MERGE, "b1", "e2");
    story.forget_log();
    story.found(MERGE, suites).published(MERGE);
    story
}

fn pull_test_ending(story: &Story) -> Option<Ending> {
    if let PullTestStage::Ended { ending, .. } = story.queue.pull(PullNumber(1)).unwrap().own.stage
    {
        return Some(ending);
    }
    None
}

#[test]
fn a_merge_settles_the_same_suites_of_the_pulls_pull_test() {
    let mut story = both(&[suite("x"), suite("z")]);
    let begun = story.log();
    assert!(
        begun.contains("set status of a100000: \"x\" Superseded"),
        "{begun}"
    );
    assert!(!begun.contains("\"y\" Superseded"), "{begun}");
    story.finished(MERGE, "x", SuiteVerdict::Passed);
    let settled = story.log();
    for line in [
        "run 10000: cancel jobs of x",
        "set status of a100000: \"x\" PassedInMerge",
    ] {
        assert!(settled.contains(line), "{line} is not in {settled}");
    }
    // Its own job comes too late.
    story.finished(OWN, "x", SuiteVerdict::Failed(1));
    story.finished(OWN, "y", SuiteVerdict::Passed);
    assert_eq!(pull_test_ending(&story), Some(Ending::Succeeded));
}

#[test]
fn what_fails_in_the_merge_has_failed_for_the_pull() {
    let mut story = both(&[suite("x"), suite("y")]);
    story.finished(MERGE, "x", SuiteVerdict::Failed(3));
    let log = story.log();
    assert!(
        log.contains("set status of a100000: \"x\" Ended(Failed(3))"),
        "{log}"
    );
    story.finished(OWN, "y", SuiteVerdict::Passed);
    assert_eq!(pull_test_ending(&story), Some(Ending::Failed));
}

#[test]
fn a_merge_that_ends_without_a_result_leaves_the_own_test_to_itself() {
    let mut story = both(&[suite("x"), suite("y")]);
    story.at(2).say(1, "r-");
    assert_eq!(pull_test_ending(&story), None);
    story.finished(OWN, "x", SuiteVerdict::Passed);
    story.finished(OWN, "y", SuiteVerdict::Passed);
    assert_eq!(pull_test_ending(&story), Some(Ending::Succeeded));
}

#[test]
fn what_the_own_test_found_first_stands() {
    let mut story = both(&[suite("x"), suite("y")]);
    story.finished(OWN, "x", SuiteVerdict::Failed(1));
    story.finished(MERGE, "x", SuiteVerdict::Passed);
    let log = story.log();
    assert!(!log.contains("PassedInMerge"), "{log}");
}

#[test]
fn a_try_settles_nothing() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, OWN, "e1");
    story.found(OWN, &[suite("x")]);
    story.at(1).say(1, "try").merged(MERGE, "b1", "e2");
    story.found(MERGE, &[suite("x")]).published(MERGE);
    story.finished(MERGE, "x", SuiteVerdict::Passed);
    let log = story.log();
    assert!(
        !log.contains("Superseded") && !log.contains("PassedInMerge"),
        "{log}"
    );
    assert_eq!(pull_test_ending(&story), None);
}
