//! What GitHub does not show, does not do yet, or is told too late.

use super::scripts::{landing, one_pull, testing, two_pulls};
use super::story::{Story, facts, run_id};
use crate::ids::PullNumber;
use crate::queue::effect::Effect;
use crate::queue::event::{Event, Refusal, Verdict};
use crate::queue::note::{Note, Reason};

const PULL: PullNumber = PullNumber(1);
const DAY_S: i64 = 86_400;

fn unseen() -> Event {
    Event::PullUnseen { pull: PULL }
}

#[test]
fn a_hold_that_comes_while_a_landing_is_under_way_keeps_the_pull_out() {
    let mut story = landing();
    assert!(story.queue.may_land(run_id(1)));
    story.at(5).say(1, "hold");
    assert!(!story.queue.may_land(run_id(1)));
    story.at(6).say(1, "hold-");
    assert!(story.queue.may_land(run_id(1)));
}

#[test]
fn a_pull_that_github_does_not_show_keeps_its_approval_and_its_test() {
    let mut story = testing();
    story.at(10).tell(unseen());
    story.at(DAY_S).tell(unseen());
    assert!(
        story
            .queue
            .pull(PULL)
            .unwrap()
            .standing_approval()
            .is_some()
    );
    assert_eq!(story.queue.runs_in_flight().count(), 1);
    story.at(DAY_S + 1).status("e1", Verdict::Passed);
    assert!(story.queue.may_land(run_id(1)));
}

#[test]
fn only_after_a_day_without_a_sign_a_pull_is_gone() {
    let mut story = testing();
    story.at(10).tell(unseen());
    // A sign of it; the day begins anew.
    story.at(DAY_S).read(facts(1, "a1", 20));
    story.at(DAY_S + 20).tell(unseen());
    story.at(DAY_S + 1_000).tell(unseen());
    assert!(story.queue.pull(PULL).unwrap().is_open());
    story.at(2 * DAY_S + 20).tell(unseen());
    assert!(!story.queue.pull(PULL).unwrap().is_open());
    assert_eq!(story.queue.runs_in_flight().count(), 0);
    story.at(3 * DAY_S).read(facts(1, "a1", 20));
    assert!(
        story.queue.pull(PULL).unwrap().is_open(),
        "it is there again"
    );
}

#[test]
fn a_pull_that_could_not_be_read_at_its_landing_is_tested_again_once_it_is_shown() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.at(1).say(2, "r+");
    story.status("e1", Verdict::Passed);
    story.at(60).tell(unseen());
    let why = Refusal::PullChanged;
    let effects = story.effects(Event::LandingRefused {
        run: run_id(1),
        why,
    });
    let next: Vec<_> = effects.iter().filter_map(begun).collect();
    assert_eq!(next, [PullNumber(2)], "the next pull has its turn");
    assert_eq!(story.queue.why(PULL), [Reason::Unseen]);
    story.at(70).read(facts(1, "a1", 0));
    assert!(
        story
            .queue
            .pull(PULL)
            .unwrap()
            .standing_approval()
            .is_some()
    );
    assert_ne!(story.queue.why(PULL), [Reason::Unseen]);
}

/// The pull whose merge is ordered.
fn begun(effect: &Effect) -> Option<PullNumber> {
    let Effect::MakeMerge(order) = effect else {
        return None;
    };
    order.members.first().map(|member| member.pull)
}

#[test]
fn a_pull_that_is_not_shown_is_not_begun_to_be_tested() {
    let mut story = one_pull();
    story.at(1).tell(unseen());
    let approved = story.at(2).say(1, "r+").started();
    assert!(approved.is_empty() && story.queue.runs_in_flight().count() == 0);
    assert_eq!(story.queue.why(PULL), [Reason::Unseen]);
    story.at(3).read(facts(1, "a1", 0));
    assert_eq!(story.queue.runs_in_flight().count(), 1);
}

#[test]
fn a_landing_that_is_tried_again_says_so_on_every_pull_that_waits_for_it() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.at(1).say(2, "r+");
    let late = || "GitHub is late".to_owned();
    story.tell(Event::LandingDelayed {
        run: run_id(1),
        why: late(),
    });
    assert!(!is_delayed(&story, PULL), "it does not land yet");
    story.status("e1", Verdict::Passed);
    story.tell(Event::LandingDelayed {
        run: run_id(1),
        why: late(),
    });
    assert!(is_delayed(&story, PULL) && is_delayed(&story, PullNumber(2)));
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    assert!(!is_delayed(&story, PullNumber(2)));
}

fn is_delayed(story: &Story, pull: PullNumber) -> bool {
    let why = story.queue.why(pull);
    why.iter()
        .any(|reason| matches!(reason, Reason::LandingDelayed(_)))
}

#[test]
fn who_waits_for_rights_of_which_nobody_tells_hears_so_at_once() {
    let mut rules = super::story::with_status();
    rules.authorities = vec![crate::queue::rules::Authority::Collaborators];
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).comment("stranger", 1, "r+");
    let user = crate::ids::Login::new("Stranger");
    let effects = story.effects(Event::StandingUntold { user });
    let is_told = |effect: &Effect| {
        matches!(
            effect,
            Effect::PostComment {
                note: Note::RightsUnknown { .. },
                ..
            }
        )
    };
    assert!(effects.iter().any(is_told), "{effects:?}");
    assert_eq!(story.queue.next_wakeup(), None);
}
