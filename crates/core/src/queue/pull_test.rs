//! A pull request test: of its merge with the base as it is, whether anybody approves it or not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Queue;
use super::effect::{Effect, TestMergeOrder};
use super::event::{MergeAttempt, PullAge, PullFacts};
use super::pull::Pull;
use super::rules::PullTests;
use super::run::{Ending, Member, Phase, Preparation, Purpose, Run, Scope, Tested};
use super::step::Step;
use crate::command::plain_lines;
use crate::ids::{CommitId, Login, PullNumber, RunId, Timestamp};

/// How long the checks of runs that nobody waits behind may take together, in seconds: their jobs
/// are the last to get a worker.
pub(super) const PATIENCE_S: u64 = 2 * 86_400;

/// What the queue knows of a pull request test.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PullTest {
    /// Where it stands.
    pub stage: PullTestStage,
    /// The latest run of it.
    pub last_run: Option<RunId>,
    /// The head that a reviewer let be tested (`ok`).
    pub admitted: Option<CommitId>,
    /// Whether it was said whom to ask.
    pub told: ToldToWait,
    /// The file of suites, if a pull that waits for a reviewer changes it: what would be executed
    /// is then not what the reviewer knows.
    #[serde(default)]
    pub changed_file: Option<String>,
    /// On whose account it waits for a reviewer, or did last.
    #[serde(default)]
    pub stranger: Option<Login>,
    /// Who pushed a head, as far as webhooks said so: the present one, and maybe one of which
    /// GitHub is being asked.
    #[serde(default)]
    pub pushers: BTreeMap<CommitId, Login>,
}

/// Whether the author of a pull was told that its test waits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldToWait {
    /// Not yet.
    #[default]
    No,
    /// Once, and that is enough.
    Yes,
}

/// Where a pull request test stands.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub enum PullTestStage {
    /// Nobody asked for one.
    #[default]
    Idle,
    /// Its description says that it is not to be tested.
    Skipped,
    /// It is being found out whether people may write to the repository.
    Asking {
        /// Until when the answers are waited for.
        until: Timestamp,
        /// Of whom it is not known yet; nobody where only the author is asked about.
        #[serde(default)]
        about: Vec<Login>,
    },
    /// Somebody who may have put its head there is not trusted: it waits for a reviewer.
    Untrusted,
    /// It shall begin.
    Wanted {
        /// Which suites.
        scope: Scope,
        /// The run whose other results count.
        of: Option<RunId>,
    },
    /// It is under way.
    Running {
        /// Which run.
        run: RunId,
    },
    /// It came to this.
    Ended {
        /// Which run.
        run: RunId,
        /// What came out.
        ending: Ending,
    },
}

impl Queue {
    /// Wants a pull tested that is new, or has a new head or base, as far as those are trusted who may
    /// have put it there.
    pub(super) fn want_pull_test(&mut self, number: PullNumber, step: &mut Step) {
        self.stop_pull_test(number, step);
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        let strangers = self.strangers(pull);
        if !self.tests_pulls() {
            self.set_pull_stage(number, PullTestStage::Idle);
        } else if asks_to_be_skipped(&pull.facts) {
            self.set_pull_stage(number, PullTestStage::Skipped);
        } else if strangers.is_empty() {
            self.begin_usual(number);
        } else {
            self.ask_about(number, strangers, step);
        }
    }

    /// Looks again at whether a pull asks not to be tested, once its title or description was
    /// changed. What is under way goes on.
    pub(super) fn reconsider_skipping(
        &mut self,
        number: PullNumber,
        before: &PullFacts,
        step: &mut Step,
    ) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let is_edited = (&before.title, &before.body) != (&pull.facts.title, &pull.facts.body);
        let is_undecided = match pull.own.stage {
            PullTestStage::Skipped
            | PullTestStage::Asking { .. }
            | PullTestStage::Untrusted
            | PullTestStage::Wanted { .. } => true,
            PullTestStage::Idle | PullTestStage::Running { .. } | PullTestStage::Ended { .. } => {
                false
            }
        };
        let was_skipped = pull.own.stage == PullTestStage::Skipped;
        if is_edited && is_undecided && was_skipped != asks_to_be_skipped(&pull.facts) {
            self.want_pull_test(number, step);
        }
    }

    /// Wants a pull tested that was opened or changed unseen, unless it was tested before.
    pub(super) fn want_first_test(&mut self, number: PullNumber, age: PullAge, step: &mut Step) {
        let own = self.pulls.get(&number).map(|pull| &pull.own);
        let is_new = age == PullAge::New;
        if is_new
            && own.is_some_and(|own| own.stage == PullTestStage::Idle && own.last_run.is_none())
        {
            self.want_pull_test(number, step);
        }
    }

    pub(super) fn begin_usual(&mut self, number: PullNumber) {
        let stage = PullTestStage::Wanted {
            scope: Scope::Usual,
            of: None,
        };
        self.set_pull_stage(number, stage);
    }

    /// It is known whether a pull that waits for a reviewer changes the file of suites.
    pub(super) fn take_comparison(
        &mut self,
        number: PullNumber,
        head: CommitId,
        changed: Option<String>,
    ) {
        let pull = self.pull_mut(number);
        if let Some(pull) = pull.filter(|pull| pull.facts.head == head) {
            pull.own.changed_file = changed;
        }
    }

    pub(super) fn pull_tests_where(&self, wanted: impl Fn(&Pull) -> bool) -> Vec<PullNumber> {
        let pulls = self.pulls.values().filter(|pull| wanted(pull));
        pulls.map(Pull::number).collect()
    }

    pub(super) fn tests_pulls(&self) -> bool {
        self.rules.suites.is_some() && self.rules.pulls != PullTests::None
    }

    /// Stops a pull request test, if it is under way or wanted.
    pub(super) fn stop_pull_test(&mut self, number: PullNumber, step: &mut Step) {
        let stage = self.pulls.get(&number).map(|pull| pull.own.stage.clone());
        match stage {
            Some(PullTestStage::Running { run }) => self.cancel(run, step),
            Some(PullTestStage::Wanted { .. } | PullTestStage::Asking { .. }) => {
                self.set_pull_stage(number, PullTestStage::Idle);
            }
            Some(
                PullTestStage::Idle
                | PullTestStage::Skipped
                | PullTestStage::Untrusted
                | PullTestStage::Ended { .. },
            )
            | None => {}
        }
    }

    /// Starts the pull request tests that are wanted: each is by itself, so all at once.
    pub(super) fn start_pull_tests(&mut self, step: &mut Step) {
        let wanted = self.pull_tests_where(|pull| {
            pull.is_open()
                && pull.inquiry.is_none()
                && matches!(pull.own.stage, PullTestStage::Wanted { .. })
        });
        for number in wanted {
            self.start_pull_test(number, step);
        }
    }

    fn start_pull_test(&mut self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let PullTestStage::Wanted { scope, of } = pull.own.stage.clone() else {
            return;
        };
        let run = self.pull_test_run(pull, scope, of, step.now);
        let (id, base, head) = (run.id, run.base.clone(), pull.facts.head);
        let again = of
            .and_then(|of| self.runs.get(&of))
            .filter(|earlier| earlier.tested == Tested::Merge)
            .and_then(Run::merge);
        self.add_run(run);
        if let Some(pull) = self.pull_mut(number) {
            pull.own.stage = PullTestStage::Running { run: id };
            pull.own.last_run = Some(id);
        }
        step.order(Effect::MakeTestMerge(TestMergeOrder {
            run: id,
            pull: number,
            head,
            base,
            again,
        }));
    }

    fn pull_test_run(&self, pull: &Pull, scope: Scope, of: Option<RunId>, now: Timestamp) -> Run {
        let member = Member {
            pull: pull.number(),
            head: pull.facts.head,
            approver: None,
            said_by: None,
        };
        let phase = Phase::Merging {
            deadline: now.plus_s(self.rules.setup_timeout_s),
        };
        let (id, base) = (self.state.last_run.next(), pull.facts.base.clone());
        Run {
            members: vec![member],
            repeats: of,
            scope,
            ..Run::new(id, Purpose::Pull, base, now, phase)
        }
    }

    /// The commit of a pull request test is made: its suites are read.
    pub(super) fn begin_pull_test(
        &mut self,
        id: RunId,
        base_tip: CommitId,
        made: MergeAttempt,
        step: &mut Step,
    ) {
        let limit_s = self.rules.setup_timeout_s;
        let Some(run) = self.live_run(id) else {
            return;
        };
        let head = run.members.first().map(|member| member.head);
        let (Phase::Merging { .. }, Some(head)) = (&run.phase, head) else {
            return;
        };
        let (commit, tested) = match made {
            MergeAttempt::Merged(commit) => (commit, Tested::Merge),
            MergeAttempt::Conflicted => (head, Tested::HeadAlone),
        };
        run.tested = tested;
        run.phase = Phase::Testing {
            merge: super::run::TestMerge {
                base_tip,
                merge: commit,
            },
            awaits: vec![Preparation::ReadSuites],
            deadline: step.now.plus_s(limit_s),
        };
        step.order(Effect::ReadSuites {
            run: id,
            commit,
            since: Some(base_tip),
        });
    }

    /// A run's result counts for a pull request test only if that is still this run.
    pub(super) fn detach_own(&mut self, member: &Member, run: RunId, ending: Ending) {
        let Some(pull) = self.pull_mut(member.pull) else {
            return;
        };
        if pull.own.stage != (PullTestStage::Running { run }) {
            return;
        }
        pull.own.stage = PullTestStage::Ended { run, ending };
    }

    /// Whether a pull request test found nothing wrong with its head, or none is made.
    pub(super) fn is_green(&self, pull: &Pull) -> bool {
        match pull.own.stage {
            PullTestStage::Ended { run, ending } => {
                let run = self.runs.get(&run).filter(|run| run.is_whole());
                let tested = run.and_then(|run| run.members.first());
                ending == Ending::Succeeded
                    && tested.is_some_and(|member| member.head == pull.facts.head)
            }
            PullTestStage::Idle => !self.tests_pulls(),
            PullTestStage::Skipped
            | PullTestStage::Asking { .. }
            | PullTestStage::Untrusted
            | PullTestStage::Wanted { .. }
            | PullTestStage::Running { .. } => false,
        }
    }

    pub(super) fn set_pull_stage(&mut self, number: PullNumber, stage: PullTestStage) {
        if let Some(pull) = self.pull_mut(number).filter(|pull| pull.own.stage != stage) {
            pull.own.stage = stage;
        }
    }
}

/// Whether `[skip ci]` (Jenkins' pull request builder, which PAPR used) is in the title, or is a line
/// of its own in the description. What is quoted, folded or code there was written by others.
pub(super) fn asks_to_be_skipped(facts: &PullFacts) -> bool {
    let is_mark = |line: &&str| skip_mark(line).is_some_and(|mark| mark == *line);
    let may = skip_mark(&facts.body).is_some();
    skip_mark(&facts.title).is_some() || (may && plain_lines(&facts.body).iter().any(is_mark))
}

/// The first mark in a text.
fn skip_mark(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("[skip").find_map(|(at, mark)| {
        let rest = lower.get(at + mark.len()..)?;
        let end = rest.find("ci]")?;
        let between = rest.get(..end)?;
        let is_apart =
            !between.is_empty() && !between.contains(|c: char| c == '_' || c.is_alphanumeric());
        let length = mark.len() + end + "ci]".len();
        is_apart.then(|| text.get(at..at + length))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_mark_skips_a_test() {
        for text in ["[skip ci]", "Docs [SKIP CI] only", "a\n[skip - ci]\nb"] {
            assert!(skip_mark(text).is_some(), "{text}");
        }
        for text in [
            "",
            "skip ci",
            "[skipci]",
            "[skip the ci]",
            "[skip ci",
            "[skip_ci]",
        ] {
            assert_eq!(skip_mark(text), None, "{text}");
        }
    }
}
