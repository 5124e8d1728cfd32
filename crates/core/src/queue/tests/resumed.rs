//! Tests that another queue began go on here, with their commits and results.

use std::collections::BTreeSet;

use super::story::{Story, commit, facts, run_id, seconds, with_status, with_suites};
use crate::ids::{Login, PullNumber, Timestamp};
use crate::queue::Queue;
use crate::queue::effect::{Effect, History};
use crate::queue::event::{Event, MergeFound, PullFacts, Verdict};
use crate::queue::imported::{
    ImportedPull, ImportedTest, Landing, Left, Part, Progress, Resumption, Takeover, Turnover,
    WantedTry,
};
use crate::queue::pull::{Squash, Stage};
use crate::queue::rules::{Fixups, Rules};
use crate::queue::run::{Check, CheckState, Origin, Purpose, RunCheck, Weight};

/// Until when the other queue knew everything, in seconds.
const UNTIL: i64 = 100;

/// When the server starts: much later than a test may take.
const START: i64 = 90_000;

fn result(label: &str, state: CheckState) -> RunCheck {
    RunCheck {
        check: Check::Status {
            label: label.to_owned(),
            context: format!("{label}/old"),
        },
        weight: Weight::Decides,
        state,
        origin: Origin::Own,
        reports: Vec::new(),
    }
}

fn passed() -> CheckState {
    CheckState::Passed {
        url: "ci".to_owned(),
    }
}

/// A test of `e1`, of which these results are known.
fn test(rules: &Rules, purpose: Purpose, checks: Vec<RunCheck>) -> ImportedTest {
    ImportedTest {
        purpose,
        progress: Progress::UnderWay(Resumption {
            awaited: rules.awaited(purpose, None),
            deadline: seconds(UNTIL),
        }),
        chooser: None,
        merge: Some(commit("e1")),
        checks,
    }
}

/// Pull 1 at `a1`, whose test is under way.
fn pending(rules: &Rules, purpose: Purpose, checks: Vec<RunCheck>) -> ImportedPull {
    let is_try = purpose == Purpose::Try;
    ImportedPull {
        facts: PullFacts {
            updated_at: Timestamp(0),
            ..facts(1, "a1", 0)
        },
        approver: Some(Login::new("rev,other")).filter(|_| !is_try),
        priority: 0,
        rollup: 0,
        delegate: None,
        squash: Squash::No,
        wanted_try: is_try.then_some(WantedTry { chooser: None }),
        test: Some(test(rules, purpose, checks)),
    }
}

fn take(found: ImportedPull, landing: Landing) -> Takeover {
    let turnover = Turnover {
        until: seconds(UNTIL),
        run: run_id(1),
        landing,
    };
    Takeover::of(found, None, turnover)
}

/// The server's first start after the takeover.
fn started(rules: &Rules, found: ImportedPull) -> Story {
    let Takeover { pull, run, .. } = take(found, Landing::Free);
    let run = run.unwrap();
    let mut story = Story::of(rules.clone());
    let state = Queue::new(rules.clone(), run.id).state().clone();
    story.queue = Queue::restored(rules.clone(), state, vec![pull], vec![run]);
    story.at(START).time_passes().forget_log();
    story
}

/// The answer to the order that comes with the takeover.
fn read(heads: &[&str]) -> Event {
    Event::MergeRead {
        run: run_id(1),
        found: Some(MergeFound {
            base_tip: Some(commit("b0")),
            merged: heads.iter().map(|head| commit(head)).collect(),
        }),
    }
}

fn lands(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| {
        matches!(effect, Effect::AdvanceBranch(order)
            if (order.from, order.to) == (commit("b0"), commit("e1")))
    })
}

fn merges(effects: &[Effect]) -> bool {
    let is_merge = |effect: &Effect| matches!(effect, Effect::MakeMerge(_));
    effects.iter().any(is_merge)
}

fn said(story: &mut Story, verdict: Verdict) -> Vec<Effect> {
    story.effects(Event::StatusReported {
        commit: commit("e1"),
        context: "ci".to_owned(),
        verdict,
        url: None,
        order: None,
    })
}

#[test]
fn a_test_under_way_is_taken_over_with_its_commit_and_what_it_waits_for() {
    let rules = with_status();
    let found = pending(&rules, Purpose::Land, vec![result("gone", passed())]);
    let takeover = take(found, Landing::Free);
    let run = takeover.run.unwrap();
    assert_eq!(run.merge().unwrap().merge, commit("e1"));
    assert_eq!(run.checks.len(), 1);
    assert_eq!(run.checks[0].state, CheckState::Waiting);
    assert_eq!(run.members[0].approver, Some(Login::new("rev,other")));
    assert!(!run.is_over());
    let order = Effect::ReadMerge {
        run: run.id,
        commit: commit("e1"),
        base: run.base.clone(),
    };
    assert_eq!(takeover.orders, [order]);
    assert_eq!(takeover.left, BTreeSet::new());
    assert!(takeover.taken.contains(&Part::Running));
    let (run, purpose) = (run.id, Purpose::Land);
    assert_eq!(takeover.pull.stage, Stage::Running { run, purpose });
}

#[test]
fn the_next_answer_lands_it_and_nothing_lands_before_its_merge_was_read() {
    let rules = with_status();
    let mut story = started(&rules, pending(&rules, Purpose::Land, Vec::new()));
    assert!(!lands(&story.effects(read(&["a1"]))));
    assert!(lands(&said(&mut story, Verdict::Passed)));
    let mut story = started(&rules, pending(&rules, Purpose::Land, Vec::new()));
    assert!(!lands(&said(&mut story, Verdict::Passed)));
    assert!(lands(&story.effects(read(&["a1"]))));
    let mut story = started(&rules, pending(&rules, Purpose::Land, Vec::new()));
    let _effects = story.effects(read(&["a1"]));
    assert!(!lands(&said(&mut story, Verdict::Failed)));
    assert_eq!(story.status_of(1), "failure");
}

#[test]
fn results_that_were_there_count() {
    let rules = with_status();
    let found = pending(&rules, Purpose::Land, vec![result("ci", passed())]);
    let mut story = started(&rules, found);
    assert!(lands(&story.effects(read(&["a1"]))));
    let failed = CheckState::Failed {
        url: "ci".to_owned(),
        verdict: None,
    };
    let found = pending(&rules, Purpose::Land, vec![result("ci", failed)]);
    let mut story = started(&rules, found);
    assert!(!lands(&story.effects(read(&["a1"]))));
    assert_eq!(story.status_of(1), "failure");
}

#[test]
fn a_merge_of_other_commits_or_one_that_is_gone_is_made_again() {
    let rules = with_status();
    let gone = Event::MergeRead {
        run: run_id(1),
        found: None,
    };
    for answer in [gone.clone(), read(&["a2"]), read(&[]), read(&["a1", "a2"])] {
        let found = pending(&rules, Purpose::Land, vec![result("ci", passed())]);
        let mut story = started(&rules, found);
        let effects = story.effects(answer.clone());
        assert!(merges(&effects) && !lands(&effects), "{answer:?}");
        assert_eq!(story.approved(1), Some(commit("a1")));
        let mut story = started(&rules, pending(&rules, Purpose::Try, Vec::new()));
        assert!(merges(&story.effects(answer)), "a try is not forgotten");
    }
}

/// Commits that are written anew do not show what they were.
#[test]
fn rewritten_commits_are_taken_at_the_other_queues_word() {
    let linear = Rules {
        history: History::Linear,
        ..with_status()
    };
    let autosquash = Rules {
        fixups: Fixups::Squash,
        ..with_status()
    };
    for (rules, squash) in [
        (linear, Squash::No),
        (autosquash, Squash::No),
        (with_status(), Squash::Yes),
    ] {
        let found = ImportedPull {
            squash,
            ..pending(&rules, Purpose::Land, vec![result("ci", passed())])
        };
        let mut story = started(&rules, found);
        assert!(lands(&story.effects(read(&["c1"]))), "{rules:?}");
    }
}

#[test]
fn its_time_begins_when_its_merge_was_read() {
    let rules = with_status();
    let mut story = started(&rules, pending(&rules, Purpose::Land, Vec::new()));
    assert_eq!(story.status_of(1), "pending");
    let _effects = story.effects(read(&["a1"]));
    let timeout = START + i64::try_from(rules.timeout_s).unwrap();
    assert_eq!(story.queue.next_wakeup(), Some(seconds(timeout)));
    story.at(timeout).time_passes();
    assert_eq!(story.status_of(1), "failure");
}

#[test]
fn suites_of_its_commit_must_pass_as_well() {
    let rules = Rules {
        suites: with_suites().suites,
        ..with_status()
    };
    let found = pending(&rules, Purpose::Land, vec![result("ci", passed())]);
    let mut story = started(&rules, found);
    let order = Effect::ReadSuites {
        run: run_id(1),
        commit: commit("e1"),
        since: Some(commit("b0")),
    };
    assert_eq!(story.effects(read(&["a1"])), [order]);
    let found = crate::queue::event::SuitesFound::NoFile;
    let run = run_id(1);
    assert!(lands(&story.effects(Event::SuitesRead { run, found })));
}

#[test]
fn nothing_overtakes_it() {
    let rules = with_status();
    let mut story = started(&rules, pending(&rules, Purpose::Land, Vec::new()));
    story.at(START + 1).see(facts(2, "a2", START));
    story.say(2, "r+ p=50").forget_log();
    assert_eq!(story.status_of(2), "approved");
    assert!(!merges(&story.effects(read(&["a1"]))));
    assert!(lands(&said(&mut story, Verdict::Passed)));
}

#[test]
fn what_cannot_go_on_begins_again_and_is_told_of() {
    let rules = with_status();
    let land = || pending(&rules, Purpose::Land, Vec::new());
    let with = |found: ImportedPull, change: &dyn Fn(&mut ImportedTest)| {
        let mut found = found;
        change(found.test.as_mut().unwrap());
        found
    };
    let unapproved = ImportedPull {
        approver: None,
        ..land()
    };
    let approved_try = ImportedPull {
        approver: Some(Login::new("rev")),
        ..pending(&rules, Purpose::Try, Vec::new())
    };
    let no_commit = with(land(), &|test| test.merge = None);
    let no_check = with(land(), &|test| {
        test.progress = Progress::UnderWay(Resumption {
            awaited: Vec::new(),
            deadline: seconds(UNTIL),
        });
    });
    for (found, landing, why) in [
        (unapproved, Landing::Free, Left::NotApproved),
        (approved_try, Landing::Free, Left::Approved),
        (no_commit, Landing::Free, Left::NoCommit),
        (no_check, Landing::Free, Left::NoCheck),
        (land(), Landing::Taken, Left::Another),
    ] {
        let takeover = take(found, landing);
        assert!(takeover.left.contains(&(Part::Running, why)), "{why:?}");
        assert_eq!((takeover.run, takeover.orders.len()), (None, 0), "{why:?}");
        assert_eq!(takeover.pull.stage, Stage::Idle, "{why:?}");
    }
    // A try takes nobody's turn.
    let found = pending(&rules, Purpose::Try, Vec::new());
    assert!(take(found, Landing::Taken).run.is_some());
}

#[test]
fn a_second_takeover_is_no_news_and_a_test_here_is() {
    let rules = with_status();
    let found = pending(&rules, Purpose::Land, Vec::new());
    let turnover = Turnover {
        until: seconds(UNTIL),
        run: run_id(2),
        landing: Landing::Taken,
    };
    let first = take(found.clone(), Landing::Free);
    let again = Takeover::of(found.clone(), Some(first.pull.clone()), turnover);
    assert_eq!((again.pull, again.run), (first.pull, None));
    assert_eq!((again.orders, again.left), (Vec::new(), BTreeSet::new()));
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(UNTIL + 1).say(1, "try");
    let here = story.queue.pull(PullNumber(1)).cloned();
    let left = Takeover::of(found, here, turnover).left;
    assert_eq!(left, BTreeSet::from([(Part::Running, Left::TestedHere)]));
}
