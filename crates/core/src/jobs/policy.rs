//! What a team decided about the order of jobs and about how many run at a time.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::job::Job;
use super::need::Need;
use super::pattern::Pattern;
use super::schedule::{Rule, RuleRun, Schedule, SuiteLimit};
use crate::ids::RepoLabel;
use crate::queue::run::Purpose;

/// What a team decided about its jobs.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long a worker holds a job without a word, in seconds.
    pub lease_s: u64,
    /// Which job goes first, and how long jobs wait and run.
    pub schedule: Schedule,
    /// How many jobs of a repository run at a time, where that is limited.
    pub limits: BTreeMap<RepoLabel, RepoLimits>,
}

/// How many jobs of one repository run at a time.
#[derive(Clone, Debug, Default)]
pub struct RepoLimits {
    /// All together; 0 for any number.
    pub jobs_max: u32,
    /// Those of certain suites.
    pub suites: Vec<SuiteLimit>,
}

/// Why a job is held although a worker has room for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Limit {
    /// So many jobs of the repository run.
    Repo {
        /// How many.
        jobs_max: u32,
    },
    /// So many jobs run whose suites fit the same pattern.
    Suites {
        /// The pattern.
        pattern: String,
        /// How many.
        jobs_max: u32,
    },
}

/// All by which waiting jobs are told apart but priority and age. Ordered as they go.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Kind {
    pub(super) rank: Reverse<i32>,
    pub(super) repo: RepoLabel,
    pub(super) preempts: bool,
    /// Which of the repository's limits of suites hold for it.
    pub(super) limits: Vec<usize>,
    pub(super) need: Need,
}

impl Policy {
    /// The ranks and times that hold where nothing is configured.
    pub fn new(lease_s: u64) -> Self {
        Self {
            lease_s,
            schedule: Schedule::default(),
            limits: BTreeMap::new(),
        }
    }

    pub(super) fn kind(&self, job: &Job) -> Kind {
        let rule = self.schedule.rules.iter().find(|rule| fits(rule, job));
        let suites = self.limits.get(&job.repo).map(|limits| &limits.suites);
        let limits = suites.into_iter().flatten().enumerate();
        let context = &job.suite.context;
        Kind {
            rank: Reverse(rule.map_or_else(|| rank_of(job.purpose), |rule| rule.rank)),
            repo: job.repo.clone(),
            preempts: rule.is_some_and(|rule| rule.preempt),
            limits: limits
                .filter(|(_, limit)| limit.suites.fits(context))
                .map(|(index, _)| index)
                .collect(),
            need: Need::of(&job.suite),
        }
    }

    /// How many jobs of a repository run at a time; 0 for any number.
    pub(super) fn jobs_max(&self, repo: &RepoLabel) -> u32 {
        self.limits.get(repo).map_or(0, |limits| limits.jobs_max)
    }

    pub(super) fn suite_limit(&self, repo: &RepoLabel, index: usize) -> Option<&SuiteLimit> {
        self.limits.get(repo)?.suites.get(index)
    }
}

/// The rank of jobs that no rule fits.
fn rank_of(purpose: Purpose) -> i32 {
    match purpose {
        Purpose::Land => 100,
        Purpose::Try => 80,
        Purpose::Branch => 40,
        Purpose::Pull => 20,
    }
}

fn fits(rule: &Rule, job: &Job) -> bool {
    let text = |pattern: &Option<Pattern>, text: &str| {
        let pattern = pattern.as_ref();
        pattern.is_none_or(|pattern| pattern.fits(text))
    };
    let label = rule.label.as_ref();
    rule.run.is_none_or(|run| run == run_of(job.purpose))
        && text(&rule.repo, job.repo.as_str())
        && text(&rule.branch, &job.subject.branch)
        && text(&rule.suite, &job.suite.context)
        && label.is_none_or(|label| job.subject.labels.iter().any(|own| label.fits_name(own)))
        && rule.priority.is_none_or(|bound| bound.fits(job.priority))
}

fn run_of(purpose: Purpose) -> RuleRun {
    match purpose {
        Purpose::Land => RuleRun::Auto,
        Purpose::Try => RuleRun::Try,
        Purpose::Branch => RuleRun::Branch,
        Purpose::Pull => RuleRun::Pull,
    }
}
