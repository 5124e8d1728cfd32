//! How much is kept of each job's logs and artifacts, and dropping it.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::ObjectStoreExt as _;
use object_store::path::Path as ObjectPath;

use super::logs::{LogError, Logs};
use super::schema::jobs::dsl;
use super::{Store, StoreError, from_row, to_row};
use paprq_core::ids::{JobId, RepoLabel};

/// Below which names the objects of a job are, each with the job's number.
const FOLDERS: [&str; 2] = ["logs", "artifacts"];

/// How many jobs are asked for at a time.
const ASKED: usize = 500;

impl Logs {
    /// How many bytes of logs and artifacts are stored of each job.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub async fn bytes_by_job(&self) -> Result<BTreeMap<JobId, u64>, LogError> {
        let mut sizes = BTreeMap::new();
        for folder in FOLDERS {
            let mut objects = self.objects().list(Some(&ObjectPath::from(folder)));
            while let Some(object) = objects.next().await {
                let object = object?;
                let number = object.location.parts().nth(1);
                let number = number.and_then(|number| number.as_ref().parse().ok());
                if let Some(job) = number.map(JobId) {
                    *sizes.entry(job).or_default() += object.size;
                }
            }
        }
        Ok(sizes)
    }

    /// Drops the logs and artifacts of a job.
    ///
    /// # Errors
    /// If the storage does not do as it is asked; some may be left.
    pub async fn drop_job(&self, job: JobId) -> Result<(), LogError> {
        for folder in FOLDERS {
            let folder = ObjectPath::from(format!("{folder}/{job}"));
            let objects: Vec<_> = self.objects().list(Some(&folder)).try_collect().await?;
            for object in objects {
                self.objects().delete(&object.location).await?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// The repositories of those of these jobs that are over.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn repos_of_ended(
        &self,
        jobs: Vec<JobId>,
    ) -> Result<BTreeMap<JobId, RepoLabel>, StoreError> {
        self.read(move |connection| {
            let mut repos = BTreeMap::new();
            for some in jobs.chunks(ASKED) {
                let ids: Vec<_> = some.iter().map(|job| to_row(job.0)).collect();
                let rows: Vec<(i64, String)> = dsl::jobs
                    .filter(dsl::id.eq_any(ids))
                    .filter(dsl::is_over.eq(true))
                    .select((dsl::id, dsl::repo))
                    .load(connection)?;
                let rows = rows.into_iter();
                repos.extend(rows.map(|(id, repo)| (JobId(from_row(id)), RepoLabel::new(&repo))));
            }
            Ok(repos)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use paprq_core::ids::AttemptNumber;
    use paprq_core::jobs::Attempt;

    #[tokio::test]
    async fn logs_are_counted_by_job_and_dropped_by_job() {
        let folder = tempfile::tempdir().unwrap();
        let logs = Logs::open(&format!("file:{}", folder.path().display())).unwrap();
        let attempt = |job, number| Attempt {
            job: JobId(job),
            number: AttemptNumber(number),
        };
        for (job, number, text) in [(7, 1, "four"), (7, 2, "five!"), (8, 1, "x")] {
            let text = Bytes::from_static(str::as_bytes(text));
            logs.append(attempt(job, number), 0, text).await.unwrap();
        }
        logs.seal(attempt(7, 1)).await.unwrap();
        let sizes = logs.bytes_by_job().await.unwrap();
        assert_eq!(sizes, BTreeMap::from([(JobId(7), 9), (JobId(8), 1)]));
        logs.drop_job(JobId(7)).await.unwrap();
        let sizes = logs.bytes_by_job().await.unwrap();
        assert_eq!(sizes, BTreeMap::from([(JobId(8), 1)]));
        assert_eq!(logs.len(attempt(7, 1)).await.unwrap(), 0);
    }
}
