//! Every change of the schema, tried on a database with rows that the version before it wrote.
//!
//! Two files beside `up.sql` are for this test. `before.sql` writes rows, as the version before the
//! change wrote them; they stay for all later changes. `after.sql` has queries that hold once the
//! change is made, and not before. All else must be as it was: a change that is meant to change what
//! is in a column says so in a line `-- changes TABLE.COLUMN` of `after.sql`.

mod faults;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");

#[test]
fn every_upgrade_keeps_what_its_predecessor_wrote_and_can_be_taken_back() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    let upgraded = upgrade(&mut connection, Path::new(MIGRATIONS));
    assert_eq!(upgraded, Ok(()));
}

/// Makes all changes of a folder, in their order, each on a database with rows.
fn upgrade(connection: &mut SqliteConnection, folder: &Path) -> Result<(), String> {
    let _makes_the_table_of_versions = connection.applied_migrations().unwrap();
    let source = FileBasedMigrations::from_path(folder).unwrap();
    let mut migrations: Vec<Box<dyn Migration<Sqlite>>> = source.migrations().unwrap();
    migrations.sort_by(|a, b| a.name().version().cmp(&b.name().version()));
    for migration in migrations {
        let name = migration.name().to_string();
        let change = Change {
            folder: folder.join(&name),
            migration,
        };
        let made = change.make(connection);
        made.map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

/// A change of the schema.
struct Change {
    folder: PathBuf,
    migration: Box<dyn Migration<Sqlite>>,
}

impl Change {
    /// Makes it, takes it back if it can be, and makes it again.
    fn make(&self, connection: &mut SqliteConnection) -> Result<(), String> {
        self.write_rows(connection)?;
        let claims = Claims::read(&self.folder.join("after.sql"))?;
        claims.are_news(connection)?;
        let before = Contents::of(connection);
        self.run(connection)?;
        let after = Contents::of(connection);
        before.are_kept_in(&after, &claims.changed)?;
        claims.hold(connection)?;
        if !self.folder.join("down.sql").exists() {
            return Ok(());
        }
        let reverted = connection.revert_migration(&*self.migration);
        reverted.map_err(|error| format!("down.sql fails: {error}"))?;
        if Contents::of(connection) != before {
            return Err("down.sql does not bring back what was there".to_owned());
        }
        self.run(connection)?;
        match Contents::of(connection) == after {
            true => Ok(()),
            false => Err("up.sql comes to something else after down.sql".to_owned()),
        }
    }

    fn run(&self, connection: &mut SqliteConnection) -> Result<(), String> {
        let run = connection.run_migration(&*self.migration);
        run.map(drop)
            .map_err(|error| format!("up.sql fails: {error}"))
    }

    /// Writes the rows of the version before; the first change finds nothing.
    fn write_rows(&self, connection: &mut SqliteConnection) -> Result<(), String> {
        let before = Contents::of(connection);
        if before.tables.is_empty() {
            return Ok(());
        }
        let rows = std::fs::read_to_string(self.folder.join("before.sql"));
        let rows = rows.map_err(|error| format!("before.sql cannot be read: {error}"))?;
        let written = connection.batch_execute(&rows);
        written.map_err(|error| format!("before.sql fails: {error}"))?;
        let now = Contents::of(connection);
        if now.count() <= before.count() {
            return Err("before.sql adds no rows".to_owned());
        }
        match now.tables.iter().find(|(_, rows)| rows.is_empty()) {
            Some((table, _)) => Err(format!("no before.sql up to here has rows of {table}")),
            None => Ok(()),
        }
    }
}

/// What `after.sql` says.
struct Claims {
    queries: Vec<String>,
    /// The columns of which the change changes what is in them, as `TABLE.COLUMN`.
    changed: BTreeSet<String>,
}

impl Claims {
    fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| format!("after.sql cannot be read: {error}"))?;
        let changed = text
            .lines()
            .filter_map(|line| line.strip_prefix("-- changes "));
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect();
        let code = code.join("\n");
        let queries = code
            .split(';')
            .map(str::trim)
            .filter(|query| !query.is_empty());
        let claims = Self {
            queries: queries.map(str::to_owned).collect(),
            changed: changed.map(str::to_owned).collect(),
        };
        match claims.queries.is_empty() {
            true => Err("after.sql says nothing".to_owned()),
            false => Ok(claims),
        }
    }

    /// A query that holds without the change shows nothing of it.
    fn are_news(&self, connection: &mut SqliteConnection) -> Result<(), String> {
        let known = |query: &&String| holds(connection, query) == Ok(true);
        match self.queries.iter().find(known) {
            Some(query) => Err(format!("this holds before the change, too: {query}")),
            None => Ok(()),
        }
    }

    fn hold(&self, connection: &mut SqliteConnection) -> Result<(), String> {
        for query in &self.queries {
            if !holds(connection, query)? {
                return Err(format!("this does not hold: {query}"));
            }
        }
        Ok(())
    }
}

fn holds(connection: &mut SqliteConnection, query: &str) -> Result<bool, String> {
    #[derive(QueryableByName)]
    struct Holds {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        holds: bool,
    }
    let query = format!("select (select * from ({query})) as holds");
    let held = diesel::sql_query(query).get_result::<Holds>(connection);
    held.map(|held| held.holds)
        .map_err(|error| error.to_string())
}

/// A row: what is in its columns, as SQL.
type Row = BTreeMap<String, String>;

/// What a database has in it.
#[derive(Debug, Eq, PartialEq)]
struct Contents {
    tables: BTreeMap<String, Vec<Row>>,
    /// How its columns and indexes are declared.
    declared: Vec<String>,
}

impl Contents {
    fn of(connection: &mut SqliteConnection) -> Self {
        let names = texts(
            connection,
            "select name as text from sqlite_master
             where type = 'table' and name not glob 'sqlite_*' and name not glob '__diesel_*'",
        );
        let tables = names.into_iter().map(|name| {
            let rows = rows(connection, &name);
            (name, rows)
        });
        Self {
            tables: tables.collect(),
            declared: texts(
                connection,
                "select m.name || ' ' || json_array(c.name, c.type, c.\"notnull\", c.dflt_value, c.pk)
                     as text
                 from sqlite_master m, pragma_table_info(m.name) c
                 where m.type = 'table' and m.name not glob 'sqlite_*'
                 union select sql from sqlite_master where type = 'index' and sql is not null
                 order by text",
            ),
        }
    }

    fn count(&self) -> usize {
        self.tables.values().map(Vec::len).sum()
    }

    /// Whether every row is still there, with the same in each column that is still there.
    fn are_kept_in(&self, after: &Self, changed: &BTreeSet<String>) -> Result<(), String> {
        for (table, rows) in &self.tables {
            let Some(now) = after.tables.get(table) else {
                return Err(format!("table {table} is lost with its rows"));
            };
            if now.len() != rows.len() {
                return Err(format!(
                    "rows of {table}: {} became {}",
                    rows.len(),
                    now.len()
                ));
            }
            let columns = rows.first().into_iter().flat_map(Row::keys);
            let common: Vec<&String> = columns
                .filter(|column| now.first().is_some_and(|row| row.contains_key(*column)))
                .filter(|column| !changed.contains(&format!("{table}.{column}")))
                .collect();
            if only(rows, &common) != only(now, &common) {
                return Err(format!("what is in {table} is not as it was"));
            }
        }
        Ok(())
    }
}

/// These columns of rows, in no order.
fn only(rows: &[Row], columns: &[&String]) -> Vec<Vec<Option<String>>> {
    let narrow = |row: &Row| {
        columns
            .iter()
            .map(|column| row.get(*column).cloned())
            .collect()
    };
    let mut narrowed: Vec<Vec<Option<String>>> = rows.iter().map(narrow).collect();
    narrowed.sort();
    narrowed
}

fn rows(connection: &mut SqliteConnection, table: &str) -> Vec<Row> {
    let columns = format!("select name as text from pragma_table_info('{table}') order by cid");
    let columns = texts(connection, &columns);
    let quoted: Vec<String> = columns
        .iter()
        .map(|name| format!("quote({name})"))
        .collect();
    let query = format!(
        "select json_array({}) as text from {table}",
        quoted.join(", ")
    );
    let rows = texts(connection, &query).into_iter().map(|row| {
        let values: Vec<String> = serde_json::from_str(&row).unwrap();
        columns.iter().cloned().zip(values).collect()
    });
    rows.collect()
}

fn texts(connection: &mut SqliteConnection, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let lines: Vec<Line> = diesel::sql_query(query).load(connection).unwrap();
    lines.into_iter().map(|line| line.text).collect()
}
