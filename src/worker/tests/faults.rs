//! What is the worker's fault costs no suite anything, and the worker looks after itself.

use super::server::Server;
use super::{Worker, suite};
use crate::protocol::{Executor, JobOutcome, WorkerFault};

#[tokio::test]
async fn a_worker_without_room_gives_jobs_back_and_asks_again_when_it_has_room() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    server.until(|state| state.claims.first().map(|_| ())).await;
    let rooms = worker.directory.path().join("work/jobs");
    std::fs::write(&rooms, "in the way").unwrap();
    let attempt = server.order(1, |_order| {});
    let (log, report) = server.report(attempt).await;
    let message = "The worker's files or processes failed.".to_owned();
    assert_eq!(report.outcome, JobOutcome::Error { message });
    assert_eq!(report.fault, Some(WorkerFault::CannotBegin));
    assert_eq!((log.as_str(), report.log_bytes), ("", 0));
    server
        .until(|state| state.claims.last()?.executors.is_empty().then_some(()))
        .await;
    std::fs::remove_file(&rooms).unwrap();
    server
        .until(|state| (state.claims.last()?.executors == [Executor::Sandbox]).then_some(()))
        .await;
    let (log, report) = server.execute(2, |_order| {}).await;
    assert_eq!(
        (report.outcome, report.fault),
        (JobOutcome::Passed, None),
        "{log}"
    );
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_worker_whose_sandbox_does_not_start_gives_jobs_back_with_the_reason_in_their_log() {
    let server = Server::start();
    let worker = Worker::start_with(&server, |settings| {
        // bubblewrap mounts nothing of no size.
        settings.limits.scratch_bytes = 0;
    })
    .await;
    let attempt = server.order(1, |order| order.suite = suite(&["true"]));
    let (log, report) = server.report(attempt).await;
    assert_eq!(report.fault, Some(WorkerFault::CannotBegin), "{log}");
    assert!(log.contains("### The worker's "), "{log}");
    worker.stop().await.unwrap();
}
