//! The pages that people read.

use actix_web::{HttpResponse, HttpResponseBuilder, web};

use super::error::WebError;
use crate::engine::{Engine, Repo};
use crate::ids::RepoLabel;
use crate::queue::Queue;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

/// The page where there is none.
pub(super) fn missing(mut response: HttpResponseBuilder) -> HttpResponse {
    response.body("There is no such page.\n")
}

/// The repositories that an address names: `LABEL`, `A+B` or `all`.
pub(super) fn chosen<'a>(engine: &'a Engine, labels: &str) -> Result<Vec<&'a Repo>, WebError> {
    if labels == "all" {
        return Ok(engine.repos().collect());
    }
    // A `+` in a query arrives as a blank.
    labels
        .split(['+', ' '])
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
