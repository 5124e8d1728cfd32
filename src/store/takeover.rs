//! Writing down what is taken over from another queue.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection};

use super::rows::{find_or_add_repo, save_desk, save_pull, save_run};
use super::schema::{pulls, repos};
use super::{Store, StoreError, from_document, to_row};
use crate::ids::{PullNumber, RepoLabel, Timestamp};
use crate::queue::Tree;
use crate::queue::imported::{ImportedPull, Takeover, TreeTaken};
use crate::queue::pull::Pull;

/// What another queue knew of a repository.
#[derive(Clone, Debug)]
pub struct ImportedRepo {
    /// Our label of it.
    pub label: RepoLabel,
    /// Until when the other queue knew what was said.
    pub until: Timestamp,
    /// Whether its tree is closed, if the other queue says so.
    pub tree: Option<Tree>,
    /// Its open pulls.
    pub pulls: Vec<ImportedPull>,
}

/// What became of an [`ImportedRepo`].
#[derive(Clone, Debug)]
pub struct RepoTakeover {
    /// What became of the tree, if the other queue said something of it.
    pub tree: Option<TreeTaken>,
    /// What became of the pulls, in their order.
    pub pulls: Vec<Takeover>,
}

impl Store {
    /// Takes over what another queue knew, where nobody said otherwise here; all of it or nothing.
    ///
    /// A repository that was never swept is from now on known until `until`: the first sweep reads
    /// what was said since, and acts on it.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub async fn take_over(&self, found: ImportedRepo) -> Result<RepoTakeover, StoreError> {
        self.write(move |connection| take_over(connection, found))
            .await
    }
}

fn take_over(
    connection: &mut SqliteConnection,
    found: ImportedRepo,
) -> Result<RepoTakeover, StoreError> {
    let (label, until) = (found.label.as_str(), found.until);
    let mut desk = find_or_add_repo(connection, label, until)?.desk;
    let tree = found.tree.map(|tree| desk.take_over_tree(tree, until));
    let mut taken = Vec::with_capacity(found.pulls.len());
    for pull in found.pulls {
        let known = find_pull(connection, label, pull.facts.number)?;
        let takeover = Takeover::of(pull, known, until, desk.last_run.next());
        save_pull(connection, label, &takeover.pull)?;
        if let Some(run) = &takeover.run {
            save_run(connection, label, run)?;
            desk.last_run = run.id;
        }
        taken.push(takeover);
    }
    save_desk(connection, label, &desk)?;
    diesel::update(repos::table.find(label).filter(repos::synced_at.is_null()))
        .set(repos::synced_at.eq(until.0))
        .execute(connection)?;
    Ok(RepoTakeover { tree, pulls: taken })
}

fn find_pull(
    connection: &mut SqliteConnection,
    label: &str,
    number: PullNumber,
) -> Result<Option<Pull>, StoreError> {
    let doc: Option<String> = pulls::table
        .find((label, to_row(number.0)))
        .select(pulls::doc)
        .first(connection)
        .optional()?;
    doc.map(|doc| from_document("pulls", &doc)).transpose()
}
