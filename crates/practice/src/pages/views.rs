//! What the pages show, read from the state and from git at one moment.

use std::collections::BTreeMap;

use askama::Template;

use crate::PracticeError;
use crate::core::Core;
use crate::disk::{Disk, GitCommit};
use crate::pulls::unknown_pull;
use crate::setup::unknown_repo;
use crate::world::{Comment, Pull, Repo, World};
use paprq_core::ids::{CommitId, Login, PullNumber, Timestamp};

use super::markdown;
use super::marks::{self, Mark};

const COMMITS_SHOWN: usize = 10;
const PULL_COMMITS_SHOWN: usize = 50;
const DELIVERIES_SHOWN: usize = 15;

/// How much of a comment tells it from others.
const BEGINNING_CHARS: usize = 60;

/// Where the queue's tests are pushed to.
const TEST_BRANCHES: [&str; 2] = ["auto", "try"];

/// What is around every page.
#[derive(Debug)]
struct Frame {
    title: String,
    bot_pages: Option<String>,
    people: Vec<Person>,
}

/// Somebody that a form can be sent as.
#[derive(Debug)]
struct Person {
    login: String,
    chosen: bool,
}

impl Frame {
    fn of(world: &World, title: impl Into<String>, visitor: Option<&Login>) -> Self {
        let people = world.users.keys().map(|login| Person {
            login: login.to_string(),
            chosen: visitor == Some(login),
        });
        Self {
            title: title.into(),
            bot_pages: world.bot_pages.clone(),
            people: people.collect(),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub(super) struct Problem {
    frame: Frame,
    message: String,
}

impl Problem {
    pub(super) fn of(core: &Core, message: String) -> Self {
        Self {
            frame: Frame::of(&core.world(), "That did not work", None),
            message,
        }
    }
}

/// Who agrees that an app acts for them.
#[derive(Debug, Template)]
#[template(path = "authorize.html")]
pub(super) struct Authorize {
    frame: Frame,
    fields: BTreeMap<String, String>,
}

impl Authorize {
    pub(super) fn of(core: &Core, fields: BTreeMap<String, String>) -> Self {
        Self {
            frame: Frame::of(&core.world(), "Log in", None),
            fields,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "repos.html")]
pub(super) struct Repos {
    frame: Frame,
    repos: Vec<RepoRow>,
}

#[derive(Debug)]
struct RepoRow {
    name: String,
    open: usize,
    all: usize,
}

impl Repos {
    pub(super) fn of(core: &Core) -> Self {
        let world = core.world();
        let repos = world.repos().map(|repo| RepoRow {
            name: repo.full_name(),
            open: repo.pulls.values().filter(|pull| pull.is_open()).count(),
            all: repo.pulls.len(),
        });
        Self {
            frame: Frame::of(&world, "Repositories", None),
            repos: repos.collect(),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "repo.html")]
pub(super) struct Repository {
    frame: Frame,
    name: String,
    clone_url: String,
    pulls: Vec<PullRow>,
    branches: Vec<BranchRow>,
    default_branch: String,
    commits: Vec<CommitRow>,
    deliveries: Vec<DeliveryRow>,
    new_branch: String,
}

#[derive(Debug)]
struct PullRow {
    mark: Mark,
    number: PullNumber,
    title: String,
    author: String,
    comments: usize,
}

/// A branch with the checks of its tip.
#[derive(Debug)]
struct BranchRow {
    name: String,
    tip: CommitRow,
    checks: Vec<Check>,
}

#[derive(Debug)]
struct CommitRow {
    id: CommitId,
    short: String,
    subject: String,
    author: String,
    at: String,
}

#[derive(Debug)]
struct DeliveryRow {
    id: u64,
    mark: Mark,
    event: String,
    took: String,
    at: String,
}

/// A status or a check run.
#[derive(Debug)]
struct Check {
    mark: Mark,
    context: String,
    description: String,
    url: Option<String>,
}

impl Repository {
    pub(super) fn of(
        core: &Core,
        name: &str,
        visitor: Option<&Login>,
    ) -> Result<Self, PracticeError> {
        let disk = core.disk(name)?;
        let branches: Vec<(String, CommitId)> = core.read_repo(name, |repo| {
            let branches = repo.branches();
            branches.map(|(name, tip)| (name.to_owned(), tip)).collect()
        })?;
        let default_branch = core.read_repo(name, |repo| repo.default_branch.clone())?;
        let commits = match disk.tip(&format!("refs/heads/{default_branch}"))? {
            Some(tip) => rows(&disk, &disk.commits_between(None, tip, COMMITS_SHOWN)?)?,
            None => Vec::new(),
        };
        let tips: Result<Vec<_>, _> = branches
            .iter()
            .map(|(_, tip)| disk.commit(*tip).map(CommitRow::from))
            .collect();
        let tips = tips?;
        let world = core.world();
        let repo = world.repo(name).ok_or_else(|| unknown_repo(name))?;
        let places = branches.into_iter().zip(tips);
        Ok(Self {
            frame: Frame::of(&world, repo.full_name(), visitor),
            name: repo.full_name(),
            clone_url: format!("{}/{}.git", core.url, repo.full_name()),
            pulls: repo.pulls.values().rev().map(PullRow::from).collect(),
            branches: places
                .map(|((name, id), tip)| BranchRow {
                    name,
                    tip,
                    checks: checks(repo, id),
                })
                .collect(),
            default_branch,
            commits,
            deliveries: deliveries(&world, repo),
            new_branch: format!("change-{}", repo.pulls.len() + 1),
        })
    }
}

fn rows(disk: &Disk, ids: &[CommitId]) -> Result<Vec<CommitRow>, PracticeError> {
    ids.iter()
        .map(|id| disk.commit(*id).map(CommitRow::from))
        .collect()
}

impl From<GitCommit> for CommitRow {
    fn from(commit: GitCommit) -> Self {
        Self {
            id: commit.id,
            short: commit.id.short(),
            subject: commit.message.lines().next().unwrap_or_default().to_owned(),
            author: commit.author.name,
            at: moment(commit.author.at),
        }
    }
}

impl From<&Pull> for PullRow {
    fn from(pull: &Pull) -> Self {
        Self {
            mark: marks::of_pull(pull),
            number: pull.number,
            title: pull.title.clone(),
            author: pull.author.to_string(),
            comments: pull.comments.len(),
        }
    }
}

fn deliveries(world: &World, repo: &Repo) -> Vec<DeliveryRow> {
    let ours = world.deliveries.iter().rev();
    ours.filter(|sent| repo.hooks.iter().any(|hook| hook.id == sent.hook))
        .take(DELIVERIES_SHOWN)
        .map(|sent| DeliveryRow {
            id: sent.id,
            mark: marks::of_delivery(&sent.outcome),
            event: match &sent.action {
                Some(action) => format!("{} {action}", sent.event),
                None => sent.event.clone(),
            },
            took: format!("{} ms,", sent.took_ms),
            at: moment(sent.at),
        })
        .collect()
}

/// The newest status of each context, then the check runs.
fn checks(repo: &Repo, commit: CommitId) -> Vec<Check> {
    let statuses = repo.latest_statuses(commit);
    let statuses = statuses.into_iter().map(|status| Check {
        mark: marks::of_status(status.state),
        context: status.context.clone(),
        description: status.description.clone().unwrap_or_default(),
        url: status.target_url.clone().filter(|url| is_web(url)),
    });
    let runs = repo.check_runs.iter().filter(|run| run.commit == commit);
    let runs = runs.map(|run| Check {
        mark: marks::of_check_run(run),
        context: run.name.clone(),
        description: String::new(),
        url: None,
    });
    statuses.chain(runs).collect()
}

fn is_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

#[derive(Debug, Template)]
#[template(path = "pull.html")]
pub(super) struct PullPage {
    frame: Frame,
    repo: String,
    /// The page's own path.
    path: String,
    number: PullNumber,
    title: String,
    author: String,
    mark: Mark,
    merging: Option<Mark>,
    labels: Vec<String>,
    head_ref: String,
    head: String,
    head_id: CommitId,
    base_ref: String,
    body: String,
    talk: Vec<Said>,
    comments: Vec<Written>,
    checks: Vec<Check>,
    places: Vec<BranchRow>,
    commits: Vec<CommitRow>,
    file: File,
    prepared: Option<String>,
    example: String,
}

/// The description, a comment, a review.
#[derive(Debug)]
struct Said {
    anchor: String,
    author: String,
    what: &'static str,
    at: String,
    when: Timestamp,
    html: String,
}

/// A comment that can be written anew.
#[derive(Debug)]
struct Written {
    id: u64,
    author: String,
    beginning: String,
}

impl From<&Comment> for Written {
    fn from(comment: &Comment) -> Self {
        let line = comment.body.lines().next().unwrap_or_default();
        Self {
            id: comment.id,
            author: comment.author.to_string(),
            beginning: line.chars().take(BEGINNING_CHARS).collect(),
        }
    }
}

/// What the form for a push begins with.
#[derive(Debug)]
struct File {
    path: String,
    content: String,
}

impl PullPage {
    pub(super) fn of(
        core: &Core,
        repo: &str,
        number: PullNumber,
        visitor: Option<&Login>,
    ) -> Result<Self, PracticeError> {
        core.test_merge(repo, number)?;
        let pull = core
            .pull(repo, number)
            .ok_or_else(|| unknown_pull(number))?;
        let disk = core.disk(repo)?;
        let ids = disk.commits_between(Some(pull.base), pull.head, PULL_COMMITS_SHOWN)?;
        let commits = rows(&disk, &ids)?;
        let file = File::of(&disk, &pull)?;
        let places = places(&disk)?;
        let world = core.world();
        let found = world.repo(repo).ok_or_else(|| unknown_repo(repo))?;
        let title = format!("{} #{number}", pull.title);
        Ok(Self {
            frame: Frame::of(&world, title, visitor),
            path: format!("/{}/pull/{number}", found.full_name()),
            repo: found.full_name(),
            number,
            author: pull.author.to_string(),
            mark: marks::of_pull(&pull),
            merging: marks::of_merging(&pull),
            head_ref: head_ref(found, &pull),
            head: pull.head.short(),
            head_id: pull.head,
            talk: talk(&pull),
            comments: pull.comments.iter().rev().map(Written::from).collect(),
            checks: checks(found, pull.head),
            places: places
                .into_iter()
                .map(|(name, tip)| BranchRow {
                    name,
                    checks: checks(found, tip.id),
                    tip,
                })
                .collect(),
            commits,
            file,
            prepared: pull
                .prepared
                .filter(|_| matches!(pull.stage, crate::world::Stage::Open))
                .map(|push| push.message),
            example: example(&world),
            title: pull.title,
            body: pull.body,
            labels: pull.labels,
            base_ref: pull.base_branch,
        })
    }
}

impl File {
    /// The first file that the pull changes, as it is at its head.
    fn of(disk: &Disk, pull: &Pull) -> Result<Self, PracticeError> {
        let fork = disk.merge_base(pull.base, pull.head)?;
        for file in disk.diff(fork, pull.head)? {
            if let Some(content) = disk.file(pull.head, &file.path)? {
                return Ok(Self {
                    path: file.path,
                    content,
                });
            }
        }
        Ok(Self {
            path: "note.md".to_owned(),
            content: "A note.\n".to_owned(),
        })
    }
}

fn places(disk: &Disk) -> Result<Vec<(String, CommitRow)>, PracticeError> {
    let mut places = Vec::new();
    for name in TEST_BRANCHES {
        if let Some(tip) = disk.tip(&format!("refs/heads/{name}"))? {
            places.push((name.to_owned(), disk.commit(tip)?.into()));
        }
    }
    Ok(places)
}

fn head_ref(repo: &Repo, pull: &Pull) -> String {
    match pull.head_repo.split_once('/') {
        Some((owner, _)) if !pull.head_repo.eq_ignore_ascii_case(&repo.full_name()) => {
            format!("{owner}:{}", pull.head_branch)
        }
        Some(_) | None => pull.head_branch.clone(),
    }
}

/// What one might say to the bot, which is somebody with a token.
fn example(world: &World) -> String {
    let bot = world.tokens.values().next();
    bot.map_or_else(String::new, |bot| format!("@{bot} r+"))
}

/// All that was said, in the order in which it was.
fn talk(pull: &Pull) -> Vec<Said> {
    let said = |anchor: String, author: &Login, what, when, body: &str| Said {
        anchor,
        author: author.to_string(),
        what,
        at: moment(when),
        when,
        html: markdown::render(body),
    };
    let comments = pull.comments.iter().map(|comment| {
        let anchor = format!("issuecomment-{}", comment.id);
        said(
            anchor,
            &comment.author,
            "commented",
            comment.created_at,
            &comment.body,
        )
    });
    let reviews = pull.reviews.iter().map(|review| {
        let anchor = format!("pullrequestreview-{}", review.id);
        said(anchor, &review.author, "reviewed", review.at, &review.body)
    });
    let lines = pull.review_comments.iter().map(|line| {
        let anchor = format!("discussion_r{}", line.id);
        said(
            anchor,
            &line.author,
            "commented on a line",
            line.at,
            &line.body,
        )
    });
    let mut rest: Vec<Said> = comments.chain(reviews).chain(lines).collect();
    rest.sort_by_key(|said| said.when);
    let opening = said(
        "description".to_owned(),
        &pull.author,
        "opened this",
        pull.created_at,
        &pull.body,
    );
    std::iter::once(opening).chain(rest).collect()
}

fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}
