//! `GET /api/v1/queue/LABEL`: a queue as JSON.

use actix_web::web;
use serde::Serialize;

use super::Site;
use super::error::WebError;
use super::pages::look;
use super::view::{not_needed, passed, purpose, tests};
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber, RepoLabel, RunId};
use paprq_core::notes;
use paprq_core::queue::pull::{Pull, Status};
use paprq_core::queue::pull_test::PullTestStage;
use paprq_core::queue::run::{Ending, Run};
use paprq_core::queue::{Blockers, JobWords, Queue, Tree};

/// A queue.
#[derive(Debug, Serialize)]
pub(super) struct QueueAnswer {
    repo: RepoLabel,
    /// The priority below which pulls are held back; null if none are.
    treeclosed: Option<i64>,
    pulls: Vec<PullAnswer>,
    /// The tests of pulls and branches that are under way, youngest first.
    tests: Vec<TestAnswer>,
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
    held_by: Option<Login>,
    labels: Vec<String>,
    pull_test: PullTestAnswer,
}

/// The test of a pull that is made whether it is approved or not.
#[derive(Debug, Serialize)]
struct PullTestAnswer {
    status: PullTestStatus,
    /// The latest run of it.
    run: Option<RunId>,
}

/// How a pull request test stands.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum PullTestStatus {
    None,
    Skipped,
    Asking,
    WaitsForOk,
    Pending,
    Success,
    Failure,
    Error,
}

/// A test of a pull or a branch that is under way.
#[derive(Debug, Serialize)]
struct TestAnswer {
    run: RunId,
    /// `pull` or `branch`.
    kind: &'static str,
    /// Null for a branch.
    pull: Option<PullNumber>,
    /// The pull's base, or the branch itself.
    branch: BranchName,
    /// The commit that people know: the pull's head, or the branch's tip.
    commit: Option<CommitId>,
    passed: usize,
    /// No path that they are about was changed.
    not_needed: usize,
    suites: usize,
}

/// `GET /api/v1/queue/LABEL`.
pub(super) async fn queue(
    site: web::Data<Site>,
    label: web::Path<RepoLabel>,
) -> Result<web::Json<QueueAnswer>, WebError> {
    let repo = site.engine.repo(&label).ok_or(WebError::NoRepo)?;
    let label = label.into_inner();
    let jobs = repo.job_words().await;
    look(repo, move |queue| answer(label, queue, jobs))
        .await
        .map(web::Json)
}

fn answer(repo: RepoLabel, queue: &Queue, jobs: JobWords) -> QueueAnswer {
    let queued: std::collections::HashMap<_, _> = queue
        .queued()
        .into_iter()
        .enumerate()
        .map(|(index, pull)| (pull.number(), index + 1))
        .collect();
    let pulls = queue.in_order().into_iter();
    let blockers = queue.blockers().with_jobs(jobs);
    QueueAnswer {
        repo,
        treeclosed: match queue.state().tree.value {
            Tree::Open => None,
            Tree::Closed { below, .. } => Some(below),
        },
        pulls: pulls
            .map(|pull| PullAnswer {
                position: queued.get(&pull.number()).copied(),
                ..PullAnswer::new(queue, pull, &blockers)
            })
            .collect(),
        tests: tests(queue).into_iter().map(TestAnswer::new).collect(),
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
            held_by: pull.hold.value.clone(),
            labels: pull.facts.labels.clone(),
            pull_test: PullTestAnswer {
                status: own_status(&pull.own.stage),
                run: pull.own.last_run,
            },
        }
    }
}

fn own_status(stage: &PullTestStage) -> PullTestStatus {
    match stage {
        PullTestStage::Idle => PullTestStatus::None,
        PullTestStage::Skipped => PullTestStatus::Skipped,
        PullTestStage::Asking { .. } => PullTestStatus::Asking,
        PullTestStage::Untrusted => PullTestStatus::WaitsForOk,
        PullTestStage::Wanted { .. } | PullTestStage::Running { .. } => PullTestStatus::Pending,
        PullTestStage::Ended { ending, .. } => match ending {
            Ending::Succeeded => PullTestStatus::Success,
            Ending::Failed | Ending::TimedOut => PullTestStatus::Failure,
            Ending::Conflicted | Ending::Broken | Ending::Cancelled => PullTestStatus::Error,
        },
    }
}

impl TestAnswer {
    fn new(run: &Run) -> Self {
        Self {
            run: run.id,
            kind: purpose(run.purpose),
            pull: run.members.first().map(|member| member.pull),
            branch: run.base.clone(),
            commit: run.identity(),
            passed: passed(run),
            not_needed: not_needed(run),
            suites: run.checks.len(),
        }
    }
}
