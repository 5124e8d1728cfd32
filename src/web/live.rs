//! `/events`: tells an open page that what it shows has changed. The page then asks for itself.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::error::WebError;
use super::pages::chosen;
use super::{Site, front, sse};
use crate::engine::Change;
use paprq_core::ids::{JobId, RepoLabel};

/// How long changes are gathered before a page is told again.
const GATHER: Duration = Duration::from_millis(400);

/// What a page shows. Homu's way to name several queues: `A+B`, `all`.
#[derive(Debug, Deserialize)]
pub(super) struct Subject {
    queue: Option<String>,
    job: Option<u64>,
    workers: Option<String>,
}

/// Which changes a page wants to hear of.
#[derive(Debug)]
enum Ear {
    Queues(BTreeSet<RepoLabel>),
    Job(JobId),
    Jobs,
}

/// `GET /events?queue=LABEL`, `?job=ID` or `?workers`: the event `changed`, at once and after
/// each change.
///
/// At once, because something may have changed since the page was made.
pub(super) async fn events(
    request: HttpRequest,
    site: web::Data<Site>,
    subject: web::Query<Subject>,
) -> Result<HttpResponse, WebError> {
    let ear = Ear::new(&site, &subject)?;
    let place = front::visit(&request)?.stream()?;
    let changes = site.engine.live().subscribe();
    Ok(sse::answer(told(ear, changes), place, &site.stop))
}

impl Ear {
    fn new(site: &Site, subject: &Subject) -> Result<Self, WebError> {
        match (&subject.queue, subject.job, &subject.workers) {
            (Some(labels), _, _) => {
                let repos = chosen(&site.engine, labels)?;
                let labels = repos.iter().map(|repo| repo.label().clone());
                Ok(Self::Queues(labels.collect()))
            }
            (None, Some(job), _) => Ok(Self::Job(JobId(job))),
            (None, None, Some(_)) => Ok(Self::Jobs),
            (None, None, None) => Err(WebError::Bad("add queue=LABEL, job=ID or workers")),
        }
    }

    fn hears(&self, change: &Change) -> bool {
        match (self, change) {
            (Self::Queues(labels), Change::Repo(label)) => labels.contains(label),
            (Self::Job(wanted), Change::Job(job)) => wanted == job,
            (Self::Jobs, Change::Job(_)) => true,
            (Self::Queues(_), Change::Job(_) | Change::Log(_))
            | (Self::Job(_) | Self::Jobs, Change::Repo(_) | Change::Log(_)) => false,
        }
    }
}

/// Where a stream of events stands.
struct Listening {
    ear: Ear,
    changes: Receiver<Change>,
    said: u64,
}

fn told(ear: Ear, changes: Receiver<Change>) -> impl Stream<Item = Bytes> {
    let start = Listening {
        ear,
        changes,
        said: 0,
    };
    stream::unfold(start, |mut listening| async move {
        if listening.said > 0 {
            match tokio::time::timeout(sse::QUIET, listening.next()).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(_quiet) => return Some((sse::STILL_HERE, listening)),
            }
        }
        listening.said += 1;
        Some((sse::event("changed", listening.said, ""), listening))
    })
}

impl Listening {
    /// Waits for a change, and for those that follow it closely; `false` when none can come.
    async fn next(&mut self) -> bool {
        loop {
            match self.changes.recv().await {
                Ok(change) if self.ear.hears(&change) => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return false,
            }
        }
        tokio::time::sleep(GATHER).await;
        while !matches!(
            self.changes.try_recv(),
            Err(TryRecvError::Empty | TryRecvError::Closed)
        ) {}
        true
    }
}
