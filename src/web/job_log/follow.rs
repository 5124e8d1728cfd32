//! `/job/ID/log/live`: a log while it grows, as server-sent events of HTML.
//!
//! Each event's id is the byte at which the log goes on: whoever is cut off comes back with it
//! and misses nothing. Whoever comes without one is told to begin anew at `offset`.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::{LogQuery, attempt, colours::Painter, find, is_complete, primed, read, whole_lines};
use crate::engine::{Change, Engine};
use crate::web::error::WebError;
use crate::web::{Site, front, sent, sse};
use paprq_core::ids::JobId;
use paprq_core::jobs::Attempt;

/// How much is sent in one event, in bytes of the log. No less than the longest line that is waited for.
const PIECE_BYTES: u64 = 64 << 10;

/// How long news is gathered before it is sent.
const GATHER: Duration = Duration::from_millis(150);

/// Takes the place of whatever an earlier connection had put there.
const FRESH: &str = "<pre sse-swap=\"log\" hx-swap=\"beforeend\"></pre>";

/// `GET /job/ID/log/live?attempt=N&offset=BYTES`: events `reset`, `log` and at last `end`.
pub(super) async fn serve(
    request: HttpRequest,
    site: web::Data<Site>,
    job: web::Path<u64>,
    wanted: web::Query<LogQuery>,
) -> Result<HttpResponse, WebError> {
    let place = front::visit(&request)?.stream()?;
    let engine = site.engine.clone();
    let changes = engine.live().subscribe();
    let job = find(&engine, JobId(*job)).await?;
    let attempt = attempt(&job, wanted.attempt)?;
    let back = sent::sole(request.headers(), "last-event-id")?.map(str::parse);
    let back: Option<u64> = back
        .transpose()
        .or(Err(WebError::Header("last-event-id")))?;
    let at = back.unwrap_or(wanted.offset);
    let follower = Follower {
        painter: primed(&engine, attempt, at).await?,
        engine,
        attempt,
        at,
        changes,
        stage: if back.is_some() {
            Stage::Reading
        } else {
            Stage::Fresh
        },
        complete: is_complete(&job, attempt.number),
    };
    Ok(sse::answer(follower.events(), place, &site.stop))
}

struct Follower {
    engine: Engine,
    attempt: Attempt,
    at: u64,
    painter: Painter,
    changes: Receiver<Change>,
    stage: Stage,
    complete: bool,
}

enum Stage {
    /// The reader must be told to begin anew.
    Fresh,
    /// There may be more to read.
    Reading,
    /// The end was told.
    Over,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Bytes> {
        stream::unfold(self, |mut follower| async move {
            let event = follower.next().await?;
            Some((event, follower))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Fresh => {
                self.stage = Stage::Reading;
                return Some(sse::event("reset", self.at, FRESH));
            }
            Stage::Reading => {}
            Stage::Over => return None,
        }
        loop {
            if let Some(lines) = self.read().await.ok()? {
                return Some(sse::event("log", self.at, &lines));
            }
            if self.complete {
                self.stage = Stage::Over;
                return Some(sse::event("end", self.at, ""));
            }
            match tokio::time::timeout(sse::QUIET, self.news()).await {
                Ok(News::Log) => tokio::time::sleep(GATHER).await,
                Ok(News::Job) => self.look_whether_complete().await.ok()?,
                Ok(News::None) => return None,
                Err(_quiet) => {
                    self.look_whether_complete().await.ok()?;
                    return Some(sse::STILL_HERE);
                }
            }
        }
    }

    /// The next lines as HTML, if there are any.
    async fn read(&mut self) -> Result<Option<String>, WebError> {
        let text = read(&self.engine, self.attempt, self.at, PIECE_BYTES).await?;
        let is_last = self.complete && (text.len() as u64) < PIECE_BYTES;
        let lines = text.slice(..whole_lines(&text, is_last));
        if lines.is_empty() {
            return Ok(None);
        }
        self.at += lines.len() as u64;
        Ok(Some(self.painter.paint(&lines)))
    }

    async fn news(&mut self) -> News {
        loop {
            match self.changes.recv().await {
                Ok(Change::Log(attempt)) if attempt == self.attempt => return self.gathered(),
                Ok(Change::Job(job)) if job == self.attempt.job => return News::Job,
                Ok(Change::Log(_) | Change::Job(_) | Change::Repo(_)) => {}
                Err(RecvError::Lagged(_)) => return News::Job,
                Err(RecvError::Closed) => return News::None,
            }
        }
    }

    /// What came together with the news that the log has grown.
    fn gathered(&mut self) -> News {
        loop {
            match self.changes.try_recv() {
                Ok(Change::Job(job)) if job == self.attempt.job => return News::Job,
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => return News::Job,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return News::Log,
            }
        }
    }

    async fn look_whether_complete(&mut self) -> Result<(), WebError> {
        let job = find(&self.engine, self.attempt.job).await?;
        self.complete = is_complete(&job, self.attempt.number);
        Ok(())
    }
}

enum News {
    /// The log has grown.
    Log,
    /// The job may be over.
    Job,
    /// The server ends.
    None,
}
