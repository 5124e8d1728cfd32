//! Why a pull stands where it stands.

use std::collections::BTreeMap;

use super::note::Reason;
use super::pull::{Pull, Stage};
use super::pull_test::PullTestStage;
use super::rules::Merging;
use super::run::{Check, CheckState, Ending, Phase, Purpose, Rereading, Run};
use super::{Queue, QueuePosition, Tree};
use crate::ids::{PullNumber, RunId};

impl Queue {
    /// What keeps a pull from landing, the nearest cause first; empty for an unknown pull.
    pub fn why(&self, number: PullNumber) -> Vec<Reason> {
        self.why_behind(number, &self.blockers())
    }

    /// [`Queue::why`] for those who ask for many pulls; the blockers are this queue's, as it is now.
    pub fn why_behind(&self, number: PullNumber, blockers: &Blockers) -> Vec<Reason> {
        let Some(pull) = self.pulls.get(&number) else {
            return Vec::new();
        };
        if !pull.is_open() {
            return vec![Reason::NotOpen];
        }
        let mut why = self.why_at_stage(pull, blockers);
        if !pull.unjudged.is_empty() {
            why.insert(0, Reason::AsksRights);
        }
        why
    }

    fn why_at_stage(&self, pull: &Pull, blockers: &Blockers) -> Vec<Reason> {
        match pull.stage {
            Stage::Running { run, .. } => self.why_running(run, blockers),
            Stage::TryWanted { .. } if pull.unseen_since.is_some() => vec![Reason::Unseen],
            Stage::TryWanted { .. } if pull.inquiry.is_some() => vec![Reason::Inquired],
            Stage::TryWanted { .. } => vec![Reason::TryWaits],
            Stage::Ended {
                run,
                ending,
                purpose,
            } => {
                let mut why = self.why_ended(run, ending);
                if pull.standing_approval().is_none() {
                    why.push(Reason::NotApproved);
                    why.extend(self.pull_test_reasons(pull, blockers));
                } else if purpose == Purpose::Try {
                    why.push(Reason::Tried);
                }
                why
            }
            Stage::Idle | Stage::RetryWanted { .. } => self.why_waiting(pull, blockers),
        }
    }

    /// The pull's place among those that run or wait, from 1; `None` if it does neither.
    pub fn position(&self, number: PullNumber) -> Option<usize> {
        self.queued()
            .iter()
            .position(|pull| pull.number() == number)
            .map(|index| index + 1)
    }

    /// Pulls that run or wait for their turn, in order.
    pub fn queued(&self) -> Vec<&Pull> {
        let mut queued: Vec<_> = self
            .pulls
            .values()
            .filter(|pull| pull.is_open() && self.is_queued(pull))
            .collect();
        queued.sort_by_key(|pull| QueuePosition::of(pull));
        queued
    }

    fn is_queued(&self, pull: &Pull) -> bool {
        match pull.stage {
            Stage::Running { .. } | Stage::TryWanted { .. } => true,
            Stage::Idle | Stage::RetryWanted { .. } => {
                pull.standing_approval().is_some() && !self.is_held_back(pull)
            }
            Stage::Ended { .. } => false,
        }
    }

    fn why_running(&self, run: RunId, blockers: &Blockers) -> Vec<Reason> {
        let Some(run) = self.runs.get(&run) else {
            return vec![Reason::Testing];
        };
        match run.phase {
            Phase::Merging { .. } | Phase::Done { .. } => vec![Reason::Testing],
            Phase::Landing { .. } => std::iter::once(Reason::Landing).chain(delay(run)).collect(),
            Phase::Testing { .. } if run.rereading == Rereading::UnderWay && run.has_passed() => {
                vec![Reason::RereadsChecks]
            }
            Phase::Testing { .. } => std::iter::once(Reason::Testing)
                .chain(blockers.open_checks(run))
                .collect(),
        }
    }

    fn why_ended(&self, run: RunId, ending: Ending) -> Vec<Reason> {
        let mut why = vec![Reason::Ended(ending)];
        if ending == Ending::Failed {
            why.extend(self.failed_checks(run));
        }
        why
    }

    fn failed_checks(&self, run: RunId) -> impl Iterator<Item = Reason> + '_ {
        let checks = self.runs.get(&run).into_iter().flat_map(Run::deciding);
        checks
            .filter(|check| matches!(check.state, CheckState::Failed { .. }))
            .map(|check| match &check.check {
                Check::Suite(context) => Reason::SuiteFailed(context.clone()),
                Check::Status { .. } | Check::CheckRun { .. } | Check::Build(_) => {
                    Reason::CheckFailed(check.check.name())
                }
            })
    }

    fn why_waiting(&self, pull: &Pull, blockers: &Blockers) -> Vec<Reason> {
        if pull.unseen_since.is_some() {
            return vec![Reason::Unseen];
        }
        if pull.inquiry.is_some() {
            return vec![Reason::Inquired];
        }
        let mut why = Vec::new();
        if self.rules.merging == Merging::Off {
            why.push(Reason::NotMergedHere);
        } else if pull.standing_approval().is_none() {
            why.push(Reason::NotApproved);
        }
        if let Some(by) = pull.hold.value.clone() {
            why.push(Reason::OnHold(by));
        }
        if !why.is_empty() {
            why.extend(self.pull_test_reasons(pull, blockers));
            return why;
        }
        if self.rules.merging == Merging::OnceGreen && !self.is_green(pull) {
            why.push(Reason::NotGreen);
            why.extend(self.pull_test_reasons(pull, blockers));
        }
        if let Tree::Closed { below, by, .. } = &self.state.tree.value
            && !self.tree_lets_through(pull.number())
        {
            why.push(Reason::TreeClosed {
                below: *below,
                by: by.clone(),
            });
        }
        let ahead = blockers.ahead_of(pull);
        if !ahead.is_empty() {
            why.push(Reason::Behind(ahead));
            why.extend(self.landing_run().and_then(delay));
        } else if why.is_empty() {
            why.push(Reason::Next);
        }
        why
    }

    /// How a pull request test stands.
    fn pull_test_reasons(&self, pull: &Pull, blockers: &Blockers) -> Vec<Reason> {
        match pull.own.stage {
            PullTestStage::Idle => Vec::new(),
            PullTestStage::Skipped => vec![Reason::Skipped],
            PullTestStage::Asking { .. } => vec![Reason::AsksAccess],
            PullTestStage::Untrusted => {
                let changed = pull.own.changed_file.clone();
                let pusher = pull.other_stranger().map(Reason::WaitsForPusher);
                std::iter::once(pusher.unwrap_or(Reason::WaitsForOk))
                    .chain(changed.map(Reason::ChangesSuites))
                    .collect()
            }
            PullTestStage::Wanted { .. } => vec![Reason::OwnTestRuns],
            PullTestStage::Running { run } => {
                let mut why = vec![Reason::OwnTestRuns];
                let live = self.runs.get(&run).into_iter();
                why.extend(live.flat_map(|run| blockers.open_checks(run)));
                why.extend(self.changed_suites(run));
                why
            }
            PullTestStage::Ended { run, ending } => {
                let mut why = match ending {
                    Ending::Succeeded => vec![Reason::OwnTestPassed],
                    Ending::Failed
                    | Ending::TimedOut
                    | Ending::Conflicted
                    | Ending::Broken
                    | Ending::Cancelled => self.failed_checks(run).collect(),
                };
                if why.is_empty() {
                    why.push(Reason::OwnTestEnded(ending));
                }
                why.extend(self.changed_suites(run));
                why
            }
        }
    }

    fn changed_suites(&self, run: RunId) -> Option<Reason> {
        let file = self.runs.get(&run)?.changed_file.clone();
        file.map(Reason::ChangesSuites)
    }

    /// The queued pulls that keep those behind them waiting, in order.
    pub fn blockers(&self) -> Blockers {
        let queued = self.queued().into_iter();
        let blockers = queued.filter(|pull| self.blocks(pull));
        Blockers {
            pulls: blockers
                .map(|pull| (QueuePosition::of(pull), pull.number()))
                .collect(),
            jobs: JobWords::new(),
        }
    }

    /// Whether a queued pull keeps others from being tested: tries do not.
    fn blocks(&self, pull: &Pull) -> bool {
        match pull.stage {
            Stage::Running { purpose, .. } => purpose == Purpose::Land,
            Stage::Idle | Stage::RetryWanted { .. } => self.tree_lets_through(pull.number()),
            Stage::TryWanted { .. } | Stage::Ended { .. } => false,
        }
    }
}

/// Why a run's landing is tried again, if it is.
fn delay(run: &Run) -> Option<Reason> {
    let why = run.landing_delay.clone()?;
    matches!(run.phase, Phase::Landing { .. }).then_some(Reason::LandingDelayed(why))
}

/// What jobs wait for or do, in words, by their run and their suite's context.
pub type JobWords = BTreeMap<(RunId, String), String>;

/// What pulls wait for beside themselves: those before them, and the jobs of their runs.
#[derive(Clone, Debug)]
pub struct Blockers {
    /// The queued pulls that keep those behind them waiting, in order.
    pulls: Vec<(QueuePosition, PullNumber)>,
    jobs: JobWords,
}

impl Blockers {
    /// The same, where it is known what the jobs wait for.
    #[must_use]
    pub fn with_jobs(self, jobs: JobWords) -> Self {
        Self { jobs, ..self }
    }

    fn ahead_of(&self, pull: &Pull) -> Vec<PullNumber> {
        let place = QueuePosition::of(pull);
        let ahead = self.pulls.iter().take_while(|(other, _)| *other < place);
        ahead.map(|(_, number)| *number).collect()
    }

    /// The checks that a run still waits for, each with what its job waits for if that is known.
    fn open_checks(&self, run: &Run) -> Vec<Reason> {
        let open = run.deciding().filter(|check| check.state.is_open());
        open.map(|check| {
            let name = check.check.name();
            match self.jobs.get(&(run.id, name.clone())) {
                Some(words) => Reason::JobStands {
                    suite: name,
                    words: words.clone(),
                },
                None => Reason::WaitsFor(name),
            }
        })
        .collect()
    }
}
