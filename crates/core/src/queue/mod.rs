//! The state machine of one repository. Pure.
//!
//! [`Queue::handle`] is told what happened and says what must now be done; everything that the
//! queue knows came in through it. Read [`event`], then [`effect`], then [`run`].
//!
//! What does not live here: the words of comments (`notes.rs`), who executes a suite (`jobs`), and
//! everything that touches the outside.

mod approving;
pub mod awaiting;
mod branch_tests;
mod commands;
mod comment_key;
mod contained;
mod display;
pub mod effect;
pub mod event;
mod exempting;
mod external;
mod forget;
pub mod giving_up;
mod holding;
pub mod imported;
mod interest;
pub mod labels;
mod landing;
pub mod lane;
mod mergeability;
pub mod message;
pub mod note;
mod order;
pub mod pull;
pub mod pull_test;
mod pulls;
mod recheck;
mod repeating;
pub mod reports;
mod restore;
mod resuming;
mod rights;
pub mod rules;
pub mod run;
mod runs;
mod starting;
mod step;
mod suite_statuses;
mod suites;
mod superseding;
#[cfg(test)]
mod tests;
pub mod train;
mod trust;
mod trying;
mod vouching;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::contained::Contained;
use self::effect::Effect;
use self::event::Event;
use self::note::{Note, Obstacle};
pub use self::order::QueuePosition;
use self::pull::{Pull, Register};
use self::pulls::Move;
use self::rules::{Reporting, Rules};
use self::run::Run;
use self::step::Step;
pub use self::why::{Blockers, JobWords};
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId, Timestamp};

/// The queue of one repository.
#[derive(Clone, Debug)]
pub struct Queue {
    rules: Rules,
    state: RepoState,
    pulls: BTreeMap<PullNumber, Pull>,
    runs: BTreeMap<RunId, Run>,
    touched: Touched,
}

/// What the queue knows of the repository as a whole.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RepoState {
    /// Whether pulls of low priority are held back.
    pub tree: Register<Tree>,
    /// The latest run.
    pub last_run: RunId,
    /// Where each base branch was when it was last found out what merges cleanly into it.
    #[serde(default)]
    pub bases: BTreeMap<BranchName, CommitId>,
    /// Authors whose pulls are tested because a reviewer said so (`ok+`).
    #[serde(default)]
    pub welcome: BTreeSet<Login>,
    /// The tip of each branch that was last tested as such, or found to need no test.
    #[serde(default)]
    pub tips: BTreeMap<BranchName, CommitId>,
}

/// Whether pulls of low priority are held back.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub enum Tree {
    /// All pulls are tested.
    #[default]
    Open,
    /// Only pulls of at least this priority are.
    Closed {
        /// The priority.
        below: i64,
        /// Who closed it; `None` where only the comment is known.
        by: Option<Login>,
        /// The comment that did.
        source: String,
    },
}

/// What changed since it was last asked: what the store must write.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Touched {
    /// Pulls.
    pub pulls: BTreeSet<PullNumber>,
    /// Runs.
    pub runs: BTreeSet<RunId>,
    /// Whether the repository's own row did.
    pub state: bool,
}

impl Queue {
    /// An empty queue, the first of whose runs follows `last_run`.
    pub fn new(rules: Rules, last_run: RunId) -> Self {
        let state = RepoState {
            tree: Register::default(),
            last_run,
            bases: BTreeMap::new(),
            welcome: BTreeSet::new(),
            tips: BTreeMap::new(),
        };
        Self::restored(rules, state, Vec::new(), Vec::new())
    }

    /// The queue as it was written down.
    pub fn restored(rules: Rules, state: RepoState, pulls: Vec<Pull>, runs: Vec<Run>) -> Self {
        Self {
            rules,
            state,
            pulls: pulls
                .into_iter()
                .map(|pull| (pull.number(), pull))
                .collect(),
            runs: runs.into_iter().map(|run| (run.id, run)).collect(),
            touched: Touched::default(),
        }
    }

    /// Applies one event; returns what must now be done.
    ///
    /// Total: never fails, never panics. An event about a run that is over, or about things that
    /// the queue does not know, changes nothing.
    #[must_use = "effects that are not carried out are lost"]
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        let mut step = Step::new(now);
        self.apply(event, &mut step);
        self.start_next(&mut step);
        self.start_pull_tests(&mut step);
        if self.rules.reporting == Reporting::Off {
            step.effects.retain(|effect| !effect.is_report());
        }
        step.effects
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each event, and no more")]
    fn apply(&mut self, event: Event, step: &mut Step) {
        match event {
            Event::PullSeen { facts, source } => self.see_pull(facts, source, step),
            Event::HeadPushed { facts, by } => self.see_pushed(facts, by, step),
            Event::PullRestored {
                facts,
                comments,
                result,
                age,
            } => {
                let number = facts.number;
                self.restore(facts, comments, result, step);
                self.want_first_test(number, age, step);
            }
            Event::CommentMade { pull, comment } => self.read_comment(pull, comment, step),
            Event::BranchPushed {
                branch,
                before,
                after,
                at,
            } => self.see_push(&branch, Move { before, after, at }, step),
            Event::BaseSeen { branch, tip } => self.see_base(&branch, tip, step),
            Event::StatusReported {
                commit,
                context,
                verdict,
                url,
                order,
            } => {
                let news = reports::status(verdict, url, order);
                self.hear(commit, &|check| check.is_status(&context), &news, step);
            }
            Event::CheckRunReported {
                commit,
                name,
                verdict,
                url,
                attempt,
            } => {
                let news = reports::check_run(verdict, url, attempt);
                self.hear(commit, &|check| check.is_check_run(&name), &news, step);
            }
            Event::CheckSuiteCompleted { commit, suite } => {
                self.note_completed_suite(commit, suite, step);
            }
            Event::CheckRunsRead {
                commit,
                found,
                completed_suites,
            } => self.take_check_runs(commit, &found, &completed_suites, step),
            Event::CheckRunsUnread { run, why } => self.end_unread(run, why, step),
            Event::BuildReported {
                commit,
                builder,
                verdict,
                url,
                number,
            } => {
                let news = reports::build(verdict, url, number);
                self.hear(commit, &|check| check.is_build(&builder), &news, step);
            }
            Event::BuildsRefused { run, why } => self.end_unrepeated(run, &why, step),
            Event::StandingTold { user, standing } => self.hear_permission(&user, standing, step),
            Event::StandingUntold { user } => self.give_up_on(&user, step),
            Event::PullUnseen { pull } => self.miss_pull(pull, step),
            Event::LandingDelayed { run, why } => self.delay_landing(run, why),
            Event::ExemptionJudged { run, exemption } => self.take_exemption(run, exemption, step),
            Event::MergeabilityFound { base, found } => self.take_mergeability(&base, found, step),
            Event::HookAnswered { pull, answer } => step.post(pull, Note::HookAnswer { answer }),
            Event::HookFailed { pull, hook, why } => {
                step.post(pull, Note::HookFailed { hook, why });
            }
            Event::RollupMade { pulls, .. } => self.note_rollup(&pulls, step),
            Event::MergeMade {
                run,
                base_tip,
                merge,
            } => self.begin_testing(run, base_tip, merge, step),
            Event::MergeConflicted { run, step: at } => self.end_conflicted(run, at, step),
            Event::MergeAltered { run, files } => {
                self.end_broken(run, Obstacle::ContentLost(files), step);
            }
            Event::TestMergeMade {
                run,
                base_tip,
                made,
            } => self.begin_pull_test(run, base_tip, made, step),
            Event::AccessTold { user, access } => self.hear_access(&user, access, step),
            Event::SuitesCompared {
                pull,
                head,
                changed,
            } => self.take_comparison(pull, head, changed),
            Event::MergeRead { run, found } => self.take_up_merge(run, found.as_ref(), step),
            Event::MergePublished { run } => self.note_published(run, step),
            Event::NothingToMerge { run } => self.end_contained(run, step),
            Event::PullContained { pull, head, base } => {
                self.see_contained(pull, Contained { head, base }, step);
            }
            Event::SetupFailed { run, why } => {
                self.end_broken(run, Obstacle::SetupFailed(why), step);
            }
            Event::SuitesRead { run, found } => self.take_suites(run, found, step),
            Event::SuiteStarted { run, context, url } => {
                self.hear_suite_start(run, &context, &url, step);
            }
            Event::SuiteFinished {
                run,
                context,
                verdict,
                url,
            } => self.hear_suite_end(run, &context, suites::state(verdict, url), step),
            Event::BranchAdvanced { run } => self.end_landed(run, step),
            Event::LandingRefused { run, why } => self.end_refused(run, why, step),
            Event::TimePassed => self.pass_time(step),
        }
    }

    fn pass_time(&mut self, step: &mut Step) {
        self.end_overdue(step);
        self.give_up_inquiries(step);
        self.give_up_unjudged(step);
        self.give_up_asking(step);
        self.forget_old(step.now);
    }

    /// The next moment at which [`Event::TimePassed`] would matter.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let runs = self.runs.values().filter_map(Run::deadline);
        runs.chain(self.inquiry_deadlines())
            .chain(self.unjudged_deadlines())
            .chain(self.asking_deadlines())
            .min()
    }

    /// What changed since this was last asked.
    pub fn take_touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }

    /// What is known of the repository as a whole.
    pub fn state(&self) -> &RepoState {
        &self.state
    }

    /// How the repository is to be tested.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// A pull.
    pub fn pull(&self, number: PullNumber) -> Option<&Pull> {
        self.pulls.get(&number)
    }

    /// All pulls that are known, by number.
    pub fn pulls(&self) -> impl Iterator<Item = &Pull> {
        self.pulls.values()
    }

    /// A run in flight, or the latest of a pull.
    pub fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.get(&id)
    }

    /// Runs in flight, oldest first.
    pub fn runs_in_flight(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(|run| !run.is_over())
    }

    /// Open pulls in the queue's order.
    pub fn in_order(&self) -> Vec<&Pull> {
        let mut pulls: Vec<_> = self.pulls.values().filter(|pull| pull.is_open()).collect();
        pulls.sort_by_key(|pull| QueuePosition::of(pull));
        pulls
    }

    /// Lets a pull be changed and remembers that it was.
    fn pull_mut(&mut self, number: PullNumber) -> Option<&mut Pull> {
        let pull = self.pulls.get_mut(&number)?;
        self.touched.pulls.insert(number);
        Some(pull)
    }

    /// Lets a run that is not over be changed and remembers that it was.
    fn live_run(&mut self, id: RunId) -> Option<&mut Run> {
        let run = self.runs.get_mut(&id).filter(|run| !run.is_over())?;
        self.touched.runs.insert(id);
        Some(run)
    }
}
