//! The suites of a run's own commit.

use super::Queue;
use super::effect::Effect;
use super::event::{SuiteFile, SuiteVerdict, SuitesFound, Verdict};
use super::note::{Note, Obstacle, QueueStatus, StatusNote};
use super::pull_test::PullTestStage;
use super::rules::Reuse;
use super::run::{
    Check, CheckState, Ending, Origin, Phase, Preparation, Purpose, Run, RunCheck, Scope, Tested,
    Weight,
};
use super::step::Step;
use super::suite_statuses::{required_status, suite_status};
use crate::ids::{CommitId, RunId};
use crate::suite::{Called, Occasion, Suite, find, needed, with_needs};

impl Queue {
    /// Takes the suites that were found in the run's commit and starts them.
    pub(super) fn take_suites(&mut self, id: RunId, found: SuitesFound, step: &mut Step) {
        let Some(run) = self.live_run(id) else {
            return;
        };
        let Phase::Testing { merge, awaits, .. } = &mut run.phase else {
            return;
        };
        if !awaits.contains(&Preparation::ReadSuites) {
            return;
        }
        awaits.retain(|awaited| *awaited != Preparation::ReadSuites);
        let commit = merge.merge;
        self.give_checks_their_time(id, step);
        match found {
            SuitesFound::NoFile => self.end_without_suites(id, Obstacle::NoSuitesFile, step),
            SuitesFound::Invalid { file, message } => self.end_bad_suites(id, file, message, step),
            SuitesFound::Suites(file) => self.start_suites(id, commit, file, step),
        }
        self.decide(id, step);
    }

    /// Nothing is there to be executed. What is to land needs something that decides; of everything
    /// else nothing is said, as by PAPR.
    fn end_without_suites(&mut self, id: RunId, why: Obstacle, step: &mut Step) {
        let is_queued = self
            .runs
            .get(&id)
            .is_some_and(|run| run.purpose.is_queued());
        if is_queued {
            self.require_checks(id, why, step);
        }
    }

    fn start_suites(&mut self, id: RunId, commit: CommitId, file: SuiteFile, step: &mut Step) {
        if let Some(run) = self.live_run(id) {
            run.called = file.suites.iter().map(Suite::called).collect();
            run.changed_file.clone_from(&file.changed);
        }
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let (checks, unknown) = self.suite_checks(run, commit, &file);
        let nothing_asked = is_vain(run, &unknown) && !self.repeats_unread(run);
        self.mention_unknown(id, unknown, step);
        if nothing_asked {
            self.drop_vain(id, step);
            return;
        }
        self.mention_reuse(id, &checks, step);
        let jobs = jobs_of(&file.suites, &checks);
        if let Some(run) = self.live_run(id) {
            run.checks.extend(checks);
        }
        if !jobs.is_empty() {
            step.order(Effect::StartJobs {
                run: id,
                commit,
                suites: jobs,
            });
        }
        self.end_without_suites(id, Obstacle::NoSuiteForMerges, step);
        self.show_suites(id, step);
        self.supersede(id, step);
    }

    /// The suites that a run takes, each as it stands before anything is executed; and what nobody
    /// is called of that which was asked for.
    fn suite_checks(
        &self,
        run: &Run,
        commit: CommitId,
        file: &SuiteFile,
    ) -> (Vec<RunCheck>, Vec<String>) {
        let (chosen, unknown) = self.choose(run, &file.suites);
        let asked = chosen.iter().copied();
        let asked: Vec<_> = asked
            .filter(|suite| self.is_asked_for(run, suite))
            .collect();
        let wanted = with_needs(&file.suites, &asked);
        let some_required = chosen
            .iter()
            .any(|suite| suite.required && !suite.allow_failure);
        let checks = chosen.into_iter().map(|suite| {
            let (state, origin) = self.state_before(run, commit, suite, file);
            // What is asked for cannot begin before all that it needs has passed.
            let blocks = matches!(state, CheckState::Failed { .. }) && !suite.allow_failure;
            let (state, origin) = if blocks && wanted.contains(&suite) {
                (CheckState::Waiting, Origin::Own)
            } else {
                (state, origin)
            };
            let check = Check::Suite(suite.context.clone());
            RunCheck::new(check, weight(suite, some_required), state, origin)
        });
        (checks.collect(), unknown)
    }

    fn choose<'a>(&self, run: &Run, suites: &'a [Suite]) -> (Vec<&'a Suite>, Vec<String>) {
        let Some(on_merge) = self.rules.suites else {
            return (Vec::new(), Vec::new());
        };
        if let Scope::Only(asked) = &run.scope {
            return self.choose_asked(run, suites, asked);
        }
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
        (chosen, Vec::new())
    }

    /// Whether a run repeats one that was stopped before it was known which suites it takes.
    fn repeats_unread(&self, run: &Run) -> bool {
        let earlier = run.repeats.and_then(|id| self.runs.get(&id));
        earlier.is_some_and(|earlier| earlier.called.is_empty())
    }

    /// Those that somebody asked for, and those that the repeated run knows of, or would have
    /// taken; with all that these need.
    fn choose_asked<'a>(
        &self,
        run: &Run,
        suites: &'a [Suite],
        asked: &[String],
    ) -> (Vec<&'a Suite>, Vec<String>) {
        let (named, unknown) = resolve(&run.called, asked);
        let earlier = run.repeats.and_then(|id| self.runs.get(&id));
        let known = |context: &str| {
            let mut checks = earlier.into_iter().flat_map(|run| run.checks.iter());
            checks.any(|check| suite_context(check) == Some(context))
        };
        let mut chosen: Vec<_> = suites
            .iter()
            .filter(|suite| named.contains(&suite.context) || known(&suite.context))
            .collect();
        if self.repeats_unread(run) {
            chosen.extend(needed(suites, Occasion::Pull));
        }
        (with_needs(suites, &chosen), unknown)
    }

    /// How a suite stands before anything of a run is executed.
    fn state_before(
        &self,
        run: &Run,
        commit: CommitId,
        suite: &Suite,
        file: &SuiteFile,
    ) -> (CheckState, Origin) {
        if self.is_asked_for(run, suite) {
            return (CheckState::Waiting, Origin::Own);
        }
        if let Some(earlier) = self.carried(run, commit, suite) {
            return earlier;
        }
        if file.needs_not(suite) {
            let url = String::new();
            return (CheckState::Passed { url }, Origin::NotNeeded);
        }
        let passed = file.passed.iter().find(|link| link.name == suite.context);
        match passed.filter(|_| self.takes_earlier(run)) {
            Some(link) => {
                let url = link.url.clone();
                (CheckState::Passed { url }, Origin::Earlier)
            }
            None => (CheckState::Waiting, Origin::Own),
        }
    }

    fn takes_earlier(&self, run: &Run) -> bool {
        self.rules.reuse == Reuse::Passes && run.scope != Scope::Afresh
    }

    /// Whether a suite was asked for by name: then it is executed whatever is known of it.
    fn is_asked_for(&self, run: &Run, suite: &Suite) -> bool {
        match &run.scope {
            Scope::Usual | Scope::Afresh => false,
            Scope::Again(contexts) => contexts.contains(&suite.context),
            Scope::Only(asked) => resolve(&run.called, asked).0.contains(&suite.context),
        }
    }

    /// How a suite came out in the run that this one repeats, on this very commit. Of a merge only
    /// what passed counts: the rest would keep it from landing. Of a pull request test everything
    /// does but what is asked for again.
    fn carried(&self, run: &Run, commit: CommitId, suite: &Suite) -> Option<(CheckState, Origin)> {
        let earlier = run.repeats.and_then(|id| self.runs.get(&id))?;
        if run.scope == Scope::Afresh || earlier.merge()?.merge != commit {
            return None;
        }
        let known = earlier
            .checks
            .iter()
            .find(|check| suite_context(check) == Some(&suite.context))?;
        let is_partial = matches!(run.scope, Scope::Again(_) | Scope::Only(_));
        let counts = match &known.state {
            CheckState::Passed { .. } => true,
            CheckState::Failed { .. } => run.purpose == Purpose::Pull && is_partial,
            CheckState::Waiting | CheckState::Running { .. } | CheckState::Cancelled => false,
        };
        counts.then(|| (known.state.clone(), known.origin))
    }

    /// Ends a run of nothing that anybody could have meant; what was known before stays.
    fn drop_vain(&mut self, id: RunId, step: &mut Step) {
        let before = self.runs.get(&id).and_then(|run| run.repeats);
        let ended = before.and_then(|of| Some((of, self.runs.get(&of)?.ending()?)));
        let members = self.runs.get(&id).map(|run| run.members.clone());
        self.close_run(id, Ending::Cancelled, step);
        for member in members.unwrap_or_default() {
            let Some(pull) = self.pull_mut(member.pull) else {
                continue;
            };
            pull.own.last_run = before;
            pull.own.stage = match ended {
                Some((run, ending)) => PullTestStage::Ended { run, ending },
                None => PullTestStage::Idle,
            };
        }
    }

    /// Says which of the names that somebody wrote nobody has.
    fn mention_unknown(&mut self, id: RunId, given: Vec<String>, step: &mut Step) {
        let Some(run) = self.runs.get(&id).filter(|_| !given.is_empty()) else {
            return;
        };
        let known = names_of(&run.called);
        let note = Note::UnknownSuites { given, known };
        for member in &run.members {
            step.post(member.pull, note.clone());
        }
    }

    /// Says what is taken as passed and what runs again, if both are there.
    pub(super) fn mention_reuse(&self, id: RunId, checks: &[RunCheck], step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let all = run.checks.iter().chain(checks);
        let (passed, open): (Vec<_>, Vec<_>) =
            all.partition(|check| matches!(check.state, CheckState::Passed { .. }));
        let is_nothing = passed.is_empty() || open.is_empty() || run.repeats.is_none();
        if is_nothing || !run.purpose.is_queued() {
            return;
        }
        let note = Note::Rebuilding {
            reused: passed.into_iter().map(RunCheck::link).collect(),
            again: open.into_iter().map(|check| check.check.name()).collect(),
        };
        for member in &run.members {
            step.post(member.pull, note.clone());
        }
    }

    fn end_bad_suites(&mut self, id: RunId, file: String, message: String, step: &mut Step) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let is_queued = run.purpose.is_queued();
        match run.purpose {
            Purpose::Land | Purpose::Try | Purpose::Pull => {
                for member in &run.members {
                    step.set_status(member.head, StatusNote::BadSuites);
                }
            }
            Purpose::Branch => {
                if let Some(commit) = run.identity() {
                    step.set_status(commit, StatusNote::BadSuites);
                }
            }
        }
        let status = QueueStatus::BadSuites { file: file.clone() };
        let note = Note::BadSuites { file, message };
        if is_queued {
            self.tell_members(id, &note, &status, step);
        } else {
            for member in run.members.clone() {
                step.post(member.pull, note.clone());
            }
        }
        self.close_run(id, Ending::Broken, step);
    }

    pub(super) fn hear_suite_start(
        &mut self,
        id: RunId,
        context: &str,
        url: &str,
        step: &mut Step,
    ) {
        let state = CheckState::Running {
            url: url.to_owned(),
        };
        self.hear_suite(id, context, state, step);
    }

    pub(super) fn hear_suite_end(
        &mut self,
        id: RunId,
        context: &str,
        state: CheckState,
        step: &mut Step,
    ) {
        self.hear_suite(id, context, state, step);
        self.settle_superseded(id, context, step);
        self.decide(id, step);
    }

    /// Takes over how a suite gets on. One that does not decide may do so after its run passed.
    fn hear_suite(&mut self, id: RunId, context: &str, state: CheckState, step: &mut Step) {
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
        self.show_suite(id, context, step);
        let passed = Some(Verdict::Passed);
        if self.required_verdict(id) == passed && !self.is_informing(id, context) {
            self.show_required(id, step);
        }
    }

    fn required_verdict(&self, id: RunId) -> Option<Verdict> {
        match required_status(self.runs.get(&id)?)? {
            StatusNote::Required { verdict, .. } => Some(verdict),
            StatusNote::Queue(_)
            | StatusNote::Suite { .. }
            | StatusNote::BadSuites
            | StatusNote::NotTested => None,
        }
    }

    /// Whether a suite is run and shown only.
    fn is_informing(&self, id: RunId, context: &str) -> bool {
        self.runs.get(&id).is_some_and(|run| {
            run.checks.iter().any(|check| {
                suite_context(check) == Some(context) && check.weight != Weight::Required
            })
        })
    }

    /// Says on the tested commit how every suite gets on; once that commit is on GitHub.
    pub(super) fn show_suites(&mut self, id: RunId, step: &mut Step) {
        let contexts: Vec<_> = self
            .runs
            .get(&id)
            .into_iter()
            .flat_map(|run| run.checks.iter())
            .filter_map(suite_context)
            .map(str::to_owned)
            .collect();
        for context in contexts {
            self.show_suite(id, &context, step);
        }
        self.show_required(id, step);
    }

    /// Says how a suite stands that ended otherwise than by its own job.
    pub(super) fn show_settled(&self, id: RunId, context: &str, step: &mut Step) {
        self.show_suite(id, context, step);
        self.show_required(id, step);
    }

    fn show_suite(&self, id: RunId, context: &str, step: &mut Step) {
        let Some((run, commit)) = self.shown_run(id) else {
            return;
        };
        let check = run
            .checks
            .iter()
            .find(|check| suite_context(check) == Some(context));
        let Some(check) = check.filter(|check| is_worth_saying(run, &check.state)) else {
            return;
        };
        let note = suite_status(run, context, check);
        if let Some(member) = run
            .members
            .first()
            .filter(|_| is_for_test_merge(run, check))
        {
            step.order(Effect::MarkTestMerge {
                pull: member.pull,
                head: member.head,
                tested: run.merge().map_or(CommitId::ZERO, |made| made.merge),
                note: note.clone(),
            });
        }
        step.set_status(commit, note);
    }

    /// Says how the required suites get on, if there are any.
    fn show_required(&self, id: RunId, step: &mut Step) {
        let Some((run, commit)) = self.shown_run(id) else {
            return;
        };
        if let Some(note) = required_status(run) {
            step.set_status(commit, note);
        }
    }

    /// A run and its commit, if that is on GitHub.
    fn shown_run(&self, id: RunId) -> Option<(&Run, CommitId)> {
        let run = self.runs.get(&id).filter(|run| run.is_published())?;
        Some((run, run.identity()?))
    }

    /// Stops the suites that are left when their run is over. Those that only inform go on after
    /// a run that passed.
    pub(super) fn close_suites(&mut self, id: RunId, ending: Ending, step: &mut Step) {
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
            step.order(Effect::CancelJobs { run: id });
        }
        for context in &stopped {
            self.show_suite(id, context, step);
        }
        self.show_required(id, step);
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

/// Whether somebody asked for suites, and none is called so.
fn is_vain(run: &Run, unknown: &[String]) -> bool {
    matches!(&run.scope, Scope::Only(asked) if asked.len() == unknown.len())
}

/// Whether a suite's state is said in a status. That something of a merge only waits is not: it costs
/// a write, and nobody looks at that commit yet. On a pull, what is missing would look green.
fn is_worth_saying(run: &Run, state: &CheckState) -> bool {
    !run.purpose.is_queued() || *state != CheckState::Waiting
}

/// Whether a suite's state is also said on GitHub's test merge of the pull, as PAPR did.
fn is_for_test_merge(run: &Run, check: &RunCheck) -> bool {
    run.purpose == Purpose::Pull
        && run.tested == Tested::Merge
        // The merge is another commit.
        && check.origin != Origin::Merge
        && match check.state {
            CheckState::Passed { .. } | CheckState::Failed { .. } => true,
            CheckState::Waiting | CheckState::Running { .. } | CheckState::Cancelled => false,
        }
}

fn weight(suite: &Suite, some_required: bool) -> Weight {
    match (suite.allow_failure, suite.required, some_required) {
        (true, ..) => Weight::Allowed,
        (false, true, _) => Weight::Required,
        (false, false, true) => Weight::Informs,
        (false, false, false) => Weight::Decides,
    }
}

/// The suites that are to be executed, each with what it still needs.
fn jobs_of(suites: &[Suite], checks: &[RunCheck]) -> Vec<Suite> {
    let waits = |context: &str| {
        checks.iter().any(|check| {
            suite_context(check) == Some(context) && check.state == CheckState::Waiting
        })
    };
    let jobs = suites.iter().filter(|suite| waits(&suite.context));
    jobs.map(|suite| {
        let mut job = suite.clone();
        job.needs.retain(|needed| waits(needed));
        job
    })
    .collect()
}

/// The contexts of the suites that are called so, and the names that nobody has.
pub(super) fn resolve(called: &[Called], asked: &[String]) -> (Vec<String>, Vec<String>) {
    let mut contexts = Vec::new();
    let mut unknown = Vec::new();
    for name in asked {
        match find(called, name) {
            Ok(found) => contexts.extend(found.into_iter().map(|suite| suite.context.clone())),
            Err(_not_found) => unknown.push(name.clone()),
        }
    }
    (contexts, unknown)
}

/// What the suites are called, for people who look for the right name.
pub(super) fn names_of(called: &[Called]) -> Vec<String> {
    called.iter().map(|suite| suite.context.clone()).collect()
}
