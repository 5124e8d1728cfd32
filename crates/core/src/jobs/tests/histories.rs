//! L7 over random histories: one result per job, from its own lease, whatever workers fail at.

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
    // Since when a worker cannot begin jobs.
    let mut sick: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for (what, which) in history {
        let name = ["v", "w"][usize::from(which % 2)];
        let asked_at = at(now - i64::from(which % 3));
        let claimed = given.iter().nth(usize::from(*which) % given.len().max(1));
        let claimed = claimed.map(|(attempt, _)| *attempt);
        match what {
            0..=2 => {
                let Some(job) = board.claim(at(now), &asking(name, asked_at)) else {
                    continue;
                };
                let since = sick.remove(name);
                assert!(since.is_none_or(|since| asked_at > since), "still sick");
                may_be_given(&job, name, now);
                assert!(
                    !results.contains(&job.id),
                    "executed again after its result"
                );
                let number = job.attempts.last().unwrap().number;
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
            9 | 10 => {
                let Some(attempt) = claimed else { continue };
                let holds = holds(&board, attempt, name);
                let back = hand_back(&mut board, now, attempt, (name, *what));
                assert_eq!(back.is_ok(), holds);
                if holds && *what == 9 {
                    sick.insert(name, at(now));
                }
                ended(back.unwrap_or_default(), &mut results);
            }
            _ => {
                let kept: Vec<_> = given.keys().copied().skip(usize::from(which % 5)).collect();
                ended(board.account(at(now), &worker(name), &kept), &mut results);
            }
        }
    }
    end_all(&mut board, now, &mut results);
    assert_eq!(results.len(), 6, "a job was lost");
}

/// One worker takes all that is left, and dies with each.
fn end_all(board: &mut Board, mut now: i64, results: &mut BTreeSet<JobId>) {
    while board.jobs().next().is_some() {
        now += 100;
        ended(board.expire(at(now)), results);
        let _job = board.claim(at(now), &asking("w", at(now)));
    }
}

fn hand_back(
    board: &mut Board,
    now: i64,
    attempt: Attempt,
    (name, what): (&str, u8),
) -> Result<Vec<Job>, LeaseOver> {
    let fault = match what {
        9 => WorkerFault::CannotBegin,
        _ => WorkerFault::BrokeOff,
    };
    let fault = (fault, "Full.".to_owned());
    board.hand_back(at(now), attempt, &worker(name), fault)
}

fn asking(name: &str, asked_at: Timestamp) -> Claimant {
    Claimant {
        asked_at,
        ..claimant(name)
    }
}

/// At most three losses; those of one worker with pauses between.
fn may_be_given(job: &Job, name: &str, now: i64) {
    let losses: Vec<_> = job.losses().collect();
    assert!(losses.len() < ATTEMPTS_MAX as usize);
    let here: Vec<_> = losses
        .iter()
        .filter(|(loser, _)| **loser == worker(name))
        .collect();
    if let [.., (_, last)] = here[..]
        && here.len() > 1
    {
        assert!(at(now).ms_since(*last) >= 60_000, "given back at once");
    }
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
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn every_job_has_one_result_from_its_own_lease_after_at_most_three_losses(
        history in proptest::collection::vec((0_u8..13, any::<u16>()), 0..120),
    ) {
        play(&history);
    }
}
