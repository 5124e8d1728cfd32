//! Checks of one name from several apps, workflows and attempts.

use proptest::prelude::*;

use super::story::{Story, commit, run_id, seconds, with_status};
use crate::ids::PullNumber;
use crate::queue::effect::Effect;
use crate::queue::event::{BuildVerdict, Event, Verdict};
use crate::queue::note::{Note, Obstacle, Reason};
use crate::queue::reports::{self, Attempt, CheckRunSeen, CheckRunVerdict, Report, StatusOrder};
use crate::queue::rules::{BuildbotRule, CheckRunRule, Counts, Rules};
use crate::queue::run::{CheckState, Ending, Phase};
use CheckRunVerdict::{Failed, Neutral, Passed, Pending, Skipped};

const APP: u64 = 15;

fn rule(neutral: Counts, skipped: Counts) -> CheckRunRule {
    CheckRunRule {
        label: "build".to_owned(),
        name: "Build".to_owned(),
        try_name: None,
        neutral,
        skipped,
    }
}

fn with_check_run(neutral: Counts, skipped: Counts) -> Rules {
    Rules {
        statuses: Vec::new(),
        check_runs: vec![rule(neutral, skipped)],
        ..with_status()
    }
}

/// Run 1 tests `e1` and waits for the check run `Build`.
fn testing_with(neutral: Counts, skipped: Counts) -> Story {
    let mut story = Story::with_pulls(with_check_run(neutral, skipped), &[(1, "a1"), (2, "a2")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.forget_log();
    story
}

fn testing() -> Story {
    testing_with(Counts::Passed, Counts::Passed)
}

/// Check run `id` of a check suite, which began at this second and is not over.
fn begun(suite: u64, id: u64, at: i64) -> Attempt {
    Attempt {
        app: APP,
        suite,
        id,
        started_at: Some(seconds(at)),
        completed_at: None,
    }
}

fn ended(suite: u64, id: u64, from: i64, to: i64) -> Attempt {
    Attempt {
        completed_at: Some(seconds(to)),
        ..begun(suite, id, from)
    }
}

fn told(attempt: Attempt, verdict: CheckRunVerdict) -> Event {
    Event::CheckRunReported {
        commit: commit("e1"),
        name: "build".to_owned(),
        verdict,
        url: None,
        attempt: Some(attempt),
    }
}

/// GitHub lists these check runs as the latest of the commit.
fn listed(runs: &[(Attempt, CheckRunVerdict)], completed_suites: &[u64]) -> Event {
    let found = runs.iter().map(|(attempt, verdict)| CheckRunSeen {
        name: "BUILD".to_owned(),
        verdict: *verdict,
        url: None,
        attempt: *attempt,
    });
    Event::CheckRunsRead {
        commit: commit("e1"),
        found: found.collect(),
        completed_suites: completed_suites.to_vec(),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stands {
    Waits,
    Lands,
    Failed,
}

fn stands(story: &Story) -> Stands {
    match story.queue.run(run_id(1)).unwrap().phase {
        Phase::Testing { .. } => Stands::Waits,
        Phase::Landing { .. } => Stands::Lands,
        Phase::Done {
            ending: Ending::Failed,
            ..
        } => Stands::Failed,
        ref other @ (Phase::Merging { .. } | Phase::Done { .. }) => panic!("{other:?}"),
    }
}

fn asks(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::ReadCheckRuns { .. }))
}

#[test]
fn a_name_has_passed_only_when_every_check_run_of_it_has() {
    let other_app = Attempt {
        app: APP + 1,
        ..begun(8, 2, 1)
    };
    for second in [begun(8, 2, 1), other_app, begun(7, 2, 1)] {
        for (end, expected) in [(Passed, Stands::Lands), (Failed, Stands::Failed)] {
            let mut story = testing();
            story.tell(told(begun(7, 1, 1), Pending));
            story.tell(told(second, Pending));
            let effects = story.effects(told(ended(7, 1, 1, 5), Passed));
            assert!(!asks(&effects) && stands(&story) == Stands::Waits);
            let done = Attempt {
                completed_at: Some(seconds(9)),
                ..second
            };
            let effects = story.effects(told(done, end));
            assert_eq!(asks(&effects), end == Passed);
            story.tell(listed(&[(ended(7, 1, 1, 5), Passed), (done, end)], &[]));
            assert_eq!(stands(&story), expected, "{second:?} {end:?}");
        }
    }
}

#[test]
fn one_of_which_nothing_was_heard_is_found_before_the_landing() {
    let mut story = testing();
    let effects = story.effects(told(ended(7, 1, 1, 5), Passed));
    assert!(asks(&effects) && stands(&story) == Stands::Waits);
    assert_eq!(story.queue.why(PullNumber(1)), [Reason::RereadsChecks]);
    let first = (ended(7, 1, 1, 5), Passed);
    story.tell(listed(&[first, (begun(8, 2, 6), Pending)], &[]));
    assert_eq!(stands(&story), Stands::Waits);
    story.tell(told(ended(8, 2, 6, 9), Failed));
    assert_eq!(stands(&story), Stands::Failed);
}

#[test]
fn what_passed_with_a_list_of_the_past_is_read_again_when_all_the_rest_has_passed() {
    let mut rules = with_check_run(Counts::Passed, Counts::Passed);
    rules.statuses = with_status().statuses;
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    let done = (ended(7, 1, 1, 5), Passed);
    story.tell(listed(&[done], &[]));
    let all_passed = Event::StatusReported {
        commit: commit("e1"),
        context: "CI".to_owned(),
        verdict: Verdict::Passed,
        url: None,
        order: None,
    };
    let effects = story.effects(all_passed);
    assert!(asks(&effects) && stands(&story) == Stands::Waits);
    story.tell(listed(&[done], &[]));
    assert_eq!(stands(&story), Stands::Lands);
}

#[test]
fn a_re_run_takes_the_place_of_its_predecessor_whenever_that_is_heard_of() {
    // A second attempt of another number.
    let mut story = testing();
    story.tell(told(begun(7, 2, 6), Pending));
    story.tell(told(ended(7, 1, 1, 5), Failed));
    assert_eq!(
        stands(&story),
        Stands::Waits,
        "late news of the first attempt"
    );
    let effects = story.effects(told(ended(7, 2, 6, 9), Passed));
    assert!(asks(&effects));
    story.tell(told(begun(7, 3, 10), Pending));
    story.tell(listed(&[(begun(7, 3, 10), Pending)], &[]));
    assert_eq!(stands(&story), Stands::Waits);
    story.tell(told(ended(7, 3, 10, 12), Failed));
    assert_eq!(stands(&story), Stands::Failed);
    // The same number once more.
    let mut story = testing();
    story.tell(told(ended(7, 1, 1, 5), Passed));
    story.tell(told(begun(7, 1, 6), Pending));
    story.tell(told(begun(7, 1, 1), Pending));
    story.tell(listed(&[(begun(7, 1, 6), Pending)], &[]));
    assert_eq!(stands(&story), Stands::Waits);
    story.tell(told(ended(7, 1, 1, 5), Passed));
    assert_eq!(
        stands(&story),
        Stands::Waits,
        "late news of the first attempt"
    );
    story.tell(told(ended(7, 1, 6, 9), Failed));
    assert_eq!(stands(&story), Stands::Failed);
}

#[test]
fn an_attempt_that_was_left_unfinished_is_gone_when_github_lists_its_successor_alone() {
    let mut story = testing();
    story.tell(told(begun(7, 1, 1), Pending));
    story.tell(told(ended(7, 2, 2, 5), Passed));
    assert_eq!(stands(&story), Stands::Waits);
    story.tell(listed(&[(ended(7, 2, 2, 5), Passed)], &[]));
    assert_eq!(stands(&story), Stands::Lands);
}

#[test]
fn two_jobs_of_a_workflow_that_github_lists_both_are_no_attempts_of_each_other() {
    let mut story = testing();
    let second = (ended(7, 2, 6, 9), Passed);
    story.tell(told(second.0, Passed));
    story.tell(listed(&[(ended(7, 1, 1, 5), Failed), second], &[]));
    assert_eq!(stands(&story), Stands::Failed);
}

#[test]
fn what_github_lists_as_running_again_is_asked_for_once_more_and_then_believed() {
    let mut story = testing();
    story.tell(told(ended(7, 1, 1, 5), Passed));
    // As if it began anew under its number and first moment; or the list is older than the webhook.
    let again = listed(&[(begun(7, 1, 1), Pending)], &[]);
    assert!(asks(&story.effects(again.clone())));
    let effects = story.effects(again);
    assert!(!asks(&effects) && stands(&story) == Stands::Waits);
    story.tell(told(ended(7, 1, 1, 9), Passed));
    story.tell(listed(&[(ended(7, 1, 1, 9), Passed)], &[]));
    assert_eq!(stands(&story), Stands::Lands);
}

#[test]
fn neutral_passes_unless_the_configuration_lets_it_fail() {
    for (counts, expected) in [
        (Counts::Passed, Stands::Lands),
        (Counts::Failed, Stands::Failed),
    ] {
        let mut story = testing_with(counts, Counts::Passed);
        let run = (ended(7, 1, 1, 5), Neutral);
        story.tell(told(run.0, Neutral));
        story.tell(listed(&[run], &[]));
        assert_eq!(stands(&story), expected);
    }
}

#[test]
fn skipped_passes_when_its_check_suite_is_completed_and_no_other_of_the_name_came() {
    let suite_completed = |suite| Event::CheckSuiteCompleted {
        commit: commit("e1"),
        suite,
    };
    for (counts, expected) in [
        (Counts::Passed, Stands::Lands),
        (Counts::Failed, Stands::Failed),
    ] {
        let mut story = testing_with(Counts::Passed, counts);
        let skipped = (ended(7, 1, 1, 1), Skipped);
        story.tell(told(skipped.0, Skipped));
        story.tell(listed(&[skipped], &[]));
        story.tell(suite_completed(6));
        assert_eq!(stands(&story), Stands::Waits);
        story.tell(suite_completed(7));
        story.tell(listed(&[skipped], &[7]));
        assert_eq!(stands(&story), expected);
    }
    // Another job of the name decides, whichever comes first.
    for (end, expected) in [(Passed, Stands::Lands), (Failed, Stands::Failed)] {
        let real = (ended(7, 1, 1, 5), end);
        let skipped = (ended(7, 2, 6, 6), Skipped);
        for order in [[real, skipped], [skipped, real]] {
            let mut story = testing();
            for (attempt, verdict) in order {
                story.tell(told(attempt, verdict));
            }
            story.tell(suite_completed(7));
            story.tell(listed(&order, &[7]));
            assert_eq!(stands(&story), expected);
        }
    }
}

#[test]
fn the_latest_status_of_a_context_counts_however_late_the_others_come() {
    let told = |verdict, at, id| Event::StatusReported {
        commit: commit("e1"),
        context: "ci".to_owned(),
        verdict,
        url: None,
        order: Some(StatusOrder {
            at: seconds(at),
            id,
        }),
    };
    let mut rules = with_check_run(Counts::Passed, Counts::Passed);
    rules.statuses = with_status().statuses;
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.tell(told(Verdict::Passed, 5, 2));
    // It begins anew, and the first failure is heard of after that.
    story.tell(told(Verdict::Pending, 5, 3));
    story.tell(told(Verdict::Failed, 4, 1));
    let done = (ended(7, 1, 1, 5), Passed);
    story.tell(Event::CheckRunsRead {
        commit: commit("e1"),
        found: vec![CheckRunSeen {
            name: "build".to_owned(),
            verdict: done.1,
            url: None,
            attempt: done.0,
        }],
        completed_suites: Vec::new(),
    });
    assert_eq!(stands(&story), Stands::Waits);
    story.tell(told(Verdict::Passed, 6, 4));
    story.tell(listed(&[done], &[]));
    assert_eq!(stands(&story), Stands::Lands);
}

#[test]
fn the_latest_build_of_a_builder_counts_by_its_number() {
    let built = |verdict, number| Event::BuildReported {
        commit: commit("e1"),
        builder: "linux".to_owned(),
        verdict,
        url: String::new(),
        number: Some(number),
    };
    let buildbot = |builders: &[&str]| BuildbotRule {
        builders: builders.iter().map(|name| (*name).to_owned()).collect(),
        ..BuildbotRule::default()
    };
    let rules = Rules {
        statuses: Vec::new(),
        buildbot: Some(buildbot(&["linux", "mac"])),
        ..with_status()
    };
    let mut story = Story::with_pulls(rules, &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.tell(built(BuildVerdict::Passed, 4));
    story.tell(built(BuildVerdict::Running, 5));
    story.tell(built(BuildVerdict::Running, 4));
    story.tell(built(BuildVerdict::Failed, 3));
    let run = story.queue.run(run_id(1)).unwrap();
    let linux = &run.checks[0];
    assert_eq!(stands(&story), Stands::Waits);
    assert!(matches!(linux.state, CheckState::Running { .. }));
    story.tell(built(BuildVerdict::Failed, 5));
    assert_eq!(stands(&story), Stands::Failed);
}

#[test]
fn github_that_does_not_show_the_check_runs_ends_the_run_with_its_reason() {
    let mut story = testing();
    let why = "no access".to_owned();
    let unread = Event::CheckRunsUnread {
        run: run_id(1),
        why,
    };
    assert_eq!(story.effects(unread.clone()), [], "nobody has asked");
    story.tell(told(ended(7, 1, 1, 5), Passed));
    story.at(2).say(2, "r+");
    let effects = story.effects(unread);
    let why = Obstacle::ChecksUnread("no access".to_owned());
    let said = Effect::PostComment {
        pull: PullNumber(1),
        note: Note::Broken { why },
    };
    assert!(effects.contains(&said), "{effects:?}");
    let next = |effect: &Effect| matches!(effect, Effect::MakeMerge(_));
    assert!(effects.iter().any(next), "the next pull has its turn");
}

#[test]
fn contexts_and_names_are_compared_without_regard_to_case() {
    let mut story = Story::with_pulls(with_status(), &[(1, "a1")]);
    story.at(1).say(1, "r+").merged(1, "b0", "e1").published(1);
    story.tell(Event::StatusReported {
        commit: commit("e1"),
        context: "Ci".to_owned(),
        verdict: Verdict::Passed,
        url: None,
        order: None,
    });
    assert_eq!(stands(&story), Stands::Lands);
}

/// What is heard of attempts that follow each other in the check suites of two apps.
fn chains() -> impl Strategy<Value = Vec<Vec<CheckRunVerdict>>> {
    let verdict = prop_oneof![
        3 => Just(Passed),
        1 => Just(Failed),
        1 => Just(Neutral),
        1 => Just(Skipped),
    ];
    proptest::collection::vec(proptest::collection::vec(verdict, 0..4), 1..4)
}

proptest! {
    /// The order in which reports come, and how often, changes nothing: the last attempt of each check
    /// suite counts.
    #[test]
    fn reports_say_the_same_in_whatever_order_they_come(
        chains in chains(),
        last_runs in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut news = Vec::new();
        for (suite, chain) in chains.iter().enumerate() {
            for (index, verdict) in chain.iter().enumerate() {
                let (suite, id) = (suite as u64, (index * 10 + suite) as u64 + 1);
                let (from, to) = (index as i64 * 10, index as i64 * 10 + 5);
                news.push(reports::check_run(Pending, None, Some(begun(suite, id, from))));
                let is_last = suite == 0 && index + 1 == chain.len();
                if !(is_last && last_runs) {
                    let attempt = ended(suite, id, from, to);
                    news.push(reports::check_run(*verdict, None, Some(attempt)));
                }
            }
        }
        let counts = |suite: usize, chain: &Vec<CheckRunVerdict>| -> Option<CheckRunVerdict> {
            if suite == 0 && last_runs && !chain.is_empty() {
                return Some(Pending);
            }
            let real = chain.iter().rev().find(|verdict| **verdict != Skipped);
            real.or(chain.last()).copied()
        };
        let last: Vec<_> = chains.iter().enumerate()
            .filter_map(|(suite, chain)| counts(suite, chain))
            .collect();
        let known = shuffled(&news, seed);
        let state = reports::state(&known, None, &[]);
        let has = |wanted: &[CheckRunVerdict]| last.iter().any(|verdict| wanted.contains(verdict));
        let expected = match () {
            () if has(&[Failed]) => matches!(state, CheckState::Failed { .. }),
            () if has(&[Pending]) => matches!(state, CheckState::Running { .. }),
            () if has(&[Passed, Neutral]) => matches!(state, CheckState::Passed { .. }),
            () if has(&[Skipped]) => matches!(state, CheckState::Running { .. }),
            () => state == CheckState::Waiting,
        };
        prop_assert!(expected, "{state:?} of {known:?}");
    }
}

/// All reports taken in a random order, some of them twice.
fn shuffled(news: &[Report], mut seed: u64) -> Vec<Report> {
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let mut left = news.to_vec();
    let mut known = Vec::new();
    while !left.is_empty() {
        let index = next(left.len());
        reports::take(&mut known, &left[index]);
        if next(3) > 0 {
            left.remove(index);
        }
    }
    known
}
