//! What the practice GitHub remembers: users, repositories, pulls, talk, statuses, webhooks.
//!
//! Plain values only. Git objects and refs live on disk ([`super::disk`]); of them this keeps the
//! tips that were announced, so that each move of a ref has its consequences once.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use paprq_core::ids::{CommitId, Login, PullNumber, Timestamp, is_same_name};

use super::oauth::Logins;
use super::pulls::Push;

/// Everything, behind the one mutex of [`super::core::Core`].
#[derive(Debug, Default)]
pub(super) struct World {
    last_id: u64,
    pub(super) users: BTreeMap<Login, User>,
    pub(super) tokens: HashMap<String, Login>,
    pub(super) logins: Logins,
    repos: BTreeMap<String, Repo>,
    /// Which repository each former name leads to, until it is taken.
    former: BTreeMap<String, u64>,
    pub(super) requests: Vec<Request>,
    pub(super) deliveries: Vec<Delivery>,
    /// Requests that counted against a token's hourly limit.
    pub(super) spent: BTreeMap<Login, u32>,
    /// Where the queue that is tried out here has its own pages.
    pub(super) bot_pages: Option<String>,
}

impl World {
    /// A number that nothing else has.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        100_000 + self.last_id
    }

    /// The user of this name, who is made if nobody has it.
    pub(super) fn user(&mut self, login: &Login, now: Timestamp) -> &mut User {
        let id = match self.users.get(login) {
            Some(user) => user.id,
            None => self.next_id(),
        };
        self.users.entry(login.clone()).or_insert_with(|| User {
            id,
            login: login.clone(),
            created_at: now,
        })
    }

    /// The repository `OWNER/NAME`, in any case.
    pub(super) fn repo(&self, full_name: &str) -> Option<&Repo> {
        self.repos.get(&full_name.to_lowercase())
    }

    /// The same, to be changed.
    pub(super) fn repo_mut(&mut self, full_name: &str) -> Option<&mut Repo> {
        self.repos.get_mut(&full_name.to_lowercase())
    }

    /// All repositories by name.
    pub(super) fn repos(&self) -> impl Iterator<Item = &Repo> {
        self.repos.values()
    }

    pub(super) fn insert_repo(&mut self, repo: Repo) {
        let name = repo.full_name().to_lowercase();
        self.former.remove(&name);
        self.repos.insert(name, repo);
    }

    /// Takes a repository out, to be put in again under another name.
    pub(super) fn take_repo(&mut self, full_name: &str) -> Option<Repo> {
        let name = full_name.to_lowercase();
        let repo = self.repos.remove(&name)?;
        self.former.insert(name, repo.id);
        Some(repo)
    }

    /// The repository with this number.
    pub(super) fn repo_by_id(&self, id: u64) -> Option<&Repo> {
        self.repos().find(|repo| repo.id == id)
    }

    /// The repository that was called so once.
    pub(super) fn renamed(&self, full_name: &str) -> Option<&Repo> {
        let id = self.former.get(&full_name.to_lowercase())?;
        self.repo_by_id(*id)
    }

    /// Where repositories name one that is called otherwise now, they name it anew.
    pub(super) fn follow_name(&mut self, old: &str, new: &str) {
        for repo in self.repos.values_mut() {
            if repo.parent.as_deref() == Some(old) {
                repo.parent = Some(new.to_owned());
            }
            let pulls = repo.pulls.values_mut();
            for pull in pulls.filter(|pull| pull.head_repo.eq_ignore_ascii_case(old)) {
                new.clone_into(&mut pull.head_repo);
            }
        }
        let deliveries = self.deliveries.iter_mut();
        for delivery in deliveries.filter(|delivery| delivery.repo.eq_ignore_ascii_case(old)) {
            new.clone_into(&mut delivery.repo);
        }
    }
}

/// A person or a bot.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) login: Login,
    pub(super) created_at: Timestamp,
}

impl User {
    /// The address that commits made on the pages carry.
    pub(super) fn email(&self) -> String {
        format!("{}+{}@users.noreply.github.com", self.id, self.login)
    }
}

/// What a user may do in a repository, in GitHub's words.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Permission {
    /// See it; everybody may, for all repositories are public.
    Read,
    /// Also sort pulls.
    Triage,
    /// Also push and set statuses.
    Write,
    /// Also manage it.
    Maintain,
    /// Everything; the owner has it.
    Admin,
}

impl Permission {
    /// GitHub's name of the role.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

/// One repository and all that hangs on it.
#[derive(Debug)]
pub(super) struct Repo {
    pub(super) id: u64,
    pub(super) owner: Login,
    pub(super) name: String,
    pub(super) default_branch: String,
    /// The repository this is a fork of.
    pub(super) parent: Option<String>,
    pub(super) path: PathBuf,
    pub(super) collaborators: BTreeMap<Login, Permission>,
    last_number: u64,
    pub(super) pulls: BTreeMap<PullNumber, Pull>,
    pub(super) labels: BTreeMap<String, u64>,
    /// Protected branches, and the status context that each requires.
    pub(super) protected: BTreeMap<String, String>,
    pub(super) statuses: HashMap<CommitId, Vec<Status>>,
    pub(super) check_runs: Vec<CheckRun>,
    pub(super) hooks: Vec<Hook>,
    /// Full ref name to the commit whose arrival was announced.
    pub(super) tips: BTreeMap<String, CommitId>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) pushed_at: Timestamp,
}

/// What is known about a repository when it is made.
#[derive(Debug)]
pub(super) struct NewRepo {
    pub(super) id: u64,
    pub(super) owner: Login,
    pub(super) name: String,
    pub(super) default_branch: String,
    pub(super) parent: Option<String>,
    pub(super) path: PathBuf,
    pub(super) tips: BTreeMap<String, CommitId>,
}

impl Repo {
    pub(super) fn new(new: NewRepo, now: Timestamp) -> Self {
        Self {
            id: new.id,
            owner: new.owner,
            name: new.name,
            default_branch: new.default_branch,
            parent: new.parent,
            path: new.path,
            collaborators: BTreeMap::new(),
            last_number: 0,
            pulls: BTreeMap::new(),
            labels: BTreeMap::new(),
            protected: BTreeMap::new(),
            statuses: HashMap::new(),
            check_runs: Vec::new(),
            hooks: Vec::new(),
            tips: new.tips,
            created_at: now,
            updated_at: now,
            pushed_at: now,
        }
    }

    /// `OWNER/NAME`.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// The number of the next pull.
    pub(super) fn next_number(&mut self) -> PullNumber {
        self.last_number += 1;
        PullNumber(self.last_number)
    }

    pub(super) fn permission(&self, login: &Login) -> Permission {
        if *login == self.owner {
            return Permission::Admin;
        }
        self.collaborators
            .get(login)
            .copied()
            .unwrap_or(Permission::Read)
    }

    /// Where a branch stood when it was last announced.
    pub(super) fn branch(&self, name: &str) -> Option<CommitId> {
        self.tips.get(&format!("refs/heads/{name}")).copied()
    }

    /// Branch names with their tips.
    pub(super) fn branches(&self) -> impl Iterator<Item = (&str, CommitId)> {
        self.tips
            .iter()
            .filter_map(|(name, tip)| Some((name.strip_prefix("refs/heads/")?, *tip)))
    }

    /// The check runs of a check suite, oldest first.
    pub(super) fn suite(&self, suite: u64) -> impl Iterator<Item = &CheckRun> {
        self.check_runs.iter().filter(move |run| run.suite == suite)
    }

    /// Whether every check run of a check suite is completed.
    pub(super) fn is_suite_completed(&self, suite: u64) -> bool {
        self.suite(suite).all(|run| run.end.is_some())
    }

    /// The newest status of each context of a commit, in the order of first appearance.
    pub(super) fn latest_statuses(&self, commit: CommitId) -> Vec<&Status> {
        let mut latest: Vec<&Status> = Vec::new();
        for status in self.statuses.get(&commit).into_iter().flatten() {
            match latest
                .iter_mut()
                .find(|seen| is_same_name(&seen.context, &status.context))
            {
                Some(seen) => *seen = status,
                None => latest.push(status),
            }
        }
        latest
    }
}

/// How a pull stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PullState {
    /// Waiting to be merged.
    Open,
    /// Closed without its commits in the base branch.
    Closed,
    /// Its head commit reached the base branch.
    Merged,
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    Open,
    Closed {
        at: Timestamp,
    },
    Merged {
        at: Timestamp,
        by: Login,
        commit: CommitId,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Pull {
    pub(super) id: u64,
    pub(super) number: PullNumber,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) author: Login,
    pub(super) stage: Stage,
    pub(super) draft: bool,
    pub(super) head_repo: String,
    pub(super) head_branch: String,
    pub(super) head: CommitId,
    pub(super) base_branch: String,
    /// Where the base branch stood when the pull was opened or last pushed to.
    pub(super) base: CommitId,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) labels: Vec<String>,
    pub(super) comments: Vec<Comment>,
    pub(super) reviews: Vec<Review>,
    pub(super) review_comments: Vec<ReviewComment>,
    pub(super) size: Size,
    pub(super) test_merge: Option<TestMerge>,
    /// What somebody can push to its branch with one click.
    pub(super) prepared: Option<Push>,
}

impl Pull {
    pub(super) fn state(&self) -> PullState {
        match self.stage {
            Stage::Open => PullState::Open,
            Stage::Closed { .. } => PullState::Closed,
            Stage::Merged { .. } => PullState::Merged,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open)
    }

    pub(super) fn closed_at(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Open => None,
            Stage::Closed { at } | Stage::Merged { at, .. } => Some(at),
        }
    }
}

/// How much a pull changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) commits: usize,
    pub(super) additions: usize,
    pub(super) deletions: usize,
    pub(super) files: usize,
}

/// The test merge of a pull, and of what it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct TestMerge {
    pub(super) head: CommitId,
    pub(super) base: CommitId,
    /// `None`: they conflict.
    pub(super) merge: Option<CommitId>,
}

#[derive(Clone, Debug)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) author: Login,
    pub(super) body: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// What a review says, in GitHub's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReviewState {
    /// The reviewer agrees.
    Approved,
    /// The reviewer wants something changed first.
    ChangesRequested,
    /// The reviewer only says something.
    Commented,
}

impl ReviewState {
    /// As the REST API writes it; webhooks have it in small letters.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::ChangesRequested => "CHANGES_REQUESTED",
            Self::Commented => "COMMENTED",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Review {
    pub(super) id: u64,
    pub(super) author: Login,
    pub(super) state: ReviewState,
    pub(super) body: String,
    pub(super) commit: CommitId,
    pub(super) at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct ReviewComment {
    pub(super) id: u64,
    pub(super) review: u64,
    pub(super) author: Login,
    pub(super) body: String,
    pub(super) path: String,
    pub(super) line: u64,
    pub(super) commit: CommitId,
    pub(super) at: Timestamp,
}

/// How a commit status stands, in GitHub's words.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum StatusState {
    /// It passed.
    Success,
    /// Not known yet.
    Pending,
    /// It failed.
    Failure,
    /// It could not be found out.
    Error,
}

impl StatusState {
    /// As GitHub writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Pending => "pending",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }

    /// Reads GitHub's word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Success, Self::Pending, Self::Failure, Self::Error]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// One status of one commit. GitHub keeps them all; the newest of a context counts.
#[derive(Clone, Debug)]
pub struct Status {
    pub(super) id: u64,
    pub(super) creator: Login,
    /// The commit.
    pub commit: CommitId,
    /// Success, pending, failure or error.
    pub state: StatusState,
    /// The name that tells one status of a commit from another.
    pub context: String,
    /// At most 140 characters.
    pub description: Option<String>,
    /// Where the status leads to.
    pub target_url: Option<String>,
    /// When it was set.
    pub at: Timestamp,
}

/// How a check run ended, in GitHub's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Conclusion {
    /// Good.
    Success,
    /// Bad.
    Failure,
    /// Neither.
    Neutral,
    /// Stopped by somebody.
    Cancelled,
    /// Not needed.
    Skipped,
    /// Took too long.
    TimedOut,
    /// Somebody must do something.
    ActionRequired,
}

impl Conclusion {
    /// As GitHub writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed_out",
            Self::ActionRequired => "action_required",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    /// The app that made it.
    pub(super) app: u64,
    pub(super) suite: u64,
    pub(super) name: String,
    pub(super) commit: CommitId,
    pub(super) details_url: String,
    pub(super) started_at: Timestamp,
    pub(super) end: Option<CheckEnd>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CheckEnd {
    pub(super) at: Timestamp,
    pub(super) conclusion: Conclusion,
}

#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) id: u64,
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) created_at: Timestamp,
}

/// One request that arrived, over REST or git.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Counts all requests, from 1.
    pub number: u64,
    /// `GET`, `POST` …
    pub method: String,
    /// Path with query; REST paths without `/api/v3`.
    pub path: String,
    /// Whose token it carried, if any.
    pub login: Option<Login>,
    /// The body, where it is JSON.
    pub body: Value,
    /// When it came.
    pub at: Timestamp,
    /// What it was answered; `None` while it is not, or if the connection was broken.
    pub status: Option<u16>,
    /// Whether it is a REST call (else it is git's).
    pub api: bool,
}

/// What became of one delivery of a webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeliveryOutcome {
    /// Not answered yet.
    UnderWay,
    /// Answered with this HTTP status.
    Answered(u16),
    /// Nobody answered, and why.
    Unanswered(String),
    /// A fault lost it before it was sent.
    Lost,
}

/// One delivery of a webhook.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Unique number.
    pub id: u64,
    pub(super) hook: u64,
    pub(super) repo: String,
    /// `X-GitHub-Delivery`; a delivery that is made again keeps it.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The payload.
    pub payload: Value,
    /// When it was made.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// How long the answer took.
    pub took_ms: u64,
    pub(super) again: bool,
}
