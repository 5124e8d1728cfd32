//! The logs of jobs, in an object store.
//!
//! While an attempt is under way its log grows by chunks, an object each, named by their offset.
//! When it is over they are made into one object. Chunks may come twice or overlap; bytes are
//! stored once, in order.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::artifacts::Artifacts;
use super::private;
use paprq_core::jobs::Attempt;

/// Where logs are kept.
#[derive(Clone)]
pub struct Logs {
    objects: Arc<dyn ObjectStore>,
    growing: Arc<Mutex<HashMap<Attempt, Arc<Mutex<Growing>>>>>,
}

/// What is known of a log that may still grow: its chunks' offsets, and its length.
#[derive(Debug, Default)]
struct Growing {
    read_from_store: bool,
    chunks: Vec<u64>,
    len: u64,
}

/// Why a log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The address of the storage is not understood.
    #[error("use the storage {0}: only file:PATH is supported")]
    Address(String),
    /// The folder cannot be made.
    #[error("make the storage folder {path}")]
    Folder {
        /// Which.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The storage did not do as it was asked.
    #[error("use the storage")]
    Storage(#[from] object_store::Error),
    /// There is a gap before the chunk: the sender must go on from here.
    #[error("append at byte {0}: what is before is missing")]
    Gap(u64),
}

impl Logs {
    /// The directories in the storage that hold everything.
    pub const TOPS: [&'static str; 2] = ["logs", "artifacts"];

    /// Opens the storage at this address, `file:PATH`.
    ///
    /// # Errors
    /// If the address is not understood or the folder cannot be made.
    pub fn open(address: &str) -> Result<Self, LogError> {
        let path = address
            .strip_prefix("file:")
            .ok_or_else(|| LogError::Address(address.to_owned()))?;
        private::make_directory(std::path::Path::new(path)).map_err(|source| LogError::Folder {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            objects: Arc::new(LocalFileSystem::new_with_prefix(path)?),
            growing: Arc::default(),
        })
    }

    /// The files that suites leave, which are kept in the same place.
    pub fn artifacts(&self) -> Artifacts {
        Artifacts::new(Arc::clone(&self.objects))
    }

    pub(super) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// Adds a chunk that begins at this byte; returns how long the log is now.
    ///
    /// What of the chunk is stored already is passed over.
    ///
    /// # Errors
    /// [`LogError::Gap`] if bytes before it are missing.
    pub async fn append(
        &self,
        attempt: Attempt,
        offset: u64,
        chunk: Bytes,
    ) -> Result<u64, LogError> {
        let mut log = self.lock(attempt).await?;
        let Some(known) = log.len.checked_sub(offset) else {
            return Err(LogError::Gap(log.len));
        };
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        if known >= chunk.len() {
            return Ok(log.len);
        }
        let news = chunk.slice(known..);
        let at = log.len;
        let added = news.len() as u64;
        self.objects
            .put(&chunk_path(attempt, at), news.into())
            .await?;
        log.chunks.push(at);
        log.len += added;
        Ok(log.len)
    }

    /// How many bytes of a log are stored.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub async fn len(&self, attempt: Attempt) -> Result<u64, LogError> {
        if let Some(len) = self.sealed_len(attempt).await? {
            return Ok(len);
        }
        let len = self.lock(attempt).await?.len;
        // It may have been sealed meanwhile, and its chunks are gone then.
        Ok(self.sealed_len(attempt).await?.unwrap_or(len))
    }

    /// At most `max` bytes of a log, from this one on; empty at its end.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub async fn read(&self, attempt: Attempt, from: u64, max: u64) -> Result<Bytes, LogError> {
        if let Some(len) = self.sealed_len(attempt).await? {
            return self.read_sealed(attempt, from, max, len).await;
        }
        let (chunks, len) = {
            let log = self.lock(attempt).await?;
            (log.chunks.clone(), log.len)
        };
        let text = self.read_chunks(attempt, &chunks, from..len, max).await;
        // It may have been sealed meanwhile, and its chunks are gone then.
        match self.sealed_len(attempt).await? {
            Some(len) => self.read_sealed(attempt, from, max, len).await,
            None => text,
        }
    }

    async fn read_chunks(
        &self,
        attempt: Attempt,
        chunks: &[u64],
        Range { start: from, end }: Range<u64>,
        max: u64,
    ) -> Result<Bytes, LogError> {
        let first = chunks.partition_point(|offset| *offset <= from);
        let mut text = BytesMut::new();
        let mut at = from;
        for offset in chunks.iter().skip(first.saturating_sub(1)) {
            if at >= end || text.len() as u64 >= max {
                break;
            }
            let chunk = self.objects.get(&chunk_path(attempt, *offset)).await?;
            let chunk = chunk.bytes().await?;
            let skip = usize::try_from(at.saturating_sub(*offset)).unwrap_or(usize::MAX);
            let wanted = chunk.slice(skip.min(chunk.len())..);
            at += wanted.len() as u64;
            text.extend_from_slice(&wanted);
        }
        text.truncate(usize::try_from(max).unwrap_or(usize::MAX));
        Ok(text.freeze())
    }

    async fn read_sealed(
        &self,
        attempt: Attempt,
        from: u64,
        max: u64,
        len: u64,
    ) -> Result<Bytes, LogError> {
        let end = from.saturating_add(max).min(len);
        if from >= end {
            return Ok(Bytes::new());
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(from..end)),
            ..GetOptions::default()
        };
        let found = self
            .objects
            .get_opts(&sealed_path(attempt), options)
            .await?;
        Ok(found.bytes().await?)
    }

    /// Makes one object of a log that does not grow any more.
    ///
    /// # Errors
    /// The chunks stay if this fails; it may be done again.
    pub async fn seal(&self, attempt: Attempt) -> Result<(), LogError> {
        // Held to the end: of two that seal a log, the second must not find its chunks gone.
        let mut log = self.lock(attempt).await?;
        if self.sealed_len(attempt).await?.is_none() {
            let all = 0..log.len;
            let whole = self.read_chunks(attempt, &log.chunks, all, u64::MAX);
            let whole = whole.await?;
            self.objects
                .put(&sealed_path(attempt), whole.into())
                .await?;
        }
        let chunks = std::mem::take(&mut log.chunks);
        self.growing.lock().await.remove(&attempt);
        for offset in chunks {
            match self.objects.delete(&chunk_path(attempt, offset)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn sealed_len(&self, attempt: Attempt) -> Result<Option<u64>, LogError> {
        match self.objects.head(&sealed_path(attempt)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn lock(&self, attempt: Attempt) -> Result<OwnedMutexGuard<Growing>, LogError> {
        let entry = Arc::clone(self.growing.lock().await.entry(attempt).or_default());
        let mut log = entry.lock_owned().await;
        if !log.read_from_store {
            *log = self.find_chunks(attempt).await?;
        }
        Ok(log)
    }

    async fn find_chunks(&self, attempt: Attempt) -> Result<Growing, LogError> {
        let folder = chunk_folder(attempt);
        let found: Vec<_> = self.objects.list(Some(&folder)).try_collect().await?;
        let mut chunks: Vec<(u64, u64)> = found
            .iter()
            .filter_map(|meta| Some((meta.location.filename()?.parse().ok()?, meta.size)))
            .collect();
        chunks.sort_unstable();
        Ok(Growing {
            read_from_store: true,
            len: chunks.last().map_or(0, |(offset, size)| offset + size),
            chunks: chunks.into_iter().map(|(offset, _)| offset).collect(),
        })
    }
}

fn chunk_folder(attempt: Attempt) -> ObjectPath {
    ObjectPath::from(format!("logs/{}/{}", attempt.job, attempt.number))
}

fn chunk_path(attempt: Attempt, offset: u64) -> ObjectPath {
    chunk_folder(attempt).join(format!("{offset:020}"))
}

fn sealed_path(attempt: Attempt) -> ObjectPath {
    ObjectPath::from(format!("logs/{}/{}.log", attempt.job, attempt.number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paprq_core::ids::{AttemptNumber, JobId};

    const ATTEMPT: Attempt = Attempt {
        job: JobId(7),
        number: AttemptNumber(1),
    };

    fn open(folder: &tempfile::TempDir) -> Logs {
        Logs::open(&format!("file:{}", folder.path().display())).unwrap()
    }

    #[tokio::test]
    async fn chunks_that_come_twice_or_overlap_are_stored_once() {
        let folder = tempfile::tempdir().unwrap();
        let logs = open(&folder);
        for (offset, chunk) in [(0, "hello "), (0, "hello "), (3, "lo wor"), (9, "ld")] {
            logs.append(ATTEMPT, offset, Bytes::from(chunk))
                .await
                .unwrap();
        }
        let gap = logs.append(ATTEMPT, 99, Bytes::from("x")).await;
        assert!(matches!(gap, Err(LogError::Gap(11))), "{gap:?}");
        assert_eq!(logs.read(ATTEMPT, 0, 99).await.unwrap(), "hello world");
        assert_eq!(logs.read(ATTEMPT, 7, 3).await.unwrap(), "orl");
    }

    #[tokio::test]
    async fn a_log_goes_on_after_a_restart_and_reads_the_same_when_sealed() {
        let folder = tempfile::tempdir().unwrap();
        open(&folder)
            .append(ATTEMPT, 0, Bytes::from("one "))
            .await
            .unwrap();
        let logs = open(&folder);
        assert_eq!(logs.len(ATTEMPT).await.unwrap(), 4);
        logs.append(ATTEMPT, 4, Bytes::from("two")).await.unwrap();
        logs.seal(ATTEMPT).await.unwrap();
        logs.seal(ATTEMPT).await.unwrap();
        let logs = open(&folder);
        assert_eq!(logs.len(ATTEMPT).await.unwrap(), 7);
        assert_eq!(logs.read(ATTEMPT, 2, 99).await.unwrap(), "e two");
        assert_eq!(logs.read(ATTEMPT, 7, 99).await.unwrap(), "");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_reads_a_log_while_it_is_sealed_reads_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let logs = open(&folder);
        for number in 1..200 {
            let attempt = Attempt {
                number: AttemptNumber(number),
                ..ATTEMPT
            };
            for (offset, chunk) in [(0, "one "), (4, "two")] {
                let added = logs.append(attempt, offset, Bytes::from(chunk));
                added.await.unwrap();
            }
            let seal = || {
                let logs = logs.clone();
                tokio::spawn(async move { logs.seal(attempt).await })
            };
            let (one, other) = (seal(), seal());
            assert_eq!(logs.read(attempt, 0, 99).await.unwrap(), "one two");
            assert_eq!(logs.len(attempt).await.unwrap(), 7);
            one.await.unwrap().unwrap();
            other.await.unwrap().unwrap();
            assert_eq!(logs.read(attempt, 0, 99).await.unwrap(), "one two");
        }
    }
}
