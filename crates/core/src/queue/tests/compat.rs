//! Lines of Homu's reference (homu-compat) one by one, as far as no longer script holds them.

use std::collections::BTreeMap;

use super::homu::{made, of, orders};
use super::scripts::{one_pull, testing, two_pulls};
use super::story::{Story, comment, commit, facts, run_id, with_status};
use crate::command::Permission;
use crate::ids::{BranchName, Login, PullNumber};
use crate::queue::Queue;
use crate::queue::effect::{Effect, RetryOrder};
use crate::queue::event::{Comment, CommentSort, Event, Verdict};
use crate::queue::note::{Link, Missing, Note, Reason, Unfinished};
use crate::queue::reports::CheckRunVerdict;
use crate::queue::rules::{Authority, CheckRunRule, Counts, Mentions, Rules, StatusRule};
use crate::queue::run::Purpose;

/// What is said in answer to a comment.
fn said(story: &mut Story, pull: u64, comment: Comment) -> Vec<Note> {
    let at = comment.key.at.0 / 1000;
    let effects = of(story, at, made(pull, comment));
    let notes = effects.into_iter().filter_map(|effect| {
        if let Effect::PostComment { note, .. } = effect {
            return Some(note);
        }
        None
    });
    notes.collect()
}

#[test]
fn a_priority_above_the_maximum_is_refused_with_a_comment_and_the_maximum_is_not() {
    let mut story = one_pull();
    let answer = said(&mut story, 1, comment(1, "trier", "@bot p=100"));
    assert_eq!(answer, []);
    let answer = said(&mut story, 1, comment(2, "trier", "@bot p=101"));
    assert_eq!(answer, [Note::PriorityTooHigh { max: 100 }]);
    let pull = story.queue.pull(PullNumber(1)).unwrap();
    assert_eq!(pull.priority.value, 100);
}

#[test]
fn rollup_in_all_its_forms_sets_one_value() {
    for (words, value) in [
        ("rollup", 1),
        ("rollup=always", 1),
        ("rollup=maybe", 0),
        ("rollup-", 0),
        ("rollup=iffy", -1),
        ("rollup=never", -2),
    ] {
        let mut story = one_pull();
        story.at(1).say(1, "rollup=never").at(2).say(1, "rollup");
        story
            .at(3)
            .hear(1, comment(3, "trier", &format!("@bot {words}")));
        let pull = story.queue.pull(PullNumber(1)).unwrap();
        assert_eq!(pull.rollup.value, value, "{words}");
    }
}

#[test]
fn all_five_titles_of_unfinished_pulls_keep_it_out_in_any_case() {
    for (title, sign) in [
        ("WIP: door", "WIP"),
        ("wip door", "WIP"),
        ("Todo door", "TODO"),
        ("[WIP] door", "[WIP]"),
        ("[todo] door", "[TODO]"),
        ("[Do Not Merge] door", "[DO NOT MERGE]"),
    ] {
        let mut story = Story::of(with_status());
        let mut unfinished = facts(1, "a1", 0);
        unfinished.title = title.to_owned();
        story.see(unfinished.clone()).at(1).say(1, "r+").log();
        let answered = story.queue.handle(
            super::story::seconds(1),
            Event::PullSeen {
                facts: unfinished,
                source: crate::queue::event::Source::Reading,
            },
        );
        let note = Note::NotFinished {
            commit: commit("a1"),
            sign: Unfinished::Title(sign.to_owned()),
        };
        let pull = PullNumber(1);
        assert_eq!(answered, [Effect::PostComment { pull, note }], "{title}");
        assert_eq!(story.approved(1), None, "{title}");
    }
    let mut story = Story::of(with_status());
    let mut finished = facts(1, "a1", 0);
    finished.title = "Do not merge twice, [WIP] was here".to_owned();
    story.see(finished).at(1).say(1, "r+");
    assert_eq!(story.approved(1), Some(commit("a1")));
}

#[test]
fn the_closed_tree_is_answered_with_the_comment_that_closed_it() {
    let mut story = two_pulls();
    let closing = comment(1, "rev", "@bot treeclosed=5");
    let source = closing.url.clone();
    assert_eq!(said(&mut story, 2, closing), []);
    let answer = said(&mut story, 1, comment(2, "rev", "@bot r+"));
    assert_eq!(answer[1..], [Note::TreeClosed { below: 5, source }]);
}

#[test]
fn anyone_is_answered_who_asks_whether_the_bot_is_there() {
    let mut story = one_pull();
    for words in ["@bot ping", "@bot hello?"] {
        let answer = said(&mut story, 1, comment(1, "stranger", words));
        assert_eq!(answer, [Note::Awake], "{words}");
        story = one_pull();
    }
    let answer = said(
        &mut story,
        1,
        comment(7, "stranger", "@bot are you still there?"),
    );
    assert_eq!(answer, [Note::Portal { seed: 7 }]);
}

#[test]
fn a_refusal_names_the_right_that_is_missing() {
    let refused = |authorities: &[Authority], words: &str| {
        let rules = Rules {
            authorities: authorities.to_vec(),
            ..with_status()
        };
        let mut story = Story::with_pulls(rules, &[(1, "a1")]);
        let asking = Comment {
            standing: Some(Permission::Outsider),
            ..comment(1, "who", &format!("@bot {words}"))
        };
        let mut notes = said(&mut story, 1, asking);
        match notes.pop() {
            Some(Note::Refused { missing, .. }) if notes.is_empty() => missing,
            other => panic!("{words}: {other:?}"),
        }
    };
    let by_reviewers = [
        "r+",
        "r=x",
        "r-",
        "delegate=x",
        "delegate+",
        "treeclosed=1",
        "treeclosed-",
    ];
    for words in by_reviewers {
        assert_eq!(refused(&[], words), Missing::Reviewer, "{words}");
        let asked = [Authority::Collaborators];
        assert_eq!(refused(&asked, words), Missing::Collaborator, "{words}");
    }
    for words in [
        "p=1",
        "rollup",
        "try",
        "try-",
        "retry",
        "delegate-",
        "force",
        "clean",
        "squash",
        "squash-",
    ] {
        let asked = [Authority::Collaborators];
        assert_eq!(refused(&[], words), Missing::Trier, "{words}");
        assert_eq!(refused(&asked, words), Missing::Trier, "{words}");
    }
}

#[test]
fn the_bots_account_may_do_everything() {
    let mut story = one_pull();
    story
        .at(1)
        .hear(1, comment(1, "BOT", "@bot treeclosed=7 r+ p=3"));
    assert_eq!(story.approved(1), Some(commit("a1")));
    assert!(!story.queue.tree_lets_through(PullNumber(1)));
}

#[test]
fn what_a_review_says_is_about_its_commit_alone() {
    for sort in [CommentSort::Review, CommentSort::ReviewComment] {
        let review = |at, on: &str| {
            let mut review = comment(at, "rev", "@bot r+");
            review.key.sort = sort;
            review.commit = Some(commit(on));
            review
        };
        let mut story = one_pull();
        story.at(8).hear(1, review(8, "a1"));
        assert_eq!(story.approved(1), Some(commit("a1")));
        // It is told late that this was pushed before: a comment would have meant it.
        story.see(facts(1, "a2", 5));
        assert_eq!(story.approved(1), None);
        story.at(9).hear(1, review(9, "a1")).read(facts(1, "a2", 5));
        assert_eq!(story.approved(1), None);
    }
}

#[test]
fn a_push_from_the_head_of_a_pull_holds_it_back_until_github_has_said_what_it_is_now() {
    let mut story = one_pull();
    let push = |branch: &str| Event::BranchPushed {
        branch: BranchName::new(branch),
        before: commit("a1"),
        after: commit("a2"),
        at: None,
    };
    story.at(1).say(1, "treeclosed=5 r+").log();
    story.tell(push("other")).tell(push("topic-1"));
    story.at(2).say(1, "treeclosed-");
    story.at(3).read(facts(1, "a2", 2));
    insta::assert_snapshot!(story.log(), @r"
    1s branch other pushed to a200000
    1s branch topic-1 pushed to a200000
        read pull #1
    2s comment by @rev made on #1
    3s pull #1 seen Open at a200000 into main
        post to #1: ApprovalOutdated
    ");
    assert_eq!(story.approved(1), None);
}

#[test]
fn a_push_drops_the_try_and_what_came_of_it() {
    let mut story = one_pull();
    story.at(1).say(1, "try").merged(1, "b0", "e1").published(1);
    story.at(2).see(facts(1, "a2", 2));
    assert_eq!(story.status_of(1), "none");
    let mut story = testing();
    story
        .status("e1", Verdict::Failed)
        .at(2)
        .see(facts(1, "a2", 2));
    assert_eq!(story.status_of(1), "none");
}

#[test]
fn tries_wait_only_for_what_is_for_tries() {
    let rules = || Rules {
        statuses: vec![
            StatusRule {
                label: "slow".to_owned(),
                context: "slow".to_owned(),
                in_tries: false,
                pr_context: "slow".to_owned(),
            },
            with_status().statuses.remove(0),
        ],
        check_runs: vec![CheckRunRule {
            label: "build".to_owned(),
            name: "build auto".to_owned(),
            try_name: Some("build try".to_owned()),
            neutral: Counts::Passed,
            skipped: Counts::Passed,
        }],
        ..with_status()
    };
    let names = |words: &str| -> Vec<_> {
        let mut story = Story::with_pulls(rules(), &[(1, "a1")]);
        story.at(1).say(1, words).merged(1, "b0", "e1").published(1);
        let run = story.queue.run(run_id(1)).unwrap();
        let checks = run.checks.iter();
        checks.map(|check| format!("{:?}", check.check)).collect()
    };
    insta::assert_snapshot!(names("r+").join("\n"), @r#"
    Status { label: "slow", context: "slow" }
    Status { label: "ci", context: "ci" }
    CheckRun { label: "build", name: "build auto" }
    "#);
    insta::assert_snapshot!(names("try").join("\n"), @r#"
    Status { label: "ci", context: "ci" }
    CheckRun { label: "build", name: "build try" }
    "#);
}

#[test]
fn the_first_red_ends_the_run_and_what_is_unknown_is_ignored() {
    let mut rules = with_status();
    rules.statuses.push(StatusRule {
        label: "other".to_owned(),
        context: "other".to_owned(),
        in_tries: true,
        pr_context: "other".to_owned(),
    });
    rules.check_runs.push(CheckRunRule {
        label: "build".to_owned(),
        name: "build".to_owned(),
        try_name: None,
        neutral: Counts::Passed,
        skipped: Counts::Passed,
    });
    let told = |on: &str, name: &str, verdict| Event::CheckRunReported {
        commit: commit(on),
        name: name.to_owned(),
        verdict,
        url: None,
        attempt: None,
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.log();
    story
        .status("e9", Verdict::Failed)
        .status("b0", Verdict::Failed);
    story.status("a1", Verdict::Failed);
    story.tell(told("e1", "stranger", CheckRunVerdict::Failed));
    story.tell(told("e1", "build", CheckRunVerdict::Passed));
    story
        .status("e1", Verdict::Failed)
        .status("e1", Verdict::Passed);
    insta::assert_snapshot!(story.log(), @r#"
    1s status "ci" of e900000 is Failed
    1s status "ci" of b000000 is Failed
    1s status "ci" of a100000 is Failed
    1s check run "stranger" of e100000 is Failed
    1s check run "build" of e100000 is Passed
    1s status "ci" of e100000 is Failed
        post to #1: Failed
        set status of a100000: homu Failed
    1s status "ci" of e100000 is Passed
    "#);
}

#[test]
fn the_merge_says_what_it_merges_for_whom() {
    insta::assert_snapshot!(merge_message(Mentions::AsWritten), @r"
    Auto merge of #1 - author:topic-1, r=carol

    Greet @alice (skip ci)

    Because.

    cc @bob <1+b[bot]@users.noreply.github.com>
     ---
    Reviewed-by: B
    ");
    let escaped = merge_message(Mentions::Escaped);
    assert!(escaped.contains("Greet `@alice`"), "{escaped}");
    assert!(escaped.contains("cc `@bob` <1+b[bot]@users"), "{escaped}");
}

fn merge_message(mentions: Mentions) -> String {
    let mut story = Story::of(Rules {
        mentions,
        ..with_status()
    });
    let mut pull = facts(1, "a1", 0);
    pull.title = "Greet @alice [skip ci]".to_owned();
    pull.body = "Because.\r\n<!-- homu-ignore:start -->hidden<!-- homu-ignore:end -->\r\n\
                 cc @bob <1+b[bot]@users.noreply.github.com>\r\nskip-checks: true\r\n---\r\n\
                 Reviewed-by: B"
        .to_owned();
    story.see(pull);
    let message = |story: &mut Story, at, words: &str| {
        let effects = of(story, at, made(1, comment(at, "rev", words)));
        orders(&effects).remove(0).members.remove(0).message
    };
    let tried = message(&mut story, 1, "@bot try");
    assert!(
        tried.starts_with("Auto merge of #1 - author:topic-1, r=<try>\n\n"),
        "{tried}"
    );
    message(&mut story, 2, "@bot r=carol")
}

#[test]
fn one_merge_is_tested_at_a_time_and_tries_beside_it() {
    let mut story = Story::with_pulls(with_status(), &[(1, "a1"), (2, "a2"), (3, "a3")]);
    story
        .at(1)
        .say(1, "r+")
        .at(2)
        .say(2, "r+")
        .at(3)
        .say(3, "try");
    let in_flight: Vec<_> = story
        .queue
        .runs_in_flight()
        .map(|run| run.members[0].pull.0)
        .collect();
    assert_eq!(in_flight, [1, 3]);
}

#[test]
fn who_becomes_a_delegate_is_told_so_by_name() {
    let mut story = one_pull();
    let told = |delegate: &str| Note::Delegated {
        delegator: Login::new("rev"),
        delegate: Login::new(delegate),
    };
    let answer = said(&mut story, 1, comment(1, "rev", "@bot delegate=@friend"));
    assert_eq!(answer, [told("friend")]);
    let answer = said(&mut story, 1, comment(2, "rev", "@bot delegate+"));
    assert_eq!(answer, [told("author")]);
    assert_eq!(said(&mut story, 1, comment(3, "rev", "@bot delegate-")), []);
}

#[test]
fn a_retry_is_logged_with_who_and_why() {
    let mut story = testing();
    story.status("e1", Verdict::Failed);
    let retry = comment(5, "trier", "@bot retry -- the network was down");
    let effects = of(&mut story, 5, made(1, retry.clone()));
    let logged = Effect::LogRetry(RetryOrder {
        pull: PullNumber(1),
        by: Login::new("trier"),
        at: retry.key.at,
        body: retry.body,
        source: retry.url,
    });
    assert!(effects.contains(&logged), "{effects:?}");
}

#[test]
fn settings_of_branches_name_where_commits_are_tested() {
    let rules = Rules {
        auto_branch: BranchName::new("homu-auto"),
        try_branch: BranchName::new("homu-try"),
        choosers: BTreeMap::from([("docs".to_owned(), Vec::new())]),
        ..with_status()
    };
    let branch = |words: &str| {
        let mut story = Story::with_pulls(rules.clone(), &[(1, "a1")]);
        let effects = of(&mut story, 1, made(1, comment(1, "rev", words)));
        orders(&effects).remove(0).test_branch.to_string()
    };
    assert_eq!(branch("@bot r+"), "homu-auto");
    assert_eq!(branch("@bot try"), "homu-try");
    assert_eq!(branch("@bot try=docs"), "homu-try-docs");
}

#[test]
fn a_second_approval_is_answered_with_what_the_pull_waits_for() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+").at(2).say(2, "r+");
    let answer = said(&mut story, 2, comment(3, "rev", "@bot r+"));
    let why = vec![Reason::Behind(vec![PullNumber(1)])];
    assert_eq!(answer, [Note::AlreadyApproved { why }]);
}

#[test]
fn a_try_that_fails_is_said_to_be_one() {
    let failed = |words: &str| {
        let mut story = one_pull();
        story.at(1).say(1, words).merged(1, "b0", "e1").published(1);
        let red = Event::StatusReported {
            commit: commit("e1"),
            context: "ci".to_owned(),
            verdict: Verdict::Failed,
            url: Some("https://ci.example".to_owned()),
            order: None,
        };
        of(&mut story, 2, red).remove(0)
    };
    let note = |purpose| Effect::PostComment {
        pull: PullNumber(1),
        note: Note::Failed {
            purpose,
            check: Link {
                name: "status-ci".to_owned(),
                url: "https://ci.example".to_owned(),
            },
            verdict: None,
        },
    };
    assert_eq!(failed("try"), note(Purpose::Try));
    assert_eq!(failed("r+"), note(Purpose::Land));
}

/// The queue as it is when it was written down and read again.
fn restarted(queue: &Queue) -> Queue {
    let (pulls, runs): (Vec<_>, Vec<_>) =
        (queue.pulls().collect(), queue.runs_in_flight().collect());
    let state = serde_json::to_string(queue.state()).unwrap();
    let pulls = serde_json::to_string(&pulls).unwrap();
    let runs = serde_json::to_string(&runs).unwrap();
    Queue::restored(
        queue.rules().clone(),
        serde_json::from_str(&state).unwrap(),
        serde_json::from_str(&pulls).unwrap(),
        serde_json::from_str(&runs).unwrap(),
    )
}

#[test]
fn a_restart_forgets_neither_the_time_out_nor_the_try() {
    let mut story = two_pulls();
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.at(2).say(2, "try").merged(2, "b0", "e2").published(2);
    story.log();
    let wakeup = story.queue.next_wakeup();
    story.queue = restarted(&story.queue);
    assert!(wakeup.is_some());
    assert_eq!(story.queue.next_wakeup(), wakeup);
    story.status("e2", Verdict::Passed);
    story.at(3601).time_passes();
    insta::assert_snapshot!(story.log(), @r#"
    2s status "ci" of e200000 is Passed
        post to #2: TrySucceeded
        set status of a200000: homu Succeeded
    3601s time passed
        post to #1: TimedOut
        set status of a100000: homu TimedOut
    "#);
}
