//! A queue, as pages show it.

use std::cmp::Reverse;

use super::{Forge, Link, PullView, name};
use crate::engine::Repo;
use crate::ids::RepoLabel;
use crate::queue::pull::Pull;
use crate::queue::{Queue, Tree};

/// How many pulls that are not queued a page lists.
pub(in crate::web) const PAGE: usize = 100;

/// How many pulls that were merged or closed lately a page lists.
const RECENT: usize = 10;

/// One repository in the list of all.
#[derive(Clone, Debug)]
pub(in crate::web) struct RepoLine {
    pub(in crate::web) label: RepoLabel,
    pub(in crate::web) github: Link,
    pub(in crate::web) queued: usize,
    pub(in crate::web) running: usize,
    pub(in crate::web) open: usize,
    pub(in crate::web) tree: Option<TreeView>,
    pub(in crate::web) alive: bool,
}

/// That a tree is closed.
#[derive(Clone, Debug)]
pub(in crate::web) struct TreeView {
    pub(in crate::web) below: i64,
    pub(in crate::web) by: Link,
    /// The comment that closed it.
    pub(in crate::web) source: Option<String>,
}

/// A queue.
#[derive(Clone, Debug)]
pub(in crate::web) struct QueueView {
    pub(in crate::web) label: RepoLabel,
    pub(in crate::web) github: Link,
    pub(in crate::web) tree: Option<TreeView>,
    /// What runs or waits, in order.
    pub(in crate::web) queued: Vec<PullView>,
    /// One page of the other open pulls, in order.
    pub(in crate::web) others: Vec<PullView>,
    /// How many other open pulls there are.
    pub(in crate::web) others_count: usize,
    /// Merged or closed lately, youngest first.
    pub(in crate::web) recent: Vec<PullView>,
}

impl RepoLine {
    pub(in crate::web) fn new(repo: &Repo) -> Self {
        let forge = Forge::new(repo.links());
        let (label, alive) = (repo.label().clone(), repo.is_running());
        repo.look(|queue| Self {
            label,
            github: forge.repo(),
            queued: queue.queued().len(),
            running: queue.runs_in_flight().count(),
            open: queue.pulls().filter(|pull| pull.is_open()).count(),
            tree: TreeView::of(queue, &forge),
            alive,
        })
    }
}

impl TreeView {
    fn of(queue: &Queue, forge: &Forge) -> Option<Self> {
        match &queue.desk().tree.value {
            Tree::Open => None,
            Tree::Closed { below, by, source } => Some(Self {
                below: *below,
                by: forge.user(by),
                source: crate::notes::url(source),
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
        Self {
            label,
            github: forge.repo(),
            tree: TreeView::of(queue, forge),
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

fn recent(queue: &Queue) -> Vec<&Pull> {
    let mut closed: Vec<_> = queue.pulls().filter(|pull| !pull.is_open()).collect();
    closed.sort_by_key(|pull| Reverse(pull.facts.updated_at));
    closed.truncate(RECENT);
    closed
}
