//! `/job/ID`: one job, its attempts, and the log of one of them.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{Frame, render};
use crate::ids::JobId;
use crate::jobs::Attempt;
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::job_log::{self, Tail};
use crate::web::view::JobView;

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    frame: Frame,
    job: JobView,
    attempt: Attempt,
    log: Tail,
    /// Whether nothing is added to the log any more.
    complete: bool,
}

/// Which attempt's log; the latest where none is named.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Wanted {
    attempt: Option<u32>,
}

/// `GET /job/ID?attempt=N`.
pub(super) async fn page(
    site: web::Data<Site>,
    id: web::Path<u64>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, WebError> {
    let job = job_log::find(&site.engine, JobId(*id)).await?;
    let attempt = job_log::attempt(&job, wanted.attempt);
    let attempt = attempt.unwrap_or_else(|_| job_log::first(&job));
    let view = JobView::new(&job);
    render(&JobPage {
        frame: Frame::new(&site, format!("{} (job {})", view.name, job.id))
            .following(format!("job={}", job.id)),
        log: job_log::tail(&site.engine, &job, attempt).await?,
        complete: job_log::is_complete(&job, attempt.number),
        job: view,
        attempt,
    })
}
