//! How many jobs run at a time.

use super::*;

#[test]
fn a_repository_runs_no_more_jobs_than_it_may() {
    let mut other = job(4);
    other.repo = RepoLabel::new("other");
    let jobs = vec![job(1), job(2), job(3), other];
    let mut board = board_with(jobs, policy("", "jobs_max = 2"));
    assert_eq!(order(&mut board, &claimant("w")), [1, 4, 2]);
    let held = Wait::Held(Limit::Repo { jobs_max: 2 });
    assert_eq!(board.status(JobId(3), at(1)), Some(JobStatus::Waits(held)));
    board
        .finish(at(2), attempt(1, 1), &worker("w"), JobOutcome::Passed)
        .unwrap();
    assert_eq!(order(&mut board, &claimant("w")), [3]);
}

#[test]
fn suites_of_a_pattern_run_no_more_often_than_they_may() {
    let mut jobs: Vec<_> = (1..=4).map(job).collect();
    jobs[3].suite.context = "else".to_owned();
    let limits = "[limits]\n'e*' = 5\n'suite-*' = 1";
    let mut board = board_with(jobs, policy("", limits));
    assert_eq!(order(&mut board, &claimant("w")), [1, 4]);
    let held = Wait::Held(Limit::Suites {
        pattern: "suite-*".to_owned(),
        jobs_max: 1,
    });
    assert_eq!(board.status(JobId(3), at(1)), Some(JobStatus::Waits(held)));
}

#[test]
fn the_job_that_has_waited_longest_gets_the_next_place_of_its_limit() {
    let mut vm = job(1);
    vm.suite = suite("vm", "host: {distro: d}");
    let mut younger: Vec<_> = (2..=4).map(job).collect();
    for job in &mut younger {
        job.made_at = at(100);
    }
    younger.push(vm);
    let mut board = board_with(younger, policy("", "jobs_max = 1"));
    let vms = Claimant {
        executors: vec![Executor::Vm],
        ..large("v", 2)
    };
    let first = board.claim(at(3600), &claimant("w")).unwrap();
    assert_eq!(board.claim(at(3600), &vms), None);
    assert_eq!(board.arrange(at(3600)), []);
    let done = board.finish(
        at(3650),
        attempt(first.id.0, 1),
        &worker("w"),
        JobOutcome::Passed,
    );
    done.unwrap();
    board.arrange(at(3650));
    assert_eq!(board.claim(at(3651), &claimant("w")), None);
    assert_eq!(board.claim(at(3652), &vms).unwrap().id, JobId(1));
}
