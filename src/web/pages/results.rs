//! `/results/LABEL/NUMBER`: what each builder said of a pull, as Homu lists it.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, pull, render};
use crate::ids::{PullNumber, RepoLabel};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{Forge, PullView, RunView};

#[derive(Template)]
#[template(path = "results.html")]
struct Results {
    frame: Frame,
    label: RepoLabel,
    pull: PullView,
    /// The latest run.
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
    let latest = site.engine.store().runs_of_pull(&label, number, 1).await;
    let latest =
        latest.map_err(|error| WebError::unavailable("read a pull's latest run", &error))?;
    render(&Results {
        frame: Frame::new(&site, format!("Build results of #{number}"))
            .following(format!("queue={label}")),
        label,
        pull,
        run: latest.first().map(|run| RunView::new(run, &forge)),
    })
}
