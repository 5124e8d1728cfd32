//! By which number GitHub knows a repository, and how it is called there.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};

use super::schema::repos;
use super::{Store, StoreError, from_row, to_row};
use paprq_core::ids::{GitHubRepoId, RepoLabel};

/// What was learned of a repository's identity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredName {
    /// Its number.
    pub id: GitHubRepoId,
    /// `OWNER/NAME`, as it was last told.
    pub full_name: String,
    /// What cfg.toml called it then: with another name there, it may be about another repository.
    pub asked_as: String,
}

impl Store {
    /// What was last learned of a repository's identity; `None` if nothing was.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn name_of(&self, label: &RepoLabel) -> Result<Option<StoredName>, StoreError> {
        let label = label.as_str().to_owned();
        self.read(move |connection| {
            let row: Option<(Option<i64>, Option<String>, Option<String>)> = repos::table
                .find(label)
                .select((repos::github_id, repos::github_name, repos::asked_as))
                .first(connection)
                .optional()?;
            Ok(row.and_then(|(id, full_name, asked_as)| {
                Some(StoredName {
                    id: GitHubRepoId(from_row(id?)),
                    full_name: full_name?,
                    asked_as: asked_as?,
                })
            }))
        })
        .await
    }

    /// Remembers a repository's identity.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn set_name(&self, label: &RepoLabel, name: StoredName) -> Result<(), StoreError> {
        let label = label.as_str().to_owned();
        self.write(move |connection| {
            diesel::update(repos::table.find(label))
                .set((
                    repos::github_id.eq(to_row(name.id.0)),
                    repos::github_name.eq(name.full_name),
                    repos::asked_as.eq(name.asked_as),
                ))
                .execute(connection)?;
            Ok(())
        })
        .await
    }
}
