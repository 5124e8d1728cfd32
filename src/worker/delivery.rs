//! Brings an attempt's log and outcome to the server, and the server's wishes to the attempt.
//!
//! One call at a time, so that the order of bytes is the order of calls. After a call whose
//! outcome is not known the server is asked what it holds. When the lease must have ended, the
//! attempt is given up: the server has given the job to somebody else by then.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use super::client::{CallError, ServerClient};
use super::spool::{Progress, SpoolReader};
use crate::clock::Stopwatch;
use crate::protocol::{Attempt, BEAT_S, CHUNK_BYTES_MAX, Renewal, Report, Wish};

/// A finished attempt's report is kept this many leases: the server may be down for a while, and
/// a result that it still wants saves a whole new attempt.
const REPORT_LEASES: u32 = 10;

/// How often a delivery speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// New output waits no longer than this.
    pub(super) flush: Duration,
    /// The longest silence.
    pub(super) beat: Duration,
    /// The lease ends this long after the last answered call.
    pub(super) lease: Duration,
    /// The first pause after a failed call; it doubles.
    pub(super) retry_min: Duration,
    /// The longest pause after a failed call.
    pub(super) retry_max: Duration,
}

impl Pace {
    /// The pace for leases of this length: at least three beats fit in.
    pub(super) fn for_lease(lease_s: u64) -> Self {
        let lease = Duration::from_secs(lease_s);
        Self {
            flush: Duration::from_secs(1).min(lease / 3),
            beat: Duration::from_secs(BEAT_S).min(lease / 3),
            lease,
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(5),
        }
    }

    fn pauses(&self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_jitter()
            .without_max_times()
            .with_min_delay(self.retry_min)
            .with_max_delay(self.retry_max)
            .build()
    }
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Delivered {
    /// The server has the log and the outcome.
    Accepted,
    /// The server does not want them, or has been away for too long.
    GivenUp,
    /// The worker itself stops.
    Stopped,
}

/// One attempt's way to the server.
#[derive(Debug)]
pub(super) struct Delivery {
    client: ServerClient,
    attempt: Attempt,
    pace: Pace,
    log: SpoolReader,
    /// What the server holds, in bytes; `None` while that is not known.
    held: Option<u64>,
    /// Since the last call that the server answered was begun.
    answered: Stopwatch,
}

/// What to do next.
#[derive(Debug)]
enum NextCall {
    Ask,
    Send { offset: u64, bytes: u64 },
    Report { report: Report },
    Wait(Duration),
}

impl Delivery {
    /// For an attempt whose lease begins now.
    pub(super) fn new(
        client: ServerClient,
        attempt: Attempt,
        pace: Pace,
        log: SpoolReader,
    ) -> Self {
        Self {
            client,
            attempt,
            pace,
            log,
            held: Some(0),
            answered: Stopwatch::start(),
        }
    }

    /// Speaks with the server until the outcome is delivered or there is no sense in it.
    ///
    /// `stop` is the worker's; the caller kills the attempt when this ends without `Accepted`.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> Delivered {
        tokio::select! {
            () = stop.cancelled() => Delivered::Stopped,
            delivered = self.speak() => delivered,
        }
    }

    async fn speak(&mut self) -> Delivered {
        let mut pauses = self.pace.pauses();
        loop {
            let progress = self.log.progress.borrow_and_update().clone();
            if self.lease_left(&progress).is_zero() {
                return Delivered::GivenUp;
            }
            let step = self.next_step(&progress);
            if let NextCall::Wait(pause) = step {
                self.wait(pause).await;
                continue;
            }
            let begun = Stopwatch::start();
            let Ok(called) =
                tokio::time::timeout(self.lease_left(&progress), self.call(&step)).await
            else {
                return Delivered::GivenUp;
            };
            match called {
                Ok(Renewal {
                    wish: Wish::Stop, ..
                })
                | Err(CallError::Gone | CallError::Unauthorized) => return Delivered::GivenUp,
                Ok(Renewal {
                    wish: Wish::GoOn,
                    log_bytes,
                }) => {
                    self.answered = begun;
                    self.held = Some(log_bytes.min(progress.bytes));
                    pauses = self.pace.pauses();
                    if matches!(step, NextCall::Report { .. }) && log_bytes >= progress.bytes {
                        return Delivered::Accepted;
                    }
                }
                Err(error @ (CallError::Refused(_) | CallError::Unreached(_))) => {
                    tracing::debug!(job.id = self.attempt.job.0, %error, "a call failed");
                    self.held = None;
                    let pause = pauses.next().unwrap_or(self.pace.retry_max);
                    tokio::time::sleep(pause.min(self.lease_left(&progress))).await;
                }
            }
        }
    }

    fn next_step(&self, progress: &Progress) -> NextCall {
        let Some(held) = self.held else {
            return NextCall::Ask;
        };
        let silence = self.answered.elapsed();
        let unsent = progress.bytes.saturating_sub(held);
        if unsent == 0 {
            return match &progress.conclusion {
                Some(conclusion) => NextCall::Report {
                    report: conclusion.report(progress.bytes),
                },
                None if silence >= self.pace.beat => NextCall::Ask,
                None => NextCall::Wait(self.pace.beat.saturating_sub(silence)),
            };
        }
        let full = unsent >= u64::try_from(CHUNK_BYTES_MAX).unwrap_or(u64::MAX);
        if held == 0 || full || progress.conclusion.is_some() || silence >= self.pace.flush {
            NextCall::Send {
                offset: held,
                bytes: unsent,
            }
        } else {
            NextCall::Wait(self.pace.flush.saturating_sub(silence))
        }
    }

    async fn call(&self, step: &NextCall) -> Result<Renewal, CallError> {
        match step {
            NextCall::Ask | NextCall::Wait(_) => self.client.beat(self.attempt).await,
            NextCall::Send { offset, bytes } => {
                let bytes_max = usize::try_from(*bytes).unwrap_or(usize::MAX);
                let chunk = self.log.read(*offset, bytes_max.min(CHUNK_BYTES_MAX));
                match chunk.await {
                    Ok(chunk) => self.client.chunk(self.attempt, *offset, chunk).await,
                    Err(error) => {
                        tracing::error!(job.id = self.attempt.job.0, %error, "a log cannot be read");
                        Err(CallError::Gone)
                    }
                }
            }
            NextCall::Report { report } => self.client.report(self.attempt, report).await,
        }
    }

    /// How long it still makes sense to go on without an answer.
    fn lease_left(&self, progress: &Progress) -> Duration {
        let leases = if progress.conclusion.is_some() {
            REPORT_LEASES
        } else {
            1
        };
        (self.pace.lease * leases).saturating_sub(self.answered.elapsed())
    }

    /// Waits until there is news in the log or this long.
    async fn wait(&mut self, pause: Duration) {
        let _news_or_time = tokio::time::timeout(pause, self.log.progress.changed()).await;
    }
}
