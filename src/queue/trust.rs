//! Whose pulls are tested without anybody being asked, and what becomes of the others.

use super::Queue;
use super::effect::Effect;
use super::event::Access;
use super::note::Note;
use super::own_test::{OwnStage, ToldToWait};
use super::pull::Pull;
use super::rules::PullTests;
use super::turn::Turn;
use crate::ids::{Login, PullNumber, Timestamp};

impl Queue {
    /// Whether a pull is tested without anybody being asked.
    pub(super) fn is_trusted(&self, pull: &Pull) -> bool {
        let (rules, author) = (&self.rules, &pull.facts.author);
        rules.pulls == PullTests::All
            || pull.own.admitted == Some(pull.facts.head)
            || self.desk.welcome.contains(author)
            || *author == rules.grammar.bot
            || [&rules.trusted, &rules.reviewers, &rules.try_users]
                .iter()
                .any(|listed| listed.contains(author))
    }

    /// It is known now whether somebody may write to the repository.
    pub(super) fn hear_access(&mut self, user: &Login, access: Access, turn: &mut Turn) {
        let asking = self.own_tests_where(|pull| {
            matches!(pull.own.stage, OwnStage::Asking { .. }) && pull.facts.author == *user
        });
        for number in asking {
            match access {
                Access::Write => self.begin_usual(number),
                Access::Less => self.let_wait(number, turn),
            }
        }
    }

    /// The pull waits until a reviewer lets it be tested; its author is told so once.
    fn let_wait(&mut self, number: PullNumber, turn: &mut Turn) {
        let ask = self.rules.reviewers.clone();
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        pull.own.stage = OwnStage::Untrusted;
        pull.own.changed_file = None;
        turn.order(Effect::CompareSuites {
            pull: number,
            base: pull.facts.base.clone(),
            head: pull.facts.head,
        });
        if pull.own.told == ToldToWait::No {
            pull.own.told = ToldToWait::Yes;
            let author = pull.facts.author.clone();
            turn.post(number, Note::WaitsForOk { author, ask });
        }
    }

    /// Those of whom GitHub says nothing wait as strangers do.
    pub(super) fn give_up_asking(&mut self, turn: &mut Turn) {
        let now = turn.now;
        let overdue = self.own_tests_where(
            |pull| matches!(pull.own.stage, OwnStage::Asking { until } if until <= now),
        );
        for number in overdue {
            self.let_wait(number, turn);
        }
    }

    pub(super) fn asking_deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.pulls.values().filter_map(|pull| match pull.own.stage {
            OwnStage::Asking { until } => Some(until),
            OwnStage::Idle
            | OwnStage::Skipped
            | OwnStage::Untrusted
            | OwnStage::Wanted { .. }
            | OwnStage::Running { .. }
            | OwnStage::Ended { .. } => None,
        })
    }

    /// Lets the pulls of an author be tested that wait for that.
    pub(super) fn welcome(&mut self, author: &Login) {
        self.desk.welcome.insert(author.clone());
        self.touched.desk = true;
        let waiting = self.own_tests_where(|pull| {
            pull.is_open() && pull.facts.author == *author && waits_for_ok(pull)
        });
        for number in waiting {
            self.begin_usual(number);
        }
    }

    /// Lets a pull's head be tested, also where it was stopped before anybody was asked.
    pub(super) fn admit(&mut self, number: PullNumber) {
        let is_tested = self.tests_pulls();
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        pull.own.admitted = Some(pull.facts.head);
        if waits_for_ok(pull) || (is_tested && pull.own.stage == OwnStage::Idle) {
            self.begin_usual(number);
        }
    }
}

fn waits_for_ok(pull: &Pull) -> bool {
    matches!(
        pull.own.stage,
        OwnStage::Untrusted | OwnStage::Asking { .. }
    )
}
