//! The retry log: who asked for a test to be run again, and in which words.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection};

use super::schema::retry_log::dsl;
use super::{Store, StoreError, from_row, to_row};
use paprq_core::ids::{Login, PullNumber, RepoLabel, Timestamp};

/// Somebody asked for a pull's test to be run again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retry {
    /// In which repository.
    pub repo: RepoLabel,
    /// Of which pull.
    pub pull: PullNumber,
    /// When the comment was made.
    pub at: Timestamp,
    /// Who made it; `None` where only the comment is known.
    pub who: Option<Login>,
    /// What it says.
    pub message: String,
    /// The address of the comment; empty where it is not known.
    pub source: String,
}

/// How much of a comment is kept, in characters.
const MESSAGE_CHARS_MAX: usize = 2000;

impl Store {
    /// Writes a retry down. The same comment's is the same one, and so is the same person's of the
    /// same moment on the same pull: written twice, it is there once.
    ///
    /// # Errors
    /// It is not written then, and may be again.
    pub async fn log_retry(&self, retry: Retry) -> Result<(), StoreError> {
        self.write(move |connection| {
            let message: String = retry.message.chars().take(MESSAGE_CHARS_MAX).collect();
            let who = retry.who.as_ref().map_or("", Login::as_str);
            if let Some(known) = same_comment(connection, &retry)? {
                // What Homu wrote down does not say who it was; what is read since does.
                let nameless = dsl::retry_log.find(known).filter(dsl::who.eq(""));
                diesel::update(nameless)
                    .set(dsl::who.eq(who))
                    .execute(connection)?;
                return Ok(());
            }
            diesel::insert_or_ignore_into(dsl::retry_log)
                .values((
                    dsl::repo.eq(retry.repo.as_str()),
                    dsl::number.eq(to_row(retry.pull.0)),
                    dsl::at.eq(retry.at.0),
                    dsl::who.eq(who),
                    dsl::message.eq(message),
                    dsl::source.eq(&retry.source),
                ))
                .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// The latest retries of a repository, youngest first, at most `limit`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn retry_log(&self, repo: &RepoLabel, limit: u32) -> Result<Vec<Retry>, StoreError> {
        let label = repo.clone();
        self.read(move |connection| {
            let rows: Vec<(i64, i64, String, String, String)> = dsl::retry_log
                .filter(dsl::repo.eq(label.as_str()))
                .order((dsl::at.desc(), dsl::id.desc()))
                .limit(i64::from(limit))
                .select((dsl::number, dsl::at, dsl::who, dsl::message, dsl::source))
                .load(connection)?;
            let retries = rows
                .into_iter()
                .map(|(number, at, who, message, source)| Retry {
                    repo: label.clone(),
                    pull: PullNumber(from_row(number)),
                    at: Timestamp(at),
                    who: (!who.is_empty()).then(|| Login::new(who)),
                    message,
                    source,
                });
            Ok(retries.collect())
        })
        .await
    }

    /// Forgets retries that were asked for before this moment.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn prune_retry_log(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| {
            diesel::delete(dsl::retry_log.filter(dsl::at.lt(before.0))).execute(connection)?;
            Ok(())
        })
        .await
    }
}

/// The row of the same comment, if that is known. A pull's comments have addresses below its page
/// as a pull or as an issue; what is behind `#` tells them apart.
fn same_comment(
    connection: &mut SqliteConnection,
    retry: &Retry,
) -> Result<Option<i64>, StoreError> {
    let Some((_, comment)) = retry.source.split_once('#') else {
        return Ok(None);
    };
    let rows: Vec<(i64, String)> = dsl::retry_log
        .filter(dsl::repo.eq(retry.repo.as_str()))
        .filter(dsl::number.eq(to_row(retry.pull.0)))
        .select((dsl::id, dsl::source))
        .load(connection)?;
    let same = rows.iter().find(|(_, source)| {
        let known = source.split_once('#');
        known.is_some_and(|(_, known)| known == comment)
    });
    Ok(same.map(|(id, _)| *id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(repo: &str, pull: u64, at: i64) -> Retry {
        Retry {
            repo: RepoLabel::new(repo),
            pull: PullNumber(pull),
            at: Timestamp(at),
            who: Some(Login::new("alice")),
            message: format!("@bot retry #{pull}"),
            source: String::new(),
        }
    }

    async fn logged(store: &Store) -> Vec<Retry> {
        store.retry_log(&RepoLabel::new("x"), 2).await.unwrap()
    }

    #[tokio::test]
    async fn retries_are_told_once_youngest_first_and_by_repository() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("paprq.db")).unwrap();
        for logged in [
            retry("x", 1, 1000),
            retry("x", 2, 3000),
            retry("y", 3, 4000),
            retry("x", 4, 2000),
            // The order is carried out a second time.
            retry("x", 2, 3000),
        ] {
            store.log_retry(logged).await.unwrap();
        }
        assert_eq!(
            logged(&store).await,
            [retry("x", 2, 3000), retry("x", 4, 2000)]
        );
        store.prune_retry_log(Timestamp(3000)).await.unwrap();
        assert_eq!(logged(&store).await, [retry("x", 2, 3000)]);
    }

    #[tokio::test]
    async fn a_comment_is_one_retry_whoever_tells_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("paprq.db")).unwrap();
        let at =
            |place: &str, comment: u64| format!("https://h/o/x/{place}/1#issuecomment-{comment}");
        let imported = Retry {
            who: None,
            source: at("issues", 7),
            ..retry("x", 1, 1500)
        };
        let read = Retry {
            source: at("pull", 7),
            ..retry("x", 1, 1000)
        };
        store.log_retry(imported.clone()).await.unwrap();
        assert_eq!(logged(&store).await, std::slice::from_ref(&imported));
        store.log_retry(read.clone()).await.unwrap();
        let named = Retry {
            who: read.who.clone(),
            ..imported.clone()
        };
        assert_eq!(logged(&store).await, std::slice::from_ref(&named));
        store.log_retry(imported).await.unwrap();
        assert_eq!(logged(&store).await, [named]);
        let other = Retry {
            source: at("pull", 8),
            ..read
        };
        store.log_retry(other).await.unwrap();
        assert_eq!(logged(&store).await.len(), 2);
    }

    #[tokio::test]
    async fn of_a_long_comment_the_beginning_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("paprq.db")).unwrap();
        let long = Retry {
            message: "é".repeat(MESSAGE_CHARS_MAX + 1),
            ..retry("x", 1, 1)
        };
        store.log_retry(long).await.unwrap();
        let kept = logged(&store).await.remove(0).message;
        assert_eq!(kept, "é".repeat(MESSAGE_CHARS_MAX));
    }
}
