//! Running the `git` program: a clean environment, limits of time and memory, bounded output, no
//! orphans.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::{GitError, Remote, error};

/// What each operation may use before its processes are killed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most memory of one process, in bytes: strangers choose what it reads. One that needs more
    /// than a tenth of that has it only while no other process of ours does.
    pub memory_bytes: u64,
    /// The most memory of a first fetch and of upkeep, which handle everything at once, in bytes.
    pub bulk_memory_bytes: u64,
    /// The most bytes that are fetched of the head of a pull that nobody let in.
    pub stranger_bytes: u64,
    /// The most bytes that are kept of all such heads; one more may begin below that.
    pub quarantine_bytes: u64,
    /// The least space that must be free on the mirror's disk for such a head to be fetched, in bytes.
    pub free_bytes_min: u64,
    /// The first fetch into an empty mirror.
    pub clone_s: u64,
    /// Any later fetch.
    pub fetch_s: u64,
    /// Asking the remote where a branch is.
    pub ask_s: u64,
    /// One merge.
    pub merge_s: u64,
    /// Trying the merges of all pulls of one base.
    pub survey_s: u64,
    /// One rebase or squash, with all its merges.
    pub rebase_s: u64,
    /// One push, without reading back.
    pub push_s: u64,
    /// One fetch by a worker.
    pub serve_s: u64,
    /// One round of upkeep.
    pub upkeep_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 640 << 20,
            bulk_memory_bytes: 4 << 30,
            stranger_bytes: 16 << 20,
            quarantine_bytes: 1 << 30,
            free_bytes_min: 1 << 30,
            clone_s: 3600,
            fetch_s: 300,
            ask_s: 30,
            merge_s: 60,
            survey_s: 300,
            rebase_s: 300,
            push_s: 120,
            serve_s: 900,
            upkeep_s: 3600,
        }
    }
}

/// Names the mirror in the environment of each child, so that a later server finds leftovers.
pub(super) const MARK: &str = "PAPRQ_MIRROR";

/// `git merge-tree --write-tree` came with this version.
const OLDEST: (u32, u32) = (2, 38);

/// The most bytes that are kept of what git writes.
const STDOUT_BYTES_MAX: u64 = 4 << 20;
const STDERR_BYTES_MAX: u64 = 16 << 10;

/// What children may know of our environment: where programs, proxies and certificates are.
const PASSED_ON: [&str; 15] = [
    "PATH",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_EXEC_PATH",
];

/// Configuration that every child gets. The user's and the system's files are not read.
const CONFIG: [(&str, &str); 15] = [
    // Larger files are passed on in pieces instead of being held in memory.
    ("core.bigFileThreshold", "32m"),
    ("core.deltaBaseCacheLimit", "32m"),
    ("core.hooksPath", "/dev/null"),
    // Other users of the machine read nothing of a private repository.
    ("core.sharedRepository", "0600"),
    ("core.packedRefsTimeout", "10000"),
    ("core.filesRefLockTimeout", "10000"),
    ("credential.helper", ""),
    // One small pack per fetch appears whole or not at all. Unpacked, a killed fetch would leave
    // commits without their trees, and `Mirror::has` would lie.
    ("fetch.unpackLimit", "1"),
    ("gc.auto", "0"),
    // Nobody else is to see the token. Where a repository was renamed, its new address is used.
    ("http.followRedirects", "false"),
    // A connection that is silent for a minute is dead: servers send a sign of life every 5 s.
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "60"),
    ("maintenance.auto", "false"),
    ("pack.threads", "1"),
    ("pack.writeReverseIndex", "false"),
];

/// Sets the limits that the environment names, then becomes git. One that is stricter already stays.
/// `data` counts what a process holds for itself, not the packs that it looks into.
/// What writes a larger file than it may is told so instead of being killed, and can clean up.
const LIMITED: &str = "trap '' XFSZ; ulimit -d \"$PAPRQ_DATA_KIB\" 2>/dev/null; \
                       test -z \"$PAPRQ_FILE_BLOCKS\" || ulimit -f \"$PAPRQ_FILE_BLOCKS\" 2>/dev/null; \
                       unset PAPRQ_DATA_KIB PAPRQ_FILE_BLOCKS; exec \"$@\"";

/// The unit of `ulimit -f` (POSIX), in bytes.
const BLOCK_BYTES: u64 = 512;

/// The part of its memory that a process is given at first.
const FIRST_SHARE: u64 = 10;

/// Held by the one process that has more than its first share: a hundred strangers' objects that
/// each need much must not need it at once.
static LARGE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The `git` program of this machine.
#[derive(Clone, Debug)]
pub(super) struct Program {
    path: PathBuf,
}

impl Program {
    /// Finds `git` on the `PATH` and checks its version. Blocks for some milliseconds.
    ///
    /// An absolute path lets the standard library use `posix_spawn`, which costs the same
    /// however much memory the server has.
    pub(super) fn find() -> Result<Self, GitError> {
        let search = env::var_os("PATH").unwrap_or_default();
        let path = env::split_paths(&search)
            .map(|dir| dir.join("git"))
            .find(|path| is_executable(path))
            .ok_or_else(|| GitError::Program("not found; install the package git".to_owned()))?;
        let output = std::process::Command::new(&path)
            .arg("version")
            .output()
            .map_err(GitError::io("run git"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        match version(&text) {
            Some(found) if found >= OLDEST => Ok(Self { path }),
            _ => Err(GitError::Program(format!(
                "version 2.38 or newer is needed, this is {:?}",
                text.trim()
            ))),
        }
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Reads `git version 2.47.3 …`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// One command about to be run on one mirror.
pub(super) struct Run {
    command: Command,
    remote: Remote,
    config: Vec<(String, String)>,
    input: Vec<u8>,
    memory_bytes: u64,
    tries: Tries,
}

/// Whether a command that ran out of memory may be run again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tries {
    /// It is given a share of its memory first, and all of it when that was too little.
    Growing,
    /// It has all of it at once: what it did cannot be done twice, or costs too much.
    Single,
}

/// What a finished command left.
#[derive(Debug)]
pub(super) struct Output {
    /// The exit code, if it exited by itself and in time.
    pub(super) code: Option<i32>,
    /// At most [`STDOUT_BYTES_MAX`].
    pub(super) stdout: Vec<u8>,
    /// What git said, without the token; at most [`STDERR_BYTES_MAX`].
    pub(super) stderr: String,
}

impl Run {
    /// Prepares `git ARGS…` on the mirror in `dir`.
    pub(super) fn new<A: AsRef<OsStr>>(
        program: &Program,
        dir: &Path,
        remote: &Remote,
        args: impl IntoIterator<Item = A>,
        memory_bytes: u64,
    ) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", LIMITED, "sh"])
            .arg(&program.path)
            .args(args)
            .current_dir(dir)
            .env_clear()
            .envs(PASSED_ON.iter().filter_map(|name| passed_on(name)))
            .env(MARK, dir)
            .env("GIT_DIR", dir)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let config = CONFIG
            .iter()
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Self {
            command,
            remote: remote.clone(),
            config,
            input: Vec::new(),
            memory_bytes,
            tries: Tries::Growing,
        }
    }

    /// Gives the command another amount of memory, all at once.
    pub(super) fn with_memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self.tries = Tries::Single;
        self
    }

    /// Lets the command talk to the remote, with the remote's credentials.
    pub(super) fn online(mut self) -> Result<Self, GitError> {
        self.tries = Tries::Single;
        self.command
            .env("GIT_ALLOW_PROTOCOL", self.remote.transports()?);
        self.config.extend(self.remote.header());
        if let Some(ssh) = self.remote.ssh_command() {
            self.command
                .env("GIT_SSH_COMMAND", ssh)
                .envs(passed_on("HOME"));
        }
        Ok(self)
    }

    /// Adds a configuration entry.
    pub(super) fn config(mut self, key: &str, value: &str) -> Self {
        self.config.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Sets a variable of the child's environment.
    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Lets the command write no file that is larger than this, such as the pack of a fetch.
    pub(super) fn with_files_up_to(self, bytes: u64) -> Self {
        self.env("PAPRQ_FILE_BLOCKS", (bytes / BLOCK_BYTES).to_string())
    }

    /// Gives the command something to read.
    pub(super) fn fed(mut self, input: Vec<u8>) -> Self {
        self.command.stdin(Stdio::piped());
        self.input = input;
        self
    }

    /// For a talk with the child: opens a pipe to it, and drops its remarks.
    pub(super) fn streamed(mut self) -> Self {
        self.command.stdin(Stdio::piped()).stderr(Stdio::null());
        self
    }

    /// Starts the command; the process group dies with the second value.
    pub(super) fn spawn(mut self) -> Result<(Child, Group), GitError> {
        let memory_bytes = self.memory_bytes;
        self.start(memory_bytes)
    }

    fn start(&mut self, memory_bytes: u64) -> Result<(Child, Group), GitError> {
        self.command
            .env("PAPRQ_DATA_KIB", (memory_bytes / 1024).to_string())
            .env("GIT_CONFIG_COUNT", self.config.len().to_string());
        for (n, (key, value)) in self.config.iter().enumerate() {
            self.command
                .env(format!("GIT_CONFIG_KEY_{n}"), key)
                .env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        let child = self.command.spawn().map_err(GitError::io("start git"))?;
        let group = Group::of(&child);
        Ok((child, group))
    }

    /// Runs the command to its end, or kills it and its children when `limit_s` is over; what it
    /// wrote until then is kept.
    pub(super) async fn finish(mut self, limit_s: u64) -> Result<Output, GitError> {
        let memory_bytes = self.memory_bytes;
        if self.tries == Tries::Growing {
            let output = self.run(limit_s, memory_bytes / FIRST_SHARE).await?;
            if !output.lacked_memory() {
                return Ok(output);
            }
            let _turn = LARGE.lock().await;
            return self.run(limit_s, memory_bytes).await;
        }
        self.run(limit_s, memory_bytes).await
    }

    async fn run(&mut self, limit_s: u64, memory_bytes: u64) -> Result<Output, GitError> {
        let remote = self.remote.clone();
        let (mut child, group) = self.start(memory_bytes)?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (reading, ours, theirs) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let work = async {
            tokio::try_join!(
                written(&self.input, reading),
                bounded(&mut stdout, ours, STDOUT_BYTES_MAX),
                bounded(&mut stderr, theirs, STDERR_BYTES_MAX),
                child.wait(),
            )
        };
        match timeout(Duration::from_secs(limit_s), work).await {
            Ok(ended) => {
                let ((), (), (), status) = ended.map_err(GitError::io("hear from git"))?;
                group.left(status);
                Ok(Output {
                    code: status.code(),
                    stdout,
                    stderr: remote.scrub(&String::from_utf8_lossy(&stderr)),
                })
            }
            Err(_elapsed) => Ok(Output {
                code: None,
                stdout,
                stderr: format!("no answer within {limit_s} s"),
            }),
        }
    }
}

impl Output {
    /// The output of a command that must succeed; its failure is the remote's.
    pub(super) fn remote_result(self) -> Result<Vec<u8>, GitError> {
        match self.code {
            Some(0) => Ok(self.stdout),
            Some(_) | None => Err(GitError::from_stderr(&self.stderr)),
        }
    }

    /// The output of a command that must succeed and knows no remote.
    pub(super) fn local_result(self) -> Result<Vec<u8>, GitError> {
        match self.code {
            Some(0) => Ok(self.stdout),
            Some(_) | None => Err(self.local_failure()),
        }
    }

    /// Why a command failed that knows no remote: either it met a limit, or git is broken.
    pub(super) fn local_failure(&self) -> GitError {
        let said = self.stderr.trim().to_owned();
        if self.code.is_none() || error::names_a_limit(&said) {
            GitError::TooLarge(said)
        } else {
            GitError::Program(said)
        }
    }

    /// Whether git ended because it was given no more memory.
    fn lacked_memory(&self) -> bool {
        self.code != Some(0) && error::names_a_limit(&self.stderr)
    }
}

fn passed_on(name: &str) -> Option<(&str, OsString)> {
    env::var_os(name).map(|value| (name, value))
}

/// Writes what the child is to read. One that ends early does not want the rest.
async fn written(input: &[u8], to: Option<ChildStdin>) -> Result<(), std::io::Error> {
    let Some(mut to) = to else {
        return Ok(());
    };
    match to.write_all(input).await {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Keeps the first `bytes_max` bytes and reads on, so that the writer never waits.
async fn bounded(
    kept: &mut Vec<u8>,
    from: Option<impl AsyncRead + Unpin>,
    bytes_max: u64,
) -> Result<(), std::io::Error> {
    if let Some(mut from) = from {
        (&mut from).take(bytes_max).read_to_end(kept).await?;
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(())
}

/// The process group of a child: git and what git started, such as `git-remote-https`.
///
/// `kill_on_drop` alone would leave those, waiting for a server that does not answer.
pub(super) struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        Self(pid.and_then(Pid::from_raw))
    }

    /// The leader was waited for: its number may soon be another's.
    pub(super) fn left(mut self, status: ExitStatus) {
        // Whoever died by a signal may have left children, and while there are any, the
        // number is theirs.
        if status.code().is_some() {
            self.0 = None;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // Fails only where nobody is left, which is what is wanted.
            let _gone = kill_process_group(pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_git_prints() {
        assert_eq!(version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(version("git version 2.39.2 (Apple Git-143)"), Some((2, 39)));
        assert_eq!(version("git, version unknown"), None);
    }
}
