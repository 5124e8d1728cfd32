//! Writing down what is taken over from another queue.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl,
    SqliteConnection,
};

use super::rows::{find_or_add_repo, save_pull, save_run, save_state};
use super::schema::{pulls, repos, runs};
use super::steps::order;
use super::{Store, StoreError, from_document, to_row};
use paprq_core::ids::{PullNumber, RepoLabel, Timestamp};
use paprq_core::queue::Tree;
use paprq_core::queue::imported::{ImportedPull, Landing, Takeover, TreeTaken, Turnover};
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::Run;

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
    let mut state = find_or_add_repo(connection, label, until)?.state;
    let tree = found.tree.map(|tree| state.take_over_tree(tree, until));
    let mut landing = landing(connection, label)?;
    let mut pulls = found.pulls;
    // Of several tests that are to land, the one that was next goes on.
    pulls.sort_by_key(ImportedPull::turn);
    let mut taken = Vec::with_capacity(pulls.len());
    for pull in pulls {
        let known = find_pull(connection, label, pull.facts.number)?;
        let turnover = Turnover {
            until,
            run: state.last_run.next(),
            landing,
        };
        let takeover = Takeover::of(pull, known, turnover);
        save_pull(connection, label, &takeover.pull)?;
        if let Some(run) = &takeover.run {
            save_run(connection, label, run)?;
            state.last_run = run.id;
            landing = landing.after(run);
        }
        for effect in &takeover.orders {
            let _row = order(connection, label, until, effect)?;
        }
        taken.push(takeover);
    }
    taken.sort_by_key(|takeover| takeover.pull.number());
    save_state(connection, label, &state)?;
    diesel::update(repos::table.find(label).filter(repos::synced_at.is_null()))
        .set(repos::synced_at.eq(until.0))
        .execute(connection)?;
    Ok(RepoTakeover { tree, pulls: taken })
}

/// Whether a run that is to land is in flight here.
fn landing(connection: &mut SqliteConnection, label: &str) -> Result<Landing, StoreError> {
    let docs: Vec<String> = runs::table
        .filter(runs::repo.eq(label).and(runs::is_over.eq(false)))
        .select(runs::doc)
        .load(connection)?;
    docs.iter().try_fold(Landing::Free, |landing, doc| {
        let run: Run = from_document("runs", doc)?;
        Ok(landing.after(&run))
    })
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
