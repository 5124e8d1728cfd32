//! The pages of the practice GitHub: plain HTML that a person reads and forms that a person fills in.
//!
//! `views` says what the pages show, `forms` does what the forms ask for, `markdown` renders what
//! people wrote, `marks` gives states their words and signs.

mod forms;
mod markdown;
mod marks;
mod oauth;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use paprq_core::ids::{Login, PullNumber};

use super::core::Core;
use super::{Practice, PracticeError};

impl Practice {
    /// Links from every page to the pages of the queue that is tried out here.
    pub fn set_bot_pages(&self, url: &str) {
        self.core().world().bot_pages = Some(url.to_owned());
    }
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(repos))
        .route("/login/oauth/authorize", web::get().to(oauth::authorize))
        .route("/login/oauth/authorize", web::post().to(oauth::agree))
        .route(
            "/login/oauth/access_token",
            web::post().to(oauth::access_token),
        )
        .route("/{owner}/{repo}", web::get().to(repo))
        .route("/{owner}/{repo}/pull/{number}", web::get().to(pull))
        .route("/{owner}/{repo}/pulls", web::post().to(forms::open))
        .route("/{owner}/{repo}/status", web::post().to(forms::status))
        .route(
            "/{owner}/{repo}/redeliver",
            web::post().to(forms::redeliver),
        )
        .route(
            "/{owner}/{repo}/pull/{number}/{deed}",
            web::post().to(forms::deed),
        );
}

/// Who was chosen in the last form, so that the next one begins with the same.
#[derive(Debug, Default, Deserialize)]
struct Visitor {
    #[serde(rename = "as")]
    login: Option<String>,
}

impl Visitor {
    fn login(&self) -> Option<Login> {
        self.login.as_ref().map(Login::new)
    }
}

async fn repos(core: web::Data<Core>) -> HttpResponse {
    page(core, |core| Ok(views::Repos::of(core))).await
}

async fn repo(
    path: web::Path<(String, String)>,
    visitor: web::Query<Visitor>,
    core: web::Data<Core>,
) -> HttpResponse {
    let (owner, name) = path.into_inner();
    let visitor = visitor.login();
    page(core, move |core| {
        views::Repository::of(core, &format!("{owner}/{name}"), visitor.as_ref())
    })
    .await
}

async fn pull(
    path: web::Path<(String, String, u64)>,
    visitor: web::Query<Visitor>,
    core: web::Data<Core>,
) -> HttpResponse {
    let (owner, name, number) = path.into_inner();
    let visitor = visitor.login();
    page(core, move |core| {
        let repo = format!("{owner}/{name}");
        views::PullPage::of(core, &repo, PullNumber(number), visitor.as_ref())
    })
    .await
}

/// Makes a page on a blocking thread, for git is asked.
async fn page<T: Template + Send + 'static>(
    core: web::Data<Core>,
    make: impl FnOnce(&Core) -> Result<T, PracticeError> + Send + 'static,
) -> HttpResponse {
    let core = core.into_inner();
    let maker = Arc::clone(&core);
    match web::block(move || make(&maker)).await {
        Ok(Ok(made)) => html(StatusCode::OK, &made),
        Ok(Err(error)) => problem(&core, &error),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header(("cache-control", "no-store"))
            .insert_header(("x-frame-options", "DENY"))
            .insert_header(("x-content-type-options", "nosniff"))
            .body(text),
        Err(error) => {
            tracing::error!(%error, "failed to render a practice page");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// Says what did not work; the details of what broke here are only logged.
fn problem(core: &Core, error: &PracticeError) -> HttpResponse {
    let (status, message) = match error {
        PracticeError::Unknown(what) => (StatusCode::NOT_FOUND, format!("There is no {what}.")),
        PracticeError::Refused(why) => {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("Refused: {why}."))
        }
        PracticeError::Repository(error) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("git says: {}.", error.message()),
        ),
        PracticeError::Start(_)
        | PracticeError::Client(_)
        | PracticeError::Disk(_)
        | PracticeError::Git(_) => {
            tracing::error!(%error, "failed to make a practice page");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke here; see the log.".to_owned(),
            )
        }
    };
    html(status, &views::Problem::of(core, message))
}
