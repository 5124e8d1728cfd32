//! What people came for who have logged in, and what they are told when they do not get it.

use std::fmt::Display;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

use super::ticket::BadTicket;
use crate::engine::{Person, Repo, RollupError};
use crate::web::Site;
use crate::web::pages::{Notice, notice};
use paprq_core::ids::PullNumber;

/// Has all open pulls read anew, for a reviewer.
pub(super) async fn synchronize(site: &Site, repo: &Repo, person: &Person) -> HttpResponse {
    match repo.is_reviewer(person.login()).await {
        Ok(true) => {
            tracing::info!(repo.label = %repo.label(), by = %person.login(), "synchronize");
            repo.synchronize();
            see(format!("{}/queue/{}", site.root, repo.label()))
        }
        Ok(false) => {
            let text = format!(
                "@{} is not a reviewer of {}. Nothing was done.",
                person.login(),
                repo.slug()
            );
            tell(
                site,
                StatusCode::FORBIDDEN,
                "Only reviewers may synchronize",
                text,
            )
        }
        Err(error) => failed(site, "find out who may synchronize", &error),
    }
}

/// Makes a rollup, and leads there.
pub(super) async fn roll_up(
    site: &Site,
    repo: &Repo,
    person: Person,
    numbers: Vec<PullNumber>,
) -> HttpResponse {
    match site.engine.make_rollup(repo, person, numbers).await {
        Ok(rollup) => {
            let web_url = &site.engine.config().github.web_url;
            see(format!("{web_url}/{}/pull/{}", repo.slug(), rollup.number))
        }
        Err(error) => no_rollup(site, &error),
    }
}

fn no_rollup(site: &Site, error: &RollupError) -> HttpResponse {
    let text = match error {
        RollupError::Nothing => "No pull request was chosen.".to_owned(),
        RollupError::NotApproved(pulls) => format!(
            "Not approved as they are now: {}. Choose again.",
            numbers(pulls)
        ),
        RollupError::DifferentBases => {
            "The pull requests go to different branches. Choose those of one.".to_owned()
        }
        RollupError::NoBase(base) => format!("There is no branch {base}."),
        RollupError::NothingMerged(pulls) => {
            format!("None of them could be merged: {}.", numbers(pulls))
        }
        RollupError::PushRefused(_)
        | RollupError::Api(_)
        | RollupError::Git(_)
        | RollupError::Task(_) => return failed(site, "make a rollup", error),
    };
    tell(site, StatusCode::CONFLICT, "No rollup was made", text)
}

fn numbers(pulls: &[PullNumber]) -> String {
    let numbers: Vec<_> = pulls.iter().map(|number| format!("#{number}")).collect();
    numbers.join(", ")
}

/// The page for who did not come back as they went.
pub(super) fn refused_ticket(site: &Site, bad: BadTicket) -> HttpResponse {
    let text = format!("{bad} Nothing was done. Begin anew on the page of the queue.");
    tell(site, StatusCode::FORBIDDEN, "Not logged in", text)
}

fn failed(site: &Site, doing: &'static str, error: &dyn Display) -> HttpResponse {
    tracing::error!(%error, doing, "what a person wanted could not be done");
    let text = "GitHub did not do as it was asked, or not in time. It may be half done: look \
        there before you try again.";
    tell(site, StatusCode::BAD_GATEWAY, "Not done", text)
}

/// A page that says what became of a log-in.
pub(super) fn tell(
    site: &Site,
    code: StatusCode,
    title: &str,
    text: impl Into<String>,
) -> HttpResponse {
    let title = title.to_owned();
    let text = text.into();
    notice(site, code, Notice { title, text })
}

fn see(address: String) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, address))
        .finish()
}
