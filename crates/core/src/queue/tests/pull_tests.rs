//! A pull request test, and tests of branches.

use super::story::{Story, commit, facts, run_id, seconds, suite, with_suites};
use crate::ids::Login;
use crate::queue::JobWords;
use crate::queue::effect::Effect;
use crate::queue::event::{
    Access, Event, MergeAttempt, PullFacts, PullState, SuiteFile, SuiteVerdict, SuitesFound,
};
use crate::queue::note::{Link, Reason};
use crate::queue::pull_test::PullTestStage;
use crate::queue::rules::{Merging, PullTests, Reporting, Reuse, Rules};
use crate::suite::Suite;

pub(super) fn all_tested() -> Rules {
    Rules {
        pulls: PullTests::All,
        ..with_suites()
    }
}

pub(super) fn only_trusted() -> Rules {
    Rules {
        pulls: PullTests::Trusted,
        ..with_suites()
    }
}

pub(super) fn test_merged(story: &mut Story, run: u64, merge: &str) {
    story.tell(Event::TestMergeMade {
        run: run_id(run),
        base_tip: commit("b0"),
        made: MergeAttempt::Merged(commit(merge)),
    });
}

fn found(story: &mut Story, run: u64, file: SuiteFile) {
    story.tell(Event::SuitesRead {
        run: run_id(run),
        found: SuitesFound::Suites(file),
    });
}

/// A pull whose pull request test passed, or did not, with these suites.
pub(super) fn tested(rules: Rules, suites: &[Suite], verdict: &SuiteVerdict) -> Story {
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
        made: MergeAttempt::Conflicted,
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
        compare suites of #1
        post to #1: WaitsForOk
    5s pull #1 seen Open at a200000 into main
        ask whether @author may write
    5s @author may Less
        compare suites of #1
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
    assert_eq!(stage(&story), &PullTestStage::Untrusted);
}

#[test]
fn an_author_who_is_let_in_is_tested_from_then_on() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    let (user, access) = (Login::new("author"), Access::Less);
    story.tell(Event::AccessTold { user, access });
    story.at(5).say(1, "ok+");
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
    story.at(9).see(facts(1, "a2", 9));
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
    story.at(9).see(facts(2, "c1", 9));
    assert_eq!(story.queue.runs_in_flight().count(), 2);
}

#[test]
fn whoever_may_write_is_tested_at_once() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    let (user, access) = (Login::new("author"), Access::Write);
    story.tell(Event::AccessTold { user, access });
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
}

#[test]
fn of_whom_github_says_nothing_waits_as_a_stranger() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    assert_eq!(story.queue.next_wakeup(), Some(seconds(120)));
    story.at(120).tell(Event::TimePassed);
    assert_eq!(stage(&story), &PullTestStage::Untrusted);
}

#[test]
fn trust_is_by_configuration_and_asks_nobody() {
    let mut rules = only_trusted();
    rules.trusted = vec![Login::new("author")];
    let mut story = Story::of(rules);
    story.see(facts(1, "a1", 0));
    assert!(matches!(stage(&story), PullTestStage::Running { .. }));
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
fn a_change_of_the_file_may_not_call_itself_needless() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    let file = SuiteFile {
        untouched: vec!["docs".to_owned()],
        changed: Some(".papr.yml".to_owned()),
        ..SuiteFile::from(vec![suite("docs"), suite("code")])
    };
    found(&mut story, 1, file);
    assert_eq!(story.started(), ["docs", "code"]);
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

pub(super) fn stage(story: &Story) -> &PullTestStage {
    &story
        .queue
        .pull(facts(1, "a1", 0).number)
        .unwrap()
        .own
        .stage
}

#[test]
fn a_strangers_pull_shows_before_its_test_whether_it_changes_the_suites() {
    let mut story = Story::of(only_trusted());
    story.see(facts(1, "a1", 0));
    let (user, access) = (Login::new("author"), Access::Less);
    story.tell(Event::AccessTold { user, access });
    let pull = facts(1, "a1", 0).number;
    let compared = |head: &str, changed: Option<&str>| Event::SuitesCompared {
        pull,
        head: commit(head),
        changed: changed.map(str::to_owned),
    };
    story.tell(compared("a9", Some("late news")));
    let waits = [Reason::NotApproved, Reason::WaitsForOk];
    assert_eq!(story.queue.why(pull), waits);
    story.tell(compared("a1", Some(".papr.yml")));
    let changes = Reason::ChangesSuites(".papr.yml".to_owned());
    assert_eq!(story.queue.why(pull).last(), Some(&changes));
}

#[test]
fn what_the_job_of_a_suite_waits_for_is_said_where_it_is_known() {
    let mut story = Story::of(all_tested());
    story.see(facts(1, "a1", 0));
    test_merged(&mut story, 1, "e1");
    story.found(1, &[suite("x"), suite("y")]);
    let words = "No worker has label kvm".to_owned();
    let jobs = JobWords::from([((run_id(1), "y".to_owned()), words.clone())]);
    let blockers = story.queue.blockers().with_jobs(jobs);
    let why = story.queue.why_behind(facts(1, "a1", 0).number, &blockers);
    let suite = "y".to_owned();
    assert_eq!(
        why,
        [
            Reason::NotApproved,
            Reason::OwnTestRuns,
            Reason::WaitsFor("x".to_owned()),
            Reason::JobStands { suite, words },
        ]
    );
}
