//! Which worker may have which job, and with how many slots.

use super::*;

fn need(lines: &str) -> Need {
    Need::of(&suite("s", lines))
}

#[test]
fn a_suite_weighs_what_it_says_or_what_its_environment_does() {
    let host = |specs: &str| format!("host: {{distro: d, specs: {{{specs}}}}}");
    for (lines, slots) in [
        ("sandbox: true", 1),
        ("container: {image: i}", 1),
        ("sandbox: true\nslots: 3", 3),
        ("host: {distro: d}", 2),
        (host("ram: 2049").as_str(), 3),
        (host("cpus: 4").as_str(), 5),
        (host("ram: -5, cpus: -5").as_str(), 2),
        (host("ram: 900000000").as_str(), 64),
        (
            "cluster: {hosts: [{name: a, distro: d}, {name: b, distro: d, specs: {cpus: 2}}]}",
            5,
        ),
    ] {
        assert_eq!(need(lines).slots, slots, "{lines}");
    }
}

#[test]
fn kvm_is_a_label_that_the_worker_must_have() {
    let need = need("container: {image: i, kvm: true}\nlabels: [fast]");
    assert_eq!(need.executor, Executor::Container);
    assert!(need.labels.contains("kvm") && need.labels.contains("fast"));
    assert_eq!(need.labels.len(), 2);
}

fn with(lines: &str) -> Board {
    board(vec![Job {
        suite: suite("s", lines),
        ..job(1)
    }])
}

#[test]
fn a_job_goes_only_to_a_worker_with_its_executor_labels_and_slots() {
    let lines = "host: {distro: d}\nlabels: [a, b]\nslots: 3";
    let able = Claimant {
        executors: vec![Executor::Sandbox, Executor::Vm],
        labels: ["c", "b", "a"].map(str::to_owned).into(),
        ..large("w", 4)
    };
    let mut unable = vec![able.clone(); 4];
    unable[0].executors = vec![Executor::Sandbox, Executor::Container];
    unable[1].labels = vec!["a".to_owned()];
    unable[2].slots_free = 2;
    unable[3].slots = 2;
    let mut board = with(lines);
    for worker in unable {
        assert_eq!(board.claim(at(0), &worker), None, "{worker:?}");
    }
    assert!(board.claim(at(0), &able).is_some());
}

#[test]
fn a_worker_is_given_no_more_than_its_slots_whatever_it_says_is_free() {
    let jobs = (1..=3).map(|id| Job {
        suite: suite(&id.to_string(), "sandbox: true\nslots: 2"),
        ..job(id)
    });
    let mut board = board(jobs.collect());
    assert_eq!(order(&mut board, &large("w", 5)), [1, 2]);
}

#[test]
fn what_nobody_has_is_named() {
    let offers = [("v", "a", 2), ("w", "b", 4)];
    for (lines, expected) in [
        ("host: {distro: d}", "No worker offers vm"),
        ("sandbox: true\nlabels: [c]", "No worker has label c"),
        (
            "sandbox: true\nlabels: [a, b]",
            "No worker has all of the labels a, b",
        ),
        (
            "sandbox: true\nlabels: [a]\nslots: 3",
            "No worker has 3 slots, the largest that fits has 2",
        ),
    ] {
        let mut board = with(lines);
        for (name, label, slots) in offers {
            let claimant = Claimant {
                labels: vec![label.to_owned()],
                ..large(name, slots)
            };
            assert_eq!(board.claim(at(0), &claimant), None);
        }
        let Some(JobStatus::Waits(Wait::NoWorker { lack, until })) = board.status(JobId(1), at(10))
        else {
            panic!("{lines}");
        };
        assert_eq!((lack.to_string().as_str(), until), (expected, at(86_400)));
    }
}

#[test]
fn a_worker_that_is_not_heard_of_is_not_there() {
    let mut board = with("sandbox: true");
    let mut nothing = claimant("w");
    nothing.slots = 1;
    nothing.slots_free = 0;
    assert_eq!(board.claim(at(0), &nothing), None);
    let status = |board: &Board, now| board.status(JobId(1), at(now)).unwrap();
    assert_eq!(status(&board, 89), JobStatus::Waits(Wait::Ready));
    assert!(matches!(
        status(&board, 90),
        JobStatus::Waits(Wait::NoWorker { until, .. }) if until == at(86_400)
    ));
}

#[test]
fn workers_that_have_no_room_are_counted() {
    let mut board = board(vec![job(1), job(4)]);
    board.claim(at(0), &large("w", 1)).unwrap();
    let status = board.status(JobId(4), at(1));
    let overdue_at = at(3600);
    let busy = Wait::Busy {
        workers: 1,
        overdue_at,
    };
    assert_eq!(status, Some(JobStatus::Waits(busy)));
}
