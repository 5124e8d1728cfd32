//! Scripts about what a retry takes over from the run that it repeats.

use super::homu::{made, of, orders};
use super::merges::build;
use super::scripts::one_pull;
use super::story::{Story, comment, run_id, with_status};
use crate::queue::event::{BuildVerdict, Event, Verdict};
use crate::queue::rules::{BuildbotRule, Rules};

/// Waits for two builds of Buildbot.
fn with_builds() -> Rules {
    Rules {
        buildbot: Some(BuildbotRule {
            builders: vec!["linux".to_owned(), "mac".to_owned()],
            ..BuildbotRule::default()
        }),
        statuses: Vec::new(),
        ..with_status()
    }
}

/// A pull of whose two builds one passed and the other is so.
fn half_built(mac: BuildVerdict) -> Story {
    let mut story = Story::with_pulls(with_builds(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.tell(build("e1", "linux", BuildVerdict::Passed));
    story.tell(build("e1", "mac", mac));
    story
}

/// Whether a comment has a merge made that may be the one of before.
fn takes_it_again(story: &mut Story, at: i64, words: &str) -> bool {
    let effects = of(story, at, made(1, comment(at, "rev", words)));
    orders(&effects).remove(0).again.is_some()
}

#[test]
fn what_was_tested_in_another_shape_is_not_taken_again() {
    for words in ["squash", "squash retry", "r+ squash force retry"] {
        let mut story = half_built(BuildVerdict::Running);
        assert!(
            !takes_it_again(&mut story, 9, &format!("@bot {words}")),
            "{words}"
        );
        let mut story = half_built(BuildVerdict::Failed);
        let words = format!("@bot {words} retry");
        assert!(!takes_it_again(&mut story, 9, &words), "{words}");
    }
    let mut story = half_built(BuildVerdict::Failed);
    assert!(takes_it_again(&mut story, 9, "@bot squash squash- retry"));
}

#[test]
fn what_landed_as_one_commit_is_marked_whatever_is_wanted_since() {
    let mut story = one_pull();
    story.at(1).say(1, "squash r+").merged(1, "b0", "e1");
    story.published(1).status("e1", Verdict::Passed);
    story.at(2).say(1, "squash-");
    let _before = story.log();
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    assert!(story.log().contains("mark #1 merged"));
}

#[test]
fn builds_that_buildbot_refused_or_never_told_of_are_pushed_anew() {
    let mut story = half_built(BuildVerdict::Failed);
    story.at(9).say(1, "retry").merged(2, "b0", "e1");
    story.tell(Event::BuildsRefused {
        run: run_id(2),
        why: "no".to_owned(),
    });
    assert!(!takes_it_again(&mut story, 10, "@bot retry"));
    let _before = story.log();
    // Also where the same commit comes out once more.
    story.at(11).merged(3, "b0", "e1");
    insta::assert_snapshot!(story.log(), @r"
    11s run 30000: merge e100000 made
        run 30000: publish e100000 to auto
    ");
    let mut story = Story::with_pulls(with_builds(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.tell(build("e1", "mac", BuildVerdict::Failed));
    assert!(!takes_it_again(&mut story, 9, "@bot retry"));
}

#[test]
fn a_builder_that_is_configured_since_is_not_waited_for_in_vain() {
    let mut story = half_built(BuildVerdict::Failed);
    let mut rules = with_builds();
    let builders = rules
        .buildbot
        .as_mut()
        .map(|buildbot| &mut buildbot.builders);
    builders.unwrap().push("windows".to_owned());
    story.restart(rules);
    assert!(!takes_it_again(&mut story, 9, "@bot retry"));
    let mut story = half_built(BuildVerdict::Failed);
    let mut rules = with_builds();
    rules.statuses = with_status().statuses;
    story.restart(rules);
    assert!(!takes_it_again(&mut story, 9, "@bot retry"));
}

#[test]
fn an_impatient_retry_still_builds_only_what_failed() {
    let mut story = half_built(BuildVerdict::Failed);
    assert!(takes_it_again(&mut story, 9, "@bot retry"));
    assert!(takes_it_again(&mut story, 10, "@bot retry"));
    story.tell(Event::SetupFailed {
        run: run_id(3),
        why: "GitHub is out of reach.".to_owned(),
    });
    assert!(takes_it_again(&mut story, 11, "@bot retry"));
    assert!(!takes_it_again(&mut story, 12, "@bot clean retry"));
}
