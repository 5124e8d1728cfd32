//! A practice GitHub and an engine that serves one repository of it.

use std::time::Duration;

use crate::clock;
use crate::config::Config;
use crate::engine::orders::{Done, Trouble, carry_out};
use crate::engine::outbox::{Order, Tried};
use crate::engine::{Engine, PagesAt, Repo};
use crate::github::Sorts;
use crate::store::{Cause, Entry, OutboxRow, StepRecord, Stepped};
use paprq_core::ids::{PullNumber, RepoLabel};
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::{Event, Source};
use paprq_practice::{Permission, Practice};

pub(super) const REPO: &str = "octo/widgets";
/// What fails a test that waits for what does not come; no test waits for it in full.
pub(super) const LONG: Duration = Duration::from_secs(20);

pub(super) const BOT: &str = "bors";
const TOKEN: &str = "token-of-the-bot";

pub(super) struct Stage {
    pub(super) practice: Practice,
    pub(super) engine: Engine,
    _dir: tempfile::TempDir,
}

impl Stage {
    /// With these lines at the end of `[repo.widgets]`, which further tables may follow.
    pub(super) async fn start(lines: &str) -> Self {
        Self::start_with("", lines).await
    }

    /// The same, also with these lines in `[git]`.
    pub(super) async fn start_with(git: &str, lines: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let practice = Practice::start(&dir.path().join("github"), 0, clock::now)
            .await
            .unwrap();
        practice.add_user(BOT, Some(TOKEN));
        let files = [("a".to_owned(), "a\n".to_owned())];
        practice.create_repo(REPO, files).unwrap();
        for login in [BOT, "alice"] {
            practice
                .add_collaborator(REPO, login, Permission::Write)
                .unwrap();
        }
        let text = configuration(&practice, dir.path(), git, lines);
        let config = Config::from_toml("cfg.toml", &text, &|_| None).unwrap();
        let engine =
            Engine::start(config, PagesAt::Public("https://paprq.example".to_owned())).await;
        let stage = Self {
            practice,
            engine: engine.unwrap(),
            _dir: dir,
        };
        // What is ordered before that would be carried out by the engine, too.
        stage.repo().until_running().await;
        let mut swept = stage.repo().shared().swept.subscribe();
        swept.wait_for(|swept| *swept).await.unwrap();
        stage
    }

    pub(super) fn repo(&self) -> Repo {
        let label = RepoLabel::new("widgets");
        self.engine.repo(&label).unwrap().clone()
    }

    /// An open pull of carol's, from a branch of its own.
    pub(super) fn pull(&self, title: &str) -> PullNumber {
        let branch = title.replace(' ', "-");
        let files = [("b".to_owned(), "b\n".to_owned())];
        self.practice
            .commit(REPO, &branch, files, title, "carol")
            .unwrap();
        self.practice
            .open_pull(REPO, &branch, "master", title, "", "carol")
            .unwrap()
    }

    /// Lets the queue know a pull.
    pub(super) async fn see(&self, pull: PullNumber) {
        let facts = self.repo().shared().api.pull(pull).await.unwrap();
        let source = Source::Reading;
        let seen = Event::PullSeen { facts, source };
        self.repo().take_in(None, vec![seen]).await.unwrap();
    }

    /// Lets the queue hear somebody on a pull that it knows.
    pub(super) async fn hear(&self, pull: PullNumber, author: &str, body: &str) {
        self.practice.comment(REPO, pull, author, body).unwrap();
        let api = self.repo().shared().api.clone();
        let mut comments = api.comments(pull, Sorts::Conversation, None).await.unwrap();
        let comment = comments.pop().unwrap();
        let made = Event::CommentMade { pull, comment };
        self.repo().take_in(None, vec![made]).await.unwrap();
    }

    /// Waits until the bot says this on a pull.
    pub(super) async fn says(&self, pull: PullNumber, words: &str) {
        let said = |practice: &Practice| {
            let comments = practice.comments(REPO, pull);
            comments.iter().any(|comment| comment.body.contains(words))
        };
        self.practice.wait_until(LONG, said).await.unwrap();
    }

    /// Carries an order out once, as the outbox does.
    pub(super) async fn carry_out(&self, effect: Effect, tried: Tried) -> Result<Done, Trouble> {
        let row = self.ordered(effect).await;
        self.carry_out_row(row, tried).await
    }

    /// The same for an order that is durable.
    pub(super) async fn carry_out_row(
        &self,
        row: OutboxRow,
        tried: Tried,
    ) -> Result<Done, Trouble> {
        carry_out(&self.repo(), &Order { row, tried }).await
    }

    /// An order that is durable, and that nobody carries out.
    pub(super) async fn ordered(&self, effect: Effect) -> OutboxRow {
        let entry = Entry {
            event: Event::TimePassed,
            effects: vec![effect],
        };
        let step = StepRecord {
            repo: self.repo().label().clone(),
            cause: Cause::Observation,
            at: clock::now(),
            state: None,
            pulls: Vec::new(),
            runs: Vec::new(),
            history: vec![entry],
        };
        match self.engine.store().take_step(step).await.unwrap() {
            Stepped::Taken(mut rows) => rows.remove(0),
            Stepped::Before => panic!("an observation has no cause"),
        }
    }

    /// The same for one that succeeds: what it answers.
    pub(super) async fn answers(&self, effect: Effect) -> Vec<Event> {
        Self::events(self.carry_out(effect, Tried::Never).await.unwrap())
    }

    pub(super) fn events(done: Done) -> Vec<Event> {
        match done {
            Done::Quietly => Vec::new(),
            Done::Answered(events) => events,
        }
    }

    /// `METHOD PATH` of all requests to change something.
    pub(super) fn writes(&self) -> Vec<String> {
        let requests = self.practice.requests().into_iter();
        let writes = requests.filter(|request| request.api && request.method != "GET");
        writes
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }
}

fn configuration(practice: &Practice, dir: &std::path::Path, git: &str, lines: &str) -> String {
    let (api, web, dir) = (practice.api_url(), practice.url(), dir.display());
    format!(
        r#"
[github]
access_token = "{TOKEN}"
api_url = "{api}"
web_url = "{web}"
[git]
cache_dir = "{dir}/cache"
{git}
[db]
file = "{dir}/paprq.db"
[storage]
url = "file:{dir}/storage"
[repo.widgets]
owner = "octo"
name = "widgets"
reviewers = ["dora"]
github = {{ secret = "s" }}
{lines}
"#
    )
}
