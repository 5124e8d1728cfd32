//! `/job/ID/artifacts/…`: the files that a suite left, so that nothing in them acts on us.

use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Site;
use super::error::WebError;
use super::header::RAW_POLICY;
use super::routes::Routes;
use super::{job_log, pages};
use crate::protocol::ArtifactPath;
use crate::store::artifacts::{Artifact, ArtifactError, Content};
use paprq_core::ids::{AttemptNumber, JobId};
use paprq_core::jobs::Attempt;

/// How much of a file's beginning tells what it is, in bytes.
const HEAD_BYTES: usize = 4 << 10;

/// What stands for itself in the path of an address.
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn routes(routes: Routes<'_>) -> Routes<'_> {
    routes
        .get("/job/{job}/artifacts", top)
        .get("/job/{job}/artifacts/{path:.*}", serve)
        .get("/api/v1/jobs/{job}/artifacts", listed)
}

/// Which attempt's; the latest where none is named.
#[derive(Clone, Copy, Debug, Deserialize)]
struct AttemptQuery {
    attempt: Option<u32>,
}

/// The files of an attempt, as JSON.
#[derive(Debug, Serialize)]
struct Listed {
    job: JobId,
    attempt: AttemptNumber,
    artifacts: Vec<ListedFile>,
}

#[derive(Debug, Serialize)]
struct ListedFile {
    path: String,
    bytes: u64,
    /// Where it is on this server.
    url: String,
}

/// The files of an attempt.
pub(super) async fn of(site: &Site, attempt: Attempt) -> Result<Vec<Artifact>, WebError> {
    let files = site.engine.artifacts().list(attempt).await;
    files.map_err(|error| unreadable(&error))
}

/// Where a file or directory of an attempt is served; the top's path is empty.
pub(super) fn address(site: &Site, attempt: Attempt, path: &str) -> String {
    let Attempt { job, number } = attempt;
    let names = path.split('/').map(|name| utf8_percent_encode(name, NAME));
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    let (root, path) = (&site.root, names.join("/"));
    format!("{root}/job/{job}/artifacts/{path}?attempt={number}")
}

async fn found(site: &Site, job: u64, wanted: AttemptQuery) -> Result<Attempt, WebError> {
    let job = job_log::find(&site.engine, JobId(job)).await?;
    job_log::attempt(&job, wanted.attempt)
}

/// `GET /api/v1/jobs/ID/artifacts?attempt=N`.
async fn listed(
    site: web::Data<Site>,
    job: web::Path<u64>,
    wanted: web::Query<AttemptQuery>,
) -> Result<web::Json<impl Serialize>, WebError> {
    let attempt = found(&site, *job, *wanted).await?;
    let files = of(&site, attempt).await?.into_iter();
    let artifacts = files.map(|file| ListedFile {
        url: address(&site, attempt, file.path.as_str()),
        path: file.path.to_string(),
        bytes: file.bytes,
    });
    Ok(web::Json(Listed {
        job: attempt.job,
        attempt: attempt.number,
        artifacts: artifacts.collect(),
    }))
}

/// `GET /job/ID/artifacts?attempt=N`.
async fn top(
    site: web::Data<Site>,
    job: web::Path<u64>,
    wanted: web::Query<AttemptQuery>,
) -> Result<HttpResponse, WebError> {
    let attempt = found(&site, *job, *wanted).await?;
    pages::artifacts(&site, attempt, "").await
}

/// `GET /job/ID/artifacts/PATH?attempt=N`: a file, or what is in a directory.
async fn serve(
    site: web::Data<Site>,
    place: web::Path<(u64, String)>,
    wanted: web::Query<AttemptQuery>,
) -> Result<HttpResponse, WebError> {
    let (job, path) = place.into_inner();
    let attempt = found(&site, job, *wanted).await?;
    let path = path.trim_end_matches('/');
    if let Ok(path) = ArtifactPath::new(path) {
        let file = site.engine.artifacts().read(attempt, &path).await;
        if let Some(content) = file.map_err(|error| unreadable(&error))? {
            return file_answer(&path, content).await;
        }
    }
    pages::artifacts(&site, attempt, path).await
}

async fn file_answer(path: &ArtifactPath, content: Content) -> Result<HttpResponse, WebError> {
    let Content { bytes, mut pieces } = content;
    let mut head: Vec<u8> = Vec::new();
    let mut first: Vec<Bytes> = Vec::new();
    while head.len() < HEAD_BYTES {
        let Some(piece) = pieces.try_next().await.map_err(broken)? else {
            break;
        };
        head.extend_from_slice(&piece);
        first.push(piece);
    }
    let kind = Kind::of(path, &head);
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, kind.media()))
        .insert_header((header::CONTENT_SECURITY_POLICY, RAW_POLICY));
    if kind == Kind::Other {
        let name = path.names().last().unwrap_or_default();
        let name = utf8_percent_encode(name, NAME);
        let saved = format!("attachment; filename*=UTF-8''{name}");
        response.insert_header((header::CONTENT_DISPOSITION, saved));
    }
    let first = stream::iter(first.into_iter().map(Ok));
    let whole = first.chain(pieces.map_err(broken));
    Ok(response.body(SizedStream::new(bytes, whole)))
}

/// As what a browser is told to take a file. HTML and all else that could act is text, or kept
/// from being shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Text,
    Image(&'static str),
    Other,
}

/// Pictures that hold nothing but a picture, with their beginnings.
const IMAGES: [(&str, &[u8], &str); 5] = [
    ("png", b"\x89PNG\r\n\x1a\n", "image/png"),
    ("jpg", b"\xff\xd8\xff", "image/jpeg"),
    ("jpeg", b"\xff\xd8\xff", "image/jpeg"),
    ("gif", b"GIF8", "image/gif"),
    ("webp", b"RIFF", "image/webp"),
];

impl Kind {
    fn of(path: &ArtifactPath, head: &[u8]) -> Self {
        let end = path.as_str().rsplit_once('.').map(|(_, end)| end);
        let end = end.unwrap_or_default().to_ascii_lowercase();
        let is_it =
            |(known, start, _): &&(&str, &[u8], &str)| *known == end && head.starts_with(start);
        if let Some((_, _, media)) = IMAGES.iter().find(is_it) {
            return Self::Image(media);
        }
        if is_text(head) {
            Self::Text
        } else {
            Self::Other
        }
    }

    fn media(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Image(media) => media,
            Self::Other => "application/octet-stream",
        }
    }
}

/// Whether this is UTF-8, but for a letter that may be cut at the end, without NUL.
fn is_text(head: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_utf8 && !head.contains(&0)
}

fn unreadable(error: &ArtifactError) -> WebError {
    WebError::unavailable("read an artifact", error)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(error: object_store::Error) -> WebError {
    WebError::unavailable("read an artifact", &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_and_pictures_are_shown_and_nothing_as_a_page() {
        for (path, head, kind) in [
            ("index.html", &b"<script>alert(1)</script>"[..], Kind::Text),
            ("a.svg", b"<svg onload='alert(1)'/>", Kind::Text),
            ("a.png", b"<script>", Kind::Text),
            ("a.png", b"\x89PNG\r\n\x1a\n...", Kind::Image("image/png")),
            ("a.html", b"\x89PNG\r\n\x1a\n...", Kind::Other),
            ("log", b"gr\xc3\xbc\xc3", Kind::Text),
            ("log", b"\xff\xfe", Kind::Other),
            ("core", b"ELF\0", Kind::Other),
            ("empty", b"", Kind::Text),
        ] {
            let path = ArtifactPath::new(path).unwrap();
            assert_eq!(Kind::of(&path, head), kind, "{path}");
        }
    }
}
