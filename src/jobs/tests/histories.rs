//! L7 over random histories: one result per job, from its own lease.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

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
                if let Ok(changed) = done {
                    assert!(only(changed.clone()).is_over());
                    ended(changed, &mut results);
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
