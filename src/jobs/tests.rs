//! The board under test: each promise by itself, and L7 over random histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    ATTEMPTS_MAX, Attempt, AttemptEnd, Board, Claimant, Executor, Job, JobOutcome, JobState,
    LeaseOver, Subject, Wish, WorkerKey,
};
use crate::ids::{AttemptNumber, CommitId, JobId, RepoLabel, RunId, Timestamp, WorkerId};
use crate::queue::note::Purpose;
use crate::suite::{Environment, Network, Suite};

const LEASE_S: u64 = 60;

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1000)
}

fn job(id: u64) -> Job {
    let environment = Environment::Sandbox {
        network: Network::Off,
    };
    Job {
        id: JobId(id),
        repo: RepoLabel::new("repo"),
        run: RunId(id % 3),
        purpose: Purpose::Land,
        priority: 0,
        commit: CommitId::ZERO,
        subject: Subject::default(),
        tree: None,
        suite: Suite {
            tests: vec!["true".to_owned()],
            timeout_s: 60,
            ..Suite::new(format!("suite-{id}"), environment)
        },
        made_at: at(0),
        state: JobState::Waiting,
        attempts: Vec::new(),
    }
}

fn worker(name: &str) -> WorkerKey {
    WorkerKey {
        token: "token".to_owned(),
        name: WorkerId::new(name),
    }
}

fn claimant(name: &str) -> Claimant {
    Claimant {
        worker: worker(name),
        executors: vec![Executor::Sandbox],
        labels: Vec::new(),
        slots_free: 1,
        git_token: "secret".to_owned(),
    }
}

fn attempt(job: u64, number: u32) -> Attempt {
    Attempt {
        job: JobId(job),
        number: AttemptNumber(number),
    }
}

fn board(jobs: Vec<Job>) -> Board {
    Board::new(jobs, LEASE_S)
}

#[test]
fn merges_go_before_tries_then_priority_then_age() {
    let mut tried = job(1);
    tried.purpose = Purpose::Try;
    tried.priority = 9;
    let mut urgent = job(4);
    urgent.priority = 5;
    let mut board = board(vec![tried, job(3), job(2), urgent]);
    let order: Vec<_> = std::iter::from_fn(|| board.claim(at(0), &claimant("w")))
        .map(|job| job.id.0)
        .collect();
    assert_eq!(order, [4, 2, 3, 1]);
}

#[test]
fn a_job_goes_only_to_a_worker_that_can_execute_it() {
    let mut board = board(vec![job(1)]);
    let mut other = claimant("w");
    other.executors = vec![Executor::Container, Executor::Vm, Executor::Kubernetes];
    assert_eq!(board.claim(at(0), &other), None);
    assert!(board.claim(at(0), &claimant("w")).is_some());
}

#[test]
fn a_lease_lasts_as_long_as_its_worker_is_heard_of() {
    let mut board = board(vec![job(1)]);
    board.claim(at(0), &claimant("w")).unwrap();
    assert_eq!(board.next_wakeup(), Some(at(60)));
    assert_eq!(
        board.renew(at(50), attempt(1, 1), &worker("w")),
        Ok(Wish::GoOn)
    );
    assert_eq!(board.expire(at(109)), []);
    assert_eq!(board.expire(at(110)).len(), 1);
    let late = board.finish(at(111), attempt(1, 1), &worker("w"), JobOutcome::Passed);
    assert_eq!(late, Err(LeaseOver));
}

#[test]
fn a_result_counts_only_from_the_holder_of_that_attempt() {
    let mut board = board(vec![job(1)]);
    board.claim(at(0), &claimant("w")).unwrap();
    let stranger = board.finish(at(1), attempt(1, 1), &worker("v"), JobOutcome::Passed);
    let other = board.finish(at(1), attempt(1, 2), &worker("w"), JobOutcome::Passed);
    let unknown = board.finish(at(1), attempt(2, 1), &worker("w"), JobOutcome::Passed);
    for result in [stranger, other, unknown] {
        assert_eq!(result, Err(LeaseOver));
    }
    let job = board.finish(at(1), attempt(1, 1), &worker("w"), JobOutcome::TimedOut);
    let outcome = JobOutcome::TimedOut;
    assert_eq!(
        job.unwrap().state,
        JobState::Finished { outcome, at: at(1) }
    );
}

#[test]
fn a_job_whose_workers_die_is_given_up_after_the_last_attempt() {
    let mut board = board(vec![job(1)]);
    for number in 1..=ATTEMPTS_MAX {
        let given = board.claim(at(0), &claimant("w")).unwrap();
        assert_eq!(given.attempts.len(), number as usize);
        let lost = board.account(at(1), &worker("w"), &[]);
        assert_eq!(lost.len(), 1);
        assert_eq!(lost[0].is_over(), number == ATTEMPTS_MAX);
    }
    assert_eq!(board.claim(at(2), &claimant("w")), None);
}

#[test]
fn an_account_loses_only_what_that_worker_does_not_execute() {
    let mut board = board(vec![job(1), job(2)]);
    board.claim(at(0), &claimant("w")).unwrap();
    board.claim(at(0), &claimant("v")).unwrap();
    assert_eq!(board.account(at(1), &worker("w"), &[attempt(1, 1)]), []);
    assert_eq!(
        board.account(at(1), &worker("v"), &[attempt(2, 2)]).len(),
        1
    );
}

#[test]
fn a_cancelled_run_ends_its_waiting_jobs_and_stops_the_others() {
    let mut board = board(vec![job(1), job(4), job(2)]);
    board.claim(at(0), &claimant("w")).unwrap();
    let changed = board.cancel_run(at(1), RunId(1));
    assert_eq!(changed.len(), 2);
    assert!(board.job(JobId(4)).is_none());
    assert!(board.job(JobId(2)).is_some());
    let wish = board.renew(at(2), attempt(1, 1), &worker("w"));
    assert_eq!(wish, Ok(Wish::Stop));
    let job = board.finish(at(3), attempt(1, 1), &worker("w"), JobOutcome::Passed);
    assert_eq!(job.unwrap().state, JobState::Cancelled { at: at(3) });
}

#[test]
fn a_job_that_was_to_be_stopped_does_not_run_again_when_its_worker_is_lost() {
    let mut board = board(vec![job(1)]);
    board.claim(at(0), &claimant("w")).unwrap();
    board.cancel_run(at(1), RunId(1));
    let lost = board.expire(at(60));
    assert_eq!(lost[0].state, JobState::Cancelled { at: at(60) });
    let end = lost[0].attempts[0].ended.clone();
    assert_eq!(end, Some(AttemptEnd::Lost { at: at(60) }));
}

#[test]
fn jobs_come_back_from_their_documents() {
    let mut board = board(vec![job(1)]);
    let leased = board.claim(at(0), &claimant("w")).unwrap();
    let done = board
        .finish(
            at(1),
            attempt(1, 1),
            &worker("w"),
            JobOutcome::Failed { exit_code: 3 },
        )
        .unwrap();
    for job in [job(2), leased, done] {
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
    }
}

/// What a worker that was given an attempt may think for ever: that it has it.
type Memory = BTreeMap<Attempt, WorkerKey>;

fn play(history: &[(u8, u16)]) {
    let mut board = board((0..6).map(job).collect());
    let mut now = 0;
    let mut given = Memory::new();
    let mut results = BTreeSet::new();
    for (what, which) in history {
        let name = ["v", "w"][usize::from(which % 2)];
        let claimed = given.iter().nth(usize::from(*which) % given.len().max(1));
        let claimed = claimed.map(|(attempt, _)| *attempt);
        match what {
            0..=2 => {
                let Some(job) = board.claim(at(now), &claimant(name)) else {
                    continue;
                };
                assert!(
                    !results.contains(&job.id),
                    "executed again after its result"
                );
                let number = job.attempts.last().unwrap().number;
                assert!(number.0 <= ATTEMPTS_MAX);
                let fresh = given.insert(attempt(job.id.0, number.0), worker(name));
                assert_eq!(fresh, None, "one attempt given to two");
            }
            3..=4 => {
                let Some(attempt) = claimed else { continue };
                let holds = holds(&board, attempt, name);
                let done = board.finish(at(now), attempt, &worker(name), JobOutcome::Passed);
                assert_eq!(done.is_ok(), holds);
                if let Ok(job) = done {
                    assert!(job.is_over());
                    assert!(results.insert(job.id), "two results");
                }
            }
            5 => {
                let Some(attempt) = claimed else { continue };
                let renewed = board.renew(at(now), attempt, &worker(name));
                assert_eq!(renewed.is_ok(), holds(&board, attempt, name));
            }
            6 => now += i64::from(which % 90),
            7 => ended(board.expire(at(now)), &mut results),
            8 => ended(
                board.cancel_run(at(now), RunId(u64::from(which % 3))),
                &mut results,
            ),
            _ => {
                let kept: Vec<_> = given.keys().copied().skip(usize::from(which % 5)).collect();
                ended(board.account(at(now), &worker(name), &kept), &mut results);
            }
        }
    }
    while board.jobs().next().is_some() {
        now += 100;
        ended(board.expire(at(now)), &mut results);
        let _job = board.claim(at(now), &claimant("w"));
    }
    assert_eq!(results.len(), 6, "a job was lost");
}

fn holds(board: &Board, attempt: Attempt, name: &str) -> bool {
    board.job(attempt.job).is_some_and(|job| {
        matches!(&job.state, JobState::Leased { attempt: number, worker: holder, .. }
            if *number == attempt.number && *holder == worker(name))
    })
}

fn ended(changed: Vec<Job>, results: &mut BTreeSet<JobId>) {
    for job in changed.into_iter().filter(Job::is_over) {
        assert!(results.insert(job.id), "two results");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_job_has_one_result_from_its_own_lease_after_at_most_three_attempts(
        history in proptest::collection::vec((0_u8..10, any::<u16>()), 0..120),
    ) {
        play(&history);
    }
}
