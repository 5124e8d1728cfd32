//! A real worker against a small server that speaks the protocol, with real git and bubblewrap.

mod agent;
mod artifacts;
mod completion;
mod containers;
mod containment;
mod delivery;
mod execution;
mod faults;
#[path = "../../../tests/podman/mod.rs"]
mod podman;
mod secrets;
mod server;

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::podman::with_marker;
use self::server::{Server, TOKEN};
use super::{
    Executors, Isolation, Lifetime, Limits, Settings, Token, WorkerError, find_bubblewrap,
};
use crate::protocol::{Attempt, Order, Report};
use crate::public_address::Reach;
use paprq_core::ids::{AttemptNumber, JobId, WorkerId};
use paprq_core::suite::{Environment, Network, Suite, Variable};

/// No test waits longer than this for anything. A safety net only: virtual machines stand still
/// for many seconds, in which no test does anything wrong.
const DEADLINE: Duration = Duration::from_secs(180);

/// A worker that runs until it is dropped.
struct Worker {
    stop: CancellationToken,
    task: JoinHandle<Result<(), WorkerError>>,
    directory: tempfile::TempDir,
}

impl Worker {
    async fn start(server: &Server) -> Self {
        Self::start_with(server, |_settings| {}).await
    }

    async fn start_with(server: &Server, change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            server: server.url(),
            token: Token::new(TOKEN),
            name: WorkerId::new("tester"),
            slots: NonZeroU32::MIN,
            labels: vec!["fast".to_owned()],
            executors: Executors::sandbox(Isolation::Bubblewrap(
                find_bubblewrap().await.expect("package bubblewrap"),
            )),
            work_dir: directory.path().join("work"),
            limits: Limits {
                tasks: 100,
                scratch_bytes: 8 << 20,
                ..Limits::default()
            },
            reach: Reach::PublicOnly,
            lifetime: Lifetime::UntilStopped,
        };
        change(&mut settings);
        let stop = CancellationToken::new();
        let task = tokio::spawn(super::run(settings, stop.clone()));
        Self {
            stop,
            task,
            directory,
        }
    }

    /// Stops it and returns what it ended with.
    async fn stop(self) -> Result<(), WorkerError> {
        self.stop.cancel();
        self.ended().await
    }

    /// Waits for its own end.
    async fn ended(self) -> Result<(), WorkerError> {
        let ended = tokio::time::timeout(DEADLINE, self.task).await;
        ended.expect("the worker ends").unwrap()
    }

    fn rooms(&self) -> usize {
        let jobs = self.directory.path().join("work/jobs");
        std::fs::read_dir(jobs).map_or(0, Iterator::count)
    }
}

fn attempt(job: u64) -> Attempt {
    Attempt {
        job: JobId(job),
        number: AttemptNumber(1),
    }
}

/// The suite of these commands, without a network, with two hours.
fn suite(tests: &[&str]) -> Suite {
    let environment = Environment::Sandbox {
        network: Network::Off,
    };
    Suite {
        tests: tests.iter().map(|&test| test.to_owned()).collect(),
        ..Suite::new("unit", environment)
    }
}

fn variable(name: &str, value: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// Executes one order on a fresh worker; returns the log and the report.
async fn execute(change: impl FnOnce(&mut Order)) -> (String, Report) {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let done = server.execute(1, change).await;
    worker.stop().await.unwrap();
    done
}

/// The log with 0 for every number of seconds: how long a command took is the machine's affair.
fn timeless(log: &str) -> String {
    let timeless = |line: &str| {
        let seconds = line.rsplit([' ', ':']).find_map(|word| {
            let number = word.trim_end().strip_suffix('s')?;
            number.parse::<u64>().ok().map(|_seconds| number.to_owned())
        });
        match seconds {
            Some(number) if line.starts_with("### ") => {
                line.replacen(&format!(" {number}s"), " 0s", 1)
            }
            _ => line.to_owned(),
        }
    };
    log.split_inclusive('\n').map(timeless).collect()
}

/// Whether a process with this text in its command line is alive.
fn alive(marker: &str) -> bool {
    with_marker(marker).next().is_some()
}
