//! What became of each suite, and which may begin.

use crate::clock::Stopwatch;
use crate::protocol::{Executor, JobOutcome};
use paprq_core::suite::{Environment, Suite};

/// All suites of this run, in the order of the file.
#[derive(Debug)]
pub(super) struct Board {
    jobs: Vec<Job>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) suite: Suite,
    pub(super) state: State,
    pub(super) log: Vec<u8>,
}

/// Where a suite stands.
#[derive(Clone, Debug)]
pub(super) enum State {
    Waiting,
    Running(Stopwatch),
    Ended(Ending, std::time::Duration),
}

/// How a suite ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    Executed(JobOutcome),
    /// Why it was not.
    NotExecuted {
        why: String,
        wanted: Asked,
    },
}

/// Whether a suite should have been executed that was not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// It should.
    Yes,
    /// Nobody asked for it.
    No,
}

impl Board {
    pub(super) fn new(suites: Vec<Suite>) -> Self {
        let jobs = suites.into_iter().map(|suite| Job {
            suite,
            state: State::Waiting,
            log: Vec::new(),
        });
        Self {
            jobs: jobs.collect(),
        }
    }

    pub(super) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    pub(super) fn job_mut(&mut self, number: usize) -> Option<&mut Job> {
        self.jobs.get_mut(number)
    }

    /// Leaves out what takes an executor that nobody asked for.
    pub(super) fn leave_out(&mut self, executor: Executor, wanted: Asked) {
        let why = format!("--executor does not name {}", name(executor));
        for job in &mut self.jobs {
            if executor_of(&job.suite.environment) == executor {
                job.give_up(&why, wanted);
            }
        }
    }

    /// Leaves out what takes this executor, for this reason.
    pub(super) fn give_up_in(&mut self, executor: Executor, why: &str) {
        for job in &mut self.jobs {
            if executor_of(&job.suite.environment) == executor {
                job.give_up(why, Asked::Yes);
            }
        }
    }

    /// Whether anything waits that takes this executor.
    pub(super) fn waits_for(&self, executor: Executor) -> bool {
        let mut waiting = self
            .jobs
            .iter()
            .filter(|job| matches!(job.state, State::Waiting));
        waiting.any(|job| executor_of(&job.suite.environment) == executor)
    }

    /// Leaves out what takes an executor that is not offered.
    pub(super) fn offer(&mut self, executors: &[Executor]) {
        for job in &mut self.jobs {
            if !executors.contains(&executor_of(&job.suite.environment)) {
                let key = job.suite.environment.key();
                job.give_up(&format!("nothing here executes a `{key}`"), Asked::Yes);
            }
        }
    }

    /// The next suite that may begin, which then runs. What waits for one that did not pass is left
    /// out.
    pub(super) fn begin(&mut self) -> Option<usize> {
        self.settle();
        let number = self.jobs.iter().position(|job| {
            matches!(job.state, State::Waiting) && self.needed_by(job).all(|needed| needed.passed())
        })?;
        let job = self.jobs.get_mut(number)?;
        job.state = State::Running(Stopwatch::start());
        Some(number)
    }

    /// Says how a suite that runs ended.
    pub(super) fn end(&mut self, number: usize, outcome: JobOutcome) {
        if let Some(job) = self.jobs.get_mut(number)
            && let State::Running(since) = job.state
        {
            job.state = State::Ended(Ending::Executed(outcome), since.elapsed());
        }
        self.settle();
    }

    /// Whether nothing runs and nothing will.
    pub(super) fn is_over(&self) -> bool {
        self.jobs
            .iter()
            .all(|job| matches!(job.state, State::Ended(..)))
    }

    /// Whether everything that was wanted passed, or may fail.
    pub(super) fn is_good(&self) -> bool {
        self.jobs.iter().all(Job::is_good)
    }

    fn settle(&mut self) {
        while let Some((number, why)) = self.jobs.iter().enumerate().find_map(|(number, job)| {
            let waits = matches!(job.state, State::Waiting);
            let bad = self.needed_by(job).find(|needed| needed.is_lost());
            let needed = bad.filter(|_| waits)?.suite.context.as_str();
            Some((number, format!("it needs {needed}, which did not pass")))
        }) {
            if let Some(job) = self.jobs.get_mut(number) {
                job.give_up(&why, Asked::Yes);
            }
        }
    }

    /// What this suite waits for, of those that are there.
    fn needed_by<'a>(&'a self, job: &'a Job) -> impl Iterator<Item = &'a Job> {
        let needs = &job.suite.needs;
        self.jobs
            .iter()
            .filter(move |other| needs.contains(&other.suite.context))
    }
}

impl Job {
    fn give_up(&mut self, why: &str, wanted: Asked) {
        if matches!(self.state, State::Waiting) {
            let why = why.to_owned();
            let ending = Ending::NotExecuted { why, wanted };
            self.state = State::Ended(ending, std::time::Duration::ZERO);
        }
    }

    fn passed(&self) -> bool {
        matches!(
            &self.state,
            State::Ended(Ending::Executed(JobOutcome::Passed), _)
        )
    }

    /// Whether it ended without having passed.
    fn is_lost(&self) -> bool {
        matches!(self.state, State::Ended(..)) && !self.passed()
    }

    fn is_good(&self) -> bool {
        match &self.state {
            State::Waiting | State::Running(_) => false,
            State::Ended(Ending::Executed(JobOutcome::Passed), _) => true,
            State::Ended(Ending::Executed(_), _) => self.suite.allow_failure,
            State::Ended(Ending::NotExecuted { wanted, .. }, _) => *wanted == Asked::No,
        }
    }
}

/// What executes suites of this environment.
fn executor_of(environment: &Environment) -> Executor {
    match environment {
        Environment::Sandbox { .. } => Executor::Sandbox,
        Environment::Container { .. } => Executor::Container,
        Environment::Host { .. } | Environment::Cluster { .. } => Executor::Vm,
    }
}

fn name(executor: Executor) -> &'static str {
    match executor {
        Executor::Sandbox => "sandbox",
        Executor::Container => "container",
        Executor::Kubernetes => "kubernetes",
        Executor::Vm => "vm",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paprq_core::suite::read;

    /// Three suites of which each needs the one before, and one by itself.
    fn board() -> Board {
        let file = "context: a\nsandbox: true\ntests: []\n---\n\
                    inherit: true\ncontext: b\nneeds: [a]\n---\n\
                    inherit: true\ncontext: c\nneeds: [b]\nallow-failure: true\n---\n\
                    container: {image: i}\ncontext: d\ntests: []\n";
        Board::new(read("f", file.as_bytes()).unwrap())
    }

    fn states(board: &Board) -> Vec<&str> {
        let states = board.jobs().iter().map(|job| match &job.state {
            State::Waiting => "waiting",
            State::Running(_) => "running",
            State::Ended(Ending::Executed(JobOutcome::Passed), _) => "passed",
            State::Ended(Ending::Executed(_), _) => "failed",
            State::Ended(Ending::NotExecuted { .. }, _) => "left out",
        });
        states.collect()
    }

    #[test]
    fn a_suite_begins_when_what_it_needs_has_passed() {
        let mut board = board();
        assert_eq!((board.begin(), board.begin()), (Some(0), Some(3)));
        assert_eq!(board.begin(), None);
        board.end(0, JobOutcome::Passed);
        assert_eq!((board.begin(), board.begin()), (Some(1), None));
        assert_eq!(states(&board), ["passed", "running", "waiting", "running"]);
    }

    #[test]
    fn what_waits_for_a_suite_that_did_not_pass_is_left_out() {
        let mut board = board();
        board.begin();
        board.end(0, JobOutcome::TimedOut);
        assert_eq!(
            states(&board),
            ["failed", "left out", "left out", "waiting"]
        );
        assert!(!board.is_over());
        board.begin();
        board.end(3, JobOutcome::Passed);
        assert!(board.is_over());
        assert!(!board.is_good());
    }

    #[test]
    fn all_is_good_if_all_passed_that_had_to() {
        let mut board = board();
        board.leave_out(Executor::Container, Asked::No);
        for number in 0..3 {
            assert_eq!(board.begin(), Some(number));
            let outcome = match number {
                2 => JobOutcome::Failed { exit_code: 1 },
                _ => JobOutcome::Passed,
            };
            board.end(number, outcome);
        }
        assert_eq!(states(&board), ["passed", "passed", "failed", "left out"]);
        assert!(board.is_good());
    }

    #[test]
    fn an_end_counts_once_and_only_of_what_runs() {
        let mut board = board();
        board.end(0, JobOutcome::Passed);
        assert_eq!(states(&board)[0], "waiting");
        board.begin();
        board.end(0, JobOutcome::Passed);
        board.end(0, JobOutcome::TimedOut);
        assert_eq!(states(&board)[0], "passed");
    }

    #[test]
    fn what_nothing_executes_wanted_all_the_same() {
        let mut board = board();
        board.offer(&[Executor::Sandbox]);
        assert_eq!(states(&board)[3], "left out");
        board.give_up_in(Executor::Sandbox, "no reason");
        assert!(board.is_over());
        assert!(!board.is_good());
    }
}
