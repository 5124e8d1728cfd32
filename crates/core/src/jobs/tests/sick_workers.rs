//! What becomes of jobs whose workers fail, and of the workers.

use super::*;

fn asking(name: &str, seconds: i64) -> Claimant {
    Claimant {
        asked_at: at(seconds),
        ..claimant(name)
    }
}

fn cannot_begin() -> (WorkerFault, String) {
    (WorkerFault::CannotBegin, "The disk is full.".to_owned())
}

fn broke_off() -> (WorkerFault, String) {
    (WorkerFault::BrokeOff, "The disk is full.".to_owned())
}

/// Takes the only job and loses it, as a worker does that is started again.
fn lose(board: &mut Board, name: &str, seconds: i64) -> Job {
    board.claim(at(seconds), &asking(name, seconds)).unwrap();
    only(board.account(at(seconds), &worker(name), &[]))
}

#[test]
fn a_worker_that_cannot_begin_a_job_costs_it_no_attempt() {
    let mut board = board(vec![job(1)]);
    for round in 0..20 {
        let given = board.claim(at(round), &asking("w", round)).unwrap();
        let number = given.attempts.last().unwrap().number;
        let attempt = attempt(1, number.0);
        let back = board.hand_back(at(round), attempt, &worker("w"), cannot_begin());
        assert_eq!(only(back.unwrap()).state, JobState::Waiting);
    }
    let given = board.claim(at(30), &asking("v", 30)).unwrap();
    assert_eq!(given.losses().count(), 0);
}

#[test]
fn a_worker_that_cannot_begin_a_job_gets_none_before_it_asks_for_such_again() {
    let mut container = job(2);
    container.suite.environment = Environment::Container {
        image: "unit".to_owned(),
        kvm: false,
        specs: crate::suite::ContainerSpecs::default(),
    };
    let mut board = board(vec![job(1), container, job(3)]);
    let both = |asked_at: i64| Claimant {
        executors: vec![Executor::Sandbox, Executor::Container],
        ..asking("w", asked_at)
    };
    board.claim(at(1), &both(0)).unwrap();
    board
        .hand_back(at(2), attempt(1, 1), &worker("w"), cannot_begin())
        .unwrap();
    // A claim from before, that still waits.
    assert_eq!(board.claim(at(3), &both(1)).unwrap().id, JobId(2));
    assert_eq!(board.claim(at(3), &both(2)), None);
    // It leaves out what it cannot do.
    let less = Claimant {
        executors: vec![Executor::Container],
        ..both(4)
    };
    assert_eq!(board.claim(at(4), &less), None);
    let known: Vec<_> = board.workers(at(4)).collect();
    assert_eq!(
        known[0].1.sick[&Executor::Sandbox].reason,
        "The disk is full."
    );
    assert_eq!(board.claim(at(5), &both(5)).unwrap().id, JobId(1));
    assert!(board.workers(at(5)).next().unwrap().1.sick.is_empty());
}

#[test]
fn a_job_that_no_worker_can_begin_says_so_and_is_given_up_in_the_end() {
    let mut board = board(vec![job(1)]);
    let day = i64::try_from(board.policy.schedule.no_worker_s).unwrap();
    board.claim(at(5), &asking("w", 5)).unwrap();
    board
        .hand_back(at(6), attempt(1, 1), &worker("w"), cannot_begin())
        .unwrap();
    let alive = |board: &mut Board, seconds| {
        let none = Claimant {
            executors: Vec::new(),
            ..asking("w", seconds)
        };
        assert_eq!(board.claim(at(seconds), &none), None);
    };
    alive(&mut board, 50);
    let Some(JobStatus::Waits(Wait::NoWorker { lack, until })) = board.status(JobId(1), at(60))
    else {
        panic!("{:?}", board.status(JobId(1), at(60)));
    };
    assert_eq!(until, at(6 + day));
    assert_eq!(
        lack.to_string(),
        "No worker can begin it now: The disk is full"
    );
    alive(&mut board, day);
    assert_eq!(board.expire(at(day)), []);
    alive(&mut board, day + 60);
    let over = only(board.expire(at(day + 66)));
    assert_eq!(
        error(&over),
        "No worker can begin it now: The disk is full."
    );
}

#[test]
fn a_job_that_was_lost_at_one_worker_goes_to_another() {
    let mut board = board(vec![job(1)]);
    board.claim(at(0), &asking("w", 0)).unwrap();
    board.claim(at(0), &asking("v", 0));
    board
        .hand_back(at(1), attempt(1, 1), &worker("w"), broke_off())
        .unwrap();
    assert_eq!(board.claim(at(2), &asking("w", 2)), None);
    assert!(board.claim(at(2), &asking("v", 2)).is_some());
}

#[test]
fn others_are_not_held_up_behind_a_job_that_is_kept_from_a_worker() {
    let mut board = board(vec![job(1), job(2)]);
    board.claim(at(0), &asking("v", 0)).unwrap();
    board.claim(at(0), &asking("w", 0)).unwrap();
    board
        .hand_back(at(1), attempt(1, 1), &worker("v"), broke_off())
        .unwrap();
    let done = board.finish(at(1), attempt(2, 1), &worker("w"), JobOutcome::Passed);
    done.unwrap();
    board.add(vec![job(3)]);
    assert_eq!(board.claim(at(2), &asking("v", 2)).unwrap().id, JobId(3));
    assert_eq!(board.claim(at(2), &asking("w", 2)).unwrap().id, JobId(1));
}

#[test]
fn three_moments_of_one_worker_do_not_end_a_job_and_another_worker_saves_it() {
    let mut board = board(vec![job(1)]);
    lose(&mut board, "w", 0);
    lose(&mut board, "w", 0);
    assert_eq!(board.claim(at(1), &asking("w", 1)), None);
    let Some(JobStatus::Waits(Wait::Pause { until })) = board.status(JobId(1), at(1)) else {
        panic!("{:?}", board.status(JobId(1), at(1)));
    };
    assert_eq!(until, at(60));
    assert!(board.claim(at(1), &asking("v", 1)).is_some());
}

#[test]
fn three_workers_end_a_job_at_once_and_the_last_reason_is_told() {
    let mut board = board(vec![job(1)]);
    for (name, number) in [("u", 1), ("v", 2), ("w", 3)] {
        board.claim(at(1), &asking(name, 1)).unwrap();
        let back = board.hand_back(at(1), attempt(1, number), &worker(name), broke_off());
        let job = only(back.unwrap());
        assert_eq!(job.is_over(), number == ATTEMPTS_MAX);
        if job.is_over() {
            assert_eq!(error(&job), "The disk is full.");
        }
    }
}

#[test]
fn the_only_worker_has_its_third_loss_after_a_pause_and_that_ends_the_job() {
    let mut board = board(vec![job(1)]);
    lose(&mut board, "w", 0);
    lose(&mut board, "w", 1);
    assert_eq!(board.claim(at(60), &asking("w", 60)), None);
    assert_eq!(
        error(&lose(&mut board, "w", 61)),
        "Its worker was lost 3 times."
    );
}

#[test]
fn a_job_that_has_waited_too_long_may_go_back_to_where_it_was_lost() {
    let mut board = board(vec![job(1), job(2)]);
    board.claim(at(0), &asking("w", 0)).unwrap();
    board.claim(at(0), &asking("v", 0)).unwrap();
    board
        .hand_back(at(1), attempt(1, 1), &worker("w"), broke_off())
        .unwrap();
    let beat = |board: &mut Board, seconds| {
        board
            .renew(at(seconds), attempt(2, 1), &worker("v"))
            .unwrap();
    };
    beat(&mut board, 3599);
    assert_eq!(board.claim(at(3599), &asking("w", 3599)), None);
    beat(&mut board, 3600);
    assert!(board.claim(at(3600), &asking("w", 3600)).is_some());
}

#[test]
fn a_job_that_may_interrupt_others_does_so_where_it_was_not_lost() {
    let rules = "[[schedule.rules]]\nrun = 'auto'\nrank = 100\npreempt = true\n\
                 [[schedule.rules]]\nrun = 'pull'\nrank = 20\n";
    let mut low = job(2);
    low.purpose = Purpose::Pull;
    low.suite.preemptible = true;
    let mut board = board_with(vec![low], policy(rules, ""));
    board.claim(at(0), &asking("v", 0)).unwrap();
    board.add(vec![job(1)]);
    board.claim(at(0), &asking("w", 0)).unwrap();
    board
        .hand_back(at(1), attempt(1, 1), &worker("w"), broke_off())
        .unwrap();
    // "w" has room, but not for this job.
    board.arrange(at(1));
    let wish = board.renew(at(2), attempt(2, 1), &worker("v"));
    assert_eq!(wish, Ok(Wish::Stop));
}

#[test]
fn a_fault_of_an_attempt_that_was_to_be_stopped_ends_it() {
    for fault in [broke_off(), cannot_begin()] {
        let mut board = board(vec![job(1)]);
        board.claim(at(0), &asking("w", 0)).unwrap();
        board.cancel_run(at(1), RunId(1));
        let back = board.hand_back(at(2), attempt(1, 1), &worker("w"), fault);
        assert_eq!(only(back.unwrap()).state, JobState::Cancelled { at: at(2) });
    }
}

#[test]
fn only_the_holder_gives_an_attempt_back() {
    let mut board = board(vec![job(1)]);
    board.claim(at(0), &asking("w", 0)).unwrap();
    let stranger = board.hand_back(at(1), attempt(1, 1), &worker("v"), cannot_begin());
    assert_eq!(stranger, Err(LeaseOver));
    let other = board.hand_back(at(1), attempt(1, 2), &worker("w"), broke_off());
    assert_eq!(other, Err(LeaseOver));
}
