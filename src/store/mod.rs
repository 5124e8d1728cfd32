//! The database, and the storage of logs.
//!
//! Everything that must survive is here: what the core knows, what came in and is not yet applied
//! (inbox), what is ordered and not yet done (outbox), and what happened (event log). What it means
//! is decided elsewhere.

pub mod artifacts;
mod condition;
mod deliveries;
pub mod document;
mod forwards;
mod history;
pub mod homu;
mod job_rows;
pub mod logs;
mod names;
mod opening;
pub mod private;
mod quota;
mod retries;
mod rows;
mod schema;
mod steps;
mod takeover;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod upgrades;
mod writer;

use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sqlite::SqliteConnection;

pub use self::condition::Complaint;
pub use self::deliveries::{Delivery, InboxId, InboxRow, Stored};
use self::document::{Document, Unreadable};
pub use self::forwards::{BacklogBounds, ForwardId, Forwarded};
pub use self::names::StoredName;
pub use self::retries::Retry;
pub use self::rows::{RepoRow, SavedRepo, Watermark};
pub use self::steps::{Cause, Entry, OutboxId, OutboxRow, StepRecord, Stepped, UnderWay};
pub use self::takeover::{ImportedRepo, RepoTakeover};
use self::writer::Writer;
use paprq_core::ids::Login;

/// How many connections read at once.
const READERS: u32 = 4;

/// The database.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    readers: Pool<ConnectionManager<SqliteConnection>>,
    key: String,
    file: PathBuf,
}

/// Why the database did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened: the file, its folder, or the disk must be looked at.
    #[error("open the database {path}: {why}")]
    Open {
        /// Which file.
        path: String,
        /// Why not.
        why: String,
    },
    /// It has tables or documents of which nothing is known here.
    #[error(
        "open the database {path}: a newer version of paprq wrote it ({version}); start that \
         version, or put a backup from before its upgrade in its place"
    )]
    Newer {
        /// Which file.
        path: String,
        /// The latest change of its tables, or of its documents.
        version: String,
    },
    /// Its file is broken.
    #[error(
        "read the database {path}, which is damaged ({why}): stop the server and put a backup in its \
         place, or save what can be read with `sqlite3 {path} .recover | sqlite3 NEW-FILE`"
    )]
    Damaged {
        /// Which file.
        path: String,
        /// In SQLite's words.
        why: String,
    },
    /// A statement failed.
    #[error("use the database")]
    Query(#[from] diesel::result::Error),
    /// No connection was free in time.
    #[error("get a connection to the database")]
    Busy(#[from] diesel::r2d2::PoolError),
    /// The transaction was not made durable: nothing of it is kept.
    #[error("commit to the database: {0}")]
    Commit(String),
    /// A document in it cannot be read; it is left as it is.
    #[error(
        "read a document of table {table}: {source}; start the version of paprq that wrote it, or put a \
         backup in its place"
    )]
    Document {
        /// In which table.
        table: &'static str,
        /// Why not.
        source: Unreadable,
    },
    /// A document cannot be made.
    #[error("write a document of table {table}")]
    Unwritten {
        /// For which table.
        table: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
    /// The writing thread could not be started.
    #[error("start the writing thread")]
    Thread(#[source] std::io::Error),
    /// The store was closed.
    #[error("use the database after it was closed")]
    Closed,
    /// A reading task was lost.
    #[error("wait for a read")]
    Read(#[from] tokio::task::JoinError),
}

impl Store {
    /// Opens the database in this file, makes it if it is missing, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the file cannot be used, [`StoreError::Newer`] if a newer version wrote
    /// it, [`StoreError::Damaged`] if it is broken.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (connection, key) = opening::open(path)?;
        let readers = Pool::builder()
            .max_size(READERS)
            .connection_customizer(Box::new(ReadOnly))
            .build(ConnectionManager::new(path.to_string_lossy()));
        let readers = readers.map_err(|error| StoreError::from(error).of_file(path))?;
        Ok(Self {
            writer: Writer::start(connection)?,
            readers,
            key,
            file: path.to_owned(),
        })
    }

    /// A name that no other database has. It is part of the hidden marks in comments.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Who the bot was when GitHub was last asked.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn bot(&self) -> Result<Option<Login>, StoreError> {
        use self::schema::instance::dsl;
        let bot: Option<String> = self
            .read(|connection| Ok(dsl::instance.select(dsl::bot).first(connection)?))
            .await?;
        Ok(bot.map(Login::new))
    }

    /// Remembers who the bot is.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remember_bot(&self, bot: &Login) -> Result<(), StoreError> {
        use self::schema::instance::dsl;
        let bot = bot.as_str().to_owned();
        self.write(move |connection| {
            diesel::update(dsl::instance)
                .set(dsl::bot.eq(bot))
                .execute(connection)?;
            Ok(())
        })
        .await
    }

    async fn write<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    {
        let written = self.writer.write(write).await;
        written.map_err(|error| error.of_file(&self.file))
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    {
        let readers = self.readers.clone();
        let outcome = tokio::task::spawn_blocking(move || {
            let mut connection = readers.get()?;
            read(&mut connection)
        })
        .await?;
        outcome.map_err(|error| error.of_file(&self.file))
    }
}

/// Readers wait for nobody and write nothing.
#[derive(Debug)]
struct ReadOnly;

impl diesel::r2d2::CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        connection
            .batch_execute("pragma busy_timeout = 10000; pragma query_only = on;")
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

fn to_document<T: Document>(table: &'static str, value: &T) -> Result<String, StoreError> {
    document::write(value).map_err(|source| StoreError::Unwritten { table, source })
}

fn from_document<T: Document>(table: &'static str, text: &str) -> Result<T, StoreError> {
    document::read(text).map_err(|source| StoreError::Document { table, source })
}

/// SQLite counts in signed numbers; ours are far below where that matters.
fn to_row(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from_row(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
