//! Every order ends, whatever GitHub refuses.

use super::stage::{REPO, Stage};
use crate::clock;
use crate::engine::orders::{Done, Trouble, give_up};
use crate::engine::outbox::{Order, Tried};
use paprq_core::ids::{BranchName, CommitId, Login, RunId};
use paprq_core::queue::effect::{BaseAt, Effect, ExemptionQuestion, MergeMark, TitleMark, Which};
use paprq_core::queue::event::{CommentSort, Event, Source};
use paprq_core::queue::labels::LabelChange;
use paprq_core::queue::note::{Note, QueueStatus, StatusNote};
use paprq_practice::{ApiFault, Calls};

/// Every refusal that is no limit of calls.
const REFUSALS: [u16; 7] = [401, 403, 404, 409, 410, 422, 451];

/// Lets the queue know a pull that is approved, and takes the orders that come of it without having
/// anybody carry them out.
async fn orders_of_an_approved_pull(stage: &Stage) -> (RunId, Vec<Effect>) {
    let pull = stage.pull("good");
    let facts = stage.repo().shared().api.pull(pull).await.unwrap();
    let (base, head) = (facts.base.clone(), facts.head);
    let tip = stage.practice.branch(REPO, "master").unwrap().unwrap();
    let at = facts.updated_at.plus_s(10);
    let seen = Event::PullSeen {
        facts: facts.clone(),
        source: Source::Reading,
    };
    let approved = Event::CommentMade {
        pull,
        comment: paprq_core::queue::event::Comment {
            key: paprq_core::queue::event::CommentKey {
                at,
                id: 1,
                sort: CommentSort::Issue,
            },
            author: Login::new("dora"),
            standing: None,
            body: "@bors r+".to_owned(),
            commit: None,
            url: String::new(),
        },
    };
    let mut effects = stage.repo().change(|queue| {
        let mut effects = queue.handle(clock::now(), seen);
        effects.extend(queue.handle(clock::now(), approved));
        effects
    });
    let run = stage
        .repo()
        .look(|queue| queue.runs_in_flight().map(|run| run.id).next())
        .expect("a run begins");
    let made = Event::MergeMade {
        run,
        base_tip: tip,
        merge: head,
    };
    let told = Event::MergePublished { run };
    let passed = Event::StatusReported {
        commit: head,
        context: "ci".to_owned(),
        verdict: paprq_core::queue::event::Verdict::Passed,
        url: None,
        order: None,
    };
    for event in [made, told, passed] {
        effects.extend(
            stage
                .repo()
                .change(|queue| queue.handle(clock::now(), event)),
        );
    }
    effects.extend(others(run, pull, head, &base, tip));
    (run, effects)
}

/// Orders that an approved pull does not need, but others do.
fn others(
    run: RunId,
    pull: paprq_core::ids::PullNumber,
    head: CommitId,
    base: &BranchName,
    tip: CommitId,
) -> Vec<Effect> {
    let user = Login::new("somebody");
    vec![
        Effect::PublishMerge {
            run,
            commit: head,
            branch: BranchName::new("homu-tmp"),
        },
        Effect::ReadPull { pull },
        Effect::ReadCheckRuns { run, commit: head },
        Effect::AskAccess { user: user.clone() },
        Effect::AskStanding { user },
        Effect::JudgeExemption(ExemptionQuestion {
            run,
            base_tip: tip,
            merge: head,
            pull,
            head,
            contexts: vec!["ci".to_owned()],
        }),
        Effect::CheckMergeability {
            base: BaseAt {
                branch: base.clone(),
                tip,
                culprit: None,
            },
            pulls: Which::All,
        },
        Effect::EditLabels {
            pull,
            change: LabelChange {
                add: vec!["a".to_owned()],
                remove: vec!["b".to_owned()],
                unless: Vec::new(),
            },
        },
        Effect::MarkMerged(MergeMark {
            pull,
            head: tip,
            landed: head,
            title: TitleMark::Prefixed,
        }),
        Effect::PostComment {
            pull,
            note: Note::Awake,
        },
        Effect::SetStatus {
            commit: head,
            note: StatusNote::Queue(QueueStatus::Cancelled),
        },
    ]
}

/// Whether somebody waits to hear what became of an order.
fn is_awaited(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::MakeMerge(_)
            | Effect::PublishMerge { .. }
            | Effect::AdvanceBranch(_)
            | Effect::ReadPull { .. }
            | Effect::ReadCheckRuns { .. }
            | Effect::JudgeExemption(_)
            | Effect::CheckMergeability { .. }
    )
}

async fn every_order_ends(git: &str, status: u16) -> Vec<&'static str> {
    let lines = "auth_collaborators = true\nstatus.ci = { context = \"ci\" }";
    let stage = Stage::start_with(git, lines).await;
    let (_, effects) = orders_of_an_approved_pull(&stage).await;
    for method in ["GET", "POST", "PATCH", "PUT", "DELETE"] {
        let calls = Calls::to(method, "/repos/");
        stage.practice.faults().api(calls, ApiFault::Fail(status));
    }
    let mut refused_ones = Vec::new();
    for effect in effects {
        for tried in [Tried::Never, Tried::MaybeBefore] {
            let row = stage.ordered(effect.clone()).await;
            let outcome = stage.carry_out_row(row.clone(), tried).await;
            let done = match outcome {
                Ok(done) => done,
                Err(Trouble::Refused(refused)) => {
                    assert_eq!(refused.pause(20), None, "{effect} at {status}: {refused}");
                    refused_ones.push(kind(&effect));
                    give_up(&stage.repo(), &Order { row, tried }, &refused)
                }
                Err(Trouble::Passing(error)) => {
                    panic!("{effect} at {status} is tried for ever: {error}")
                }
            };
            let is_answered = matches!(done, Done::Answered(events) if !events.is_empty());
            assert!(
                is_answered || !is_awaited(&effect),
                "nobody hears of {effect} at {status}"
            );
        }
    }
    refused_ones
}

fn kind(effect: &Effect) -> &'static str {
    if matches!(effect, Effect::MakeMerge(_)) {
        "merge"
    } else if matches!(effect, Effect::PublishMerge { .. }) {
        "publish"
    } else if matches!(effect, Effect::AdvanceBranch(_)) {
        "landing"
    } else if matches!(effect, Effect::ReadPull { .. }) {
        "pull"
    } else {
        "other"
    }
}

/// The sorts of orders that must have been refused. A base that is not there is an answer.
fn awaited(status: u16, always: &[&'static str]) -> Vec<&'static str> {
    let merge = (!matches!(status, 404 | 410)).then_some("merge");
    always.iter().copied().chain(merge).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_ends_whatever_github_refuses() {
    for status in REFUSALS {
        let refused = every_order_ends("", status).await;
        for kind in awaited(status, &["landing", "pull"]) {
            assert!(refused.contains(&kind), "{kind} was not refused {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_ends_without_a_mirror_too() {
    for status in REFUSALS {
        let refused = every_order_ends("local_git = false", status).await;
        for kind in awaited(status, &["publish", "landing", "pull"]) {
            assert!(refused.contains(&kind), "{kind} was not refused {status}");
        }
    }
}
