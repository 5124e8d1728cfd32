//! For which heads somebody trusted stands.

use super::pull_tests::{all_tested, only_trusted};
use super::story::{Story, facts};
use crate::ids::{Login, PullNumber};
use crate::queue::event::{Access, Event, HeadRepo, PullFacts, PullState};

fn is_vouched_for(story: &Story) -> bool {
    story.queue.is_vouched_for(PullNumber(1))
}

fn by(author: &str, facts: PullFacts) -> PullFacts {
    let author = Login::new(author);
    PullFacts {
        head_repo: HeadRepo::Of(author.clone()),
        author,
        ..facts
    }
}

#[test]
fn nobody_stands_for_a_strangers_head_until_it_is_approved_or_let_in() {
    for word in ["r+", "ok"] {
        let mut story = Story::of(all_tested());
        story.see(facts(1, "a1", 0));
        assert!(!is_vouched_for(&story));
        story.at(5).say(1, word);
        assert!(is_vouched_for(&story), "{word}");
        story.at(9).see(facts(1, "a2", 9));
        assert!(!is_vouched_for(&story), "{word}");
    }
}

#[test]
fn somebody_stands_for_every_head_of_the_team_and_of_whom_a_reviewer_welcomed() {
    for author in ["bot", "rev", "trier", "kept"] {
        let mut rules = all_tested();
        rules.trusted = vec![Login::new("kept")];
        let mut story = Story::of(rules);
        story.see(by(author, facts(1, "a1", 0)));
        assert!(is_vouched_for(&story), "{author}");
    }
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    story.at(5).say(1, "ok+");
    story.at(9).see(facts(1, "a2", 9));
    assert!(is_vouched_for(&story));
    assert!(!story.queue.is_vouched_for(PullNumber(2)));
    let mut closed = facts(1, "a2", 10);
    closed.state = PullState::Closed;
    story.at(10).see(closed);
    assert!(!is_vouched_for(&story));
}

#[test]
fn a_friends_pull_is_a_strangers_once_a_stranger_pushes_to_it() {
    for (head_repo, pusher, is_vouched) in [
        (HeadRepo::Of(Login::new("rev")), "rev", true),
        (HeadRepo::Of(Login::new("rev")), "mallory", false),
        (HeadRepo::Of(Login::new("mallory")), "rev", false),
        // Only those who may write to the repository push there.
        (HeadRepo::Base, "whoever", true),
    ] {
        let mut story = Story::of(all_tested());
        let facts = PullFacts {
            head_repo,
            ..by("rev", facts(1, "a1", 0))
        };
        let by = Login::new(pusher);
        story.tell(Event::HeadPushed { facts, by });
        assert_eq!(is_vouched_for(&story), is_vouched, "{pusher}");
    }
}

#[test]
fn whoever_may_write_to_the_repository_is_no_stranger() {
    for (access, is_vouched) in [(Access::Write, true), (Access::Less, false)] {
        let mut story = Story::of(only_trusted());
        story.see(facts(1, "a1", 0));
        assert!(!is_vouched_for(&story));
        let user = Login::new("author");
        story.tell(Event::AccessTold { user, access });
        assert_eq!(is_vouched_for(&story), is_vouched, "{access:?}");
    }
}
