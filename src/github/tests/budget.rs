//! Who may call when, over real connections.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::Stopwatch;
use crate::github::scripted::{Scripted, Seen, meanwhile};
use crate::github::{Limits, Repo, Slug, Value};
use paprq_core::ids::PullNumber;

const PULL: &str = r#"{"number": 7, "head": {}, "base": {"ref": "main"}}"#;

fn repo(server: &Scripted, limits: Limits) -> Repo {
    let github = server.client(limits, Duration::from_secs(20));
    github.repo(Slug::new("octo", "hello"))
}

fn one_at_a_time() -> Limits {
    Limits {
        in_flight: 1,
        ..Limits::default()
    }
}

/// Asks for a pull of this number, which tells the requests apart.
fn ask(repo: &Repo, value: Value, number: u64) -> JoinHandle<bool> {
    let repo = repo.at(value);
    meanwhile(async move { repo.pull(PullNumber(number)).await.is_ok() })
}

fn number(seen: &Seen) -> u64 {
    seen.line.rsplit('/').next().unwrap().parse().unwrap()
}

/// Lets everything go on that can without the server.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn no_more_calls_than_allowed_are_ever_under_way() {
    let mut server = Scripted::start().await;
    let limits = Limits {
        in_flight: 3,
        ..Limits::default()
    };
    let repo = repo(&server, limits);
    let calls: Vec<_> = (0..9).map(|n| ask(&repo, Value::Landing, n)).collect();
    let mut under_way = Vec::new();
    for _ in 0..3 {
        under_way.push(server.next().await);
    }
    for _ in 0..6 {
        settle().await;
        assert!(server.is_quiet());
        under_way.remove(0).answer(200, PULL);
        under_way.push(server.next().await);
    }
    for seen in under_way {
        seen.answer(200, PULL);
    }
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test]
async fn of_those_that_wait_the_worthiest_go_first_and_equals_as_they_came() {
    let mut server = Scripted::start().await;
    let repo = repo(&server, one_at_a_time());
    let mut calls = vec![ask(&repo, Value::Background, 0)];
    let mut current = server.next().await;
    for (value, number) in [
        (Value::Background, 7),
        (Value::Visible, 5),
        (Value::Awaited, 3),
        (Value::Background, 8),
        (Value::Landing, 1),
        (Value::Visible, 6),
        (Value::Awaited, 4),
        (Value::Landing, 2),
    ] {
        calls.push(ask(&repo, value, number));
        settle().await;
    }
    let mut order = Vec::new();
    for _ in 0..8 {
        current.answer(200, PULL);
        current = server.next().await;
        order.push(number(&current));
    }
    current.answer(200, PULL);
    assert_eq!(order, [1, 2, 3, 4, 5, 6, 7, 8]);
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test]
async fn a_place_is_kept_for_landings() {
    let mut server = Scripted::start().await;
    let limits = Limits {
        in_flight: 2,
        ..Limits::default()
    };
    let repo = repo(&server, limits);
    let first = ask(&repo, Value::Background, 1);
    let slow = server.next().await;
    let second = ask(&repo, Value::Background, 2);
    let landing = ask(&repo, Value::Landing, 3);
    let overtaking = server.next().await;
    assert_eq!(number(&overtaking), 3);
    overtaking.answer(200, PULL);
    assert!(landing.await.unwrap());
    slow.answer(200, PULL);
    assert!(first.await.unwrap());
    server.next().await.answer(200, PULL);
    assert!(second.await.unwrap());
}

#[tokio::test]
async fn a_repository_whose_calls_hang_leaves_places_to_others_and_to_its_own_landings() {
    let mut server = Scripted::start().await;
    let limits = Limits {
        in_flight: 8,
        ..Limits::default()
    };
    let hanging = repo(&server, limits);
    let other = hanging.github.repo(Slug::new("octo", "other"));
    let calls: Vec<_> = (0..9).map(|n| ask(&hanging, Value::Visible, n)).collect();
    let first = server.next().await;
    let second = server.next().await;
    settle().await;
    assert!(server.is_quiet(), "a quarter of the places is taken");
    let beside = ask(&other, Value::Background, 20);
    server.next().await.answer(200, PULL);
    assert!(beside.await.unwrap());
    let landing = ask(&hanging, Value::Landing, 30);
    server.next().await.answer(200, PULL);
    assert!(landing.await.unwrap());
    settle().await;
    assert!(server.is_quiet());
    first.answer(200, PULL);
    second.answer(200, PULL);
    for _ in 2..9 {
        server.next().await.answer(200, PULL);
    }
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_gives_its_place_to_the_next() {
    let mut server = Scripted::start().await;
    let repo = repo(&server, one_at_a_time());
    let under_way = ask(&repo, Value::Landing, 1);
    let hanging = server.next().await;
    let queued = ask(&repo, Value::Landing, 2);
    settle().await;
    let last = ask(&repo, Value::Landing, 3);
    settle().await;
    queued.abort();
    under_way.abort();
    let next = server.next().await;
    assert_eq!(number(&next), 3);
    next.answer(200, PULL);
    assert!(last.await.unwrap());
    hanging.hang_up();
}

#[tokio::test]
async fn a_call_that_is_given_up_stands_in_nobodys_way() {
    let mut server = Scripted::start().await;
    let limits = Limits {
        points_per_min: 7,
        ..Limits::default()
    };
    let repo = repo(&server, limits).at(Value::Landing);
    let post = |repo: Repo| async move { repo.post_comment(PullNumber(7), "x").await.is_ok() };
    let first = meanwhile(post(repo.clone()));
    server.next().await.answer(201, "{}");
    assert!(first.await.unwrap());
    let too_dear = meanwhile(post(repo.clone()));
    settle().await;
    let cheap = ask(&repo, Value::Landing, 8);
    settle().await;
    assert!(server.is_quiet());
    too_dear.abort();
    server.next().await.answer(200, PULL);
    assert!(cheap.await.unwrap());
}

#[tokio::test]
async fn a_comment_that_must_wait_holds_up_nothing_else() {
    let mut server = Scripted::start().await;
    let limits = Limits {
        comments_per_min: 1,
        ..Limits::default()
    };
    let repo = repo(&server, limits);
    let post = |repo: Repo| async move { repo.post_comment(PullNumber(7), "x").await.is_ok() };
    let first = meanwhile(post(repo.clone()));
    server.next().await.answer(201, "{}");
    assert!(first.await.unwrap());
    let second = meanwhile(post(repo.at(Value::Landing)));
    settle().await;
    let read = ask(&repo, Value::Background, 8);
    let seen = server.next().await;
    assert_eq!(number(&seen), 8);
    seen.answer(200, PULL);
    assert!(read.await.unwrap());
    assert!(server.is_quiet());
    second.abort();
}

#[tokio::test]
async fn calls_that_wait_go_by_themselves_when_a_secondary_limit_is_over() {
    let mut server = Scripted::start().await;
    let repo = repo(&server, one_at_a_time());
    let limited = ask(&repo, Value::Landing, 1);
    let seen = server.next().await;
    let waiting = ask(&repo, Value::Landing, 2);
    settle().await;
    let since = Stopwatch::start();
    seen.answer_with(403, &[("retry-after", "1")], r#"{"message": "secondary"}"#);
    assert!(!limited.await.unwrap());
    let next = server.next().await;
    assert!(since.elapsed() >= Duration::from_millis(990));
    next.answer(200, PULL);
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn scarcity_is_felt_by_the_least_worthy_first() {
    let mut server = Scripted::start().await;
    let repo = repo(&server, Limits::default());
    let scarce = |value| repo.github.is_scarce(value);
    assert!(!scarce(Value::Background));
    let call = ask(&repo, Value::Landing, 1);
    let headers = [
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "900"),
        ("x-ratelimit-reset", "99999999999"),
    ];
    server.next().await.answer_with(200, &headers, PULL);
    assert!(call.await.unwrap());
    assert!(scarce(Value::Background) && !scarce(Value::Visible) && !scarce(Value::Landing));
}
