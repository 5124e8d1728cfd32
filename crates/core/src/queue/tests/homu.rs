//! Scripts about what Homu's commands do beyond approving and trying.

use std::collections::BTreeMap;

use super::scripts::{one_pull, testing, two_pulls};
use super::story::{Story, comment, commit, facts, run_id, seconds, with_status};
use crate::command::Permission;
use crate::ids::{BranchName, Login, PullNumber};
use crate::queue::effect::{Effect, News};
use crate::queue::event::{Comment, Event, PullAge, Verdict};
use crate::queue::pull::Stage;
use crate::queue::rules::{Authority, BuildbotRule, HookAccess, HookRule, Replay, Rules};
use crate::queue::run::Ending;

fn told(user: &str, standing: Permission) -> Event {
    Event::StandingTold {
        user: Login::new(user),
        standing,
    }
}

pub(super) fn made(pull: u64, comment: Comment) -> Event {
    Event::CommentMade {
        pull: PullNumber(pull),
        comment,
    }
}

/// The merge orders among effects.
pub(super) fn orders(effects: &[Effect]) -> Vec<crate::queue::effect::MergeOrder> {
    let orders = effects.iter().filter_map(|effect| {
        if let Effect::MakeMerge(order) = effect {
            return Some(order.clone());
        }
        None
    });
    orders.collect()
}

pub(super) fn of(story: &mut Story, at: i64, event: Event) -> Vec<Effect> {
    story.queue.handle(seconds(at), event)
}

#[test]
fn a_delegate_may_approve_until_the_delegation_is_taken_back() {
    let mut story = one_pull();
    story.at(1).hear(1, comment(1, "friend", "@bot r+"));
    story.at(2).say(1, "delegate=@Friend");
    story.at(3).hear(1, comment(3, "friend", "@bot r+"));
    assert_eq!(story.approved(1), Some(commit("a1")));
    story.at(4).hear(1, comment(4, "trier", "@bot delegate-"));
    story.at(5).hear(1, comment(5, "friend", "@bot r-"));
    assert_eq!(story.approved(1), Some(commit("a1")));
    insta::assert_snapshot!(story.log(), @r"
    1s comment by @friend made on #1
        post to #1: Refused
    2s comment by @rev made on #1
        post to #1: Delegated
    3s comment by @friend made on #1
        post to #1: Approved
        run 10000: make merge onto main
    4s comment by @trier made on #1
    5s comment by @friend made on #1
        post to #1: Refused
    ");
}

#[test]
fn the_author_may_approve_after_delegate_plus_and_always_withdraw() {
    let mut story = one_pull();
    story.at(1).hear(1, comment(1, "author", "@bot r+"));
    assert_eq!(story.approved(1), None);
    story.at(2).say(1, "delegate+");
    story.at(3).hear(1, comment(3, "AUTHOR", "@bot r+"));
    assert_eq!(story.approved(1), Some(commit("a1")));
    story.at(4).say(1, "delegate-");
    story.at(5).hear(1, comment(5, "author", "@bot r-"));
    assert_eq!(story.approved(1), None);
}

#[test]
fn several_commands_act_in_order_and_the_first_that_is_refused_ends_the_comment() {
    let mut story = one_pull();
    story
        .at(1)
        .hear(1, comment(1, "trier", "@bot p=5 rollup- r+ p=7"));
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.priority.value, 5);
    assert_eq!(story.approved(1), None);
    story.at(2).say(1, "delegate=trier p=8 r+ p=9");
    assert_eq!(story.approved(1), Some(commit("a1")));
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.priority.value, 9);
    assert_eq!(pull.delegate.value, Some(Login::new("trier")));
}

#[test]
fn force_stops_the_test_that_runs_and_goes_next() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+ p=9").at(2).say(2, "r+");
    story.merged(1, "b0", "e1").published(1);
    let _before = story.log();
    story.at(3).hear(2, comment(3, "trier", "@bot force"));
    insta::assert_snapshot!(story.log(), @r"
    3s comment by @trier made on #2
        post to #1: Interrupted
        set status of a100000: homu Interrupted
        run 20000: make merge onto main
    ");
    assert_eq!(story.status_of(2), "pending");
    assert_eq!(story.status_of(1), "approved");
}

#[test]
fn force_leaves_a_landing_alone_and_needs_an_approval() {
    let mut story = super::scripts::landing();
    story.see(facts(2, "a2", 0));
    let _before = story.log();
    story.at(3).say(2, "force").at(4).say(2, "r+ force");
    insta::assert_snapshot!(story.log(), @r"
    3s comment by @rev made on #2
        post to #2: NothingToForce
    4s comment by @rev made on #2
        post to #2: Approved
    ");
}

#[test]
fn a_chooser_picks_branch_and_builders_and_an_unknown_one_is_answered_with_the_list() {
    let choosers = [("linux".to_owned(), vec!["linux-fast".to_owned()])];
    let rules = Rules {
        buildbot: Some(BuildbotRule {
            builders: vec!["all".to_owned()],
            try_builders: vec!["try-all".to_owned()],
            choosers: BTreeMap::from(choosers),
        }),
        choosers: BTreeMap::from([("docs".to_owned(), vec!["status-ci".to_owned()])]),
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "try=windows").at(2).say(1, "try=linux");
    story.merged(1, "b0", "e1");
    story
        .at(3)
        .say(1, "try=docs")
        .merged(2, "b0", "e2")
        .published(2);
    story.status("e2", Verdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        post to #1: UnknownChooser
    2s comment by @rev made on #1
        run 10000: make merge onto main
    2s run 10000: merge e100000 made
        run 10000: publish e100000 to try-linux
    3s comment by @rev made on #1
        run 20000: make merge onto main
    3s run 20000: merge e200000 made
        run 20000: publish e200000 to try-docs
    3s run 20000: merge published
        post to #1: Started
        set status of a100000: homu Testing
    3s status "ci" of e200000 is Passed
        post to #1: TrySucceeded
        set status of a100000: homu Succeeded
    "#);
}

#[test]
fn a_retried_try_keeps_its_chooser() {
    let rules = Rules {
        choosers: BTreeMap::from([("docs".to_owned(), Vec::new())]),
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story
        .at(1)
        .say(1, "try=docs")
        .merged(1, "b0", "e1")
        .published(1);
    story.status("e1", Verdict::Failed);
    story.at(2).say(1, "retry");
    let run = story.queue.run(run_id(2)).unwrap();
    assert_eq!(run.chooser.as_deref(), Some("docs"));
}

#[test]
fn squash_begins_a_running_test_anew_and_makes_one_commit_of_title_and_body() {
    let mut story = testing();
    let effects = of(&mut story, 5, made(1, comment(5, "trier", "@bot squash")));
    let order = orders(&effects).remove(0);
    insta::assert_debug_snapshot!(order.members[0].style, @r#"
    MergeStyle {
        shape: Squashed {
            message: "Change 1\n",
        },
        history: Merged,
    }
    "#);
    let effects = of(&mut story, 6, made(1, comment(6, "rev", "@bot squash")));
    assert_eq!(orders(&effects).len(), 0);
    let effects = of(&mut story, 7, made(1, comment(7, "rev", "@bot squash-")));
    assert_eq!(orders(&effects).len(), 1);
}

#[test]
fn who_is_not_listed_is_asked_about_once_for_each_comment_and_then_judged() {
    let rules = Rules {
        authorities: vec![Authority::Collaborators],
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1"), (2, "a2")]);
    story.at(1).hear(1, comment(1, "who", "@bot r+"));
    story.at(2).hear(2, comment(2, "who", "@bot ping"));
    story.at(3).hear(2, comment(3, "who", "@bot p=2 r+"));
    story.at(4).tell(told("other", Permission::Reviewer));
    assert_eq!(story.approved(1), None);
    story.at(5).tell(told("WHO", Permission::Reviewer));
    story.at(6).hear(1, comment(6, "who", "@bot r-"));
    story.at(7).tell(told("who", Permission::Outsider));
    insta::assert_snapshot!(story.log(), @r"
    1s comment by @who made on #1
        ask what @who may do
    2s comment by @who made on #2
        post to #2: Awake
    3s comment by @who made on #2
        ask what @who may do
    4s @other is Reviewer
    5s @WHO is Reviewer
        post to #1: Approved
        post to #2: Approved
        run 10000: make merge onto main
    6s comment by @who made on #1
        ask what @who may do
    7s @who is Outsider
        post to #1: Refused
    ");
    assert_eq!(story.approved(1), Some(commit("a1")));
}

#[test]
fn a_comment_that_waits_for_rights_is_given_up_in_time_and_answered() {
    let rules = Rules {
        authorities: vec![Authority::RustTeam],
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).hear(1, comment(1, "who", "@bot try"));
    let until = story.queue.next_wakeup().unwrap();
    story.at(until.0 / 1000).time_passes();
    assert_eq!(story.queue.next_wakeup(), None);
    story.at(500).tell(told("who", Permission::Reviewer));
    insta::assert_snapshot!(story.log(), @r"
    1s comment by @who made on #1
        ask what @who may do
    121s time passed
        post to #1: RightsUnknown
    500s @who is Reviewer
    ");
}

#[test]
fn a_younger_withdrawal_beats_an_approval_whose_author_had_to_be_asked_about() {
    let rules = Rules {
        authorities: vec![Authority::Collaborators],
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).hear(1, comment(1, "who", "@bot r+"));
    story.at(2).hear(1, comment(2, "rev", "@bot r-"));
    story.at(3).tell(told("who", Permission::Reviewer));
    assert_eq!(story.approved(1), None);
}

#[test]
fn hooks_ask_for_their_own_right_and_carry_their_data() {
    let hook = |access| HookRule {
        access,
        replay: Replay::Never,
    };
    let mut rules = with_status();
    rules.grammar.hooks = vec!["deploy".to_owned(), "perf".to_owned()];
    rules.hooks = BTreeMap::from([
        ("deploy".to_owned(), hook(HookAccess::Reviewer)),
        ("perf".to_owned(), hook(HookAccess::Try)),
    ]);
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story
        .at(1)
        .hear(1, comment(1, "trier", "@bot perf=fast deploy"));
    let effects = of(&mut story, 2, made(1, comment(2, "rev", "@bot deploy=eu")));
    insta::assert_debug_snapshot!(effects, @r#"
    [
        CallHook {
            pull: PullNumber(
                1,
            ),
            hook: "deploy",
            body: "@bot deploy=eu",
            data: Some(
                "eu",
            ),
            news: Fresh,
        },
    ]
    "#);
    story.at(3).tell(Event::HookAnswered {
        pull: PullNumber(1),
        answer: "done".to_owned(),
    });
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @trier made on #1
        call hook "perf" for #1
        post to #1: Refused
    3s a hook answered on #1
        post to #1: HookAnswer
    "#);
}

#[test]
fn a_restored_pull_replays_only_hooks_that_want_it_and_says_nothing() {
    let mut rules = with_status();
    rules.grammar.hooks = vec!["now".to_owned(), "again".to_owned()];
    let hook = |replay| HookRule {
        access: HookAccess::Try,
        replay,
    };
    rules.hooks = BTreeMap::from([
        ("now".to_owned(), hook(Replay::Never)),
        ("again".to_owned(), hook(Replay::AtRestore)),
    ]);
    let mut story = Story::of(rules);
    let pin = format!("<!-- @bot r=rev {} -->", commit("a1"));
    let restored = Event::PullRestored {
        facts: facts(1, "a1", 9),
        comments: vec![
            comment(
                1,
                "rev",
                "@bot now again squash delegate=friend force clean",
            ),
            comment(2, "who", "@bot again"),
            comment(4, "bot", &format!(":pushpin: Commit x\n\n{pin}")),
        ],
        result: Some(Ending::Failed),
        age: PullAge::Old,
    };
    let effects = story.queue.clone().handle(seconds(0), restored.clone());
    let is_old = |effect: &Effect| {
        matches!(
            effect,
            Effect::CallHook {
                news: News::Old,
                ..
            }
        )
    };
    assert!(effects.iter().all(is_old), "{effects:?}");
    story.tell(restored);
    insta::assert_snapshot!(story.log(), @r#"
    0s pull #1 restored from 3 comments
        call hook "again" for #1
    "#);
    assert_eq!(story.status_of(1), "failure");
    assert_eq!(story.approved(1), Some(commit("a1")));
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.delegate.value, Some(Login::new("friend")));
    story.at(20).say(1, "retry");
    assert_eq!(story.status_of(1), "pending");
}

#[test]
fn approvals_record_who_spoke_and_for_whom() {
    let mut story = one_pull();
    story.at(1).say(1, "r=alice,bob");
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    let approval = pull.standing_approval().unwrap();
    assert_eq!(approval.said_by, Login::new("rev"));
    assert_eq!(approval.approver, Login::new("alice,bob"));
}

#[test]
fn an_approval_within_the_second_of_a_push_waits_for_github_and_then_counts() {
    let mut story = one_pull();
    story.at(5).see(facts(1, "a2", 0)).say(1, "r+");
    story.read(facts(1, "a2", 5));
    assert_eq!(story.approved(1), Some(commit("a2")));
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert!(matches!(pull.stage, Stage::Running { .. }));
}

/// What is said when GitHub, asked because of a push at this moment, tells of a new head.
fn said_after_a_push(at: Option<i64>) -> String {
    let mut story = one_pull();
    story.at(5).say(1, "r+");
    let _before = story.log();
    story.at(9).tell(Event::BranchPushed {
        branch: BranchName::new("topic-1"),
        before: commit("a1"),
        after: commit("a2"),
        at: at.map(seconds),
    });
    story.read(facts(1, "a2", 9));
    assert_eq!(story.approved(1), None);
    story.log()
}

#[test]
fn an_approval_that_is_surely_older_than_a_push_ends_quietly_and_another_is_told() {
    let outdated = "post to #1: ApprovalOutdated";
    assert!(!said_after_a_push(Some(6)).contains(outdated));
    for at in [Some(5), Some(4), None] {
        assert!(said_after_a_push(at).contains(outdated), "{at:?}");
    }
}

#[test]
fn a_try_is_of_what_was_there_when_it_was_asked_for() {
    let rules = Rules {
        authorities: vec![Authority::Collaborators],
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).hear(1, comment(1, "who", "@bot try"));
    story.at(2).see(facts(1, "a2", 2));
    story.at(3).tell(told("who", Permission::Reviewer));
    story.at(5).see(facts(1, "a3", 5));
    story.hear(1, comment(4, "rev", "@bot try"));
    story.hear(1, comment(6, "rev", "@bot try"));
    insta::assert_snapshot!(story.log(), @r"
    1s comment by @who made on #1
        ask what @who may do
    2s pull #1 seen Open at a200000 into main
    3s @who is Reviewer
        post to #1: TryOutdated
    5s pull #1 seen Open at a300000 into main
    5s comment by @rev made on #1
        post to #1: TryOutdated
    5s comment by @rev made on #1
        run 10000: make merge onto main
    ");
}

#[test]
fn a_try_whose_chooser_left_the_configuration_is_answered_with_the_list() {
    let with = |chooser: &str| Rules {
        choosers: BTreeMap::from([(chooser.to_owned(), Vec::new())]),
        ..with_status()
    };
    let mut story = Story::with_pulls(with("docs"), &[(1, "a1")]);
    story
        .at(1)
        .say(1, "try=docs")
        .merged(1, "b0", "e1")
        .published(1);
    story.status("e1", Verdict::Failed);
    story.restart(with("linux"));
    let _before = story.log();
    story.at(2).say(1, "retry");
    insta::assert_snapshot!(story.log(), @r"
    2s comment by @rev made on #1
        log retry of #1 by @rev
        post to #1: UnknownChooser
    ");
    assert_eq!(story.status_of(1), "none");
}
