//! `/job/ID/artifacts/…`: what is in a directory of the files that a suite left.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use askama::Template;

use super::{Frame, render};
use crate::web::error::WebError;
use crate::web::view::{FileView, shown_path};
use crate::web::{Site, artifacts};
use paprq_core::jobs::Attempt;

#[derive(Template)]
#[template(path = "artifacts.html")]
struct ArtifactsPage {
    frame: Frame,
    attempt: Attempt,
    /// As people read it; empty for the top.
    path: String,
    /// Where the directory above is; none at the top.
    above: Option<String>,
    files: Vec<FileView>,
}

/// What is in a directory; the top's path is empty.
pub(in crate::web) async fn page(
    site: &Site,
    attempt: Attempt,
    path: &str,
) -> Result<HttpResponse, WebError> {
    let files = artifacts::of(site, attempt).await?;
    let below = match path {
        "" => String::new(),
        path => format!("{path}/"),
    };
    // By name; directories, whose names end in a slash, have no size.
    let mut entries: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for file in &files {
        let Some(rest) = file.path.as_str().strip_prefix(&below) else {
            continue;
        };
        match rest.split_once('/') {
            Some((directory, _)) => entries.insert(format!("{directory}/"), None),
            None => entries.insert(rest.to_owned(), Some(file.bytes)),
        };
    }
    if entries.is_empty() && !path.is_empty() {
        return Err(WebError::NoPage);
    }
    let views = entries.into_iter().map(|(name, bytes)| {
        let address = artifacts::address(site, attempt, &format!("{below}{name}"));
        FileView::new(&name, bytes, address)
    });
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    render(&ArtifactsPage {
        frame: Frame::new(site, format!("Artifacts of job {}", attempt.job)),
        attempt,
        files: views.collect(),
        above: (!path.is_empty()).then(|| artifacts::address(site, attempt, above)),
        path: shown_path(path),
    })
}
