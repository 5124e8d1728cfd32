//! Documents as rows of a database, as a server finds them at its start.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection, sql_query};
use paprq::store::Store;
use paprq::store::document::Kind;
use paprq_core::ids::{JobId, PullNumber, RepoLabel, RunId, Timestamp};
use paprq_core::jobs::Job;
use paprq_core::queue::RepoState;
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::Event;
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::Run;

use crate::fixtures::{Fixture, numbered, unnumbered};

/// All that one version wrote, as a start finds it.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) repos: Vec<RepoState>,
    pub(crate) pulls: Vec<Pull>,
    pub(crate) runs: Vec<Run>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) events: Vec<Event>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) headers: Vec<Vec<(String, String)>>,
}

/// The repository of the row with this number; each row has one of its own.
pub(crate) fn label(row: i64) -> RepoLabel {
    RepoLabel::new(format!("repo-{row}"))
}

/// Opens the database without the store.
pub(crate) fn connect(file: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    // A store that was dropped may still be closing the file.
    connection
        .batch_execute("pragma busy_timeout = 20000")
        .unwrap();
    connection
}

/// Puts documents into the tables, as a program of their version did. Returns what is in each row,
/// from row 1 on.
fn insert(connection: &mut SqliteConnection, fixtures: &[Fixture]) -> Vec<(i64, Kind)> {
    let mut rows = Vec::new();
    for fixture in fixtures {
        for line in &fixture.lines {
            let row = rows.len() as i64 + 1;
            rows.push((row, fixture.kind));
            let statement = match fixture.kind {
                Kind::Repo => {
                    "insert into repos (ordinal, label, desk, known_since) values (?1, ?2, ?3, 0)"
                }
                Kind::Pull => {
                    "insert into pulls (number, repo, doc, is_open, updated_at)
                     values (?1, ?2, ?3, true, 0)"
                }
                Kind::Run => "insert into runs (id, repo, doc, is_over) values (?1, ?2, ?3, false)",
                Kind::Job => {
                    "insert into jobs (id, repo, doc, run, context, is_over)
                     values (?1, ?2, ?3, ?1, '', false)"
                }
                Kind::Event => {
                    "insert into inbox (id, repo, events, received_at) values (?1, ?2, ?3, 0)"
                }
                Kind::Effect => {
                    "insert into outbox (id, repo, effect, ordered_at) values (?1, ?2, ?3, 0)"
                }
                Kind::Header => {
                    "insert into forwards (id, repo, headers, body, bytes, received_at)
                     values (?1, ?2, ?3, x'', 0, 0)"
                }
            };
            sql_query(statement)
                .bind::<BigInt, _>(row)
                .bind::<Text, _>(label(row).as_str())
                .bind::<Text, _>(stored(fixture, line))
                .execute(connection)
                .unwrap();
        }
    }
    rows
}

/// The text in the column: a delivery has a list of events.
fn stored(fixture: &Fixture, line: &str) -> String {
    let version = fixture.version;
    match fixture.kind {
        Kind::Event => numbered(version, &format!("[{}]", unnumbered(version, line))),
        Kind::Repo | Kind::Pull | Kind::Run | Kind::Job | Kind::Effect | Kind::Header => {
            line.to_owned()
        }
    }
}

/// Loads what one version wrote through the store, as a start does.
pub(crate) async fn load(file: &Path, fixtures: &[Fixture]) -> Loaded {
    drop(Store::open(file).unwrap());
    let mut connection = connect(file);
    let rows = insert(&mut connection, fixtures);
    // A program from before documents had numbers did not note their version.
    connection
        .batch_execute("update instance set document_version = 0")
        .unwrap();
    let store = Store::open(file).unwrap();
    let mut loaded = Loaded::default();
    for (row, kind) in rows {
        load_row(&store, row, kind, &mut loaded).await;
    }
    assert_eq!(store.open_jobs().await.unwrap(), loaded.jobs);
    loaded
}

async fn load_row(store: &Store, row: i64, kind: Kind, loaded: &mut Loaded) {
    let (label, id) = (label(row), row as u64);
    let start = Timestamp(0);
    match kind {
        Kind::Repo => loaded.repos.push(
            store
                .load_repo(&label, start, start)
                .await
                .unwrap()
                .row
                .state,
        ),
        Kind::Pull => {
            let mut saved = store.load_repo(&label, start, start).await.unwrap();
            let pull = store.pull(&label, PullNumber(id)).await.unwrap();
            assert_eq!(saved.pulls.first(), pull.as_ref());
            loaded.pulls.push(saved.pulls.remove(0));
        }
        Kind::Run => {
            let mut saved = store.load_repo(&label, start, start).await.unwrap();
            let run = store.run(RunId(id)).await.unwrap();
            assert_eq!(saved.runs.first(), run.map(|stored| stored.run).as_ref());
            loaded.runs.push(saved.runs.remove(0));
        }
        Kind::Job => {
            let mut jobs = store.jobs_of_run(RunId(id)).await.unwrap();
            assert_eq!(jobs.first(), store.job(JobId(id)).await.unwrap().as_ref());
            loaded.jobs.push(jobs.remove(0));
        }
        Kind::Event => {
            let mut deliveries = store.unapplied(&label).await.unwrap();
            loaded.events.extend(deliveries.remove(0).events);
        }
        Kind::Effect => {
            let mut orders = store.undone(&label).await.unwrap();
            loaded.effects.push(orders.remove(0).effect);
        }
        Kind::Header => {
            let (_, forwarded, _) = store.next_forward(&label).await.unwrap().unwrap();
            loaded.headers.push(forwarded.headers);
        }
    }
}
