//! What is written down is read back as it was.

use super::story::{Story, comment, commit, facts, run_id, seconds, suite, with_suites};
use crate::ids::PullNumber;
use crate::queue::event::{Event, PullAge, PullState, Source, SuiteVerdict, SuitesFound};

fn comes_back<T>(value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

/// One history that comes by every event, every effect of a run and every stage.
fn history() -> Vec<Event> {
    let mut draft = facts(2, "a2", 9);
    draft.draft = true;
    draft.mergeable = None;
    draft.state = PullState::Closed;
    let required = crate::suite::Suite {
        required: true,
        ..suite("must")
    };
    let run = run_id(1);
    vec![
        Event::PullSeen {
            facts: facts(1, "a1", 0),
            source: Source::Webhook,
        },
        Event::PullRestored {
            facts: draft,
            comments: vec![comment(3, "rev", "@bot p=4 treeclosed=-3")],
            result: None,
            age: PullAge::Old,
        },
        Event::CommentMade {
            pull: PullNumber(1),
            comment: comment(5, "rev", "@bot r+"),
        },
        Event::MergeMade {
            run,
            base_tip: commit("b0"),
            merge: commit("e1"),
        },
        Event::SuitesRead {
            run,
            found: SuitesFound::Suites(vec![required, suite("may")].into()),
        },
        Event::MergePublished { run },
        Event::SuiteFinished {
            run,
            context: "may".to_owned(),
            verdict: SuiteVerdict::Error("no".to_owned()),
            url: "job".to_owned(),
        },
        Event::CommentMade {
            pull: PullNumber(1),
            comment: comment(6, "rev", "@bot r+ dead"),
        },
        Event::SuiteFinished {
            run,
            context: "must".to_owned(),
            verdict: SuiteVerdict::Passed,
            url: "job".to_owned(),
        },
        Event::BranchAdvanced { run },
    ]
}

#[test]
fn events_effects_pulls_and_runs_come_back_from_their_documents() {
    let mut queue = Story::of(with_suites()).queue;
    for event in history() {
        comes_back(&event);
        for effect in queue.handle(seconds(20), event) {
            comes_back(&effect);
        }
        queue.pulls().for_each(comes_back);
        queue.runs.values().for_each(comes_back);
        comes_back(queue.state());
    }
    assert!(queue.runs[&run_id(1)].is_over());
}
