//! Who ran out of memory when a suite was killed for it: the suite within its own limit, or the
//! machine, whoever filled it.

use std::fs;
use std::path::{Path, PathBuf};

/// Where cgroups are, on every machine that has them.
const CGROUPS: &str = "/sys/fs/cgroup";

/// What the kernel takes of a limit at a time, in bytes: so near is as far as it comes.
const CHARGED_BYTES: u64 = 64 * 4096;

/// How often processes of this machine have been killed for its memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Kills(Option<u64>);

impl Kills {
    /// As many as there are by now.
    pub(super) fn now() -> Self {
        Self(
            fs::read_to_string("/proc/vmstat")
                .ok()
                .and_then(|text| counter(&text, "oom_kill")),
        )
    }

    /// Whether there are more than there were.
    pub(super) fn are_more_than(self, before: Self) -> bool {
        matches!((self.0, before.0), (Some(now), Some(before)) if now > before)
    }
}

/// Whether the limit of memory that a process stands under, if it is not the worker's own, was
/// come to: then it is the suite's own fault if anything of it was killed. `None` if there is no
/// such limit that can be seen.
pub(super) fn has_come_to_its_own_limit(process: i64) -> Option<bool> {
    let of = |process: &str| {
        let list = fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
        directory(&list)
    };
    let (its, ours) = (of(&process.to_string())?, of("self")?);
    (its != ours).then(|| has_come_to_limit(&its))?
}

/// The directory of the cgroup that limits memory, by a process's list of cgroups.
fn directory(list: &str) -> Option<PathBuf> {
    // NUMBER:NAMES:PATH, where the path may have colons.
    let groups = || {
        let lines = list.lines().filter_map(|line| line.split_once(':'));
        lines.filter_map(|(_, rest)| rest.split_once(':'))
    };
    let of_version_1 = groups().find(|(names, _)| names.split(',').any(|name| name == "memory"));
    let found = of_version_1.or_else(|| groups().find(|(names, _)| names.is_empty()));
    let (names, path) = found?;
    let hierarchy = Path::new(CGROUPS).join(if names.is_empty() { "" } else { "memory" });
    Some(hierarchy.join(path.trim_start_matches('/')))
}

fn has_come_to_limit(group: &Path) -> Option<bool> {
    let read = |file: &str| fs::read_to_string(group.join(file)).ok();
    let number = |file: &str| read(file)?.trim().parse::<u64>().ok();
    let of_version_2 = || counter(&read("memory.events")?, "oom");
    // Where swap is limited to the same, the second of these counts.
    let of_version_1 =
        || Some(number("memory.failcnt")?.max(number("memory.memsw.failcnt").unwrap_or(0)));
    // Since Linux 6.14 these stay at 0; then the most that was ever used tells.
    let is_used_up = || {
        let most = number("memory.max_usage_in_bytes")?;
        Some(most.saturating_add(CHARGED_BYTES) > number("memory.limit_in_bytes")?)
    };
    let is_counted = of_version_2()
        .or_else(of_version_1)
        .map(|times| times > 0)?;
    Some(is_counted || is_used_up().unwrap_or(false))
}

/// The number behind a name, of a file with a name and a number on each line.
fn counter(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(key, _)| *key == name)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_counted_and_compared() {
        let text = "nr_free_pages 7\noom_kill_x 9\noom_kill 3\n";
        assert_eq!(counter(text, "oom_kill"), Some(3));
        assert!(Kills(Some(4)).are_more_than(Kills(Some(3))));
        assert!(!Kills(Some(3)).are_more_than(Kills(Some(3))));
        assert!(!Kills(Some(3)).are_more_than(Kills(None)));
        assert_eq!(Kills::now().0.is_some(), cfg!(target_os = "linux"));
    }

    #[test]
    fn the_cgroup_that_limits_memory_is_found_in_either_version() {
        let first = "9:name=systemd:/\n4:cpu,memory:/a:b/c\n0::/x\n";
        assert_eq!(
            directory(first),
            Some(PathBuf::from("/sys/fs/cgroup/memory/a:b/c"))
        );
        assert_eq!(
            directory("0::/user.slice\n"),
            Some(PathBuf::from("/sys/fs/cgroup/user.slice"))
        );
        assert_eq!(directory(""), None);
    }

    #[test]
    fn a_limit_that_was_reached_is_told_from_one_that_was_not() {
        let group = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(group.path().join(file), text).unwrap();
        assert_eq!(has_come_to_limit(group.path()), None);
        write("memory.failcnt", "0\n");
        assert_eq!(has_come_to_limit(group.path()), Some(false));
        write("memory.limit_in_bytes", "67108864\n");
        write("memory.max_usage_in_bytes", "66000000\n");
        assert_eq!(has_come_to_limit(group.path()), Some(false));
        write("memory.max_usage_in_bytes", "67108864\n");
        assert_eq!(has_come_to_limit(group.path()), Some(true));
        write("memory.max_usage_in_bytes", "0\n");
        write("memory.memsw.failcnt", "12\n");
        assert_eq!(has_come_to_limit(group.path()), Some(true));
        write("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n");
        assert_eq!(has_come_to_limit(group.path()), Some(false));
        write("memory.events", "low 0\nhigh 0\nmax 4\noom 1\noom_kill 1\n");
        assert_eq!(has_come_to_limit(group.path()), Some(true));
        // The worker's own limit is the machine's affair.
        let this = i64::from(std::process::id());
        assert_eq!(has_come_to_its_own_limit(this), None);
    }
}
