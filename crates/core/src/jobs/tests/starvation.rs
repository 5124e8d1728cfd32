//! What the scheduler promises whatever is asked of it: over random rules, limits and floods of
//! younger jobs.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::jobs::{Rule, RuleRun};

/// How long jobs run at most.
const RUN_S: i64 = 300;
const STEP_S: i64 = 30;
/// The jobs that are to get through the flood.
const EARLY: u64 = 5;
/// What the documentation promises for each job that was made earlier, and what the steps of
/// this play add.
const TURN_S: i64 = 4 * RUN_S + 8 * STEP_S;

/// What a job asks for and allows.
type Wants = (u8, u32, bool, u8, u8);

struct Play {
    board: Board,
    ranks: [i32; 4],
    now: i64,
    next_id: u64,
    workers: Vec<Machine>,
}

struct Machine {
    offer: Claimant,
    running: BTreeMap<Attempt, (i64, u32)>,
}

impl Machine {
    fn new(name: &str, executors: &[Executor], label: &str, slots: u32) -> Self {
        let offer = Claimant {
            executors: executors.to_vec(),
            labels: vec![label.to_owned()],
            ..large(name, slots)
        };
        Self {
            offer,
            running: BTreeMap::new(),
        }
    }

    fn used(&self) -> u32 {
        self.running.values().map(|(_, slots)| slots).sum()
    }
}

fn purpose(index: u8) -> Purpose {
    [Purpose::Land, Purpose::Try, Purpose::Branch, Purpose::Pull][usize::from(index % 4)]
}

fn policy_of(ranks: [i32; 4], preempt: [bool; 4], jobs_max: u32) -> Policy {
    let runs = [RuleRun::Auto, RuleRun::Try, RuleRun::Branch, RuleRun::Pull];
    let mut policy = Policy::new(LEASE_S);
    for (index, run) in runs.into_iter().enumerate() {
        policy.schedule.rules.push(Rule {
            run: Some(run),
            repo: None,
            branch: None,
            label: None,
            suite: None,
            priority: None,
            rank: ranks[index],
            preempt: preempt[index],
        });
    }
    policy.schedule.setup_s = 0;
    let limits = RepoLimits {
        jobs_max,
        suites: Vec::new(),
    };
    policy.limits.insert(RepoLabel::new("repo-0"), limits);
    policy
}

impl Play {
    fn new(ranks: [i32; 4], preempt: [bool; 4], jobs_max: u32) -> Self {
        use Executor::{Container, Sandbox, Vm};
        Self {
            board: Board::new(Vec::new(), policy_of(ranks, preempt, jobs_max), at(0)),
            ranks,
            now: 0,
            next_id: 1,
            workers: vec![
                Machine::new("u", &[Sandbox, Container], "a", 4),
                Machine::new("v", &[Vm, Container], "kvm", 3),
                Machine::new("w", &[Sandbox], "b", 2),
            ],
        }
    }

    fn put_up(&mut self, (environment, slots, preemptible, of, repo): Wants) {
        let (lines, slots_max) = [
            ("sandbox: true", 4),
            ("container: {image: i}", 4),
            ("host: {distro: d}", 3),
            ("container: {image: i, kvm: true}", 3),
            ("sandbox: true\nlabels: [b]", 2),
        ][usize::from(environment % 5)];
        let id = self.next_id;
        self.next_id += 1;
        let mut suite = suite(&format!("suite-{id}"), lines);
        suite.slots = Some(slots.clamp(1, slots_max));
        suite.preemptible = preemptible;
        suite.timeout_s = RUN_S as u64;
        self.board.add(vec![Job {
            suite,
            repo: RepoLabel::new(format!("repo-{}", repo % 3)),
            run: RunId(id),
            purpose: purpose(of),
            made_at: at(self.now),
            ..job(id)
        }]);
        self.arrange();
    }

    fn rank(&self, job: &Job) -> i32 {
        self.ranks[job.purpose as usize]
    }

    /// Interruption goes only downwards, and only to those that allow it.
    fn arrange(&mut self) {
        for job in self.board.arrange(at(self.now)) {
            let by = job.attempts.last().unwrap().preempted_by.unwrap();
            assert!(job.suite.preemptible);
            assert!(self.rank(&job) < self.rank(self.board.job(by).unwrap()));
        }
    }

    fn step(&mut self) {
        self.now += STEP_S;
        for index in 0..self.workers.len() {
            self.go_on(index);
            self.ask(index);
        }
        assert_eq!(self.board.expire(at(self.now)), []);
        self.arrange();
    }

    fn go_on(&mut self, index: usize) {
        let now = at(self.now);
        let machine = &mut self.workers[index];
        for (attempt, (end, _)) in machine.running.clone() {
            let worker = &machine.offer.worker;
            let wish = self.board.renew(now, attempt, worker).unwrap();
            self.board.hear_output(now, attempt.job);
            if wish == Wish::GoOn && end <= self.now {
                let done = self.board.finish(now, attempt, worker, JobOutcome::Passed);
                done.unwrap();
            }
            if wish == Wish::Stop || end <= self.now {
                machine.running.remove(&attempt);
            }
        }
        let running: Vec<_> = machine.running.keys().copied().collect();
        self.board.account(now, &machine.offer.worker, &running);
        self.arrange();
    }

    fn ask(&mut self, index: usize) {
        loop {
            let machine = &mut self.workers[index];
            let mut claimant = machine.offer.clone();
            claimant.slots_free = claimant.slots - machine.used();
            let Some(job) = self.board.claim(at(self.now), &claimant) else {
                return;
            };
            let need = Need::of(&job.suite);
            assert!(claimant.executors.contains(&need.executor));
            assert!(need.labels.iter().all(|it| claimant.labels.contains(it)));
            let attempt = Attempt {
                job: job.id,
                number: job.attempts.last().unwrap().number,
            };
            let run_s = STEP_S + i64::try_from(job.id.0 * 37).unwrap() % (RUN_S - STEP_S);
            let end = self.now + run_s;
            machine.running.insert(attempt, (end, need.slots));
            assert!(machine.used() <= claimant.slots, "over its slots");
            self.assert_one_lease(job.id);
            self.arrange();
        }
    }

    fn assert_one_lease(&self, id: JobId) {
        let attempts = self.workers.iter().flat_map(|it| it.running.keys());
        assert_eq!(attempts.filter(|it| it.job == id).count(), 1);
    }
}

fn wants() -> impl Strategy<Value = Wants> {
    (0..5_u8, 1..5_u32, any::<bool>(), 0..4_u8, 0..3_u8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_job_gets_through_any_flood_in_time_and_every_promise_is_kept(
        ranks in any::<[i8; 4]>(),
        preempt in any::<[bool; 4]>(),
        jobs_max in 0..4_u32,
        early in proptest::collection::vec(wants(), EARLY as usize),
        flood in proptest::collection::vec(wants(), 1..40),
    ) {
        let mut play = Play::new(ranks.map(i32::from), preempt, jobs_max);
        for wants in early {
            play.put_up(wants);
        }
        let mut flood = flood.into_iter().cycle();
        let bound_s = 3600 + i64::try_from(EARLY).unwrap() * TURN_S + RUN_S;
        while play.now < bound_s {
            for wants in flood.by_ref().take(3) {
                play.put_up(wants);
            }
            play.step();
        }
        let left: Vec<_> = play.board.jobs().filter(|job| job.id.0 <= EARLY).collect();
        prop_assert!(left.is_empty(), "starved: {left:?}");
    }
}
