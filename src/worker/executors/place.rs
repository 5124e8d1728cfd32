//! Where the commands of one suite run, whatever its environment: opened, used, closed.

use std::io;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::Way;
use super::container::ContainerSession;
use super::session::{Bounds, Ended, Launch, Session};
use crate::protocol::{ArtifactBounds, Attempt};
use crate::worker::memory::has_come_to_its_own_limit;
use crate::worker::room::Room;
use crate::worker::settings::Limits;
use crate::worker::spawner::Spawner;
use crate::worker::spool::Spool;

/// What opening a place takes of the worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) room: &'a Room,
    pub(crate) limits: &'a Limits,
    pub(crate) spawner: &'a Spawner,
    /// Ends the opening.
    pub(crate) stop: &'a CancellationToken,
    /// Which worker's this is, for an engine that several use.
    pub(crate) owner: &'a str,
    pub(crate) attempt: Attempt,
    /// How long the commands may take, in seconds.
    pub(crate) timeout_s: u64,
}

/// Why there is no place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPlace {
    /// The suite asks for what cannot be had; the message is for people.
    #[error("{0}")]
    Refused(String),
    /// A service that others keep cannot be reached now; the message is for people.
    #[error("{0}")]
    Away(String),
    /// The worker's own files, processes or services failed.
    #[error(transparent)]
    Broken(#[from] io::Error),
}

/// A place that is open.
#[derive(Debug)]
pub(crate) enum Place {
    /// On the worker itself.
    Sandbox(Session),
    /// In a container.
    Container(ContainerSession),
}

impl Place {
    /// Makes the place, with the working copy and the scripts of the room in it.
    ///
    /// # Errors
    /// If it cannot be made; what is known about it is in the log then.
    pub(crate) async fn open(
        way: &Way<'_>,
        site: Site<'_>,
        log: &mut Spool,
    ) -> Result<Self, NoPlace> {
        match way {
            Way::Sandbox { isolation, network } => {
                let launch = Launch {
                    isolation,
                    room: site.room,
                    network: *network,
                    limits: site.limits,
                    stop: site.stop,
                    environment: Vec::new(),
                };
                let session = Session::start(&launch, site.spawner, log).await?;
                Ok(Self::Sandbox(session))
            }
            Way::Container { engine, wanted } => {
                let session = ContainerSession::start(engine, *wanted, site, log).await?;
                Ok(Self::Container(session))
            }
        }
    }

    /// Runs one of the scripts; what it prints goes to the log.
    ///
    /// # Errors
    /// If the worker's own files, pipes or services fail.
    pub(crate) async fn run(
        &mut self,
        script: &str,
        bounds: Bounds<'_>,
        log: &mut Spool,
    ) -> io::Result<Ended> {
        match self {
            Self::Sandbox(session) => session.run(script, bounds, log).await,
            Self::Container(session) => session.run(script, bounds, log).await,
        }
    }

    /// The directory with what the suite leaves at these paths of its working copy. It is to be read
    /// when the place is closed; what was left out of it is in the log.
    ///
    /// # Errors
    /// If the worker's own files fail.
    pub(crate) async fn keep(
        &mut self,
        paths: &[PathBuf],
        bounds: ArtifactBounds,
        room: &Room,
        log: &mut Spool,
    ) -> io::Result<PathBuf> {
        match self {
            Self::Sandbox(_) => Ok(room.checkout()),
            Self::Container(_) if paths.is_empty() => Ok(room.kept()),
            Self::Container(session) => {
                let kept = room.kept();
                for left_out in session.keep(paths, bounds, &kept).await? {
                    log.note(&format!(
                        "### ARTIFACT LEFT OUT: {}",
                        left_out.escape_debug()
                    ))
                    .await?;
                }
                Ok(kept)
            }
        }
    }

    /// Whether the place has a limit of memory of its own, and has come to it.
    pub(crate) fn is_at_its_own_limit(&self) -> bool {
        match self {
            // Its own group has told already, of its own kills alone.
            Self::Sandbox(session) if session.has_group() => true,
            Self::Sandbox(session) => {
                let process = session.process().map(i64::from);
                process.and_then(has_come_to_its_own_limit) == Some(true)
            }
            // It has one for certain; where it is not seen, it counts as come to.
            Self::Container(session) => {
                let own = session.process().and_then(has_come_to_its_own_limit);
                own != Some(false)
            }
        }
    }

    /// Kills everything and returns when nothing of it is alive.
    pub(crate) async fn close(self) {
        match self {
            Self::Sandbox(session) => session.end().await,
            Self::Container(session) => session.end().await,
        }
    }
}
