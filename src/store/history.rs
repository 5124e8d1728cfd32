//! The event log: what happened to a repository, for people.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

use super::schema::events::dsl;
use super::{Store, StoreError, from_document};
use crate::ids::{RepoLabel, Timestamp};
use crate::queue::effect::Effect;
use crate::queue::event::Event;

/// One event and what it led to.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    /// When it was applied.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// What was ordered.
    pub effects: Vec<Effect>,
}

impl Store {
    /// The latest events of a repository, youngest first, at most `limit`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn latest_events(
        &self,
        repo: &RepoLabel,
        limit: u32,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let repo = repo.as_str().to_owned();
        self.read(move |connection| {
            let rows: Vec<(i64, String, String)> = dsl::events
                .filter(dsl::repo.eq(repo))
                .order(dsl::id.desc())
                .limit(i64::from(limit))
                .select((dsl::at, dsl::event, dsl::effects))
                .load(connection)?;
            rows.into_iter()
                .map(|(at, event, effects)| {
                    Ok(LoggedEvent {
                        at: Timestamp(at),
                        event: from_document("events", &event)?,
                        effects: from_document("events", &effects)?,
                    })
                })
                .collect()
        })
        .await
    }

    /// Forgets what happened before this moment.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn prune_events(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| {
            diesel::delete(dsl::events.filter(dsl::at.lt(before.0))).execute(connection)?;
            Ok(())
        })
        .await
    }
}
