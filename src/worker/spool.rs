//! The log of one attempt on the worker's disk: written by the executor, read by the delivery.
//!
//! The disk stands between the two, so that a command never waits for a server that is away. The
//! file is cut at a limit; what comes after the cut is dropped, except for the lines by which the
//! worker says how the suite ended.

use std::io;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::watch;

use super::conclusion::Conclusion;
use super::mask::Mask;

/// Kept free below the limit for the notice of the cut and the closing lines, in bytes.
const RESERVE_BYTES: u64 = 512;

/// How far an attempt has come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Progress {
    /// Bytes of log that can be read.
    pub(super) bytes: u64,
    /// Set when the log is complete.
    pub(super) conclusion: Option<Conclusion>,
}

/// The writing end.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    progress: watch::Sender<Progress>,
    bytes_max: u64,
    cut: Cut,
    last_byte: u8,
    /// Hides secrets in whatever is written.
    mask: Option<Mask>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cut {
    NotYet,
    Done,
}

/// The reading end.
#[derive(Debug)]
pub(super) struct SpoolReader {
    path: PathBuf,
    /// Changes whenever there is more to read.
    pub(super) progress: watch::Receiver<Progress>,
}

impl Spool {
    /// Starts an empty log that will never be longer than `bytes_max`.
    pub(super) async fn create(path: &Path, bytes_max: u64) -> io::Result<(Self, SpoolReader)> {
        let file = File::create(path).await?;
        let (progress, receiver) = watch::channel(Progress::default());
        let spool = Self {
            file,
            progress,
            bytes_max,
            cut: Cut::NotYet,
            last_byte: b'\n',
            mask: None,
        };
        let reader = SpoolReader {
            path: path.to_owned(),
            progress: receiver,
        };
        Ok((spool, reader))
    }

    /// Hides secrets in what is written from now on.
    pub(super) fn hide(&mut self, mask: Option<Mask>) {
        self.mask = mask;
    }

    /// Appends what a command printed, or as much of it as there is room for. What may be the
    /// beginning of a secret waits for the rest.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.mask.as_mut().map(|mask| mask.push(bytes)) {
            Some(seen) => self.write_seen(&seen).await,
            None => self.write_seen(bytes).await,
        }
    }

    /// Appends what waits: a command has ended.
    pub(super) async fn release(&mut self) -> io::Result<()> {
        match self.mask.as_mut().map(Mask::release) {
            Some(seen) => self.write_seen(&seen).await,
            None => Ok(()),
        }
    }

    async fn write_seen(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.cut == Cut::Done {
            return Ok(());
        }
        let room = self.room(RESERVE_BYTES);
        match bytes.get(..room) {
            Some(fitting) if room < bytes.len() => {
                self.append(fitting).await?;
                self.cut = Cut::Done;
                let notice = format!("\n\n### FILE TRUNCATED AFTER {} BYTES\n", self.bytes());
                self.append_within_limit(notice.as_bytes()).await
            }
            _ => self.append(bytes).await,
        }
    }

    /// Appends a command as it is about to be run.
    pub(super) async fn echo(&mut self, command: &str) -> io::Result<()> {
        self.note(&format!(">>> {}", command.trim_end())).await
    }

    /// Appends a line of the worker's own, unless the log is cut. It starts on a line of its own.
    pub(super) async fn note(&mut self, line: &str) -> io::Result<()> {
        self.release().await?;
        let line = self.whole(line);
        self.write_seen(&line).await
    }

    /// Appends a closing line, also after the cut. It starts on a line of its own.
    pub(super) async fn say(&mut self, line: &str) -> io::Result<()> {
        self.release().await?;
        let line = self.whole(line);
        self.append_within_limit(&line).await
    }

    /// The line by itself, without secrets.
    fn whole(&mut self, line: &str) -> Vec<u8> {
        let line = format!("{}{line}\n", self.gap());
        let Some(mask) = &mut self.mask else {
            return line.into_bytes();
        };
        let mut seen = mask.push(line.as_bytes());
        seen.extend(mask.release());
        seen
    }

    /// Says that nothing more will be written, and how the attempt ended. What waits is dropped.
    pub(super) fn finish(self, conclusion: impl Into<Conclusion>) {
        let conclusion = conclusion.into();
        self.progress
            .send_modify(|progress| progress.conclusion = Some(conclusion));
    }

    fn gap(&self) -> &'static str {
        if self.last_byte == b'\n' { "" } else { "\n" }
    }

    fn bytes(&self) -> u64 {
        self.progress.borrow().bytes
    }

    /// How many bytes may still be written if this many are to stay free.
    fn room(&self, reserve: u64) -> usize {
        let left = self
            .bytes_max
            .saturating_sub(reserve)
            .saturating_sub(self.bytes());
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    async fn append_within_limit(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.room(0);
        self.append(bytes.get(..room).unwrap_or(bytes)).await
    }

    async fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(&last_byte) = bytes.last() else {
            return Ok(());
        };
        self.file.write_all(bytes).await?;
        self.file.flush().await?;
        self.last_byte = last_byte;
        let added = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.progress
            .send_modify(|progress| progress.bytes = progress.bytes.saturating_add(added));
        Ok(())
    }
}

impl SpoolReader {
    /// The bytes from `offset` on, at most `bytes_max` of them.
    pub(super) async fn read(&self, offset: u64, bytes_max: usize) -> io::Result<Bytes> {
        let mut file = File::open(&self.path).await?;
        file.seek(SeekFrom::Start(offset)).await?;
        let mut bytes = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut bytes).await?;
        Ok(bytes.into())
    }
}
