//! Deadlines of jobs that run and of jobs that nobody can execute.

use super::*;

/// A board whose only job runs and whose worker speaks up until then.
fn running(schedule: &str, spoke_at: i64) -> Board {
    let mut board = board_with(vec![job(1)], policy(schedule, ""));
    board.claim(at(0), &claimant("w")).unwrap();
    for now in (0..=spoke_at).step_by(30) {
        assert_eq!(board.expire(at(now)), []);
        board.renew(at(now), attempt(1, 1), &worker("w")).unwrap();
    }
    board
}

#[test]
fn an_attempt_that_takes_too_long_is_stopped_whatever_its_worker_says() {
    let mut board = running("[schedule]\nsetup_s = 600", 630);
    assert_eq!(board.next_wakeup(), Some(at(660)));
    assert_eq!(board.expire(at(659)), []);
    let job = only(board.expire(at(660)));
    assert_eq!(error(&job), "Over time: not ended long after its 60 s.");
    assert_eq!(
        job.attempts[0].ended,
        Some(AttemptEnd::Stopped { at: at(660) })
    );
    let late = board.renew(at(661), attempt(1, 1), &worker("w"));
    assert_eq!(late, Err(LeaseOver));
}

#[test]
fn an_attempt_that_writes_nothing_for_too_long_is_stopped() {
    let mut board = running("[schedule]\nsilent_s = 100", 60);
    board.hear_output(at(60), JobId(1));
    board.renew(at(105), attempt(1, 1), &worker("w")).unwrap();
    assert_eq!(board.next_wakeup(), Some(at(160)));
    assert_eq!(board.expire(at(159)), []);
    assert_eq!(error(&only(board.expire(at(160)))), "Silent for 100 s.");
}

#[test]
fn silence_may_be_allowed() {
    let mut board = running("[schedule]\nsilent_s = 0\nsetup_s = 100000", 9000);
    assert_eq!(board.expire(at(9010)), []);
}

#[test]
fn a_job_that_no_worker_could_execute_is_given_up_in_the_end() {
    let mut vm = job(1);
    vm.suite = suite("vm", "host: {distro: d}");
    let mut board = board_with(
        vec![vm, job(2)],
        policy("[schedule]\nno_worker_s = 600", ""),
    );
    let vms = Claimant {
        executors: vec![Executor::Vm],
        slots_free: 0,
        slots: 2,
        ..claimant("v")
    };
    board.claim(at(100), &vms);
    board.claim(at(600), &large("w", 1)).unwrap();
    assert_eq!(board.expire(at(650)).len(), 0);
    assert_eq!(board.next_wakeup(), Some(at(660)));
    let _lost = board.expire(at(699));
    let job = only(board.expire(at(760)));
    assert_eq!((job.id, error(&job)), (JobId(1), "No worker offers vm."));
}

#[test]
fn a_server_that_was_just_started_waits_for_workers_anew() {
    let policy = policy("[schedule]\nno_worker_s = 600", "");
    let mut board = Board::new(vec![job(1)], policy, at(10_000));
    assert_eq!(board.expire(at(10_599)), []);
    assert_eq!(board.expire(at(10_660)).len(), 1);
}
