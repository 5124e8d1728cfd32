//! The database, and the storage of logs.
//!
//! Everything that must survive is here: what the core knows, what came in and is not yet applied
//! (inbox), what is ordered and not yet done (outbox), and what happened (event log). What it means
//! is decided elsewhere.

pub mod artifacts;
mod deliveries;
mod forwards;
mod history;
pub mod homu;
mod job_rows;
pub mod logs;
pub mod private;
mod retries;
mod rows;
mod schema;
mod steps;
mod takeover;
mod writer;

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

pub use self::deliveries::{Delivery, InboxId, InboxRow, Stored};
pub use self::forwards::{BacklogBounds, ForwardId, Forwarded};
pub use self::job_rows::Pass;
pub use self::retries::Retry;
pub use self::rows::{RepoRow, SavedRepo, Watermark};
pub use self::steps::{Cause, Entry, OutboxId, OutboxRow, Step, Stepped, UnderWay};
pub use self::takeover::{ImportedRepo, RepoTakeover};
use self::writer::Writer;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// How many connections read at once.
const READERS: u32 = 4;

/// The database.
#[derive(Clone)]
pub struct Store {
    writer: Writer,
    readers: Pool<ConnectionManager<SqliteConnection>>,
    key: String,
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
    /// A statement failed.
    #[error("use the database")]
    Query(#[from] diesel::result::Error),
    /// No connection was free in time.
    #[error("get a connection to the database")]
    Busy(#[from] diesel::r2d2::PoolError),
    /// The transaction was not made durable: nothing of it is kept.
    #[error("commit to the database: {0}")]
    Commit(String),
    /// A document in it cannot be read: it was written by another version.
    #[error("read a document of table {table}")]
    Document {
        /// In which table.
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
    /// [`StoreError::Open`] if the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open_error = |why: String| StoreError::Open {
            path: path.display().to_string(),
            why,
        };
        close_files(path).map_err(|error| open_error(error.to_string()))?;
        let url = path.to_string_lossy().into_owned();
        let mut connection =
            SqliteConnection::establish(&url).map_err(|error| open_error(error.to_string()))?;
        connection
            .batch_execute(
                "pragma busy_timeout = 10000; pragma journal_mode = wal; \
                 pragma synchronous = full; pragma foreign_keys = on;",
            )
            .map_err(|error| open_error(error.to_string()))?;
        connection
            .run_pending_migrations(SQLITE_MIGRATIONS)
            .map_err(|error| open_error(error.to_string()))?;
        job_rows::hash_passwords(&mut connection)?;
        let key = instance_key(&mut connection)?;
        let readers = Pool::builder()
            .max_size(READERS)
            .connection_customizer(Box::new(ReadOnly))
            .build(ConnectionManager::new(url))?;
        Ok(Self {
            writer: Writer::start(connection)?,
            readers,
            key,
        })
    }

    /// A name that no other database has. It is part of the hidden marks in comments.
    pub fn key(&self) -> &str {
        &self.key
    }

    async fn write<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.write(write).await
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    {
        let readers = self.readers.clone();
        tokio::task::spawn_blocking(move || {
            let mut connection = readers.get()?;
            read(&mut connection)
        })
        .await?
    }
}

/// Nobody else may read the database, nor what SQLite keeps beside it, which gets the same rights.
fn close_files(path: &Path) -> std::io::Result<()> {
    drop(private::open_file(path)?);
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        private::restrict(Path::new(&beside))?;
    }
    Ok(())
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

fn instance_key(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    use self::schema::instance::dsl;
    let known: Option<String> = dsl::instance
        .select(dsl::key)
        .first(connection)
        .optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    let key = hex::encode(rand::random::<[u8; 6]>());
    diesel::insert_into(dsl::instance)
        .values((dsl::id.eq(1), dsl::key.eq(&key)))
        .execute(connection)?;
    Ok(key)
}

fn to_document<T: serde::Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Document { table, source })
}

fn from_document<T: serde::de::DeserializeOwned>(
    table: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Document { table, source })
}

/// SQLite counts in signed numbers; ours are far below where that matters.
fn to_row(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from_row(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
