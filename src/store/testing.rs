//! A second look at a database, past the store.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

/// Opens a database whose store may still be writing, or closing it.
pub(crate) fn connect(file: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    connection
        .batch_execute("pragma busy_timeout = 20000;")
        .unwrap();
    connection
}
