//! What a job asks of a worker.

use std::collections::BTreeSet;

use super::job::Executor;
use crate::suite::{ClusterHost, Environment, HostSpecs, Suite};

/// What a suite must find that asks for `kvm: true`.
pub const KVM_LABEL: &str = "kvm";

/// The most slots that one machine weighs, whatever its suite asks for.
const MACHINE_SLOTS_MAX: i64 = 64;
/// The memory that weighs one slot, in MiB.
const SLOT_RAM_MB: i64 = 2048;

/// What a job asks of a worker.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Need {
    /// What must execute it.
    pub executor: Executor,
    /// What the worker must have.
    pub labels: BTreeSet<String>,
    /// How many of its slots it takes; at least 1.
    pub slots: u32,
}

impl Need {
    /// What a suite asks for.
    pub fn of(suite: &Suite) -> Self {
        let mut labels: BTreeSet<_> = suite.labels.iter().cloned().collect();
        if let Environment::Container { kvm: true, .. } = suite.environment {
            labels.insert(KVM_LABEL.to_owned());
        }
        Self {
            executor: executor(&suite.environment),
            labels,
            slots: suite
                .slots
                .unwrap_or_else(|| weight(&suite.environment))
                .max(1),
        }
    }
}

fn executor(environment: &Environment) -> Executor {
    match environment {
        Environment::Sandbox { .. } => Executor::Sandbox,
        Environment::Container { .. } => Executor::Container,
        Environment::Host { .. } | Environment::Cluster { .. } => Executor::Vm,
    }
}

fn weight(environment: &Environment) -> u32 {
    match environment {
        Environment::Sandbox { .. } | Environment::Container { .. } => 1,
        Environment::Host { specs, .. } => machine(specs.ram_mb, specs.cpus),
        Environment::Cluster { hosts, .. } => hosts
            .iter()
            .map(of_cluster)
            .fold(0, u32::saturating_add)
            .max(1),
    }
}

/// One slot for the machine, and one for each processor or each 2 GiB, whichever are more.
fn machine(ram_mb: i64, cpus: i64) -> u32 {
    let ram_slots = ram_mb.saturating_add(SLOT_RAM_MB - 1) / SLOT_RAM_MB;
    let size = ram_slots.max(cpus).clamp(1, MACHINE_SLOTS_MAX - 1);
    u32::try_from(size).unwrap_or(1) + 1
}

/// The options of a cluster's hosts are not checked: what is no number is as if it were not there.
fn of_cluster(host: &ClusterHost) -> u32 {
    let default = HostSpecs::default();
    let spec = |key: &str, otherwise| {
        let specs = host.options.get("specs");
        specs
            .and_then(|specs| specs.get(key)?.as_i64())
            .unwrap_or(otherwise)
    };
    machine(spec("ram", default.ram_mb), spec("cpus", default.cpus))
}
