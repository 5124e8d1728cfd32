//! A pull's own test, and tests of branches.

use super::story::{Story, comment, commit, facts, run_id, seconds, suite, with_suites};
use crate::ids::{BranchName, CommitId, Login};
use crate::queue::effect::Effect;
use crate::queue::event::{
    Access, Event, PullFacts, PullState, SuiteFile, SuiteVerdict, SuitesFound, TestMerge,
};
use crate::queue::note::{Link, Note};
use crate::queue::own_test::OwnStage;
use crate::queue::rules::{Merging, PullTests, Reporting, Reuse, Rules};
use crate::suite::Suite;

fn all_tested() -> Rules {
    Rules {
        pulls: PullTests::All,
        ..with_suites()
    }
}

fn only_trusted() -> Rules {
    Rules {
        pulls: PullTests::Trusted,
        ..with_suites()
    }
}

fn test_merged(story: &mut Story, run: u64, merge: &str) {
    story.tell(Event::TestMergeMade {
        run: run_id(run),
        base_tip: commit("b0"),
        made: TestMerge::Merged(commit(merge)),
    });
}

fn found(story: &mut Story, run: u64, file: SuiteFile) {
    story.tell(Event::SuitesRead {
        run: run_id(run),
        found: SuitesFound::Suites(file),
    });
}

/// A pull whose own test passed, or did not, with these suites.
fn tested(rules: Rules, suites: &[Suite], verdict: &SuiteVerdict) -> Story {
    let mut story = Story::of(rules);
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, suites);
    for suite in suites {
        story.finished(1, &suite.context, verdict.clone());
    }
    story.forget_log();
    story
}

#[test]
fn a_pull_is_tested_as_merged_and_every_suite_speaks_on_its_head() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &[suite("x"), suite("y")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.finished(1, "y", SuiteVerdict::Failed(2));
    insta::assert_snapshot!(story.log(), @r#"
    0s pull #1 seen Open at a100000 into main
        run 10000: make test merge of #1 onto main
    0s run 10000: test merge Merged(e100000)
        run 10000: read suites of e100000
    0s run 10000: suites read: 2
        run 10000: start jobs ["x", "y"]
        set status of a100000: "x" Waiting
        set status of a100000: "y" Waiting
    0s run 10000: suite "x" finished Passed
        mark GitHub's test merge of #1
        set status of a100000: "x" Ended(Passed)
    0s run 10000: suite "y" finished Failed(2)
        mark GitHub's test merge of #1
        set status of a100000: "y" Ended(Failed(2))
    "#);
}

#[test]
fn a_pull_that_conflicts_is_tested_at_its_head_and_the_status_says_so() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    story.tell(Event::TestMergeMade {
        run: run_id(1),
        base_tip: commit("b0"),
        made: TestMerge::Conflicted,
    });
    story.found(1, &[suite("x")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    0s pull #1 seen Open at a100000 into main
        run 10000: make test merge of #1 onto main
    0s run 10000: test merge Conflicted
        run 10000: read suites of a100000
    0s run 10000: suites read: 1
        run 10000: start jobs ["x"]
        set status of a100000: "x" Waiting
    0s run 10000: suite "x" finished Passed
        set status of a100000: "x" Ended(Passed)
    "#);
}

#[test]
fn a_push_stops_the_old_test_and_starts_another() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &[suite("x")]);
    story.forget_log();
    story.at(5).see(facts(1, "a2", 5));
    insta::assert_snapshot!(story.log(), @r#"
    5s pull #1 seen Open at a200000 into main
        run 10000: cancel jobs
        set status of a100000: "x" Cancelled
        run 20000: make test merge of #1 onto main
    "#);
}

#[test]
fn a_pull_that_is_closed_is_not_tested_any_more() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &[suite("x")]);
    let closed = PullFacts {
        state: PullState::Closed,
        ..facts(1, "a1", 5)
    };
    story.forget_log();
    story.at(5).see(closed);
    insta::assert_snapshot!(story.log(), @r#"
    5s pull #1 seen Closed at a100000 into main
        run 10000: cancel jobs
        set status of a100000: "x" Cancelled
    "#);
}

#[test]
fn a_strangers_pull_waits_for_a_reviewer_and_is_told_once() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    let user = Login::new("author");
    story.tell(Event::AccessTold {
        user: user.clone(),
        access: Access::Less,
    });
    story.at(5).see(facts(1, "a2", 5));
    let access = Access::Less;
    story.tell(Event::AccessTold { user, access });
    story.at(6).comment("who", 1, "ok");
    story.at(7).comment("rev", 1, "ok");
    story.at(9).see(facts(1, "a3", 9));
    insta::assert_snapshot!(story.log(), @r"
    0s pull #1 seen Open at a100000 into main
        ask whether @author may write
    0s @author may Less
        post to #1: WaitsForOk
    5s pull #1 seen Open at a200000 into main
        ask whether @author may write
    5s @author may Less
    6s comment by @who made on #1
        post to #1: Refused
    7s comment by @rev made on #1
        run 10000: make test merge of #1 onto main
    9s pull #1 seen Open at a300000 into main
        ask whether @author may write
    ");
}

#[test]
fn an_ok_that_was_written_before_a_push_lets_nothing_be_tested() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    story.at(9).see(facts(1, "a2", 9));
    let (user, access) = (Login::new("author"), Access::Less);
    story.tell(Event::AccessTold { user, access });
    story.forget_log();
    story.at(8).say(1, "ok");
    assert_eq!(stage(&story), &OwnStage::Untrusted);
}

#[test]
fn an_author_who_is_let_in_is_tested_from_then_on() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    let (user, access) = (Login::new("author"), Access::Less);
    story.tell(Event::AccessTold { user, access });
    story.at(5).say(1, "ok+");
    assert!(matches!(stage(&story), OwnStage::Running { .. }));
    story.at(9).see(facts(1, "a2", 9));
    assert!(matches!(stage(&story), OwnStage::Running { .. }));
    story.at(9).see(facts(2, "c1", 9));
    assert_eq!(story.queue.runs_in_flight().count(), 2);
}

#[test]
fn whoever_may_write_is_tested_at_once() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    let (user, access) = (Login::new("author"), Access::Write);
    story.tell(Event::AccessTold { user, access });
    assert!(matches!(stage(&story), OwnStage::Running { .. }));
}

#[test]
fn of_whom_github_says_nothing_waits_as_a_stranger() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    assert_eq!(story.queue.next_wakeup(), Some(seconds(120)));
    story.at(120).tell(Event::TimePassed);
    assert_eq!(stage(&story), &OwnStage::Untrusted);
}

#[test]
fn trust_is_by_configuration_and_asks_nobody() {
    let mut rules = only_trusted();
    rules.trusted = vec![Login::new("author")];
    let mut story = Story::of(rules);
    story.see(facts(1, "a1", 0));
    assert!(matches!(stage(&story), OwnStage::Running { .. }));
}

#[test]
fn a_failed_test_of_its_own_keeps_no_pull_from_landing_unless_it_is_to_be_green() {
    for (merging, is_begun) in [(Merging::On, true), (Merging::OnceGreen, false)] {
        let rules = Rules {
            merging,
            ..all_tested()
        };
        let mut story = tested(rules, &[suite("x")], &SuiteVerdict::Failed(1));
        story.at(9).say(1, "r+");
        let begun = story.queue.runs_in_flight().count() == 1;
        assert_eq!(begun, is_begun, "{merging:?}");
    }
    let rules = Rules {
        merging: Merging::OnceGreen,
        ..all_tested()
    };
    let mut story = tested(rules, &[suite("x")], &SuiteVerdict::Passed);
    story.at(9).say(1, "r+");
    assert_eq!(story.queue.runs_in_flight().count(), 1);
}

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
    let ended = OwnStage::Ended {
        run: run_id(1),
        ending: crate::queue::note::Ending::Succeeded,
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
fn what_passed_on_the_same_tree_lands_without_a_job_unless_told_otherwise() {
    let file = || SuiteFile {
        passed: vec![Link {
            name: "x".to_owned(),
            url: "job/7".to_owned(),
        }],
        ..SuiteFile::from(vec![suite("x")])
    };
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.forget_log();
    found(&mut story, 1, file());
    insta::assert_snapshot!(story.log(), @r#"
    1s run 10000: suites read: 1, 1 of them passed before
        set status of e100000: "x" PassedBefore
        run 10000: advance main to e100000
    "#);
    let never = Rules {
        reuse: Reuse::Never,
        ..with_suites()
    };
    let mut story = Story::with_pulls(never, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    found(&mut story, 1, file());
    assert_eq!(story.started(), ["x"]);
    story.finished(1, "x", SuiteVerdict::Failed(1));
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, &[suite("x")]);
    story.finished(1, "x", SuiteVerdict::Failed(1));
    story
        .at(5)
        .say(1, "retry all")
        .merged(2, "b0", "e2")
        .published(2);
    story.forget_log();
    found(&mut story, 2, file());
    assert_eq!(story.started(), ["x"]);
}

#[test]
fn a_suite_that_is_about_nothing_that_changed_is_not_needed() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.forget_log();
    let file = SuiteFile {
        untouched: vec!["docs".to_owned()],
        ..SuiteFile::from(vec![suite("docs"), suite("code")])
    };
    found(&mut story, 1, file);
    insta::assert_snapshot!(story.log(), @r#"
    0s run 10000: suites read: 2, 1 of them not needed
        run 10000: start jobs ["code"]
        mark GitHub's test merge of #1
        set status of a100000: "docs" NotNeeded
        set status of a100000: "code" Waiting
    "#);
}

#[test]
fn a_suite_that_may_fail_decides_nothing() {
    let allowed = Suite {
        allow_failure: true,
        ..suite("flaky")
    };
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, &[suite("x"), allowed.clone()]);
    story.forget_log();
    story.finished(1, "flaky", SuiteVerdict::Failed(3));
    story.finished(1, "x", SuiteVerdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    1s run 10000: suite "flaky" finished Failed(3)
        set status of e100000: "flaky" FailedAsAllowed(Failed(3))
    1s run 10000: suite "x" finished Passed
        set status of e100000: "x" Ended(Passed)
        run 10000: advance main to e100000
    "#);
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, &[allowed]);
    assert!(
        story.queue.runs_in_flight().next().is_none(),
        "it would land untested"
    );
}

#[test]
fn what_is_needed_is_handed_on_only_as_far_as_it_is_still_open() {
    let needing = Suite {
        needs: vec!["x".to_owned(), "y".to_owned()],
        ..suite("z")
    };
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    let file = SuiteFile {
        untouched: vec!["x".to_owned()],
        ..SuiteFile::from(vec![suite("x"), suite("y"), needing])
    };
    let effects = story.effects(Event::SuitesRead {
        run: run_id(1),
        found: SuitesFound::Suites(file),
    });
    let Some(Effect::StartJobs { suites, .. }) = effects.first() else {
        panic!("{effects:?}");
    };
    let needs: Vec<_> = suites.iter().map(|suite| &suite.needs).collect();
    assert_eq!(needs, [&vec![], &vec!["y".to_owned()]]);
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
    assert!(matches!(stage(&story), OwnStage::Running { .. }));
}

#[test]
fn nothing_is_posted_where_nothing_is_to_be_reported() {
    let rules = Rules {
        reporting: Reporting::Off,
        ..all_tested()
    };
    let mut story = Story::of(rules);
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &[suite("x")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    story.at(3).say(1, "ping r+");
    let log = story.log();
    assert!(!log.contains("post") && !log.contains("status"), "{log}");
    assert!(log.contains("make merge"), "{log}");
}

#[test]
fn a_file_that_is_no_file_of_suites_is_answered_as_papr_did() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.forget_log();
    story.tell(Event::SuitesRead {
        run: run_id(1),
        found: SuitesFound::Invalid {
            file: ".papr.yml".to_owned(),
            message: "no".to_owned(),
        },
    });
    insta::assert_snapshot!(story.log(), @r#"
    0s run 10000: suites read: ".papr.yml" is invalid
        set status of a100000: bad suites
        post to #1: BadSuites
    "#);
}

#[test]
fn a_pull_without_suites_is_as_good_as_green_and_nothing_is_said() {
    let rules = Rules {
        merging: Merging::OnceGreen,
        ..all_tested()
    };
    let mut story = Story::of(rules);
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.forget_log();
    story.tell(Event::SuitesRead {
        run: run_id(1),
        found: SuitesFound::NoFile,
    });
    assert!(!story.log().contains("status"), "{}", story.log());
    story.at(5).say(1, "r+");
    assert!(story.queue.landing_run().is_some());
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

fn stage(story: &Story) -> &OwnStage {
    &story
        .queue
        .pull(facts(1, "a1", 0).number)
        .unwrap()
        .own
        .stage
}
