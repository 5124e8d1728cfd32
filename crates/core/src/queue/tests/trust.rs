//! Who must be trusted before a head is tested: everybody who may have put it there.

use super::pull_tests::{only_trusted, stage};
use super::story::{Story, facts};
use crate::ids::Login;
use crate::queue::event::{Access, Event, HeadRepo, PullFacts};
use crate::queue::note::Reason;
use crate::queue::pull_test::PullTestStage;
use crate::queue::rules::Rules;

fn pushed(story: &mut Story, facts: PullFacts, by: &str) {
    let by = Login::new(by);
    story.tell(Event::HeadPushed { facts, by });
}

fn told(story: &mut Story, user: &str, access: Access) {
    let user = Login::new(user);
    story.tell(Event::AccessTold { user, access });
}

fn friends() -> Rules {
    Rules {
        trusted: vec![Login::new("author")],
        ..only_trusted()
    }
}

fn from_fork_of(owner: &str, facts: PullFacts) -> PullFacts {
    PullFacts {
        head_repo: HeadRepo::Of(Login::new(owner)),
        ..facts
    }
}

#[test]
fn a_friends_pull_of_a_strangers_branch_waits_with_every_commit() {
    let mut story = Story::of(friends());
    pushed(&mut story, from_fork_of("eve", facts(1, "a1", 0)), "author");
    told(&mut story, "eve", Access::Less);
    let waits = Reason::WaitsForPusher(Login::new("eve"));
    assert!(story.queue.why(facts(1, "a1", 0).number).contains(&waits));
    story.at(5).say(1, "ok");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
    pushed(story.at(9), from_fork_of("eve", facts(1, "a2", 9)), "eve");
    told(&mut story, "eve", Access::Less);
    insta::assert_snapshot!(story.log(), @r"
    0s pull #1 put at a100000 by @author
        ask whether @eve may write
    0s @eve may Less
        compare suites of #1
        post to #1: WaitsForOk
    5s comment by @rev made on #1
        run 10000: make test merge of #1 onto main
    9s pull #1 put at a200000 by @eve
        ask whether @eve may write
    9s @eve may Less
        compare suites of #1
    ");
    assert_eq!(stage(&story), &PullTestStage::Untrusted);
}

#[test]
fn whoever_pushes_is_asked_about_beside_the_author() {
    for (access, begins) in [(Access::Less, false), (Access::Write, true)] {
        let mut story = Story::of(friends());
        pushed(&mut story, facts(1, "a1", 0), "author");
        assert!(matches!(stage(&story), PullTestStage::Running { .. }));
        pushed(story.at(5), facts(1, "a2", 5), "mallory");
        assert!(matches!(stage(&story), PullTestStage::Asking { .. }));
        told(&mut story, "somebody", Access::Write);
        assert!(matches!(stage(&story), PullTestStage::Asking { .. }));
        told(&mut story, "mallory", access);
        let is_begun = matches!(stage(&story), PullTestStage::Running { .. });
        assert_eq!(is_begun, begins, "{access:?}");
    }
}

#[test]
fn all_who_were_asked_about_must_be_trusted() {
    let mut story = Story::of(only_trusted());
    pushed(
        &mut story,
        from_fork_of("owner", facts(1, "a1", 0)),
        "pusher",
    );
    for user in ["owner", "pusher"] {
        told(&mut story, user, Access::Write);
        assert!(
            matches!(stage(&story), PullTestStage::Asking { .. }),
            "{user}"
        );
    }
    told(&mut story, "author", Access::Write);
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
}

#[test]
fn a_test_is_stopped_when_it_comes_out_that_a_stranger_pushed() {
    let mut story = Story::of(friends());
    pushed(&mut story, facts(1, "a1", 0), "author");
    story.at(5).read(facts(1, "a2", 5));
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
    story.forget_log();
    pushed(story.at(6), facts(1, "a2", 5), "mallory");
    pushed(story.at(7), facts(1, "a2", 5), "mallory");
    insta::assert_snapshot!(story.log(), @r"
    6s pull #1 put at a200000 by @mallory
        ask whether @mallory may write
    7s pull #1 put at a200000 by @mallory
    ");
    assert_eq!(story.queue.runs_in_flight().count(), 0);
}

#[test]
fn to_let_an_author_in_lets_in_nobody_else() {
    let mut story = Story::of(only_trusted());
    pushed(&mut story, facts(1, "a1", 0), "mallory");
    told(&mut story, "mallory", Access::Less);
    story.at(5).say(1, "ok+");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
    pushed(story.at(9), facts(1, "a2", 9), "mallory");
    told(&mut story, "mallory", Access::Less);
    assert_eq!(stage(&story), &PullTestStage::Untrusted);
    pushed(story.at(12), facts(1, "a3", 12), "author");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
}

#[test]
fn in_the_repository_itself_apps_are_trusted_and_the_bot_everywhere() {
    let mut story = Story::of(friends());
    let head_repo = HeadRepo::Base;
    let here = |head: &str, at| PullFacts {
        head_repo: head_repo.clone(),
        ..facts(1, head, at)
    };
    pushed(&mut story, here("a1", 0), "author");
    pushed(story.at(5), here("a2", 5), "fixer[bot]");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
    pushed(story.at(7), facts(1, "a3", 7), "bot");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
    pushed(story.at(9), facts(1, "a4", 9), "fixer[bot]");
    assert!(matches!(stage(&story), PullTestStage::Asking { .. }));
}
