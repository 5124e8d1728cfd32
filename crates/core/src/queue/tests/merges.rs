//! Scripts about how merges are made, waited for, exempted and found to be impossible.

use std::collections::BTreeMap;

use super::homu::{made, of, orders};
use super::scripts::{one_pull, two_pulls};
use super::story::{Story, comment, commit, facts, run_id, with_status};
use crate::ids::{BranchName, PullNumber};
use crate::queue::effect::{BaseAt, Culprit, Effect, History};
use crate::queue::event::{
    BuildVerdict, Event, MergeStep, Mergeability, PullAge, PullFacts, PullState, Source, Verdict,
};
use crate::queue::labels::{LabelChange, LabelEvent};
use crate::queue::note::Exemption;
use crate::queue::rules::{BuildbotRule, ExemptionRule, Fixups, Rules};

/// A pull whose merge Buildbot builds on two systems.
fn built_by_linux_and_mac() -> Story {
    let rules = Rules {
        buildbot: Some(BuildbotRule {
            builders: vec!["linux".to_owned(), "mac".to_owned()],
            ..BuildbotRule::default()
        }),
        statuses: Vec::new(),
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story
}

#[test]
fn clean_lets_a_retry_take_nothing_as_passed() {
    let again = |words: &str| {
        let mut story = built_by_linux_and_mac();
        for (builder, verdict) in [
            ("linux", BuildVerdict::Running),
            ("linux", BuildVerdict::Passed),
            ("mac", BuildVerdict::Failed),
        ] {
            story.tell(build("e1", builder, verdict));
        }
        assert_eq!(story.status_of(1), "failure");
        let effects = of(&mut story, 9, made(1, comment(9, "rev", words)));
        orders(&effects).remove(0).again.is_some()
    };
    assert!(again("@bot retry"));
    assert!(!again("@bot clean retry"));
}

pub(super) fn build(of: &str, builder: &str, verdict: BuildVerdict) -> Event {
    Event::BuildReported {
        commit: commit(of),
        builder: builder.to_owned(),
        verdict,
        url: format!("https://bb/{builder}"),
        number: None,
    }
}

#[test]
fn only_the_builds_that_failed_are_built_again_and_nothing_is_pushed() {
    let mut story = built_by_linux_and_mac();
    story.tell(build("e1", "linux", BuildVerdict::Passed));
    story.tell(build("e1", "other", BuildVerdict::Failed));
    story.tell(build("e1", "mac", BuildVerdict::Interrupted));
    let _before = story.log();
    story.at(9).say(1, "retry").merged(2, "b0", "e1");
    story.tell(build("e1", "mac", BuildVerdict::Running));
    story.tell(build("e1", "mac", BuildVerdict::Passed));
    insta::assert_snapshot!(story.log(), @r#"
    9s comment by @rev made on #1
        log retry of #1 by @rev
        run 20000: make merge onto main
    9s run 20000: merge e100000 made
        run 20000: repeat builds ["mac"]
        post to #1: Rebuilding
        post to #1: Started
        set status of a100000: homu Testing
    9s build "mac" of e100000 is Running
    9s build "mac" of e100000 is Passed
        run 20000: advance main to e100000
    "#);
}

#[test]
fn what_buildbot_refuses_to_build_again_is_said() {
    let mut story = built_by_linux_and_mac();
    story.tell(build("e1", "linux", BuildVerdict::Passed));
    story.tell(build("e1", "mac", BuildVerdict::Failed));
    story.at(9).say(1, "retry").merged(2, "b0", "e1");
    let _before = story.log();
    story.tell(Event::BuildsRefused {
        run: run_id(2),
        why: "Authorization failed".to_owned(),
    });
    insta::assert_snapshot!(story.log(), @r"
    9s run 20000: builds refused
        post to #1: RebuildRefused
        set status of a100000: homu Broken
    ");
    assert_eq!(story.status_of(1), "error");
}

#[test]
fn a_linear_history_carries_number_and_approver_in_every_commit_and_marks_the_pull() {
    let rules = Rules {
        history: History::Linear,
        fixups: Fixups::Squash,
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    let effects = of(&mut story, 1, made(1, comment(1, "rev", "@bot r=who")));
    insta::assert_debug_snapshot!(orders(&effects).remove(0).members, @r#"
    [
        MemberMerge {
            pull: PullNumber(
                1,
            ),
            head: a100000,
            message: "\nCloses: #1\nApproved by: who",
            style: MergeStyle {
                shape: Autosquashed,
                history: Linear,
            },
        },
    ]
    "#);
    story.at(2).merged(1, "b0", "e1").published(1);
    story.status("e1", Verdict::Passed);
    let _before = story.log();
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    insta::assert_snapshot!(story.log(), @r"
    2s run 10000: base branch advanced
        post to #1: Succeeded
        set status of a100000: homu Succeeded
        mark #1 merged
    ");
}

#[test]
fn a_failed_autosquash_is_said_and_leaves_the_pull_mergeable() {
    let mut story = one_pull();
    story.at(1).say(1, "r+");
    let _before = story.log();
    story.tell(Event::MergeConflicted {
        run: run_id(1),
        step: MergeStep::Autosquash,
    });
    insta::assert_snapshot!(story.log(), @r"
    1s run 10000: Autosquash conflicted
        post to #1: Conflict
        set status of a100000: homu Conflict
    ");
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.facts.mergeable, Some(true));
}

/// Rules by which each event puts a label on that is called like it.
fn with_a_label_for_each_event() -> Rules {
    let change = |event: LabelEvent| LabelChange {
        add: vec![format!("{event:?}")],
        ..LabelChange::default()
    };
    let all = [
        LabelEvent::Approved,
        LabelEvent::Rejected,
        LabelEvent::Conflict,
        LabelEvent::Succeed,
        LabelEvent::Failed,
        LabelEvent::TimedOut,
        LabelEvent::Interrupted,
        LabelEvent::Try,
        LabelEvent::TrySucceed,
        LabelEvent::TryFailed,
        LabelEvent::Pushed,
        LabelEvent::RollupMade,
    ];
    Rules {
        labels: all
            .into_iter()
            .map(|event| (event, change(event)))
            .collect(),
        ..with_status()
    }
}

#[test]
fn labels_move_at_every_event_that_names_them() {
    let rules = with_a_label_for_each_event();
    let mut story = Story::with_pulls(rules, &[(1, "a1"), (2, "b2")]);
    story.at(1).say(1, "try").merged(1, "b0", "e1").published(1);
    story.status("e1", Verdict::Failed).at(2).say(1, "retry");
    story
        .merged(2, "b0", "e2")
        .published(2)
        .status("e2", Verdict::Passed);
    story
        .at(3)
        .say(1, "r+")
        .at(4)
        .say(1, "r-")
        .at(5)
        .say(1, "r+");
    story
        .merged(4, "b0", "e4")
        .published(4)
        .at(6)
        .say(2, "r+ force");
    story.tell(Event::MergeConflicted {
        run: run_id(5),
        step: MergeStep::Merge,
    });
    story
        .merged(6, "b0", "e6")
        .published(6)
        .status("e6", Verdict::Failed);
    story
        .at(7)
        .say(1, "retry")
        .merged(7, "b0", "e7")
        .published(7);
    story.at(5000).time_passes().at(5001).say(1, "retry");
    story
        .merged(8, "b0", "e8")
        .published(8)
        .status("e8", Verdict::Passed);
    story.tell(Event::BranchAdvanced { run: run_id(8) });
    story.see(facts(2, "b3", 5002));
    story.tell(Event::RollupMade {
        pulls: vec![PullNumber(2), PullNumber(77)],
        rollup: PullNumber(9),
    });
    let labels: Vec<_> = story
        .log()
        .lines()
        .filter_map(|line| {
            line.trim()
                .strip_prefix("edit labels of ")
                .map(str::to_owned)
        })
        .collect();
    insta::assert_snapshot!(labels.join("\n"), @r#"
    #1: add ["Try"], remove []
    #1: add ["TryFailed"], remove []
    #1: add ["TrySucceed"], remove []
    #1: add ["Approved"], remove []
    #1: add ["Rejected"], remove []
    #1: add ["Approved"], remove []
    #2: add ["Approved"], remove []
    #1: add ["Interrupted"], remove []
    #2: add ["Conflict"], remove []
    #1: add ["Failed"], remove []
    #1: add ["TimedOut"], remove []
    #1: add ["Succeed"], remove []
    #2: add ["Pushed"], remove []
    #2: add ["RollupMade"], remove []
    "#);
}

#[test]
fn a_green_head_lands_without_a_test_and_is_said_to() {
    let label = LabelChange {
        add: vec!["no-test".to_owned()],
        ..LabelChange::default()
    };
    let rules = Rules {
        exemption: ExemptionRule::ByStatuses,
        labels: BTreeMap::from([(LabelEvent::Exempted, label)]),
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1");
    let judged = Event::ExemptionJudged {
        run: run_id(1),
        exemption: Some(Exemption::TestMergeIsGreen),
    };
    story.tell(judged.clone()).tell(judged).published(1);
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    1s run 10000: merge e100000 made
        run 10000: judge exemption of e100000
    1s run 10000: exemption is Some(TestMergeIsGreen)
        run 10000: publish e100000 to homu-tmp
    1s run 10000: exemption is Some(TestMergeIsGreen)
    1s run 10000: merge published
        run 10000: advance main to e100000
    1s run 10000: base branch advanced
        post to #1: Exempted
        set status of a100000: homu Exempted
        edit labels of #1: add ["no-test"], remove []
    "#);
}

#[test]
fn what_is_not_exempt_is_tested_and_a_retry_always_is() {
    let rules = Rules {
        exemption: ExemptionRule::ByStatuses,
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1");
    story.tell(Event::ExemptionJudged {
        run: run_id(1),
        exemption: None,
    });
    story.published(1).status("e1", Verdict::Failed);
    story.at(2).say(1, "retry").merged(2, "b0", "e2");
    insta::assert_snapshot!(story.log(), @r#"
    1s comment by @rev made on #1
        post to #1: Approved
        run 10000: make merge onto main
    1s run 10000: merge e100000 made
        run 10000: judge exemption of e100000
    1s run 10000: exemption is None
        run 10000: publish e100000 to auto
    1s run 10000: merge published
        post to #1: Started
        set status of a100000: homu Testing
    1s status "ci" of e100000 is Failed
        post to #1: Failed
        set status of a100000: homu Failed
    2s comment by @rev made on #1
        log retry of #1 by @rev
        run 20000: make merge onto main
    2s run 20000: merge e200000 made
        run 20000: publish e200000 to auto
    "#);
}

fn found(base_tip: &str, culprit: Option<Culprit>, clean: &[(u64, &str, bool)]) -> Event {
    let found = clean.iter().map(|(pull, head, clean)| Mergeability {
        pull: PullNumber(*pull),
        head: commit(head),
        clean: *clean,
    });
    Event::MergeabilityFound {
        base: BaseAt {
            branch: BranchName::new("main"),
            tip: commit(base_tip),
            culprit,
        },
        found: found.collect(),
    }
}

#[test]
fn a_pull_that_became_unmergeable_is_told_once_and_whose_fault_it_is() {
    let mut story = two_pulls();
    let main = BranchName::new("main");
    let seen = |tip: &str| Event::BaseSeen {
        branch: main.clone(),
        tip: commit(tip),
    };
    story.at(1).tell(seen("b0"));
    story.tell(found("b0", None, &[(1, "a1", true), (2, "a2", true)]));
    story.at(2).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.status("e1", Verdict::Passed);
    story.tell(Event::BranchAdvanced { run: run_id(1) });
    let _before = story.log();
    let effects = of(&mut story, 3, seen("e1"));
    insta::assert_debug_snapshot!(effects, @r#"
    [
        CheckMergeability {
            base: BaseAt {
                branch: BranchName(
                    "main",
                ),
                tip: e100000,
                culprit: Some(
                    Pull(
                        PullNumber(
                            1,
                        ),
                    ),
                ),
            },
            pulls: All,
        },
    ]
    "#);
    let blame = Some(Culprit::Pull(PullNumber(1)));
    story.at(4).tell(found("b0", blame, &[(2, "a2", false)]));
    story.tell(found("e1", blame, &[(2, "a3", false)]));
    story.tell(found("e1", blame, &[(2, "a2", false)]));
    story.tell(found("e1", blame, &[(2, "a2", false)]));
    story.at(5).tell(seen("b5"));
    story.tell(found("b5", None, &[(2, "a2", true)]));
    story.at(6).see(facts(2, "a9", 6));
    story.tell(found("b5", None, &[(2, "a9", false)]));
    insta::assert_snapshot!(story.log(), @r"
    4s 1 of 1 pulls conflict with main at b000000
    4s 1 of 1 pulls conflict with main at e100000
    4s 1 of 1 pulls conflict with main at e100000
        post to #2: Unmergeable
    4s 1 of 1 pulls conflict with main at e100000
    5s base main seen at b500000
        check mergeability into main at b500000
    5s 0 of 1 pulls conflict with main at b500000
    6s pull #2 seen Open at a900000 into main
        check mergeability into main at b500000
    6s 1 of 1 pulls conflict with main at b500000
    ");
}

#[test]
fn whether_a_pull_merges_is_asked_again_where_it_may_be_otherwise() {
    let base = facts(1, "a1", 0).base;
    let asks = |story: &mut Story, now: i64, event: Event| {
        let effects = of(story, now, event);
        let pull = story.queue.pull(PullNumber(1)).unwrap();
        let asked = |effect: &Effect| matches!(effect, Effect::CheckMergeability { .. });
        (effects.iter().any(asked), pull.facts.mergeable)
    };
    let mut story = one_pull();
    let tip = commit("b0");
    story.tell(Event::BaseSeen { branch: base, tip });
    let restored = |at| Event::PullRestored {
        facts: PullFacts {
            mergeable: None,
            ..facts(1, "a1", at)
        },
        comments: Vec::new(),
        result: None,
        age: PullAge::Old,
    };
    assert_eq!(asks(&mut story, 1, restored(1)), (false, Some(true)));
    let closed = PullFacts {
        state: PullState::Closed,
        ..facts(1, "a1", 2)
    };
    let seen = |facts| Event::PullSeen {
        facts,
        source: Source::Webhook,
    };
    assert_eq!(asks(&mut story, 2, seen(closed)), (false, Some(true)));
    assert_eq!(asks(&mut story, 3, seen(facts(1, "a1", 3))), (true, None));
    assert_eq!(asks(&mut story, 4, restored(4)), (true, None));
    assert_eq!(asks(&mut story, 5, seen(facts(1, "a2", 5))), (true, None));
}
