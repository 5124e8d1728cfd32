//! The event log: what happened to a repository, for people who look into the database.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};

use super::schema::events::dsl;
use super::{Store, StoreError};
use paprq_core::ids::Timestamp;

impl Store {
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
