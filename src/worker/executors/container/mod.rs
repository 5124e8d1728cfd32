//! Containers: Podman or Docker, spoken to over their API.
//!
//! One container per attempt, with everything copied in and nothing of the machine shared but its
//! kernel and its network's way out. docs/decisions/0011-containers.md says why.

mod answers;
mod archive;
mod creation;
mod engine;
mod image;
mod keeping;
mod metadata;
mod service;
mod session;
mod written;

pub use engine::{ContainerEngine, NoContainerEngine, find_container_engine};
pub(super) use session::{ContainerRequest, ContainerSession};

/// The working copy inside the container (PAPR's path).
pub(super) const CHECKOUT: &str = "/var/tmp/checkout";
/// The scripts inside the container.
const CONTROL: &str = "/var/tmp/paprq";
/// Says to which worker a container belongs.
const LABEL_WORKER: &str = "io.paprq.worker";
/// Says in which life of the worker it was made.
const LABEL_START: &str = "io.paprq.start";
