//! Which commit an approval means, and what a try means beside it.

use super::own_tests::all_tested;
use super::story::{Story, commit, facts, run_id, suite, with_suites};
use crate::ids::{BranchName, PullNumber};
use crate::queue::event::{Event, PullFacts, SuiteVerdict};
use crate::queue::note::Reason;
use crate::queue::own_test::OwnStage;
use crate::queue::pull::Stage;
use crate::queue::rules::{Merging, Rules};

fn one_pull() -> Story {
    let mut story = Story::of(with_suites());
    story.see(facts(1, "a1", 0)).forget_log();
    story
}

fn stage(story: &Story) -> Stage {
    story.queue.pull(PullNumber(1)).unwrap().stage.clone()
}

fn head(digits: usize) -> String {
    let head = commit("a1").to_string();
    format!("r+ {}", &head[..digits])
}

#[test]
fn an_approval_names_a_commit_by_seven_digits_or_is_asked_again() {
    for digits in 4..=40 {
        let mut story = one_pull();
        story.at(5).say(1, &head(digits));
        let approved = story.approved(1).is_some();
        assert_eq!(approved, digits >= 7, "{digits}");
        assert_eq!(
            story.log().contains("CommitTooShort"),
            digits < 7,
            "{digits}"
        );
    }
}

#[test]
fn an_hour_long_a_new_head_is_named_by_twelve_digits() {
    for (digits, at, good) in [
        (7, 3_699, false),
        (11, 3_699, false),
        (12, 101, true),
        (40, 101, true),
        (7, 3_700, true),
        (6, 3_700, false),
    ] {
        let mut story = Story::of(with_suites());
        story.see(facts(1, "a9", 0)).see(facts(1, "a1", 100));
        story.at(at).say(1, &head(digits));
        assert_eq!(story.approved(1).is_some(), good, "{digits} at {at}");
    }
}

#[test]
fn a_push_that_is_told_late_makes_the_head_new_too() {
    let mut story = Story::of(with_suites());
    story.see(facts(1, "a1", 100)).see(facts(1, "a9", 90));
    story.at(200).say(1, &head(7));
    assert_eq!(story.approved(1), None);
    story.at(201).say(1, &head(12));
    assert_eq!(story.approved(1), Some(commit("a1")));
}
