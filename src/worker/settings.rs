//! What a worker is told when it starts.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;

use url::Url;

use super::executors::Executors;
use crate::public_address::Reach;
use paprq_core::ids::WorkerId;

/// What a worker is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the server listens; `/api/v1/…` is taken below it.
    pub server: Url,
    /// What the worker shows to the server.
    pub token: Token,
    /// What it calls itself; two workers with the same name and token are one to the server.
    pub name: WorkerId,
    /// How many slots it has for jobs; most take one.
    pub slots: NonZeroU32,
    /// What it has that suites may ask for.
    pub labels: Vec<String>,
    /// What it executes suites in.
    pub executors: Executors,
    /// A directory of its own. Everything in its `jobs` is deleted at the start.
    pub work_dir: PathBuf,
    /// What one suite may use.
    pub limits: Limits,
    /// Whether submodules and files of Git LFS may be fetched from private networks.
    pub reach: Reach,
    /// When it ends by itself.
    pub lifetime: Lifetime,
}

/// The worker's secret. Not shown by `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes the text without surrounding white space, which files tend to end in.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// When a worker ends by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lifetime {
    /// Never: it asks until it is stopped.
    UntilStopped,
    /// When the server has nothing for it and what it took is done; for cron and the like.
    UntilIdle,
}

/// What one suite may use. The kernel holds it to them as far as it can, a watchdog to the rest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Memory of all processes together, and what is in no process's, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub tasks: u64,
    /// The working copy, and any single file, in bytes.
    pub disk_bytes: u64,
    /// Files, directories and links in the working copy.
    pub files: u64,
    /// Each of /tmp, /var/tmp, /dev/shm and the home directory, in bytes; they live in memory.
    pub scratch_bytes: u64,
    /// The log, in bytes; the server may set a lower limit.
    pub log_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            memory_bytes: 4096 * MIB,
            tasks: 1024,
            disk_bytes: 10 * 1024 * MIB,
            files: 1_000_000,
            scratch_bytes: 1024 * MIB,
            log_bytes: 64 * MIB,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_shown() {
        let token = Token::new("secret\n");
        assert_eq!(token.reveal(), "secret");
        assert!(!format!("{token:?}").contains("secret"));
    }
}
