//! Control groups: the kernel's own account of what a suite uses, and its own wall.
//!
//! Memory counts wherever it is: in processes, in memfds, in System V segments that nobody has
//! attached, in what lies in /tmp. Version 2 is used where the worker may make groups below its own
//! (systemd: `Delegate=yes`), version 1 where the machine has it and the worker is root.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::processes::{self, ProcessNumber};
use super::refusal;
use crate::worker::room::Room;
use crate::worker::settings::Limits;

/// What the names of our groups begin with; the worker's process number comes next.
const PREFIX: &str = "paprq-";
/// Where a worker under version 2 lives itself: groups with others below hold no processes.
const OWN_LEAF: &str = "paprq";
/// What the kernel's wall is behind the limit: the watchdog stops a suite at the limit, with a
/// reason, and it must not be killed for the shell around it.
const SLACK_BYTES: u64 = 64 << 20;
/// How often the removal of a group is tried, and the pause between: its last process may not be
/// quite gone.
const REMOVALS_MAX: u32 = 100;
const BETWEEN_REMOVALS: Duration = Duration::from_millis(20);

/// Goes into the groups whose files come before `--`, says to the kernel what it is to kill first
/// where the machine's memory ends, and becomes the rest.
const JOIN: &str = "{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
while [ \"$1\" != -- ]; do echo 0 >\"$1\" || exit 125; shift; done
shift; exec \"$@\"";
/// Becomes the rest with the filter of `refusal.rs` at [`FILTER`].
const REFUSE: &str = "{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
exec 9<\"$1\" && shift && exec \"$@\"";
/// The descriptor that the filter is read from.
pub(super) const FILTER: &str = "9";

/// What `bash` is given before a command line, so that this begins in the group, or without one
/// such that what cannot be counted is refused.
///
/// # Errors
/// If the filter cannot be written.
pub(super) fn wrapper(group: Option<&Group>, room: &Room) -> io::Result<Vec<OsString>> {
    let words = |script: &str| ["-c", script, "bash"].map(OsString::from).into_iter();
    if let Some(group) = group {
        let entries = group.entries().into_iter().map(OsString::from);
        return Ok(words(JOIN).chain(entries).chain(["--".into()]).collect());
    }
    let path = room.control().join("refused");
    fs::write(&path, refusal::filter())?;
    Ok(words(REFUSE).chain([path.into()]).collect())
}

/// Where groups can be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Groups {
    /// Version 1: a directory for each controller.
    One { memory: PathBuf, pids: PathBuf },
    /// Version 2.
    Two(PathBuf),
}

/// What a group uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Account {
    /// Memory that cannot be had back by writing files to the disk, in bytes.
    pub(super) memory_bytes: u64,
    /// Processes and threads.
    pub(super) tasks: u64,
    /// Why the kernel has killed one of its processes for memory, if it has.
    pub(super) killed: Option<KilledFor>,
}

/// Whose memory was at an end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KilledFor {
    /// The group's own.
    ItsOwn,
    /// That of the machine, or of a group around the worker.
    TheMachines,
}

/// A group of one suite; ended with everything in it when it is dropped.
#[derive(Debug)]
pub(super) struct Group {
    groups: Groups,
    limit_bytes: u64,
}

/// Where groups can be made on this machine, by this process. It is looked for once.
pub(super) fn groups() -> Option<&'static Groups> {
    static FOUND: OnceLock<Option<Groups>> = OnceLock::new();
    let found = FOUND.get_or_init(|| match find() {
        Ok(found) => Some(found),
        Err(reason) => {
            tracing::warn!(
                reason,
                "no control groups for suites: memory is counted by process, and what cannot be \
                 counted so is refused. Give the worker cgroups: Delegate=yes in its unit, or root"
            );
            None
        }
    });
    found.as_ref()
}

fn find() -> Result<Groups, String> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let own = read("/proc/self/cgroup")?;
    let mounts = read("/proc/self/mountinfo")?;
    let groups = locate(&own, &mounts).ok_or("neither memory nor pids is mounted")?;
    let tried = groups.prepare().and_then(|groups| {
        groups.remove_stale();
        groups.make(&Limits::default()).map(|_group| groups)
    });
    tried.map_err(|error| format!("{}: {error}", groups.memory().display()))
}

/// Where the groups of this process are. Version 1 goes first: a controller that is bound to it is
/// not in version 2.
fn locate(own: &str, mounts: &str) -> Option<Groups> {
    let one = |controller: &str| {
        let path = own.lines().find_map(|line| {
            let (_number, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let is_it = controllers.split(',').any(|one| one == controller);
            is_it.then_some(path)
        })?;
        let has = |mount: &Mount<'_>| {
            mount.kind == "cgroup" && mount.options.split(',').any(|one| one == controller)
        };
        mounted(mounts, has, path)
    };
    if let (Some(memory), Some(pids)) = (one("memory"), one("pids")) {
        return Some(Groups::One { memory, pids });
    }
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounted(mounts, |mount| mount.kind == "cgroup2", path).map(Groups::Two)
}

/// A line of `/proc/self/mountinfo`, proc(5).
struct Mount<'a> {
    root: &'a str,
    place: &'a str,
    kind: &'a str,
    options: &'a str,
}

fn mounted(mounts: &str, is_it: impl Fn(&Mount<'_>) -> bool, path: &str) -> Option<PathBuf> {
    let mut mounts = mounts.lines().filter_map(|line| {
        let (first, last) = line.split_once(" - ")?;
        let first: Vec<&str> = first.split(' ').collect();
        let last: Vec<&str> = last.split(' ').collect();
        Some(Mount {
            root: first.get(3).copied()?,
            place: first.get(4).copied()?,
            kind: last.first().copied()?,
            options: last.get(2).copied()?,
        })
    });
    let mount = mounts.find(is_it)?;
    // In a container the mount may begin at the container's own group.
    let below = path.strip_prefix(mount.root.trim_end_matches('/'));
    let below = below.unwrap_or(path).trim_start_matches('/');
    Some(Path::new(mount.place).join(below))
}

impl Groups {
    fn memory(&self) -> &Path {
        match self {
            Self::One { memory, .. } => memory,
            Self::Two(directory) => directory,
        }
    }

    fn directories(&self) -> Vec<&Path> {
        match self {
            Self::One { memory, pids } => vec![memory, pids],
            Self::Two(directory) => vec![directory],
        }
    }

    fn below(&self, name: &str) -> Self {
        match self {
            Self::One { memory, pids } => Self::One {
                memory: memory.join(name),
                pids: pids.join(name),
            },
            Self::Two(directory) => Self::Two(directory.join(name)),
        }
    }

    /// Version 2 wants the worker in a group of its own before controllers can be handed on. That is
    /// done only where nobody else's processes are in the worker's group.
    fn prepare(&self) -> io::Result<Self> {
        let Self::Two(directory) = self else {
            return Ok(self.clone());
        };
        // A worker of this process, or the unit itself (`DelegateSubgroup=`), has done it before.
        let directory = match directory.file_name() {
            Some(name) if name == OWN_LEAF => directory.parent().unwrap_or(directory),
            _ => directory,
        };
        let offered = fs::read_to_string(directory.join("cgroup.controllers"))?;
        let missing = ["memory", "pids"]
            .into_iter()
            .find(|name| !offered.split_whitespace().any(|word| word == *name));
        if let Some(name) = missing {
            return Err(io::Error::other(format!(
                "controller {name} is not delegated"
            )));
        }
        let here = fs::read_to_string(directory.join("cgroup.procs"))?;
        let here: Vec<&str> = here.lines().collect();
        let ours = own_processes();
        if here
            .iter()
            .any(|number| !ours.iter().any(|own| own == number))
        {
            return Err(io::Error::other(
                "processes of others are in the worker's group",
            ));
        }
        let leaf = directory.join(OWN_LEAF);
        for number in here {
            make_directory(&leaf)?;
            fs::write(leaf.join("cgroup.procs"), number)?;
        }
        fs::write(directory.join("cgroup.subtree_control"), "+memory +pids")?;
        Ok(Self::Two(directory.to_owned()))
    }

    /// Makes a group that holds whatever is in it to these limits.
    pub(super) fn make(&self, limits: &Limits) -> io::Result<Group> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        let limit_bytes = limits.memory_bytes.saturating_add(SLACK_BYTES);
        let group = Group {
            groups: self.below(&name),
            limit_bytes,
        };
        for directory in group.groups.directories() {
            make_directory(directory)?;
        }
        let set =
            |directory: &Path, file: &str, value: &str| fs::write(directory.join(file), value);
        let (bytes, tasks) = (limit_bytes.to_string(), limits.tasks.to_string());
        match &group.groups {
            Self::One { memory, pids } => {
                set(memory, "memory.limit_in_bytes", &bytes)?;
                // Where swap is counted, it counts too.
                if memory.join("memory.memsw.limit_in_bytes").exists() {
                    set(memory, "memory.memsw.limit_in_bytes", &bytes)?;
                }
                set(pids, "pids.max", &tasks)?;
            }
            Self::Two(directory) => {
                set(directory, "memory.max", &bytes)?;
                if directory.join("memory.swap.max").exists() {
                    set(directory, "memory.swap.max", "0")?;
                }
                set(directory, "memory.oom.group", "1")?;
                set(directory, "pids.max", &tasks)?;
                // Only where disks are shared out by weight.
                let _no_such_controller = set(directory, "io.weight", "50");
            }
        }
        Ok(group)
    }

    /// Removes groups of workers that were killed.
    fn remove_stale(&self) {
        for directory in self.directories() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let number = name.to_str().and_then(|name| {
                    let (number, _count) = name.strip_prefix(PREFIX)?.split_once('-')?;
                    number.parse::<u32>().ok()
                });
                if number.is_some_and(|number| !Path::new(&format!("/proc/{number}")).exists()) {
                    let _in_use_still = fs::remove_dir(entry.path());
                }
            }
        }
    }
}

impl Group {
    /// The files into which a process writes 0 to be in it.
    pub(super) fn entries(&self) -> Vec<PathBuf> {
        let directories = self.groups.directories().into_iter();
        directories.map(|path| path.join("cgroup.procs")).collect()
    }

    /// What it uses.
    ///
    /// # Errors
    /// If the kernel does not tell: it must not count as nothing.
    pub(super) fn account(&self) -> io::Result<Account> {
        let read = |directory: &Path, file: &str| fs::read_to_string(directory.join(file));
        let (memory_bytes, kills, hits, pids) = match &self.groups {
            Groups::One { memory, pids } => {
                let stat = read(memory, "memory.stat")?;
                let bytes = field(&stat, "total_rss")? + field(&stat, "total_shmem")?;
                let kills = field(&read(memory, "memory.oom_control")?, "oom_kill")?;
                let most = number(&read(memory, "memory.max_usage_in_bytes")?)?;
                // Where an allocation is refused, nearly all is taken.
                let hits = u64::from(most.saturating_add(SLACK_BYTES / 2) >= self.limit_bytes);
                (bytes, kills, hits, read(pids, "pids.current")?)
            }
            Groups::Two(directory) => {
                let stat = read(directory, "memory.stat")?;
                let bytes = field(&stat, "anon")? + field(&stat, "shmem")?;
                let events = read(directory, "memory.events")?;
                let (kills, hits) = (field(&events, "oom_kill")?, field(&events, "oom")?);
                (bytes, kills, hits, read(directory, "pids.current")?)
            }
        };
        let killed_for = if hits > 0 {
            KilledFor::ItsOwn
        } else {
            KilledFor::TheMachines
        };
        Ok(Account {
            memory_bytes,
            tasks: number(&pids)?,
            killed: (kills > 0).then_some(killed_for),
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let groups = self.groups.clone();
        if removed(&groups) {
            return;
        }
        // Waiting is not for the thread that drops it.
        std::thread::spawn(move || {
            for _ in 0..REMOVALS_MAX {
                std::thread::sleep(BETWEEN_REMOVALS);
                if removed(&groups) {
                    return;
                }
            }
            tracing::error!(group = %groups.memory().display(), "a control group cannot be removed");
        });
    }
}

/// This process and its descendants, by their numbers.
fn own_processes() -> Vec<String> {
    let own = ProcessNumber::try_from(std::process::id()).unwrap_or(0);
    let family = processes::numbers_below(own).into_iter();
    family.map(|number| number.to_string()).collect()
}

/// Tries all of them, though one may be in use still.
fn removed(groups: &Groups) -> bool {
    let is_left = |path: &&Path| match fs::remove_dir(path) {
        Ok(()) => false,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    };
    groups.directories().into_iter().filter(is_left).count() == 0
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn field(text: &str, name: &str) -> io::Result<u64> {
    let value = text.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?;
        (key == name).then_some(value)
    });
    number(value.unwrap_or_default())
}

fn number(text: &str) -> io::Result<u64> {
    text.trim().parse().map_err(io::Error::other)
}

/// A group for these limits, where there are any.
///
/// # Errors
/// If there are, and none can be made.
pub(super) fn group(limits: &Limits) -> io::Result<Option<Arc<Group>>> {
    let made = groups().map(|groups| groups.make(limits)).transpose()?;
    Ok(made.map(Arc::new))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn groups_are_found_wherever_they_are_mounted() {
        let one = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                   35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
                   39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n\
                   41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let two =
            "30 24 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let inner = "35 31 0:32 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
                     39 31 0:36 /docker/ab /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n";
        let table = [
            (
                "8:pids:/\n4:memory:/a/b\n0::/\n",
                one,
                Some(("/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/pids")),
            ),
            (
                "8:pids:/docker/ab\n4:memory:/docker/ab/c\n",
                inner,
                Some(("/sys/fs/cgroup/memory/c", "/sys/fs/cgroup/pids")),
            ),
            ("0::/system.slice/paprq.service\n", two, None),
        ];
        for (own, mounts, expected) in table {
            let expected = match expected {
                Some((memory, pids)) => Groups::One {
                    memory: memory.into(),
                    pids: pids.into(),
                },
                None => Groups::Two("/sys/fs/cgroup/system.slice/paprq.service".into()),
            };
            assert_eq!(locate(own, mounts), Some(expected), "{own}");
        }
        assert_eq!(
            locate("4:memory:/\n", "1 1 0:1 / / rw - ext4 /dev/vda rw\n"),
            None
        );
    }

    #[test]
    fn a_file_of_the_kernel_without_the_number_is_an_error() {
        assert_eq!(field("anon 12\nshmem 3\n", "shmem").unwrap(), 3);
        assert!(field("anon 12\n", "shmem").is_err());
        assert!(number("max\n").is_err());
    }

    /// Runs a shell in a group until it has printed a word; it waits for its input's end then.
    fn with_shell<T>(group: &Group, command: &str, look: impl FnOnce() -> T) -> T {
        let mut child = Command::new("bash")
            .args(["-c", JOIN, "bash"])
            .args(group.entries())
            .args(["--", "bash", "-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        io::BufRead::read_line(&mut said, &mut line).unwrap();
        let seen = look();
        drop(child.stdin.take());
        child.wait().unwrap();
        seen
    }

    #[test]
    fn a_group_counts_what_no_process_holds_and_goes_away() {
        let Some(groups) = groups() else {
            return assert!(!rustix::process::geteuid().is_root());
        };
        let limits = Limits {
            memory_bytes: 64 * MIB,
            tasks: 20,
            ..Limits::default()
        };
        let group = groups.make(&limits).unwrap();
        // 40 MiB in a memfd, which is in no process's memory.
        let fill = "perl -e '$name = q(x); open($to, q(>&=), syscall(319, $name, 0)) or die; \
                    syswrite($to, q(x) x (1 << 20)) for 1..40; $| = 1; print qq(on\\n); <STDIN>'";
        let seen = with_shell(&group, fill, || group.account().unwrap());
        assert!(seen.memory_bytes > 40 * MIB, "{seen:?}");
        assert!((1..20).contains(&seen.tasks), "{seen:?}");
        assert_eq!(seen.killed, None);
        let paths = group.entries();
        drop(group);
        let gone = std::iter::repeat_with(|| paths.iter().any(|path| path.exists()));
        assert!(gone.take(100_000_000).any(|left| !left));
    }
}
