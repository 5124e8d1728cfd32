//! `/job/ID/log`: a log as it is, as plain text, whole or in part.

use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;

use super::{LogQuery, attempt, find, read, unreadable};
use crate::engine::Engine;
use crate::web::error::WebError;
use crate::web::header::RAW_POLICY;
use crate::web::{Site, sent};
use paprq_core::ids::JobId;
use paprq_core::jobs::Attempt;

/// How much is read at a time, in bytes.
const PIECE_BYTES: u64 = 128 << 10;

/// `GET /job/ID/log?attempt=N&offset=BYTES`; a `Range` counts from the log's beginning.
pub(super) async fn serve(
    request: HttpRequest,
    site: web::Data<Site>,
    job: web::Path<u64>,
    wanted: web::Query<LogQuery>,
) -> Result<HttpResponse, WebError> {
    let engine = &site.engine;
    let job = find(engine, JobId(*job)).await?;
    let attempt = attempt(&job, wanted.attempt)?;
    let len = engine.logs().len(attempt).await.map_err(unreadable)?;
    let range = sent::sole(request.headers(), "range")?.and_then(Range::read);
    let (part, mut response) = match range {
        Some(range) => {
            let part = range.within(len).ok_or(WebError::NoSuchRange)?;
            let mut response = HttpResponse::PartialContent();
            let shown = format!("bytes {}-{}/{len}", part.from, part.end - 1);
            response.insert_header((header::CONTENT_RANGE, shown));
            (part, response)
        }
        None => {
            let from = wanted.offset.min(len);
            (Part { from, end: len }, HttpResponse::Ok())
        }
    };
    let pieces = SizedStream::new(part.end - part.from, pieces(engine.clone(), attempt, part));
    Ok(response
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, RAW_POLICY))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .body(pieces))
}

/// Bytes `from..end` of a log.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: u64,
    end: u64,
}

/// One range of bytes, as the header names it (RFC 9110, 14.1.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Range {
    From(u64),
    FromTo(u64, u64),
    Last(u64),
}

impl Range {
    /// `None` for several ranges and for what is none: the header is then passed over.
    fn read(text: &str) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        match (first.trim(), last.trim()) {
            ("", last) => Some(Self::Last(last.parse().ok()?)),
            (first, "") => Some(Self::From(first.parse().ok()?)),
            (first, last) => {
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(Self::FromTo(first, last))
            }
        }
    }

    /// `None` where the log has nothing of it.
    fn within(self, len: u64) -> Option<Part> {
        let (from, end) = match self {
            Self::From(from) => (from, len),
            Self::FromTo(from, last) => (from, last.saturating_add(1).min(len)),
            Self::Last(count) => (len.saturating_sub(count), len),
        };
        (from < end).then_some(Part { from, end })
    }
}

fn pieces(
    engine: Engine,
    attempt: Attempt,
    part: Part,
) -> impl futures_util::Stream<Item = Result<bytes::Bytes, WebError>> {
    stream::try_unfold((engine, part), move |(engine, part)| async move {
        if part.from >= part.end {
            return Ok(None);
        }
        let wanted = PIECE_BYTES.min(part.end - part.from);
        let piece = read(&engine, attempt, part.from, wanted).await?;
        if piece.is_empty() {
            return Err(WebError::Unavailable);
        }
        let from = part.from + piece.len() as u64;
        let rest = Part { from, ..part };
        Ok(Some((piece, (engine, rest))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_anything_else_passed_over() {
        for (text, expected) in [
            ("bytes=5-", Some(Range::From(5))),
            ("bytes=0-0", Some(Range::FromTo(0, 0))),
            ("bytes=-7", Some(Range::Last(7))),
            ("bytes=9-5", None),
            ("bytes=0-1,3-4", None),
            ("lines=1-2", None),
            ("bytes=-", None),
        ] {
            assert_eq!(Range::read(text), expected, "{text}");
        }
    }
}
