//! Workers whose disks are full: no pull pays for them.

use std::process::{Child, Command, Stdio};

use paprq_practice::StatusState;

use crate::world::{REPO, Settings, WORKER_TOKEN, World};

/// What a worker says when it cannot begin or end a job.
const GIVEN_BACK: &str = "a worker gives a job back that it cannot execute";

/// Mounts a disk of its own for a program, and becomes the program.
const ON_A_DISK: &str = "mount -t tmpfs -o \"$1\" none \"$2\" && shift 2 && exec \"$@\"";

struct Worker(Child);

impl Worker {
    /// Starts one whose work directory is on a small disk of these mount options, which nobody
    /// else sees.
    fn on_a_disk(world: &World, name: &str, options: &str) -> Self {
        Self::start(world, name, Some(options))
    }

    fn start(world: &World, name: &str, disk: Option<&str>) -> Self {
        let (token, directory) = (world.path("worker-token"), world.path(name));
        std::fs::write(&token, WORKER_TOKEN).unwrap();
        std::fs::create_dir(&directory).unwrap();
        let mut command = match disk {
            None => Command::new(env!("CARGO_BIN_EXE_paprq")),
            Some(options) => {
                let mut command = Command::new("unshare");
                if !rustix::process::geteuid().is_root() {
                    command.args(["--map-root-user", "--map-auto"]);
                }
                command
                    .args(["--mount", "sh", "-c", ON_A_DISK, "sh", options])
                    .arg(&directory)
                    .arg(env!("CARGO_BIN_EXE_paprq"));
                command
            }
        };
        let child = command
            .args(["worker", "--name", name, "--server"])
            .arg(format!("http://{}", world.address()))
            .arg("--token-file")
            .arg(&token)
            .arg("--work-dir")
            .arg(&directory)
            .stdin(Stdio::null())
            .stderr(world.stderr_of_worker())
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .spawn();
        Self(child.expect("the package util-linux"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _status = self.0.wait();
    }
}

fn settings() -> Settings {
    Settings {
        local_workers: 0,
        ..Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_inodes_costs_a_merge_nothing() {
    let world = World::start_with(settings()).await;
    world.expects("no room for a job");
    world.expects("no such jobs can be begun");
    world.expects(GIVEN_BACK);
    let pull = world.open_pull("good", &[("a", "1")]);
    let _sick = Worker::on_a_disk(&world, "sick", "nr_inodes=6");
    world.tell(pull, "r+");
    world.until_logged(GIVEN_BACK, 1).await;
    let page = world.page("/workers").await;
    let told = "The worker&#39;s disk has no inodes left.";
    assert!(page.contains(told), "{page}");
    // Looking again, it finds nothing better, and asks for nothing.
    let _well = Worker::start(&world, "well", None);
    world.until_merged(pull).await;
    world.hear(pull, ":sunny: Test successful").await;
    let given_back = world.log().matches(GIVEN_BACK).count();
    assert_eq!(given_back, 1, "{}", world.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_a_suite_finds_full_is_no_failed_test() {
    let world = World::start_with(settings()).await;
    world.expects(GIVEN_BACK);
    let fill = "echo begun; head -c 200M /dev/zero >big; sync; sleep 3; echo all is fine\n";
    let pull = world.open_pull("large", &[("fine.sh", fill)]);
    world.tell(pull, "r+");
    world.hear(pull, ":hourglass: Testing").await;
    let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
    let _small = Worker::on_a_disk(&world, "small", "size=420m");
    world.until_logged(GIVEN_BACK, 1).await;
    assert!(world.log().contains("The worker's disk is full."));
    let _large = Worker::start(&world, "large", None);
    world.until_merged(pull).await;
    world
        .until_status(merge, "unit", StatusState::Success)
        .await;
    assert_eq!(world.count(pull, ":broken_heart:"), 0);
}
