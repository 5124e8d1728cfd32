//! `/workers`: who executes what.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, render};
use crate::engine::LOCAL_TOKEN_NAME;
use crate::jobs::{Job, JobState};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{JobView, worker};

#[derive(Template)]
#[template(path = "workers.html")]
struct Workers {
    frame: Frame,
    local: u32,
    tokens: Vec<String>,
    busy: Vec<(String, Vec<JobView>)>,
    waiting: Vec<JobView>,
}

/// `GET /workers`.
pub(super) async fn page(site: web::Data<Site>) -> Result<HttpResponse, WebError> {
    let jobs = site.engine.jobs().open_jobs().await;
    let config = &site.engine.config().worker;
    let waiting = jobs.iter().filter(|job| job.state == JobState::Waiting);
    render(&Workers {
        frame: Frame::new(&site, "Workers".to_owned()).following("workers=all".to_owned()),
        local: config.local,
        tokens: config
            .tokens
            .keys()
            .filter(|name| *name != LOCAL_TOKEN_NAME)
            .cloned()
            .collect(),
        waiting: waiting.map(JobView::new).collect(),
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
