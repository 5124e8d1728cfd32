//! Webhooks that are still to be passed on to a service beside us.

use bytes::Bytes;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection};

use super::schema::forwards::dsl;
use super::{Store, StoreError, from_document, from_row, to_document, to_row};
use paprq_core::ids::{RepoLabel, Timestamp};

/// How much may wait for one repository.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BacklogBounds {
    /// How many webhooks.
    pub count_max: u64,
    /// Their bodies together, in bytes.
    pub bytes_max: u64,
}

/// A row of the webhooks to be passed on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ForwardId(i64);

/// A webhook to be passed on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Forwarded {
    /// Of which repository.
    pub repo: RepoLabel,
    /// The names and values of the headers that go with it.
    pub headers: Vec<(String, String)>,
    /// What it says, byte for byte.
    pub body: Bytes,
    /// When it came.
    pub received_at: Timestamp,
}

impl Store {
    /// Makes a webhook durable that is to be passed on; where too much waits then, the oldest are
    /// dropped. Returns how many were.
    ///
    /// # Errors
    /// Nothing is stored if this fails; the sender must be told.
    pub async fn add_forward(
        &self,
        forwarded: Forwarded,
        bounds: BacklogBounds,
    ) -> Result<u64, StoreError> {
        self.write(move |connection| {
            diesel::insert_into(dsl::forwards)
                .values((
                    dsl::repo.eq(forwarded.repo.as_str()),
                    dsl::headers.eq(to_document("forwards", &forwarded.headers)?),
                    dsl::bytes.eq(to_row(forwarded.body.len() as u64)),
                    dsl::body.eq(forwarded.body.as_ref()),
                    dsl::received_at.eq(forwarded.received_at.0),
                ))
                .execute(connection)?;
            drop_oldest(connection, &forwarded.repo, bounds)
        })
        .await
    }

    /// The oldest webhook of a repository that is to be passed on, and how many wait.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn next_forward(
        &self,
        repo: &RepoLabel,
    ) -> Result<Option<(ForwardId, Forwarded, u64)>, StoreError> {
        let repo = repo.clone();
        self.read(move |connection| {
            let of_repo = dsl::forwards.filter(dsl::repo.eq(repo.as_str()));
            let row: Option<(i64, String, Vec<u8>, i64)> = of_repo
                .order(dsl::id)
                .select((dsl::id, dsl::headers, dsl::body, dsl::received_at))
                .first(connection)
                .optional()?;
            let Some((id, headers, body, received_at)) = row else {
                return Ok(None);
            };
            let waiting: i64 = of_repo.count().get_result(connection)?;
            let forwarded = Forwarded {
                headers: from_document("forwards", &headers)?,
                repo,
                body: body.into(),
                received_at: Timestamp(received_at),
            };
            Ok(Some((ForwardId(id), forwarded, from_row(waiting))))
        })
        .await
    }

    /// Forgets a webhook: it was passed on, or never will be.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn forget_forward(&self, id: ForwardId) -> Result<(), StoreError> {
        self.write(move |connection| {
            diesel::delete(dsl::forwards.filter(dsl::id.eq(id.0))).execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Forgets webhooks that came before this moment, which nobody passes on any more.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn prune_forwards(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| {
            let old = dsl::forwards.filter(dsl::received_at.lt(before.0));
            diesel::delete(old).execute(connection)?;
            Ok(())
        })
        .await
    }
}

fn drop_oldest(
    connection: &mut SqliteConnection,
    repo: &RepoLabel,
    bounds: BacklogBounds,
) -> Result<u64, StoreError> {
    let rows: Vec<(i64, i64)> = dsl::forwards
        .filter(dsl::repo.eq(repo.as_str()))
        .order(dsl::id.desc())
        .select((dsl::id, dsl::bytes))
        .load(connection)?;
    let (mut count, mut bytes) = (0, 0);
    // The youngest stays, however large it is.
    let last_kept = rows.iter().take_while(|(_, size)| {
        count += 1;
        bytes += from_row(*size);
        count == 1 || (count <= bounds.count_max && bytes <= bounds.bytes_max)
    });
    let Some((last_kept, _)) = last_kept.last() else {
        return Ok(0);
    };
    let older = dsl::forwards
        .filter(dsl::repo.eq(repo.as_str()))
        .filter(dsl::id.lt(last_kept));
    let dropped = diesel::delete(older).execute(connection)?;
    Ok(dropped as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: BacklogBounds = BacklogBounds {
        count_max: 3,
        bytes_max: 10,
    };

    fn forwarded(repo: &str, body: &[u8], at: i64) -> Forwarded {
        Forwarded {
            repo: RepoLabel::new(repo),
            headers: vec![("x-github-event".to_owned(), "ping".to_owned())],
            body: Bytes::copy_from_slice(body),
            received_at: Timestamp(at),
        }
    }

    /// What waits, in order; it is forgotten.
    async fn take_all(store: &Store, repo: &str) -> Vec<Vec<u8>> {
        let mut bodies = Vec::new();
        while let Some((id, next, _)) = store.next_forward(&RepoLabel::new(repo)).await.unwrap() {
            store.forget_forward(id).await.unwrap();
            bodies.push(next.body.to_vec());
        }
        bodies
    }

    #[tokio::test]
    async fn what_waits_is_there_after_a_restart_byte_for_byte_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paprq.db");
        let store = Store::open(&file).unwrap();
        for (repo, body) in [("a", &b"\0\xff1"[..]), ("b", b"other"), ("a", b"2")] {
            let added = store.add_forward(forwarded(repo, body, 5), BOUNDS).await;
            assert_eq!(added.unwrap(), 0);
        }
        drop(store);
        let store = Store::open(&file).unwrap();
        let first = store.next_forward(&RepoLabel::new("a")).await.unwrap();
        let (_, first, waiting) = first.unwrap();
        assert_eq!((first, waiting), (forwarded("a", b"\0\xff1", 5), 2));
        assert_eq!(take_all(&store, "a").await, [&b"\0\xff1"[..], b"2"]);
        assert_eq!(take_all(&store, "b").await, [b"other"]);
    }

    #[tokio::test]
    async fn the_oldest_are_dropped_where_too_much_waits() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("paprq.db")).unwrap();
        let mut dropped = Vec::new();
        for body in ["1", "2", "3", "4"] {
            let forwarded = forwarded("a", body.as_bytes(), 5);
            dropped.push(store.add_forward(forwarded, BOUNDS).await.unwrap());
        }
        assert_eq!(dropped, [0, 0, 0, 1]);
        let large = forwarded("a", b"123456789", 5);
        assert_eq!(store.add_forward(large, BOUNDS).await.unwrap(), 2);
        assert_eq!(take_all(&store, "a").await, [&b"4"[..], b"123456789"]);
        let huge = forwarded("a", b"12345678901", 5);
        assert_eq!(store.add_forward(huge, BOUNDS).await.unwrap(), 0);
        assert_eq!(take_all(&store, "a").await.len(), 1);
    }

    #[tokio::test]
    async fn what_is_old_is_pruned() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("paprq.db")).unwrap();
        for (body, at) in [("old", 5), ("new", 6)] {
            let forwarded = forwarded("gone", body.as_bytes(), at);
            store.add_forward(forwarded, BOUNDS).await.unwrap();
        }
        store.prune_forwards(Timestamp(6)).await.unwrap();
        assert_eq!(take_all(&store, "gone").await, [b"new"]);
    }
}
