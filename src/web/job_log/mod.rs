//! The log of an attempt: as it is, as HTML, and while it grows.

mod colours;
mod follow;
mod raw;

use actix_web::web;
use bytes::Bytes;
use serde::Deserialize;

use self::colours::Painter;
use super::error::WebError;
use super::routes::Routes;
use crate::engine::Engine;
use paprq_core::ids::{AttemptNumber, JobId};
use paprq_core::jobs::{Attempt, Job};

/// How much of a log's end a page shows, in bytes.
pub(super) const SHOWN_BYTES_MAX: u64 = 1 << 20;

/// How far back it is looked for what is still switched on where reading begins, in bytes.
const LOOK_BACK_BYTES: u64 = 16 << 10;

/// Above this a line is shown in pieces, in bytes.
const LINE_BYTES_MAX: usize = 64 << 10;

pub(super) fn routes(routes: Routes<'_>) -> Routes<'_> {
    routes
        .get("/job/{job}/log", raw::serve)
        .get("/job/{job}/log/live", follow::serve)
}

/// Which attempt, and from where.
#[derive(Clone, Copy, Debug, Deserialize)]
struct LogQuery {
    attempt: Option<u32>,
    #[serde(default)]
    offset: u64,
}

/// The end of a log as HTML.
#[derive(Debug)]
pub(super) struct Tail {
    /// The lines.
    pub(super) html: String,
    /// How many bytes before them are not shown.
    pub(super) left_out: u64,
    /// Where the log goes on.
    pub(super) end: u64,
}

/// The job of this id.
pub(super) async fn find(engine: &Engine, job: JobId) -> Result<Job, WebError> {
    let found = engine.store().job(job).await;
    let found = found.map_err(|error| WebError::unavailable("read a job", &error))?;
    found.ok_or(WebError::NoPage)
}

/// The attempt that is asked for: the latest where none is named. The one to come is there too,
/// so that it can be waited for.
pub(super) fn attempt(job: &Job, number: Option<u32>) -> Result<Attempt, WebError> {
    let last = job.attempts.last().map_or(0, |last| last.number.0);
    let to_come = u32::from(!job.is_over());
    let number = number.unwrap_or_else(|| last.max(1));
    if number == 0 || number > last + to_come {
        return Err(WebError::NoPage);
    }
    Ok(Attempt {
        job: job.id,
        number: AttemptNumber(number),
    })
}

/// The first attempt, which may never have been made.
pub(super) fn first(job: &Job) -> Attempt {
    Attempt {
        job: job.id,
        number: AttemptNumber(1),
    }
}

/// Whether nothing is added to the log of this attempt any more.
pub(super) fn is_complete(job: &Job, number: AttemptNumber) -> bool {
    let record = job.attempts.iter().find(|record| record.number == number);
    job.is_over() || record.is_some_and(|record| record.ended.is_some())
}

/// The last [`SHOWN_BYTES_MAX`] of a log.
pub(super) async fn tail(engine: &Engine, job: &Job, attempt: Attempt) -> Result<Tail, WebError> {
    let complete = is_complete(job, attempt.number);
    let len = engine.logs().len(attempt).await.map_err(unreadable)?;
    let from = len.saturating_sub(SHOWN_BYTES_MAX);
    let mut painter = primed(engine, attempt, from).await?;
    let text = read(engine, attempt, from, SHOWN_BYTES_MAX).await?;
    let skipped = if from == 0 { 0 } else { first_line_end(&text) };
    let text = text.slice(skipped..);
    let shown = text.slice(..whole_lines(&text, complete));
    let start = from + skipped as u64;
    let end = start + shown.len() as u64;
    let html = web::block(move || painter.paint(&shown)).await;
    Ok(Tail {
        html: html.map_err(|error| WebError::unavailable("show a log", &error))?,
        left_out: start,
        end,
    })
}

/// A painter that knows what is switched on at this byte.
async fn primed(engine: &Engine, attempt: Attempt, at: u64) -> Result<Painter, WebError> {
    let mut painter = Painter::default();
    let back = at.min(LOOK_BACK_BYTES);
    if back > 0 {
        painter.pass_over(&read(engine, attempt, at - back, back).await?);
    }
    Ok(painter)
}

async fn read(engine: &Engine, attempt: Attempt, from: u64, max: u64) -> Result<Bytes, WebError> {
    let text = engine.logs().read(attempt, from, max).await;
    text.map_err(unreadable)
}

fn unreadable(error: crate::store::logs::LogError) -> WebError {
    WebError::unavailable("read a log", &error)
}

/// How many of the bytes make up whole lines: all of them where the log is complete or the line
/// is very long.
fn whole_lines(text: &[u8], complete: bool) -> usize {
    match text.iter().rposition(|byte| *byte == b'\n') {
        _ if complete => text.len(),
        Some(last) => last + 1,
        None if text.len() >= LINE_BYTES_MAX => text.len(),
        None => 0,
    }
}

fn first_line_end(text: &[u8]) -> usize {
    let first = text.iter().position(|byte| *byte == b'\n');
    first.map_or(0, |first| first + 1)
}
