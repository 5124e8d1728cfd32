//! How a container is made: what it may use, and what it is kept from. Pure.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, DeviceMapping, HealthConfig, HostConfig, HostConfigLogConfig,
};

use super::session::ContainerRequest;
use super::{LABEL_START, LABEL_WORKER};
use crate::worker::settings::Limits;

/// What root in a container may do beyond an ordinary user: what installing packages and changing
/// users takes. Not among them: raw packets, device files, the audit log, anything of the host's.
const CAPABILITIES: [&str; 11] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
const MIB: u64 = 1024 * 1024;
/// Below this nothing starts.
const MEMORY_MIN_BYTES: u64 = 16 * MIB;
/// The least share of a processor that engines take, in thousandths.
const CPU_MILLIS_MIN: u64 = 10;

/// What one container may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Share {
    pub(super) memory_bytes: u64,
    /// Thousandths of a processor.
    pub(super) cpu_millis: u64,
}

impl Share {
    /// What the suite asks for, as far as the worker and its machine have it.
    pub(super) fn of(wanted: &ContainerRequest<'_>, limits: &Limits, processors: u64) -> Self {
        let asked = |number: i64| u64::try_from(number).ok().filter(|&number| number > 0);
        let memory = asked(wanted.specs.ram_mb).map(|mib| mib.saturating_mul(MIB));
        let whole = processors.max(1).saturating_mul(1000);
        Self {
            memory_bytes: memory
                .unwrap_or(limits.memory_bytes)
                .min(limits.memory_bytes)
                .max(MEMORY_MIN_BYTES),
            cpu_millis: asked(wanted.specs.cpu_millis)
                .unwrap_or(whole)
                .clamp(CPU_MILLIS_MIN, whole),
        }
    }
}

/// What a container is known by later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks<'a> {
    /// Which worker's it is.
    pub(super) owner: &'a str,
    /// In which of the worker's lives it was made.
    pub(super) start: &'a str,
}

/// What the engine is told. The first process sleeps for `life_s` and ends the container then,
/// also where nobody is left who would.
pub(super) fn body(
    wanted: &ContainerRequest<'_>,
    share: Share,
    limits: &Limits,
    marks: Marks<'_>,
    life_s: u64,
) -> ContainerCreateBody {
    let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    let wait = format!("sleep {life_s}; exit 0");
    ContainerCreateBody {
        image: Some(wanted.image.to_owned()),
        entrypoint: words(&["sh", "-c", &wait]),
        cmd: Some(Vec::new()),
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        env: words(&["CI=true"]),
        healthcheck: Some(HealthConfig {
            test: words(&["NONE"]),
            ..HealthConfig::default()
        }),
        labels: Some(HashMap::from([
            (LABEL_WORKER.to_owned(), marks.owner.to_owned()),
            (LABEL_START.to_owned(), marks.start.to_owned()),
        ])),
        stop_timeout: Some(0),
        host_config: Some(host_config(wanted, share, limits)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(wanted: &ContainerRequest<'_>, share: Share, limits: &Limits) -> HostConfig {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let kvm = DeviceMapping {
        path_on_host: Some("/dev/kvm".to_owned()),
        path_in_container: Some("/dev/kvm".to_owned()),
        cgroup_permissions: Some("rw".to_owned()),
    };
    HostConfig {
        memory: Some(signed(share.memory_bytes)),
        memory_swap: Some(signed(share.memory_bytes)),
        nano_cpus: Some(signed(share.cpu_millis.saturating_mul(1_000_000))),
        pids_limit: Some(signed(limits.tasks)),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(CAPABILITIES.map(str::to_owned).to_vec()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        privileged: Some(false),
        ipc_mode: Some("private".to_owned()),
        devices: Some(wanted.kvm.then_some(kvm).into_iter().collect()),
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        auto_remove: Some(true),
        oom_score_adj: Some(1000),
        ..HostConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paprq_core::suite::ContainerSpecs;

    fn wanted(ram_mb: i64, cpu_millis: i64) -> ContainerRequest<'static> {
        ContainerRequest {
            image: "unit",
            kvm: false,
            specs: ContainerSpecs { ram_mb, cpu_millis },
        }
    }

    fn share(ram_mb: i64, cpu_millis: i64) -> (u64, u64) {
        let share = Share::of(&wanted(ram_mb, cpu_millis), &Limits::default(), 2);
        (share.memory_bytes / MIB, share.cpu_millis)
    }

    #[test]
    fn a_container_gets_what_it_asks_for_and_no_more_than_there_is() {
        assert_eq!(share(2048, 1500), (2048, 1500));
        assert_eq!(share(i64::MAX, i64::MAX), (4096, 2000));
        assert_eq!(share(0, -1), (4096, 2000));
        assert_eq!(share(1, 1), (16, 10));
    }

    #[test]
    fn only_a_suite_that_asks_for_kvm_gets_the_device() {
        for kvm in [true, false] {
            let wanted = ContainerRequest {
                kvm,
                ..wanted(1, 1)
            };
            let share = Share::of(&wanted, &Limits::default(), 1);
            let made = host_config(&wanted, share, &Limits::default());
            let devices: Vec<_> = made.devices.unwrap().into_iter().collect();
            let paths: Vec<_> = devices
                .iter()
                .filter_map(|device| device.path_on_host.as_deref())
                .collect();
            assert_eq!(paths == ["/dev/kvm"], kvm, "{paths:?}");
        }
    }

    #[test]
    fn nothing_of_the_host_is_shared() {
        let share = Share::of(&wanted(1, 1), &Limits::default(), 1);
        let made = host_config(&wanted(1, 1), share, &Limits::default());
        assert_eq!(made.binds, None);
        assert_eq!(made.mounts, None);
        assert_eq!(made.volumes_from, None);
        assert_eq!(made.privileged, Some(false));
        assert_eq!(made.cap_drop, Some(vec!["ALL".to_owned()]));
        let shared = [
            made.network_mode,
            made.pid_mode,
            made.uts_mode,
            made.userns_mode,
        ];
        assert_eq!(shared, [const { None }; 4]);
    }
}
