//! What GitHub says about pulls and branches.

use super::Queue;
use super::effect::Effect;
use super::event::{CommentKey, PullFacts, PullState, Source};
use super::labels::LabelEvent;
use super::note::Note;
use super::pull::{Approval, Named, Pull, Stage, Urgency};
use super::run::{Phase, Purpose, Scope, TestMerge};
use super::step::Step;
use crate::ids::{BranchName, CommitId, PullNumber, RunId, Timestamp};

/// How facts relate to those that are known.
enum Freshness {
    /// The pull was not known.
    New,
    /// They are to be believed.
    Current,
    /// They say nothing new, or come late.
    Late,
    /// Of the same second as what is known, and different: GitHub must be asked.
    Unclear,
}

/// How much later than a comment a pull's own time of change may be that the comment caused, in
/// seconds.
const OWN_CHANGE_S: i64 = 5;

/// How a branch was moved.
pub(super) struct Move {
    /// The commit that it named before.
    pub(super) before: CommitId,
    /// The commit that it names now; zero if it was deleted.
    pub(super) after: CommitId,
    /// When, if that is known.
    pub(super) at: Option<Timestamp>,
}

impl Queue {
    /// Takes over what GitHub says of a pull, unless something younger is known.
    pub(super) fn see_pull(&mut self, facts: PullFacts, source: Source, step: &mut Step) {
        let number = facts.number;
        if facts.head == CommitId::ZERO {
            if source == Source::Webhook {
                step.post(number, Note::NoHead);
                step.order(Effect::ReadPull { pull: number });
            }
            return;
        }
        let freshness = self.freshness(&facts, source);
        if source == Source::Reading || matches!(freshness, Freshness::Current) {
            self.find_pull(number);
        }
        match freshness {
            Freshness::New => {
                self.add_pull(facts, source);
                self.look_at_pull(number, step);
                self.want_pull_test(number, step);
            }
            Freshness::Current => self.update_pull(facts, source, step),
            Freshness::Late => self.take_late_news(&facts, step),
            Freshness::Unclear => self.inquire(number, step),
        }
        if source == Source::Reading {
            self.end_inquiry(number, step);
        }
    }

    fn freshness(&self, facts: &PullFacts, source: Source) -> Freshness {
        let Some(pull) = self.pulls.get(&facts.number) else {
            return Freshness::New;
        };
        let known = &pull.facts;
        // A merged pull is never opened again; GitHub may say so later than we know.
        let undoes_merge = known.state == PullState::Merged
            && facts.state != PullState::Merged
            && facts.head == known.head;
        if known == facts || facts.updated_at < known.updated_at || undoes_merge {
            return Freshness::Late;
        }
        let same_matter =
            (known.head, known.state, &known.base) == (facts.head, facts.state, &facts.base);
        if source == Source::Reading || facts.updated_at > known.updated_at || same_matter {
            Freshness::Current
        } else {
            Freshness::Unclear
        }
    }

    /// Takes up a pull that was not known. Approvals that were written before its head was seen may
    /// mean another; the comment on whose account it was asked for is not older than that.
    pub(super) fn add_pull(&mut self, facts: PullFacts, source: Source) {
        let since = match source {
            Source::Webhook => facts.updated_at,
            Source::Reading => Timestamp(facts.updated_at.0.saturating_sub(OWN_CHANGE_S * 1000)),
        };
        self.touched.pulls.insert(facts.number);
        let mut pull = Pull::new(facts);
        pull.head_since = Some(since);
        self.pulls.insert(pull.number(), pull);
    }

    pub(super) fn update_pull(&mut self, facts: PullFacts, source: Source, step: &mut Step) {
        let number = facts.number;
        let is_looked_at = self.state.bases.contains_key(&facts.base);
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let was_unfinished = pull.unfinished().is_some();
        let before = std::mem::replace(&mut pull.facts, facts.clone());
        // What was found out in the mirror is younger than what GitHub keeps.
        let same_merge = before.head == facts.head && before.base == facts.base;
        if same_merge && (facts.mergeable.is_none() || is_looked_at) {
            pull.facts.mergeable = before.mergeable.or(facts.mergeable);
        }
        // What GitHub says at such a moment may be about what was before.
        let is_reopened = before.state != PullState::Open && pull.is_open();
        if is_looked_at && (!same_merge || is_reopened) {
            pull.facts.mergeable = None;
        }
        let is_unfinished = pull.unfinished().is_some();
        let rebased = before.base != facts.base;
        if before.head != facts.head {
            pull.head_since = Some(head_since(&facts, source));
            pull.head_moved = pull.head_since;
        }
        if rebased || before.state != facts.state || was_unfinished != is_unfinished {
            pull.changed_since = Some(facts.updated_at);
        }
        if facts.state != PullState::Open {
            self.close_pull(number, before.head, source, step);
            self.stop_pull_test(number, step);
        } else if before.head != facts.head {
            self.take_new_head(number, before.head, source, step);
            self.label(number, LabelEvent::Pushed, step);
            self.look_at_pull(number, step);
            self.want_pull_test(number, step);
        } else if rebased {
            self.take_new_base(number, step);
            self.look_at_pull(number, step);
            self.want_pull_test(number, step);
        } else if before.state != PullState::Open {
            self.reopen_pull(number, step);
            self.look_at_pull(number, step);
            self.want_pull_test(number, step);
        } else {
            self.reconsider_skipping(number, &before, step);
        }
        self.rank_anew(number, &before, step);
        self.drop_unfinished(number, step);
    }

    /// Labels decide which of a pull's jobs go first.
    fn rank_anew(&self, number: PullNumber, before: &PullFacts, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        if pull.facts.labels != before.labels {
            self.rank_jobs(number, step);
        }
    }

    /// Has the waiting jobs of a pull's runs ranked by what the pull is now.
    pub(super) fn rank_jobs(&self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let runs = self.runs_in_flight().filter(|run| {
            let mut members = run.members.iter();
            members.any(|member| member.pull == number)
        });
        for run in runs.filter(|run| !run.checks.is_empty()) {
            step.order(Effect::RankJobs {
                run: run.id,
                priority: pull.priority.value,
                labels: pull.facts.labels.clone(),
            });
        }
    }

    /// Late news of a pull that stood otherwise: it changed since, so what was approved before that
    /// moment does not count, whenever it is told.
    fn take_late_news(&mut self, facts: &PullFacts, step: &mut Step) {
        let number = facts.number;
        let Some(pull) = self.pulls.get(&number).filter(|pull| pull.is_open()) else {
            return;
        };
        let then = Pull::new(facts.clone());
        let known = (
            pull.facts.state,
            &pull.facts.base,
            pull.unfinished().is_some(),
        );
        let was = (facts.state, &facts.base, then.unfinished().is_some());
        let (same_head, same_rest) = (pull.facts.head == facts.head, known == was);
        if same_head && same_rest {
            return;
        }
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let at = Some(facts.updated_at);
        if !same_head {
            pull.head_since = pull.head_since.max(at);
            pull.head_moved = pull.head_moved.max(pull.head_since);
        }
        if !same_rest {
            pull.changed_since = pull.changed_since.max(at);
        }
        let head = pull.facts.head;
        let set_at = pull.approval.set_by.map(|key| key.at);
        let lost = pull.approval.value.clone().filter(|_| set_at <= at);
        if let Some(approval) = lost {
            let by = approval.said_by;
            step.post(number, Note::ApprovalOutdated { by, head });
            self.withdraw(number, head, step);
        }
    }

    /// What was asked for is forgotten; what the last run came to is kept to be seen. An approval
    /// that is younger than the closing may mean a pull that was opened again: GitHub is asked.
    fn close_pull(
        &mut self,
        number: PullNumber,
        old_head: CommitId,
        source: Source,
        step: &mut Step,
    ) {
        let stage = self.pulls.get(&number).map(|pull| pull.stage.clone());
        let younger = self.start_over(number, old_head, step);
        if let Some(ended @ Stage::Ended { .. }) = stage {
            self.set_stage(number, ended);
        }
        if let Some(approval) = younger.filter(|_| source == Source::Webhook) {
            if let Some(pull) = self.pull_mut(number) {
                let commit = match approval.named {
                    Named::Head => pull.facts.head,
                    Named::Commit => approval.commit,
                };
                pull.approval.value = Some(Approval { commit, ..approval });
            }
            self.inquire(number, step);
        }
    }

    /// A pull that is open again begins anew; what was approved before that does not count.
    fn reopen_pull(&mut self, number: PullNumber, step: &mut Step) {
        self.set_stage(number, Stage::Idle);
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let (opened_at, head) = (pull.facts.updated_at, pull.facts.head);
        let is_younger = pull.approval.set_by.is_some_and(|key| key.at >= opened_at);
        let Some(approval) = pull.approval.value.take() else {
            return;
        };
        if is_younger && approval.commit == head {
            let (commit, approver) = (head, approval.approver.clone());
            pull.approval.value = Some(approval);
            step.post(number, Note::Approved { commit, approver });
        } else {
            let by = approval.said_by;
            step.post(number, Note::ApprovalOutdated { by, head });
        }
    }

    /// A push drops approval, results and try, unless they were given after it and told before.
    ///
    /// A webhook says when the push was. A reading does not: unless a push is known to be younger,
    /// an approval of "the head" may have meant this one, so its author is told that it does not
    /// count.
    fn take_new_head(
        &mut self,
        number: PullNumber,
        old_head: CommitId,
        source: Source,
        step: &mut Step,
    ) {
        let given = self.pulls.get(&number).and_then(unclear_approval);
        let kept = self.start_over(number, old_head, step);
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let Some(mut approval) = kept.filter(|approval| approval.named == Named::Head) else {
            let (lost, head) = (given.filter(|_| source == Source::Reading), pull.facts.head);
            if let Some(lost) = lost {
                let by = lost.said_by;
                step.post(number, Note::ApprovalOutdated { by, head });
            }
            return;
        };
        approval.commit = pull.facts.head;
        let (commit, approver) = (approval.commit, approval.approver.clone());
        pull.approval.value = Some(approval);
        step.post(number, Note::Approved { commit, approver });
    }

    fn take_new_base(&mut self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let (head, base) = (pull.facts.head, pull.facts.base.clone());
        let was_approved = pull.approval.value.is_some();
        let kept = self.start_over(number, head, step);
        if was_approved && kept.is_none() {
            step.post(number, Note::BaseChanged { base });
        }
        if let Some(pull) = self.pull_mut(number) {
            pull.approval.value = kept;
        }
    }

    /// Drops what was asked for before a pull changed. A try that was asked for after the change,
    /// but told before it, begins anew; such an approval is handed back. What was taken over from
    /// another queue is not known to be younger than anything that that queue did not know.
    fn start_over(
        &mut self,
        number: PullNumber,
        old_head: CommitId,
        step: &mut Step,
    ) -> Option<Approval> {
        let pull = self.pulls.get(&number)?;
        let changed_at = match pull.head_since {
            Some(since) if pull.facts.head != old_head => since,
            Some(_) | None => pull.facts.updated_at,
        };
        let is_younger = |key: Option<CommentKey>| {
            key.is_some_and(|key| key.at > changed_at && !key.is_imported())
        };
        let approval = pull
            .approval
            .value
            .clone()
            .filter(|_| is_younger(pull.approval.set_by));
        let wanted_try = self.wanted_try(number);
        let try_stands = wanted_try.filter(|_| is_younger(pull.try_key));
        self.withdraw(number, old_head, step);
        if let Some(chooser) = try_stands.filter(|_| approval.is_none() && self.is_open(number)) {
            let scope = Scope::Usual;
            self.set_stage(number, Stage::TryWanted { chooser, scope });
        }
        approval
    }

    fn is_open(&self, number: PullNumber) -> bool {
        self.pulls.get(&number).is_some_and(Pull::is_open)
    }

    /// A pull that says of itself that it is not finished loses its approval.
    fn drop_unfinished(&mut self, number: PullNumber, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let head = pull.facts.head;
        if pull.standing_approval().is_some()
            && let Some(sign) = pull.unfinished()
        {
            let commit = head;
            step.post(number, Note::NotFinished { commit, sign });
            self.withdraw(number, head, step);
        }
    }

    /// The chooser of the try that waits or is under way, if there is one.
    #[expect(
        clippy::option_option,
        reason = "there may be no try, and a try has no need of one"
    )]
    fn wanted_try(&self, number: PullNumber) -> Option<Option<String>> {
        match &self.pulls.get(&number)?.stage {
            Stage::TryWanted { chooser, .. } => Some(chooser.clone()),
            Stage::Running {
                run,
                purpose: Purpose::Try,
            } => Some(self.runs.get(run)?.chooser.clone()),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::Running { .. }
            | Stage::Ended { .. } => None,
        }
    }

    /// Drops a pull's approval and stops its run; what it was asked for is forgotten.
    pub(super) fn withdraw(&mut self, number: PullNumber, tested: CommitId, step: &mut Step) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        pull.approval.value = None;
        pull.urgency = Urgency::Usual;
        match pull.stage {
            Stage::Running { run, .. } => self.cancel_visibly(run, tested, step),
            Stage::Idle
            | Stage::RetryWanted { .. }
            | Stage::TryWanted { .. }
            | Stage::Ended { .. } => pull.stage = Stage::Idle,
        }
    }

    /// Somebody pushed to a branch of the repository: it may be the head of pulls, or the base of a
    /// run. Both are facts whenever they are told: a branch that left a commit is not at it.
    pub(super) fn see_push(
        &mut self,
        branch: &BranchName,
        Move { before, after, at }: Move,
        step: &mut Step,
    ) {
        let moved = TestMerge {
            base_tip: before,
            merge: after,
        };
        self.test_branch_at(branch, moved, step);
        if before == CommitId::ZERO || after == CommitId::ZERO {
            return;
        }
        let suffix = format!(":{branch}");
        let moved: Vec<_> = self
            .pulls
            .values()
            .filter(|pull| {
                pull.is_open()
                    && pull.facts.head == before
                    && pull.facts.head_label.ends_with(&suffix)
            })
            .map(Pull::number)
            .collect();
        for number in moved {
            self.inquire(number, step);
            let inquiry = self.pull_mut(number).and_then(|pull| pull.inquiry.as_mut());
            if let Some(inquiry) = inquiry {
                inquiry.pushed_at = at;
            }
        }
        let outdated = self.testing_onto(branch, |merge| {
            merge.base_tip == before && merge.merge != after
        });
        self.cancel_all(&outdated, step);
    }

    /// The base branch is at this tip: a run that was landing here has landed, and runs on another
    /// tip are out of date.
    pub(super) fn see_base(&mut self, branch: &BranchName, tip: CommitId, step: &mut Step) {
        let landed = self
            .runs_in_flight()
            .find(|run| {
                run.base == *branch
                    && matches!(run.phase, Phase::Landing { merge } if merge.merge == tip)
            })
            .map(|run| run.id);
        if let Some(run) = landed {
            self.end_landed(run, step);
        }
        let outdated = self.testing_onto(branch, |merge| merge.base_tip != tip);
        self.cancel_all(&outdated, step);
        self.see_tip(branch, tip, step);
        self.look_at_pulls_onto(branch, tip, step);
    }

    /// The runs that are to land on a branch, and whose checks run on such a merge.
    fn testing_onto(&self, branch: &BranchName, wanted: impl Fn(&TestMerge) -> bool) -> Vec<RunId> {
        self.runs
            .values()
            .filter(|run| run.purpose == Purpose::Land && run.base == *branch)
            .filter(|run| match &run.phase {
                Phase::Testing { merge, .. } => wanted(merge),
                Phase::Merging { .. } | Phase::Landing { .. } | Phase::Done { .. } => false,
            })
            .map(|run| run.id)
            .collect()
    }

    fn cancel_all(&mut self, runs: &[RunId], step: &mut Step) {
        for run in runs {
            self.cancel(*run, step);
        }
    }
}

/// Since when a pull has a new head. A webhook says when it was pushed; a reading may be of much
/// later, but the head's repository was not pushed to after that.
fn head_since(facts: &PullFacts, source: Source) -> Timestamp {
    match (source, facts.pushed_at) {
        (Source::Reading, Some(pushed_at)) => facts.updated_at.min(pushed_at),
        (Source::Reading, None) | (Source::Webhook, _) => facts.updated_at,
    }
}

/// The approval that a pull has, if it may mean a head of which nothing was known yet.
fn unclear_approval(pull: &Pull) -> Option<Approval> {
    let pushed_at = pull.inquiry.as_ref().and_then(|inquiry| inquiry.pushed_at);
    let is_older = |key: CommentKey| pushed_at.is_some_and(|pushed_at| key.at < pushed_at);
    pull.approval
        .value
        .clone()
        .filter(|approval| approval.named == Named::Head)
        .filter(|_| !pull.approval.set_by.is_some_and(is_older))
}
