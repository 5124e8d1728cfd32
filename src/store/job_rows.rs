//! Jobs.

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection,
    TextExpressionMethods,
};

use super::deliveries::take_in;
use super::schema::jobs::dsl;
use super::{Delivery, Store, StoreError, Stored, from_document, from_row, to_document, to_row};
use paprq_core::ids::{JobId, RepoLabel, RunId, Timestamp};
use paprq_core::jobs::Job;
use paprq_core::suite::{self, Pass};

impl Store {
    /// Writes new jobs down and gives them their ids. One that its run has already is left out.
    ///
    /// # Errors
    /// Nothing is written if this fails.
    pub async fn add_jobs(&self, jobs: Vec<Job>) -> Result<Vec<Job>, StoreError> {
        self.write(move |connection| {
            let mut added = Vec::new();
            for job in jobs {
                added.extend(add_job(connection, job)?);
            }
            Ok(added)
        })
        .await
    }

    /// Writes down how jobs changed, and in the same transaction the news for their repositories.
    ///
    /// # Errors
    /// Nothing is written if this fails.
    pub async fn save_jobs(
        &self,
        jobs: Vec<Job>,
        news: Vec<Delivery>,
    ) -> Result<Vec<Stored>, StoreError> {
        self.write(move |connection| {
            for job in &jobs {
                save_job(connection, job)?;
            }
            news.into_iter()
                .map(|delivery| take_in(connection, delivery))
                .collect()
        })
        .await
    }

    /// All jobs that are not over.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn open_jobs(&self) -> Result<Vec<Job>, StoreError> {
        self.read(|connection| {
            let docs: Vec<String> = dsl::jobs
                .filter(dsl::is_over.eq(false))
                .order(dsl::id)
                .select(dsl::doc)
                .load(connection)?;
            docs.iter().map(|doc| from_document("jobs", doc)).collect()
        })
        .await
    }

    /// A job.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read(move |connection| {
            let doc: Option<String> = dsl::jobs
                .find(to_row(id.0))
                .select(dsl::doc)
                .first(connection)
                .optional()?;
            doc.map(|doc| from_document("jobs", &doc)).transpose()
        })
        .await
    }

    /// What passed on a tree, the latest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn passes(&self, repo: &RepoLabel, tree: String) -> Result<Vec<Pass>, StoreError> {
        let repo = repo.as_str().to_owned();
        self.read(move |connection| {
            let rows: Vec<(i64, Option<String>, Option<i64>)> = dsl::jobs
                .filter(dsl::repo.eq(repo))
                .filter(dsl::tree.eq(tree))
                .filter(dsl::passed_at.is_not_null())
                .order(dsl::passed_at.desc())
                .select((dsl::id, dsl::definition, dsl::passed_at))
                .load(connection)?;
            let passes = rows.into_iter().filter_map(|(id, definition, at)| {
                Some(Pass {
                    job: JobId(from_row(id)),
                    definition: definition?,
                    at: Timestamp(at?),
                })
            });
            Ok(passes.collect())
        })
        .await
    }

    /// The jobs of a run, in the order of its suites.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn jobs_of_run(&self, run: RunId) -> Result<Vec<Job>, StoreError> {
        self.read(move |connection| {
            let docs: Vec<String> = dsl::jobs
                .filter(dsl::run.eq(to_row(run.0)))
                .order(dsl::id)
                .select(dsl::doc)
                .load(connection)?;
            docs.iter().map(|doc| from_document("jobs", doc)).collect()
        })
        .await
    }
}

fn add_job(connection: &mut SqliteConnection, mut job: Job) -> Result<Option<Job>, StoreError> {
    let known: Option<i64> = dsl::jobs
        .filter(dsl::run.eq(to_row(job.run.0)))
        .filter(dsl::context.eq(&job.suite.context))
        .select(dsl::id)
        .first(connection)
        .optional()?;
    if known.is_some() {
        return Ok(None);
    }
    let id: i64 = diesel::insert_into(dsl::jobs)
        .values((
            dsl::repo.eq(job.repo.as_str()),
            dsl::run.eq(to_row(job.run.0)),
            dsl::context.eq(&job.suite.context),
            dsl::is_over.eq(false),
            dsl::doc.eq(""),
        ))
        .returning(dsl::id)
        .get_result(connection)?;
    job.id = JobId(from_row(id));
    save_job(connection, &job)?;
    Ok(Some(job))
}

/// Replaces the passwords that earlier versions kept by their digests.
///
/// # Errors
/// If the database cannot be read or written.
pub(super) fn hash_passwords(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let docs: Vec<String> = dsl::jobs
        .filter(dsl::doc.like("%\"git_token\":%"))
        .select(dsl::doc)
        .load(connection)?;
    for doc in docs {
        save_job(connection, &from_document("jobs", &doc)?)?;
    }
    Ok(())
}

fn save_job(connection: &mut SqliteConnection, job: &Job) -> Result<(), StoreError> {
    diesel::update(dsl::jobs.find(to_row(job.id.0)))
        .set((
            dsl::is_over.eq(job.is_over()),
            dsl::tree.eq(&job.tree),
            dsl::definition.eq(suite::definition(&job.suite)),
            dsl::passed_at.eq(job.passed_at().map(|at| at.0)),
            dsl::doc.eq(to_document("jobs", job)?),
        ))
        .execute(connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;

    use super::*;
    use paprq_core::ids::{AttemptNumber, WorkerId};
    use paprq_core::jobs::{JobState, PasswordDigest, Subject, Wish, WorkerKey};
    use paprq_core::queue::run::Purpose;

    const PASSWORD: &str = "0123456789abcdef0123456789abcdef01234567";

    fn leased() -> Job {
        let file = b"context: unit\nsandbox: true\ntests: [make]\n";
        let suites = suite::read(".papr.yml", file).unwrap();
        Job {
            id: JobId(0),
            repo: RepoLabel::new("demo"),
            run: RunId(1),
            purpose: Purpose::Land,
            priority: 0,
            commit: "7".repeat(40).parse().unwrap(),
            suite: suites.into_iter().next().unwrap(),
            subject: Subject::default(),
            tree: None,
            made_at: Timestamp(0),
            state: JobState::Leased {
                attempt: AttemptNumber(1),
                worker: WorkerKey {
                    token: "local".to_owned(),
                    name: WorkerId::new("w"),
                },
                until: Timestamp(60_000),
                wish: Wish::GoOn,
                git_password: PasswordDigest::of(PASSWORD),
            },
            attempts: Vec::new(),
        }
    }

    #[tokio::test]
    async fn passwords_of_earlier_versions_are_replaced_and_go_on_opening() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paprq.db");
        let added = Store::open(&file).unwrap().add_jobs(vec![leased()]).await;
        let job = added.unwrap().remove(0);
        let mut connection = super::super::testing::connect(&file);
        let as_before = format!(
            "update jobs set doc = json_set(json_remove(doc -> 'doc',
             '$.state.Leased.git_password'), '$.state.Leased.git_token', '{PASSWORD}')"
        );
        connection.batch_execute(&as_before).unwrap();
        let store = Store::open(&file).unwrap();
        let doc: String = dsl::jobs.select(dsl::doc).first(&mut connection).unwrap();
        assert!(!doc.contains(PASSWORD), "{doc}");
        assert_eq!(store.job(job.id).await.unwrap(), Some(job));
    }
}
