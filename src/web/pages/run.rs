//! `/run/ID`: one run, its checks and jobs. The commit status `required` leads here.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, pull_title, render};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{Forge, JobView, Link, MemberView, RunView};
use paprq_core::ids::{RepoLabel, RunId};

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    frame: Frame,
    label: RepoLabel,
    repo: Link,
    run: RunView,
    /// Each with its title.
    members: Vec<(MemberView, String)>,
    jobs: Vec<JobView>,
}

/// `GET /run/ID`.
pub(super) async fn page(
    site: web::Data<Site>,
    id: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let id = RunId(*id);
    let store = site.engine.store();
    let unreadable = |error| WebError::unavailable("read a run", &error);
    let stored = store.run(id).await.map_err(unreadable)?;
    let stored = stored.ok_or(WebError::NoPage)?;
    let repo = site.engine.repo(&stored.repo).ok_or(WebError::NoPage)?;
    let jobs = store.jobs_of_run(id).await.map_err(unreadable)?;
    let forge = Forge::new(repo.links());
    let run = RunView::new(&stored.run, &forge);
    let members = run.members.iter().cloned().map(|member| {
        let title = pull_title(repo, member.number).unwrap_or_default();
        (member, title)
    });
    render(&RunPage {
        frame: Frame::new(&site, format!("Test results of run {id}"))
            .following(format!("queue={}", stored.repo)),
        label: stored.repo,
        repo: forge.repo(),
        members: members.collect(),
        run,
        jobs: jobs.iter().map(JobView::new).collect(),
    })
}
