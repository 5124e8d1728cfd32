//! Jobs that wait for others of their run.

use super::*;

fn of_one_run(needs: &[(&str, &[&str])]) -> Vec<Job> {
    let jobs = needs.iter().zip(1..).map(|((context, needs), id)| {
        let mut job = job(id);
        job.run = RunId(1);
        job.suite.context = (*context).to_owned();
        job.suite.needs = needs.iter().map(|need| (*need).to_owned()).collect();
        job
    });
    jobs.collect()
}

fn end(board: &mut Board, id: u64, outcome: JobOutcome) -> Vec<Job> {
    board
        .finish(at(2), attempt(id, 1), &worker("w"), outcome)
        .unwrap()
}

#[test]
fn a_job_begins_once_all_it_needs_has_passed() {
    let jobs = of_one_run(&[("c", &["a", "b", "gone"]), ("a", &[]), ("b", &[])]);
    let mut board = board(jobs);
    let needs = |board: &Board| match board.status(JobId(1), at(1)) {
        Some(JobStatus::Waits(Wait::Needs(needs))) => needs,
        other => panic!("{other:?}"),
    };
    assert_eq!(order(&mut board, &claimant("w")), [2, 3]);
    assert_eq!(needs(&board), ["a", "b"]);
    end(&mut board, 2, JobOutcome::Passed);
    assert_eq!(needs(&board), ["b"]);
    assert_eq!(order(&mut board, &claimant("w")), [0; 0]);
    end(&mut board, 3, JobOutcome::Passed);
    assert_eq!(order(&mut board, &claimant("w")), [1]);
}

#[test]
fn a_job_of_another_run_does_not_count() {
    let mut jobs = of_one_run(&[("a", &[]), ("b", &["a"])]);
    jobs[0].run = RunId(2);
    let mut board = board(jobs);
    assert_eq!(order(&mut board, &claimant("w")), [1, 2]);
}

#[test]
fn what_needs_a_job_that_did_not_pass_ends_with_it_and_so_on() {
    let jobs = || of_one_run(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]);
    let failed = JobOutcome::Failed { exit_code: 1 };
    let broken = JobOutcome::Error {
        message: String::new(),
    };
    for outcome in [failed, JobOutcome::TimedOut, broken] {
        let mut board = board(jobs());
        board.claim(at(1), &claimant("w")).unwrap();
        let changed = end(&mut board, 1, outcome);
        let results = changed.iter().skip(1);
        let results = results.map(|job| (job.id.0, error(job)));
        assert_eq!(
            results.collect::<Vec<_>>(),
            [
                (2, "Not executed: it needs a, which did not pass."),
                (3, "Not executed: it needs b, which did not pass."),
            ]
        );
        assert_eq!(order(&mut board, &claimant("w")), [4]);
    }
}

#[test]
fn a_job_that_may_fail_counts_as_passed() {
    let mut jobs = of_one_run(&[("a", &[]), ("b", &["a"])]);
    jobs[0].suite.allow_failure = true;
    let mut board = board(jobs);
    board.claim(at(1), &claimant("w")).unwrap();
    only(end(&mut board, 1, JobOutcome::TimedOut));
    assert_eq!(order(&mut board, &claimant("w")), [2]);
}

#[test]
fn a_job_whose_need_is_lost_for_good_ends_too() {
    let mut board = board(of_one_run(&[("a", &[]), ("b", &["a"])]));
    for name in ["u", "v"] {
        board.claim(at(1), &claimant(name)).unwrap();
        only(board.account(at(1), &worker(name), &[]));
    }
    board.claim(at(1), &claimant("w")).unwrap();
    assert_eq!(board.account(at(1), &worker("w"), &[]).len(), 2);
    assert_eq!(board.jobs().count(), 0);
}
