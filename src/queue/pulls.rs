//! What GitHub says about pulls and branches.

use super::Queue;
use super::effect::Effect;
use super::event::{PullFacts, PullState, Source};
use super::note::{Note, Purpose};
use super::pull::{Named, Pull, Stage};
use super::run::Phase;
use super::turn::Turn;
use crate::ids::{BranchName, CommitId, PullNumber};

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

impl Queue {
    /// Takes over what GitHub says of a pull, unless something younger is known.
    pub(super) fn see_pull(&mut self, facts: PullFacts, source: Source, turn: &mut Turn) {
        let number = facts.number;
        if facts.head == CommitId::ZERO {
            if source == Source::Webhook {
                turn.post(number, Note::NoHead);
                turn.order(Effect::ReadPull { pull: number });
            }
            return;
        }
        match self.freshness(&facts, source) {
            Freshness::New => self.add_pull(facts),
            Freshness::Current => self.update_pull(facts, turn),
            Freshness::Late => {}
            Freshness::Unclear => turn.order(Effect::ReadPull { pull: number }),
        }
    }

    fn freshness(&self, facts: &PullFacts, source: Source) -> Freshness {
        let Some(pull) = self.pulls.get(&facts.number) else {
            return Freshness::New;
        };
        let known = &pull.facts;
        if known == facts || facts.updated_at < known.updated_at {
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

    pub(super) fn add_pull(&mut self, facts: PullFacts) {
        self.touched.pulls.insert(facts.number);
        self.pulls.insert(facts.number, Pull::new(facts));
    }

    fn update_pull(&mut self, facts: PullFacts, turn: &mut Turn) {
        let number = facts.number;
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let before = std::mem::replace(&mut pull.facts, facts.clone());
        if facts.mergeable.is_none() && before.head == facts.head && before.base == facts.base {
            pull.facts.mergeable = before.mergeable;
        }
        if facts.state != PullState::Open {
            self.withdraw(number, before.head, turn);
        } else if before.head != facts.head {
            self.take_new_head(number, before.head, turn);
        } else if before.base != facts.base {
            self.take_new_base(number, turn);
        }
    }

    /// A push drops approval, results and try, unless they were given after it and told before.
    fn take_new_head(&mut self, number: PullNumber, old_head: CommitId, turn: &mut Turn) {
        let Some(pull) = self.pulls.get_mut(&number) else {
            return;
        };
        let pushed_at = pull.facts.updated_at;
        pull.head_since = Some(pushed_at);
        let approval = pull.approval.value.take().filter(|approval| {
            approval.named == Named::Head
                && pull.approval.set_by.is_some_and(|key| key.at > pushed_at)
        });
        let try_stands =
            pull.try_key.is_some_and(|key| key.at > pushed_at) && self.wants_try(number);
        self.withdraw(number, old_head, turn);
        let Some(pull) = self.pulls.get_mut(&number) else {
            return;
        };
        if let Some(mut approval) = approval {
            approval.commit = pull.facts.head;
            let (commit, approver) = (approval.commit, approval.approver.clone());
            pull.approval.value = Some(approval);
            turn.post(number, Note::Approved { commit, approver });
        } else if try_stands {
            pull.stage = Stage::TryWanted;
        }
    }

    fn take_new_base(&mut self, number: PullNumber, turn: &mut Turn) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        let (head, base) = (pull.facts.head, pull.facts.base.clone());
        if pull.approval.value.is_some() {
            turn.post(number, Note::BaseChanged { base });
        }
        self.withdraw(number, head, turn);
    }

    /// Whether a try of the pull waits or is under way.
    fn wants_try(&self, number: PullNumber) -> bool {
        self.pulls.get(&number).is_some_and(|pull| {
            matches!(
                pull.stage,
                Stage::TryWanted
                    | Stage::Running {
                        purpose: Purpose::Try,
                        ..
                    }
            )
        })
    }

    /// Drops a pull's approval and stops its run; what it was asked for is forgotten.
    pub(super) fn withdraw(&mut self, number: PullNumber, tested: CommitId, turn: &mut Turn) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        pull.approval.value = None;
        match pull.stage {
            Stage::Running { run, .. } => self.cancel_visibly(run, tested, turn),
            Stage::Idle | Stage::RetryWanted { .. } | Stage::TryWanted | Stage::Ended { .. } => {
                pull.stage = Stage::Idle
            }
        }
    }

    /// Somebody pushed to a branch of the repository: it may be the head of pulls.
    pub(super) fn see_push(
        &mut self,
        branch: &BranchName,
        before: CommitId,
        after: CommitId,
        turn: &mut Turn,
    ) {
        if before == CommitId::ZERO || after == CommitId::ZERO {
            return;
        }
        let suffix = format!(":{branch}");
        let moved = self.pulls.values().filter(|pull| {
            pull.is_open() && pull.facts.head == before && pull.facts.head_label.ends_with(&suffix)
        });
        for pull in moved {
            turn.order(Effect::ReadPull {
                pull: pull.number(),
            });
        }
    }

    /// The base branch is at this tip: runs on another are out of date.
    pub(super) fn see_base(&mut self, branch: &BranchName, tip: CommitId, turn: &mut Turn) {
        let outdated: Vec<_> = self
            .runs
            .values()
            .filter(|run| run.purpose == Purpose::Land && run.base == *branch)
            .filter(|run| match &run.phase {
                Phase::Testing { merge, .. } => merge.base_tip != tip,
                Phase::Merging { .. } | Phase::Landing { .. } | Phase::Done { .. } => false,
            })
            .map(|run| run.id)
            .collect();
        for run in outdated {
            self.cancel(run, turn);
        }
    }
}
