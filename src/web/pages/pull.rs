//! `/pull/LABEL/NUMBER`: one pull and its runs.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, render};
use crate::engine::Repo;
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{Forge, PullView, RunView};
use paprq_core::ids::{PullNumber, RepoLabel};

/// How many runs are listed.
const RUNS: u32 = 50;

#[derive(Template)]
#[template(path = "pull.html")]
struct PullPage {
    frame: Frame,
    label: RepoLabel,
    repo: String,
    pull: PullView,
    /// The latest run of its pull request test.
    own: Option<RunView>,
    runs: Vec<RunView>,
}

/// `GET /pull/LABEL/NUMBER`.
pub(super) async fn page(
    site: web::Data<Site>,
    place: web::Path<(RepoLabel, u64)>,
) -> Result<HttpResponse, WebError> {
    let (label, number) = place.into_inner();
    let number = PullNumber(number);
    let repo = site.engine.repo(&label).ok_or(WebError::NoPage)?;
    let forge = Forge::new(repo.links());
    let pull = find(&site, repo, number, &forge).await?;
    let store = site.engine.store();
    let runs = store.runs_of_pull(&label, number, RUNS).await;
    let runs = runs.map_err(|error| WebError::unavailable("read the runs of a pull", &error))?;
    let runs: Vec<_> = runs.iter().map(|run| RunView::new(run, &forge)).collect();
    render(&PullPage {
        frame: Frame::new(&site, format!("#{number} {}", pull.title))
            .following(format!("queue={label}")),
        repo: forge.repo().text,
        own: runs
            .iter()
            .find(|run| Some(run.id) == pull.own.run)
            .cloned(),
        label,
        pull,
        runs,
    })
}

/// A pull, from the queue or, where that has forgotten it, from the database.
pub(super) async fn find(
    site: &Site,
    repo: &Repo,
    number: PullNumber,
    forge: &Forge,
) -> Result<PullView, WebError> {
    let jobs = repo.job_words().await;
    let known = repo.look(|queue| {
        let pull = queue.pull(number)?;
        let blockers = queue.blockers().with_jobs(jobs);
        Some(PullView {
            position: queue.position(number),
            ..PullView::of_queue(queue, pull, &blockers, forge)
        })
    });
    if let Some(pull) = known {
        return Ok(pull);
    }
    let stored = site.engine.store().pull(repo.label(), number).await;
    let stored = stored.map_err(|error| WebError::unavailable("read a pull", &error))?;
    let pull = stored.ok_or(WebError::NoPage)?;
    Ok(PullView::bare(&pull, forge))
}
