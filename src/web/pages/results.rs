//! `/results/LABEL/NUMBER`: what each builder said of a pull, as Homu lists it.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, pull, render};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{Forge, PullView, RunView};
use paprq_core::ids::{PullNumber, RepoLabel};

/// Among how many of a pull's latest runs that of its merge is looked for.
const RUNS: u32 = 20;

#[derive(Template)]
#[template(path = "results.html")]
struct Results {
    frame: Frame,
    label: RepoLabel,
    pull: PullView,
    /// The latest run of its merge, or else of its pull request test.
    run: Option<RunView>,
}

/// `GET /results/LABEL/NUMBER`.
pub(super) async fn page(
    site: web::Data<Site>,
    place: web::Path<(RepoLabel, u64)>,
) -> Result<HttpResponse, WebError> {
    let (label, number) = place.into_inner();
    let number = PullNumber(number);
    let repo = site.engine.repo(&label).ok_or(WebError::NoPage)?;
    let forge = Forge::new(repo.links());
    let pull = pull::find(&site, repo, number, &forge).await?;
    let runs = site.engine.store().runs_of_pull(&label, number, RUNS).await;
    let runs = runs.map_err(|error| WebError::unavailable("read a pull's latest run", &error))?;
    let of_merge = runs.iter().find(|run| run.purpose.is_queued());
    render(&Results {
        frame: Frame::new(&site, format!("Build results of #{number}"))
            .following(format!("queue={label}")),
        label,
        pull,
        run: of_merge
            .or(runs.first())
            .map(|run| RunView::new(run, &forge)),
    })
}
