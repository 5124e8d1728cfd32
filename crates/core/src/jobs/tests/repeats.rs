//! Suites that are known to be flaky.

use super::*;

fn flaky(retries: u32) -> Board {
    let mut job = job(1);
    job.suite.retries = retries;
    board(vec![job])
}

fn attempt_ends(board: &mut Board, number: u32, outcome: JobOutcome) -> Job {
    let given = board.claim(at(0), &claimant("w")).unwrap();
    assert_eq!(given.attempts.last().unwrap().number.0, number);
    let ended = board.finish(at(1), attempt(1, number), &worker("w"), outcome);
    only(ended.unwrap())
}

const FAILED: JobOutcome = JobOutcome::Failed { exit_code: 2 };

#[test]
fn a_suite_that_failed_is_repeated_as_often_as_it_may() {
    let mut board = flaky(2);
    assert_eq!(attempt_ends(&mut board, 1, FAILED).state, JobState::Waiting);
    assert_eq!(
        attempt_ends(&mut board, 2, JobOutcome::TimedOut).state,
        JobState::Waiting
    );
    let last = attempt_ends(&mut board, 3, FAILED);
    assert!(last.is_over() && !last.is_flaky());
    let ends = last.attempts.iter().filter(
        |it| matches!(&it.ended, Some(AttemptEnd::Reported { outcome, .. }) if *outcome == FAILED),
    );
    assert_eq!(ends.count(), 2);
}

#[test]
fn a_suite_that_passed_after_a_failure_is_flaky() {
    let mut board = flaky(5);
    attempt_ends(&mut board, 1, FAILED);
    assert!(attempt_ends(&mut board, 2, JobOutcome::Passed).is_flaky());
    assert!(!attempt_ends(&mut flaky(5), 1, JobOutcome::Passed).is_flaky());
}

#[test]
fn what_could_not_be_executed_is_not_repeated() {
    let error = JobOutcome::Error {
        message: "no image".to_owned(),
    };
    assert!(attempt_ends(&mut flaky(5), 1, error).is_over());
    assert!(attempt_ends(&mut flaky(0), 1, FAILED).is_over());
}

#[test]
fn losses_and_failures_are_counted_apart() {
    let mut board = flaky(1);
    assert_eq!(attempt_ends(&mut board, 1, FAILED).state, JobState::Waiting);
    for (name, lost) in ["u", "v", "w"].into_iter().zip(1..=ATTEMPTS_MAX) {
        board.claim(at(0), &claimant(name)).unwrap();
        let job = only(board.account(at(1), &worker(name), &[]));
        assert_eq!(job.is_over(), lost == ATTEMPTS_MAX);
    }
}
