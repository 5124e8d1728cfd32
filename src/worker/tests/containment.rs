//! What a suite cannot do, however hard it tries; afterwards the worker takes the next job.

use std::net::TcpListener;

use super::server::{Server, Verdict};
use tokio_util::sync::CancellationToken;

use super::{DEADLINE, Worker, alive, attempt, suite, timeless, with_marker};
use crate::protocol::JobOutcome;
use crate::worker::executors::{
    Bounds, Ended, Executors, Isolation, Launch, Session, find_bubblewrap,
};
use crate::worker::room::Room;
use crate::worker::settings::Limits;
use crate::worker::spawner::Spawner;
use crate::worker::spool::Spool;
use paprq_core::suite::{Environment, Network};

/// Starts processes that escape the usual ways: new session, orphaned twice, deaf to signals.
fn escape(marker: &str) -> String {
    format!(
        "trap '' TERM HUP INT
         (setsid bash -c 'exec -a {marker} sleep 1000' >/dev/null 2>&1 &) &
         exec -a {marker} sleep 1000 &
         until tr '\\0' ' ' </proc/$!/cmdline | grep -q {marker}; do :; done
         echo started"
    )
}

async fn passes_afterwards(server: &Server) {
    let (log, report) = server.execute(99, |_order| {}).await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
}

/// Waits until no process has the marker: when a parent dies, the kernel kills, but not at once.
async fn until_dead(marker: &str) {
    let gone = tokio::time::timeout(DEADLINE, async {
        while alive(marker) {
            tokio::task::yield_now().await;
        }
    });
    assert!(gone.await.is_ok(), "{marker} lives");
}

#[tokio::test]
async fn nothing_outlives_a_suite_that_passed() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let marker = "marker-passed-6121";
    let (log, report) = server
        .execute(1, |order| order.suite = suite(&[&escape(marker)]))
        .await;
    assert!(log.contains("started\n"), "{log}");
    assert_eq!(report.outcome, JobOutcome::Passed);
    assert!(!alive(marker));
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_cancelled_attempt_is_killed_and_reports_nothing() {
    for verdict in [Verdict::Stop, Verdict::Gone] {
        let server = Server::start();
        let worker = Worker::start(&server).await;
        let marker = format!("marker-{verdict:?}-8172");
        let cancelled = server.order(1, |order| {
            order.suite = suite(&[&format!("{}; while :; do echo on; done", escape(&marker))]);
            order.log_bytes_max = 1 << 40;
        });
        server.until_printed(cancelled, "started\n").await;
        assert!(alive(&marker));
        server.change(|state| state.attempts.get_mut(&cancelled).unwrap().verdict = verdict);
        passes_afterwards(&server).await;
        assert!(!alive(&marker));
        assert_eq!(
            server.change(|state| state.attempts[&cancelled].reports.len()),
            0
        );
        worker.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_stopped_worker_kills_what_runs_and_reports_nothing() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let marker = "marker-stopped-9911";
    let attempt = server.order(1, |order| {
        order.suite = suite(&[&format!("{}; sleep 1000", escape(marker))]);
    });
    server.until_printed(attempt, "started\n").await;
    worker.stop().await.unwrap();
    assert!(!alive(marker));
    assert_eq!(
        server.change(|state| state.attempts[&attempt].reports.len()),
        0
    );
}

/// A killed process takes its threads with it; the kernel acts on the thread that was the parent.
#[tokio::test]
async fn all_dies_with_the_thread_that_started_it() {
    for isolated in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let isolation = if isolated {
            Isolation::Bubblewrap(find_bubblewrap().await.unwrap())
        } else {
            Isolation::None
        };
        let room = Room::make(directory.path(), attempt(1), isolation.owner()).unwrap();
        let marker = format!("marker-orphan-{isolated}-5150");
        let script = format!("exec -a {marker} sleep 1000");
        std::fs::write(room.control().join("0.sh"), script).unwrap();
        let (mut log, _reader) = Spool::create(&room.log(), 1000).await.unwrap();
        let spawner = Spawner::start().unwrap();
        let launch = Launch {
            isolation: &isolation,
            room: &room,
            network: Network::Off,
            limits: &Limits::default(),
            stop: &CancellationToken::new(),
            environment: Vec::new(),
        };
        let mut session = Session::start(&launch, &spawner, &mut log).await.unwrap();
        let running = tokio::spawn(async move {
            let bounds = Bounds {
                time: DEADLINE,
                stop: &CancellationToken::new(),
            };
            session.run("0.sh", bounds, &mut log).await
        });
        let started = tokio::time::timeout(DEADLINE, async {
            while !alive(&marker) {
                tokio::task::yield_now().await;
            }
        });
        started.await.expect("the command starts");
        drop(spawner);
        until_dead(&marker).await;
        let ended = running.await.unwrap().unwrap();
        assert_eq!(ended, Ended::Code(137));
    }
}

#[tokio::test]
async fn a_fork_bomb_is_stopped() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let (log, report) = server
        .execute(1, |order| {
            order.suite = suite(&["bomb() { bomb | bomb & }; bomb; sleep 1000"]);
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 137 });
    assert!(
        log.contains("100 processes and threads are the limit\n"),
        "{log}"
    );
    passes_afterwards(&server).await;
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn memory_is_limited_for_one_process_and_for_all_together() {
    let server = Server::start();
    let worker = Worker::start_with(&server, |settings| {
        settings.limits.memory_bytes = 24 << 20;
    })
    .await;
    let (log, report) = server
        .execute(1, |order| {
            order.suite = suite(&["cat /dev/zero | tail -c 1G"]);
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::Failed { exit_code: 1 }, "{log}");
    assert!(log.contains("tail: memory exhausted"), "{log}");
    let hog =
        "for i in 1 2 3; do (head -c 14M /dev/zero; sleep 1000) | tail -c 15M & done; sleep 1000";
    let (log, report) = server.execute(2, |order| order.suite = suite(&[hog])).await;
    assert_eq!(
        report.outcome,
        JobOutcome::Failed { exit_code: 137 },
        "{log}"
    );
    assert!(log.contains("24 MiB of memory are the limit\n"), "{log}");
    passes_afterwards(&server).await;
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn disk_is_limited_everywhere() {
    let server = Server::start();
    let worker = Worker::start_with(&server, |settings| {
        settings.limits.disk_bytes = 16 << 20;
    })
    .await;
    let places = "for place in /tmp /var/tmp /dev/shm ~; do
        ! head -c 9M /dev/zero >$place/file || exit 7
        done
        ! head -c 17M /dev/zero >file
        rm file";
    let (log, report) = server
        .execute(1, |order| order.suite = suite(&[places]))
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    let many = "for i in 1 2 3; do head -c 8M /dev/urandom >$i; done; sleep 1000";
    let (log, report) = server
        .execute(2, |order| order.suite = suite(&[many]))
        .await;
    assert_eq!(
        report.outcome,
        JobOutcome::Failed { exit_code: 137 },
        "{log}"
    );
    assert!(log.contains("16 MiB of disk are the limit\n"), "{log}");
    passes_afterwards(&server).await;
    worker.stop().await.unwrap();
}

/// A suite is killed with 137 where it does this, and the log says why.
async fn is_too_much(limits: Limits, commands: &[&str], reason: &str) {
    let server = Server::start();
    let worker = Worker::start_with(&server, |settings| settings.limits = limits).await;
    for (job, command) in (1..).zip(commands) {
        let command = format!("{command}; echo not stopped; sleep 1000");
        let done = server.execute(job, |order| order.suite = suite(&[&command]));
        let (log, report) = done.await;
        let killed = JobOutcome::Failed { exit_code: 137 };
        assert_eq!(report.outcome, killed, "{command}: {log}");
        assert!(log.contains(reason), "{command}: {log}");
    }
    passes_afterwards(&server).await;
    worker.stop().await.unwrap();
}

/// The number of `memfd_create`, which Perl has no name for.
const MEMFD_CREATE: u32 = if cfg!(target_arch = "x86_64") {
    319
} else {
    279
};

#[tokio::test]
async fn memory_counts_wherever_it_is() {
    if !rustix::process::geteuid().is_root() {
        // Without cgroups such memory is refused, which has a test of its own.
        return;
    }
    let limits = Limits {
        memory_bytes: 100 << 20,
        scratch_bytes: 1 << 30,
        ..Limits::default()
    };
    let memfd = format!(
        "perl -e '$name = q(x); open($to, q(>&=), syscall({MEMFD_CREATE}, $name, 0)) or die; \
         syswrite($to, q(x) x (1 << 20)) for 1..300; sleep 1000'"
    );
    let segments = "perl -e 'for (1..6) { $id = shmget(0, 50 << 20, 0600) // die; \
                    shmwrite($id, q(x) x (1 << 20), $_ << 20, 1 << 20) for 0..49 }'";
    let slowly = "for i in $(seq 30); do head -c 10M /dev/zero >/tmp/$i; done";
    let commands = [&memfd, segments, slowly];
    is_too_much(limits, &commands, ": 100 MiB of memory are the limit\n").await;
}

#[tokio::test]
async fn space_counts_wherever_it_is() {
    let limits = Limits {
        disk_bytes: 16 << 20,
        ..Limits::default()
    };
    let deep = "perl -e 'for (1..100) { mkdir q(d) x 200; chdir q(d) x 200 or die } \
                for $i (1..3) { open($to, q(>), $i) or die; print $to q(x) x (8 << 20) }'";
    let deleted =
        "exec 5>one 6>two; rm one two; head -c 12M /dev/zero >&5; head -c 12M /dev/zero >&6";
    let locked =
        "mkdir dir; head -c 12M /dev/zero >dir/one; head -c 12M /dev/zero >dir/two; chmod 0 dir";
    let commands = [deep, deleted, locked];
    is_too_much(limits, &commands, ": 16 MiB of disk are the limit\n").await;
}

#[tokio::test]
async fn inodes_are_limited() {
    let limits = Limits {
        files: 2000,
        ..Limits::default()
    };
    let files = "for i in $(seq 2000); do : >$i; done";
    let links = "for i in $(seq 2000); do echo $i; done | xargs -I@ ln -s x @";
    let commands = [files, links, "mkdir -p $(seq -f d%g 2000)"];
    is_too_much(limits, &commands, ": 2000 files are the limit\n").await;
}

#[tokio::test]
async fn endless_output_is_dropped_after_the_cut_until_the_time_is_up() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let (log, report) = server
        .execute(1, |order| {
            order.suite = suite(&["while :; do echo on and on; done"]);
            order.log_bytes_max = 100_000;
            order.suite.timeout_s = 1;
        })
        .await;
    assert_eq!(report.outcome, JobOutcome::TimedOut);
    assert!(log.len() <= 100_000 && log.contains("### FILE TRUNCATED AFTER"));
    let last = log.lines().last().unwrap();
    assert!(last.starts_with("### TIMED OUT AFTER "), "{last}");
    passes_afterwards(&server).await;
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn the_network_is_there_only_for_suites_that_asked() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (job, network, exit) in [(1, Network::Off, 1), (2, Network::On, 0)] {
        let (log, report) = server
            .execute(job, |order| {
                let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
                order.suite = suite(&[&connect]);
                order.suite.environment = Environment::Sandbox { network };
            })
            .await;
        let expected = match exit {
            0 => JobOutcome::Passed,
            exit_code => JobOutcome::Failed { exit_code },
        };
        assert_eq!(report.outcome, expected, "{network:?}: {log}");
    }
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_suite_sees_nothing_of_the_machine_and_can_change_nothing() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let secrets = tempfile::tempdir().unwrap();
    let token_file = secrets.path().join("token");
    std::fs::write(&token_file, "secret").unwrap();
    let read_all = format!(
        "for path in {} /root /home/papr/../.. /etc/shadow /etc/ssl/private /etc/ssh /run /sys /srv /opt /mnt {}
         do test $path = /home/papr/../.. || ! ls -d $path 2>/dev/null; done
         ls / /var /var/tmp /home; ls -A ~ /tmp",
        token_file.display(),
        worker.directory.path().display(),
    );
    let change_all =
        "! touch /x 2>/dev/null && ! touch /usr/x 2>/dev/null && ! touch /etc/x 2>/dev/null
         ! touch /dev/x 2>/dev/null && ! touch /var/tmp/paprq/0.sh 2>/dev/null
         ! echo 1 2>/dev/null >/proc/sys/kernel/core_pattern
         grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status
         ! unshare --user true 2>/dev/null; ! mount -t tmpfs none /tmp 2>/dev/null
         ps -e --no-headers -o comm= >/tmp/processes; sort /tmp/processes | xargs";
    let (log, report) = server
        .execute(1, |order| order.suite = suite(&[&read_all, change_all]))
        .await;
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    let log = timeless(&log);
    let shown: Vec<&str> = log
        .split("\n>>> ")
        .skip(1)
        .flat_map(|part| {
            part.lines().filter(|line| {
                !line.starts_with(' ') && !line.starts_with("for ") && !line.starts_with('!')
            })
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    /:
    bin
    dev
    etc
    home
    lib
    lib64
    proc
    sbin
    tmp
    usr
    var

    /home:
    papr

    /var:
    tmp

    /var/tmp:
    checkout
    paprq
    /home/papr:

    /tmp:
    ### COMPLETED IN 0s
    CapEff:	0000000000000000
    NoNewPrivs:	1
    bash bash bwrap ps
    ### COMPLETED IN 0s
    ");
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn a_sandbox_is_never_root_on_the_host() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let marker = "marker-user-1618";
    let attempt = server.order(1, |order| {
        order.suite = suite(&[&format!("{}; sleep 1000", escape(marker))]);
    });
    server.until_printed(attempt, "started").await;
    let users = with_marker(marker).map(|process| {
        let status = std::fs::read_to_string(process.join("status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("Uid:"))
            .unwrap();
        line.to_owned()
    });
    let users: Vec<String> = users.collect();
    assert!(!users.is_empty());
    assert!(users.iter().all(|line| !line.contains("\t0")), "{users:?}");
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn an_exit_code_that_no_process_has_is_not_believed() {
    let server = Server::start();
    // In a sandbox of a root worker the driver's pipe cannot even be opened.
    let bare = |settings: &mut crate::worker::Settings| {
        settings.executors = Executors::sandbox(Isolation::None);
    };
    let worker = Worker::start_with(&server, bare).await;
    for (job, forged) in [(1, "-5"), (2, "256"), (3, "99999999999"), (4, "ready")] {
        let forge = format!("echo {forged} >/proc/$PPID/fd/1; sleep 1000");
        let (log, report) = server
            .execute(job, |order| order.suite = suite(&[&forge]))
            .await;
        assert_eq!(
            report.outcome,
            JobOutcome::Failed { exit_code: 137 },
            "{forged}: {log}"
        );
    }
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_of_the_worker_is_inherited() {
    let server = Server::start();
    let worker = Worker::start(&server).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let look = "for process in /proc/[0-9]*; do tr '\\0' '\\n' <$process/environ; done >/tmp/all 2>/dev/null || true
        ! grep -i -e token -e authorization -e cargo -e ^GIT_ -e ^PAPRQ_ /tmp/all
        ! ls -l /proc/[0-9]*/fd 2>/dev/null | grep -e socket: -e anon_inode -e \\.db -e \\.rs
        ! kill -0 -- -1 2>/dev/null || echo only-own
        test $(wc -l </proc/net/unix) = 1";
    let (log, report) = server
        .execute(1, |order| order.suite = suite(&[look]))
        .await;
    drop(listener);
    assert_eq!(report.outcome, JobOutcome::Passed, "{log}");
    worker.stop().await.unwrap();
}
