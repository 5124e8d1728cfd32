//! The read-only smart-HTTP endpoint of one run's commit, for workers.
//!
//! Always answers in version 0 of git's protocol, whatever the client offers (every client reads
//! it): in version 2 the server gives out any object whose id is known ("wants can be anything",
//! gitprotocol-v2), in version 0 it gives only what the refs that it shows lead to, and here that is one.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdout};
use tokio::time::{Sleep, sleep};
use tokio_util::io::ReaderStream;

use super::mirror::run_ref;
use super::program::{Group, Run};
use super::{GitError, Mirror};
use paprq_core::ids::RunId;

/// The most bytes that a request for a pack can need, unzipped.
pub const REQUEST_BYTES_MAX: usize = 4 << 20;

/// The media type of the answer to `GET …/info/refs?service=git-upload-pack`.
pub const ADVERTISEMENT_TYPE: &str = "application/x-git-upload-pack-advertisement";

/// The media type of the request of `POST …/git-upload-pack`.
pub const REQUEST_TYPE: &str = "application/x-git-upload-pack-request";

/// The media type of the answer to `POST …/git-upload-pack`.
pub const RESULT_TYPE: &str = "application/x-git-upload-pack-result";

/// Answers `GET …/info/refs?service=git-upload-pack`: the run's ref, `refs/paprq/runs/ID`, and no other.
///
/// # Errors
/// [`GitError::Gone`] if the run is not pinned.
pub async fn advertise(mirror: &Mirror, run: RunId) -> Result<Bytes, GitError> {
    const SERVICE: &[u8] = b"001e# service=git-upload-pack\n0000";
    require_pinned(mirror, run).await?;
    let command = upload_pack_of(
        mirror,
        run,
        &["--stateless-rpc", "--http-backend-info-refs"],
    );
    let refs = command
        .finish(mirror.limits().serve_s)
        .await?
        .local_result()?;
    Ok([SERVICE, &refs].concat().into())
}

/// Answers `POST …/git-upload-pack`. `request` is the whole body, unzipped.
///
/// The answer arrives while it is made; git's own errors are part of it. It ends with an error
/// if git takes too long. Dropping it ends git.
///
/// # Errors
/// [`GitError::Gone`] if the run is not pinned.
pub async fn upload_pack(
    mirror: &Mirror,
    run: RunId,
    request: Bytes,
) -> Result<impl Stream<Item = Result<Bytes, io::Error>> + use<>, GitError> {
    require_pinned(mirror, run).await?;
    let command = upload_pack_of(mirror, run, &["--stateless-rpc"]).streamed();
    let (mut child, group) = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // On its own: git may begin to answer before it has read everything. A failure shows
        // in the answer.
        tokio::spawn(async move { stdin.write_all(&request).await });
    }
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| GitError::Program("no pipe from git".to_owned()))?;
    let answer = UploadPack {
        child,
        group,
        stdout: ReaderStream::with_capacity(stdout, CHUNK_BYTES),
        deadline: Box::pin(sleep(Duration::from_secs(mirror.limits().serve_s))),
    };
    Ok(stream::unfold(Some(answer), |answer| async move {
        answer?.next().await
    }))
}

const CHUNK_BYTES: usize = 64 << 10;

/// An answer that is being made.
struct UploadPack {
    child: Child,
    group: Group,
    stdout: ReaderStream<ChildStdout>,
    deadline: Pin<Box<Sleep>>,
}

impl UploadPack {
    /// The next piece, and what remains after it.
    async fn next(mut self) -> Option<(io::Result<Bytes>, Option<Self>)> {
        let piece = tokio::select! {
            biased;
            () = &mut self.deadline => Some(Err(io::ErrorKind::TimedOut.into())),
            piece = self.stdout.next() => piece,
        };
        match piece {
            Some(Ok(piece)) => Some((Ok(piece), Some(self))),
            Some(Err(error)) => Some((Err(error), None)),
            None => {
                let status = self.child.wait().await.ok()?;
                self.group.left(status);
                None
            }
        }
    }
}

async fn require_pinned(mirror: &Mirror, run: RunId) -> Result<(), GitError> {
    match mirror.blocking(move |mirror| mirror.pinned(run)).await? {
        Some(_) => Ok(()),
        None => Err(GitError::Gone(format!("run {run} has no commit here"))),
    }
}

/// `git upload-pack`, which sees the run's ref and no other.
fn upload_pack_of(mirror: &Mirror, run: RunId, options: &[&str]) -> Run {
    let dir = mirror.dir().as_os_str();
    let args = ["upload-pack", "--strict"].iter().chain(options);
    // The last entry that matches a ref decides. A name stands for itself and what is below it.
    mirror
        .git(args.map(AsRef::as_ref).chain([dir]))
        .config("uploadpack.hideRefs", "refs")
        .config("uploadpack.hideRefs", &format!("!{}", run_ref(run)))
}
