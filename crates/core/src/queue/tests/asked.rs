//! What people ask for by comments: retries, tests, stops, holds.

use super::pull_tests::{all_tested, stage, test_merged, tested};
use super::story::{Story, comment, facts, run_id, suite, with_suites};
use crate::queue::effect::Effect;
use crate::queue::event::{Event, PullFacts, SuiteVerdict};
use crate::queue::note::Note;
use crate::queue::pull_test::PullTestStage;
use crate::queue::rules::{Merging, Rules};
use crate::suite::Suite;

#[test]
fn a_retry_of_a_pulls_own_test_runs_what_failed_on_the_same_merge() {
    let suites = [suite("x"), suite("y")];
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &suites);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.finished(1, "y", SuiteVerdict::Failed(2));
    story.forget_log();
    story.at(9).say(1, "retry");
    test_merged(&mut story, 2, "e1");
    story.found(2, &suites);
    story.finished(2, "y", SuiteVerdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    9s comment by @rev made on #1
        log retry of #1 by @rev
        run 20000: make test merge of #1 onto main
    9s run 20000: test merge Merged(e100000)
        run 20000: read suites of e100000
    9s run 20000: suites read: 2
        run 20000: start jobs ["y"]
        mark GitHub's test merge of #1
        set status of a100000: "x" Ended(Passed)
        set status of a100000: "y" Waiting
    9s run 20000: suite "y" finished Passed
        mark GitHub's test merge of #1
        set status of a100000: "y" Ended(Passed)
    "#);
}

#[test]
fn a_suite_that_is_named_runs_alone_and_all_runs_everything() {
    let suites = [suite("x"), suite("y"), suite("z")];
    for (words, jobs) in [
        ("retry x", vec!["x"]),
        ("retry y, \"z\"", vec!["y", "z"]),
        ("retry all", vec!["x", "y", "z"]),
        ("retry nobody", vec!["x", "y", "z"]),
        ("test x", vec!["x"]),
    ] {
        let mut story = tested(all_tested(), &suites, &SuiteVerdict::Failed(1));
        story.at(9).say(1, words);
        test_merged(&mut story, 2, "e1");
        story.found(2, &suites);
        assert_eq!(story.started(), jobs, "{words}");
    }
}

#[test]
fn a_named_suite_of_a_merge_runs_though_it_passed() {
    let suites = [suite("x"), suite("y")];
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, &suites);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.finished(1, "y", SuiteVerdict::Failed(1));
    story
        .at(5)
        .say(1, "retry y")
        .merged(2, "b0", "e1")
        .published(2);
    story.forget_log();
    story.found(2, &suites);
    assert_eq!(story.started(), ["y"]);
    story.finished(2, "y", SuiteVerdict::Failed(1));
    story
        .at(9)
        .say(1, "retry x")
        .merged(3, "b0", "e1")
        .published(3);
    story.forget_log();
    story.found(3, &suites);
    assert_eq!(story.started(), ["x", "y"]);
}

#[test]
fn an_unknown_name_is_answered_with_the_list() {
    let suites = [suite("f38-sanity"), suite("f38-compose")];
    let mut story = tested(all_tested(), &suites, &SuiteVerdict::Failed(1));
    story.at(9).say(1, "retry f37");
    assert!(story.log().contains("UnknownSuites"), "{}", story.log());
    let mut story = tested(all_tested(), &suites, &SuiteVerdict::Passed);
    story.at(9).say(1, "test f38");
    test_merged(&mut story, 2, "e1");
    story.found(2, &suites);
    assert_eq!(story.started(), [""; 0]);
    assert!(story.log().contains("UnknownSuites"), "{}", story.log());
    let ended = PullTestStage::Ended {
        run: run_id(1),
        ending: crate::queue::run::Ending::Succeeded,
    };
    assert_eq!(stage(&story), &ended);
}

#[test]
fn a_suite_on_demand_runs_only_when_it_is_asked_for() {
    let on_demand = Suite {
        on_demand: true,
        ..suite("slow")
    };
    let suites = [suite("quick"), on_demand];
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &suites);
    assert_eq!(story.started(), ["quick"]);
    story.finished(1, "quick", SuiteVerdict::Passed);
    story.at(5).say(1, "test slow");
    test_merged(&mut story, 2, "e1");
    story.forget_log();
    story.found(2, &suites);
    assert_eq!(story.started(), ["slow"]);
    assert_eq!(story.queue.run(run_id(2)).unwrap().checks.len(), 2);
}

#[test]
fn cancel_stops_both_tests_of_a_pull_and_neither_begins_again_unasked() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    story.at(1).say(1, "r+");
    assert_eq!(story.queue.runs_in_flight().count(), 2);
    story.at(2).say(1, "cancel");
    assert_eq!(story.queue.runs_in_flight().count(), 0);
    story.at(3).say(1, "cancel");
    assert!(story.log().contains("NothingToCancel"));
    story.at(4).say(1, "retry");
    assert_eq!(story.queue.runs_in_flight().count(), 1);
}

#[test]
fn a_pull_that_is_held_is_not_merged_until_it_is_let_go() {
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1"), (2, "c1")]);
    story
        .at(1)
        .say(1, "hold")
        .at(2)
        .say(1, "r+")
        .at(3)
        .say(2, "r+");
    let running = story.queue.landing_run().unwrap().members[0].pull;
    assert_eq!(running.0, 2);
    story.at(4).say(2, "hold");
    assert!(story.queue.landing_run().is_none());
    story.at(5).say(1, "hold-");
    assert_eq!(story.queue.landing_run().unwrap().members[0].pull.0, 1);
}

#[test]
fn a_pull_that_is_held_while_its_checks_pass_does_not_land() {
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, &[suite("x")]);
    story.at(2).say(1, "hold");
    story.finished(1, "x", SuiteVerdict::Passed);
    assert!(!story.log().contains("advance"), "{}", story.log());
}

#[test]
fn where_somebody_else_merges_only_what_is_about_tests_is_heard() {
    let rules = Rules {
        merging: Merging::Off,
        ..all_tested()
    };
    let mut story = tested(rules, &[suite("x")], &SuiteVerdict::Failed(1));
    story.at(5).say(1, "r+ p=5");
    story.at(6).comment("who", 1, "r+ rolup=x");
    insta::assert_snapshot!(story.log(), @r"
    5s comment by @rev made on #1
    6s comment by @who made on #1
    ");
    story.at(7).say(1, "retry");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
}

#[test]
fn labels_and_priority_rank_waiting_jobs_anew() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &[suite("x")]);
    story.forget_log();
    let labelled = PullFacts {
        labels: vec!["urgent".to_owned()],
        ..facts(1, "a1", 5)
    };
    story.at(5).see(labelled).at(6).say(1, "p=5");
    insta::assert_snapshot!(story.log(), @r"
    5s pull #1 seen Open at a100000 into main
        run 10000: rank jobs anew
    6s comment by @rev made on #1
        run 10000: rank jobs anew
    ");
}

#[test]
fn info_says_how_a_pull_stands_to_anybody() {
    let mut story = tested(all_tested(), &[suite("x")], &SuiteVerdict::Failed(1));
    let why = story.queue.why(facts(1, "a1", 0).number);
    let asked = Event::CommentMade {
        pull: facts(1, "a1", 0).number,
        comment: comment(5, "who", "@bot info"),
    };
    let effects = story.effects(asked);
    let said = effects.iter().any(|effect| {
        matches!(effect, Effect::PostComment { note: Note::Standing { why: told }, .. } if *told == why)
    });
    assert!(said, "{effects:?}");
}

#[test]
fn some_suites_asked_for_at_once_do_not_stand_for_all() {
    let rules = Rules {
        merging: Merging::OnceGreen,
        ..all_tested()
    };
    let suites = [suite("x"), suite("y")];
    let mut story = Story::of(rules);
    story.see(facts(1, "a1", 0));
    // Before anybody knows which suites there are.
    story.at(1).say(1, "test x").at(2).say(1, "r+");
    test_merged(&mut story, 2, "e1");
    story.found(2, &suites);
    assert_eq!(story.started(), ["x", "y"]);
    story.finished(2, "x", SuiteVerdict::Passed);
    assert!(story.queue.landing_run().is_none());
    story.finished(2, "y", SuiteVerdict::Passed);
    assert!(story.queue.landing_run().is_some());
}

#[test]
fn a_test_of_some_suites_repeated_does_not_make_a_pull_green() {
    let rules = Rules {
        merging: Merging::OnceGreen,
        ..all_tested()
    };
    let skipped = PullFacts {
        title: "[skip ci]".to_owned(),
        ..facts(1, "a1", 0)
    };
    let mut story = Story::of(rules);
    story.see(skipped);
    story.at(1).say(1, "r+");
    for run in [1, 2] {
        story.at(1 + i64::try_from(run).unwrap()).say(1, "test x");
        test_merged(&mut story, run, "e1");
        story.found(run, &[suite("x"), suite("y")]);
        assert_eq!(story.started(), ["x"]);
        story.finished(run, "x", SuiteVerdict::Passed);
        assert!(story.queue.landing_run().is_none());
        story.forget_log();
    }
}

#[test]
fn a_suite_that_is_asked_for_brings_what_it_needs() {
    let needing = Suite {
        needs: vec!["x".to_owned()],
        on_demand: true,
        ..suite("z")
    };
    let needed = Suite {
        on_demand: true,
        ..suite("x")
    };
    let suites = [needed, suite("y"), needing];
    let mut story = tested(all_tested(), &suites[1..2], &SuiteVerdict::Passed);
    story.at(5).say(1, "test z");
    test_merged(&mut story, 2, "e1");
    story.found(2, &suites);
    assert_eq!(story.started(), ["x", "z"]);
}

#[test]
fn what_a_suite_needs_runs_again_with_it_where_it_had_failed() {
    let needing = |context: &str, needed: &str| Suite {
        needs: vec![needed.to_owned()],
        ..suite(context)
    };
    let suites = [
        suite("passed"),
        suite("failed"),
        needing("between", "failed"),
        needing("last", "between"),
        needing("other", "passed"),
    ];
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &suites);
    story.finished(1, "passed", SuiteVerdict::Passed);
    for context in ["failed", "between", "last", "other"] {
        story.finished(1, context, SuiteVerdict::Failed(1));
    }
    story.at(5).say(1, "retry last");
    test_merged(&mut story, 2, "e1");
    story.forget_log();
    story.found(2, &suites);
    assert_eq!(story.started(), ["failed", "between", "last"]);
}

#[test]
fn a_test_that_runs_is_not_stopped_for_a_name_that_nobody_has() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &[suite("x")]);
    story.forget_log();
    story.at(5).say(1, "test nobody");
    assert!(story.log().contains("UnknownSuites"), "{}", story.log());
    let running = PullTestStage::Running { run: run_id(1) };
    assert_eq!(stage(&story), &running);
    story.at(6).say(1, "test x");
    assert_ne!(stage(&story), &running);
}

#[test]
fn a_pull_that_was_cancelled_before_its_author_was_known_is_tested_at_ok() {
    let rules = Rules {
        pulls: crate::queue::rules::PullTests::Trusted,
        ..with_suites()
    };
    let mut story = Story::of(rules);
    story.see(facts(1, "a1", 0));
    story.at(1).say(1, "cancel");
    assert_eq!(stage(&story), &PullTestStage::Idle);
    story.at(2).say(1, "ok");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
}

#[test]
fn nobody_is_told_that_a_pull_is_held_that_lands_already() {
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, &[suite("x")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.forget_log();
    story.at(2).say(1, "hold");
    assert!(!story.log().contains("OnHold"), "{}", story.log());
    assert!(story.queue.landing_run().is_some());
}
