//! What a suite is: typed, with every default filled in.

use serde::{Deserialize, Serialize};

use super::Checkout;

/// One document of `.papr.yml`: what to run, where, and when.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    /// Its name, unique in its file; also the context of its commit status. ASCII, may be empty
    /// and may contain anything else.
    pub context: String,
    /// Where its commands run.
    pub environment: Environment,
    /// The branches whose pushes it tests; exact names.
    pub branches: Vec<String>,
    /// Whether it tests pull requests.
    pub pulls: bool,
    /// Whether a merge depends on it; see [`gates`](super::gates).
    pub required: bool,
    /// Environment variables, in the order of the file.
    pub env: Vec<Variable>,
    /// How to build before the tests; `None` where the file says nothing or `false`.
    pub build: Option<Build>,
    /// Shell scripts, each run by itself, in order, until one fails.
    pub tests: Vec<String>,
    /// Seconds for build and tests together, at most [`TIMEOUT_S_MAX`](super::TIMEOUT_S_MAX);
    /// 0 means that the time is up at once.
    pub timeout_s: u64,
    /// Files and directories to keep, as the file names them: possibly absolute or with `..`.
    pub artifacts: Vec<String>,
    /// Packages to install first.
    pub packages: Vec<String>,
    /// Package repositories to add first.
    pub extra_repos: Vec<ExtraRepo>,
    /// What `needs` and commands may call it beside its context; of all suites of its file, only
    /// combinations of one matrix may share it.
    #[serde(default)]
    pub name: Option<String>,
    /// The combination of the matrix that it is, in the order of the file; empty without one.
    #[serde(default)]
    pub matrix: Vec<Variable>,
    /// The context that its document states, where that has a matrix; it calls all combinations.
    #[serde(default)]
    pub matrix_context: Option<String>,
    /// The contexts of those suites of its file that must have passed before it begins.
    #[serde(default)]
    pub needs: Vec<String>,
    /// It is needed only where a changed path fits one of these globs; empty for any change.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Changed paths that fit one of these globs do not count.
    #[serde(default)]
    pub paths_ignore: Vec<String>,
    /// What a worker must have that executes it.
    #[serde(default)]
    pub labels: Vec<String>,
    /// How many of a worker's slots it takes; `None` for what its environment weighs.
    #[serde(default)]
    pub slots: Option<u32>,
    /// How often it is executed again in the same job when it fails, at most
    /// [`RETRIES_MAX`](super::RETRIES_MAX).
    #[serde(default)]
    pub retries: u32,
    /// Whether a job of higher rank may interrupt it.
    #[serde(default)]
    pub preemptible: bool,
    /// Whether it may fail without anything depending on that.
    #[serde(default)]
    pub allow_failure: bool,
    /// Whether it runs on pulls only when somebody asks for it.
    #[serde(default)]
    pub on_demand: bool,
    /// The names of the secrets that it is given, where its run may have any.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What its working copy has.
    #[serde(default)]
    pub checkout: Checkout,
}

impl Suite {
    /// A suite that does nothing, with every key but these two at its default.
    pub fn new(context: impl Into<String>, environment: Environment) -> Self {
        Self {
            context: context.into(),
            environment,
            branches: vec![super::BRANCH_DEFAULT.to_owned()],
            pulls: true,
            required: false,
            env: Vec::new(),
            build: None,
            tests: Vec::new(),
            timeout_s: super::TIMEOUT_S_MAX,
            artifacts: Vec::new(),
            packages: Vec::new(),
            extra_repos: Vec::new(),
            name: None,
            matrix: Vec::new(),
            matrix_context: None,
            needs: Vec::new(),
            paths: Vec::new(),
            paths_ignore: Vec::new(),
            labels: Vec::new(),
            slots: None,
            retries: 0,
            preemptible: false,
            allow_failure: false,
            on_demand: false,
            secrets: Vec::new(),
            checkout: Checkout::default(),
        }
    }
}

/// An environment variable. The shell expands its value.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// A letter or `_`, then letters, digits and `_`, all ASCII.
    pub name: String,
    /// Any text.
    pub value: String,
}

/// Where a suite's commands run: exactly one of four.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// On the worker itself, locked in. Ours; the others are PAPR's.
    Sandbox {
        /// What the commands can reach.
        network: Network,
    },
    /// In a container.
    Container {
        /// The image's name; may be empty.
        image: String,
        /// Whether it needs `/dev/kvm`.
        kvm: bool,
        /// What it needs.
        specs: ContainerSpecs,
    },
    /// On a virtual machine.
    Host {
        /// What is installed on it, such as `fedora/28/atomic`.
        distro: String,
        /// To which tree it is brought first.
        ostree: Option<Ostree>,
        /// What it needs.
        specs: HostSpecs,
    },
    /// On several virtual machines that reach each other by name.
    Cluster {
        /// At least one.
        hosts: Vec<ClusterHost>,
        /// The image of the container that the commands run in; `None` for the first host.
        container_image: Option<String>,
    },
}

impl Environment {
    /// The file's key for it: `sandbox`, `container`, `host` or `cluster`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Sandbox { .. } => "sandbox",
            Self::Container { .. } => "container",
            Self::Host { .. } => "host",
            Self::Cluster { .. } => "cluster",
        }
    }
}

/// Whether commands reach the network.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Only themselves.
    #[default]
    Off,
    /// What the worker reaches.
    On,
}

/// What a container needs. PAPR takes any integer, also negative ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpecs {
    /// Memory in MiB.
    pub ram_mb: i64,
    /// Thousandths of a processor.
    pub cpu_millis: i64,
}

impl Default for ContainerSpecs {
    fn default() -> Self {
        Self {
            ram_mb: 2048,
            cpu_millis: 1500,
        }
    }
}

/// What a virtual machine needs. PAPR takes any integer, also negative ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct HostSpecs {
    /// Memory in MiB.
    pub ram_mb: i64,
    /// Processors.
    pub cpus: i64,
    /// The disk in GiB.
    pub disk_gb: i64,
    /// A second disk in GiB; 0 for none.
    pub secondary_disk_gb: i64,
}

impl Default for HostSpecs {
    fn default() -> Self {
        Self {
            ram_mb: 2048,
            cpus: 1,
            disk_gb: 20,
            secondary_disk_gb: 0,
        }
    }
}

/// To which tree an ostree host is brought before the tests.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ostree {
    /// The newest of where it is.
    Latest,
    /// A certain one.
    At {
        /// The URL of the remote.
        remote: Option<String>,
        /// The branch.
        branch: Option<String>,
        /// The version or checksum.
        revision: Option<String>,
    },
}

/// One machine of a cluster.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ClusterHost {
    /// Its host name; not necessarily unique.
    pub name: String,
    /// What is installed on it.
    pub distro: String,
    /// Whatever else the file says of it, such as `ostree` and `specs`, as it was written:
    /// neither PAPR nor we check it.
    pub options: serde_json::Map<String, serde_json::Value>,
}

/// The build by the conventions of autotools, before the tests.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// Arguments of `./configure`.
    pub config_opts: String,
    /// Arguments of `make all`.
    pub build_opts: String,
    /// Arguments of `make install`.
    pub install_opts: String,
}

/// A package repository to add.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ExtraRepo {
    /// Its name, which is the header of its section; also among the settings.
    pub name: String,
    /// The lines of its section, in the order of the file.
    pub settings: Vec<RepoSetting>,
}

/// One line of a package repository's section.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RepoSetting {
    /// The key.
    pub key: String,
    /// The value; integers as decimal digits.
    pub value: String,
}
