//! Webhooks: GitHub's own examples, each event's mapping, and bodies that are none.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use paprq_core::queue::event::{Comment, HeadRepo, PullState, Verdict};

/// The variants of GitHub whose examples the npm package `@octokit/webhooks-examples` has.
const SERVERS: [&str; 6] = [
    "api.github.com",
    "ghes-31",
    "ghes-32",
    "ghes-33",
    "ghes-34",
    "ghes-35",
];

/// One payload that GitHub's own documentation shows.
#[derive(Debug)]
struct Example {
    event: String,
    payload: Value,
}

fn examples() -> Vec<Example> {
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/webhooks-examples");
    let mut examples = Vec::new();
    for server in SERVERS {
        let path = format!("{package}/{server}/index.json");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{path}: {error}; run tests/fixtures.sh first"));
        let events: Vec<Value> = serde_json::from_str(&text).unwrap();
        for event in events {
            let name = event["name"].as_str().unwrap();
            examples.extend(
                event["examples"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|payload| Example {
                        event: name.to_owned(),
                        payload: payload.clone(),
                    }),
            );
        }
    }
    examples
}

fn told(event: &str, payload: &Value) -> Told {
    read(event, payload.to_string().as_bytes()).unwrap()
}

fn fact(event: &str, payload: &Value) -> Option<Event> {
    told(event, payload).event
}

/// What an event is, in a word.
fn sort(event: Option<&Event>) -> &'static str {
    match event {
        None => "nothing",
        Some(Event::PullSeen { .. }) => "PullSeen",
        Some(Event::HeadPushed { .. }) => "HeadPushed",
        Some(Event::CommentMade { .. }) => "CommentMade",
        Some(Event::BranchPushed { .. }) => "BranchPushed",
        Some(Event::StatusReported { .. }) => "StatusReported",
        Some(Event::CheckRunReported { .. }) => "CheckRunReported",
        Some(Event::CheckSuiteCompleted { .. }) => "CheckSuiteCompleted",
        other => panic!("no webhook tells {other:?}"),
    }
}

#[test]
fn every_example_of_github_is_read_and_tells_what_its_event_must() {
    let examples = examples();
    assert!(examples.len() > 400, "only {} examples", examples.len());
    for Example { event, payload } in &examples {
        let told = told(event, payload);
        let action = payload["action"].as_str().unwrap_or("");
        let expected = match (event.as_str(), action) {
            ("pull_request", "opened" | "synchronize") => "HeadPushed",
            ("pull_request", _) => "PullSeen",
            ("issue_comment", "created") if payload["issue"]["pull_request"].is_object() => {
                "CommentMade"
            }
            ("pull_request_review_comment", "created") => "CommentMade",
            ("pull_request_review", "submitted") if payload["review"]["body"].is_string() => {
                "CommentMade"
            }
            ("push", _) if payload["ref"].as_str().unwrap().starts_with("refs/heads/") => {
                "BranchPushed"
            }
            ("status", _) => "StatusReported",
            ("check_run", _) => "CheckRunReported",
            ("check_suite", "completed") => "CheckSuiteCompleted",
            _ => "nothing",
        };
        assert_eq!(sort(told.event.as_ref()), expected, "{event} {action}");
        let full_name = payload["repository"]["full_name"].as_str();
        assert_eq!(told.repo.map(|repo| repo.to_string()).as_deref(), full_name);
        let sender = payload["sender"]["login"].as_str();
        assert_eq!(told.sender.as_ref().map(Login::as_str), sender);
    }
}

#[test]
fn every_example_of_a_pull_gives_its_facts() {
    let mut seen = 0;
    for Example { event, payload } in examples() {
        let pull = &payload["pull_request"];
        let facts = match fact(&event, &payload) {
            Some(Event::PullSeen { facts, source }) => {
                assert_eq!(source, Source::Webhook);
                facts
            }
            Some(Event::HeadPushed { facts, by }) => {
                assert_eq!(by.as_str(), payload["sender"]["login"].as_str().unwrap());
                facts
            }
            _ => continue,
        };
        let owner = pull["head"]["repo"]["owner"]["login"].as_str();
        let head_repo = match owner {
            _ if pull["head"]["repo"]["id"] == pull["base"]["repo"]["id"] => HeadRepo::Base,
            Some(owner) => HeadRepo::Of(Login::new(owner)),
            None => HeadRepo::Unsaid,
        };
        assert_eq!(facts.head_repo, head_repo);
        assert_eq!(facts.number.0, pull["number"].as_u64().unwrap());
        assert_eq!(facts.title, pull["title"].as_str().unwrap());
        assert_eq!(facts.body, pull["body"].as_str().unwrap_or(""));
        assert_eq!(
            facts.author.as_str(),
            pull["user"]["login"].as_str().unwrap()
        );
        assert_eq!(
            facts.head.to_string(),
            pull["head"]["sha"].as_str().unwrap()
        );
        assert_eq!(facts.head_label, pull["head"]["label"].as_str().unwrap());
        assert_eq!(facts.base.as_str(), pull["base"]["ref"].as_str().unwrap());
        assert_eq!(facts.draft, pull["draft"].as_bool().unwrap_or(false));
        assert_eq!(facts.mergeable, pull["mergeable"].as_bool());
        let closed = pull["state"] == "closed";
        assert_eq!(facts.state != PullState::Open, closed);
        let at: jiff::Timestamp = pull["updated_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(facts.updated_at.0, at.as_millisecond());
        seen += 1;
    }
    assert!(seen > 40, "only {seen}");
}

fn comment_payload() -> Value {
    json!({
        "action": "created",
        "repository": {"full_name": "octo/hello"},
        "sender": {"login": "ann"},
        "issue": {"number": 5, "pull_request": {"url": "…"}},
        "pull_request": {"number": 6},
        "comment": {
            "id": 77, "user": {"login": "Ann"}, "body": "@bot r+", "created_at": "2024-01-02T03:04:05Z",
            "html_url": "https://github.example/octo/hello/pull/5#issuecomment-77",
            "commit_id": "1111111111111111111111111111111111111111",
        },
        "review": {
            "id": 78, "user": {"login": "Ann"}, "body": "@bot r+", "submitted_at": "2024-01-02T03:04:06Z",
            "state": "approved", "commit_id": "2222222222222222222222222222222222222222",
            "html_url": "https://github.example/octo/hello/pull/6#pullrequestreview-78",
        },
    })
}

fn made(event: &str, payload: &Value) -> (u64, Comment) {
    match fact(event, payload) {
        Some(Event::CommentMade { pull, comment }) => (pull.0, comment),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_comment_is_told_with_its_author_moment_and_address() {
    let (pull, comment) = made("issue_comment", &comment_payload());
    assert_eq!(pull, 5);
    assert_eq!(comment.author, Login::new("ann"));
    assert_eq!(comment.key.at.0, 1_704_164_645_000);
    assert_eq!((comment.key.id, comment.key.sort), (77, CommentSort::Issue));
    assert_eq!(comment.body, "@bot r+");
    assert_eq!(comment.standing, None);
    assert!(comment.url.ends_with("#issuecomment-77"));
}

#[test]
fn a_comment_on_an_issue_that_is_no_pull_tells_nothing() {
    let mut payload = comment_payload();
    payload["issue"]["pull_request"] = Value::Null;
    assert_eq!(fact("issue_comment", &payload), None);
}

#[test]
fn unknown_actions_and_events_tell_nothing_and_are_not_even_read() {
    let payload = |action: &str| json!({"action": action, "comment": 7, "pull_request": "?"});
    for (event, action) in [
        ("issue_comment", "edited"),
        ("issue_comment", "deleted"),
        ("issue_comment", "CREATED"),
        ("pull_request", "teleported"),
        ("pull_request_review", "edited"),
        ("pull_request_review", "dismissed"),
        ("pull_request_review_comment", "edited"),
        ("check_run", "teleported"),
        ("gollum", "created"),
        ("ping", ""),
    ] {
        assert_eq!(fact(event, &payload(action)), None, "{event} {action}");
    }
}

#[test]
fn a_review_is_about_its_commit_and_only_told_if_it_says_something() {
    let mut payload = comment_payload();
    payload["action"] = json!("submitted");
    let (pull, comment) = made("pull_request_review", &payload);
    assert_eq!(pull, 6);
    assert_eq!(comment.key.sort, CommentSort::Review);
    assert_eq!(comment.key.at.0, 1_704_164_646_000);
    assert_eq!(comment.commit.unwrap().short(), "2222222");
    for empty in [json!(""), Value::Null] {
        payload["review"]["body"] = empty;
        assert_eq!(fact("pull_request_review", &payload), None);
    }
}

#[test]
fn a_review_comment_is_about_its_commit() {
    let (pull, comment) = made("pull_request_review_comment", &comment_payload());
    assert_eq!(pull, 6);
    assert_eq!(comment.key.sort, CommentSort::ReviewComment);
    assert_eq!(comment.commit.unwrap().short(), "1111111");
}

#[test]
fn pushes_to_branches_are_told_and_pushes_of_tags_are_not() {
    let push = |reference: &str| {
        json!({
            "ref": reference,
            "before": "1111111111111111111111111111111111111111",
            "after": "0000000000000000000000000000000000000000",
            "repository": { "full_name": "octo/hello", "pushed_at": 1_700_000_000 },
        })
    };
    assert_eq!(
        fact("push", &push("refs/heads/release/1.0")),
        Some(Event::BranchPushed {
            branch: BranchName::new("release/1.0"),
            before: "1111111111111111111111111111111111111111".parse().unwrap(),
            after: CommitId::ZERO,
            at: Some(Timestamp(1_700_000_000_000)),
        })
    );
    assert_eq!(fact("push", &push("refs/tags/v1")), None);
}

#[test]
fn statuses_pass_only_by_success() {
    for (state, verdict) in [
        ("success", Verdict::Passed),
        ("pending", Verdict::Pending),
        ("failure", Verdict::Failed),
        ("error", Verdict::Failed),
    ] {
        let sha = "3333333333333333333333333333333333333333";
        let payload = json!({"sha": sha, "context": "ci/x", "state": state, "target_url": null});
        assert_eq!(
            fact("status", &payload),
            Some(Event::StatusReported {
                commit: sha.parse().unwrap(),
                context: "ci/x".to_owned(),
                verdict,
                url: None,
                order: None,
            })
        );
    }
}

#[test]
fn the_repository_is_found_by_either_way_of_naming_it() {
    for repository in [
        json!({"full_name": "octo/hello"}),
        json!({"name": "hello", "owner": {"login": "octo"}}),
        json!({"name": "hello", "owner": {"name": "octo", "login": null}}),
    ] {
        let body = json!({"zen": "…", "repository": repository}).to_string();
        let repo = Payload::parse(body.as_bytes()).unwrap().repo();
        assert_eq!(repo, Some(Slug::new("Octo", "Hello")));
    }
    assert_eq!(Payload::parse(b"{}").unwrap().repo(), None);
}

#[test]
fn what_is_no_json_object_is_refused() {
    for body in ["", "r+", "[]", "null", "7", "{", "payload=%7B%7D"] {
        let refused = read("push", body.as_bytes());
        assert!(matches!(refused, Err(BadPayload::NotAPayload(_))), "{body}");
    }
}

#[test]
fn a_known_event_without_its_object_is_refused_by_name() {
    for event in ["push", "status"] {
        let refused = read(event, b"{}");
        assert!(
            matches!(refused, Err(BadPayload::Incomplete { event: name, .. }) if name == event)
        );
    }
    let refused = read("check_run", br#"{"action": "completed"}"#);
    assert!(matches!(refused, Err(BadPayload::Incomplete { .. })));
}

/// What may be put in the place of any value.
fn stray() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        Just(json!(-1)),
        Just(json!("\u{0}é")),
        any::<u64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(|text| json!(text)),
    ]
}

/// Replaces the value that `steps` lead to; each picks one child of an object or a list.
fn replace(value: &mut Value, steps: &[usize], by: Value) {
    let Some((&step, rest)) = steps.split_first() else {
        *value = by;
        return;
    };
    let children: Vec<&mut Value> = if value.is_object() {
        value.as_object_mut().unwrap().values_mut().collect()
    } else if value.is_array() {
        value.as_array_mut().unwrap().iter_mut().collect()
    } else {
        Vec::new()
    };
    let nth = step % children.len().max(1);
    match children.into_iter().nth(nth) {
        Some(child) => replace(child, rest, by),
        None => *value = by,
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in any::<Vec<u8>>(), event in 0..7_usize) {
        let events = ["issue_comment", "pull_request", "pull_request_review",
            "pull_request_review_comment", "push", "status", "check_run"];
        drop(read(events[event], &body));
    }
}

#[test]
fn mutated_examples_never_panic() {
    let examples = examples();
    let known: Vec<&Example> = examples
        .iter()
        .filter(|example| fact(&example.event, &example.payload).is_some())
        .collect();
    assert!(known.len() > 60);
    let mutation = (
        0..known.len(),
        proptest::collection::vec(any::<usize>(), 1..5),
        stray(),
        any::<usize>(),
    );
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let outcome = runner.run(&mutation, |(nth, steps, by, cut)| {
        let mut payload = known[nth].payload.clone();
        replace(&mut payload, &steps, by);
        let body = payload.to_string();
        drop(read(&known[nth].event, body.as_bytes()));
        let cut = cut % body.len();
        let half = read(&known[nth].event, &body.as_bytes()[..cut]);
        prop_assert!(half.is_err());
        Ok(())
    });
    outcome.unwrap();
}
