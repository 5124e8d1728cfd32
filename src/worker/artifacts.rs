//! The files that a suite leaves, from the working copy to the server.
//!
//! Nothing of the suite is alive any more, so what is looked at stays as it is. No link is
//! followed, wherever it leads. What is left out is named in the log; what is missing is not, as
//! in PAPR. An executor whose working copy is elsewhere brings the suite's paths into a directory
//! of the room first.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures_util::stream;
use reqwest::{Body, StatusCode};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use super::client::{CallError, ServerClient};
use super::mask::Mask;
use super::spool::Spool;
use crate::protocol::{ArtifactBounds, ArtifactPath, Order};

/// How long bringing all files may take, with the calls that are repeated.
const TIME_MAX: Duration = Duration::from_secs(600);
/// How many entries of directories are looked at.
const ENTRIES_MAX: usize = 20_000;
/// Paths are followed to this length, in bytes; none that is longer is kept.
const PATH_BYTES_MAX: usize = 1024;
/// How many of those left out are named in the log.
const NAMED_MAX: usize = 20;
/// How much of a file is read at a time, in bytes.
const READ_BYTES: usize = 256 << 10;

/// A file to bring.
#[derive(Debug)]
struct Found {
    path: ArtifactPath,
    file: PathBuf,
}

/// What there is to bring, and what was left out: its path and why.
#[derive(Debug, Default)]
struct Harvest {
    found: Vec<Found>,
    left_out: Vec<(String, String)>,
    /// How many more were left out.
    more_left_out: usize,
    taken: BTreeSet<ArtifactPath>,
    looked_at: usize,
    /// Entries of directories, looked at or not.
    listed: usize,
    bytes: u64,
}

/// Who brings files, and until when.
#[derive(Debug)]
pub(super) struct Carrier<'a> {
    pub(super) client: &'a ServerClient,
    pub(super) stop: &'a CancellationToken,
}

impl Carrier<'_> {
    /// Brings what the order's suite names and `top`, its working copy, has.
    ///
    /// # Errors
    /// If the log cannot be written. Whatever else fails is told in the log and decides nothing.
    pub(super) async fn bring(&self, order: &Order, top: &Path, log: &mut Spool) -> io::Result<()> {
        if order.suite.artifacts.is_empty() {
            return Ok(());
        }
        let (wanted, bounds) = (order.suite.artifacts.clone(), order.artifacts);
        let top = top.to_owned();
        let harvest = move || Harvest::gather(&top, &wanted, bounds);
        let harvest = tokio::task::spawn_blocking(harvest).await;
        let mut harvest = harvest.map_err(io::Error::other)?;
        let bringing = self.bring_all(order, &mut harvest);
        let bringing = tokio::time::timeout(TIME_MAX, bringing);
        match self.stop.run_until_cancelled(bringing).await {
            None | Some(Ok(())) => {}
            Some(Err(_)) => harvest.leave_out("the rest", "the server took too long"),
        }
        for (path, why) in &harvest.left_out {
            log.note(&format!(
                "### ARTIFACT LEFT OUT: {}: {why}",
                path.escape_debug()
            ))
            .await?;
        }
        let more = harvest.more_left_out;
        if more > 0 {
            log.note(&format!("### {more} MORE ARTIFACTS LEFT OUT"))
                .await?;
        }
        Ok(())
    }

    async fn bring_all(&self, order: &Order, harvest: &mut Harvest) {
        for found in std::mem::take(&mut harvest.found) {
            if shows_secret(order, found.path.as_str()) {
                harvest.leave_out("a file", "its path has a secret in it");
                continue;
            }
            if let Err(why) = self.bring_one(order, &found).await {
                harvest.leave_out(found.path.as_str(), why);
            }
        }
    }

    /// Tries until the server has the file or does not want it.
    async fn bring_one(&self, order: &Order, found: &Found) -> Result<(), &'static str> {
        let mut pauses = ExponentialBuilder::default()
            .with_jitter()
            .without_max_times()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(5))
            .build();
        loop {
            let body = body(order, &found.file).or(Err("it cannot be read"))?;
            let put = self.client.artifact(order.attempt, &found.path, body);
            match put.await {
                Ok(_answer) => return Ok(()),
                Err(CallError::Refused(StatusCode::PAYLOAD_TOO_LARGE)) => {
                    return Err("the server keeps no more");
                }
                Err(CallError::Refused(status)) if status.is_client_error() => {
                    return Err("the server does not take it");
                }
                // The delivery notices too, and stops everything.
                Err(CallError::Gone | CallError::Unauthorized) => {
                    return Err("the server does not want it any more");
                }
                Err(error @ (CallError::Refused(_) | CallError::Unreached(_))) => {
                    tracing::debug!(job.id = order.attempt.job.0, %error, "a file is sent again");
                    tokio::time::sleep(pauses.next().unwrap_or(Duration::from_secs(5))).await;
                }
            }
        }
    }
}

/// Those of the paths that are below the working copy, as they are walked; of the others
/// [`Carrier::bring`] says why they are left out.
pub(super) fn paths_inside(wanted: &[String]) -> Vec<PathBuf> {
    let inside = wanted.iter().filter_map(|path| inside(path).ok());
    inside.map(PathBuf::from).collect()
}

fn shows_secret(order: &Order, path: &str) -> bool {
    let mask = Mask::of(&order.secrets).ok().flatten();
    mask.is_some_and(|mut mask| {
        let mut seen = mask.push(path.as_bytes());
        seen.extend(mask.release());
        seen != path.as_bytes()
    })
}

/// The file's content as it is read, without secrets.
fn body(order: &Order, path: &Path) -> io::Result<Body> {
    let file = open(path)?;
    let mask = Mask::of(&order.secrets).map_err(io::Error::other)?;
    let reading = (Some(tokio::fs::File::from_std(file)), mask);
    let pieces = stream::try_unfold(reading, |(file, mut mask)| async move {
        let Some(mut file) = file else {
            return Ok::<_, io::Error>(None);
        };
        let mut piece = vec![0; READ_BYTES];
        let len = file.read(&mut piece).await?;
        piece.truncate(len);
        let is_end = len == 0;
        let seen = match &mut mask {
            None => piece,
            Some(mask) if is_end => mask.release(),
            Some(mask) => mask.push(&piece),
        };
        Ok(Some((seen, ((!is_end).then_some(file), mask))))
    });
    Ok(Body::wrap_stream(pieces))
}

/// Opens a file that is no link and nothing to wait for.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("not a file"))
}

impl Harvest {
    fn gather(top: &Path, wanted: &[String], bounds: ArtifactBounds) -> Self {
        let mut harvest = Self::default();
        for path in wanted {
            match inside(path) {
                Ok(path) => harvest.walk(top, &path, bounds),
                Err(why) => harvest.leave_out(path, why),
            }
        }
        harvest
    }

    /// Takes what is at a path below the top; the names on the way there must be directories.
    fn walk(&mut self, top: &Path, path: &str, bounds: ArtifactBounds) {
        let mut place = top.to_owned();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_symlink()) {
                return self.leave_out(path, "a link is on the way");
            }
            place.push(name);
        }
        let mut waiting = vec![(place, path.to_owned())];
        while let Some((place, path)) = waiting.pop() {
            self.looked_at += 1;
            if self.looked_at > ENTRIES_MAX {
                return self.leave_out("the rest", "there is too much of it");
            }
            let meta = match fs::symlink_metadata(&place) {
                Ok(meta) => meta,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => {
                    self.leave_out(&path, "it cannot be read");
                    continue;
                }
            };
            if meta.is_dir() {
                waiting.extend(self.entries(&place, &path));
            } else if meta.is_file() {
                self.take(place, &path, meta.len(), bounds);
            } else {
                self.leave_out(&path, "it is neither a file nor a directory");
            }
        }
    }

    /// What is in a directory, with paths, last names first; of all directories together no more
    /// than will be looked at.
    fn entries(&mut self, place: &Path, path: &str) -> Vec<(PathBuf, String)> {
        let Ok(entries) = fs::read_dir(place) else {
            self.leave_out(path, "it cannot be read");
            return Vec::new();
        };
        let room = (ENTRIES_MAX + 1).saturating_sub(self.listed);
        let mut found = Vec::new();
        for entry in entries.flatten().take(room) {
            self.listed += 1;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let shown = name.to_string_lossy();
                self.leave_out(&join(path, &shown), "its name is no UTF-8");
                continue;
            };
            let joined = join(path, name);
            if joined.len() > PATH_BYTES_MAX {
                self.leave_out(path, "paths in it are too long");
                continue;
            }
            // The history is on the server already.
            if joined != ".git" {
                found.push((entry.path(), joined));
            }
        }
        found.sort_by(|one, other| other.cmp(one));
        found
    }

    fn take(&mut self, file: PathBuf, path: &str, bytes: u64, bounds: ArtifactBounds) {
        let path = match ArtifactPath::new(path) {
            Ok(path) => path,
            Err(error) => return self.leave_out(path, &error.to_string()),
        };
        if self.taken.contains(&path) {
            return;
        }
        if bytes > bounds.file_bytes_max {
            let why = format!(
                "of {bytes} bytes; at most {} are kept",
                bounds.file_bytes_max
            );
            return self.leave_out(path.as_str(), &why);
        }
        let count = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        if count >= bounds.files_max {
            let why = format!("at most {} files are kept", bounds.files_max);
            return self.leave_out(path.as_str(), &why);
        }
        if self.bytes.saturating_add(bytes) > bounds.bytes_max {
            let why = format!("at most {} bytes are kept of all", bounds.bytes_max);
            return self.leave_out(path.as_str(), &why);
        }
        self.bytes += bytes;
        self.taken.insert(path.clone());
        self.found.push(Found { path, file });
    }

    fn leave_out(&mut self, path: &str, why: &str) {
        if self.left_out.len() >= NAMED_MAX {
            self.more_left_out += 1;
            return;
        }
        self.left_out.push((path.to_owned(), why.to_owned()));
    }
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        return name.to_owned();
    }
    format!("{directory}/{name}")
}

/// A path of the suite's, without what changes nothing in it; empty for the whole working copy.
fn inside(path: &str) -> Result<String, &'static str> {
    if path.starts_with('/') {
        return Err("it is not below the working copy");
    }
    let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
    let names: Vec<&str> = names.collect();
    if names.contains(&"..") {
        return Err("it leads out of the working copy");
    }
    if names.iter().any(|name| name.contains('\0')) {
        return Err("no file can be called so");
    }
    Ok(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_large_directories_do_not_fill_the_memory() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("file");
        fs::write(&file, "").unwrap();
        // The inner directory is gone into while the outer one is held.
        let inner = top.path().join("0");
        fs::create_dir(&inner).unwrap();
        for directory in [top.path(), &inner] {
            for name in 0..ENTRIES_MAX * 3 / 4 {
                fs::hard_link(&file, directory.join(format!("f{name}"))).unwrap();
            }
        }
        let harvest = Harvest::gather(top.path(), &[".".to_owned()], ArtifactBounds::default());
        assert_eq!(harvest.listed, ENTRIES_MAX + 1);
        let rest = ("the rest".to_owned(), "there is too much of it".to_owned());
        let told = harvest.left_out.contains(&rest) || harvest.more_left_out > 0;
        assert!(told, "{:?}", harvest.left_out);
    }
}
