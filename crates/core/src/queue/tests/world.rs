//! A world around a queue: GitHub with branches, pulls and comments, external checks, and a shell
//! that loses, repeats, delays and reorders whatever it carries.

use std::collections::{BTreeMap, BTreeSet};

use super::story::{comment, commit, facts, seconds, with_status};
use crate::command::Permission;
use crate::ids::{CommitId, PullNumber, RunId, Timestamp};
use crate::queue::Queue;
use crate::queue::effect::{Effect, LandingOrder, MergeOrder};
use crate::queue::event::{
    Comment, Event, MergeStep, PullFacts, PullState, Refusal, Source, Verdict,
};
use crate::queue::note::Note;
use crate::queue::pull::Stage;
use crate::queue::reports::CheckRunSeen;
use crate::queue::rules::{Authority, ExemptionRule, Rules};
use crate::queue::run::Purpose;

mod answers;
mod checks;
mod interest;
mod taken_over;

use answers::has_no_answer;
pub(super) use checks::Waits;

const PULLS: u64 = 3;

const SMALL_WORDS: [&str; 9] = [
    "try-",
    "p=3",
    "p=0",
    "force",
    "clean retry",
    "squash",
    "squash-",
    "try=docs",
    "delegate+",
];

/// People are asked about, and what is known to be green is exempt.
fn rules(waits: Waits) -> Rules {
    Rules {
        check_runs: waits.check_runs(),
        authorities: vec![Authority::Collaborators],
        exemption: ExemptionRule::ByStatuses,
        choosers: BTreeMap::from([("docs".to_owned(), Vec::new())]),
        ..with_status()
    }
}

pub(super) struct World {
    pub(super) queue: Queue,
    waits: Waits,
    /// How often GitHub was asked for something that it may refuse or not know yet.
    asked: u64,
    runs_of: BTreeMap<CommitId, Vec<CheckRunSeen>>,
    /// Commits of which GitHub listed nothing but passed check runs at some moment.
    listed_green: BTreeSet<CommitId>,
    now: i64,
    commits: u64,
    base: Vec<CommitId>,
    pulls: BTreeMap<PullNumber, PullFacts>,
    comments: Vec<(PullNumber, Comment)>,
    /// Heads that somebody with the right to do so approved while they were the head (maybe of a
    /// pull that was closed just then).
    approved: BTreeSet<(PullNumber, CommitId)>,
    /// What each pull had proposed when somebody wanted a try of it.
    tried: BTreeSet<(PullNumber, CommitId)>,
    heads: BTreeSet<(PullNumber, CommitId)>,
    results: BTreeMap<CommitId, Verdict>,
    published: BTreeSet<CommitId>,
    webhooks: Vec<Event>,
    orders: Vec<Effect>,
    answers: Vec<Event>,
    said: BTreeSet<String>,
}

/// Something that happens: what, and with which of the things at hand.
pub(super) type Happening = (u8, u16);

impl World {
    pub(super) fn new(waits: Waits) -> Self {
        let mut world = Self {
            queue: Queue::new(rules(waits), RunId(0)),
            waits,
            asked: 0,
            runs_of: BTreeMap::new(),
            listed_green: BTreeSet::new(),
            now: 0,
            commits: 0,
            base: vec![commit("b0")],
            pulls: BTreeMap::new(),
            comments: Vec::new(),
            approved: BTreeSet::new(),
            tried: BTreeSet::new(),
            heads: BTreeSet::new(),
            results: BTreeMap::new(),
            published: BTreeSet::new(),
            webhooks: Vec::new(),
            orders: Vec::new(),
            answers: Vec::new(),
            said: BTreeSet::new(),
        };
        for number in 1..=PULLS {
            let mut opened = facts(number, "0", 0);
            opened.head = world.new_commit("a");
            world.heads.insert((opened.number, opened.head));
            world.pulls.insert(opened.number, opened.clone());
            world.handle(Event::PullSeen {
                facts: opened,
                source: Source::Webhook,
            });
        }
        world
    }

    fn new_commit(&mut self, kind: &str) -> CommitId {
        self.commits += 1;
        commit(&format!("{kind}{:04}f", self.commits))
    }

    fn timestamp(&self) -> Timestamp {
        seconds(self.now)
    }

    fn handle(&mut self, event: Event) {
        self.check_interest(&event);
        let effects = self.queue.handle(self.timestamp(), event);
        for effect in effects {
            if let Effect::PostComment { pull, note } = &effect {
                self.check_said_once(*pull, note);
            }
            self.orders.push(effect);
        }
        self.check_state();
    }

    /// L5: what a run has to say is said once.
    fn check_said_once(&mut self, pull: PullNumber, note: &Note) {
        if matches!(
            note,
            Note::Started { .. } | Note::Succeeded { .. } | Note::TrySucceeded { .. }
        ) {
            // A run that repeats another goes on with its merge, and says so.
            let run = self.queue.pull(pull).and_then(|pull| pull.last_run);
            let is_new = self.said.insert(format!("{pull} {run:?} {note:?}"));
            assert!(is_new, "said twice: {note:?}");
        }
    }

    fn check_state(&self) {
        let landing = self
            .queue
            .runs_in_flight()
            .filter(|run| run.purpose == Purpose::Land);
        assert!(landing.count() <= 1, "two runs that are to land");
        for pull in self.queue.pulls() {
            if let Stage::Running { run, .. } = pull.stage {
                let run = self.queue.run(run).expect("a run that is unknown");
                assert!(!run.is_over(), "a run that is over holds its pull");
            }
            let asks = pull.inquiry.as_ref();
            assert!(asks.is_none_or(|asks| self.queue.next_wakeup() <= Some(asks.until)));
        }
        for run in self.queue.runs_in_flight() {
            let has_end = run.deadline().is_some() || self.is_ended_by_an_order(run.id);
            assert!(has_end, "a wait without an end");
        }
    }

    /// Lets one thing happen.
    pub(super) fn step(&mut self, (what, which): Happening) {
        let pull = PullNumber(1 + u64::from(which) % PULLS);
        let other = which / 8;
        match what {
            0..=2 => self.comment(pull, "r+"),
            3 => self.comment(pull, "r-"),
            4 => self.comment(pull, "retry"),
            5 => self.comment(pull, "try"),
            6 => self.comment(pull, SMALL_WORDS[usize::from(other) % SMALL_WORDS.len()]),
            7 => self.comment(
                pull,
                ["treeclosed=2", "treeclosed-"][usize::from(other % 2)],
            ),
            8 => self.push(pull),
            9 if other.is_multiple_of(2) => self.retitle(pull, other),
            9 => self.turn_over(pull),
            10 => self.push_to_base(),
            11..=16 => self.deliver(which),
            17 => self.lose(which),
            18..=24 => self.carry_out(which),
            25..=31 => self.answer(which),
            32..=33 => self.report(which),
            34..=35 => self.report_check_run(which),
            36 => self.pass_time(i64::from(other % 90)),
            37 => self.restart(),
            _ => self.sweep(),
        }
    }

    fn comment(&mut self, pull: PullNumber, words: &str) {
        self.now += 1;
        let known = self.pulls.get_mut(&pull).unwrap();
        known.updated_at = seconds(self.now);
        if words == "r+" {
            self.approved.insert((pull, known.head));
        }
        if words.contains("try") {
            let seen = self.heads.iter().filter(|(of, _)| *of == pull);
            self.tried.extend(seen);
        }
        // Every other one is by somebody who must be asked about.
        let author = ["rev", "collaborator"][usize::from(self.now % 2 == 0)];
        let comment = comment(self.now, author, &format!("@bot {words}"));
        self.comments.push((pull, comment.clone()));
        self.webhooks.push(Event::CommentMade { pull, comment });
    }

    fn change(&mut self, pull: PullNumber, change: impl FnOnce(&mut PullFacts)) {
        self.now += 1;
        let known = self.pulls.get_mut(&pull).unwrap();
        change(known);
        known.updated_at = seconds(self.now);
        let facts = known.clone();
        self.webhooks.push(Event::PullSeen {
            facts,
            source: Source::Webhook,
        });
    }

    fn push(&mut self, pull: PullNumber) {
        let head = self.new_commit("a");
        if self.pulls[&pull].state == PullState::Open {
            self.heads.insert((pull, head));
            self.change(pull, |facts| facts.head = head);
            self.pulls.get_mut(&pull).unwrap().pushed_at = Some(seconds(self.now));
        }
    }

    fn retitle(&mut self, pull: PullNumber, which: u16) {
        let title = ["WIP: x", "Wipe x", "[skip ci]", "x"][usize::from(which / 2 % 4)];
        self.change(pull, |facts| facts.title = title.to_owned());
    }

    fn turn_over(&mut self, pull: PullNumber) {
        let state = match self.pulls[&pull].state {
            PullState::Open => PullState::Closed,
            PullState::Closed => PullState::Open,
            PullState::Merged => return,
        };
        self.change(pull, |facts| facts.state = state);
    }

    fn push_to_base(&mut self) {
        let after = self.new_commit("b");
        let before = *self.base.last().unwrap();
        self.base.push(after);
        self.webhooks.push(Event::BranchPushed {
            branch: facts(1, "0", 0).base,
            before,
            after,
            at: Some(self.timestamp()),
        });
    }

    /// A webhook arrives, maybe not for the last time.
    fn deliver(&mut self, which: u16) {
        if let Some(event) = take(&mut self.webhooks, which) {
            self.handle(event);
        }
    }

    fn lose(&mut self, which: u16) {
        take(&mut self.webhooks, which | 1);
    }

    /// The shell carries out an order; one with an answer is done only when that was told.
    fn carry_out(&mut self, which: u16) {
        if self.orders.is_empty() {
            return;
        }
        let index = usize::from(which) % self.orders.len();
        let order = self.orders[index].clone();
        if has_no_answer(&order) {
            self.orders.remove(index);
            self.look_before_announcing(&order);
            return;
        }
        let answer = self.carried_out(&order);
        self.answers.extend(answer);
    }

    /// A commit that is not the head is not called approved: how the pull stands is told instead.
    fn look_before_announcing(&mut self, order: &Effect) {
        if let Effect::PostComment { pull, note } = order
            && matches!(note, Note::Approved { commit, .. } if *commit != self.pulls[pull].head)
        {
            self.handle(self.reading(*pull));
        }
    }

    fn carried_out(&mut self, order: &Effect) -> Option<Event> {
        match order {
            Effect::MakeMerge(order) => Some(self.make_merge(order)),
            Effect::PublishMerge { run, commit, .. } => {
                self.published.insert(*commit);
                self.begin_check_runs(*commit);
                Some(Event::MergePublished { run: *run })
            }
            Effect::AdvanceBranch(order) => Some(self.advance(order)),
            Effect::ReadPull { pull } => Some(self.reading_or_404(*pull)),
            Effect::ReadMerge { run, commit, .. } => Some(self.merge_read(*run, *commit)),
            Effect::ReadSuites { .. }
            | Effect::MakeTestMerge(_)
            | Effect::MarkTestMerge { .. }
            | Effect::AskAccess { .. }
            | Effect::CompareSuites { .. }
            | Effect::RankJobs { .. }
            | Effect::StartJobs { .. }
            | Effect::CancelJobs { .. }
            | Effect::CancelSuites { .. }
            | Effect::PostComment { .. }
            | Effect::SetStatus { .. }
            | Effect::RepeatBuilds { .. }
            | Effect::StopBuilds { .. }
            | Effect::EditLabels { .. }
            | Effect::MarkMerged(_)
            | Effect::ClosePull { .. }
            | Effect::CallHook { .. }
            | Effect::LogRetry { .. } => None,
            Effect::ReadCheckRuns { run, commit } => Some(self.listing(*run, *commit)),
            Effect::JudgeExemption(asked) => Some(self.exemption(asked.run, asked.merge)),
            Effect::AskStanding { user } => Some(Event::StandingTold {
                user: user.clone(),
                standing: Permission::Reviewer,
            }),
            Effect::CheckMergeability { base, .. } => Some(self.mergeability(base)),
        }
    }

    fn reading(&self, pull: PullNumber) -> Event {
        Event::PullSeen {
            facts: self.pulls[&pull].clone(),
            source: Source::Reading,
        }
    }

    fn make_merge(&mut self, order: &MergeOrder) -> Event {
        let (run, tip) = (order.run, *self.base.last().unwrap());
        for member in &order.members {
            let is_try = order.test_branch.as_str().starts_with("try");
            let was_seen = self.tried.contains(&(member.pull, member.head));
            assert!(!is_try || was_seen, "nobody who saw this wanted it tried");
        }
        if let Some(again) = order.again.filter(|again| again.base_tip == tip) {
            let (base_tip, merge) = (tip, again.merge);
            return Event::MergeMade {
                run,
                base_tip,
                merge,
            };
        }
        let merge = self.new_commit("e");
        match self.commits % 9 {
            0 => Event::MergeConflicted {
                run,
                step: MergeStep::Merge,
            },
            1 => Event::SetupFailed {
                run,
                why: "no".to_owned(),
            },
            _ => Event::MergeMade {
                run,
                base_tip: tip,
                merge,
            },
        }
    }

    /// L1, L2 and L3, at the moment at which the branch moves.
    fn advance(&mut self, order: &LandingOrder) -> Event {
        let run = order.run;
        if self.base.contains(&order.to) {
            return Event::BranchAdvanced { run };
        }
        let stands = order.members.iter().all(|member| {
            let pull = &self.pulls[&member.pull];
            pull.state == PullState::Open && pull.head == member.head
        });
        if !stands || !self.queue.may_land(run) {
            let why = Refusal::PullChanged;
            return Event::LandingRefused { run, why };
        }
        if *self.base.last().unwrap() != order.from {
            let why = Refusal::BaseMoved;
            return Event::LandingRefused { run, why };
        }
        if let Some(answer) = self.refuses_to_land(run) {
            return answer;
        }
        assert_eq!(
            self.results.get(&order.to),
            Some(&Verdict::Passed),
            "untested"
        );
        assert!(
            self.waits == Waits::Status || self.listed_green.contains(&order.to),
            "a check run has not passed"
        );
        self.base.push(order.to);
        for member in &order.members {
            assert!(
                self.approved.contains(&(member.pull, member.head)),
                "nobody approved this"
            );
            self.change(member.pull, |facts| facts.state = PullState::Merged);
        }
        Event::BranchAdvanced { run }
    }

    /// How many pulls have landed.
    pub(super) fn landed(&self) -> usize {
        let merged = self.pulls.values();
        merged
            .filter(|facts| facts.state == PullState::Merged)
            .count()
    }

    /// An answer is told, maybe not for the last time.
    fn answer(&mut self, which: u16) {
        let Some(event) = take(&mut self.answers, which) else {
            return;
        };
        let answered = |order: &Effect| match (order, &event) {
            (Effect::MakeMerge(order), Event::MergeMade { run, .. })
            | (Effect::MakeMerge(order), Event::MergeConflicted { run, .. })
            | (Effect::MakeMerge(order), Event::SetupFailed { run, .. }) => order.run == *run,
            (Effect::PublishMerge { run, .. }, Event::MergePublished { run: published }) => {
                run == published
            }
            (Effect::AdvanceBranch(order), Event::BranchAdvanced { run })
            | (Effect::AdvanceBranch(order), Event::LandingRefused { run, .. }) => {
                order.run == *run
            }
            (Effect::ReadMerge { run, .. }, Event::MergeRead { run: of, .. }) => run == of,
            (Effect::ReadPull { pull }, Event::PullSeen { facts, .. }) => facts.number == *pull,
            (Effect::ReadPull { pull }, Event::PullUnseen { pull: unseen }) => pull == unseen,
            (Effect::ReadCheckRuns { run, .. }, Event::CheckRunsUnread { run: unread, .. }) => {
                run == unread
            }
            (Effect::ReadCheckRuns { commit, .. }, Event::CheckRunsRead { commit: read, .. }) => {
                commit == read
            }
            (Effect::CheckMergeability { base, .. }, Event::MergeabilityFound { base: of, .. }) => {
                base == of
            }
            (Effect::JudgeExemption(asked), Event::ExemptionJudged { run, .. }) => {
                asked.run == *run
            }
            (Effect::AskStanding { user }, Event::StandingTold { user: of, .. }) => user == of,
            _ => false,
        };
        self.orders.retain(|order| !answered(order));
        self.handle(event);
    }

    /// An external check says something of a commit that was published.
    fn report(&mut self, which: u16) {
        let published: Vec<_> = self.published.iter().copied().collect();
        if published.is_empty() {
            return;
        }
        let commit = published[usize::from(which) % published.len()];
        let verdict = match which % 7 {
            0 => Verdict::Failed,
            1 => Verdict::Pending,
            _ => Verdict::Passed,
        };
        let verdict = match verdict {
            Verdict::Pending => verdict,
            Verdict::Passed | Verdict::Failed => *self.results.entry(commit).or_insert(verdict),
        };
        self.webhooks.push(status(commit, verdict));
    }

    fn pass_time(&mut self, by: i64) {
        self.now += by;
        self.handle(Event::TimePassed);
    }

    /// The server is killed: answers and news in its memory are lost, what is written down is not.
    fn restart(&mut self) {
        self.answers.clear();
        let text = serde_json::to_string(&self.orders).unwrap();
        self.orders = serde_json::from_str(&text).unwrap();
        let pulls = self.queue.pulls().cloned().collect::<Vec<_>>();
        let runs: Vec<_> = self.queue.runs.values().cloned().collect();
        let text = serde_json::to_string(&(self.queue.state(), pulls, runs)).unwrap();
        let (state, pulls, runs) = serde_json::from_str(&text).unwrap();
        self.queue = Queue::restored(rules(self.waits), state, pulls, runs);
    }

    /// The slow sweep: everything is asked for again.
    fn sweep(&mut self) {
        for (pull, comment) in self.comments.clone() {
            self.handle(Event::CommentMade { pull, comment });
        }
        for pull in self.pulls.keys().copied().collect::<Vec<_>>() {
            self.handle(self.reading(pull));
        }
        for (commit, verdict) in self.results.clone() {
            self.handle(status(commit, verdict));
        }
        for commit in self.runs_of.keys().copied().collect::<Vec<_>>() {
            let listed = self.listed(commit);
            self.handle(listed);
        }
    }

    /// Faults end: all that is on its way arrives, and checks pass. Panics if that has no end.
    pub(super) fn settle(&mut self) {
        for _ in 0..400 {
            while !self.webhooks.is_empty() {
                self.deliver(1);
            }
            self.sweep();
            for order in self.orders.clone() {
                let answer = self.carried_out(&order);
                self.answers.extend(answer);
            }
            while !self.answers.is_empty() {
                self.answer(1);
            }
            let published = self.published.clone();
            for commit in published {
                self.results.entry(commit).or_insert(Verdict::Passed);
            }
            self.end_check_runs();
            self.orders.retain(|order| !has_no_answer(order));
            let is_quiet = self.webhooks.is_empty() && self.orders.is_empty();
            // What was not shown is there, and found by the next sweep.
            let is_quiet = is_quiet && self.queue.pulls().all(|pull| pull.unseen_since.is_none());
            if is_quiet && self.queue.next_wakeup().is_none() {
                return;
            }
        }
        panic!("it never comes to an end: {:?}", self.orders);
    }

    /// L6: what could move did.
    pub(super) fn check_nothing_is_stuck(&self) {
        assert_eq!(self.queue.runs_in_flight().count(), 0);
        for pull in self.queue.pulls() {
            let real = &self.pulls[&pull.number()];
            assert_eq!((pull.facts.head, pull.facts.state), (real.head, real.state));
            let waits = matches!(pull.stage, Stage::Idle | Stage::RetryWanted { .. });
            let can_move = waits
                && pull.standing_approval().is_some()
                && self.queue.tree_lets_through(pull.number());
            assert!(!can_move, "{} is stuck: {:?}", pull.number(), pull.stage);
            assert!(!matches!(pull.stage, Stage::TryWanted { .. }));
            assert_eq!(pull.unjudged, Vec::new());
        }
    }

    /// Memory is bounded by what is in use.
    pub(super) fn check_old_things_are_forgotten(&mut self) {
        self.now += 30 * 86_400;
        let _written = self.queue.take_touched();
        self.handle(Event::TimePassed);
        assert!(self.queue.pulls().all(crate::queue::pull::Pull::is_open));
        assert!(self.queue.runs.len() <= 2 * self.queue.pulls.len());
    }
}

fn status(commit: CommitId, verdict: Verdict) -> Event {
    Event::StatusReported {
        commit,
        context: "ci".to_owned(),
        verdict,
        url: None,
        order: None,
    }
}

/// One of the things at hand; with an even choice it stays at hand and so comes again.
fn take(things: &mut Vec<Event>, which: u16) -> Option<Event> {
    if things.is_empty() {
        return None;
    }
    let index = usize::from(which / 2) % things.len();
    if which.is_multiple_of(2) {
        Some(things[index].clone())
    } else {
        Some(things.remove(index))
    }
}
