//! How attempts end, as their workers say: what the suite came to, or what the worker lacks.

use bytes::Bytes;

use super::{CallError, JobService, holder};
use crate::protocol::{JobOutcome, Renewal, Report, WorkerFault};
use paprq_core::jobs::Attempt;

/// How much of a worker's reason for giving a job back is kept, in characters.
const REASON_CHARS_MAX: usize = 200;

impl JobService {
    /// A worker says how an attempt ended. It is believed once the whole log is there.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn report(
        &self,
        token: &str,
        attempt: Attempt,
        report: Report,
    ) -> Result<Renewal, CallError> {
        let wish = self.renew(token, attempt).await?;
        let log_bytes = self.0.logs.len(attempt).await?;
        if log_bytes < report.log_bytes {
            return Ok(Renewal { wish, log_bytes });
        }
        if let Some(blame) = blame(&report) {
            self.complain(token, attempt, &blame.1, log_bytes).await?;
        }
        let token = token.to_owned();
        let finished = self.change(move |board, now| {
            let ended = holder(board, &token, attempt).and_then(|worker| match blame(&report) {
                Some(blame) => board.hand_back(now, attempt, &worker, blame),
                None => board.finish(now, attempt, &worker, report.outcome),
            });
            match ended {
                Ok(changed) => (Ok(()), changed),
                Err(over) => (Err(over), Vec::new()),
            }
        });
        finished.await??;
        self.seal(attempt);
        Ok(Renewal { wish, log_bytes })
    }

    /// Says in the server's log that a worker failed, and in the job's where nothing is in it.
    async fn complain(
        &self,
        token: &str,
        attempt: Attempt,
        reason: &str,
        log_bytes: u64,
    ) -> Result<(), CallError> {
        let worker = holder(&*self.0.board.lock().await, token, attempt)?;
        tracing::error!(
            worker = %worker.name,
            token,
            job.id = %attempt.job,
            reason,
            "a worker gives a job back that it cannot execute"
        );
        if log_bytes == 0 {
            let line = Bytes::from(format!("### {reason}\n"));
            self.0.logs.append(attempt, 0, line).await?;
        }
        Ok(())
    }
}

/// What a report blames the worker for.
fn blame(report: &Report) -> Option<(WorkerFault, String)> {
    let reason = match &report.outcome {
        JobOutcome::Error { message } => message.lines().next().unwrap_or_default(),
        JobOutcome::Passed | JobOutcome::Failed { .. } | JobOutcome::TimedOut => "",
    };
    let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
    report.fault.map(|fault| (fault, reason))
}
