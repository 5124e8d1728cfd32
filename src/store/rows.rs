//! What the core knows, row by row.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl,
    SqliteConnection,
};

use super::document::Document;
use super::schema::{pulls, repos, run_members, runs};
use super::{Store, StoreError, from_document, from_row, to_document, to_row};
use paprq_core::ids::{PullNumber, RepoLabel, RunId, Timestamp};
use paprq_core::queue::RepoState;
use paprq_core::queue::pull::{Pull, Register, Stage};
use paprq_core::queue::pull_test::PullTestStage;
use paprq_core::queue::run::Run;

/// A repository's own row.
#[derive(Clone, Debug)]
pub struct RepoRow {
    /// What the queue knows of it as a whole.
    pub state: RepoState,
    /// Up to when GitHub was asked for everything, by GitHub's clock; `None` if never.
    pub synced_at: Option<Timestamp>,
}

/// Up to when a repository's past is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Watermark {
    /// When the repository was first served: what was said before is history.
    pub known_since: Timestamp,
    /// Up to when GitHub was asked for everything; `None` if never.
    pub synced_at: Option<Timestamp>,
}

/// All that the core needs to go on where it stopped.
#[derive(Clone, Debug)]
pub struct SavedRepo {
    /// The repository's own row.
    pub row: RepoRow,
    /// Its open pulls, and closed ones that changed lately.
    pub pulls: Vec<Pull>,
    /// Its runs in flight, and the latest ones of each of those pulls.
    pub runs: Vec<Run>,
}

impl Store {
    /// What is known of a repository; makes its row, as known since `now`, if it is new. Pulls that
    /// were closed before `closed_since` are left out.
    ///
    /// # Errors
    /// If the database cannot be used, or holds a document that this version cannot read.
    pub async fn load_repo(
        &self,
        label: &RepoLabel,
        closed_since: Timestamp,
        now: Timestamp,
    ) -> Result<SavedRepo, StoreError> {
        let label = label.as_str().to_owned();
        self.write(move |connection| {
            let row = find_or_add_repo(connection, &label, now)?;
            let pulls = load_pulls(connection, &label, closed_since)?;
            let runs = load_runs(connection, &label, &pulls)?;
            Ok(SavedRepo { row, pulls, runs })
        })
        .await
    }

    /// Remembers up to when GitHub was asked for everything.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn set_synced_at(
        &self,
        label: &RepoLabel,
        synced_at: Timestamp,
    ) -> Result<(), StoreError> {
        let label = label.as_str().to_owned();
        self.write(move |connection| {
            diesel::update(repos::table.find(label))
                .set(repos::synced_at.eq(synced_at.0))
                .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Up to when a repository's past is known.
    ///
    /// # Errors
    /// If the database cannot be read, or has no such repository.
    pub async fn watermark(&self, label: &RepoLabel) -> Result<Watermark, StoreError> {
        let label = label.as_str().to_owned();
        self.read(move |connection| {
            let (known_since, synced_at): (i64, Option<i64>) = repos::table
                .find(label)
                .select((repos::known_since, repos::synced_at))
                .first(connection)?;
            Ok(Watermark {
                known_since: Timestamp(known_since),
                synced_at: synced_at.map(Timestamp),
            })
        })
        .await
    }

    /// A run and its repository.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn run(&self, id: RunId) -> Result<Option<StoredRun>, StoreError> {
        self.read(move |connection| {
            let row: Option<(String, String)> = runs::table
                .find(to_row(id.0))
                .select((runs::repo, runs::doc))
                .first(connection)
                .optional()?;
            row.map(|(repo, doc)| {
                Ok(StoredRun {
                    repo: RepoLabel::new(repo),
                    run: from_document("runs", &doc)?,
                })
            })
            .transpose()
        })
        .await
    }

    /// The runs of a pull, youngest first, at most `limit`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn runs_of_pull(
        &self,
        repo: &RepoLabel,
        pull: PullNumber,
        limit: u32,
    ) -> Result<Vec<Run>, StoreError> {
        let repo = repo.as_str().to_owned();
        self.read(move |connection| {
            let ids = run_members::table
                .filter(run_members::repo.eq(repo))
                .filter(run_members::pull.eq(to_row(pull.0)))
                .select(run_members::run);
            let docs: Vec<String> = runs::table
                .filter(runs::id.eq_any(ids))
                .order(runs::id.desc())
                .limit(i64::from(limit))
                .select(runs::doc)
                .load(connection)?;
            docs.iter().map(|doc| from_document("runs", doc)).collect()
        })
        .await
    }

    /// A pull that may be long closed.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn pull(
        &self,
        repo: &RepoLabel,
        number: PullNumber,
    ) -> Result<Option<Pull>, StoreError> {
        let repo = repo.as_str().to_owned();
        self.read(move |connection| {
            let doc: Option<String> = pulls::table
                .find((repo, to_row(number.0)))
                .select(pulls::doc)
                .first(connection)
                .optional()?;
            doc.map(|doc| from_document("pulls", &doc)).transpose()
        })
        .await
    }
}

/// A run, and whose it is.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// Of which repository.
    pub repo: RepoLabel,
    /// The run.
    pub run: Run,
}

pub(super) fn find_or_add_repo(
    connection: &mut SqliteConnection,
    label: &str,
    now: Timestamp,
) -> Result<RepoRow, StoreError> {
    let known: Option<(String, Option<i64>)> = repos::table
        .find(label)
        .select((repos::desk, repos::synced_at))
        .first(connection)
        .optional()?;
    if let Some((state, synced_at)) = known {
        return Ok(RepoRow {
            state: from_document("repos", &state)?,
            synced_at: synced_at.map(Timestamp),
        });
    }
    let last: Option<i64> = repos::table
        .select(diesel::dsl::max(repos::ordinal))
        .first(connection)?;
    let ordinal = last.unwrap_or(0) + 1;
    let state = RepoState {
        tree: Register::default(),
        last_run: RunId::before_first(from_row(ordinal)),
        bases: BTreeMap::new(),
        welcome: BTreeSet::new(),
        tips: BTreeMap::new(),
    };
    diesel::insert_into(repos::table)
        .values((
            repos::label.eq(label),
            repos::ordinal.eq(ordinal),
            repos::known_since.eq(now.0),
            repos::desk.eq(to_document("repos", &state)?),
        ))
        .execute(connection)?;
    Ok(RepoRow {
        state,
        synced_at: None,
    })
}

fn load_pulls(
    connection: &mut SqliteConnection,
    label: &str,
    closed_since: Timestamp,
) -> Result<Vec<Pull>, StoreError> {
    let docs: Vec<String> = pulls::table
        .filter(pulls::repo.eq(label))
        .filter(
            pulls::is_open
                .eq(true)
                .or(pulls::updated_at.ge(closed_since.0)),
        )
        .select(pulls::doc)
        .load(connection)?;
    documents("pulls", &docs)
}

fn load_runs(
    connection: &mut SqliteConnection,
    label: &str,
    pulls: &[Pull],
) -> Result<Vec<Run>, StoreError> {
    let in_flight: Vec<String> = runs::table
        .filter(runs::repo.eq(label))
        .filter(runs::is_over.eq(false))
        .select(runs::doc)
        .load(connection)?;
    let runs = documents::<Run>("runs", &in_flight)?;
    // The run that one in flight repeats is looked at once more.
    let repeated = runs.iter().filter_map(|run| run.repeats);
    let over: BTreeSet<RunId> = pulls.iter().flat_map(referred).chain(repeated).collect();
    let mut docs = in_flight;
    for id in over {
        let over: Option<String> = runs::table
            .find(to_row(id.0))
            .filter(runs::is_over.eq(true))
            .select(runs::doc)
            .first(connection)
            .optional()?;
        docs.extend(over);
    }
    documents("runs", &docs)
}

/// The runs that a pull refers to.
fn referred(pull: &Pull) -> impl Iterator<Item = RunId> {
    let repeated = match pull.stage {
        Stage::RetryWanted { of, .. } => Some(of),
        Stage::Idle | Stage::TryWanted { .. } | Stage::Running { .. } | Stage::Ended { .. } => None,
    };
    let pull_test_repeated = match pull.own.stage {
        PullTestStage::Wanted { of, .. } => of,
        PullTestStage::Idle
        | PullTestStage::Skipped
        | PullTestStage::Asking { .. }
        | PullTestStage::Untrusted
        | PullTestStage::Running { .. }
        | PullTestStage::Ended { .. } => None,
    };
    [
        pull.last_run,
        pull.own.last_run,
        repeated,
        pull_test_repeated,
    ]
    .into_iter()
    .flatten()
}

fn documents<T: Document>(table: &'static str, docs: &[String]) -> Result<Vec<T>, StoreError> {
    docs.iter().map(|doc| from_document(table, doc)).collect()
}

pub(super) fn save_state(
    connection: &mut SqliteConnection,
    label: &str,
    state: &RepoState,
) -> Result<(), StoreError> {
    diesel::update(repos::table.find(label))
        .set(repos::desk.eq(to_document("repos", state)?))
        .execute(connection)?;
    Ok(())
}

pub(super) fn save_pull(
    connection: &mut SqliteConnection,
    label: &str,
    pull: &Pull,
) -> Result<(), StoreError> {
    diesel::replace_into(pulls::table)
        .values((
            pulls::repo.eq(label),
            pulls::number.eq(to_row(pull.number().0)),
            pulls::is_open.eq(pull.is_open()),
            pulls::updated_at.eq(pull.facts.updated_at.0),
            pulls::doc.eq(to_document("pulls", pull)?),
        ))
        .execute(connection)?;
    Ok(())
}

pub(super) fn save_run(
    connection: &mut SqliteConnection,
    label: &str,
    run: &Run,
) -> Result<(), StoreError> {
    let id = to_row(run.id.0);
    let is_new = diesel::update(runs::table.find(id))
        .set((
            runs::is_over.eq(run.is_over()),
            runs::doc.eq(to_document("runs", run)?),
        ))
        .execute(connection)?
        == 0;
    if !is_new {
        return Ok(());
    }
    diesel::insert_into(runs::table)
        .values((
            runs::id.eq(id),
            runs::repo.eq(label),
            runs::is_over.eq(run.is_over()),
            runs::doc.eq(to_document("runs", run)?),
        ))
        .execute(connection)?;
    for member in &run.members {
        diesel::insert_into(run_members::table)
            .values((
                run_members::run.eq(id),
                run_members::repo.eq(label),
                run_members::pull.eq(to_row(member.pull.0)),
            ))
            .execute(connection)?;
    }
    Ok(())
}
