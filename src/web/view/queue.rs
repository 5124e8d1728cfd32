//! A queue, as pages show it.

use std::cmp::Reverse;

use super::{
    Badge, Forge, Link, Moment, PullView, TITLE_CHARS_MAX, name, not_needed, passed, purpose,
};
use crate::engine::Repo;
use paprq_core::ids::{PullNumber, RepoLabel, RunId};
use paprq_core::notes;
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::Run;
use paprq_core::queue::{Queue, Tree};

/// How many pulls that are not queued a page lists.
pub(in crate::web) const PAGE: usize = 100;

/// How many pulls that were merged or closed lately a page lists.
const RECENT: usize = 10;

/// How many tests of pulls and branches a page lists.
const TESTS: usize = 20;

/// One repository in the list of all.
#[derive(Clone, Debug)]
pub(in crate::web) struct RepoLine {
    pub(in crate::web) label: RepoLabel,
    pub(in crate::web) github: Link,
    pub(in crate::web) queued: usize,
    /// Merges and tries under way.
    pub(in crate::web) running: usize,
    /// Tests of pulls and branches under way.
    pub(in crate::web) tests: usize,
    pub(in crate::web) open: usize,
    pub(in crate::web) tree: Option<TreeView>,
    pub(in crate::web) alive: bool,
    /// What there is to know of it as a whole.
    pub(in crate::web) notices: Vec<String>,
}

/// That a tree is closed.
#[derive(Clone, Debug)]
pub(in crate::web) struct TreeView {
    pub(in crate::web) below: i64,
    pub(in crate::web) by: Option<Link>,
    /// The comment that closed it.
    pub(in crate::web) source: Option<String>,
}

/// A queue.
#[derive(Clone, Debug)]
pub(in crate::web) struct QueueView {
    pub(in crate::web) label: RepoLabel,
    pub(in crate::web) github: Link,
    /// What there is to know of the repository as a whole.
    pub(in crate::web) notices: Vec<String>,
    pub(in crate::web) tree: Option<TreeView>,
    /// What runs or waits, in order.
    pub(in crate::web) queued: Vec<PullView>,
    /// Tests of pulls and branches under way, youngest first; not all, where there are many.
    pub(in crate::web) tests: Vec<TestLine>,
    /// How many there are.
    pub(in crate::web) tests_count: usize,
    /// One page of the other open pulls, in order.
    pub(in crate::web) others: Vec<PullView>,
    /// How many other open pulls there are.
    pub(in crate::web) others_count: usize,
    /// Merged or closed lately, youngest first.
    pub(in crate::web) recent: Vec<PullView>,
}

/// A test of a pull or a branch that is under way.
#[derive(Clone, Debug)]
pub(in crate::web) struct TestLine {
    pub(in crate::web) run: RunId,
    pub(in crate::web) purpose: &'static str,
    pub(in crate::web) badge: Badge,
    pub(in crate::web) pull: Option<PullNumber>,
    /// What the pull or the branch is called.
    pub(in crate::web) title: String,
    pub(in crate::web) passed: usize,
    pub(in crate::web) not_needed: usize,
    /// How many are needed.
    pub(in crate::web) needed: usize,
    pub(in crate::web) began: Moment,
}

impl RepoLine {
    pub(in crate::web) fn new(repo: &Repo) -> Self {
        let forge = Forge::new(repo.links());
        let (label, alive) = (repo.label().clone(), repo.is_running());
        let notices = notices(repo);
        repo.look(|queue| Self {
            label,
            github: forge.repo(),
            queued: queue.queued().len(),
            running: queue
                .runs_in_flight()
                .filter(|run| run.purpose.is_queued())
                .count(),
            tests: tests(queue).len(),
            open: queue.pulls().filter(|pull| pull.is_open()).count(),
            tree: TreeView::of(queue, &forge),
            alive,
            notices,
        })
    }
}

/// What there is to know of a repository as a whole.
pub(in crate::web) fn notices(repo: &Repo) -> Vec<String> {
    let renamed = repo
        .new_name()
        .map(|now| notes::renamed(repo.label().as_str(), now.owner(), now.name()));
    let reading = repo
        .reading()
        .map(|reading| notes::reading(reading.done, reading.total));
    renamed.into_iter().chain(reading).collect()
}

impl TreeView {
    fn of(queue: &Queue, forge: &Forge) -> Option<Self> {
        match &queue.state().tree.value {
            Tree::Open => None,
            Tree::Closed { below, by, source } => Some(Self {
                below: *below,
                by: by.as_ref().map(|by| forge.user(by)),
                source: notes::url(source),
            }),
        }
    }
}

impl QueueView {
    /// What `page` (from 1) shows.
    pub(in crate::web) fn new(queue: &Queue, label: RepoLabel, forge: &Forge, page: usize) -> Self {
        let queued = queue.queued();
        let order = queue.in_order();
        let places: std::collections::HashSet<_> =
            queued.iter().map(|pull| pull.number()).collect();
        let blockers = queue.blockers();
        let is_other = |pull: &&&Pull| !places.contains(&pull.number());
        let others = order.iter().filter(is_other);
        let skipped = page.saturating_sub(1).saturating_mul(PAGE);
        let tests = tests(queue);
        Self {
            label,
            github: forge.repo(),
            notices: Vec::new(),
            tree: TreeView::of(queue, forge),
            tests_count: tests.len(),
            tests: tests
                .iter()
                .take(TESTS)
                .map(|run| TestLine::new(queue, run))
                .collect(),
            others_count: order.len() - queued.len(),
            others: others
                .skip(skipped)
                .take(PAGE)
                .map(|pull| PullView::of_queue(queue, pull, &blockers, forge))
                .collect(),
            queued: queued
                .iter()
                .enumerate()
                .map(|(index, pull)| PullView {
                    position: Some(index + 1),
                    ..PullView::of_queue(queue, pull, &blockers, forge)
                })
                .collect(),
            recent: recent(queue)
                .into_iter()
                .map(|pull| PullView::bare(pull, forge))
                .collect(),
        }
    }

    /// How many pages there are.
    pub(in crate::web) fn pages(&self) -> usize {
        self.others_count.div_ceil(PAGE).max(1)
    }

    /// The label as it is read.
    pub(in crate::web) fn title(&self) -> String {
        name(self.label.as_str())
    }
}

impl TestLine {
    fn new(queue: &Queue, run: &Run) -> Self {
        let pull = run.members.first().map(|member| member.pull);
        let known = pull.and_then(|number| queue.pull(number));
        Self {
            run: run.id,
            purpose: purpose(run.purpose),
            badge: Badge::of_run(run),
            pull,
            title: match known {
                Some(pull) => notes::plain(&pull.facts.title, TITLE_CHARS_MAX),
                None => name(run.base.as_str()),
            },
            passed: passed(run),
            not_needed: not_needed(run),
            needed: run.checks.len() - not_needed(run),
            began: Moment(run.began_at),
        }
    }
}

/// Tests of pulls and branches that are under way, youngest first. Whether a branch's commit has
/// suites for it is known only once they are read: most have none.
pub(in crate::web) fn tests(queue: &Queue) -> Vec<&Run> {
    let is_listed = |run: &&Run| {
        let is_known = !run.members.is_empty() || !run.checks.is_empty();
        !run.purpose.is_queued() && is_known
    };
    let mut tests: Vec<_> = queue.runs_in_flight().filter(is_listed).collect();
    tests.sort_by_key(|run| Reverse(run.id));
    tests
}

fn recent(queue: &Queue) -> Vec<&Pull> {
    let mut closed: Vec<_> = queue.pulls().filter(|pull| !pull.is_open()).collect();
    closed.sort_by_key(|pull| Reverse(pull.facts.updated_at));
    closed.truncate(RECENT);
    closed
}
