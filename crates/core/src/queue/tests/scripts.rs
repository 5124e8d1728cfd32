//! Scripts: what happens, and what the queue answers, line by line as in the log.

use super::story::{Story, comment, commit, facts, run_id, suite, with_status, with_suites};
use crate::ids::{BranchName, CommitId, Login, PullNumber};
use crate::queue::event::{Event, PullAge, PullState, Refusal, SuiteVerdict, Verdict};
use crate::queue::note::{Missing, Reason};
use crate::suite::Suite;

pub(super) fn one_pull() -> Story {
    Story::with_pulls(with_status(), &[(1, "a1")])
}

pub(super) fn two_pulls() -> Story {
    Story::with_pulls(with_status(), &[(1, "a1"), (2, "a2")])
}

/// One pull whose merge is published and being tested; not in the log.
pub(super) fn testing() -> Story {
    let mut story = one_pull();
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.log();
    story
}

pub(super) fn landing() -> Story {
    let mut story = testing();
    story.status("e1", Verdict::Passed);
    story.log();
    story
}

/// One pull whose suites `x` and `y` are being executed; not in the log.
pub(super) fn executing(suites: &[Suite]) -> Story {
    let mut story = Story::with_pulls(with_suites(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.found(1, suites);
    story.log();
    story
}

pub(super) fn refused(story: &mut Story, why: Refusal) -> &mut Story {
    let run = run_id(1);
    story.tell(Event::LandingRefused { run, why })
}

#[test]
fn an_approved_pull_is_merged_tested_and_landed() {
    let mut story = one_pull();
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.status("e1", Verdict::Pending);
    story.status("e1", Verdict::Passed);
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    1s run 10000: merge e100000 made
        run 10000: publish e100000 to auto
    1s run 10000: merge published
        post to #1: Started
        set status of a100000: homu Testing
    1s status "ci" of e100000 is Pending
    1s status "ci" of e100000 is Passed
        run 10000: advance main to e100000
    1s run 10000: base branch advanced
        post to #1: Succeeded
        set status of a100000: homu Succeeded
    "#);
    assert_eq!(story.status_of(1), "success");
}

#[test]
fn whatever_comes_twice_acts_once() {
    let mut story = one_pull();
    story.at(1).say(1, "r+").say(1, "r+");
    story.merged(1, "b0", "e1").merged(1, "b0", "e9");
    story.published(1).published(1);
    story.status("e1", Verdict::Passed);
    story.status("e1", Verdict::Failed);
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    1s comment by @rev made on #1
    1s run 10000: merge e100000 made
        run 10000: publish e100000 to auto
    1s run 10000: merge e900000 made
    1s run 10000: merge published
        post to #1: Started
        set status of a100000: homu Testing
    1s run 10000: merge published
    1s status "ci" of e100000 is Passed
        run 10000: advance main to e100000
    1s status "ci" of e100000 is Failed
    1s run 10000: base branch advanced
        post to #1: Succeeded
        set status of a100000: homu Succeeded
    1s run 10000: base branch advanced
    "#);
}

#[test]
fn a_result_before_the_publishing_is_known_decides_after_it() {
    let mut story = one_pull();
    story.at(1).say(1, "r+").merged(1, "b0", "e1");
    story.log();
    story.status("e1", Verdict::Failed).published(1);
    insta::assert_snapshot!(story.log(), @r#"
    1s status "ci" of e100000 is Failed
    1s run 10000: merge published
        post to #1: Started
        set status of a100000: homu Testing
        post to #1: Failed
        set status of a100000: homu Failed
    "#);
}

#[test]
fn a_push_while_testing_cancels_and_starts_the_next_pull() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+").at(2).say(2, "r+");
    story.merged(1, "b0", "e1").published(1);
    story.log();
    story.at(5).see(facts(1, "a9", 5));
    story.status("e1", Verdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    5s pull #1 seen Open at a900000 into main
        set status of a100000: homu Cancelled
        run 20000: make merge onto main
    5s status "ci" of e100000 is Passed
    "#);
    assert_eq!(story.approved(1), None);
}

#[test]
fn an_approval_belongs_to_its_commit_whichever_news_comes_first() {
    let mut story = one_pull();
    story.at(8).say(1, "r+").see(facts(1, "a2", 5));
    assert_eq!(story.approved(1), Some(commit("a2")));
    let mut story = one_pull();
    story.see(facts(1, "a2", 5)).at(3).say(1, "r+");
    assert_eq!(story.approved(1), None);
}

#[test]
fn an_approval_of_a_commit_that_is_not_yet_known_waits_for_github() {
    let mut story = one_pull();
    story.at(8).say(1, "r+ a20000000000");
    assert_eq!(story.queue.why(PullNumber(1)), [Reason::Inquired]);
    story.read(facts(1, "a2", 8));
    insta::assert_snapshot!(story.log(), @r#"
    8s comment by @rev made on #1
        read pull #1
    8s pull #1 seen Open at a200000 into main
        post to #1: Approved
        run 10000: make merge onto main
    "#);
    assert_eq!(story.approved(1), Some(commit("a2")));
}

#[test]
fn an_approval_of_a_wrong_commit_is_answered_when_github_was_asked_or_does_not_answer() {
    let mut story = one_pull();
    story.at(8).say(1, "r+ dead").read(facts(1, "a1", 8));
    story.at(9).say(1, "r+ beef").at(129).time_passes();
    insta::assert_snapshot!(story.log(), @r#"
    8s comment by @rev made on #1
        read pull #1
    8s pull #1 seen Open at a100000 into main
        post to #1: NotTheHead
    9s comment by @rev made on #1
        read pull #1
    129s time passed
        post to #1: NotTheHead
    "#);
}

#[test]
fn a_review_of_an_older_commit_does_not_count() {
    let mut story = one_pull();
    let mut review = comment(8, "rev", "@bot r+");
    review.commit = Some(commit("a0"));
    story.at(8).hear(1, review).read(facts(1, "a1", 8));
    insta::assert_snapshot!(story.log(), @r#"
    8s comment by @rev made on #1
        read pull #1
    8s pull #1 seen Open at a100000 into main
    "#);
}

#[test]
fn a_draft_and_an_unfinished_title_are_not_approved_and_lose_their_approval() {
    let mut story = one_pull();
    let mut draft = facts(1, "a1", 2);
    draft.draft = true;
    story.at(1).say(1, "r+").at(2).see(draft);
    let mut wip = facts(1, "a1", 3);
    wip.title = "[wip] Change".to_owned();
    story.at(3).see(wip.clone()).at(4).say(1, "r+").read(wip);
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    2s pull #1 seen Open at a100000 into main
        post to #1: NotFinished
    3s pull #1 seen Open at a100000 into main
    4s comment by @rev made on #1
        read pull #1
    4s pull #1 seen Open at a100000 into main
        post to #1: NotFinished
    "#);
}

#[test]
fn a_changed_base_drops_the_approval_and_says_so() {
    let mut story = testing();
    let mut moved = facts(1, "a1", 5);
    moved.base = BranchName::new("stable");
    story.at(5).see(moved);
    insta::assert_snapshot!(story.log(), @r#"
    5s pull #1 seen Open at a100000 into stable
        set status of a100000: homu Cancelled
        post to #1: BaseChanged
    "#);
}

#[test]
fn a_closed_pull_is_let_go_and_comes_back_unapproved() {
    let mut story = testing();
    let mut closed = facts(1, "a1", 5);
    closed.state = PullState::Closed;
    story.at(5).see(closed).at(6).see(facts(1, "a1", 6));
    insta::assert_snapshot!(story.log(), @r#"
    5s pull #1 seen Closed at a100000 into main
        set status of a100000: homu Cancelled
    6s pull #1 seen Open at a100000 into main
    "#);
    assert_eq!(story.status_of(1), "none");
}

#[test]
fn a_landed_pull_stays_landed_whatever_late_news_say() {
    let mut story = landing();
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    story.log();
    story.at(9).see(facts(1, "a1", 8)).say(1, "retry");
    let mut merged = facts(1, "a1", 9);
    merged.state = PullState::Merged;
    story.see(merged).at(10).say(1, "retry");
    insta::assert_snapshot!(story.log(), @r#"
    9s pull #1 seen Open at a100000 into main
    9s comment by @rev made on #1
    9s pull #1 seen Merged at a100000 into main
    10s comment by @rev made on #1
    "#);
    assert_eq!(story.status_of(1), "success");
}

#[test]
fn a_withdrawn_approval_stops_the_run_but_not_a_landing() {
    let mut story = testing();
    story.at(5).say(1, "r-");
    insta::assert_snapshot!(story.log(), @r#"
    5s comment by @rev made on #1
        set status of a100000: homu Cancelled
    "#);
    let mut story = landing();
    story.at(5).say(1, "r-");
    assert!(!story.queue.may_land(run_id(1)));
    refused(&mut story, Refusal::PullChanged);
    insta::assert_snapshot!(story.log(), @r#"
    5s comment by @rev made on #1
    5s run 10000: landing refused: PullChanged
        set status of a100000: homu Cancelled
        read pull #1
    "#);
}

#[test]
fn a_base_that_moved_has_the_pull_tested_anew_by_itself() {
    let mut story = landing();
    refused(&mut story, Refusal::BaseMoved);
    insta::assert_snapshot!(story.log(), @r#"
    1s run 10000: landing refused: BaseMoved
        run 20000: make merge onto main
    "#);
}

#[test]
fn a_push_to_the_base_begins_a_run_on_the_old_base_anew_once() {
    let mut story = testing();
    let push = |before: &str, after: &str| Event::BranchPushed {
        branch: BranchName::new("main"),
        before: commit(before),
        after: commit(after),
        at: None,
    };
    story.tell(push("b8", "b9"));
    story.tell(push("b0", "e1"));
    story.tell(push("b0", "b1")).tell(push("b0", "b1"));
    insta::assert_snapshot!(story.log(), @r#"
    1s branch main pushed to b900000
    1s branch main pushed to e100000
    1s branch main pushed to b100000
        run 20000: make merge onto main
    1s branch main pushed to b100000
    "#);
}

#[test]
fn the_tip_of_the_base_ends_a_landing_and_outdated_runs() {
    let seen = |tip: &str| Event::BaseSeen {
        branch: BranchName::new("main"),
        tip: commit(tip),
    };
    let mut story = testing();
    story.tell(seen("b0")).tell(seen("b1"));
    insta::assert_snapshot!(story.log(), @r"
    1s base main seen at b000000
        check mergeability into main at b000000
    1s base main seen at b100000
        check mergeability into main at b100000
        run 20000: make merge onto main
    ");
    let mut story = landing();
    story.tell(seen("b0")).tell(seen("e1"));
    insta::assert_snapshot!(story.log(), @r"
    1s base main seen at b000000
        check mergeability into main at b000000
    1s base main seen at e100000
        post to #1: Succeeded
        set status of a100000: homu Succeeded
    ");
}

#[test]
fn a_pull_that_changed_at_landing_waits_for_github_and_then_moves_by_itself() {
    let mut story = landing();
    refused(&mut story, Refusal::PullChanged);
    story.at(2).read(facts(1, "a1", 0));
    insta::assert_snapshot!(story.log(), @r#"
    1s run 10000: landing refused: PullChanged
        set status of a100000: homu Cancelled
        read pull #1
    2s pull #1 seen Open at a100000 into main
        run 20000: make merge onto main
    "#);
    let mut story = landing();
    refused(&mut story, Refusal::PullChanged)
        .at(121)
        .time_passes();
    assert!(story.log().ends_with("run 20000: make merge onto main\n"));
}

#[test]
fn a_try_is_tested_and_never_lands() {
    let mut story = one_pull();
    story.at(1);
    story.hear(1, comment(1, "trier", "@bot try"));
    story.merged(1, "b0", "e1").published(1);
    story.status("e1", Verdict::Passed);
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @trier made on #1
        run 10000: make merge onto main
    1s run 10000: merge e100000 made
        run 10000: publish e100000 to try
    1s run 10000: merge published
        post to #1: Started
        set status of a100000: homu Testing
    1s status "ci" of e100000 is Passed
        post to #1: TrySucceeded
        set status of a100000: homu Succeeded
    1s run 10000: base branch advanced
    "#);
}

#[test]
fn an_approval_ends_a_try_and_no_try_begins_while_it_stands() {
    let mut story = one_pull();
    story
        .at(1)
        .say(1, "try")
        .at(2)
        .say(1, "r+")
        .at(3)
        .say(1, "try");
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        run 10000: make merge onto main
    2s comment by @rev made on #1
        post to #1: Approved
        run 20000: make merge onto main
    3s comment by @rev made on #1
        post to #1: TryAfterApproval
    "#);
}

#[test]
fn a_try_of_a_pull_whose_landing_lost_its_approval_begins_at_once() {
    let mut story = landing();
    story.at(5).say(1, "r-").at(6).say(1, "try");
    insta::assert_snapshot!(story.log(), @r#"
    5s comment by @rev made on #1
    6s comment by @rev made on #1
        run 20000: make merge onto main
    "#);
}

#[test]
fn a_try_is_dropped_only_by_a_younger_comment() {
    let mut story = one_pull();
    story.at(5).say(1, "try").at(4).say(1, "try-");
    assert_eq!(story.status_of(1), "pending");
    story.at(6).say(1, "try-");
    assert_eq!(story.status_of(1), "none");
    story.at(5).hear(1, comment(3, "rev", "@bot try"));
    assert_eq!(story.status_of(1), "none");
}

#[test]
fn a_command_without_the_right_to_it_is_refused_and_ends_the_comment() {
    let mut story = one_pull();
    story.at(1).hear(1, comment(1, "who", "@bot ping r+ try"));
    story.at(2).hear(1, comment(2, "author", "@bot r-"));
    story.at(3).hear(1, comment(3, "trier", "@bot p=3 r+"));
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @who made on #1
        post to #1: Awake
        post to #1: Refused
    2s comment by @author made on #1
    3s comment by @trier made on #1
        post to #1: Refused
    "#);
    assert_eq!(story.approved(1), None);
    let refusal = story.queue.permits(
        &crate::command::Command::TreeOpen,
        PullNumber(1),
        &comment(4, "who", ""),
    );
    assert_eq!(refusal, Err(Missing::Reviewer));
}

#[test]
fn the_bots_own_notes_are_not_obeyed() {
    let mut story = one_pull();
    let words = format!("@bot r+ {} -->", crate::queue::note::MARKER);
    story.at(1).hear(1, comment(1, "bot", &words));
    assert_eq!(story.approved(1), None);
}

#[test]
fn a_null_head_is_asked_for() {
    let mut story = one_pull();
    let mut unknown = facts(1, "a1", 5);
    unknown.head = CommitId::ZERO;
    story.at(5).see(unknown);
    insta::assert_snapshot!(story.log(), @r#"
    5s pull #1 seen Open at 0000000 into main
        post to #1: NoHead
        read pull #1
    "#);
}

#[test]
fn two_news_of_the_same_second_that_disagree_are_settled_by_github() {
    let mut story = one_pull();
    story.see(facts(1, "a2", 0)).read(facts(1, "a2", 0));
    insta::assert_snapshot!(story.log(), @r#"
    0s pull #1 seen Open at a200000 into main
        read pull #1
    0s pull #1 seen Open at a200000 into main
    "#);
}

#[test]
fn a_restored_pull_has_what_its_comments_pinned_and_nothing_is_said() {
    let mut story = Story::of(with_status());
    let pin = format!(
        "{}{} approved\n<!-- @bot r=rev {} -->",
        crate::queue::note::PIN,
        commit("a1"),
        commit("a1")
    );
    story.tell(Event::PullRestored {
        facts: facts(1, "a1", 9),
        comments: vec![
            comment(4, "bot", &pin),
            comment(2, "who", "@bot p=9"),
            comment(1, "rev", "@bot p=3 ping try"),
            comment(3, "rev", "@bot r+"),
        ],
        result: None,
        age: PullAge::Old,
    });
    insta::assert_snapshot!(story.log(), @r#"
    0s pull #1 restored from 4 comments
        run 10000: make merge onto main
    "#);
    assert_eq!(story.approved(1), Some(commit("a1")));
    story.at(10).hear(1, comment(1, "rev", "@bot p=3 ping try"));
    assert!(!story.log().contains("post"), "it was acted on before");
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.priority.value, 3);
}

#[test]
fn pulls_go_in_homus_order() {
    let mut story = Story::with_pulls(
        with_status(),
        &[
            (1, "a1"),
            (2, "a2"),
            (3, "a3"),
            (4, "a4"),
            (5, "a5"),
            (6, "a6"),
            (7, "a7"),
        ],
    );
    let mut unmergeable = facts(2, "a2", 1);
    unmergeable.mergeable = Some(false);
    story.see(unmergeable).at(2).say(1, "treeclosed=100");
    story
        .at(3)
        .say(1, "r+")
        .at(4)
        .say(2, "r+")
        .at(5)
        .say(3, "p=3 r+");
    story
        .at(6)
        .say(4, "r+ rollup")
        .at(7)
        .say(5, "r+ rollup=never")
        .at(8)
        .say(6, "r+ rollup=iffy");
    let order: Vec<_> = story
        .queue
        .in_order()
        .iter()
        .map(|pull| pull.number().0)
        .collect();
    assert_eq!(order, [3, 5, 6, 1, 4, 2, 7]);
    story.at(9).say(1, "treeclosed-");
    assert_eq!(story.queue.position(PullNumber(3)), Some(1));
    assert_eq!(
        story.queue.why(PullNumber(5)),
        [Reason::Behind(vec![PullNumber(3)])]
    );
    let next = story.queue.pull(PullNumber(3)).unwrap();
    assert_eq!(next.facts.author, Login::new("author"));
}

#[test]
fn nothing_lands_before_all_that_decides_is_known() {
    let mut rules = with_suites();
    rules.statuses = with_status().statuses;
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1");
    story.status("e1", Verdict::Passed).published(1);
    assert!(!story.log().contains("advance"), "suites are not read yet");
    story.found(1, &[suite("x")]);
    story.finished(1, "x", SuiteVerdict::Passed);
    assert!(story.log().contains("advance main to e1"));
}

#[test]
fn a_final_result_stays_whatever_comes_later() {
    let mut rules = with_status();
    let mut other = rules.statuses[0].clone();
    other.context = "other".to_owned();
    rules.statuses.push(other);
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.status("e1", Verdict::Passed);
    story.status("e1", Verdict::Pending);
    story.status("e1", Verdict::Failed);
    assert_eq!(story.status_of(1), "pending");
}

#[test]
fn a_landing_says_nothing_of_a_head_that_was_pushed_meanwhile() {
    let mut story = landing();
    story.at(5).see(facts(1, "a9", 5));
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    assert_eq!(story.status_of(1), "none");
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert!(pull.is_open());
}
