//! What is copied into a container, as a tar archive that is made while it is sent.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::Stream;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use super::{CHECKOUT, CONTROL};
use crate::worker::room::Room;

/// How much is sent at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// How many pieces wait for being sent.
const PIECES_MAX: usize = 4;

/// The room's working copy and scripts, all root's, with paths from the container's root.
pub(super) fn of(room: &Room) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let (pieces, inbox) = mpsc::channel(PIECES_MAX);
    let (checkout, control) = (room.checkout(), room.control());
    tokio::task::spawn_blocking(move || {
        let failed = pieces.clone();
        if let Err(error) = write(&checkout, &control, Pieces(pieces)) {
            // Whoever is gone does not want to know.
            let _unsent = failed.blocking_send(Err(error));
        }
    });
    futures_util::stream::unfold(inbox, async |mut inbox| {
        inbox.recv().await.map(|piece| (piece, inbox))
    })
}

/// Sends what is written to it.
struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_unsent| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(checkout: &Path, control: &Path, to: impl Write) -> io::Result<()> {
    let mut archive = Builder::new(BufWriter::with_capacity(PIECE_BYTES, to));
    append_tree(&mut archive, checkout, &inside(CHECKOUT))?;
    append_scripts(&mut archive, control, &inside(CONTROL))?;
    archive.into_inner()?.flush()
}

fn inside(path: &str) -> PathBuf {
    PathBuf::from(path.trim_start_matches('/'))
}

/// Files of the directory itself; only root may read them, since secrets may be among them.
fn append_scripts<W: Write>(
    archive: &mut Builder<W>,
    directory: &Path,
    inside: &Path,
) -> io::Result<()> {
    let mut header = header_of(&fs::symlink_metadata(directory)?);
    header.set_mode(0o700);
    archive.append_data(&mut header, inside, io::empty())?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_file() {
            let mut header = header_of(&about);
            header.set_mode(0o600);
            let path = inside.join(entry.file_name());
            archive.append_data(&mut header, path, File::open(entry.path())?)?;
        }
    }
    Ok(())
}

/// Directories, files and links; nothing else comes out of git.
fn append_tree<W: Write>(archive: &mut Builder<W>, root: &Path, inside: &Path) -> io::Result<()> {
    let mut waiting = vec![(root.to_owned(), inside.to_owned())];
    while let Some((path, inside)) = waiting.pop() {
        let about = fs::symlink_metadata(&path)?;
        let mut header = header_of(&about);
        if about.is_dir() {
            archive.append_data(&mut header, &inside, io::empty())?;
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                waiting.push((entry.path(), inside.join(entry.file_name())));
            }
        } else if about.is_symlink() {
            archive.append_link(&mut header, &inside, fs::read_link(&path)?)?;
        } else if about.is_file() {
            archive.append_data(&mut header, &inside, File::open(&path)?)?;
        }
    }
    Ok(())
}

fn header_of(about: &fs::Metadata) -> Header {
    let mut header = Header::new_gnu();
    header.set_metadata(about);
    header.set_uid(0);
    header.set_gid(0);
    if about.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
    }
    if about.is_dir() {
        header.set_size(0);
    }
    header
}
