//! How long the scheduler takes for a decision: ten thousand waiting jobs, a thousand workers.
//! `cargo bench --bench scheduler`

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use paprq_core::ids::{CommitId, JobId, RepoLabel, RunId, Timestamp, WorkerId};
use paprq_core::jobs::{
    Board, Claimant, Executor, Job, JobState, PasswordDigest, Policy, Subject, WorkerKey,
};
use paprq_core::queue::run::Purpose;
use paprq_core::suite::{Environment, Network, Suite};

const JOBS: u64 = 10_000;
const WORKERS: u64 = 1000;
const REPOS: u64 = 100;

fn job(id: u64) -> Job {
    let environment = Environment::Sandbox {
        network: Network::Off,
    };
    let purposes = [Purpose::Land, Purpose::Try, Purpose::Branch, Purpose::Pull];
    let purpose = purposes.into_iter().cycle().nth(id as usize % 4);
    let mut suite = Suite::new(format!("suite-{id}"), environment);
    suite.labels = vec![format!("label-{}", id % 7)];
    suite.slots = Some(1 + (id % 3) as u32);
    suite.preemptible = id.is_multiple_of(2);
    Job {
        id: JobId(id),
        repo: RepoLabel::new(format!("repo-{}", id % REPOS)),
        run: RunId(id / 10),
        purpose: purpose.unwrap_or(Purpose::Pull),
        priority: (id % 5) as i64,
        commit: CommitId::ZERO,
        subject: Subject::default(),
        suite,
        tree: None,
        made_at: Timestamp(id as i64),
        state: JobState::Waiting,
        attempts: Vec::new(),
    }
}

fn claimant(number: u64) -> Claimant {
    Claimant {
        worker: WorkerKey {
            token: "token".to_owned(),
            name: WorkerId::new(format!("worker-{number}")),
        },
        executors: vec![Executor::Sandbox],
        labels: (0..7).map(|label| format!("label-{label}")).collect(),
        slots: 8,
        slots_free: 8,
        asked_at: Timestamp(0),
        git_password: PasswordDigest::of(""),
    }
}

/// Every worker has had its first job.
fn busy_board(max_wait_s: u64) -> Board {
    let jobs = (1..=JOBS + WORKERS).map(job).collect();
    let mut policy = Policy::new(60);
    policy.schedule.max_wait_s = max_wait_s;
    let mut board = Board::new(jobs, policy, Timestamp(0));
    for number in 0..WORKERS {
        black_box(board.claim(Timestamp(20_000), &claimant(number)));
    }
    board
}

fn scheduler(criterion: &mut Criterion) {
    let asking = claimant(WORKERS / 2);
    let now = Timestamp(100_000);
    for (name, max_wait_s) in [
        (
            "a decision among 10,000 jobs for one of 1,000 workers",
            3600,
        ),
        ("the same when all have waited too long", 60),
    ] {
        let board = busy_board(max_wait_s);
        criterion.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || board.clone(),
                |board| {
                    let job = board.claim(now, &asking);
                    black_box((job, board.arrange(now)))
                },
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group!(benches, scheduler);
criterion_main!(benches);
