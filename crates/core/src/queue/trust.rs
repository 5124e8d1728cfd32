//! Whose pulls are tested without anybody being asked, and what becomes of the others.
//!
//! A test runs what is in the head, so everybody counts who may have put it there: who proposes
//! the pull, who pushed the head as far as a webhook said so, and the owner of the repository that
//! the head's branch is in, who can push to it at any time.

use super::Queue;
use super::effect::Effect;
use super::event::{Access, HeadRepo, PullFacts, Source};
use super::note::Note;
use super::pull::Pull;
use super::pull_test::{PullTestStage, ToldToWait};
use super::rules::PullTests;
use super::step::Step;
use crate::ids::{CommitId, Login, PullNumber, Timestamp};

impl Queue {
    /// Takes over what a webhook says of a pull that was opened or pushed to, and by whom.
    pub(super) fn see_pushed(&mut self, facts: PullFacts, by: Login, step: &mut Step) {
        let (number, head) = (facts.number, facts.head);
        self.see_pull(facts, Source::Webhook, step);
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let is_news = pull.facts.head == head && !answerable(pull).contains(&by);
        pull.note_pusher(head, by.clone());
        if is_news {
            self.doubt_pull_test(number, by, step);
        }
    }

    /// Stops the test of a head of which it comes out late that a stranger pushed it.
    fn doubt_pull_test(&mut self, number: PullNumber, pusher: Login, step: &mut Step) {
        let Some(pull) = self.pulls.get(&number) else {
            return;
        };
        if !self.strangers(pull).contains(&pusher) {
            return;
        }
        let asked = match &pull.own.stage {
            PullTestStage::Asking { about, .. } => about.clone(),
            PullTestStage::Wanted { .. } | PullTestStage::Running { .. } => Vec::new(),
            PullTestStage::Idle
            | PullTestStage::Skipped
            | PullTestStage::Untrusted
            | PullTestStage::Ended { .. } => {
                return;
            }
        };
        self.stop_pull_test(number, step);
        self.set_asking(number, asked, step);
        self.ask_about(number, vec![pusher], step);
    }

    /// Those who may have put a pull's head where it is and of whom nobody said that what they
    /// propose may be tested; none where the head itself may be.
    pub(super) fn strangers(&self, pull: &Pull) -> Vec<Login> {
        let admitted = pull.own.admitted == Some(pull.facts.head);
        if admitted || self.rules.pulls == PullTests::All {
            return Vec::new();
        }
        self.unknown(pull)
    }

    /// Those who may have put a pull's head where it is and whom nobody here trusts.
    pub(super) fn unknown(&self, pull: &Pull) -> Vec<Login> {
        let mut answerable = answerable(pull);
        answerable.retain(|login| !self.knows(login));
        answerable
    }

    fn knows(&self, login: &Login) -> bool {
        let rules = &self.rules;
        self.state.welcome.contains(login)
            || *login == rules.grammar.bot
            || [&rules.trusted, &rules.reviewers, &rules.try_users]
                .iter()
                .any(|listed| listed.contains(login))
    }

    /// Finds out whether people may write to the repository before a pull's head is tested.
    pub(super) fn ask_about(&mut self, number: PullNumber, people: Vec<Login>, step: &mut Step) {
        let asked = self.pulls.get(&number).map(|pull| &pull.own.stage);
        let mut about = match asked {
            Some(PullTestStage::Asking { about, .. }) => about.clone(),
            Some(
                PullTestStage::Idle
                | PullTestStage::Skipped
                | PullTestStage::Untrusted
                | PullTestStage::Wanted { .. }
                | PullTestStage::Running { .. }
                | PullTestStage::Ended { .. },
            )
            | None => Vec::new(),
        };
        for user in &people {
            let user = user.clone();
            step.order(Effect::AskAccess { user });
        }
        about.extend(people);
        self.set_asking(number, about, step);
    }

    fn set_asking(&mut self, number: PullNumber, about: Vec<Login>, step: &Step) {
        let until = step.now.plus_s(self.rules.setup_timeout_s);
        self.set_pull_stage(number, PullTestStage::Asking { until, about });
    }

    /// It is known now whether somebody may write to the repository.
    pub(super) fn hear_access(&mut self, user: &Login, access: Access, step: &mut Step) {
        for number in self.pull_tests_where(|pull| pull.asks_about(user)) {
            match access {
                Access::Write => self.trust(number, user),
                Access::Less => self.let_wait(number, user, step),
            }
        }
    }

    /// One of those who were asked about may write; the last of them lets the test begin.
    fn trust(&mut self, number: PullNumber, user: &Login) {
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        let PullTestStage::Asking { about, .. } = &mut pull.own.stage else {
            return;
        };
        about.retain(|asked| asked != user);
        if about.is_empty() {
            self.begin_usual(number);
        }
    }

    /// The pull waits until a reviewer lets it be tested; its author is told so once.
    fn let_wait(&mut self, number: PullNumber, stranger: &Login, step: &mut Step) {
        let ask = self.rules.reviewers.clone();
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        pull.own.stage = PullTestStage::Untrusted;
        pull.own.changed_file = None;
        pull.own.stranger = Some(stranger.clone());
        step.order(Effect::CompareSuites {
            pull: number,
            base: pull.facts.base.clone(),
            head: pull.facts.head,
        });
        if pull.own.told == ToldToWait::No {
            pull.own.told = ToldToWait::Yes;
            let author = pull.facts.author.clone();
            let pusher = pull.other_stranger();
            step.post(
                number,
                Note::WaitsForOk {
                    author,
                    ask,
                    pusher,
                },
            );
        }
    }

    /// Those of whom GitHub says nothing wait as strangers do.
    pub(super) fn give_up_asking(&mut self, step: &mut Step) {
        let now = step.now;
        let overdue: Vec<_> = self
            .pulls
            .values()
            .filter_map(|pull| match &pull.own.stage {
                PullTestStage::Asking { until, about } if *until <= now => {
                    let silent = about.first().unwrap_or(&pull.facts.author);
                    Some((pull.number(), silent.clone()))
                }
                PullTestStage::Asking { .. }
                | PullTestStage::Idle
                | PullTestStage::Skipped
                | PullTestStage::Untrusted
                | PullTestStage::Wanted { .. }
                | PullTestStage::Running { .. }
                | PullTestStage::Ended { .. } => None,
            })
            .collect();
        for (number, silent) in overdue {
            self.let_wait(number, &silent, step);
        }
    }

    pub(super) fn asking_deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.pulls.values().filter_map(|pull| match pull.own.stage {
            PullTestStage::Asking { until, .. } => Some(until),
            PullTestStage::Idle
            | PullTestStage::Skipped
            | PullTestStage::Untrusted
            | PullTestStage::Wanted { .. }
            | PullTestStage::Running { .. }
            | PullTestStage::Ended { .. } => None,
        })
    }

    /// Lets what somebody proposes be tested from now on. Pulls that wait for that are looked at
    /// again: others may have pushed to them.
    pub(super) fn welcome(&mut self, author: &Login, step: &mut Step) {
        self.state.welcome.insert(author.clone());
        self.touched.state = true;
        let waiting = self.pull_tests_where(|pull| {
            pull.is_open() && waits_for_ok(pull) && answerable(pull).contains(author)
        });
        for number in waiting {
            self.want_pull_test(number, step);
        }
    }

    /// Lets a pull's head be tested, also where it was stopped before anybody was asked.
    pub(super) fn admit(&mut self, number: PullNumber) {
        let is_tested = self.tests_pulls();
        let Some(pull) = self.pull_mut(number) else {
            return;
        };
        pull.own.admitted = Some(pull.facts.head);
        if waits_for_ok(pull) || (is_tested && pull.own.stage == PullTestStage::Idle) {
            self.begin_usual(number);
        }
    }
}

impl Pull {
    /// Whether its test waits for what somebody may do.
    pub fn asks_about(&self, user: &Login) -> bool {
        match &self.own.stage {
            // Written down before others than the author were asked about.
            PullTestStage::Asking { about, .. } if about.is_empty() => self.facts.author == *user,
            PullTestStage::Asking { about, .. } => about.contains(user),
            PullTestStage::Idle
            | PullTestStage::Skipped
            | PullTestStage::Untrusted
            | PullTestStage::Wanted { .. }
            | PullTestStage::Running { .. }
            | PullTestStage::Ended { .. } => false,
        }
    }

    /// On whose account its test waits for a reviewer, where that is not its author.
    pub(super) fn other_stranger(&self) -> Option<Login> {
        let stranger = self.own.stranger.clone();
        stranger.filter(|stranger| *stranger != self.facts.author)
    }

    /// Remembers who pushed a head: this one, or one of which GitHub is being asked.
    fn note_pusher(&mut self, head: CommitId, by: Login) {
        let current = self.facts.head;
        self.own.pushers.retain(|known, _| *known == current);
        self.own.pushers.insert(head, by);
    }
}

pub(super) fn waits_for_ok(pull: &Pull) -> bool {
    matches!(
        pull.own.stage,
        PullTestStage::Untrusted | PullTestStage::Asking { .. }
    )
}

/// Everybody who may have put a pull's head where it is, each once.
fn answerable(pull: &Pull) -> Vec<Login> {
    let facts = &pull.facts;
    let pusher = pull.own.pushers.get(&facts.head);
    let pusher = pusher.filter(|pusher| !is_app_of_the_base(pull, pusher));
    let mut people = vec![facts.author.clone()];
    for login in pusher.cloned().into_iter().chain(owner(facts)) {
        if !people.contains(&login) {
            people.push(login);
        }
    }
    people
}

/// Whether an app pushed to the repository itself: it was given the right to, and GitHub answers
/// no questions about apps. No person's login has brackets.
fn is_app_of_the_base(pull: &Pull, pusher: &Login) -> bool {
    pull.facts.head_repo == HeadRepo::Base && pusher.as_str().ends_with("[bot]")
}

/// Who can push to a pull's branch at any time, unless that is for those who may write here.
fn owner(facts: &PullFacts) -> Option<Login> {
    match &facts.head_repo {
        HeadRepo::Base => None,
        HeadRepo::Of(owner) => Some(owner.clone()),
        HeadRepo::Unsaid => {
            let owner = facts.head_label.split_once(':');
            owner.map(|(owner, _)| Login::new(owner))
        }
    }
}
