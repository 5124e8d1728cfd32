//! The files that a suite leaves, from its container to a directory of the worker's room.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bollard::Docker;
use bollard::query_parameters::{ContainerArchiveInfoOptions, DownloadFromContainerOptions};
use futures_util::TryStreamExt as _;
use tar::Archive;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::CHECKOUT;
use super::session::is_gone;
use crate::protocol::ArtifactBounds;

/// How many entries of archives are looked at.
const ENTRIES_MAX: usize = 20_000;
/// What engines, being written in Go, call a symbolic link (`os.ModeSymlink`).
const GO_SYMLINK: u32 = 1 << 27;
/// Paths that are longer are left out, in bytes; no artifact's may be.
const PATH_BYTES_MAX: usize = 1024;

/// What may still be taken.
struct Allowance {
    entries: usize,
    bytes: u64,
    file_bytes: u64,
}

impl Allowance {
    /// Whether one more file of this size is taken; then it counts.
    fn takes(&mut self, bytes: u64) -> bool {
        let fits = bytes <= self.bytes.min(self.file_bytes);
        if fits {
            self.bytes -= bytes;
        }
        fits
    }
}

/// Copies what the container has at these paths below the working copy into a directory; returns
/// what was left out there, each with why. What of the suite is still alive may change files
/// meanwhile, but not what becomes of them here.
///
/// Only files and directories are copied, no links: those may lead anywhere. What is missing is
/// passed over, as in PAPR.
///
/// # Errors
/// If the directory cannot be written.
pub(super) async fn keep(
    docker: &Docker,
    name: &str,
    paths: &[PathBuf],
    bounds: ArtifactBounds,
    to: &Path,
) -> io::Result<Vec<String>> {
    let mut allowance = Allowance {
        entries: ENTRIES_MAX,
        bytes: bounds.bytes_max,
        file_bytes: bounds.file_bytes_max,
    };
    let mut left_out = Vec::new();
    for path in paths {
        if let Some(why) = link_in(docker, name, path).await {
            left_out.push(format!("{}: {why}", path.display()));
            continue;
        }
        let options = DownloadFromContainerOptions { path: wanted(path) };
        let pieces = docker.download_from_container(name, Some(options));
        let reader = StreamReader::new(Box::pin(pieces.map_err(io::Error::other)));
        let bridge = SyncIoBridge::new(reader);
        let below = to.join(path.parent().unwrap_or(Path::new("")));
        let copying = tokio::task::spawn_blocking(move || {
            let copied = copy(bridge, &below, &mut allowance);
            (copied, allowance)
        });
        let copied;
        (copied, allowance) = copying.await.map_err(io::Error::other)?;
        match copied {
            Ok(skipped) => left_out.extend(skipped),
            // The engine answers so where nothing is there.
            Err(error) => tracing::warn!(container = name, %error, "nothing is kept of a path"),
        }
    }
    Ok(left_out)
}

/// Why a path is not to be followed: a symbolic link is on it, or is the working copy itself. The
/// engine would go wherever that leads in the container. What is not there is no link.
async fn link_in(docker: &Docker, name: &str, path: &Path) -> Option<&'static str> {
    let whole = Path::new(CHECKOUT).join(path);
    let mut place = PathBuf::from(CHECKOUT);
    let mut names = path.components();
    loop {
        let options = ContainerArchiveInfoOptions {
            path: place.display().to_string(),
        };
        match docker.get_container_archive_info(name, Some(options)).await {
            Ok(about) if about.file_mode & GO_SYMLINK == 0 => {}
            Ok(_link) if place == whole && !path.as_os_str().is_empty() => {
                return Some("it is neither a file nor a directory");
            }
            Ok(_link) => return Some("a link is on the way"),
            Err(error) if is_gone(&error) => return None,
            Err(_) => return Some("it cannot be looked at"),
        }
        place.push(names.next()?);
    }
}

/// Of the whole working copy what is in it, not itself.
fn wanted(path: &Path) -> String {
    if path.as_os_str().is_empty() {
        format!("{CHECKOUT}/.")
    } else {
        format!("{CHECKOUT}/{}", path.display())
    }
}

/// Unpacks the files and directories of an archive; returns what it left out.
fn copy(archive: impl Read, below: &Path, allowance: &mut Allowance) -> io::Result<Vec<String>> {
    let mut left_out = Vec::new();
    for entry in Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if allowance.entries == 0 {
            left_out.push("the rest: there is too much of it".to_owned());
            break;
        }
        allowance.entries -= 1;
        let Some(place) = inside(below, &path) else {
            left_out.push(format!("{}: it leads outside", path.display()));
            continue;
        };
        let kind = entry.header().entry_type();
        if path.as_os_str().len() > PATH_BYTES_MAX {
            let start = path.to_string_lossy().chars().take(100).collect::<String>();
            left_out.push(format!("{start}…: the path is too long"));
        } else if kind.is_dir() {
            fs::create_dir_all(&place)?;
        } else if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            let why = "it is neither a file nor a directory";
            left_out.push(format!("{}: {why}", path.display()));
        } else if allowance.takes(entry.size()) {
            write(&mut entry, &place)?;
        } else {
            left_out.push(format!("{}: it is too large", path.display()));
        }
    }
    Ok(left_out)
}

fn inside(below: &Path, path: &Path) -> Option<PathBuf> {
    let mut place = below.to_owned();
    for component in path.components() {
        match component {
            Component::Normal(name) => place.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(place)
}

fn write(from: &mut impl Read, place: &Path) -> io::Result<()> {
    if let Some(directory) = place.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = File::create(place)?;
    io::copy(from, &mut file).map(drop)
}

#[cfg(test)]
mod tests {
    use tar::{Builder, EntryType, Header};

    use super::*;

    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = Header::new_gnu();
            // Names that the builder itself would refuse.
            let name = header.as_gnu_mut().unwrap();
            name.name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0);
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn allowance() -> Allowance {
        Allowance {
            entries: 6,
            bytes: 10,
            file_bytes: 8,
        }
    }

    #[test]
    fn only_files_inside_are_copied_and_no_more_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        let bytes = archive(&[
            ("logs/", EntryType::Directory, ""),
            ("logs/one", EntryType::Regular, "12345"),
            ("logs/huge", EntryType::Regular, "123456789"),
            ("../../evil", EntryType::Regular, "1"),
            ("logs/link", EntryType::Symlink, ""),
            ("logs/two", EntryType::Regular, "123456"),
            ("logs/three", EntryType::Regular, ""),
        ]);
        let left_out = copy(bytes.as_slice(), &below, &mut allowance()).unwrap();
        assert_eq!(fs::read(below.join("logs/one")).unwrap(), b"12345");
        assert!(!folder.path().join("evil").exists());
        let kept = fs::read_dir(below.join("logs")).unwrap().count();
        assert_eq!(kept, 1);
        assert_eq!(
            left_out,
            [
                "logs/huge: it is too large",
                "../../evil: it leads outside",
                "logs/link: it is neither a file nor a directory",
                "logs/two: it is too large",
                "the rest: there is too much of it",
            ]
        );
    }
}
