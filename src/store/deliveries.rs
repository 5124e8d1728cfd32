//! The inbox: what came in, stored before it is answered.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};

use super::schema::inbox::dsl;
use super::{Store, StoreError, from_document, from_row, to_document};
use paprq_core::ids::{RepoLabel, Timestamp};
use paprq_core::queue::event::Event;

/// A row of the inbox.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InboxId(pub(super) i64);

/// Something that came in.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// For which repository.
    pub repo: RepoLabel,
    /// The sender's own id for it: a second one of the same id is not stored.
    pub id: Option<String>,
    /// What it says.
    pub events: Vec<Event>,
    /// When it came.
    pub received_at: Timestamp,
}

/// A delivery that is stored and not yet applied.
#[derive(Clone, Debug)]
pub struct InboxRow {
    /// Its row.
    pub id: InboxId,
    /// What it says.
    pub events: Vec<Event>,
}

/// Whether a delivery was new.
#[derive(Clone, Debug)]
pub enum Stored {
    /// It was, and is now durable.
    New(InboxRow),
    /// One with this id is stored already.
    Again,
}

impl Store {
    /// Makes a delivery durable.
    ///
    /// # Errors
    /// Nothing is stored if this fails; the sender must be told.
    pub async fn take_in(&self, delivery: Delivery) -> Result<Stored, StoreError> {
        self.write(move |connection| take_in(connection, delivery))
            .await
    }

    /// The deliveries of a repository that are not yet applied, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn unapplied(&self, repo: &RepoLabel) -> Result<Vec<InboxRow>, StoreError> {
        let repo = repo.as_str().to_owned();
        self.read(move |connection| {
            let rows: Vec<(i64, String)> = dsl::inbox
                .filter(dsl::repo.eq(repo))
                .filter(dsl::done_at.is_null())
                .order(dsl::id)
                .select((dsl::id, dsl::events))
                .load(connection)?;
            rows.into_iter()
                .map(|(id, events)| {
                    Ok(InboxRow {
                        id: InboxId(id),
                        events: from_document("inbox", &events)?,
                    })
                })
                .collect()
        })
        .await
    }

    /// Forgets applied deliveries that came before this moment. Returns how many.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn prune_inbox(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| {
            let old = dsl::inbox
                .filter(dsl::done_at.is_not_null())
                .filter(dsl::received_at.lt(before.0));
            let pruned = diesel::delete(old).execute(connection)?;
            Ok(from_row(i64::try_from(pruned).unwrap_or(i64::MAX)))
        })
        .await
    }
}

pub(super) fn take_in(
    connection: &mut diesel::SqliteConnection,
    delivery: Delivery,
) -> Result<Stored, StoreError> {
    if let Some(id) = &delivery.id {
        let known: Option<i64> = dsl::inbox
            .filter(dsl::delivery.eq(id))
            .select(dsl::id)
            .first(connection)
            .optional()?;
        if known.is_some() {
            return Ok(Stored::Again);
        }
    }
    let row: i64 = diesel::insert_into(dsl::inbox)
        .values((
            dsl::repo.eq(delivery.repo.as_str()),
            dsl::delivery.eq(delivery.id.as_deref()),
            dsl::events.eq(to_document("inbox", &delivery.events)?),
            dsl::received_at.eq(delivery.received_at.0),
        ))
        .returning(dsl::id)
        .get_result(connection)?;
    Ok(Stored::New(InboxRow {
        id: InboxId(row),
        events: delivery.events,
    }))
}
