//! `/retry_log/LABEL`: who asked for a test to be run again, and in which words.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, render};
use crate::store::Retry;
use crate::web::Site;
use crate::web::error::WebError;
use crate::web::view::{Forge, Link, Moment};
use paprq_core::ids::{PullNumber, RepoLabel};
use paprq_core::notes;

/// How many retries are listed.
const RETRIES: u32 = 200;

/// How much of a comment is shown, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

#[derive(Template)]
#[template(path = "retry_log.html")]
struct RetryLog {
    frame: Frame,
    label: RepoLabel,
    retries: Vec<RetryView>,
}

/// A retry.
struct RetryView {
    at: Moment,
    pull: PullNumber,
    github: Link,
    who: Option<Link>,
    /// The comment.
    source: Option<String>,
    message: String,
}

/// `GET /retry_log/LABEL`.
pub(super) async fn page(
    site: web::Data<Site>,
    label: web::Path<RepoLabel>,
) -> Result<HttpResponse, WebError> {
    let repo = site.engine.repo(&label).ok_or(WebError::NoPage)?;
    let forge = Forge::new(repo.links());
    let retries = site.engine.store().retry_log(&label, RETRIES).await;
    let retries = retries.map_err(|error| WebError::unavailable("read the retry log", &error))?;
    render(&RetryLog {
        frame: Frame::new(&site, format!("Retry log of {label}")),
        label: label.into_inner(),
        retries: retries
            .iter()
            .map(|retry| RetryView::new(retry, &forge))
            .collect(),
    })
}

impl RetryView {
    fn new(retry: &Retry, forge: &Forge) -> Self {
        Self {
            at: Moment(retry.at),
            pull: retry.pull,
            github: forge.pull(retry.pull),
            who: retry.who.as_ref().map(|who| forge.user(who)),
            source: notes::url(&retry.source),
            message: notes::plain(&retry.message, MESSAGE_CHARS_MAX),
        }
    }
}
