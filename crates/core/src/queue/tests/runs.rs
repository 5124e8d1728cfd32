//! Scripts about runs: retries, suites, deadlines, conflicts.

use super::scripts::{executing, landing, one_pull, refused, testing, two_pulls};
use super::story::{Story, comment, run_id, seconds, suite, with_status, with_suites};
use crate::ids::PullNumber;
use crate::queue::effect::Effect;
use crate::queue::event::{Event, MergeStep, Refusal, SuiteVerdict, SuitesFound, Verdict};
use crate::queue::note::Reason;
use crate::queue::rules::Rules;
use crate::suite::Suite;

fn conflicted(run: u64) -> Event {
    Event::MergeConflicted {
        run: run_id(run),
        step: MergeStep::Merge,
    }
}

#[test]
fn a_rejected_landing_lands_the_same_commit_at_retry() {
    let mut story = landing();
    refused(&mut story, Refusal::Rejected("protected".to_owned()));
    story
        .at(9)
        .say(1, "retry")
        .merged(2, "b0", "e1")
        .published(2);
    insta::assert_snapshot!(story.log(), @r#"
    1s run 10000: landing refused: Rejected("protected")
        post to #1: LandingFailed
        set status of a100000: homu NotLanded
    9s comment by @rev made on #1
        log retry of #1 by @rev
        run 20000: make merge onto main
    9s run 20000: merge e100000 made
        run 20000: publish e100000 to auto
    9s run 20000: merge published
        post to #1: Started
        set status of a100000: homu Testing
        run 20000: advance main to e100000
    "#);
}

#[test]
fn a_retry_runs_only_what_failed_while_the_base_stands() {
    let mut story = executing(&[suite("x"), suite("y")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.finished(1, "y", SuiteVerdict::Failed(1));
    assert_eq!(story.status_of(1), "failure");
    let why = story.queue.why(PullNumber(1));
    assert_eq!(why[1], Reason::SuiteFailed("y".to_owned()));
    story.log();
    story
        .at(9)
        .say(1, "retry")
        .merged(2, "b0", "e1")
        .published(2);
    story.found(2, &[suite("x"), suite("y")]);
    insta::assert_snapshot!(story.log(), @r#"
    9s comment by @rev made on #1
        log retry of #1 by @rev
        run 20000: make merge onto main
    9s run 20000: merge e100000 made
        run 20000: publish e100000 to auto
        run 20000: read suites of e100000
    9s run 20000: merge published
        post to #1: Started
        set status of a100000: homu Testing
    9s run 20000: suites read: 2
        post to #1: Rebuilding
        run 20000: start jobs ["y"]
        set status of e100000: "x" Ended(Passed)
    "#);
}

/// An external check answers only once for one commit.
#[test]
fn a_retry_after_an_external_check_failed_makes_a_new_merge() {
    let rules = Rules {
        suites: with_suites().suites,
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, &[suite("x")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.status("e1", Verdict::Failed);
    assert_eq!(story.status_of(1), "failure");
    let event = Event::CommentMade {
        pull: PullNumber(1),
        comment: comment(9, "rev", "@bot retry"),
    };
    let effects = story.queue.handle(seconds(9), event);
    let again = effects.iter().find_map(|effect| {
        if let Effect::MakeMerge(order) = effect {
            return Some(order.again);
        }
        None
    });
    assert_eq!(again, Some(None), "{effects:?}");
}

#[test]
fn a_retry_on_a_moved_base_runs_everything() {
    let mut story = executing(&[suite("x"), suite("y")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.finished(1, "y", SuiteVerdict::TimedOut);
    story
        .at(9)
        .say(1, "retry")
        .merged(2, "b1", "e2")
        .published(2);
    story.log();
    story.found(2, &[suite("x"), suite("y")]);
    insta::assert_snapshot!(story.log(), @r#"
    9s run 20000: suites read: 2
        run 20000: start jobs ["x", "y"]
    "#);
}

#[test]
fn a_retry_while_testing_begins_again() {
    let mut story = testing();
    story.at(5).say(1, "retry");
    insta::assert_snapshot!(story.log(), @r"
    5s comment by @rev made on #1
        log retry of #1 by @rev
        run 20000: make merge onto main
    ");
    let mut story = one_pull();
    story.at(1).say(1, "retry");
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        post to #1: NothingToRetry
    "#);
}

#[test]
fn the_first_suite_that_fails_stops_the_others() {
    let mut story = executing(&[suite("x"), suite("y")]);
    story.tell(Event::SuiteStarted {
        run: run_id(1),
        context: "y".to_owned(),
        url: "job".to_owned(),
    });
    story.finished(1, "x", SuiteVerdict::Failed(2));
    story.finished(1, "y", SuiteVerdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    1s run 10000: suite "y" started
        set status of e100000: "y" Running
    1s run 10000: suite "x" finished Failed(2)
        set status of e100000: "x" Ended(Failed(2))
        post to #1: Failed
        set status of a100000: homu Failed
        run 10000: cancel jobs
        set status of e100000: "y" Cancelled
    1s run 10000: suite "y" finished Passed
    "#);
}

#[test]
fn only_required_suites_decide_where_there_are_some() {
    let must = Suite {
        required: true,
        ..suite("must")
    };
    let mut story = executing(&[must, suite("may")]);
    story.finished(1, "may", SuiteVerdict::Failed(1));
    story.finished(1, "must", SuiteVerdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    1s run 10000: suite "may" finished Failed(1)
        set status of e100000: "may" Ended(Failed(1))
    1s run 10000: suite "must" finished Passed
        set status of e100000: "must" Ended(Passed)
        set status of e100000: required 1/1
        run 10000: advance main to e100000
    "#);
}

#[test]
fn a_run_that_nothing_could_decide_does_not_land() {
    for found in [SuitesFound::NoFile, SuitesFound::Suites(Vec::new().into())] {
        let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
        story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
        story.tell(Event::SuitesRead {
            run: run_id(1),
            found,
        });
        assert_eq!(story.status_of(1), "error");
    }
    let mut rules = with_status();
    rules.statuses.clear();
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    assert_eq!(story.status_of(1), "error");
}

#[test]
fn a_wrong_file_of_suites_is_said_and_the_queue_goes_on() {
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1"), (2, "a2")]);
    story.at(1).say(1, "r+").at(2).say(2, "r+");
    story.merged(1, "b0", "e1").published(1);
    story.log();
    story.tell(Event::SuitesRead {
        run: run_id(1),
        found: SuitesFound::Invalid {
            file: ".papr.yml".to_owned(),
            message: "no".to_owned(),
        },
    });
    insta::assert_snapshot!(story.log(), @r#"
    2s run 10000: suites read: ".papr.yml" is invalid
        set status of a100000: bad suites
        post to #1: BadSuites
        set status of a100000: homu BadSuites
        run 20000: make merge onto main
    "#);
}

#[test]
fn every_phase_but_the_landing_has_its_own_deadline() {
    let mut story = one_pull();
    story.at(1).say(1, "r+").at(121).time_passes();
    let mut slow = one_pull();
    slow.at(1).say(1, "r+").at(100).merged(1, "b0", "e1");
    slow.at(219).time_passes().at(220).time_passes();
    let mut quiet = testing();
    quiet.at(3600).time_passes().at(3601).time_passes();
    let logs = [story.log(), slow.log(), quiet.log()];
    insta::assert_snapshot!(logs.join("--\n"), @r#"
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    121s time passed
        post to #1: Broken
        set status of a100000: homu Broken
    --
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    100s run 10000: merge e100000 made
        run 10000: publish e100000 to auto
    219s time passed
    220s time passed
        post to #1: Broken
        set status of a100000: homu Broken
    --
    3600s time passed
    3601s time passed
        post to #1: TimedOut
        set status of a100000: homu TimedOut
    "#);
    assert_eq!(landing().queue.next_wakeup(), None);
}

#[test]
fn a_conflict_is_said_and_the_next_pull_goes_on() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+").at(2).say(2, "r+");
    story.log();
    story.tell(conflicted(1));
    story.tell(conflicted(1));
    insta::assert_snapshot!(story.log(), @r"
    2s run 10000: Merge conflicted
        post to #1: Conflict
        set status of a100000: homu Conflict
        run 20000: make merge onto main
    2s run 10000: Merge conflicted
    ");
}

#[test]
fn a_closed_tree_holds_back_what_is_below_and_stops_nothing_that_runs() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+").at(2).say(2, "treeclosed=5");
    story.at(3).say(2, "r+").tell(conflicted(1));
    story.at(4).say(2, "p=5");
    insta::assert_snapshot!(story.log(), @r"
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    2s comment by @rev made on #2
    3s comment by @rev made on #2
        post to #2: Approved
        post to #2: TreeClosed
    3s run 10000: Merge conflicted
        post to #1: Conflict
        set status of a100000: homu Conflict
    4s comment by @rev made on #2
        run 20000: make merge onto main
    ");
}

#[test]
fn the_youngest_comment_decides_on_priority_and_tree() {
    let mut story = one_pull();
    story.at(5).say(1, "p=5 treeclosed=7");
    story.at(4).say(1, "p=4 treeclosed-");
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.priority.value, 5);
    assert!(!story.queue.tree_lets_through(PullNumber(1)));
    story.at(6).say(1, "p=101");
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.priority.value, 5);
}
