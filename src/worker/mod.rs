//! The agent that executes jobs: ask, check out, execute, stream, report.
//!
//! The same code runs inside the server and on other machines; both speak [`crate::protocol`] over
//! HTTP, and neither holds a secret of GitHub's. Read `agent.rs` for the loop, `execution.rs` for
//! one job, `checkout.rs` for its commit (with `completion.rs` and `gateway/` for submodules and Git LFS), `delivery.rs` for the way of its log, `executors/` for where its commands run.

mod agent;
mod artifacts;
mod build;
mod checkout;
mod client;
mod completion;
mod conclusion;
mod delivery;
mod disk;
mod execution;
mod executors;
mod gateway;
mod health;
mod leftovers;
mod mask;
mod measure;
mod memory;
mod omissions;
mod packages;
mod pauses;
mod removal;
mod room;
mod script;
mod settings;
mod sight;
mod spawner;
mod spool;

pub use agent::{WorkerError, run};
pub use executors::{
    Bubblewrap, ContainerEngine, Executors, Isolation, NoBubblewrap, NoContainerEngine,
    find_bubblewrap, find_container_engine,
};
pub(crate) use removal::TemporaryDirectory;
pub use settings::{Lifetime, Limits, Settings, Token};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
