//! `/job/ID`: one job, its attempts, and the log of one of them.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Frame, render};
use crate::web::error::WebError;
use crate::web::job_log::{self, Tail};
use crate::web::view::{FileView, JobView};
use crate::web::{Site, artifacts};
use paprq_core::ids::JobId;
use paprq_core::jobs::Attempt;

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    job: JobView,
    attempt: Attempt,
    log: Tail,
    /// The first of the files that the attempt left.
    files: Vec<FileView>,
    /// Where all of them are listed.
    all_files: String,
    /// Whether nothing is added to the log any more.
    complete: bool,
}

/// How many files the page lists.
const FILES_MAX: usize = 50;

/// Which attempt's log; the latest where none is named.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct AttemptQuery {
    attempt: Option<u32>,
}

/// `GET /job/ID?attempt=N`.
pub(super) async fn page(
    site: web::Data<Site>,
    id: web::Path<u64>,
    wanted: web::Query<AttemptQuery>,
) -> Result<HttpResponse, WebError> {
    let job = job_log::find(&site.engine, JobId(*id)).await?;
    let attempt = job_log::attempt(&job, wanted.attempt);
    let attempt = attempt.unwrap_or_else(|_| job_log::first(&job));
    let status = site.engine.jobs().status(job.id).await;
    let view = JobView::new(&job).status(status);
    let files = artifacts::of(&site, attempt).await?;
    let files = files.iter().take(FILES_MAX).map(|file| {
        let path = file.path.as_str();
        FileView::new(
            path,
            Some(file.bytes),
            artifacts::address(&site, attempt, path),
        )
    });
    render(&JobPage {
        frame: Frame::new(&site, format!("{} (job {})", view.name, job.id))
            .following(format!("job={}", job.id)),
        log: job_log::tail(&site.engine, &job, attempt).await?,
        complete: job_log::is_complete(&job, attempt.number),
        files: files.collect(),
        all_files: artifacts::address(&site, attempt, ""),
        job: view,
        attempt,
    })
}
