//! `[git]`, `[web]`, `[db]`, `[storage]` and `[worker]`: the server itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::capacity::Capacity;
use super::secret::Secret;
use super::section::Section;

/// How repositories are kept and commits are made.
#[derive(Clone, Debug)]
pub struct Git {
    /// Whether merges are made in our own mirrors (true, the default) or by GitHub's merge API.
    pub local_git: bool,
    /// The private key, as text, for an ssh `git_url`. Default none: http with the token.
    pub ssh_key: Option<Secret>,
    /// The directory of the mirrors. Default `cache`.
    pub cache_dir: PathBuf,
    /// The committer's name. Default: the token's account.
    pub name: Option<String>,
    /// The committer's e-mail address. Default: the token's account.
    pub email: Option<String>,
    /// How much of strangers is kept.
    pub strangers: StrangerBounds,
}

/// How much is fetched of pulls for which nobody trusted stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StrangerBounds {
    /// Of one head, in MiB. Default 16.
    pub head_mib: u64,
    /// Of all heads of a repository, in MiB. Default 1024.
    pub heads_mib: u64,
    /// What must be free on the disk for that, in MiB. Default 1024.
    pub free_mib: u64,
}

impl StrangerBounds {
    fn read(section: &Section<'_>) -> Self {
        const MIB_MAX: u64 = 1 << 30;
        let mib = |key, least| section.whole(key, least..=MIB_MAX);
        Self {
            head_mib: mib("stranger_mib", 1).unwrap_or(16),
            heads_mib: mib("strangers_mib", 1).unwrap_or(1024),
            free_mib: mib("free_mib", 0).unwrap_or(1024),
        }
    }
}

/// Where the pages and webhooks are served.
#[derive(Clone, Debug)]
pub struct Web {
    /// The address to listen on. Default `0.0.0.0`.
    pub host: String,
    /// The port to listen on; 0 lets the system choose. Default 54856.
    pub port: u16,
    /// What `POST /admin` must bring. Default none: there is no `/admin`.
    pub secret: Option<Secret>,
    /// Whether all open pulls are read anew from GitHub at each start. Default false: only what
    /// the database does not know.
    pub sync_on_start: bool,
    /// Where people reach the pages, without a slash at its end. Default: the canonical address.
    pub base_url: Option<String>,
    /// The address that requests for other hosts are sent to, without a slash at its end.
    /// Default none.
    pub canonical_url: Option<String>,
    /// First parts of a path that are dropped, without slashes around. Default none.
    pub remove_path_prefixes: Vec<String>,
    /// A text on top of every page. Default none.
    pub announcement: Option<String>,
    /// How much strangers may take at a time.
    pub capacity: Capacity,
}

/// Where the state is kept.
#[derive(Clone, Debug)]
pub enum Db {
    /// In this SQLite file. Default `paprq.db`.
    Sqlite(PathBuf),
    /// In PostgreSQL, at this `postgres://` address. This build refuses it.
    Postgres(Secret),
}

/// Where logs and artifacts are kept.
#[derive(Clone, Debug)]
pub struct Storage {
    /// `file:` and a directory. Default `file:storage`.
    pub url: String,
    /// How much is kept of a suite's files (keys `artifact_*`).
    pub artifacts: ArtifactBounds,
    /// How much is kept of a repository's logs and artifacts together, in MiB. Default 51200.
    pub repo_mib: u64,
}

/// How much of a suite's files is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ArtifactBounds {
    /// How many files of one attempt. Default 1000.
    pub files_max: u32,
    /// Of one file, in bytes. Default 64 MiB.
    pub file_bytes_max: u64,
    /// Of all files of one attempt together, in bytes. Default 256 MiB.
    pub bytes_max: u64,
}

impl Default for ArtifactBounds {
    fn default() -> Self {
        Self {
            files_max: 1000,
            file_bytes_max: 64 << 20,
            bytes_max: 256 << 20,
        }
    }
}

impl ArtifactBounds {
    fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let files = section.whole("artifact_files_max", 0..=1_000_000);
        let bytes = |key| section.whole(key, 0..=u64::MAX);
        Self {
            files_max: files.unwrap_or(default.files_max),
            file_bytes_max: bytes("artifact_file_bytes_max").unwrap_or(default.file_bytes_max),
            bytes_max: bytes("artifact_bytes_max").unwrap_or(default.bytes_max),
        }
    }
}

/// What a worker inside the server executes suites in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LocalExecutor {
    /// Bubblewrap.
    Sandbox,
    /// Podman or Docker.
    Container,
}

/// Who executes jobs.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Workers inside the server, 0 to 1000. Default 2.
    pub local: u32,
    /// What those execute suites in. Default none: whatever is found on the machine.
    pub executors: Option<Vec<LocalExecutor>>,
    /// The address of their container engine. Default none: it is looked for.
    pub engine: Option<String>,
    /// Whether they may fetch submodules and files of Git LFS from private networks. Default false.
    pub allow_private_addresses: bool,
    /// The tokens of remote workers, each with a name of its own. Default none.
    pub tokens: BTreeMap<String, Secret>,
}

impl Git {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let user = section.text_unless_empty("user");
        let name = section.text_unless_empty("name");
        if user.is_some() && name.is_some() {
            let message = "\"user\" is not looked at";
            section.warn("user", message, "\"name\" says who commits merges");
        }
        let cache_dir = section.text("cache_dir");
        Self {
            local_git: section.truth("local_git").unwrap_or(true),
            ssh_key: section.secret_unless_empty("ssh_key"),
            cache_dir: cache_dir.unwrap_or_else(|| "cache".to_owned()).into(),
            name: name.or(user),
            email: section.text_unless_empty("email"),
            strangers: StrangerBounds::read(section),
        }
    }
}

impl Web {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let canonical_url = section.address_unless_empty("canonical_url");
        let prefixes = section.texts("remove_path_prefixes");
        let prefixes = prefixes
            .iter()
            .map(|prefix| prefix.trim_matches('/').to_owned());
        let host = section.text_unless_empty("host");
        Self {
            host: host.unwrap_or_else(|| "0.0.0.0".to_owned()),
            port: section.whole("port", 0..=u16::MAX).unwrap_or(54856),
            secret: section.secret_unless_empty("secret"),
            sync_on_start: section.truth("sync_on_start").unwrap_or(false),
            base_url: section
                .address_unless_empty("base_url")
                .or_else(|| canonical_url.clone()),
            canonical_url,
            remove_path_prefixes: prefixes.collect(),
            announcement: section.text_unless_empty("announcement"),
            capacity: Capacity::read(section),
        }
    }
}

impl Db {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let file = section.text("file");
        if file.as_deref().is_some_and(is_called_as_homus) {
            let message = "\"file\" is main.db, as Homu calls its own database";
            section.warn(
                "file",
                message,
                "if that is Homu's, ours is beside it, as main.paprq.db",
            );
        }
        let Some(url) = section.text("url") else {
            return Self::Sqlite(file.unwrap_or_else(|| "paprq.db".to_owned()).into());
        };
        let message = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            "this build stores in SQLite only, not at a \"url\""
        } else {
            "\"url\" is no PostgreSQL address"
        };
        section.error("url", message, "remove it and write file = \"paprq.db\"");
        Self::Postgres(Secret::new(url))
    }
}

fn is_called_as_homus(file: &str) -> bool {
    Path::new(file)
        .file_name()
        .is_some_and(|name| name == "main.db")
}

impl Storage {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let url = section.text("url");
        let storage = Self {
            url: url.unwrap_or_else(|| "file:storage".to_owned()),
            artifacts: ArtifactBounds::read(section),
            repo_mib: section.whole("repo_mib", 1..=1 << 30).unwrap_or(51_200),
        };
        if !storage.url.starts_with("file:") || storage.directory().as_os_str().is_empty() {
            let message = "this build keeps logs in a directory only";
            section.error("url", message, "write url = \"file:storage\"");
        }
        storage
    }

    /// The directory that the address names; relative to the working directory unless it
    /// begins with a slash.
    pub fn directory(&self) -> &Path {
        let path = self.url.strip_prefix("file:").unwrap_or(&self.url);
        Path::new(path.strip_prefix("//").unwrap_or(path))
    }
}

impl Workers {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let tokens = section.section("tokens");
        Self {
            local: section.whole("local", 0..=1000).unwrap_or(2),
            executors: local_executors(section),
            engine: section.text_unless_empty("engine"),
            allow_private_addresses: section.truth("allow_private_addresses").unwrap_or(false),
            tokens: worker_tokens(&tokens),
        }
    }
}

fn local_executors(section: &Section<'_>) -> Option<Vec<LocalExecutor>> {
    let names = section.texts("executors");
    let read = |name: &String| match name.as_str() {
        "sandbox" => Some(LocalExecutor::Sandbox),
        "container" => Some(LocalExecutor::Container),
        other => {
            let message = format!("\"executors\" has \"{other}\"");
            section.error("executors", message, "write sandbox, container or both");
            None
        }
    };
    let known: Vec<LocalExecutor> = names.iter().filter_map(read).collect();
    (!known.is_empty()).then_some(known)
}

fn worker_tokens(section: &Section<'_>) -> BTreeMap<String, Secret> {
    let mut tokens: BTreeMap<String, Secret> = BTreeMap::new();
    for entry in section.names() {
        let Some(token) = section.named_text(entry) else {
            continue;
        };
        let same = tokens.iter().find(|(_, known)| known.expose() == token);
        if let Some((name, _)) = same {
            let message = format!("\"{}\" has the token of \"{name}\"", entry.key);
            section.error(&entry.key, message, "give each worker a token of its own");
        }
        tokens.insert(entry.key.clone(), Secret::new(token));
    }
    tokens
}
