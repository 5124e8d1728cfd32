//! The pages that people read, made on the server; scripts only exchange what has changed.

mod artifacts;
mod home;
mod job;
mod pull;
mod queue;
mod results;
mod retry_log;
mod run;
mod workers;

pub(super) use self::artifacts::page as artifacts;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder, web};
use askama::Template;

use super::Site;
use super::announcement::pieces;
use super::assets::{ASSETS, Asset};
use super::error::WebError;
use super::routes::Routes;
use super::view::Link;
use crate::engine::{Engine, Repo};
use paprq_core::ids::{PullNumber, RepoLabel};
use paprq_core::notes;
use paprq_core::queue::Queue;

pub(super) fn routes(routes: Routes<'_>) -> Routes<'_> {
    routes
        .get("/", home::page)
        .get("/queue/{labels}", queue::page)
        .get("/pull/{label}/{number}", pull::page)
        .get("/results/{label}/{number}", results::page)
        .get("/retry_log/{label}", retry_log::page)
        .get("/run/{run}", run::page)
        .get("/job/{job}", job::page)
        .get("/workers", workers::page)
}

/// What is around the content of every page.
struct Frame {
    title: String,
    /// What stands before our paths in people's addresses, where a proxy puts us below one.
    root: String,
    /// The operator's, in pieces.
    announcement: Vec<Link>,
    /// What we wait for.
    connecting: Option<String>,
    /// Where the page hears that what it shows has changed.
    events: Option<String>,
}

impl Frame {
    fn new(site: &Site, title: String) -> Self {
        let announcement = site.engine.config().web.announcement.as_ref();
        Self {
            title,
            root: site.root.clone(),
            announcement: announcement.map(|text| pieces(text)).unwrap_or_default(),
            connecting: site.engine.waits_for().map(|github| {
                format!(
                    "Connecting to GitHub at {github} … What is shown is what was known before."
                )
            }),
            events: None,
        }
    }

    fn following(self, events: String) -> Self {
        Self {
            events: Some(events),
            ..self
        }
    }

    fn asset(&self, asset: &Asset) -> String {
        format!("{}{}", self.root, asset.path())
    }

    fn style(&self) -> String {
        self.asset(&ASSETS.style)
    }

    fn log_style(&self) -> String {
        self.asset(&ASSETS.log_style)
    }

    fn htmx(&self) -> String {
        self.asset(&ASSETS.htmx)
    }

    fn sse(&self) -> String {
        self.asset(&ASSETS.sse)
    }

    fn icon(&self) -> String {
        self.asset(&ASSETS.icon)
    }
}

fn render(page: &impl Template) -> Result<HttpResponse, WebError> {
    let html = page.render();
    let html = html.map_err(|error| WebError::unavailable("make a page", &error))?;
    Ok(html_answer(HttpResponse::Ok(), html))
}

fn html_answer(mut response: HttpResponseBuilder, html: String) -> HttpResponse {
    response.content_type("text/html; charset=utf-8").body(html)
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    frame: Frame,
}

/// What there is to tell somebody, and nothing else.
pub(super) struct Notice {
    pub(super) title: String,
    pub(super) text: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    frame: Frame,
    text: String,
}

/// A page that tells something.
pub(super) fn notice(site: &Site, code: StatusCode, notice: Notice) -> HttpResponse {
    let page = NoticePage {
        frame: Frame::new(site, notice.title),
        text: notice.text,
    };
    let html = page.render().unwrap_or_else(|_| page.text.clone());
    html_answer(HttpResponse::build(code), html)
}

/// The page where there is none.
pub(super) fn missing(site: &Site) -> HttpResponse {
    let frame = Frame::new(site, "Not found".to_owned());
    let html = Missing { frame }.render();
    let html = html.unwrap_or_else(|_| "Not found".to_owned());
    html_answer(HttpResponse::NotFound(), html)
}

/// The repositories that an address names: `LABEL`, `A+B` or `all`.
pub(super) fn chosen<'a>(engine: &'a Engine, labels: &str) -> Result<Vec<&'a Repo>, WebError> {
    if labels == "all" {
        return Ok(engine.repos().collect());
    }
    // A `+` in a query arrives as a blank.
    let labels: std::collections::BTreeSet<_> = labels.split(['+', ' ']).collect();
    labels
        .into_iter()
        .map(|label| engine.repo(&RepoLabel::new(label)).ok_or(WebError::NoPage))
        .collect()
}

/// Looks at a queue where it may take its time without holding up other requests.
pub(super) async fn look<T: Send + 'static>(
    repo: &Repo,
    look: impl FnOnce(&Queue) -> T + Send + 'static,
) -> Result<T, WebError> {
    let repo = repo.clone();
    web::block(move || repo.look(look))
        .await
        .map_err(|error| WebError::unavailable("look at a queue", &error))
}

/// The title of a pull of this repository, as pages show it.
fn pull_title(repo: &Repo, number: PullNumber) -> Option<String> {
    repo.look(|queue| {
        let pull = queue.pull(number)?;
        Some(notes::plain(&pull.facts.title, 200))
    })
}
