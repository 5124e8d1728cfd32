//! Jobs that interrupt others.

use super::*;

const RULES: &str = "[[schedule.rules]]\nrun = 'auto'\nrank = 100\npreempt = true";

fn pull(id: u64, preemptible: bool) -> Job {
    let mut job = job(id);
    job.purpose = Purpose::Pull;
    job.suite.preemptible = preemptible;
    job
}

/// A worker executes these.
fn busy(jobs: Vec<Job>, slots: u32) -> Board {
    let count = jobs.len();
    let mut board = board_with(jobs, policy(RULES, ""));
    assert_eq!(order(&mut board, &large("w", slots)).len(), count);
    board
}

fn interrupted(board: &mut Board, job: Job) -> Vec<u64> {
    board.add(vec![job]);
    let changed = board.arrange(at(10));
    changed.iter().map(|job| job.id.0).collect()
}

#[test]
fn a_merge_interrupts_the_lowest_and_youngest_job_that_allows_it() {
    let mut tried = pull(1, true);
    tried.purpose = Purpose::Try;
    let mut board = board_with(vec![tried, pull(2, true)], policy(RULES, ""));
    assert_eq!(order(&mut board, &large("w", 4)), [1, 2]);
    board.add(vec![pull(3, true), pull(4, false)]);
    board.claim(at(5), &large("w", 4)).unwrap();
    board.claim(at(6), &large("w", 4)).unwrap();
    assert_eq!(interrupted(&mut board, job(9)), [3]);
    let wish = board.renew(at(11), attempt(3, 1), &worker("w"));
    assert_eq!(wish, Ok(Wish::Stop));
    assert_eq!(board.arrange(at(11)), [], "once is enough");
}

#[test]
fn the_room_goes_to_the_job_for_which_it_was_made() {
    let mut board = busy(vec![pull(1, true)], 1);
    assert_eq!(interrupted(&mut board, job(9)), [1]);
    let back = only(board.account(at(12), &worker("w"), &[]));
    assert_eq!(back.state, JobState::Waiting);
    assert_eq!(
        back.attempts[0].ended,
        Some(AttemptEnd::Preempted { at: at(12) })
    );
    board.add(vec![Job {
        priority: 99,
        ..job(10)
    }]);
    assert_eq!(order(&mut board, &large("w", 1)), [9]);
}

#[test]
fn an_interruption_costs_none_of_the_attempts() {
    let mut board = busy(vec![pull(1, true)], 1);
    for number in 1..=5_u64 {
        assert_eq!(interrupted(&mut board, job(100 + number)), [1]);
        let back = only(board.account(at(12), &worker("w"), &[]));
        assert_eq!(back.losses().count(), 0);
        let merge = order(&mut board, &large("w", 1))[0];
        let done = board.finish(at(13), attempt(merge, 1), &worker("w"), JobOutcome::Passed);
        done.unwrap();
        assert_eq!(order(&mut board, &large("w", 1)), [1]);
    }
}

#[test]
fn equals_and_jobs_that_do_not_allow_it_are_not_interrupted() {
    let mut merge = job(1);
    merge.suite.preemptible = true;
    let mut board = busy(vec![merge], 1);
    assert_eq!(interrupted(&mut board, job(9)), [0; 0]);
    let mut board = busy(vec![pull(1, false)], 1);
    assert_eq!(interrupted(&mut board, job(9)), [0; 0]);
}

#[test]
fn nobody_is_interrupted_while_a_fitting_worker_has_room() {
    let mut board = busy(vec![pull(1, true)], 2);
    assert_eq!(interrupted(&mut board, job(9)), [0; 0]);
    assert_eq!(
        interrupted(&mut board, job(10)),
        [1],
        "one slot is for one job"
    );
}

#[test]
fn a_job_that_may_not_interrupt_waits() {
    let mut board = busy(vec![pull(1, true)], 1);
    let mut tried = job(9);
    tried.purpose = Purpose::Try;
    assert_eq!(interrupted(&mut board, tried), [0; 0]);
}

#[test]
fn as_many_are_interrupted_as_are_needed_and_no_more() {
    let sized = |id, slots: u32| {
        let mut job = pull(id, true);
        job.suite.slots = Some(slots);
        job
    };
    let big = |slots| {
        let mut job = job(9);
        job.suite.slots = Some(slots);
        job
    };
    let jobs = || vec![sized(1, 1), sized(2, 1), sized(3, 3)];
    assert_eq!(interrupted(&mut busy(jobs(), 5), big(2)), [3]);
    assert_eq!(interrupted(&mut busy(jobs(), 5), big(4)).len(), 2);
    assert_eq!(interrupted(&mut busy(jobs(), 5), big(5)).len(), 3);
    assert_eq!(interrupted(&mut busy(jobs(), 5), big(6)), [0; 0]);
}

#[test]
fn a_job_that_has_waited_too_long_is_not_interrupted_any_more() {
    let mut board = busy(vec![pull(1, true)], 1);
    board.renew(at(3590), attempt(1, 1), &worker("w")).unwrap();
    board.add(vec![Job {
        made_at: at(3590),
        ..job(9)
    }]);
    assert_eq!(board.arrange(at(3600)), []);
}

#[test]
fn a_job_that_is_held_interrupts_nobody() {
    let mut policy = policy(RULES, "jobs_max = 1");
    policy
        .limits
        .insert(RepoLabel::new("other"), RepoLimits::default());
    let mut board = board_with(vec![pull(1, true)], policy);
    assert_eq!(order(&mut board, &large("w", 1)), [1]);
    assert_eq!(interrupted(&mut board, job(9)), [0; 0]);
}

#[test]
fn an_interruption_outlives_a_restart() {
    let mut board = busy(vec![pull(1, true)], 1);
    assert_eq!(interrupted(&mut board, job(9)), [1]);
    let written = board.jobs().cloned().collect();
    let mut board = Board::new(written, policy(RULES, ""), at(20));
    assert_eq!(board.arrange(at(20)), []);
    only(board.account(at(21), &worker("w"), &[]));
    assert_eq!(order(&mut board, &large("w", 1)), [9]);
}

#[test]
fn a_cancelled_run_takes_its_interrupted_jobs_with_it() {
    let mut board = busy(vec![pull(1, true)], 1);
    assert_eq!(interrupted(&mut board, job(9)), [1]);
    board.cancel_run(at(11), RunId(1));
    let ended = only(board.account(at(12), &worker("w"), &[]));
    assert_eq!(ended.state, JobState::Cancelled { at: at(12) });
}
