//! The one thread that writes.
//!
//! SQLite has one writer at a time. What is asked for while a transaction is being made durable
//! goes into the next one together, each in a savepoint of its own: many deliveries, one fsync.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use super::StoreError;

/// How many writes share a transaction at the most.
const BATCH_MAX: usize = 256;

type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Work = Box<dyn FnOnce(&mut SqliteConnection) -> Reply + Send>;

/// Hands writes to the thread; the thread ends when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Writer {
    works: mpsc::Sender<Work>,
    /// Whether a write has failed since the disk was tried.
    failed: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Result<Self, StoreError> {
        let (works, inbox) = mpsc::channel();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write_all(connection, &inbox))
            .map_err(StoreError::Thread)?;
        Ok(Self {
            works,
            failed: Arc::default(),
        })
    }

    /// Whether a write has failed, for whatever reason, since [`Self::is_well_again`].
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// The disk was tried, and takes what is written.
    pub(super) fn is_well_again(&self) {
        self.failed.store(false, Ordering::Relaxed);
    }

    /// Runs `write` in a transaction; returns when it is durable.
    pub(super) async fn write<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let outcome = connection.transaction(write);
            Box::new(move |committed: Result<(), StoreError>| {
                let outcome = committed.and(outcome);
                // Whoever asked may have gone; the write stands all the same.
                let _nobody_waits = answer.send(outcome);
            })
        });
        self.works.send(work).or(Err(StoreError::Closed))?;
        let written = answered.await.unwrap_or(Err(StoreError::Closed));
        if written.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        written
    }
}

fn write_all(mut connection: SqliteConnection, inbox: &mpsc::Receiver<Work>) {
    while let Ok(first) = inbox.recv() {
        let rest = inbox.try_iter().take(BATCH_MAX - 1);
        let batch: Vec<_> = std::iter::once(first).chain(rest).collect();
        write_batch(&mut connection, batch);
    }
}

fn write_batch(connection: &mut SqliteConnection, batch: Vec<Work>) {
    let mut answers = Vec::with_capacity(batch.len());
    let committed = connection.immediate_transaction(|connection| {
        answers.extend(batch.into_iter().map(|work| work(connection)));
        Ok::<_, diesel::result::Error>(())
    });
    if let Err(error) = &committed {
        tracing::error!(%error, "a transaction could not be committed");
        // A failed commit may leave the transaction open; without this all that follow would fail.
        let _already_closed = connection.batch_execute("rollback");
    }
    for answer in answers {
        answer(match &committed {
            Ok(()) => Ok(()),
            Err(error) => Err(StoreError::Commit(error.to_string())),
        });
    }
}
