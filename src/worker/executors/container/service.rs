//! A Podman of the worker's own, where none listens: started as a child, ended with the worker.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::clock::Stopwatch;
use crate::worker::spawner::Spawner;

/// How long it may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the socket is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// `podman system service` on a socket that only this user reaches.
#[derive(Debug)]
pub(super) struct OwnService {
    child: Child,
    /// The thread that the child is tied to.
    _spawner: Spawner,
    directory: tempfile::TempDir,
}

impl OwnService {
    /// Starts it, with this in its environment too, and waits until it listens.
    ///
    /// # Errors
    /// If it does not; the message has what it said.
    pub(super) async fn start(environment: &[(&str, &Path)]) -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let spawner = Spawner::start()?;
        let address = format!("unix://{}", directory.path().join("podman.sock").display());
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM", "--", "podman", "system", "service"])
            .args(["--time", "0", &address])
            .envs(environment.iter().copied())
            // What it starts leaves notes wherever it was started.
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        let child = spawner.spawn(command).await?;
        let mut service = Self {
            child,
            _spawner: spawner,
            directory,
        };
        service.listens().await?;
        Ok(service)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("podman.sock")
    }

    async fn listens(&mut self) -> io::Result<()> {
        let waited = Stopwatch::start();
        while !self.socket().exists() {
            if self.child.try_wait()?.is_some() {
                return Err(io::Error::other(self.last_words().await));
            }
            if waited.elapsed() > PATIENCE {
                return Err(io::Error::other("podman system service does not listen"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        // It says nothing that the log of the worker needs; a full pipe would stop it.
        if let Some(mut said) = self.child.stderr.take() {
            tokio::spawn(async move { tokio::io::copy(&mut said, &mut tokio::io::sink()).await });
        }
        Ok(())
    }

    async fn last_words(&mut self) -> String {
        let mut said = Vec::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _cut_short = stderr.take(4096).read_to_end(&mut said).await;
        }
        let said = String::from_utf8_lossy(&said).trim().replace('\n', "; ");
        format!("podman system service ended: {said}")
    }
}

impl Drop for OwnService {
    /// Without root it consists of two processes, so the group is ended; the containers' own
    /// processes are in others.
    fn drop(&mut self) {
        let number = self
            .child
            .id()
            .and_then(|number| i32::try_from(number).ok());
        if let Some(group) = number.and_then(Pid::from_raw) {
            let _already_dead = rustix::process::kill_process_group(group, Signal::TERM);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_podman_of_our_own_listens_and_ends_with_the_last_that_uses_it() {
        let directory = tempfile::tempdir().unwrap();
        let storage = directory.path().join("storage.conf");
        let here = directory.path().display();
        let conf = format!(
            "[storage]\ndriver = \"vfs\"\nrunroot = \"{here}/run\"\ngraphroot = \"{here}/root\"\n"
        );
        std::fs::write(&storage, conf).unwrap();
        let environment = [
            ("CONTAINERS_STORAGE_CONF", storage.as_path()),
            ("XDG_RUNTIME_DIR", directory.path()),
        ];
        let service = OwnService::start(&environment).await.unwrap();
        let address = service.address();
        let connect = || {
            let version = bollard::API_DEFAULT_VERSION;
            bollard::Docker::connect_with_unix(&address, 10, version)
        };
        connect().unwrap().ping().await.unwrap();
        let process = PathBuf::from(format!("/proc/{}", service.child.id().unwrap()));
        assert!(process.exists());
        drop(service);
        assert!(connect().is_err());
        tokio::time::timeout(PATIENCE, async {
            while process.exists() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
}
