//! Suites in real containers, from a pull request to what lands.

use paprq_practice::StatusState;

use crate::oracle::words;
use crate::podman::{IMAGE, Podman};
use crate::workers::{Worker, without_local_workers};
use crate::world::{Settings, World};

/// A team whose suite runs in a container, and a worker that takes such.
struct Site {
    world: World,
    podman: Podman,
    _worker: Worker,
}

impl Site {
    async fn start(tests: &str) -> Self {
        let file = format!(
            "context: unit\ncontainer: {{image: '{IMAGE}'}}\nbranches: [auto]\ntests:\n{tests}"
        );
        let podman = Podman::start();
        let settings = Settings {
            files: vec![(".papr.yml".to_owned(), file)],
            ..without_local_workers()
        };
        let world = World::start_with(settings).await;
        let address = podman.address().await;
        let arguments = ["--executor", "container", "--engine", &address];
        let worker = Worker::start_with(&world, "builder", &arguments);
        Self {
            world,
            podman,
            _worker: worker,
        }
    }

    async fn log(&self, commit: paprq_core::ids::CommitId) -> String {
        let (_, _, job) = words(&self.world, commit, "unit");
        let path = job.strip_prefix("https://paprq.example").unwrap();
        self.world.page(&format!("{path}/log")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_passes_in_a_container_lands() {
    let site = Site::start(
        "  - echo \"pull ${PAPR_PULL_ID:-none} of $RHCI_COMMIT in $(pwd)\"\n  - test -d .git && cat a\n",
    )
    .await;
    let Site { world, podman, .. } = &site;
    let pull = world.open_pull("good", &[("a", "in the container\n")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Success).await;
    let log = site.log(head).await;
    let expected = format!("pull {pull} of {head} in /var/tmp/checkout\n");
    for said in [&*expected, "### TESTSUITE unit\n", "\nin the container\n"] {
        assert!(log.contains(said), "{said} is not in {log}");
    }
    // Another tree: the pull alone is not what lands.
    let practice = &world.practice;
    practice
        .commit(crate::world::REPO, "master", [("b", "1")], "Move", "alice")
        .unwrap();
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    let landed = world.base();
    world
        .until_status(landed, "unit", StatusState::Success)
        .await;
    let expected = format!("pull none of {landed} in /var/tmp/checkout\n");
    let log = site.log(landed).await;
    assert!(log.contains(&expected), "{log}");
    assert_eq!(podman.containers(), [""; 0]);
}

/// What the server says when a job comes back.
const GIVEN_BACK: &str = "a worker gives a job back that it cannot execute";

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_out_of_reach_costs_a_merge_nothing() {
    let image = "127.0.0.1:1/unit";
    let file = format!("context: unit\ncontainer: {{image: '{image}'}}\ntests:\n  - 'true'\n");
    let settings = Settings {
        files: vec![(".papr.yml".to_owned(), file)],
        ..without_local_workers()
    };
    let world = World::start_with(settings).await;
    let (bare, stocked) = (Podman::start(), Podman::start());
    stocked.run(&["tag", IMAGE, image]);
    let pull = world.open_pull("good", &[("a", "1")]);
    let address = bare.address().await;
    let _bare = Worker::start_with(
        &world,
        "bare",
        &["--executor", "container", "--engine", &address],
    );
    world.tell(pull, "r+");
    world.expects(GIVEN_BACK);
    world.until_logged(GIVEN_BACK, 1).await;
    assert!(
        world.log().contains("Could not pull image"),
        "{}",
        world.log()
    );
    let address = stocked.address().await;
    let _stocked = Worker::start_with(
        &world,
        "stocked",
        &["--executor", "container", "--engine", &address],
    );
    world.until_merged(pull).await;
    assert_eq!(world.count(pull, ":broken_heart:"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_ends_the_container_of_what_was_there_before() {
    let site = Site::start("  - cat a; test \"$(cat a)\" = quick || sleep 600\n").await;
    let Site { world, podman, .. } = &site;
    let pull = world.open_pull("good", &[("a", "slow\n")]);
    let head = world.head(pull);
    world.until_status(head, "unit", StatusState::Pending).await;
    let before = loop {
        if let [name] = &*podman.containers() {
            break name.clone();
        }
    };
    let head = world.push("good", &[("a", "quick\n")]);
    world.until_status(head, "unit", StatusState::Success).await;
    let log = site.log(head).await;
    assert!(log.contains("\nquick\n"), "{log}");
    assert!(!podman.containers().contains(&before));
}
