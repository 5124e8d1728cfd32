//! Which commit an approval means, and what a try means beside it.

use super::pull_tests::all_tested;
use super::story::{Story, commit, facts, run_id, suite, with_suites};
use crate::ids::{BranchName, PullNumber};
use crate::queue::event::{Event, PullFacts, SuiteVerdict};
use crate::queue::note::Reason;
use crate::queue::pull::Stage;
use crate::queue::pull_test::PullTestStage;
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

/// A pull whose merge failed, and which is approved still.
fn failed() -> Story {
    let mut story = one_pull();
    story.at(1).say(1, "r+");
    story.merged(1, "b0", "e1").published(1);
    story.found(1, &[suite("x")]);
    story.finished(1, "x", SuiteVerdict::Failed(1));
    assert!(matches!(stage(&story), Stage::Ended { .. }));
    story.forget_log();
    story
}

#[test]
fn a_try_after_a_failed_merge_is_made_and_leaves_the_approval_alone() {
    let mut story = failed();
    story.at(5).say(1, "try");
    assert!(!story.log().contains("TryAfterApproval"), "{}", story.log());
    story.merged(2, "b0", "e2").published(2);
    story.found(2, &[suite("x")]);
    story.finished(2, "x", SuiteVerdict::Passed);
    assert_eq!(story.approved(1), Some(commit("a1")));
    assert!(story.queue.landing_run().is_none());
    let why = story.queue.why(PullNumber(1));
    assert!(why.contains(&Reason::Tried), "{why:?}");
    story.at(9).say(1, "r+");
    assert!(story.queue.landing_run().is_some());
}

#[test]
fn a_try_that_is_dropped_after_a_failed_merge_repeats_no_merge() {
    for word in ["try-", "cancel"] {
        let mut story = failed();
        story.at(5).say(1, "try").at(6).say(1, word);
        assert!(story.queue.landing_run().is_none(), "{word}");
        assert_eq!(story.queue.runs_in_flight().count(), 0, "{word}");
        story.at(7).say(1, "retry").at(8).say(1, "r+");
        assert!(story.queue.landing_run().is_some(), "{word}");
    }
}

#[test]
fn no_try_begins_while_an_approval_waits_or_is_tested() {
    let mut waiting = one_pull();
    waiting.at(1).say(1, "hold r+").at(2).say(1, "try");
    assert!(waiting.log().contains("TryAfterApproval"));
    let mut tested = one_pull();
    tested.at(1).say(1, "r+").at(2).say(1, "try");
    assert!(tested.log().contains("TryAfterApproval"));
    let mut again = failed();
    again.at(5).say(1, "retry").at(6).say(1, "try");
    assert!(again.log().contains("TryAfterApproval"));
}

#[test]
fn a_title_is_unfinished_by_a_whole_word() {
    for (title, unfinished) in [
        ("Wipe the cache", false),
        ("Todos: show them", false),
        ("WIP2", false),
        ("wip_up", false),
        ("TODOÉ", false),
        ("WIP: x", true),
        ("WIP-x", true),
        ("todo(x): y", true),
        ("wip/x", true),
        (" WIP", true),
        ("TODO", true),
        ("[WIP]x", true),
        ("[Do not merge]x", true),
    ] {
        let mut story = Story::of(with_suites());
        let pull = PullFacts {
            title: title.to_owned(),
            ..facts(1, "a1", 0)
        };
        story.see(pull).at(5).say(1, "r+");
        story.read(story.queue.pull(PullNumber(1)).unwrap().facts.clone());
        assert_eq!(story.approved(1).is_none(), unfinished, "{title}");
    }
}

fn described(title: &str, body: &str, at: i64) -> PullFacts {
    PullFacts {
        title: title.to_owned(),
        body: body.to_owned(),
        ..facts(1, "a1", at)
    }
}

#[test]
fn only_the_pulls_own_words_keep_it_untested() {
    for (title, body, skipped) in [
        ("Fix [skip ci]", "", true),
        ("Fix", "Why.\n\n[skip ci]\n", true),
        ("Fix", "Why.\r\n  [SKIP CI]  \r\n", true),
        ("Fix", "Do not [skip ci] here", false),
        ("Fix", "> [skip ci]", false),
        ("Fix", "```\n[skip ci]\n```", false),
        ("Fix", "`a\n[skip ci]\nb`", false),
        ("Fix", "<pre>\n[skip ci]\n</pre>", false),
        ("Fix", "<!--\n[skip ci]\n-->", false),
        ("Fix", "<blockquote>\n\n[skip ci]\n\n</blockquote>", false),
        (
            "Fix",
            "<details>\n<summary>Log</summary>\n\n[skip ci]\n\n</details>",
            false,
        ),
        ("Fix", "<details>\n\nx\n\n</details>\n\n[skip ci]", true),
    ] {
        let mut story = Story::of(all_tested());
        story.see(described(title, body, 0));
        let stage = super::pull_tests::stage(&story);
        assert_eq!(
            *stage == PullTestStage::Skipped,
            skipped,
            "{title}: {body:?}"
        );
        let why = story.queue.why(PullNumber(1));
        assert_eq!(why.contains(&Reason::Skipped), skipped, "{body:?}");
    }
}

#[test]
fn every_edit_is_looked_at_again() {
    let mut story = Story::of(all_tested());
    story.see(described("Fix [skip ci]", "", 0));
    story.at(5).see(described("Fix it [skip ci]", "", 5));
    assert_eq!(super::pull_tests::stage(&story), &PullTestStage::Skipped);
    story.at(9).see(described("Fix it", "", 9));
    let running = |story: &Story| {
        matches!(
            super::pull_tests::stage(story),
            PullTestStage::Running { .. }
        )
    };
    assert!(running(&story));
    assert!(!story.queue.why(PullNumber(1)).contains(&Reason::Skipped));
    // What is under way goes on, and what has ended is not made again.
    story.at(12).see(described("Fix it", "[skip ci]", 12));
    assert!(running(&story));
    let mut story = Story::of(all_tested());
    story.see(described("Fix", "\n[skip ci]\n", 0));
    story.at(5).read(described("Fix", "", 5));
    assert!(running(&story));
}

/// The webhook of a push is lost, `r+` comes, and GitHub is read.
fn read_after_lost_push(pushed_at: Option<i64>, words: &str) -> Story {
    let mut story = one_pull();
    story.at(10).say(1, words).forget_log();
    story.at(11).read(PullFacts {
        pushed_at: pushed_at.map(super::story::seconds),
        ..facts(1, "a2", 11)
    });
    story
}

#[test]
fn an_approval_after_an_unseen_push_means_the_pushed_commit() {
    let mut story = read_after_lost_push(Some(8), "r+");
    assert_eq!(story.approved(1), Some(commit("a2")));
    assert!(story.log().contains("post to #1: Approved"));
}

#[test]
fn an_approval_that_may_be_older_than_an_unseen_push_means_neither_and_is_answered() {
    for pushed_at in [Some(10), Some(11), Some(99), None] {
        let mut story = read_after_lost_push(pushed_at, "r+");
        assert_eq!(story.approved(1), None, "{pushed_at:?}");
        let log = story.log();
        assert!(log.contains("post to #1: ApprovalOutdated"), "{log}");
        assert!(story.queue.landing_run().is_none());
    }
}

#[test]
fn a_pull_that_is_in_its_base_is_told_so_and_closed_by_the_second_sweep() {
    let mut story = one_pull();
    let found = |head: &str, base: &str| Event::PullContained {
        pull: PullNumber(1),
        head: commit(head),
        base: BranchName::new(base),
    };
    story.at(1).say(1, "r+");
    story.tell(Event::NothingToMerge { run: run_id(1) });
    assert!(story.log().contains("post to #1: Broken"));
    assert_eq!(story.queue.runs_in_flight().count(), 0);
    story.tell(found("a1", "main")).tell(found("a9", "main"));
    story.tell(found("a1", "other"));
    assert!(!story.log().contains("close #1"));
    story.tell(found("a1", "main"));
    let log = story.log();
    assert!(
        log.contains("post to #1: ClosedAsContained\n    close #1"),
        "{log}"
    );
    story.see(facts(1, "a2", 5)).forget_log();
    story.tell(found("a2", "main"));
    assert!(!story.log().contains("close #1"));
}

#[test]
fn where_others_merge_no_pull_is_closed() {
    let mut story = Story::of(Rules {
        merging: Merging::Off,
        ..with_suites()
    });
    story.see(facts(1, "a1", 0)).forget_log();
    for _ in 0..3 {
        story.tell(Event::PullContained {
            pull: PullNumber(1),
            head: commit("a1"),
            base: BranchName::new("main"),
        });
    }
    assert!(!story.log().contains("close"));
}
