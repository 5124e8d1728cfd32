//! The sandbox: bubblewrap, what it shows of the machine and what it forbids.
//!
//! A suite sees /usr, a handful of files of /etc, its working copy and nothing else of the disk;
//! no process outside; no network unless it asked; no capability; no way to a new user namespace.
//! docs/decisions/0004-sandbox.md says why. A worker that runs as root first becomes
//! [`UNPRIVILEGED`], so that nothing in a sandbox is root for the host.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::process::Command;

use crate::protocol::Attempt;
use crate::worker::room::{HostUser, Room};
use crate::worker::settings::Limits;
use paprq_core::ids::{AttemptNumber, JobId};
use paprq_core::suite::Network;

/// The working copy inside the sandbox (PAPR's path).
pub(super) const CHECKOUT: &str = "/var/tmp/checkout";
/// The scripts inside the sandbox.
pub(super) const CONTROL: &str = "/var/tmp/paprq";
/// The home directory inside the sandbox.
pub(super) const HOME: &str = "/home/papr";
/// The commands' user inside the sandbox; what `/etc/passwd` there calls `papr`.
const USER_INSIDE: &str = "1000";
/// Who a root worker's sandboxes are on the host; no distribution gives this number to anybody.
const UNPRIVILEGED: HostUser = HostUser(65432);
/// Open files of one process, at most.
const FILES_MAX: u64 = 16_384;
/// How long the trial at the start may take.
const TRIAL: Duration = Duration::from_secs(20);

/// What of /etc programs need to run, and that holds no secret on any distribution. Missing ones
/// are left out.
const ETC: &[&str] = &[
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "debian_version",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "networks",
    "os-release",
    "pki/ca-trust",
    "pki/tls/certs",
    "profile.d",
    "protocols",
    "redhat-release",
    "services",
    "shells",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
];

/// Links or directories at the top that belong to /usr.
const BESIDE_USR: &[&str] = &["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// A bubblewrap that has been tried and works.
#[derive(Clone, Debug)]
pub struct Bubblewrap {
    become_user: Option<HostUser>,
    beside_usr: Vec<OsString>,
}

/// Which calls of the kernel a sandbox is refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filter {
    /// None.
    None,
    /// Those of the filter that is read from the descriptor with this number.
    From(&'static str),
}

/// Why there is no sandbox on this machine.
#[derive(Debug, thiserror::Error)]
pub enum NoBubblewrap {
    /// It could not be started, or the machine forbids what it needs.
    #[error(
        "no sandbox: {reason} (needed: bubblewrap 0.8, util-linux, bash and git, and user \
         namespaces for unprivileged users)"
    )]
    Refused {
        /// What the trial printed, or why it did not start.
        reason: String,
    },
    /// The trial needs a temporary directory.
    #[error("no directory to try a sandbox in")]
    NoDirectory(#[source] io::Error),
}

/// Tries a sandbox. What it finds holds until the machine is set up differently.
///
/// # Errors
/// If no sandbox can be made here; the message says why.
pub async fn find_bubblewrap() -> Result<Bubblewrap, NoBubblewrap> {
    let bubblewrap = Bubblewrap {
        become_user: rustix::process::geteuid().is_root().then_some(UNPRIVILEGED),
        beside_usr: beside_usr(),
    };
    let directory = tempfile::tempdir().map_err(NoBubblewrap::NoDirectory)?;
    let attempt = Attempt {
        job: JobId(0),
        number: AttemptNumber(0),
    };
    let room = Room::make(directory.path(), attempt, bubblewrap.become_user)
        .map_err(NoBubblewrap::NoDirectory)?;
    bubblewrap
        .furnish(&room)
        .map_err(NoBubblewrap::NoDirectory)?;
    let script = "set -e; command -v git >&2; touch written; test ! -e /root; echo works";
    let mut line = bubblewrap
        .line(&room, Network::Off, &Limits::default(), Filter::None)
        .into_iter();
    let mut command = Command::new(line.next().unwrap_or_default());
    command
        .args(line)
        .args(["bash", "-c", script])
        .env_clear()
        .current_dir("/")
        .envs(super::base_environment())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let refused = |reason: String| NoBubblewrap::Refused { reason };
    let tried = tokio::time::timeout(TRIAL, command.output())
        .await
        .map_err(|_elapsed| refused("the trial did not end".to_owned()))?
        .map_err(|error| refused(format!("bwrap: {error}")))?;
    if tried.status.success() && tried.stdout == b"works\n" {
        return Ok(bubblewrap);
    }
    let said = String::from_utf8_lossy(&tried.stderr);
    Err(refused(said.trim().replace('\n', "; ")))
}

impl Bubblewrap {
    /// Who owns what the sandbox may write, if that is not the worker's own user.
    pub(super) fn owner(&self) -> Option<HostUser> {
        self.become_user
    }

    /// Writes the sandbox's own files of /etc into the room.
    pub(super) fn furnish(&self, room: &Room) -> io::Result<()> {
        let etc = room.control().join("etc");
        fs::create_dir_all(&etc)?;
        let id = USER_INSIDE;
        let files = [
            ("passwd", format!("papr:x:{id}:{id}::{HOME}:/bin/bash\n")),
            ("group", format!("papr:x:{id}:\n")),
            (
                "hosts",
                "127.0.0.1 localhost sandbox\n::1 localhost\n".to_owned(),
            ),
            ("hostname", "sandbox\n".to_owned()),
            (
                "nsswitch.conf",
                "passwd: files\ngroup: files\nhosts: files dns\n".to_owned(),
            ),
        ];
        for (name, text) in files {
            fs::write(etc.join(name), text)?;
        }
        Ok(())
    }

    /// A command line that is to be completed by the program to run inside.
    pub(super) fn line(
        &self,
        room: &Room,
        network: Network,
        limits: &Limits,
        filter: Filter,
    ) -> Vec<OsString> {
        let mut line: Vec<OsString> = Vec::new();
        let root = self.step_down(room, &mut line);
        line.extend(
            "bwrap --unshare-user --unshare-all --disable-userns --die-with-parent --new-session \
             --cap-drop ALL --hostname sandbox"
                .split_ascii_whitespace()
                .map(OsString::from),
        );
        line.extend(words(["--uid", USER_INSIDE, "--gid", USER_INSIDE]));
        match filter {
            Filter::None => {}
            Filter::From(descriptor) => line.extend(words(["--seccomp", descriptor])),
        }
        self.show_system(&root, network, &mut line);
        show_working_places(&root, limits, &mut line);
        line.extend(prlimit(limits));
        line
    }

    /// For a root worker: the change to another user, in a view of the machine in which that user
    /// can reach the room (its parents may be root's alone). Returns where the room is then.
    ///
    /// Every step becomes the next without a process in between: one without the capability to
    /// kill another user's processes would cut the tie by which all die with the worker.
    fn step_down(&self, room: &Room, line: &mut Vec<OsString>) -> PathBuf {
        const MOUNT: &str = "mount --bind \"$1\" /mnt && shift && exec \"$@\"";
        let Some(HostUser(id)) = self.become_user else {
            return room.root().to_owned();
        };
        line.extend(words([
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "--",
            "bash",
            "-c",
            MOUNT,
            "bash",
        ]));
        line.push(room.root().into());
        let id = id.to_string();
        line.extend(words([
            "setpriv",
            "--reuid",
            &id,
            "--regid",
            &id,
            "--clear-groups",
            "--no-new-privs",
        ]));
        // Changing the user clears the tie to the parent, so it is made here.
        line.extend(words(["--pdeathsig", "KILL", "--"]));
        PathBuf::from("/mnt")
    }

    fn show_system(&self, root: &Path, network: Network, line: &mut Vec<OsString>) {
        line.extend(words(["--ro-bind", "/usr", "/usr"]));
        line.extend(self.beside_usr.iter().cloned());
        for name in ETC {
            let path = format!("/etc/{name}");
            line.extend(words(["--ro-bind-try", &path, &path]));
        }
        let own = root.join("control/etc");
        for name in ["passwd", "group", "hosts", "hostname", "nsswitch.conf"] {
            line.push("--ro-bind".into());
            line.extend([own.join(name).into(), format!("/etc/{name}").into()]);
        }
        match network {
            Network::Off => {}
            Network::On => {
                line.push("--share-net".into());
                // Often a link into /run, which is not shown.
                if let Ok(names) = fs::canonicalize("/etc/resolv.conf") {
                    line.extend(["--ro-bind".into(), names.into(), "/etc/resolv.conf".into()]);
                }
            }
        }
        line.extend(words(["--proc", "/proc", "--dev", "/dev"]));
    }
}

/// The places where commands may write, and the end of writing anywhere else.
fn show_working_places(root: &Path, limits: &Limits, line: &mut Vec<OsString>) {
    let size = limits.scratch_bytes.to_string();
    for place in ["/dev/shm", "/tmp", "/var/tmp", HOME] {
        let perms = if place == HOME { "0700" } else { "1777" };
        line.extend(words(["--perms", perms, "--size", &size, "--tmpfs", place]));
    }
    line.extend([
        "--bind".into(),
        root.join("checkout").into(),
        CHECKOUT.into(),
    ]);
    line.extend([
        "--ro-bind".into(),
        root.join("control").into(),
        CONTROL.into(),
    ]);
    line.extend(words([
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        CHECKOUT,
        "--",
    ]));
}

/// What the kernel holds each process to. Set inside, so that tasks are counted per sandbox.
fn prlimit(limits: &Limits) -> Vec<OsString> {
    vec![
        "prlimit".into(),
        format!("--nproc={}", limits.tasks).into(),
        format!("--data={}", limits.memory_bytes).into(),
        format!("--fsize={}", limits.disk_bytes).into(),
        format!("--nofile={}", files_max()).into(),
        "--core=0".into(),
        "--".into(),
    ]
}

/// As many open files as a suite needs at most, or as few as this process may have: nobody without
/// privileges can give more than they have.
fn files_max() -> u64 {
    let hard = getrlimit(Resource::Nofile).maximum;
    hard.map_or(FILES_MAX, |hard| FILES_MAX.min(hard))
}

/// Arguments that put /bin, /lib and so on where they are outside.
fn beside_usr() -> Vec<OsString> {
    let mut line = Vec::new();
    for name in BESIDE_USR {
        let path = Path::new("/").join(name);
        if let Ok(target) = fs::read_link(&path) {
            line.extend(["--symlink".into(), target.into(), path.into()]);
        } else if path.is_dir() {
            line.extend(["--ro-bind".into(), path.clone().into(), path.into()]);
        }
    }
    line
}

fn words<const N: usize>(words: [&str; N]) -> impl Iterator<Item = OsString> {
    words.map(OsString::from).into_iter()
}

#[cfg(test)]
mod tests {
    use rustix::process::{Rlimit, setrlimit};

    use super::*;
    use crate::worker::executors::cgroup;

    #[tokio::test]
    async fn a_sandbox_takes_no_more_descriptors_than_there_are() {
        let few = Rlimit {
            current: Some(512),
            maximum: Some(512),
        };
        setrlimit(Resource::Nofile, few).unwrap();
        find_bubblewrap().await.unwrap();
        assert_eq!(files_max(), 512);
    }

    /// Such memory would count as nothing.
    #[tokio::test]
    async fn without_control_groups_no_memory_is_had_outside_of_processes() {
        let bubblewrap = find_bubblewrap().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let attempt = Attempt {
            job: JobId(1),
            number: AttemptNumber(1),
        };
        let room = Room::make(directory.path(), attempt, bubblewrap.owner()).unwrap();
        bubblewrap.furnish(&room).unwrap();
        let wrapper = cgroup::wrapper(None, &room).unwrap();
        let calls = "$name = q(x); print(syscall($_, $name, 0, 0) < 0 ? $! + 0 : 0, qq(\\n)) for ";
        let numbers = if cfg!(target_arch = "x86_64") {
            "319, 29, 39"
        } else {
            "279, 194, 172"
        };
        for (filter, expected) in [(Filter::From(cgroup::FILTER), true), (Filter::None, false)] {
            let line = bubblewrap.line(&room, Network::Off, &Limits::default(), filter);
            let mut command = Command::new("bash");
            command
                .args(&wrapper)
                .args(line)
                .args(["perl", "-e", &format!("{calls}{numbers}")])
                .envs(super::super::base_environment());
            let done = command.output().await.unwrap();
            let said = String::from_utf8_lossy(&done.stdout);
            let said: Vec<i32> = said.lines().map(|line| line.parse().unwrap()).collect();
            let no_such_call = rustix::io::Errno::NOSYS.raw_os_error();
            let refused = said.iter().map(|&error| error == no_such_call);
            let refused: Vec<bool> = refused.collect();
            assert_eq!(refused, [expected, expected, false], "{done:?}");
        }
    }
}
