//! Suites in real containers, in the test's own Podman.

mod preparing;

use super::completion::Forge;
use super::podman::{IMAGE, Podman};
use super::server::{Server, Verdict};
use super::{Worker, alive, attempt, suite, timeless, variable};
use crate::protocol::{Executor, JobOutcome, Order, Report, WorkerFault};
use crate::worker::{ContainerEngine, Executors, Settings, find_container_engine};
use paprq_core::suite::{Checkout, ContainerSpecs, Environment, Lfs, Submodules};

/// A worker that offers containers, with its server and its engine.
struct Stage {
    worker: Worker,
    server: Server,
    podman: Podman,
}

async fn engine(podman: &Podman) -> ContainerEngine {
    let address = podman.address().await;
    find_container_engine(Some(&address)).await.unwrap()
}

impl Stage {
    async fn start() -> Self {
        Self::start_with(|_settings| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_in(Podman::start(), change).await
    }

    async fn start_in(podman: Podman, change: impl FnOnce(&mut Settings)) -> Self {
        let server = Server::start();
        let engine = engine(&podman).await;
        let worker = Worker::start_with(&server, |settings| {
            settings.executors.container = Some(engine);
            change(settings);
        });
        Self {
            worker: worker.await,
            server,
            podman,
        }
    }

    async fn execute(&self, job: u64, change: impl FnOnce(&mut Order)) -> (String, Report) {
        self.server
            .execute(job, |order| {
                in_container(order, IMAGE, &["true"]);
                change(order);
            })
            .await
    }

    /// Nothing is left, and the next suite is executed.
    async fn end_healthy(self) {
        assert_eq!(self.podman.containers(), [""; 0]);
        let (log, report) = self.execute(99, |_order| {}).await;
        assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
        self.end().await;
    }

    async fn end(self) {
        self.worker.stop().await.unwrap();
        assert_eq!(self.podman.containers(), [""; 0]);
    }
}

fn container(image: &str) -> Environment {
    Environment::Container {
        image: image.to_owned(),
        kvm: false,
        specs: ContainerSpecs {
            ram_mb: 64,
            ..ContainerSpecs::default()
        },
    }
}

fn in_container(order: &mut Order, image: &str, tests: &[&str]) {
    order.suite = suite(tests);
    order.suite.environment = container(image);
}

/// An argument of `sleep` that no other process has.
fn marker(number: u32) -> String {
    format!("1000.{}{number}", std::process::id())
}

/// The log without its date and seconds.
fn body(log: &str) -> String {
    timeless(log.split_once('\n').unwrap().1)
}

fn error(message: &str) -> JobOutcome {
    let message = message.to_owned();
    JobOutcome::Error { message }
}

#[tokio::test]
async fn a_suite_sees_its_commit_as_root_of_a_container() {
    let stage = Stage::start().await;
    let claim = stage.server.until(|state| state.claims.first().cloned());
    let offered = claim.await.executors;
    assert_eq!(offered, [Executor::Sandbox, Executor::Container]);
    let (log, report) = stage
        .execute(1, |order| {
            order.suite.tests = suite(&[
                "pwd; id -u; cat greeting; cat .git/HEAD >/tmp/kept; ls -ln greeting | cut -c1-15",
                "cat /tmp/kept; printf no-end",
                "echo \"$GREETING|$KEY|$PAPR_BRANCH|${CI-}|$HOME\"; false | true",
                "echo never",
            ])
            .tests;
            order.suite.env = vec![
                variable("GREETING", "grüß $(cat greeting) ☀"),
                variable("PAPR_BRANCH", "overridden"),
            ];
            order.secrets = vec![crate::protocol::SecretVariable {
                name: "KEY".to_owned(),
                value: "a 'b' $c".to_owned(),
            }];
            order.variables = vec![variable("PAPR_BRANCH", "it's")];
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 1 }, "{log}");
    let log = log.replace(&stage.server.commit.to_string(), "COMMIT");
    insta::assert_snapshot!(body(&log), @r#"
    ### http://example.org/pull/7
    ### TESTSUITE unit
    >>> pwd; id -u; cat greeting; cat .git/HEAD >/tmp/kept; ls -ln greeting | cut -c1-15
    /var/tmp/checkout
    0
    hello
    -rw-r--r--    1
    ### COMPLETED IN 0s
    >>> cat /tmp/kept; printf no-end
    COMMIT
    no-end
    ### COMPLETED IN 0s
    >>> echo "$GREETING|$KEY|$PAPR_BRANCH|${CI-}|$HOME"; false | true
    grüß hello ☀|***|it's|true|/
    ### EXITED WITH CODE 1 AFTER 0s
    "#);
    stage.end_healthy().await;
}

#[tokio::test]
async fn codes_that_look_like_a_timeout_are_failures_of_a_container_too() {
    let stage = Stage::start().await;
    for (job, command, exit_code) in [
        (1, "exit 124", 124),
        (2, "kill -9 $$", 137),
        (3, "kill -9 $PPID; sleep 1000", 137),
        (4, "kill -9 -1; sleep 1000", 137),
    ] {
        let (log, report) = stage
            .execute(job, |order| order.suite.tests = suite(&[command]).tests)
            .await;
        let failed = JobOutcome::Failed { exit_code };
        assert_eq!(report.outcome, failed, "{command}: {log}");
    }
    stage.end_healthy().await;
}

#[tokio::test]
async fn a_container_whose_time_is_up_is_gone_with_all_that_runs_in_it() {
    let stage = Stage::start().await;
    let marker = &marker(1);
    let (log, report) = stage
        .execute(1, |order| {
            let leave = format!("(setsid sleep {marker} &) ; sleep {marker}");
            order.suite.tests = suite(&[&leave]).tests;
            order.suite.timeout_s = 1;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::TimedOut, "{log}");
    let last = log.lines().last().unwrap();
    assert!(last.starts_with("### TIMED OUT"), "{log}");
    assert!(!alive(marker));
    stage.end_healthy().await;
}

#[tokio::test]
async fn a_process_that_outlives_its_command_dies_with_the_container() {
    let stage = Stage::start().await;
    let marker = &marker(2);
    let (log, report) = stage
        .execute(1, |order| {
            let leave = format!("setsid sleep {marker} & echo $! >/tmp/pid");
            order.suite.tests = suite(&[&leave, "kill -0 $(cat /tmp/pid)"]).tests;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    assert!(!alive(marker));
    stage.end_healthy().await;
}

#[tokio::test]
async fn a_job_that_is_not_wanted_any_more_takes_its_container_with_it() {
    let stage = Stage::start().await;
    let marker = &marker(3);
    let job = stage.server.order(1, |order| {
        in_container(order, IMAGE, &[&format!("echo started; sleep {marker}")]);
        // A beat each second, since the answer to one says that it is over.
        order.lease_s = 3;
    });
    stage.server.until_printed(job, "started\n").await;
    assert!(alive(marker));
    stage.server.change(|state| {
        state.attempts.get_mut(&job).unwrap().verdict = Verdict::Stop;
    });
    let free = |claim: &crate::protocol::Claim| claim.running.is_empty();
    let asked = stage.server.change(|state| state.claims.len());
    stage
        .server
        .until(|state| {
            state
                .claims
                .iter()
                .skip(asked)
                .find(|claim| free(claim))
                .cloned()
        })
        .await;
    assert!(!alive(marker));
    let reports = |state: &mut super::server::State| state.attempts[&attempt(1)].reports.len();
    assert_eq!(stage.server.change(reports), 0);
    stage.end_healthy().await;
}

#[tokio::test]
async fn a_fork_bomb_is_contained() {
    let stage = Stage::start().await;
    let (log, report) = stage
        .execute(1, |order| {
            order.suite.tests = suite(&["b() { b | b & }; b; sleep 1000"]).tests;
            order.suite.timeout_s = 3;
        })
        .await;
    assert_ne!(report.outcome, JobOutcome::Passed, "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn endless_output_is_cut_and_ends_with_the_time() {
    let stage = Stage::start().await;
    let (log, report) = stage
        .execute(1, |order| {
            order.suite.tests = suite(&["yes endless"]).tests;
            order.suite.timeout_s = 2;
            order.log_bytes_max = 10_000;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::TimedOut);
    assert!(log.len() <= 10_000, "{}", log.len());
    assert!(log.contains("### FILE TRUNCATED"), "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn memory_is_limited_to_what_the_suite_asks_for() {
    let stage = Stage::start().await;
    let take = "dd if=/dev/zero of=/dev/null bs=200M count=1";
    for (job, ram_mb, outcome) in [
        (1, 64, JobOutcome::Failed { exit_code: 137 }),
        (2, 512, JobOutcome::Passed),
    ] {
        let (log, report) = stage
            .execute(job, |order| {
                order.suite.tests = suite(&[take]).tests;
                order.suite.environment = Environment::Container {
                    image: IMAGE.to_owned(),
                    kvm: false,
                    specs: ContainerSpecs {
                        ram_mb,
                        ..ContainerSpecs::default()
                    },
                };
            })
            .await;
        assert_eq!(report.outcome, outcome, "{log}");
    }
    stage.end_healthy().await;
}

#[tokio::test]
async fn a_kill_within_the_own_limit_is_the_machines_want() {
    let stage = Stage::start().await;
    let count = "grep '^oom_kill ' /proc/vmstat";
    let until_killed = format!(
        "before=$({count}); echo waits; while [ \"$({count})\" = \"$before\" ]; do sleep 0.1; done; \
         kill -9 $$"
    );
    let attempt = stage.server.order(1, |order| {
        in_container(order, IMAGE, &[&until_killed]);
    });
    stage.server.until_printed(attempt, "\nwaits\n").await;
    // Another one, which the kernel kills for memory.
    let take = "dd if=/dev/zero of=/dev/null bs=200M count=1; true";
    let other = ["run", "--rm", "--memory", "64m", "--memory-swap", "64m"];
    let other = [&other[..], &[IMAGE, "sh", "-c", take]].concat();
    stage.podman.run(&other);
    let (log, report) = stage.server.report(attempt).await;
    assert_eq!(report.fault, Some(WorkerFault::BrokeOff), "{log}");
    let reason = "The worker's machine ran out of memory.";
    assert_eq!(report.outcome, error(reason), "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn a_container_that_fills_the_disk_is_killed() {
    let little = |settings: &mut Settings| settings.limits.disk_bytes = 20 << 20;
    let stage = Stage::start_with(little).await;
    let (log, report) = stage
        .execute(1, |order| {
            let fill =
                "for i in 1 2 3; do dd if=/dev/zero of=/f$i bs=1M count=10; done; sleep 1000";
            order.suite.tests = suite(&[fill]).tests;
        })
        .await;
    assert_eq!(
        report.outcome,
        JobOutcome::Failed { exit_code: 137 },
        "{log}"
    );
    assert!(log.contains(": 20 MiB of disk are the limit\n"), "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn space_in_volumes_and_below_the_longest_path_counts() {
    let little = |settings: &mut Settings| {
        settings.limits.disk_bytes = 20 << 20;
        settings.limits.files = 4000;
    };
    let stage = Stage::start_with(little).await;
    let volumes = "localhost/volumes:1";
    stage
        .podman
        .run(&["create", "--name", "base", IMAGE, "true"]);
    let change = "VOLUME /data";
    stage
        .podman
        .run(&["commit", "--change", change, "base", volumes]);
    stage.podman.run(&["rm", "base"]);
    let write = "for i in 1 2 3; do dd if=/dev/zero of=f$i bs=1M count=10; done";
    let long = "mkdir -p $(printf 'd%.0s/' $(seq 1500))";
    let deep = format!(
        "top=$PWD; {long}; cd $(printf 'd%.0s/' $(seq 1500)); {write}; cd $top; mv d e; \
         {long}; cd $(printf 'd%.0s/' $(seq 1500)); mv $top/e ."
    );
    let disk = ": 20 MiB of disk are the limit\n";
    let table = [
        (volumes, format!("cd /data; {write}"), disk),
        (IMAGE, deep, disk),
        (
            IMAGE,
            "for i in $(seq 4000); do : >$i; done".to_owned(),
            ": 4000 files are the limit\n",
        ),
    ];
    for (job, (image, command, reason)) in (1..).zip(table) {
        let command = format!("{command}; echo not stopped; sleep 1000");
        let (log, report) = stage
            .execute(job, |order| in_container(order, image, &[&command]))
            .await;
        let killed = JobOutcome::Failed { exit_code: 137 };
        assert_eq!(report.outcome, killed, "{command}: {log}");
        assert!(log.contains(reason), "{command}: {log}");
    }
    stage.end_healthy().await;
}

#[tokio::test]
async fn the_metadata_address_leads_nowhere_and_stays_so() {
    let stage = Stage::start().await;
    let look = "ip route; ip route get 169.254.169.254 && exit 7; \
                ip route del 169.254.169.254 && exit 8; ip route | grep blackhole";
    let (log, report) = stage
        .execute(1, |order| in_container(order, IMAGE, &[look]))
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    assert!(log.contains("blackhole 169.254.169.254"), "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn nothing_of_the_host_is_inside() {
    let stage = Stage::start().await;
    let (log, report) = stage
        .execute(1, |order| {
            order.suite.tests = suite(&[
                // Podman's own files for names, and nothing else of a disk.
                "! grep -v -e ' / ' -e ' /proc' -e ' /sys' -e ' /dev' -e /etc/hosts -e /etc/hostname \
                   -e /etc/resolv.conf -e /run/.containerenv /proc/mounts",
                "test -z \"$(find / -xdev -type s)\"; test ! -e /run/podman; test ! -e /dev/kvm",
                "test ! -e /dev/sda; test ! -e /dev/vda; ! mknod /tmp/disk b 254 0",
                "grep NoNewPrivs:.1 /proc/self/status; grep CapEff:.00000000800405fb /proc/self/status",
                "! mount -t tmpfs none /tmp",
                "test $(ls -d /proc/[0-9]* | wc -l) -lt 10; test $(wc -l </proc/net/unix) = 1",
                "! env | grep -i -e token -e cargo -e ^PAPRQ_",
            ])
            .tests;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    stage.end_healthy().await;
}

#[tokio::test]
async fn an_engine_that_gives_containers_the_hosts_processes_is_not_used() {
    let podman = Podman::start_with("pidns = \"host\"");
    let stage = Stage::start_in(podman, |_settings| {}).await;
    let (log, report) = stage.execute(1, |_order| {}).await;
    let message = "The worker's files or processes failed.";
    assert_eq!(report.outcome, error(message), "{log}");
    // The engine answers, so other jobs may do better.
    assert_eq!(report.fault, Some(WorkerFault::BrokeOff));
    stage.end().await;
}

#[tokio::test]
async fn a_worker_removes_its_own_leftovers_and_no_others() {
    let podman = Podman::start();
    let engine = engine(&podman).await;
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let work_dir = directory.path().join("work");
    let owner = crate::worker::agent::owner_of(&work_dir);
    for (name, owner) in [("left", owner.as_str()), ("others", "0123456789abcdef")] {
        let label = format!("io.paprq.worker={owner}");
        podman.run(&[
            "run",
            "--detach",
            "--stop-timeout",
            "0",
            "--name",
            name,
            "--label",
            &label,
            IMAGE,
            "sleep",
            "1000",
        ]);
    }
    let worker = Worker::start_with(&server, |settings| {
        settings.executors = Executors {
            container: Some(engine),
            ..Executors::default()
        };
        settings.work_dir = work_dir;
    })
    .await;
    let (log, report) = server
        .execute(1, |order| in_container(order, IMAGE, &["true"]))
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    assert_eq!(podman.containers(), ["others"]);
    let (_log, report) = server.execute(2, |_order| {}).await;
    let message = "This worker offers no `sandbox` environments.";
    assert_eq!(report.outcome, error(message));
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_worker_that_stops_takes_its_containers_with_it() {
    let stage = Stage::start().await;
    let marker = &marker(1);
    let job = stage.server.order(1, |order| {
        in_container(order, IMAGE, &[&format!("echo started; sleep {marker}")]);
    });
    stage.server.until_printed(job, "started\n").await;
    let Stage { worker, podman, .. } = stage;
    worker.stop().await.unwrap();
    assert!(!alive(marker));
    assert_eq!(podman.containers(), [""; 0]);
}

#[tokio::test]
async fn a_shell_without_pipefail_is_as_strict_as_it_can_be() {
    let stage = Stage::start().await;
    let image = "localhost/dash:1";
    let dash = std::fs::read("/bin/dash").expect("dash is there (package dash)");
    let parts = libraries_of("/bin/dash");
    let mut programs = vec![("bin/sh", dash.as_slice())];
    programs.extend(
        parts
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice())),
    );
    stage.podman.add_image(image, &programs);
    let (log, report) = stage
        .execute(1, |order| {
            order.suite.environment = container(image);
            order.suite.tests = suite(&["false | true; echo goes on", "false; echo no"]).tests;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 1 }, "{log}");
    assert!(log.contains("goes on\n### COMPLETED"), "{log}");
    assert!(!log.contains("\nno\n"), "{log}");
    stage.end_healthy().await;
}

/// What a program of this machine is linked with, by path without the first slash.
fn libraries_of(program: &str) -> Vec<(String, Vec<u8>)> {
    let listed = std::process::Command::new("ldd")
        .arg(program)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    listed
        .split_ascii_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(|path| {
            (
                path.trim_start_matches('/').to_owned(),
                std::fs::read(path).unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn what_a_suite_leaves_in_its_container_is_kept_and_what_leads_elsewhere_is_not() {
    let stage = Stage::start().await;
    let (log, report) = stage
        .execute(1, |order| {
            let make = "mkdir -p out/deep; echo one >out/one; echo two >out/deep/two; \
                        ln -s /etc/passwd out/link; mkdir /var/tmp/other; \
                        echo x >/var/tmp/other/file; ln -s /var/tmp/other linkdir; \
                        ln -s /var/tmp out/up; sleep 1000 & false";
            in_container(order, IMAGE, &[make]);
            let paths = [
                "out",
                "greeting",
                "missing",
                "../../../etc/passwd",
                "linkdir",
                "linkdir/file",
                "linkdir/",
                "out/up/other/file",
                "linkdir/missing",
            ];
            order.suite.artifacts = paths.map(str::to_owned).to_vec();
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 1 }, "{log}");
    let files = stage
        .server
        .change(|state| state.attempts[&attempt(1)].artifacts.clone());
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["greeting", "out/deep/two", "out/one"], "{log}");
    assert_eq!(files["out/deep/two"], b"two\n");
    let link = "### ARTIFACT LEFT OUT: out/link: it is neither a file nor a directory";
    assert!(log.contains(link), "{log}");
    assert!(log.contains("it leads out of the working copy"), "{log}");
    for told in [
        "linkdir: it is neither a file nor a directory",
        "linkdir/file: a link is on the way",
        "out/up/other/file: a link is on the way",
    ] {
        let told = format!("### ARTIFACT LEFT OUT: {told}\n");
        assert!(log.contains(&told), "{told}: {log}");
    }
    stage.end().await;
}

#[tokio::test]
async fn submodules_and_files_of_git_lfs_are_in_the_container() {
    let forge = Forge::start();
    let id = forge.repo("o/sub", &[("inside", "found\n")], &[]);
    let mut stage = Stage::start().await;
    let gitmodules = "[submodule \"sub\"]\npath = sub\nurl = ../sub\n";
    let files = [
        (".gitmodules", gitmodules),
        (".gitattributes", "*.bin filter=lfs\n"),
        ("a.bin", &forge.keep("large\n")),
    ];
    stage.server.commit_with(&files, &[("sub", &id)]);
    let (log, report) = stage
        .execute(1, |order| {
            in_container(order, IMAGE, &["cat sub/inside a.bin; test -e sub/.git"]);
            order.origin = Some(forge.url("o/main"));
            order.suite.checkout = Checkout {
                submodules: Submodules::Direct,
                lfs: Lfs::Fetched,
                depth: Some(1),
            };
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    assert!(log.contains("found\nlarge\n"), "{log}");
    stage.end_healthy().await;
}
