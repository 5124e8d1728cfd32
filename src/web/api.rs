//! `GET /api/v1/queue/LABEL`: a queue as JSON.

use actix_web::web;
use serde::Serialize;

use super::Site;
use super::error::WebError;
use super::pages::look;
use crate::ids::{BranchName, CommitId, Login, PullNumber, RepoLabel, RunId};
use crate::notes;
use crate::queue::pull::{Pull, Status};
use crate::queue::{Blockers, Queue, Tree};

/// A queue.
#[derive(Debug, Serialize)]
pub(super) struct QueueAnswer {
    repo: RepoLabel,
    /// The priority below which pulls are held back; null if none are.
    treeclosed: Option<i64>,
    pulls: Vec<PullAnswer>,
}

/// An open pull, in the queue's order.
#[derive(Debug, Serialize)]
struct PullAnswer {
    number: PullNumber,
    status: Status,
    approved_by: Option<Login>,
    approved_sha: Option<CommitId>,
    head_sha: CommitId,
    base_ref: BranchName,
    priority: i64,
    rollup: i8,
    mergeable: Option<bool>,
    /// 1 for what runs or is next; null if it is not queued.
    position: Option<usize>,
    why: Vec<String>,
    run: Option<RunId>,
}

/// `GET /api/v1/queue/LABEL`.
pub(super) async fn queue(
    site: web::Data<Site>,
    label: web::Path<RepoLabel>,
) -> Result<web::Json<QueueAnswer>, WebError> {
    let repo = site.engine.repo(&label).ok_or(WebError::NoRepo)?;
    let label = label.into_inner();
    look(repo, move |queue| answer(label, queue))
        .await
        .map(web::Json)
}

fn answer(repo: RepoLabel, queue: &Queue) -> QueueAnswer {
    let queued: std::collections::HashMap<_, _> = queue
        .queued()
        .into_iter()
        .enumerate()
        .map(|(index, pull)| (pull.number(), index + 1))
        .collect();
    let pulls = queue.in_order().into_iter();
    let blockers = queue.blockers();
    QueueAnswer {
        repo,
        treeclosed: match queue.desk().tree.value {
            Tree::Open => None,
            Tree::Closed { below, .. } => Some(below),
        },
        pulls: pulls
            .map(|pull| PullAnswer {
                position: queued.get(&pull.number()).copied(),
                ..PullAnswer::new(queue, pull, &blockers)
            })
            .collect(),
    }
}

impl PullAnswer {
    fn new(queue: &Queue, pull: &Pull, blockers: &Blockers) -> Self {
        let approval = pull.standing_approval();
        let why = queue.why_behind(pull.number(), blockers);
        Self {
            number: pull.number(),
            status: pull.status(),
            approved_by: approval.map(|approval| approval.approver.clone()),
            approved_sha: approval.map(|approval| approval.commit),
            head_sha: pull.facts.head,
            base_ref: pull.facts.base.clone(),
            priority: pull.priority.value,
            rollup: pull.rollup.value,
            mergeable: pull.facts.mergeable,
            position: None,
            why: why.iter().map(notes::reason).collect(),
            run: pull.last_run,
        }
    }
}
