//! The life of a run: begun, merged, tested, ended.

use super::effect::{EarlierMerge, Effect, Member, MemberMerge, MergeOrder};
use super::message::merge_message;
use super::note::{Ending, Note, Obstacle, Purpose, QueueStatus};
use super::pull::{Pull, Stage};
use super::run::{Check, CheckState, Phase, Run, RunCheck, Step, Weight};
use super::turn::Turn;
use super::{Place, Queue};
use crate::ids::{CommitId, PullNumber, RunId};

/// What stands for an approver in the merge message of a try.
const TRY_APPROVER: &str = "<try>";

impl Queue {
    /// Starts what can be started: one run that is to land, and every try that was asked for.
    pub(super) fn start_next(&mut self, turn: &mut Turn) {
        if let Some(number) = self.next_to_land() {
            self.start_run(number, Purpose::Land, turn);
        }
        let tries: Vec<_> = self
            .pulls
            .values()
            .filter(|pull| pull.is_open() && pull.stage == Stage::TryWanted)
            .filter(|pull| pull.inquiry.is_none())
            .map(Pull::number)
            .collect();
        for number in tries {
            self.start_run(number, Purpose::Try, turn);
        }
    }

    fn next_to_land(&self) -> Option<PullNumber> {
        if self.landing_run().is_some() {
            return None;
        }
        self.pulls
            .values()
            .filter(|pull| self.may_start(pull))
            .min_by_key(|pull| Place::of(pull))
            .map(Pull::number)
    }

    /// The run in flight that is to land.
    pub(super) fn landing_run(&self) -> Option<&Run> {
        self.runs_in_flight()
            .find(|run| run.purpose == Purpose::Land)
    }

    pub(super) fn may_start(&self, pull: &Pull) -> bool {
        pull.standing_approval().is_some()
            && pull.inquiry.is_none()
            && matches!(pull.stage, Stage::Idle | Stage::RetryWanted { .. })
            && self.tree_lets_through(pull.number())
    }

    fn start_run(&mut self, number: PullNumber, purpose: Purpose, turn: &mut Turn) {
        let id = self.desk.last_run.next();
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let repeats = match pull.stage {
            Stage::RetryWanted { of } => Some(of),
            Stage::Idle | Stage::TryWanted | Stage::Running { .. } | Stage::Ended { .. } => None,
        };
        let member = Member {
            pull: number,
            head: pull.facts.head,
            approver: match purpose {
                Purpose::Land => pull
                    .standing_approval()
                    .map(|approval| approval.approver.clone()),
                Purpose::Try => None,
            },
        };
        let run = Run {
            id,
            purpose,
            base: pull.facts.base.clone(),
            members: vec![member],
            repeats,
            began_at: turn.now,
            phase: Phase::Merging {
                deadline: turn.now.plus_s(self.rules.setup_timeout_s),
            },
            checks: Vec::new(),
        };
        turn.order(Effect::MakeMerge(self.merge_order(&run)));
        self.desk.last_run = id;
        self.touched.desk = true;
        self.touched.runs.insert(id);
        self.runs.insert(id, run);
        self.attach(number, id, purpose);
        self.forget_old(turn.now);
    }

    fn attach(&mut self, number: PullNumber, run: RunId, purpose: Purpose) {
        if let Some(pull) = self.pull_mut(number) {
            pull.stage = Stage::Running { run, purpose };
            pull.last_run = Some(run);
        }
    }

    fn merge_order(&self, run: &Run) -> MergeOrder {
        let members = run.members.iter().filter_map(|member| {
            let pull = self.pulls.get(&member.pull)?;
            let approver = member
                .approver
                .as_ref()
                .map_or(TRY_APPROVER, |approver| approver.as_str());
            Some(MemberMerge {
                pull: member.pull,
                head: member.head,
                message: merge_message(pull, approver),
            })
        });
        MergeOrder {
            run: run.id,
            base: run.base.clone(),
            members: members.collect(),
            again: self.reusable_merge(run),
        }
    }

    /// The merge of the run that this one repeats, if all that failed of it were suites: external
    /// checks answer only once for one commit.
    fn reusable_merge(&self, run: &Run) -> Option<EarlierMerge> {
        let earlier = self.runs.get(&run.repeats?)?;
        let same_heads = earlier
            .members
            .iter()
            .map(|member| member.head)
            .eq(run.members.iter().map(|member| member.head));
        let only_suites_failed = earlier.checks.iter().all(|check| {
            matches!(check.check, Check::Suite(_))
                || matches!(check.state, CheckState::Passed { .. })
        });
        let something_passed = earlier
            .checks
            .iter()
            .any(|check| matches!(check.state, CheckState::Passed { .. }));
        earlier
            .merge()
            .filter(|_| same_heads && only_suites_failed && something_passed)
    }

    /// The run's commit is made: its checks may answer from now on.
    pub(super) fn begin_testing(
        &mut self,
        id: RunId,
        base_tip: CommitId,
        merge: CommitId,
        turn: &mut Turn,
    ) {
        let limit_s = self.rules.setup_timeout_s;
        let reads_suites = self.rules.suites.is_some();
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        if !matches!(run.phase, Phase::Merging { .. }) {
            return;
        }
        let branch = match run.purpose {
            Purpose::Land => self.rules.auto_branch.clone(),
            Purpose::Try => self.rules.try_branch.clone(),
        };
        let checks = self.external_checks(run, merge);
        let mut awaits = vec![Step::Publish];
        turn.order(Effect::PublishMerge {
            run: id,
            commit: merge,
            branch,
        });
        if reads_suites {
            awaits.push(Step::ReadSuites);
            turn.order(Effect::ReadSuites {
                run: id,
                commit: merge,
            });
        }
        if let Some(run) = self.live_run(id) {
            run.checks = checks;
            run.phase = Phase::Testing {
                merge: EarlierMerge { base_tip, merge },
                awaits,
                deadline: turn.now.plus_s(limit_s),
            };
        }
        if !reads_suites {
            self.require_checks(id, Obstacle::NothingConfigured, turn);
        }
    }

    /// The external checks of a run, as far as an earlier run has not answered for the same commit.
    fn external_checks(&self, run: &Run, merge: CommitId) -> Vec<RunCheck> {
        let statuses = self
            .rules
            .statuses
            .iter()
            .filter(|rule| rule.in_tries || run.purpose == Purpose::Land)
            .map(|rule| Check::Status {
                label: rule.label.clone(),
                context: rule.context.clone(),
            });
        let check_runs = self.rules.check_runs.iter().map(|rule| Check::CheckRun {
            label: rule.label.clone(),
            name: match (run.purpose, &rule.try_name) {
                (Purpose::Try, Some(name)) => name.clone(),
                _ => rule.name.clone(),
            },
        });
        statuses
            .chain(check_runs)
            .map(|check| RunCheck {
                state: self.earlier_pass(run, merge, &check),
                check,
                weight: Weight::Decides,
            })
            .collect()
    }

    /// What the run that this one repeats says of a check, if it passed there on this very commit.
    pub(super) fn earlier_pass(&self, run: &Run, merge: CommitId, check: &Check) -> CheckState {
        run.repeats
            .and_then(|id| self.runs.get(&id))
            .filter(|earlier| earlier.merge().is_some_and(|made| made.merge == merge))
            .and_then(|earlier| earlier.checks.iter().find(|known| known.check == *check))
            .map(|known| known.state.clone())
            .filter(|state| matches!(state, CheckState::Passed { .. }))
            .unwrap_or(CheckState::Waiting)
    }

    /// The run's commit is on GitHub: what can be seen there is said now.
    pub(super) fn note_published(&mut self, id: RunId, turn: &mut Turn) {
        let Some(run) = self.live_run(id) else {
            return;
        };
        let Phase::Testing { merge, awaits, .. } = &mut run.phase else {
            return;
        };
        if !awaits.contains(&Step::Publish) {
            return;
        }
        awaits.retain(|step| *step != Step::Publish);
        let (purpose, merge) = (run.purpose, merge.merge);
        self.give_checks_their_time(id, turn);
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        for Member { pull, head, .. } in run.members.clone() {
            turn.post(
                pull,
                Note::Started {
                    purpose,
                    head,
                    merge,
                },
            );
            let status = QueueStatus::Testing {
                purpose,
                head,
                merge,
            };
            turn.set_queue_status(head, status);
        }
        self.show_suites(id, turn);
        self.decide(id, turn);
    }

    /// When nothing but checks is awaited any more, their time begins.
    pub(super) fn give_checks_their_time(&mut self, id: RunId, turn: &Turn) {
        let until = turn.now.plus_s(self.rules.timeout_s);
        if let Some(run) = self.live_run(id)
            && let Phase::Testing {
                awaits, deadline, ..
            } = &mut run.phase
            && awaits.is_empty()
        {
            *deadline = until;
        }
    }

    /// A run without anything that decides could only land untested.
    pub(super) fn require_checks(&mut self, id: RunId, why: Obstacle, turn: &mut Turn) {
        let nothing = self
            .runs
            .get(&id)
            .is_some_and(|run| run.deciding().next().is_none());
        if nothing {
            self.end_broken(id, why, turn);
        }
    }

    /// Ends the run if its checks say how.
    pub(super) fn decide(&mut self, id: RunId, turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let Phase::Testing { .. } = run.phase else {
            return;
        };
        let failed = run
            .deciding()
            .find(|check| matches!(check.state, CheckState::Failed { .. }))
            .cloned();
        if let Some(check) = failed.filter(|_| run.is_published()) {
            self.end_failed(id, &check, turn);
        } else if run.has_passed() {
            match run.purpose {
                Purpose::Land => self.land(id, turn),
                Purpose::Try => self.end_tried(id, turn),
            }
        }
    }

    fn end_failed(&mut self, id: RunId, check: &RunCheck, turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let verdict = match &check.state {
            CheckState::Failed { verdict, .. } => verdict.clone(),
            CheckState::Waiting
            | CheckState::Running { .. }
            | CheckState::Passed { .. }
            | CheckState::Cancelled => None,
        };
        let link = check.link();
        let note = Note::Failed {
            purpose: run.purpose,
            check: link.clone(),
            verdict,
        };
        self.tell_members(id, &note, &QueueStatus::Failed { check: link }, turn);
        self.close_run(id, Ending::Failed, turn);
    }

    fn end_tried(&mut self, id: RunId, turn: &mut Turn) {
        let Some((run, merge)) = self.runs.get(&id).and_then(|run| Some((run, run.merge()?)))
        else {
            return;
        };
        let note = Note::TrySucceeded {
            checks: run.passed_links(),
            merge: merge.merge,
        };
        let status = QueueStatus::Succeeded {
            purpose: Purpose::Try,
        };
        self.tell_members(id, &note, &status, turn);
        self.close_run(id, Ending::Succeeded, turn);
    }

    pub(super) fn end_conflicted(&mut self, id: RunId, turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let (base, members) = (run.base.clone(), run.members.clone());
        if !matches!(run.phase, Phase::Merging { .. }) {
            return;
        }
        for member in members {
            let Some(pull) = self.pull_mut(member.pull) else {
                continue;
            };
            pull.facts.mergeable = Some(false);
            let head_label = pull.facts.head_label.clone();
            let base = base.clone();
            turn.post(member.pull, Note::Conflict { base, head_label });
            turn.set_queue_status(member.head, QueueStatus::Conflict);
        }
        self.close_run(id, Ending::Conflicted, turn);
    }

    /// The run cannot be carried out. A landing is not ended this way.
    pub(super) fn end_broken(&mut self, id: RunId, why: Obstacle, turn: &mut Turn) {
        let in_setup = self
            .runs
            .get(&id)
            .is_some_and(|run| matches!(run.phase, Phase::Merging { .. } | Phase::Testing { .. }));
        if in_setup {
            let note = Note::Broken { why: why.clone() };
            self.tell_members(id, &note, &QueueStatus::Broken { why }, turn);
            self.close_run(id, Ending::Broken, turn);
        }
    }

    /// Ends the runs whose time is up.
    pub(super) fn end_overdue(&mut self, turn: &mut Turn) {
        let overdue: Vec<_> = self
            .runs_in_flight()
            .filter(|run| run.deadline().is_some_and(|deadline| deadline <= turn.now))
            .map(|run| (run.id, run.is_set_up()))
            .collect();
        for (id, set_up) in overdue {
            if set_up {
                self.end_timed_out(id, turn);
            } else {
                self.end_broken(id, Obstacle::SetupTooSlow, turn);
            }
        }
    }

    fn end_timed_out(&mut self, id: RunId, turn: &mut Turn) {
        let Some(run) = self.runs.get(&id) else {
            return;
        };
        let waiting_for = run
            .deciding()
            .filter(|check| check.state.is_open())
            .map(|check| check.check.name())
            .collect();
        let note = Note::TimedOut { waiting_for };
        self.tell_members(id, &note, &QueueStatus::TimedOut, turn);
        self.close_run(id, Ending::TimedOut, turn);
    }

    /// Says the same about every member, on the pull and on its commit.
    pub(super) fn tell_members(
        &self,
        id: RunId,
        note: &Note,
        status: &QueueStatus,
        turn: &mut Turn,
    ) {
        let members = self.runs.get(&id).map(|run| run.members.as_slice());
        for member in members.unwrap_or_default() {
            turn.post(member.pull, note.clone());
            turn.set_queue_status(member.head, status.clone());
        }
    }

    /// Stops a run and says so on the commit that was to be tested.
    pub(super) fn cancel_visibly(&mut self, id: RunId, head: CommitId, turn: &mut Turn) {
        let shown = self
            .runs
            .get(&id)
            .is_some_and(|run| run.is_published() && matches!(run.phase, Phase::Testing { .. }));
        if shown {
            turn.set_queue_status(head, QueueStatus::Cancelled);
        }
        self.cancel(id, turn);
    }

    /// Stops a run, unless the base branch may already be moving to its commit.
    pub(super) fn cancel(&mut self, id: RunId, turn: &mut Turn) {
        let landing = self
            .runs
            .get(&id)
            .is_some_and(|run| matches!(run.phase, Phase::Landing { .. }));
        if !landing {
            self.close_run(id, Ending::Cancelled, turn);
        }
    }

    /// Writes down how a run ended, stops its jobs, lets its pulls go.
    pub(super) fn close_run(&mut self, id: RunId, ending: Ending, turn: &mut Turn) {
        let Some(run) = self.live_run(id) else {
            return;
        };
        let purpose = run.purpose;
        let members = run.members.clone();
        self.close_suites(id, ending, turn);
        if let Some(run) = self.live_run(id) {
            run.phase = Phase::Done {
                ending,
                merge: run.merge(),
                at: turn.now,
            };
        }
        for member in members {
            self.detach(&member, id, purpose, ending);
        }
    }

    /// A run's result counts for a pull only if it still proposes the commit that was tested.
    fn detach(&mut self, member: &Member, run: RunId, purpose: Purpose, ending: Ending) {
        let Some(pull) = self.pull_mut(member.pull) else {
            return;
        };
        if !matches!(pull.stage, Stage::Running { run: current, .. } if current == run) {
            return;
        }
        pull.stage = if ending == Ending::Cancelled || pull.facts.head != member.head {
            Stage::Idle
        } else {
            Stage::Ended {
                run,
                purpose,
                ending,
            }
        };
    }
}
