//! A queue that is told a story and writes down what it answers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::command::Grammar;
use crate::ids::{BranchName, CommitId, Login, PullNumber, REPOS_MAX, RunId, Timestamp};
use crate::queue::Queue;
use crate::queue::effect::{Effect, History};
use crate::queue::event::{
    Comment, CommentKey, CommentSort, Event, HeadRepo, PullFacts, PullState, Source, SuiteVerdict,
    SuitesFound, Verdict,
};
use crate::queue::rules::{
    ExemptionRule, Fixups, Mentions, Merging, PullTests, Reporting, Reuse, Rules, StatusRule,
};
use crate::suite::{Environment, Network, OnMerge, Suite};

/// The commit whose id begins with these digits; the rest are zeros.
pub(super) fn commit(digits: &str) -> CommitId {
    format!("{digits:0<40}").parse().unwrap()
}

/// The first run, the second, and so on.
pub(super) fn run_id(count: u64) -> RunId {
    RunId(count * REPOS_MAX)
}

pub(super) fn seconds(at: i64) -> Timestamp {
    Timestamp(at * 1000)
}

/// A repository with one commit status to wait for, two minutes for set-up and an hour for checks.
pub(super) fn with_status() -> Rules {
    Rules {
        grammar: Grammar {
            bot: Login::new("bot"),
            hooks: Vec::new(),
            aliases: Vec::new(),
        },
        reviewers: vec![Login::new("rev")],
        try_users: vec![Login::new("trier")],
        authorities: Vec::new(),
        hooks: BTreeMap::new(),
        labels: BTreeMap::new(),
        max_priority: 100,
        timeout_s: 3600,
        setup_timeout_s: 120,
        auto_branch: BranchName::new("auto"),
        try_branch: BranchName::new("try"),
        history: History::Merged,
        fixups: Fixups::Keep,
        mentions: Mentions::AsWritten,
        exemption: ExemptionRule::Never,
        choosers: BTreeMap::new(),
        buildbot: None,
        temporary_branch: BranchName::new("homu-tmp"),
        statuses: vec![StatusRule {
            label: "ci".to_owned(),
            context: "ci".to_owned(),
            in_tries: true,
            pr_context: "ci".to_owned(),
        }],
        check_runs: Vec::new(),
        suites: None,
        pulls: PullTests::None,
        trusted: Vec::new(),
        reuse: Reuse::Passes,
        merging: Merging::On,
        reporting: Reporting::On,
    }
}

/// A repository that waits for nothing but the suites of its own file.
pub(super) fn with_suites() -> Rules {
    Rules {
        statuses: Vec::new(),
        suites: Some(OnMerge::Named),
        ..with_status()
    }
}

pub(super) fn suite(context: &str) -> Suite {
    let environment = Environment::Sandbox {
        network: Network::Off,
    };
    Suite {
        branches: Vec::new(),
        tests: vec!["true".to_owned()],
        timeout_s: 60,
        ..Suite::new(context, environment)
    }
}

/// An open pull of somebody's into `main`.
pub(super) fn facts(number: u64, head: &str, updated_at: i64) -> PullFacts {
    PullFacts {
        number: PullNumber(number),
        title: format!("Change {number}"),
        body: String::new(),
        author: Login::new("author"),
        state: PullState::Open,
        draft: false,
        head: commit(head),
        head_label: format!("author:topic-{number}"),
        head_repo: HeadRepo::Of(Login::new("author")),
        pushed_at: None,
        base: BranchName::new("main"),
        mergeable: Some(true),
        labels: Vec::new(),
        updated_at: seconds(updated_at),
    }
}

pub(super) fn comment(at: i64, author: &str, body: &str) -> Comment {
    Comment {
        key: CommentKey {
            at: seconds(at),
            id: at as u64,
            sort: CommentSort::Issue,
        },
        author: Login::new(author),
        standing: None,
        body: body.to_owned(),
        commit: None,
        url: format!("https://example.org/{at}"),
    }
}

pub(super) struct Story {
    pub(super) queue: Queue,
    now: i64,
    log: String,
    effects: Vec<Effect>,
}

impl Story {
    pub(super) fn of(rules: Rules) -> Self {
        Self {
            queue: Queue::new(rules, RunId(0)),
            now: 0,
            log: String::new(),
            effects: Vec::new(),
        }
    }

    /// Pulls of which GitHub told in the beginning, by number and head; not in the log.
    pub(super) fn with_pulls(rules: Rules, pulls: &[(u64, &str)]) -> Self {
        let mut story = Self::of(rules);
        for (number, head) in pulls {
            story.see(facts(*number, head, 0));
        }
        story.forget_log();
        story
    }

    /// The server begins anew with what it wrote down, and with other rules.
    pub(super) fn restart(&mut self, rules: Rules) {
        let pulls = self.queue.pulls().cloned().collect();
        let runs = self.queue.runs.values().cloned().collect();
        self.queue = Queue::restored(rules, self.queue.state().clone(), pulls, runs);
    }

    /// Lets time go by, in seconds since the beginning.
    pub(super) fn at(&mut self, now: i64) -> &mut Self {
        self.now = now;
        self
    }

    pub(super) fn tell(&mut self, event: Event) -> &mut Self {
        writeln!(self.log, "{}s {event}", self.now).unwrap();
        let effects = self.queue.handle(seconds(self.now), event);
        for effect in &effects {
            writeln!(self.log, "    {effect}").unwrap();
        }
        self.effects.extend(effects);
        self
    }

    /// What this event has done.
    pub(super) fn effects(&mut self, event: Event) -> Vec<Effect> {
        let before = self.effects.len();
        self.tell(event);
        self.effects.split_off(before)
    }

    /// The suites for which jobs were ordered since the log was asked for or forgotten.
    pub(super) fn started(&self) -> Vec<String> {
        let mut contexts = Vec::new();
        for effect in &self.effects {
            if let Effect::StartJobs { suites, .. } = effect {
                contexts.extend(suites.iter().map(|suite| suite.context.clone()));
            }
        }
        contexts
    }

    /// Begins the log anew.
    pub(super) fn forget_log(&mut self) -> &mut Self {
        self.log.clear();
        self.effects.clear();
        self
    }

    /// A webhook tells how a pull stands.
    pub(super) fn see(&mut self, facts: PullFacts) -> &mut Self {
        self.tell(Event::PullSeen {
            facts,
            source: Source::Webhook,
        })
    }

    /// GitHub answers how a pull stands.
    pub(super) fn read(&mut self, facts: PullFacts) -> &mut Self {
        self.tell(Event::PullSeen {
            facts,
            source: Source::Reading,
        })
    }

    /// A reviewer writes a comment, now.
    pub(super) fn say(&mut self, pull: u64, body: &str) -> &mut Self {
        let comment = comment(self.now, "rev", &format!("@bot {body}"));
        self.hear(pull, comment)
    }

    /// Somebody writes a comment, now.
    pub(super) fn comment(&mut self, author: &str, pull: u64, body: &str) -> &mut Self {
        let comment = comment(self.now, author, &format!("@bot {body}"));
        self.hear(pull, comment)
    }

    pub(super) fn hear(&mut self, pull: u64, comment: Comment) -> &mut Self {
        self.tell(Event::CommentMade {
            pull: PullNumber(pull),
            comment,
        })
    }

    pub(super) fn merged(&mut self, run: u64, onto: &str, merge: &str) -> &mut Self {
        self.tell(Event::MergeMade {
            run: run_id(run),
            base_tip: commit(onto),
            merge: commit(merge),
        })
    }

    pub(super) fn published(&mut self, run: u64) -> &mut Self {
        self.tell(Event::MergePublished { run: run_id(run) })
    }

    pub(super) fn status(&mut self, on: &str, verdict: Verdict) -> &mut Self {
        self.tell(Event::StatusReported {
            commit: commit(on),
            context: "ci".to_owned(),
            verdict,
            url: None,
            order: None,
        })
    }

    pub(super) fn found(&mut self, run: u64, suites: &[Suite]) -> &mut Self {
        self.tell(Event::SuitesRead {
            run: run_id(run),
            found: SuitesFound::Suites(suites.to_vec().into()),
        })
    }

    pub(super) fn finished(&mut self, run: u64, context: &str, verdict: SuiteVerdict) -> &mut Self {
        self.tell(Event::SuiteFinished {
            run: run_id(run),
            context: context.to_owned(),
            verdict,
            url: "job".to_owned(),
        })
    }

    pub(super) fn began(&mut self, run: u64, context: &str) -> &mut Self {
        self.tell(Event::SuiteStarted {
            run: run_id(run),
            context: context.to_owned(),
            url: "job".to_owned(),
        })
    }

    pub(super) fn time_passes(&mut self) -> &mut Self {
        self.tell(Event::TimePassed)
    }

    /// What was told and answered since this was last asked.
    pub(super) fn log(&mut self) -> String {
        self.effects.clear();
        std::mem::take(&mut self.log)
    }

    pub(super) fn status_of(&self, pull: u64) -> &'static str {
        self.queue.pull(PullNumber(pull)).unwrap().status().as_str()
    }

    pub(super) fn approved(&self, pull: u64) -> Option<CommitId> {
        let pull = self.queue.pull(PullNumber(pull)).unwrap();
        pull.standing_approval().map(|approval| approval.commit)
    }
}
