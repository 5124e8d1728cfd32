//! Laws over random histories of pull request tests and of branches: with late, doubled and lost
//! answers, nothing of a stranger is tested unasked, nothing is tested in vain, nothing hangs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::story::{comment, commit, facts, seconds, suite, with_suites};
use crate::ids::{BranchName, CommitId, Login, PullNumber, RunId, Timestamp};
use crate::queue::Queue;
use crate::queue::effect::Effect;
use crate::queue::event::{
    Access, Event, HeadRepo, MergeAttempt, PullFacts, PullState, Source, SuiteFile, SuiteVerdict,
    SuitesFound,
};
use crate::queue::note::{Link, StatusNote, SuiteProgress};
use crate::queue::pull_test::PullTestStage;
use crate::queue::rules::{PullTests, Rules};
use crate::queue::run::Purpose;
use crate::suite::Suite;

/// What happens, and which of the things that it can happen to.
type Happening = (u8, u16);

const WORDS: [&str; 8] = [
    "retry",
    "retry x",
    "retry all",
    "test slow",
    "test nobody",
    "cancel",
    "hold",
    "hold-",
];

struct Scene {
    queue: Queue,
    now: i64,
    commits: u32,
    pulls: BTreeMap<PullNumber, PullFacts>,
    /// Answers on their way; an even choice leaves them there, so that they come twice.
    answers: Vec<Event>,
    /// Heads that a reviewer has let be tested, and authors.
    admitted: BTreeSet<CommitId>,
    welcome: BTreeSet<Login>,
    /// Who pushed the heads, as far as a webhook has told it.
    pushers: BTreeMap<CommitId, Login>,
    /// Webhooks of pushes that come late.
    late: Vec<Event>,
    /// Of each context on each commit, whether the last status was final.
    said: BTreeMap<(CommitId, String), bool>,
}

impl Scene {
    fn new() -> Self {
        let rules = Rules {
            pulls: PullTests::Trusted,
            trusted: vec![Login::new("friend")],
            ..with_suites()
        };
        let mut place = Self {
            queue: Queue::new(rules, RunId(0)),
            now: 1,
            commits: 0,
            pulls: BTreeMap::new(),
            answers: Vec::new(),
            admitted: BTreeSet::new(),
            welcome: BTreeSet::new(),
            pushers: BTreeMap::new(),
            late: Vec::new(),
            said: BTreeMap::new(),
        };
        let of = |owner: &str| HeadRepo::Of(Login::new(owner));
        for (number, author, head_repo) in [
            (1, "friend", of("friend")),
            (2, "stranger", of("stranger")),
            (3, "guest", of("guest")),
            (4, "friend", of("stranger")),
            (5, "friend", HeadRepo::Base),
        ] {
            let mut opened = facts(number, "0", 1);
            opened.head = place.new_commit();
            opened.author = Login::new(author);
            opened.head_repo = head_repo;
            place.pulls.insert(opened.number, opened.clone());
            place.seen(opened);
        }
        place
    }

    fn new_commit(&mut self) -> CommitId {
        self.commits += 1;
        commit(&format!("a{:05}", self.commits))
    }

    fn seen(&mut self, facts: PullFacts) {
        let source = Source::Webhook;
        self.tell(Event::PullSeen { facts, source });
    }

    fn tell(&mut self, event: Event) {
        for effect in self.queue.handle(seconds(self.now), event) {
            self.carry_out(effect);
        }
        self.check();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::MakeTestMerge(order) => {
                let facts = self.queue.pull(order.pull).unwrap().facts.clone();
                assert_eq!(order.head, facts.head, "an old head is tested");
                assert!(self.may_be_tested(&facts), "a stranger is tested unasked");
                let base_tip = commit("b0");
                let made = match order.run.0 / 10_000 % 3 {
                    0 => MergeAttempt::Conflicted,
                    _ => MergeAttempt::Merged(self.new_commit()),
                };
                let (run, why) = (order.run, "no".to_owned());
                self.answers.push(Event::TestMergeMade {
                    run,
                    base_tip,
                    made,
                });
                if run.0 / 10_000 % 7 == 0 {
                    self.answers.push(Event::SetupFailed { run, why });
                }
            }
            Effect::ReadSuites { run, .. } => {
                let found = SuitesFound::Suites(self.file(run));
                self.answers.push(Event::SuitesRead { run, found });
                if run.0 / 10_000 % 5 == 0 {
                    let found = SuitesFound::NoFile;
                    self.answers.push(Event::SuitesRead { run, found });
                }
            }
            Effect::StartJobs { run, suites, .. } => self.execute(run, &suites),
            Effect::AskAccess { user } => {
                let access = match user.as_str() {
                    "guest" => Access::Write,
                    _ => Access::Less,
                };
                self.answers.push(Event::AccessTold { user, access });
            }
            Effect::SetStatus { commit, note } => self.say(commit, &note),
            Effect::AdvanceBranch(_) | Effect::MakeMerge(_) => panic!("nobody approved anything"),
            Effect::PublishMerge { .. }
            | Effect::ReadMerge { .. }
            | Effect::MarkTestMerge { .. }
            | Effect::CompareSuites { .. }
            | Effect::JudgeExemption(_)
            | Effect::ReadCheckRuns { .. }
            | Effect::RepeatBuilds { .. }
            | Effect::StopBuilds { .. }
            | Effect::CancelJobs { .. }
            | Effect::CancelSuites { .. }
            | Effect::RankJobs { .. }
            | Effect::PostComment { .. }
            | Effect::EditLabels { .. }
            | Effect::MarkMerged(_)
            | Effect::ClosePull { .. }
            | Effect::CallHook { .. }
            | Effect::LogRetry { .. }
            | Effect::AskStanding { .. }
            | Effect::CheckMergeability { .. }
            | Effect::ReadPull { .. } => {}
        }
    }

    /// Everybody who is known to have put the head there, or can have, must be trusted.
    fn may_be_tested(&self, facts: &PullFacts) -> bool {
        let is_trusted = |login: &Login| {
            matches!(login.as_str(), "friend" | "guest") || self.welcome.contains(login)
        };
        let pusher = self.pushers.get(&facts.head);
        let (owner, pusher) = match &facts.head_repo {
            HeadRepo::Of(owner) => (Some(owner), pusher),
            HeadRepo::Base => (None, pusher.filter(|login| login.as_str() != "app[bot]")),
            HeadRepo::Unsaid => panic!("every head says whose it is"),
        };
        let mut people = std::iter::once(&facts.author).chain(owner).chain(pusher);
        self.admitted.contains(&facts.head) || people.all(is_trusted)
    }

    /// Every third run finds something that passed before, every fourth something not needed.
    fn file(&self, run: RunId) -> SuiteFile {
        let count = run.0 / 10_000;
        let named = |context: &str| Suite {
            branches: vec!["stable".to_owned()],
            required: context == "x",
            ..suite(context)
        };
        let slow = Suite {
            on_demand: true,
            branches: Vec::new(),
            ..suite("slow")
        };
        let x = || "x".to_owned();
        let passed = Link {
            name: x(),
            url: "job".to_owned(),
        };
        SuiteFile {
            passed: count
                .is_multiple_of(3)
                .then_some(passed)
                .into_iter()
                .collect(),
            untouched: count.is_multiple_of(4).then(x).into_iter().collect(),
            ..SuiteFile::from(vec![named("x"), named("y"), slow])
        }
    }

    fn execute(&mut self, run: RunId, suites: &[Suite]) {
        for suite in suites {
            let context = suite.context.clone();
            let url = "job".to_owned();
            self.answers.push(Event::SuiteStarted {
                run,
                context: context.clone(),
                url: url.clone(),
            });
            let verdict = match self.commits % 3 {
                0 => SuiteVerdict::Failed(1),
                1 => SuiteVerdict::Error("lost".to_owned()),
                _ => SuiteVerdict::Passed,
            };
            self.answers.push(Event::SuiteFinished {
                run,
                context,
                verdict,
                url,
            });
        }
    }

    fn say(&mut self, commit: CommitId, note: &StatusNote) {
        match note {
            StatusNote::Suite {
                context, progress, ..
            } => {
                let is_final = !matches!(
                    progress,
                    SuiteProgress::Waiting | SuiteProgress::Running | SuiteProgress::Superseded
                );
                self.said.insert((commit, context.clone()), is_final);
            }
            StatusNote::Required { verdict, .. } => {
                let is_final = *verdict != crate::queue::event::Verdict::Pending;
                self.said.insert((commit, "required".to_owned()), is_final);
            }
            StatusNote::Queue(_) | StatusNote::BadSuites | StatusNote::NotTested => {}
        }
    }

    fn check(&self) {
        for run in self.queue.runs_in_flight() {
            assert!(run.deadline().is_some(), "a wait without an end");
            if run.purpose != Purpose::Pull {
                continue;
            }
            let member = &run.members[0];
            let pull = self.queue.pull(member.pull).unwrap();
            assert_eq!(
                pull.own.stage,
                PullTestStage::Running { run: run.id },
                "tested in vain"
            );
            assert!(pull.is_open(), "a closed pull is tested");
            assert!(
                self.may_be_tested(&pull.facts),
                "a stranger's push goes on being tested"
            );
            assert_eq!(pull.facts.head, member.head, "an old head is tested");
        }
        for pull in self.queue.pulls().filter(|pull| pull.is_open()) {
            let skips = pull.facts.title.contains("[skip ci]");
            let is_skipped = pull.own.stage == PullTestStage::Skipped;
            assert!(skips || !is_skipped, "what is not there any more counts");
        }
        for pull in self.queue.pulls() {
            if let PullTestStage::Running { run } = pull.own.stage {
                assert!(
                    !self.queue.run(run).unwrap().is_over(),
                    "it waits for what is over"
                );
            }
        }
    }

    fn step(&mut self, (what, which): Happening) {
        self.now += i64::from(which % 7);
        let number = PullNumber(u64::from(which % 5) + 1);
        match what {
            0..=9 => self.answer(which),
            21..=40 => self.answer(which | 1),
            10..=11 => self.push(number, which / 5),
            41 => self.hear_late_push(which),
            12 if which.is_multiple_of(2) => self.retitle(number, which / 10),
            12 => self.turn(number),
            13..=15 => self.comment(number, WORDS[usize::from(which / 5) % WORDS.len()]),
            16 => {
                let head = self.queue.pull(number).unwrap().facts.head;
                self.admitted.insert(head);
                self.comment(number, "ok");
            }
            17 if which % 16 == 1 => {
                let known = &self.queue.pull(number).unwrap().facts;
                self.admitted.insert(known.head);
                self.welcome.insert(known.author.clone());
                self.comment(number, "ok+");
            }
            18 => self.push_branch(which),
            19 => self.tell(Event::TimePassed),
            _ => {
                self.now += i64::from(which % 400);
                self.tell(Event::TimePassed);
            }
        }
    }

    fn answer(&mut self, which: u16) {
        if self.answers.is_empty() {
            return;
        }
        let index = usize::from(which / 2) % self.answers.len();
        let answer = if which.is_multiple_of(2) {
            self.answers[index].clone()
        } else {
            self.answers.remove(index)
        };
        self.tell(answer);
    }

    /// Somebody pushes. The webhook comes, or comes after a sweep, or is lost.
    fn push(&mut self, number: PullNumber, which: u16) {
        let by = ["friend", "stranger", "guest", "app[bot]"][usize::from(which % 4)];
        let (head, by) = (self.new_commit(), Login::new(by));
        self.now += 1;
        let facts = self.pulls.get_mut(&number).unwrap();
        facts.head = head;
        facts.updated_at = seconds(self.now);
        let facts = facts.clone();
        let pushed = Event::HeadPushed {
            facts: facts.clone(),
            by: by.clone(),
        };
        if which.is_multiple_of(3) {
            self.late.extend(which.is_multiple_of(2).then_some(pushed));
            let source = Source::Reading;
            self.tell(Event::PullSeen { facts, source });
        } else {
            self.pushers.insert(head, by);
            self.tell(pushed);
        }
    }

    fn hear_late_push(&mut self, which: u16) {
        if self.late.is_empty() {
            return;
        }
        let pushed = self.late.remove(usize::from(which) % self.late.len());
        if let Event::HeadPushed { facts, by } = &pushed {
            self.pushers.insert(facts.head, by.clone());
        }
        self.tell(pushed);
    }

    fn turn(&mut self, number: PullNumber) {
        self.change(number, |facts| {
            facts.state = match facts.state {
                PullState::Open => PullState::Closed,
                PullState::Closed | PullState::Merged => PullState::Open,
            };
        });
    }

    fn retitle(&mut self, number: PullNumber, which: u16) {
        let title = ["x", "x [skip ci]"][usize::from(which % 2)];
        self.change(number, |facts| facts.title = title.to_owned());
    }

    fn change(&mut self, number: PullNumber, change: impl FnOnce(&mut PullFacts)) {
        self.now += 1;
        let facts = self.pulls.get_mut(&number).unwrap();
        change(facts);
        facts.updated_at = seconds(self.now);
        let facts = facts.clone();
        self.seen(facts);
    }

    fn comment(&mut self, pull: PullNumber, words: &str) {
        self.now += 1;
        if words.starts_with("test") {
            // Whoever asks for a test lets it be made.
            let head = self.queue.pull(pull).unwrap().facts.head;
            self.admitted.insert(head);
        }
        let comment = comment(self.now, "rev", &format!("@bot {words}"));
        self.tell(Event::CommentMade { pull, comment });
    }

    fn push_branch(&mut self, which: u16) {
        let after = match which % 5 {
            0 => CommitId::ZERO,
            _ => self.new_commit(),
        };
        self.tell(Event::BranchPushed {
            branch: BranchName::new(["stable", "other", "auto"][usize::from(which % 3)]),
            before: commit("b0"),
            after,
            at: None,
        });
    }

    /// Nothing answers any more: time alone must end every wait.
    fn settle(&mut self) {
        for _ in 0..100 {
            let Some(Timestamp(at)) = self.queue.next_wakeup() else {
                break;
            };
            self.now = self.now.max(at.div_ceil_s());
            self.tell(Event::TimePassed);
        }
        assert_eq!(self.queue.next_wakeup(), None, "it never comes to an end");
        assert_eq!(self.queue.runs_in_flight().count(), 0, "a run hangs");
        for ((commit, context), is_final) in &self.said {
            assert!(is_final, "the status {context:?} of {commit} stays pending");
        }
    }
}

trait Seconds {
    fn div_ceil_s(self) -> i64;
}

impl Seconds for i64 {
    fn div_ceil_s(self) -> i64 {
        (self + 999) / 1000
    }
}

fn play(history: &[Happening]) -> Scene {
    let mut place = Scene::new();
    history.iter().for_each(|happening| place.step(*happening));
    place
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn own_tests_are_of_present_heads_that_may_be_tested_and_come_to_an_end(
        history in proptest::collection::vec((0_u8..42, any::<u16>()), 0..200),
    ) {
        play(&history).settle();
    }
}

/// The laws would hold for a queue that tests nothing: this one tests strangers too, once let.
#[test]
fn random_histories_do_test_pulls_and_branches() {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let histories = proptest::collection::vec((0_u8..42, any::<u16>()), 0..200);
    let mut ended = BTreeMap::new();
    for _ in 0..100 {
        let place = play(&histories.new_tree(&mut runner).unwrap().current());
        for ((_, context), is_final) in place.said {
            *ended.entry(context).or_insert(0) += u32::from(is_final);
        }
    }
    assert!(
        ended["x"] > 200 && ended["slow"] > 20 && ended["required"] > 200,
        "{ended:?}"
    );
}
