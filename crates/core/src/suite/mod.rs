//! From `.papr.yml` to test suites, and which of them a run needs. Pure.
//!
//! A file is a stream of YAML documents, one per suite. The way of a file: `yaml` makes values
//! that know where they were written, `inherit` makes each document whole, `document` checks
//! it and makes it a [`Suite`], or with `matrix` several, `file` does that for all of them, compares
//! them with each other and lets `needs` find out whom they wait for. The files come from pull requests of strangers, so every step is bounded.
//!
//! Nothing here finds the file, runs a command or knows what a run is.

mod audit;
mod calls;
mod checkout;
mod definition;
mod definition_hash;
mod document;
mod environment;
mod error;
mod file;
mod forms;
mod inherit;
mod json;
mod matrix;
mod needed;
mod needs;
mod origin;
mod own_keys;
mod paths;
mod plain;
mod submodules;
mod yaml;

#[cfg(test)]
mod tests;

pub use calls::{Called, NotFound, find};
pub use checkout::{Checkout, Lfs, Submodules};
pub use definition::{
    Build, ClusterHost, ContainerSpecs, Environment, ExtraRepo, HostSpecs, Network, Ostree,
    RepoSetting, Suite, Variable,
};
pub use definition_hash::{Pass, definition, standing_pass};
pub use document::KEYS;
pub use error::{Finding, Position, SuiteFileError};
pub use file::{Document, read, read_documents};
pub use json::as_json;
pub use needed::{Occasion, OnMerge, gates, needed, with_needs};
pub use origin::{BadAddress, Origin};
pub use paths::untouched;
pub use submodules::{LEVELS_MAX, Refusal, SUBMODULES_MAX, Submodule, lfs_origin, submodules};

/// The names a file of suites may have in the root of a repository; the first that is a regular
/// file is read, the others are not looked at (PAPR: the production order without the first name,
/// the OpenShift rewrite's without the last).
pub const FILE_NAMES: [&str; 4] = [".papr-ex.yaml", ".papr.yml", ".papr.yaml", ".redhat-ci.yml"];

/// The longest file that is read, in bytes. The longest real one known has 5,000.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// The most suites one file may define.
pub const SUITES_MAX: usize = 256;

/// The longest time a suite may ask for, in seconds; also what it gets without asking.
pub const TIMEOUT_S_MAX: u64 = 7200;

/// How often a suite may be executed again when it fails.
pub const RETRIES_MAX: u32 = 5;

/// The most slots of a worker that a suite may take.
pub const SLOTS_MAX: u32 = 64;

/// The most combinations that one matrix may have.
pub const COMBINATIONS_MAX: usize = 64;

/// Where nothing else is said, pushes to this branch are tested.
const BRANCH_DEFAULT: &str = "master";

/// The context of a file's first suite where it states none.
pub const CONTEXT_DEFAULT: &str = "Red Hat CI";
