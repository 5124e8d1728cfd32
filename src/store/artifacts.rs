//! The files that suites leave, in the object store beside the logs, under their own paths.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use percent_encoding::percent_decode_str;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::protocol::{ArtifactBounds, ArtifactPath};
use paprq_core::jobs::Attempt;

/// What is held of a file before it is written, in bytes; what storages take at least at a time.
const PART_BYTES: usize = 5 << 20;

/// Where artifacts are kept.
#[derive(Clone)]
pub struct Artifacts {
    objects: Arc<dyn ObjectStore>,
    /// What attempts that are under way have stored.
    tallies: Arc<Mutex<HashMap<Attempt, Arc<Mutex<Tally>>>>>,
}

/// The files of an attempt and their sizes; `None` before they were looked up.
#[derive(Debug, Default)]
struct Tally(Option<BTreeMap<ArtifactPath, u64>>);

/// One stored file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Artifact {
    /// Where it was below the working copy.
    pub path: ArtifactPath,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// The content of a stored file.
pub struct Content {
    /// Its size, in bytes.
    pub bytes: u64,
    /// What it holds.
    pub pieces: BoxStream<'static, Result<Bytes, object_store::Error>>,
}

/// Why an artifact could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is larger, or there are more, than is kept.
    #[error("keep so much of an attempt's files")]
    TooMuch,
    /// It did not come whole.
    #[error("receive the whole file")]
    Cut,
    /// The storage did not do as it was asked.
    #[error("use the storage")]
    Storage(#[from] object_store::Error),
}

impl Artifacts {
    pub(super) fn new(objects: Arc<dyn ObjectStore>) -> Self {
        let tallies = Arc::default();
        Self { objects, tallies }
    }

    /// Stores a file; one of the same path is replaced. Until it is whole nothing is seen of it.
    ///
    /// # Errors
    /// See [`ArtifactError`]. Nothing is stored then.
    pub async fn put<E>(
        &self,
        attempt: Attempt,
        path: &ArtifactPath,
        bounds: ArtifactBounds,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), ArtifactError> {
        let mut tally = self.tally(attempt).await?;
        let Some(files) = tally.0.as_mut() else {
            return Err(ArtifactError::Cut);
        };
        let others = files.iter().filter(|(other, _)| *other != path);
        let (count, used) = others.fold((0, 0), |(count, used): (u32, u64), (_, bytes)| {
            (count + 1, used.saturating_add(*bytes))
        });
        if count >= bounds.files_max {
            return Err(ArtifactError::TooMuch);
        }
        let room = bounds.bytes_max.saturating_sub(used);
        let room = room.min(bounds.file_bytes_max);
        let bytes = self.write(&object(attempt, path), room, content).await?;
        files.insert(path.clone(), bytes);
        Ok(())
    }

    async fn write<E>(
        &self,
        place: &ObjectPath,
        room: u64,
        mut content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<u64, ArtifactError> {
        let mut writing = Writing {
            objects: &self.objects,
            place,
            held: Vec::new(),
            upload: None,
        };
        let mut bytes = 0;
        while let Some(piece) = content.next().await {
            let stored = match piece {
                Err(_) => Err(ArtifactError::Cut),
                Ok(piece) => {
                    bytes += piece.len() as u64;
                    if bytes > room {
                        Err(ArtifactError::TooMuch)
                    } else {
                        writing.add(&piece).await
                    }
                }
            };
            if let Err(error) = stored {
                writing.give_up().await;
                return Err(error);
            }
        }
        writing.finish().await?;
        Ok(bytes)
    }

    /// The stored files of an attempt, by path.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub async fn list(&self, attempt: Attempt) -> Result<Vec<Artifact>, ArtifactError> {
        let folder = folder(attempt);
        let found = self.objects.list(Some(&folder)).try_collect::<Vec<_>>();
        let files = found.await?.into_iter().filter_map(|meta| {
            let names = meta.location.prefix_match(&folder)?;
            let names: Option<Vec<String>> = names
                .map(|name| {
                    let name = percent_decode_str(name.as_ref()).decode_utf8();
                    name.ok().map(|name| name.into_owned())
                })
                .collect();
            let path = ArtifactPath::new(&names?.join("/")).ok()?;
            let bytes = meta.size;
            Some(Artifact { path, bytes })
        });
        let mut files: Vec<Artifact> = files.collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// What a stored file holds; `None` if there is no such file.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub async fn read(
        &self,
        attempt: Attempt,
        path: &ArtifactPath,
    ) -> Result<Option<Content>, ArtifactError> {
        match self.objects.get(&object(attempt, path)).await {
            Ok(found) => Ok(Some(Content {
                bytes: found.meta.size,
                pieces: found.into_stream(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            // A storage that is a directory says so of what would be below a file.
            Err(error) => match self
                .list(attempt)
                .await?
                .iter()
                .any(|file| file.path == *path)
            {
                true => Err(error.into()),
                false => Ok(None),
            },
        }
    }

    /// Forgets what an attempt that is over has stored; the files stay.
    pub async fn forget(&self, attempt: Attempt) {
        self.tallies.lock().await.remove(&attempt);
    }

    async fn tally(&self, attempt: Attempt) -> Result<OwnedMutexGuard<Tally>, ArtifactError> {
        let entry = Arc::clone(self.tallies.lock().await.entry(attempt).or_default());
        let mut tally = entry.lock_owned().await;
        if tally.0.is_none() {
            let files = self.list(attempt).await?.into_iter();
            tally.0 = Some(files.map(|file| (file.path, file.bytes)).collect());
        }
        Ok(tally)
    }
}

/// A file that is being written: at once if it is small, else in parts.
struct Writing<'a> {
    objects: &'a Arc<dyn ObjectStore>,
    place: &'a ObjectPath,
    held: Vec<u8>,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl Writing<'_> {
    async fn add(&mut self, piece: &[u8]) -> Result<(), ArtifactError> {
        self.held.extend_from_slice(piece);
        if self.held.len() < PART_BYTES {
            return Ok(());
        }
        if self.upload.is_none() {
            self.upload = Some(self.objects.put_multipart(self.place).await?);
        }
        self.part().await
    }

    async fn part(&mut self) -> Result<(), ArtifactError> {
        if let Some(upload) = &mut self.upload {
            let part = std::mem::take(&mut self.held);
            upload.put_part(part.into()).await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(), ArtifactError> {
        if self.upload.is_none() {
            let whole = std::mem::take(&mut self.held);
            self.objects.put(self.place, whole.into()).await?;
            return Ok(());
        }
        self.part().await?;
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        Ok(())
    }

    async fn give_up(mut self) {
        if let Some(upload) = &mut self.upload
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, "the beginning of a file stays in the storage");
        }
    }
}

fn folder(attempt: Attempt) -> ObjectPath {
    ObjectPath::from(format!("artifacts/{}/{}", attempt.job, attempt.number))
}

fn object(attempt: Attempt, path: &ArtifactPath) -> ObjectPath {
    path.names()
        .fold(folder(attempt), |folder, name| folder.join(name))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::store::logs::Logs;
    use paprq_core::ids::{AttemptNumber, JobId};

    const ATTEMPT: Attempt = Attempt {
        job: JobId(7),
        number: AttemptNumber(1),
    };

    const BOUNDS: ArtifactBounds = ArtifactBounds {
        files_max: 3,
        file_bytes_max: 12 << 20,
        bytes_max: 12 << 20,
    };

    fn open(folder: &tempfile::TempDir) -> Artifacts {
        let address = format!("file:{}", folder.path().display());
        Logs::open(&address).unwrap().artifacts()
    }

    fn path(path: &str) -> ArtifactPath {
        ArtifactPath::new(path).unwrap()
    }

    async fn put(artifacts: &Artifacts, name: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
        let pieces = bytes.chunks(1 << 20).map(Bytes::copy_from_slice);
        let pieces = stream::iter(pieces.map(Ok::<_, ()>));
        artifacts.put(ATTEMPT, &path(name), BOUNDS, pieces).await
    }

    async fn names(artifacts: &Artifacts) -> Vec<String> {
        let files = artifacts.list(ATTEMPT).await.unwrap().into_iter();
        files
            .map(|file| format!("{} {}", file.path, file.bytes))
            .collect()
    }

    #[tokio::test]
    async fn files_of_any_name_and_size_are_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let large: Vec<u8> = (0..11u32 << 18).flat_map(u32::to_le_bytes).collect();
        put(&open(&folder), "large", &large).await.unwrap();
        put(&open(&folder), "a b/100% ü#1?.log", b"odd")
            .await
            .unwrap();
        put(&open(&folder), "empty", b"").await.unwrap();
        let artifacts = open(&folder);
        let expected = ["a b/100% ü#1?.log 3", "empty 0", "large 11534336"];
        assert_eq!(names(&artifacts).await, expected);
        let content = artifacts.read(ATTEMPT, &path("large")).await.unwrap();
        let read: Vec<Bytes> = content.unwrap().pieces.try_collect().await.unwrap();
        assert_eq!(read.concat(), large);
        assert!(
            artifacts
                .read(ATTEMPT, &path("none"))
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            artifacts
                .read(ATTEMPT, &path("a b"))
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test]
    async fn neither_more_files_nor_more_bytes_than_allowed_are_kept_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let too_large = vec![b'x'; (12 << 20) + 1];
        let refused = put(&open(&folder), "large", &too_large).await;
        assert!(
            matches!(refused, Err(ArtifactError::TooMuch)),
            "{refused:?}"
        );
        put(&open(&folder), "large", &too_large[1..]).await.unwrap();
        let refused = put(&open(&folder), "one more", b"x").await;
        assert!(
            matches!(refused, Err(ArtifactError::TooMuch)),
            "{refused:?}"
        );
        let artifacts = open(&folder);
        for name in ["large", "b", "c", "c"] {
            put(&artifacts, name, b"x").await.unwrap();
        }
        let refused = put(&artifacts, "d", b"").await;
        assert!(
            matches!(refused, Err(ArtifactError::TooMuch)),
            "{refused:?}"
        );
        assert_eq!(names(&artifacts).await, ["b 1", "c 1", "large 1"]);
    }

    #[tokio::test]
    async fn of_a_file_that_did_not_come_whole_nothing_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = open(&folder);
        for len in [1, 7 << 20] {
            let pieces = [Ok(Bytes::from(vec![b'x'; len])), Err(())];
            let pieces = stream::iter(pieces);
            let put = artifacts.put(ATTEMPT, &path("half"), BOUNDS, pieces).await;
            assert!(matches!(put, Err(ArtifactError::Cut)), "{put:?}");
        }
        assert!(names(&artifacts).await.is_empty());
    }
}
