//! `/`: all repositories.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, render};
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::RepoLine;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    repos: Vec<RepoLine>,
    bot: String,
}

/// `GET /`.
pub(super) async fn page(site: web::Data<Site>) -> Result<HttpResponse, WebError> {
    let engine = site.engine.clone();
    let repos = web::block(move || engine.repos().map(RepoLine::new).collect()).await;
    render(&Home {
        frame: Frame::new(&site, "Merge queues".to_owned()).following("queue=all".to_owned()),
        repos: repos.map_err(|error| WebError::unavailable("look at all queues", &error))?,
        bot: site.engine.bot().to_string(),
    })
}
