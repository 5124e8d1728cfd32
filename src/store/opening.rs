//! Opening the database: its schema is brought up to date, and one that a newer version wrote is
//! left alone.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{StoreError, document, job_rows, private};

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Opens the database for writing; also gives the key that no other database has.
pub(super) fn open(path: &Path) -> Result<(SqliteConnection, String), StoreError> {
    let failed = |why: String| StoreError::opening(path, why);
    close_files(path).map_err(|error| failed(error.to_string()))?;
    let url = path.to_string_lossy();
    let mut connection =
        SqliteConnection::establish(&url).map_err(|error| failed(error.to_string()))?;
    connection
        .batch_execute(
            "pragma busy_timeout = 10000; pragma journal_mode = wal; \
             pragma synchronous = full; pragma foreign_keys = on;",
        )
        .map_err(|error| failed(error.to_string()))?;
    upgrade(&mut connection, path)?;
    let key = instance_key(&mut connection).map_err(|error| error.of_file(path))?;
    upgrade_documents(&mut connection, path)?;
    job_rows::hash_passwords(&mut connection).map_err(|error| error.of_file(path))?;
    Ok((connection, key))
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

/// Brings the tables up to date.
fn upgrade(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let failed = |why: String| StoreError::opening(path, why);
    let applied = connection.applied_migrations();
    let applied = applied.map_err(|error| failed(error.to_string()))?;
    let known = known().map_err(|error| failed(error.to_string()))?;
    // The latest first.
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StoreError::Newer {
            path: path.display().to_string(),
            version: format!("schema {newer}"),
        });
    }
    let new = connection.run_pending_migrations(SQLITE_MIGRATIONS);
    let new = new.map_err(|error| failed(error.to_string()))?;
    let Some(to) = new.last() else {
        return Ok(());
    };
    let file = path.display();
    match applied.iter().max() {
        None => tracing::info!(%file, schema = %to, "a new database is made"),
        Some(from) => tracing::info!(
            %file, %from, %to,
            "the database's schema is upgraded; older versions of paprq cannot use it any more"
        ),
    }
    Ok(())
}

/// Refuses a database with documents of a newer version, and notes from which version on its
/// documents are now. Older ones are read as they are, and rewritten when they change.
fn upgrade_documents(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    use super::schema::instance::dsl;
    let to = i64::from(document::VERSION);
    let from = dsl::instance
        .select(dsl::document_version)
        .first(connection);
    let from: i64 = from.map_err(|error| StoreError::from(error).of_file(path))?;
    if from > to {
        return Err(StoreError::Newer {
            path: path.display().to_string(),
            version: format!("document version {from}"),
        });
    }
    if from == to {
        return Ok(());
    }
    let noted = diesel::update(dsl::instance)
        .set(dsl::document_version.eq(to))
        .execute(connection);
    noted.map_err(|error| StoreError::from(error).of_file(path))?;
    tracing::info!(
        file = %path.display(), from, to,
        "documents are written in a newer version; older versions of paprq cannot use the database any more"
    );
    Ok(())
}

/// The versions of the schema that this program knows.
fn known() -> diesel::migration::Result<Vec<MigrationVersion<'static>>> {
    let migrations = MigrationSource::<Sqlite>::migrations(&SQLITE_MIGRATIONS)?;
    let versions = migrations.iter().map(|migration| {
        let version = migration.name().version();
        version.as_owned()
    });
    Ok(versions.collect())
}

fn instance_key(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    use super::schema::instance::dsl;
    let known: Option<String> = dsl::instance
        .select(dsl::key)
        .first(connection)
        .optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    let key = hex::encode(rand::random::<[u8; 6]>());
    let version = i64::from(document::VERSION);
    diesel::insert_into(dsl::instance)
        .values((
            dsl::id.eq(1),
            dsl::key.eq(&key),
            dsl::document_version.eq(version),
        ))
        .execute(connection)?;
    Ok(key)
}

/// What SQLite says of a file that is broken, as far as diesel passes it on.
const BROKEN: [&str; 2] = ["malformed", "not a database"];

impl StoreError {
    fn opening(path: &Path, why: String) -> Self {
        let path = path.display().to_string();
        if BROKEN.iter().any(|words| why.contains(words)) {
            Self::Damaged { path, why }
        } else {
            Self::Open { path, why }
        }
    }

    /// The same, said of this file where the file is the reason.
    pub(super) fn of_file(self, path: &Path) -> Self {
        let why = match &self {
            Self::Query(error) => error.to_string(),
            Self::Commit(why) => why.clone(),
            Self::Busy(error) => error.to_string(),
            Self::Open { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::Document { .. }
            | Self::Unwritten { .. }
            | Self::Thread(_)
            | Self::Closed
            | Self::Read(_) => return self,
        };
        if BROKEN.iter().any(|words| why.contains(words)) {
            Self::opening(path, why)
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::super::Store;
    use super::super::testing::connect;
    use super::*;
    use paprq_core::ids::RepoLabel;

    #[test]
    fn a_schema_of_a_newer_version_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paprq.db");
        drop(Store::open(&file).unwrap());
        execute(
            &file,
            "insert into __diesel_schema_migrations (version) values ('29990101000000')",
        );
        let said = Store::open(&file).err().unwrap().to_string();
        assert!(said.contains(&file.display().to_string()), "{said}");
        assert!(said.contains("newer version of paprq"), "{said}");
        assert!(said.contains("29990101000000"), "{said}");
    }

    /// Runs one statement on a database that nobody has open.
    fn execute(file: &Path, statement: &str) {
        connect(file).batch_execute(statement).unwrap();
    }

    #[test]
    fn documents_of_a_newer_version_are_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("paprq.db");
        drop(Store::open(&file).unwrap());
        execute(
            &file,
            "update instance set document_version = 999;
             insert into jobs (repo, run, context, is_over, doc)
             values ('x', 1, 'x', false, '{\"git_token\":0}')",
        );
        let said = Store::open(&file).err().unwrap().to_string();
        for part in [
            file.to_str().unwrap(),
            "newer version of paprq wrote it (document version 999)",
            "start that version",
            "backup",
        ] {
            assert!(said.contains(part), "{said}");
        }
        execute(&file, "update instance set document_version = 0");
        let said = Store::open(&file).err().unwrap().to_string();
        assert!(said.contains("read a document of table jobs"), "{said}");
        execute(&file, "delete from jobs");
        drop(Store::open(&file).unwrap());
        let mut connection = connect(&file);
        use super::super::schema::instance::dsl;
        let version = dsl::instance.select(dsl::document_version);
        let version: i64 = version.first(&mut connection).unwrap();
        assert_eq!(version, i64::from(document::VERSION));
    }

    /// A whole database in one file.
    fn whole(folder: &Path) -> std::path::PathBuf {
        let (file, copy) = (folder.join("paprq.db"), folder.join("copy.db"));
        let store = Store::open(&file).unwrap();
        let mut connection = connect(&file);
        let query = format!("vacuum into '{}'", copy.display());
        connection.batch_execute(&query).unwrap();
        drop(store);
        copy
    }

    /// Overwrites what is behind the first page.
    fn damage(file: &Path) {
        let mut opened = std::fs::File::options().write(true).open(file).unwrap();
        let length = opened.metadata().unwrap().len();
        opened.seek(SeekFrom::Start(4096)).unwrap();
        let rest = usize::try_from(length - 4096).unwrap();
        assert!(rest > 0);
        opened.write_all(&vec![0xff; rest]).unwrap();
    }

    fn is_told(said: &str, file: &Path) {
        assert!(said.contains(&file.display().to_string()), "{said}");
        assert!(said.contains("is damaged"), "{said}");
        assert!(said.contains("backup"), "{said}");
    }

    #[test]
    fn a_damaged_file_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let tables = whole(folder.path());
        damage(&tables);
        let header = folder.path().join("header.db");
        std::fs::write(&header, vec![b'x'; 20_000]).unwrap();
        for broken in [tables, header] {
            let said = Store::open(&broken).err().unwrap().to_string();
            is_told(&said, &broken);
        }
    }

    /// What only shows when it is read names the file as well.
    #[tokio::test]
    async fn a_file_that_breaks_later_is_named_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = whole(folder.path());
        let store = Store::open(&file).unwrap();
        damage(&file);
        let label = RepoLabel::new("x");
        let said = store.retry_log(&label, 1).await.unwrap_err().to_string();
        is_told(&said, &file);
    }
}
