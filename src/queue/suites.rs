//! The suites of a run's own commit.

use super::Queue;
use super::effect::Effect;
use super::event::{SuiteVerdict, SuitesFound, Verdict};
use super::note::{Ending, Note, Obstacle, Purpose, QueueStatus, StatusNote, SuiteProgress};
use super::run::{Check, CheckState, Phase, Run, RunCheck, Step, Weight};
use super::turn::Turn;
use crate::ids::{CommitId, RunId};
use crate::suite::{Environment, Occasion, Suite, needed};

impl Queue {
    /// Takes the suites that were found in the run's commit and starts them.
    pub(super) fn take_suites(&mut self, id: RunId, found: SuitesFound, turn: &mut Turn) {
        let Some(run) = self.live_run(id) else {
            return;
        };
        let Phase::Testing { merge, awaits, .. } = &mut run.phase else {
            return;
        };
        if !awaits.contains(&Step::ReadSuites) {
            return;
        }
        awaits.retain(|step| *step != Step::ReadSuites);
        let commit = merge.merge;
        self.give_checks_their_time(id, turn);
        match found {
            SuitesFound::NoFile => {
                self.require_checks(id, Obstacle::NoSuitesFile, turn);
            }
            SuitesFound::Invalid { file, message } => self.end_bad_suites(id, file, message, turn),
            SuitesFound::Suites(suites) => self.start_suites(id, commit, &suites, turn),
        }
        self.decide(id, turn);
    }

    fn start_suites(&mut self, id: RunId, commit: CommitId, suites: &[Suite], turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let chosen = self.choose(run, suites);
        let some_required = chosen.iter().any(|suite| suite.required);
        let mut checks = Vec::new();
        let mut jobs = Vec::new();
        for suite in chosen {
            let check = Check::Suite(suite.context.clone());
            let state = match unsupported(suite) {
                Some(verdict) => CheckState::Failed {
                    url: String::new(),
                    verdict: Some(verdict),
                },
                None => self.earlier_pass(run, commit, &check),
            };
            if state == CheckState::Waiting {
                jobs.push(suite.clone());
            }
            let weight = match (suite.required, some_required) {
                (true, _) => Weight::Required,
                (false, true) => Weight::Informs,
                (false, false) => Weight::Decides,
            };
            checks.push(RunCheck {
                check,
                weight,
                state,
            });
        }
        self.mention_reuse(id, &checks, turn);
        if let Some(run) = self.live_run(id) {
            run.checks.extend(checks);
        }
        if !jobs.is_empty() {
            turn.order(Effect::StartJobs {
                run: id,
                commit,
                suites: jobs,
            });
        }
        self.require_checks(id, Obstacle::NoSuiteForMerges, turn);
        self.show_suites(id, turn);
    }

    fn choose<'a>(&self, run: &Run, suites: &'a [Suite]) -> Vec<&'a Suite> {
        let Some(on_merge) = self.rules.suites else {
            return Vec::new();
        };
        let occasion = match run.purpose {
            Purpose::Land => Occasion::Merge {
                branch: self.rules.auto_branch.as_str(),
                on_merge,
            },
            Purpose::Try => Occasion::Merge {
                branch: self.rules.try_branch.as_str(),
                on_merge,
            },
            Purpose::Branch => Occasion::Branch(run.base.as_str()),
            Purpose::Pull => Occasion::Pull,
        };
        let mut chosen = needed(suites, occasion);
        chosen.retain(|suite| self.is_chosen(run, &Check::Suite(suite.context.clone())));
        chosen
    }

    /// Says what is taken as passed and what runs again, if both are there.
    pub(super) fn mention_reuse(&self, id: RunId, checks: &[RunCheck], turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let all = run.checks.iter().chain(checks);
        let (passed, open): (Vec<_>, Vec<_>) =
            all.partition(|check| matches!(check.state, CheckState::Passed { .. }));
        if passed.is_empty() || open.is_empty() || run.repeats.is_none() {
            return;
        }
        let note = Note::Rebuilding {
            reused: passed.into_iter().map(RunCheck::link).collect(),
            again: open.into_iter().map(|check| check.check.name()).collect(),
        };
        for member in &run.members {
            turn.post(member.pull, note.clone());
        }
    }

    fn end_bad_suites(&mut self, id: RunId, file: String, message: String, turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        for member in &run.members {
            turn.set_status(member.head, StatusNote::BadSuites);
        }
        let status = QueueStatus::BadSuites { file: file.clone() };
        let note = Note::BadSuites { file, message };
        self.tell_members(id, &note, &status, turn);
        self.close_run(id, Ending::Broken, turn);
    }

    pub(super) fn hear_suite_start(
        &mut self,
        id: RunId,
        context: &str,
        url: &str,
        turn: &mut Turn,
    ) {
        let state = CheckState::Running {
            url: url.to_owned(),
        };
        self.hear_suite(id, context, state, turn);
    }

    pub(super) fn hear_suite_end(
        &mut self,
        id: RunId,
        context: &str,
        state: CheckState,
        turn: &mut Turn,
    ) {
        self.hear_suite(id, context, state, turn);
        self.decide(id, turn);
    }

    /// Takes over how a suite gets on. One that does not decide may do so after its run passed.
    fn hear_suite(&mut self, id: RunId, context: &str, state: CheckState, turn: &mut Turn) {
        let Some(run) = self.runs.get_mut(&id) else {
            return;
        };
        let Some(check) = run
            .checks
            .iter_mut()
            .find(|check| suite_context(check) == Some(context) && check.state.is_open())
            .filter(|check| check.state != state)
        else {
            return;
        };
        check.state = state;
        self.touched.runs.insert(id);
        self.show_suite(id, context, turn);
        let passed = Some(Verdict::Passed);
        if self.required_verdict(id) == passed && !self.is_informing(id, context) {
            self.show_required(id, turn);
        }
    }

    fn required_verdict(&self, id: RunId) -> Option<Verdict> {
        match required_status(self.runs.get(&id)?)? {
            StatusNote::Required { verdict, .. } => Some(verdict),
            StatusNote::Queue(_) | StatusNote::Suite { .. } | StatusNote::BadSuites => None,
        }
    }

    /// Whether a suite is run and shown only.
    fn is_informing(&self, id: RunId, context: &str) -> bool {
        self.runs.get(&id).is_some_and(|run| {
            run.checks.iter().any(|check| {
                suite_context(check) == Some(context) && check.weight == Weight::Informs
            })
        })
    }

    /// Says on the tested commit how every suite gets on; once that commit is on GitHub.
    pub(super) fn show_suites(&mut self, id: RunId, turn: &mut Turn) {
        let contexts: Vec<_> = self
            .runs
            .get(&id)
            .into_iter()
            .flat_map(|run| run.checks.iter())
            .filter_map(suite_context)
            .map(str::to_owned)
            .collect();
        for context in contexts {
            self.show_suite(id, &context, turn);
        }
        self.show_required(id, turn);
    }

    fn show_suite(&self, id: RunId, context: &str, turn: &mut Turn) {
        let Some((run, commit)) = self.shown_run(id) else {
            return;
        };
        let check = run
            .checks
            .iter()
            .find(|check| suite_context(check) == Some(context));
        // What only waits is not said: a status costs a write, and there is nothing to see yet.
        if let Some(check) = check.filter(|check| check.state != CheckState::Waiting) {
            turn.set_status(commit, suite_status(context, &check.state));
        }
    }

    /// Says how the required suites get on, if there are any.
    fn show_required(&self, id: RunId, turn: &mut Turn) {
        let Some((run, commit)) = self.shown_run(id) else {
            return;
        };
        if let Some(note) = required_status(run) {
            turn.set_status(commit, note);
        }
    }

    /// A run and its commit, if that is on GitHub.
    fn shown_run(&self, id: RunId) -> Option<(&Run, CommitId)> {
        let run = self.runs.get(&id).filter(|run| run.is_published())?;
        Some((run, run.merge()?.merge))
    }

    /// Stops the suites that are left when their run is over. Those that only inform go on after
    /// a run that passed.
    pub(super) fn close_suites(&mut self, id: RunId, ending: Ending, turn: &mut Turn) {
        if ending == Ending::Succeeded {
            return;
        }
        let Some(run) = self.live_run(id) else {
            return;
        };
        let mut stopped = Vec::new();
        for check in &mut run.checks {
            if check.state.is_open() {
                stopped.extend(suite_context(check).map(str::to_owned));
                check.state = CheckState::Cancelled;
            }
        }
        if !stopped.is_empty() {
            turn.order(Effect::CancelJobs { run: id });
        }
        for context in &stopped {
            self.show_suite(id, context, turn);
        }
        self.show_required(id, turn);
    }
}

/// How a suite stands that came to this.
pub(super) fn state(verdict: SuiteVerdict, url: String) -> CheckState {
    match verdict {
        SuiteVerdict::Passed => CheckState::Passed { url },
        SuiteVerdict::Failed(_) | SuiteVerdict::TimedOut | SuiteVerdict::Error(_) => {
            CheckState::Failed {
                url,
                verdict: Some(verdict),
            }
        }
    }
}

/// The context of a check that is a suite.
fn suite_context(check: &RunCheck) -> Option<&str> {
    match &check.check {
        Check::Suite(context) => Some(context),
        Check::Status { .. } | Check::CheckRun { .. } | Check::Build(_) => None,
    }
}

/// What a suite comes to that no worker would execute, or not whole: it must not pass for what was
/// left out.
fn unsupported(suite: &Suite) -> Option<SuiteVerdict> {
    let environment = |kind| format!("No worker offers {kind} environments yet.");
    let why = match suite.environment {
        Environment::Sandbox { .. } => {
            let key = unexecuted_key(suite)?;
            format!("The key {key} is not executed yet.")
        }
        Environment::Container { .. } => environment("container"),
        Environment::Host { .. } => environment("host"),
        Environment::Cluster { .. } => environment("cluster"),
    };
    Some(SuiteVerdict::Error(why))
}

fn unexecuted_key(suite: &Suite) -> Option<&'static str> {
    let keys = [
        ("build", suite.build.is_some()),
        ("packages", !suite.packages.is_empty()),
        ("extra-repos", !suite.extra_repos.is_empty()),
    ];
    keys.into_iter()
        .find(|(_, is_wanted)| *is_wanted)
        .map(|(key, _)| key)
}

fn suite_status(context: &str, state: &CheckState) -> StatusNote {
    let progress = match state {
        CheckState::Waiting => SuiteProgress::Waiting,
        CheckState::Running { .. } => SuiteProgress::Running,
        CheckState::Passed { .. } => SuiteProgress::Ended(SuiteVerdict::Passed),
        CheckState::Failed { verdict, .. } => SuiteProgress::Ended(
            verdict
                .clone()
                .unwrap_or_else(|| SuiteVerdict::Error("It failed.".to_owned())),
        ),
        CheckState::Cancelled => SuiteProgress::Cancelled,
    };
    StatusNote::Suite {
        context: context.to_owned(),
        progress,
        url: state.url().to_owned(),
    }
}

/// The `required` status of a run, if its file has required suites.
fn required_status(run: &Run) -> Option<StatusNote> {
    let required: Vec<_> = run
        .checks
        .iter()
        .filter(|check| check.weight == Weight::Required)
        .collect();
    let passed = required
        .iter()
        .filter(|check| matches!(check.state, CheckState::Passed { .. }))
        .count();
    let verdict = if passed == required.len() {
        Verdict::Passed
    } else if required.iter().any(|check| check.state.is_open()) {
        Verdict::Pending
    } else {
        Verdict::Failed
    };
    (!required.is_empty()).then_some(StatusNote::Required {
        passed,
        of: required.len(),
        verdict,
        run: run.id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite;

    /// Why a suite of these lines is not executed.
    fn why(lines: &str) -> Option<String> {
        let suites = suite::read(".papr.yml", lines.as_bytes()).unwrap();
        match unsupported(suites.first().unwrap()) {
            Some(SuiteVerdict::Error(why)) => Some(why),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_suite_that_no_worker_would_execute_whole_is_an_error() {
        for (lines, expected) in [
            (
                "container: {image: i}",
                "No worker offers container environments yet.",
            ),
            (
                "host: {distro: d}",
                "No worker offers host environments yet.",
            ),
            (
                "cluster: {hosts: [{name: h, distro: d}]}",
                "No worker offers cluster environments yet.",
            ),
            (
                "sandbox: true\nbuild: true",
                "The key build is not executed yet.",
            ),
            (
                "sandbox: true\npackages: [gcc]",
                "The key packages is not executed yet.",
            ),
            (
                "sandbox: true\nextra-repos: [{name: n}]",
                "The key extra-repos is not executed yet.",
            ),
        ] {
            let why = why(&format!("{lines}\ntests: [make]\n"));
            assert_eq!(why.as_deref(), Some(expected), "{lines}");
        }
    }

    #[test]
    fn a_suite_that_asks_for_nothing_more_is_executed() {
        let lines = "sandbox: {network: true}\nbuild: false\npackages: []\nextra-repos: []\n\
                     env: {A: a}\nartifacts: [log]\ntests: [make]\n";
        assert_eq!(why(lines), None);
    }
}
