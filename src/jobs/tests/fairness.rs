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
