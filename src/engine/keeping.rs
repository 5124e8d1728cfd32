//! Keeping the logs and artifacts of each repository within its bound.

use std::time::Duration;

use crate::store::logs::{LogError, Logs};
use crate::store::{Store, StoreError};
use paprq_core::jobs::keeping::{Kept, dropped};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(600);

/// Why it was not looked, or not all was dropped.
#[derive(Debug, thiserror::Error)]
enum KeepingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Logs(#[from] LogError),
}

/// Deletes the logs and artifacts of the oldest jobs of a repository that has more than this.
pub(super) async fn keep_within(store: Store, logs: Logs, bytes_max: u64) {
    loop {
        if let Err(error) = drop_excess(&store, &logs, bytes_max).await {
            tracing::warn!(%error, "old logs and artifacts could not be deleted");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn drop_excess(store: &Store, logs: &Logs, bytes_max: u64) -> Result<(), KeepingError> {
    let sizes = logs.bytes_by_job().await?;
    let repos = store
        .repos_of_ended(sizes.keys().copied().collect())
        .await?;
    let kept: Vec<_> = repos
        .into_iter()
        .filter_map(|(job, repo)| {
            let bytes = *sizes.get(&job)?;
            Some(Kept { job, repo, bytes })
        })
        .collect();
    let dropped = dropped(&kept, bytes_max);
    for job in &dropped {
        logs.drop_job(*job).await?;
    }
    if !dropped.is_empty() {
        let jobs = dropped.len();
        tracing::info!(
            jobs,
            "logs and artifacts of old jobs are deleted: storage.repo_mib is used up"
        );
    }
    Ok(())
}
