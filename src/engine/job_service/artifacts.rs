//! The files that suites leave: taken from the worker that holds the lease.

use bytes::Bytes;
use futures_util::Stream;

use super::{Attempt, CallError, JobService, Renewal};
use crate::protocol::{ArtifactPath, Wish};

impl JobService {
    /// Stores a file of an attempt.
    ///
    /// # Errors
    /// See [`CallError`]; nothing is stored then, unless the lease ended while it came.
    pub async fn put_artifact<E>(
        &self,
        token: &str,
        attempt: Attempt,
        path: &ArtifactPath,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Renewal, CallError> {
        if self.renew(token, attempt).await? == Wish::GoOn {
            let bounds = self.0.artifact_bounds;
            self.0.artifacts.put(attempt, path, bounds, content).await?;
        }
        let wish = self.renew(token, attempt).await?;
        let log_bytes = self.0.logs.len(attempt).await?;
        Ok(Renewal { wish, log_bytes })
    }
}
