//! Samples of suites.

use paprq_core::suite::{
    Build, Called, Checkout, ClusterHost, ContainerSpecs, Environment, ExtraRepo, HostSpecs, Lfs,
    Network, Ostree, RepoSetting, Submodules, Suite, Variable,
};
use serde_json::json;

use crate::every::{Every, every};

every!(struct Suite {
    context, environment, branches, pulls, required, env, build, tests, timeout_s, artifacts, packages,
    extra_repos, name, matrix, matrix_context, needs, paths, paths_ignore, labels, slots, retries,
    preemptible, allow_failure, on_demand, secrets, checkout,
});
every!(struct Checkout { submodules, lfs, depth });
every!(
    enum Submodules {
        Unsaid,
        Without,
        Direct,
        Recursive,
    }
);
every!(
    enum Lfs {
        Unsaid,
        Without,
        Fetched,
    }
);
every!(struct Called { context, name, matrix_context });
every!(struct Variable { name, value });
every!(enum Environment {
    Sandbox { network },
    Container { image, kvm, specs },
    Host { distro, ostree, specs },
    Cluster { hosts, container_image },
});
every!(
    enum Network {
        Off,
        On,
    }
);
every!(struct ContainerSpecs { ram_mb, cpu_millis });
every!(struct HostSpecs { ram_mb, cpus, disk_gb, secondary_disk_gb });
every!(enum Ostree { Latest, At { remote, branch, revision } });
every!(struct ClusterHost { name, distro, options });
every!(struct Build { config_opts, build_opts, install_opts });
every!(struct ExtraRepo { name, settings });
every!(struct RepoSetting { key, value });

impl Every for serde_json::Map<String, serde_json::Value> {
    fn every() -> Vec<Self> {
        let options = json!({
            "specs": { "ram": 4096, "share": 0.5 },
            "ostree": ["a branch", null, true],
        });
        let options = options.as_object().cloned();
        vec![Self::new(), options.unwrap_or_default()]
    }
}
