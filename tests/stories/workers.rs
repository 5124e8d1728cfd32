//! Workers on other machines, and workers that die.

use std::process::{Child, Command, Stdio};

use paprq_practice::StatusState;

use crate::world::{REPO, Settings, WORKER_TOKEN, World};

pub(crate) struct Worker(Child);

impl Worker {
    fn start(world: &World, name: &str) -> Self {
        Self::start_with(world, name, &[])
    }

    /// One with more arguments.
    pub(crate) fn start_with(world: &World, name: &str, arguments: &[&str]) -> Self {
        let token = world.path("worker-token");
        std::fs::write(&token, WORKER_TOKEN).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_paprq"))
            .args(["worker", "--name", name, "--server"])
            .arg(format!("http://{}", world.address()))
            .arg("--token-file")
            .arg(&token)
            .arg("--work-dir")
            .arg(world.path(name))
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(world.stderr_of_worker())
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .spawn();
        Self(child.unwrap())
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _status = self.0.wait();
    }
}

pub(crate) fn without_local_workers() -> Settings {
    Settings {
        local_workers: 0,
        ..Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_worker_needs_one_token_and_nothing_else() {
    let world = World::start_with(without_local_workers()).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let _worker = Worker::start(&world, "far");
    world.until_merged(pull).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_killed_worker_runs_again() {
    let world = World::start_with(without_local_workers()).await;
    let before = world.base();
    let pull = world.open_pull("slow", &[("fine.sh", "echo started; sleep 2\n")]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    let mut first = Worker::start(&world, "first");
    world
        .until_status(merge, "unit", StatusState::Pending)
        .await;
    first.kill();
    // The same name again: the server learns at once that the first one's job is lost.
    let _second = Worker::start(&world, "first");
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    world.assert_landed_once(pull, before);
}
