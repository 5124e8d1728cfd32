//! Podman or Docker: found, tried, and cleared of what earlier suites left.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bollard::models::{ContainerSummary, SystemInfo, SystemInfoCgroupVersionEnum};
use bollard::query_parameters::ListContainersOptions;
use bollard::{API_DEFAULT_VERSION, Docker};

use super::service::OwnService;
use super::session::remove;
use super::{LABEL_START, LABEL_WORKER};

/// Variables in which engines' own programs look for an address.
const ADDRESS_VARIABLES: [&str; 2] = ["CONTAINER_HOST", "DOCKER_HOST"];
/// How long one call may take, in seconds; the longest copies a working copy in.
const CALL_S: u64 = 600;

/// A container engine that answers. Cheap to clone.
#[derive(Clone)]
pub struct ContainerEngine {
    pub(super) docker: Docker,
    /// How many processors its machine has.
    pub(super) processors: u64,
    /// Where it keeps containers, if that is on this machine.
    pub(super) storage: Option<PathBuf>,
    about: String,
    /// The same for all containers since it was found, and another at the next start.
    start: String,
    /// The containers that could not be removed.
    stuck: Arc<Mutex<BTreeSet<String>>>,
    /// Ended with the last clone.
    _own: Option<Arc<OwnService>>,
}

/// Why there is no container engine.
#[derive(Debug, thiserror::Error)]
pub enum NoContainerEngine {
    /// The one that was named does not answer.
    #[error(
        "no container engine answers at {address}: {reason}. Start it there, let this user use \
         it, or name another one"
    )]
    Silent {
        /// Where it was looked for.
        address: String,
        /// What came of it.
        reason: String,
    },
    /// No address is known, and none can be made.
    #[error(
        "no container engine: neither Podman nor Docker listens at its usual place, and Podman \
         cannot be started ({0}). Install podman, start podman.socket or docker, or name an \
         engine"
    )]
    None(#[source] io::Error),
    /// It would not hold a suite to anything.
    #[error(
        "the container engine at {0} cannot limit memory and processes: without root that takes \
         cgroups v2 with these controllers delegated to the user"
    )]
    Unbounded(String),
}

/// Finds an engine: the address that is given, else the one in `CONTAINER_HOST` or `DOCKER_HOST`,
/// else the first that listens at a usual place, else a Podman of our own.
///
/// # Errors
/// If none answers, or it cannot hold suites to limits; the message says what to do.
pub async fn find_container_engine(
    address: Option<&str>,
) -> Result<ContainerEngine, NoContainerEngine> {
    let named = address.map(str::to_owned).or_else(|| {
        let variable = |name| std::env::var(name).ok();
        let mut addresses = ADDRESS_VARIABLES.into_iter().filter_map(variable);
        addresses.find(|address| !address.is_empty())
    });
    if let Some(address) = named {
        return connect(&address, None).await;
    }
    for socket in usual_sockets() {
        let address = format!("unix://{}", socket.display());
        match connect(&address, None).await {
            Err(NoContainerEngine::Silent { address, reason }) => {
                tracing::debug!(address, reason, "no container engine here");
            }
            found => return found,
        }
    }
    let own = OwnService::start(&[])
        .await
        .map_err(NoContainerEngine::None)?;
    connect(&own.address(), Some(Arc::new(own))).await
}

fn usual_sockets() -> Vec<PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR")
        .map(|directory| Path::new(&directory).join("podman/podman.sock"));
    let everybodys = ["/run/podman/podman.sock", "/var/run/docker.sock"];
    own.into_iter()
        .chain(everybodys.map(PathBuf::from))
        .filter(|socket| socket.exists())
        .collect()
}

async fn connect(
    address: &str,
    own: Option<Arc<OwnService>>,
) -> Result<ContainerEngine, NoContainerEngine> {
    let silent = |reason: String| NoContainerEngine::Silent {
        address: address.to_owned(),
        reason,
    };
    let docker = client(address).map_err(silent)?;
    let docker = docker
        .negotiate_version()
        .await
        .map_err(|error| silent(reason_of(&error)))?;
    let info = docker
        .info()
        .await
        .map_err(|error| silent(reason_of(&error)))?;
    if !is_bounded(&info) {
        return Err(NoContainerEngine::Unbounded(address.to_owned()));
    }
    Ok(ContainerEngine {
        docker,
        processors: info.ncpu.and_then(|n| u64::try_from(n).ok()).unwrap_or(1),
        storage: info
            .docker_root_dir
            .map(PathBuf::from)
            .filter(|path| path.is_dir()),
        about: format!(
            "version {} at {address}",
            info.server_version.unwrap_or_default()
        ),
        start: format!("{:016x}", rand::random::<u64>()),
        stuck: Arc::default(),
        _own: own,
    })
}

fn client(address: &str) -> Result<Docker, String> {
    let client = match address.split_once("://") {
        Some(("unix", _path)) => Docker::connect_with_unix(address, CALL_S, API_DEFAULT_VERSION),
        Some(("tcp" | "http", _place)) => {
            Docker::connect_with_http(address, CALL_S, API_DEFAULT_VERSION)
        }
        _ => return Err("an address begins with unix://, tcp:// or http://".to_owned()),
    };
    client.map_err(|error| error.to_string())
}

/// The errors of the client say little; their causes say more.
fn reason_of(error: &dyn std::error::Error) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    reason
}

/// Podman tells of the machine's controllers also where it may not use them.
fn is_bounded(info: &SystemInfo) -> bool {
    let rootless = info
        .security_options
        .iter()
        .flatten()
        .any(|option| option.contains("rootless"));
    let old = info.cgroup_version == Some(SystemInfoCgroupVersionEnum::_1);
    let has = |limit: Option<bool>| limit.unwrap_or(true);
    has(info.memory_limit) && has(info.pids_limit) && !(rootless && old)
}

impl fmt::Debug for ContainerEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContainerEngine").field(&self.about).finish()
    }
}

impl fmt::Display for ContainerEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.about)
    }
}

impl ContainerEngine {
    /// Where it keeps containers, if that is on this machine.
    pub(in crate::worker) fn storage(&self) -> Option<&Path> {
        self.storage.as_deref()
    }

    /// Whether it answers.
    pub(in crate::worker) async fn answers(&self) -> bool {
        self.docker.ping().await.is_ok()
    }

    /// Removes the containers of this owner that a worker before this one left, and those that
    /// could not be removed when their suites ended; returns whether none is left.
    pub(in crate::worker) async fn remove_leftovers(&self, owner: &str) -> bool {
        let options = ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([(
                "label".to_owned(),
                vec![format!("{LABEL_WORKER}={owner}")],
            )])),
            ..ListContainersOptions::default()
        };
        let found = match self.docker.list_containers(Some(options)).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "leftover containers cannot be looked for");
                return false;
            }
        };
        let mut all_gone = true;
        for container in found.into_iter().filter(|found| self.is_leftover(found)) {
            let id = container.id.unwrap_or_default();
            tracing::warn!(container = id, "a leftover container is removed");
            all_gone &= remove(&self.docker, &id).await;
        }
        all_gone
    }

    /// Whether no suite of this worker can be in it any more.
    fn is_leftover(&self, container: &ContainerSummary) -> bool {
        let labels = container.labels.as_ref();
        if labels.and_then(|labels| labels.get(LABEL_START)) != Some(&self.start) {
            return true;
        }
        let names = container.names.iter().flatten();
        let stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = names.map(|name| name.trim_start_matches('/'));
        names.any(|name| stuck.contains(name))
    }

    /// Remembers a container that could not be removed.
    pub(super) fn is_stuck(&self, name: &str) {
        let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        stuck.insert(name.to_owned());
    }

    /// What a container that begins now is marked with, beside its owner.
    pub(super) fn start(&self) -> &str {
        &self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_cannot_limit_is_refused() {
        let rooted = SystemInfo {
            memory_limit: Some(true),
            pids_limit: Some(true),
            cgroup_version: Some(SystemInfoCgroupVersionEnum::_1),
            ..SystemInfo::default()
        };
        assert!(is_bounded(&rooted));
        assert!(!is_bounded(&SystemInfo {
            pids_limit: Some(false),
            ..rooted.clone()
        }));
        assert!(!is_bounded(&SystemInfo {
            memory_limit: Some(false),
            ..rooted.clone()
        }));
        let rootless = SystemInfo {
            security_options: Some(vec!["name=rootless".to_owned()]),
            ..rooted
        };
        assert!(!is_bounded(&rootless));
        assert!(is_bounded(&SystemInfo {
            cgroup_version: Some(SystemInfoCgroupVersionEnum::_2),
            ..rootless
        }));
    }

    #[tokio::test]
    async fn an_engine_that_does_not_answer_is_named_with_what_to_do() {
        for address in [
            "unix:///nowhere/engine.sock",
            "tcp://127.0.0.1:1",
            "ssh://a",
        ] {
            let error = find_container_engine(Some(address)).await.unwrap_err();
            let said = error.to_string();
            assert!(
                said.contains(address) && said.contains("name another one"),
                "{said}"
            );
        }
    }
}
