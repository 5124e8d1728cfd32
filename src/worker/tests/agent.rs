//! The loop: claims, slots, refusals, ends, leftovers.

use std::num::NonZeroU32;

use super::server::Server;
use super::{DEADLINE, Worker, alive, suite};
use crate::protocol::{Executor, JobOutcome};
use crate::worker::testing::nest;
use crate::worker::{Executors, Isolation, Lifetime, Token, WorkerError};
use paprq_core::ids::AttemptNumber;

#[tokio::test]
async fn a_claim_says_what_the_worker_is_and_what_it_runs() {
    let server = Server::start();
    let two = |settings: &mut crate::worker::Settings| settings.slots = NonZeroU32::new(2).unwrap();
    let worker = Worker::start_with(&server, two).await;
    let first = server.order(1, |order| order.suite = suite(&["sleep 1000"]));
    let claim = server.until(|state| state.claims.get(1).cloned()).await;
    assert_eq!(claim.worker.as_str(), "tester");
    assert_eq!(claim.labels, ["fast"]);
    assert_eq!(claim.executors, [Executor::Sandbox]);
    assert_eq!((claim.slots_free, claim.running), (1, vec![first]));
    let second = server.order(2, |order| {
        order.suite = suite(&["echo started; sleep 1000"]);
    });
    server.until_printed(second, "started").await;
    assert_eq!(server.change(|state| state.claims.len()), 2);
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_token_ends_the_worker() {
    let server = Server::start();
    let worker = Worker::start_with(&server, |settings| settings.token = Token::new("wrong")).await;
    assert!(matches!(
        worker.ended().await,
        Err(WorkerError::Unauthorized)
    ));
}

#[tokio::test]
async fn an_idle_worker_ends_if_it_is_told_to() {
    let server = Server::start();
    let jobs = [server.order(1, |_order| {}), server.order(2, |_order| {})];
    let idle = |settings: &mut crate::worker::Settings| settings.lifetime = Lifetime::UntilIdle;
    let worker = Worker::start_with(&server, idle).await;
    worker.ended().await.unwrap();
    for job in jobs {
        assert_eq!(server.report(job).await.1.outcome, JobOutcome::Passed);
    }
}

#[tokio::test]
async fn a_worker_waits_for_a_server_that_is_away() {
    let mut server = Server::start();
    server.go_away().await;
    let worker = Worker::start(&server).await;
    server.come_back();
    let (_log, report) = server.execute(1, |_order| {}).await;
    assert_eq!(report.outcome, JobOutcome::Passed);
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_restarts_gets_the_whole_log() {
    let mut server = Server::start();
    let worker = Worker::start(&server).await;
    let attempt = server.order(1, |order| {
        let print = "i=0; while [ ! -e stop ]; do echo line $((i+=1)); done";
        order.suite = suite(&[print]);
        order.log_bytes_max = 1 << 30;
    });
    server.until_printed(attempt, "line 1\n").await;
    server.go_away().await;
    let room = worker.directory.path().join("work/jobs/1-1");
    let length = || std::fs::metadata(room.join("log")).unwrap().len();
    let before = length();
    let printed = tokio::time::timeout(DEADLINE, async {
        while length() < before + 10_000 {
            tokio::task::yield_now().await;
        }
    });
    printed.await.expect("the suite goes on without a server");
    server.come_back();
    std::fs::write(room.join("checkout/stop"), "").unwrap();
    let (log, report) = server.report(attempt).await;
    assert_eq!(report.outcome, JobOutcome::Passed);
    assert_eq!(report.log_bytes, log.len() as u64);
    let lines = log.lines().filter_map(|line| line.strip_prefix("line "));
    let mut last = 0;
    for number in lines {
        last += 1;
        assert_eq!(number, last.to_string());
    }
    assert!(last > 100);
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn an_attempt_whose_lease_must_have_ended_is_given_up() {
    let mut server = Server::start();
    let worker = Worker::start(&server).await;
    let marker = "marker-lease-3141";
    let attempt = server.order(1, |order| {
        order.lease_s = 1;
        order.suite = suite(&[&format!("echo started; exec -a {marker} sleep 1000")]);
    });
    server.until_printed(attempt, "started").await;
    server.go_away().await;
    let gone = tokio::time::timeout(DEADLINE, async {
        while alive(marker) {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("the command is killed");
    server.come_back();
    server
        .until(|state| {
            let claim = state.claims.last()?;
            (state.claims.len() > 1 && claim.running.is_empty()).then_some(())
        })
        .await;
    assert_eq!(
        server.change(|state| state.attempts[&attempt].reports.len()),
        0
    );
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn silence_is_broken_by_beats() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let attempt = server.order(1, |order| {
        order.lease_s = 1;
        order.suite = suite(&["sleep 1000"]);
    });
    server
        .until(|state| (state.attempts[&attempt].beats >= 5).then_some(()))
        .await;
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn one_directory_serves_one_worker_and_is_cleaned_at_the_start() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    server
        .execute(1, |order| {
            order.suite = suite(&["mkdir -p a/b; chmod 0 a/b a"]);
        })
        .await;
    server
        .until(|state| state.claims.get(1).map(|_claim| ()))
        .await;
    assert_eq!(worker.rooms(), 0);
    let taken = worker.directory.path().join("work");
    let second = Worker::start_with(&server, |settings| settings.work_dir = taken.clone()).await;
    assert!(matches!(
        second.ended().await,
        Err(WorkerError::DirectoryTaken(_))
    ));

    let left = tempfile::tempdir().unwrap();
    let jobs = left.path().join("jobs/7-1");
    std::fs::create_dir_all(&jobs).unwrap();
    std::fs::write(jobs.join("wait.sh"), "sleep 1000; true").unwrap();
    let mut orphan = tokio::process::Command::new("bash")
        .arg(jobs.join("wait.sh"))
        .spawn()
        .unwrap();
    let path = left.path().to_owned();
    let third = Worker::start_with(&server, |settings| settings.work_dir = path).await;
    let killed = tokio::time::timeout(DEADLINE, orphan.wait()).await.unwrap();
    assert!(!killed.unwrap().success());
    third.stop().await.unwrap();
    assert!(!jobs.exists());
    worker.stop().await.unwrap();
}

/// As deep as no stack, no path and no number of open files goes.
const NEST: &str = "perl -e 'for (1..15_000) { mkdir q(d) or die; chdir q(d) or die }'";

#[tokio::test]
async fn a_suite_that_leaves_a_bottomless_tree_takes_nobody_along() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let done = server.execute(1, |order| order.suite = suite(&[NEST, "chmod 0 d"]));
    let (log, report) = done.await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    let (log, report) = server.execute(2, |_order| {}).await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    server
        .until(|state| state.claims.get(2).map(|_claim| ()))
        .await;
    assert_eq!(worker.rooms(), 0);
    let left = worker.directory.path().join("work/leftovers");
    let left = std::fs::read_dir(left).unwrap().count();
    assert_eq!(left, 0, "it was deleted at once");
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_worker_starts_beside_what_it_cannot_delete() {
    let server = Server::start();
    let left = tempfile::tempdir().unwrap();
    let jobs = left.path().join("jobs");
    nest(&jobs, 15_000);
    // Something that is in the way of deleting, and of moving what is to be deleted.
    std::fs::write(left.path().join("leftovers"), "").unwrap();
    let path = left.path().to_owned();
    let worker = Worker::start_with(&server, |settings| settings.work_dir = path.clone()).await;
    let (log, report) = server.execute(1, |_order| {}).await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    worker.stop().await.unwrap();
    assert!(jobs.exists());

    std::fs::remove_file(left.path().join("leftovers")).unwrap();
    let worker = Worker::start_with(&server, |settings| settings.work_dir = path.clone()).await;
    let gone = tokio::time::timeout(DEADLINE, async {
        let count = |name: &str| {
            let entries = std::fs::read_dir(left.path().join(name));
            entries.map_or(1, Iterator::count)
        };
        while jobs.exists() || count("leftovers") > 0 {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("what was left is deleted");
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn the_demo_runs_its_own_samples_without_a_sandbox() {
    let server = Server::start();
    let bare = |settings: &mut crate::worker::Settings| {
        settings.executors = Executors::sandbox(Isolation::None);
    };
    let worker = Worker::start_with(&server, bare).await;
    let (log, report) = server
        .execute(1, |order| {
            order.suite = suite(&["cat greeting; echo \"${PAPRQ_REMOTE-none}\""]);
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    assert!(log.contains("\nhello\nnone\n### COMPLETED"), "{log}");
    let marker = "marker-bare-2718";
    let (_log, report) = server
        .execute(2, |order| {
            order.suite = suite(&[&format!("exec -a {marker} sleep 1000")]);
            order.suite.timeout_s = 1;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::TimedOut);
    assert!(!alive(marker));
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_job_that_comes_again_is_a_new_attempt() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    for number in 1..=2 {
        let change = |order: &mut crate::protocol::Order| {
            order.attempt.number = AttemptNumber(number);
            order.suite = suite(&["test ! -e left; touch left"]);
        };
        let attempt = server.order(1, change);
        assert_eq!(server.report(attempt).await.1.outcome, JobOutcome::Passed);
    }
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn several_workers_live_in_one_process_and_stop_without_their_server() {
    let server = Server::start();
    let mut workers = Vec::new();
    for name in ["one", "two"] {
        let named = |settings: &mut crate::worker::Settings| {
            settings.name = paprq_core::ids::WorkerId::new(name);
        };
        workers.push(Worker::start_with(&server, named).await);
    }
    let markers = ["marker-one-1414", "marker-two-1414"];
    for (job, marker) in [1, 2].into_iter().zip(markers) {
        let attempt = server.order(job, |order| {
            order.suite = suite(&[&format!("echo started; exec -a {marker} sleep 1000")]);
        });
        server.until_printed(attempt, "started\n").await;
    }
    server.go_away().await;
    for worker in workers {
        worker.stop().await.unwrap();
    }
    assert!(!markers.into_iter().any(alive));
}
