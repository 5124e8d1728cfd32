//! Homu's `main.db`: read as it is, without a word of what it means.
//!
//! The file may be in use. It is opened for reading only, and all of its tables are read in one
//! transaction, so that they are of one moment. Such a transaction lets Homu begin to write, and
//! lets it finish as soon as the rows are in memory: milliseconds, where Homu's own wait for the
//! file is five seconds. A copy of the file's bytes would hold nobody up, but may be torn while Homu
//! writes. `immutable=1` would not see that either. Only a file that SQLite cannot read where it lies,
//! or not without leaving something beside it, is copied: see `copied`.
//!
//! Columns are looked for before they are read. The two lines of Homu, and their older versions,
//! have not all of them; what is missing reads as nothing.

mod copied;
mod row;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

pub use self::row::{Odd, Row};
use crate::clock;
use paprq_core::ids::Timestamp;

/// What Homu's file holds.
#[derive(Debug)]
pub struct HomuFile {
    /// When Homu wrote it last: what was said until then is in it.
    pub written_at: Timestamp,
    /// Table `repos`.
    pub repos: Vec<Row>,
    /// Table `pull`.
    pub pulls: Vec<Row>,
    /// Table `build_res`.
    pub results: Vec<Row>,
    /// Table `mergeable`.
    pub mergeable: Vec<Row>,
    /// Table `retry_log`.
    pub retries: Vec<Row>,
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum HomuError {
    /// It cannot be read at all: the path or the rights must be looked at.
    #[error("read {path}: {why}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why not.
        why: String,
    },
    /// It can be read, but is not Homu's.
    #[error("{path} is no database of Homu: {why}")]
    NotHomu {
        /// Which file.
        path: String,
        /// What is missing or wrong.
        why: String,
    },
    /// Homu writes to it without a pause; may be tried again.
    #[error("{path} is being written to; try again")]
    Busy {
        /// Which file.
        path: String,
    },
}

/// How long a commit of Homu's is waited for, in milliseconds.
const BUSY_MS: u32 = 10_000;

/// What stands for itself in a `file:` address.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// A table and the columns that are looked for in it.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
}

const REPOS: Table = Table {
    name: "repos",
    columns: &["repo", "treeclosed", "treeclosed_src"],
};
const PULL: Table = Table {
    name: "pull",
    columns: &[
        "repo",
        "num",
        "status",
        "merge_sha",
        "title",
        "body",
        "head_sha",
        "head_ref",
        "base_ref",
        "approved_by",
        "priority",
        "try_",
        "try_choose",
        "rollup",
        "squash",
        "delegate",
    ],
};
const BUILD_RES: Table = Table {
    name: "build_res",
    columns: &["repo", "num", "builder", "res", "url", "merge_sha"],
};
const MERGEABLE: Table = Table {
    name: "mergeable",
    columns: &["repo", "num", "mergeable"],
};
const RETRY_LOG: Table = Table {
    name: "retry_log",
    columns: &["repo", "num", "time", "src", "msg"],
};

/// The columns of table `pull` that every version of Homu has.
const NEEDED: [&str; 4] = ["repo", "num", "head_sha", "approved_by"];

/// Reads Homu's file, whether Homu uses it or not.
///
/// # Errors
/// See [`HomuError`].
pub fn read(path: &Path) -> Result<HomuFile, HomuError> {
    // Asked before anything is read: what Homu writes meanwhile then counts as not yet known.
    let written_at = written_at(path)?;
    let found = if copied::is_needed(path) {
        read_copy(path, written_at)
    } else {
        match read_at(&read_only(path), written_at) {
            Err(Failure::Refused(_)) => read_copy(path, written_at),
            outcome => outcome,
        }
    };
    found.map_err(|failure| failure.of(path))
}

fn read_copy(path: &Path, written_at: Timestamp) -> Result<HomuFile, Failure> {
    let copy = copied::copy(path)?;
    read_at(&address(&copy.file()), written_at)
}

/// When a database was written to last, in either of the files that make it up.
fn written_at(path: &Path) -> Result<Timestamp, HomuError> {
    let written = |path: &Path| {
        let written = fs::metadata(path)?.modified()?;
        let since = written.duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Ok::<_, std::io::Error>(Timestamp(ms))
    };
    let file = written(path).map_err(|error| HomuError::Unreadable {
        path: path.display().to_string(),
        why: error.to_string(),
    })?;
    let log = written(&beside(path, "-wal")).ok();
    Ok(Some(file).max(log).unwrap_or(file).min(clock::now()))
}

/// A file that SQLite keeps beside a database.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn address(path: &Path) -> String {
    let path = percent_encode(path.as_os_str().as_encoded_bytes(), IN_ADDRESS);
    format!("file:{path}")
}

fn read_only(path: &Path) -> String {
    format!("{}?mode=ro", address(path))
}

/// Why reading failed, before it is told of which file.
#[derive(Debug)]
enum Failure {
    /// SQLite does not read it where it lies.
    Refused(String),
    NotHomu(String),
    Busy,
}

impl Failure {
    fn of(self, path: &Path) -> HomuError {
        let path = path.display().to_string();
        match self {
            Self::Refused(why) => HomuError::Unreadable { path, why },
            Self::NotHomu(why) => HomuError::NotHomu { path, why },
            Self::Busy => HomuError::Busy { path },
        }
    }
}

impl From<diesel::result::Error> for Failure {
    /// diesel passes on nothing but SQLite's words.
    fn from(error: diesel::result::Error) -> Self {
        let why = error.to_string();
        let says = |words: &str| why.contains(words);
        if says("not a database") || says("malformed") {
            Self::NotHomu(why)
        } else if says("locked") {
            Self::Busy
        } else {
            Self::Refused(why)
        }
    }
}

fn read_at(address: &str, written_at: Timestamp) -> Result<HomuFile, Failure> {
    let mut connection = SqliteConnection::establish(address)
        .map_err(|error| Failure::Refused(error.to_string()))?;
    let pragmas = format!("pragma busy_timeout = {BUSY_MS}; pragma query_only = on;");
    connection.batch_execute(&pragmas)?;
    connection.transaction(|connection| {
        check(connection)?;
        Ok(HomuFile {
            written_at,
            repos: rows(connection, &REPOS)?,
            pulls: rows(connection, &PULL)?,
            results: rows(connection, &BUILD_RES)?,
            mergeable: rows(connection, &MERGEABLE)?,
            retries: rows(connection, &RETRY_LOG)?,
        })
    })
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

fn words(connection: &mut SqliteConnection, query: &str) -> Result<Vec<String>, Failure> {
    let words: Vec<Word> = diesel::sql_query(query).load(connection)?;
    Ok(words.into_iter().map(|row| row.word).collect())
}

/// Looks whether this is what it should be.
fn check(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let columns = columns(connection, &PULL)?;
    if columns.is_empty() {
        return Err(Failure::NotHomu("it has no table \"pull\"".to_owned()));
    }
    let missing = NEEDED.iter().find(|name| !columns.contains(name));
    if let Some(name) = missing {
        let why = format!("its table \"pull\" has no column {name:?}");
        return Err(Failure::NotHomu(why));
    }
    let encoding = words(connection, "select encoding as word from pragma_encoding")?;
    if encoding != ["UTF-8"] {
        let why = format!("its texts are in {}", encoding.join(" "));
        return Err(Failure::NotHomu(why));
    }
    Ok(())
}

/// The columns of a table that are there; none if the table is not.
fn columns(connection: &mut SqliteConnection, table: &Table) -> Result<Vec<&'static str>, Failure> {
    let query = format!(
        "select name as word from pragma_table_info('{}')",
        table.name
    );
    let there = words(connection, &query)?;
    let known = table.columns.iter().copied();
    Ok(known
        .filter(|name| there.iter().any(|there| there.eq_ignore_ascii_case(name)))
        .collect())
}

/// All rows of a table. SQLite lets any value stand in any column, so each comes as its bytes, in
/// hexadecimal digits.
fn rows(connection: &mut SqliteConnection, table: &Table) -> Result<Vec<Row>, Failure> {
    let columns = columns(connection, table)?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let cells: Vec<String> = columns
        .iter()
        .map(|name| format!("case when \"{name}\" is null then '' else 'x' || hex(\"{name}\") end"))
        .collect();
    let cells = cells.join(" || ',' || ");
    let query = format!("select {cells} as word from \"{}\"", table.name);
    let lines = words(connection, &query)?;
    Ok(lines
        .iter()
        .map(|line| Row::from_cells(&columns, line))
        .collect())
}
