//! The board under test: each promise by itself, and all of them over random histories.

mod fairness;
mod fitting;
mod histories;
mod limits;
mod needs;
mod preemption;
mod ranks;
mod repeats;
mod sick_workers;
mod starvation;
mod superseding;
mod times;

use super::*;
use crate::ids::{
    AttemptNumber, CommitId, JobId, PullNumber, RepoLabel, RunId, Timestamp, WorkerId,
};
use crate::queue::run::Purpose;
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
        slots: 0,
        slots_free: 1,
        asked_at: at(0),
        git_password: PasswordDigest::of("secret"),
    }
}

fn attempt(job: u64, number: u32) -> Attempt {
    Attempt {
        job: JobId(job),
        number: AttemptNumber(number),
    }
}

fn board(jobs: Vec<Job>) -> Board {
    Board::new(jobs, Policy::new(LEASE_S), at(0))
}

/// A worker of so many slots, all of them free as far as it knows.
fn large(name: &str, slots: u32) -> Claimant {
    Claimant {
        slots,
        slots_free: slots,
        ..claimant(name)
    }
}

/// What a file of one suite with these lines defines; `labels` and `slots` are set beside it.
fn suite(context: &str, lines: &str) -> Suite {
    let is_own = |line: &&str| line.starts_with("labels: ") || line.starts_with("slots: ");
    let (own, others): (Vec<_>, Vec<_>) = lines.lines().partition(is_own);
    let others = others.join("\n");
    let text = format!("context: '{context}'\n{others}\ntests: [make]\n");
    let suites = crate::suite::read(".papr.yml", text.as_bytes()).unwrap();
    let mut suite = suites.into_iter().next().unwrap();
    for line in own {
        match line.split_once(": ").unwrap() {
            ("slots", slots) => suite.slots = Some(slots.parse().unwrap()),
            (_, labels) => {
                let labels = labels.trim_matches(['[', ']']).split(", ");
                suite.labels = labels.map(str::to_owned).collect();
            }
        }
    }
    suite
}

/// A policy with what `[schedule]` and `[repo.repo.suites]` say there.
fn policy(schedule: &str, suites: &str) -> Policy {
    let read = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
    let (file, suites) = (read(schedule), read(suites));
    let times = file
        .get("schedule")
        .and_then(|schedule| schedule.as_table());
    let mut schedule = Schedule::default();
    for (key, value) in times.into_iter().flatten() {
        match key.as_str() {
            "rules" => schedule.rules = value.as_array().unwrap().iter().map(rule).collect(),
            "max_wait_s" => schedule.max_wait_s = number(value),
            "no_worker_s" => schedule.no_worker_s = number(value),
            "silent_s" => schedule.silent_s = number(value),
            "setup_s" => schedule.setup_s = number(value),
            unknown => panic!("{unknown}"),
        }
    }
    let limits = suites.get("limits").and_then(|limits| limits.as_table());
    let limits = RepoLimits {
        jobs_max: suites.get("jobs_max").map_or(0, number),
        suites: limits.into_iter().flatten().map(limit).collect(),
    };
    Policy {
        lease_s: LEASE_S,
        schedule,
        limits: [(RepoLabel::new("repo"), limits)].into(),
    }
}

fn number<N: TryFrom<i64, Error: std::fmt::Debug>>(value: &toml::Value) -> N {
    value.as_integer().unwrap().try_into().unwrap()
}

fn limit((suites, jobs_max): (&String, &toml::Value)) -> SuiteLimit {
    SuiteLimit {
        suites: suites.parse().unwrap(),
        jobs_max: number(jobs_max),
    }
}

fn rule(rule: &toml::Value) -> Rule {
    let text = |key| rule.get(key).and_then(|value| value.as_str());
    let pattern = |key| text(key).map(|text| text.parse().unwrap());
    Rule {
        run: text("run").map(|run| match run {
            "auto" => RuleRun::Auto,
            "try" => RuleRun::Try,
            "pull" => RuleRun::Pull,
            "branch" => RuleRun::Branch,
            unknown => panic!("{unknown}"),
        }),
        repo: pattern("repo"),
        branch: pattern("branch"),
        label: pattern("label"),
        suite: pattern("suite"),
        priority: text("priority").map(|text| text.parse().unwrap()),
        rank: number(&rule["rank"]),
        preempt: rule
            .get("preempt")
            .is_some_and(|preempt| preempt.as_bool().unwrap()),
    }
}

fn board_with(jobs: Vec<Job>, policy: Policy) -> Board {
    Board::new(jobs, policy, at(0))
}

/// The ids of the jobs that a worker is given one after the other.
fn order(board: &mut Board, claimant: &Claimant) -> Vec<u64> {
    std::iter::from_fn(|| board.claim(at(1), claimant))
        .map(|job| job.id.0)
        .collect()
}

/// Why a job ended with an error.
fn error(job: &Job) -> &str {
    let JobState::Finished {
        outcome: JobOutcome::Error { message },
        ..
    } = &job.state
    else {
        panic!("{job:?}");
    };
    message
}

/// The only job that changed.
fn only(changed: Vec<Job>) -> Job {
    let [job] = <[Job; 1]>::try_from(changed).unwrap();
    job
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
        only(job.unwrap()).state,
        JobState::Finished { outcome, at: at(1) }
    );
}

#[test]
fn a_job_whose_workers_die_is_given_up_after_the_last_attempt() {
    let mut board = board(vec![job(1)]);
    for (name, number) in ["u", "v", "w"].into_iter().zip(1..=ATTEMPTS_MAX) {
        let given = board.claim(at(0), &claimant(name)).unwrap();
        assert_eq!(given.attempts.len(), number as usize);
        let lost = board.account(at(1), &worker(name), &[]);
        assert_eq!(lost.len(), 1);
        assert_eq!(lost[0].is_over(), number == ATTEMPTS_MAX);
    }
    assert_eq!(board.claim(at(2), &claimant("x")), None);
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
    assert_eq!(only(job.unwrap()).state, JobState::Cancelled { at: at(3) });
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
    for job in [job(2), leased, only(done)] {
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
    }
}
