//! Nobody is left behind: between repositories, and over time.

use super::*;

#[test]
fn of_equals_the_repository_that_has_least_goes_first() {
    let of = |id, repo: &str, priority| Job {
        repo: RepoLabel::new(repo),
        priority,
        ..job(id)
    };
    let jobs = vec![
        of(1, "a", 9),
        of(2, "a", 9),
        of(3, "a", 9),
        of(4, "b", 0),
        of(5, "b", 0),
    ];
    let mut board = board(jobs);
    assert_eq!(order(&mut board, &claimant("w")), [1, 4, 2, 5, 3]);
}

#[test]
fn a_large_job_that_has_waited_too_long_is_kept_room_and_a_small_one_may_go_elsewhere() {
    let mut large_job = job(1);
    large_job.suite.slots = Some(2);
    let small = |id| Job {
        made_at: at(3000),
        ..job(id)
    };
    let mut board = board(vec![small(2)]);
    let (v, w) = (large("v", 1), large("w", 2));
    board.claim(at(3000), &w).unwrap();
    board.add(vec![large_job, small(3), small(4), small(5)]);
    let one_free = Claimant {
        slots_free: 1,
        ..w.clone()
    };
    assert_eq!(board.arrange(at(3599)), []);
    assert_eq!(board.claim(at(3599), &one_free).unwrap().id, JobId(3));
    for id in [2, 3] {
        board.renew(at(3599), attempt(id, 1), &worker("w")).unwrap();
    }
    assert_eq!(board.arrange(at(3600)), []);
    let done = board.finish(at(3601), attempt(3, 1), &worker("w"), JobOutcome::Passed);
    done.unwrap();
    assert_eq!(board.claim(at(3602), &one_free), None);
    assert_eq!(board.claim(at(3602), &v).unwrap().id, JobId(4));
    let done = board.finish(at(3603), attempt(2, 1), &worker("w"), JobOutcome::Passed);
    done.unwrap();
    assert_eq!(board.claim(at(3604), &w).unwrap().id, JobId(1));
}

/// Pulls that have waited too long, and merges that have just been put up; all of one repository.
fn flooded(pulls: u64, merges: u64, policy: Policy) -> Board {
    let job_of = |id, purpose, made_at| Job {
        purpose,
        made_at: at(made_at),
        ..job(id)
    };
    let pulls = (1..=pulls).map(|id| job_of(id, Purpose::Pull, 0));
    let merges = (1..=merges).map(|id| job_of(1000 + id, Purpose::Land, 3600));
    Board::new(pulls.chain(merges).collect(), policy, at(3600))
}

/// The first attempt of a job at worker `w` passes.
fn pass(board: &mut Board, now: i64, id: u64) {
    let worker = worker("w");
    let done = board.finish(at(now), attempt(id, 1), &worker, JobOutcome::Passed);
    done.unwrap();
    board.arrange(at(now));
}

/// The order in which one worker of one slot gets jobs that pass at once.
fn order_of(mut board: Board) -> Vec<u64> {
    let worker = large("w", 1);
    let mut given = Vec::new();
    while let Some(job) = board.claim(at(3600), &worker) {
        given.push(job.id.0);
        board.arrange(at(3600));
        pass(&mut board, 3600, job.id.0);
    }
    given
}

#[test]
fn those_that_have_waited_too_long_take_every_second_turn() {
    let expected = [1001, 1, 1002, 2, 1003, 3, 4, 5];
    assert_eq!(order_of(flooded(5, 3, Policy::new(LEASE_S))), expected);
    let limited = policy("", "jobs_max = 1");
    assert_eq!(order_of(flooded(5, 3, limited)), expected);
}

#[test]
fn a_repository_whose_other_jobs_do_not_get_through_gets_its_next_turn_after_a_while() {
    let mut board = flooded(2, 0, Policy::new(LEASE_S));
    let other = |id| Job {
        repo: RepoLabel::new("other"),
        made_at: at(7000),
        ..job(id)
    };
    board.add((1000..1100).map(other).collect());
    let worker = large("w", 1);
    let mut next = |now| {
        let job = board.claim(at(now), &worker).unwrap();
        pass(&mut board, now, job.id.0);
        job.id.0
    };
    assert_eq!([3600, 3600, 3600].map(&mut next), [1000, 1, 1001]);
    let while_s = 2 * (60 + 1800);
    let times = [3600 + while_s - 1, 3600 + while_s, 3600 + while_s];
    assert_eq!(times.map(&mut next), [1002, 1003, 2]);
}

#[test]
fn who_keeps_a_worker_without_a_place_does_not_keep_it_from_those_that_have_waited_too_long() {
    let rules = "[[schedule.rules]]\nrun = 'branch'\nrank = 200\npreempt = true";
    let small = |id, made_at| {
        let mut small = Job {
            repo: RepoLabel::new("other"),
            made_at: at(made_at),
            ..job(id)
        };
        small.suite.preemptible = true;
        small
    };
    let mut board = board_with(
        vec![small(11, 0), small(12, 0)],
        policy(rules, "jobs_max = 1"),
    );
    let worker = large("w", 2);
    for _ in 0..2 {
        board.claim(at(0), &worker).unwrap();
    }
    let mut foremost = job(1);
    foremost.suite.slots = Some(2);
    let urgent = Job {
        purpose: Purpose::Branch,
        made_at: at(3500),
        ..job(2)
    };
    board.add(vec![foremost, urgent, small(13, 3500)]);
    for id in [11, 12] {
        let renewed = board.renew(at(3590), attempt(id, 1), &worker.worker);
        renewed.unwrap();
    }
    let interrupted = only(board.arrange(at(3590)));
    board.arrange(at(3600));
    let one_free = Claimant {
        slots_free: 1,
        ..worker.clone()
    };
    pass(&mut board, 3601, interrupted.id.0);
    assert_eq!(board.claim(at(3602), &one_free), None);
    pass(&mut board, 3603, 23 - interrupted.id.0);
    assert_eq!(board.claim(at(3604), &worker).unwrap().id, JobId(1));
}
