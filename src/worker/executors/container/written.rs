//! How much a container has written: in its own layer, and in the volumes that its image asks for.
//!
//! Where the engine keeps both on this machine and the worker may read them, they are measured here,
//! with their inodes. Else the engine is asked, which knows the layer alone; then an image with
//! volumes is refused.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::InspectContainerOptions;

use crate::worker::measure::{Room, measure};

/// How long the engine may take to measure one: a suite could make so many files that nobody gets to
/// know how large they are.
const MEASURING_MAX: Duration = Duration::from_secs(60);

/// Where a container writes.
#[derive(Clone, Debug)]
pub(super) struct Written {
    docker: Docker,
    name: String,
    /// Its own layer, where the worker may read it.
    layer: Option<PathBuf>,
    volumes: Vec<PathBuf>,
}

/// Why it is not known where.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    /// A volume that only the engine can read.
    #[error("the image asks for the volume {0}, and this worker cannot measure volumes")]
    Volume(String),
    /// The engine does not say.
    #[error(transparent)]
    Engine(#[from] bollard::errors::Error),
}

impl Written {
    /// Asks the engine where a container writes.
    pub(super) async fn by(docker: &Docker, name: &str) -> Result<Self, Unknown> {
        let options = None::<InspectContainerOptions>;
        let about = docker.inspect_container(name, options).await?;
        let data = about.graph_driver.map(|driver| driver.data);
        let layer = data.and_then(|mut data| data.remove("UpperDir"));
        let mut volumes = Vec::new();
        for mount in about.mounts.into_iter().flatten() {
            if mount.typ.as_deref() != Some("volume") {
                continue;
            }
            let source = mount.source.map(PathBuf::from);
            match source.filter(|path| path.is_dir()) {
                Some(path) => volumes.push(path),
                None => return Err(Unknown::Volume(mount.destination.unwrap_or_default())),
            }
        }
        Ok(Self {
            docker: docker.clone(),
            name: name.to_owned(),
            layer: layer.map(PathBuf::from).filter(|path| path.is_dir()),
            volumes,
        })
    }

    /// What is there now; stops counting beyond `enough`.
    ///
    /// # Errors
    /// If any of it cannot be measured.
    pub(super) async fn room(self, enough: Room) -> io::Result<Room> {
        let (layer, volumes) = (self.layer.clone(), self.volumes.clone());
        let measuring = tokio::task::spawn_blocking(move || {
            let layer = layer.and_then(|path| measure(&path, enough).ok());
            let mut room = Room::default();
            for volume in volumes {
                room = room.and(measure(&volume, enough)?);
            }
            Ok::<_, io::Error>((layer, room))
        });
        let (layer, volumes) = measuring.await.map_err(io::Error::other)??;
        let layer = match layer {
            Some(room) => room,
            None => self.ask().await?,
        };
        Ok(layer.and(volumes))
    }

    /// What the engine says. There always is something, the working copy; an engine that could not
    /// measure says that there is nothing.
    async fn ask(&self) -> io::Result<Room> {
        let options = InspectContainerOptions { size: true };
        let asking = self.docker.inspect_container(&self.name, Some(options));
        let answer = tokio::time::timeout(MEASURING_MAX, asking).await;
        let about = answer
            .map_err(io::Error::other)?
            .map_err(io::Error::other)?;
        let bytes = about.size_rw.and_then(|bytes| u64::try_from(bytes).ok());
        match bytes {
            Some(bytes) if bytes > 0 => Ok(Room { bytes, entries: 0 }),
            _ => Err(io::Error::other("the engine cannot measure the container")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_never_answers_has_not_measured() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", silent.local_addr().unwrap());
        let version = bollard::API_DEFAULT_VERSION;
        let written = Written {
            docker: Docker::connect_with_http(&address, 600, version).unwrap(),
            name: "paprq-unit".to_owned(),
            layer: None,
            volumes: Vec::new(),
        };
        let asking = tokio::time::timeout(MEASURING_MAX * 2, written.room(Room::default()));
        assert!(asking.await.unwrap().is_err());
    }
}
