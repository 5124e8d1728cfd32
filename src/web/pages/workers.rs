//! `/workers`: who executes what.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, render};
use crate::engine::{KnownWorker, LOCAL_TOKEN_NAME};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{JobView, Moment, name, worker};
use paprq_core::jobs::{Executor, Job, JobState, Sickness};
use paprq_core::notes::plain;

/// How many waiting jobs are shown.
const WAITING_SHOWN: usize = 200;

/// How much is shown of a worker's reason for a pause, in characters.
const REASON_CHARS_MAX: usize = 200;

#[derive(Template)]
#[template(path = "workers.html")]
struct Workers {
    frame: Frame,
    local: u32,
    tokens: Vec<String>,
    busy: Vec<(String, Vec<JobView>)>,
    /// The oldest of those that wait.
    waiting: Vec<JobView>,
    waiting_count: usize,
    known: Vec<WorkerView>,
}

/// A worker that is there.
struct WorkerView {
    name: String,
    executors: String,
    labels: String,
    /// What it cannot begin now, since when, and why.
    sick: Vec<(&'static str, Moment, String)>,
    used: u32,
    slots: u32,
    seen: Moment,
}

impl WorkerView {
    fn new(known: &KnownWorker) -> Self {
        let executors = known.offer.executors.iter().map(|kind| kind.word());
        let labels = known.offer.labels.iter().map(|label| name(label));
        Self {
            name: worker(&known.key),
            executors: executors.collect::<Vec<_>>().join(", "),
            labels: labels.collect::<Vec<_>>().join(", "),
            sick: known.offer.sick.iter().map(sick).collect(),
            used: known.slots_used,
            slots: known.offer.slots,
            seen: Moment(known.offer.seen_at),
        }
    }
}

fn sick((executor, sickness): (&Executor, &Sickness)) -> (&'static str, Moment, String) {
    let reason = plain(&sickness.reason, REASON_CHARS_MAX);
    (executor.word(), Moment(sickness.since), reason)
}

/// `GET /workers`.
pub(super) async fn page(site: web::Data<Site>) -> Result<HttpResponse, WebError> {
    let service = site.engine.jobs();
    let jobs = service.open_jobs().await;
    let mut waiting = Vec::new();
    let is_waiting = |job: &&Job| job.state == JobState::Waiting;
    for job in jobs.iter().filter(is_waiting).take(WAITING_SHOWN) {
        waiting.push(JobView::new(job).status(service.status(job.id).await));
    }
    let config = &site.engine.config().worker;
    render(&Workers {
        frame: Frame::new(&site, "Workers".to_owned()).following("workers=all".to_owned()),
        local: config.local,
        tokens: config
            .tokens
            .keys()
            .filter(|name| *name != LOCAL_TOKEN_NAME)
            .cloned()
            .collect(),
        waiting,
        waiting_count: jobs.iter().filter(is_waiting).count(),
        known: service
            .workers()
            .await
            .iter()
            .map(WorkerView::new)
            .collect(),
        busy: by_worker(&jobs),
    })
}

fn by_worker(jobs: &[Job]) -> Vec<(String, Vec<JobView>)> {
    let mut busy: BTreeMap<String, Vec<JobView>> = BTreeMap::new();
    for job in jobs {
        if let JobState::Leased { worker: key, .. } = &job.state {
            busy.entry(worker(key)).or_default().push(JobView::new(job));
        }
    }
    busy.into_iter().collect()
}
