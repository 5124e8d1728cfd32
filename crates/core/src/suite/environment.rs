//! The four environments a suite can ask for.

use super::audit::{At, Audit, below, text_key};
use super::error::Problem;
use super::json::entry_as_json;
use super::yaml::{Mapping, Node, Scalar, Value};
use super::{ClusterHost, ContainerSpecs, Environment, HostSpecs, Network, Ostree};

/// `sandbox: true` or `sandbox: {network: BOOL}`.
pub(super) fn sandbox(node: &Node, audit: &mut Audit) -> Result<Option<Environment>, Problem> {
    let mapping = match &node.value {
        Value::Scalar(Scalar::Bool(true)) => &Mapping::default(),
        Value::Map(mapping) => mapping,
        Value::Scalar(_) | Value::List(_) => {
            return Err(Problem::at(node.place, "expected true or map")
                .plainly("\"sandbox\": write true or {network: true}"));
        }
    };
    let mut network = Network::default();
    for entry in mapping.entries() {
        if text_key(entry) != Some("network") {
            audit.undefined(entry, "/sandbox");
        } else if audit.boolean(&entry.value, "/sandbox/network") == Some(true) {
            network = Network::On;
        }
    }
    Ok(Some(Environment::Sandbox { network }))
}

/// `container: {image: TEXT, kvm: BOOL, specs: {ram: INT, cpus: INT}}`.
pub(super) fn container(node: &Node, audit: &mut Audit) -> Option<Environment> {
    let mapping = audit.mapping(node, "/container")?;
    audit.require(mapping, "image", At::new("/container", node));
    let mut image = None;
    let mut kvm = None;
    let mut specs = ContainerSpecs::default();
    for entry in mapping.entries() {
        match text_key(entry) {
            Some("image") => image = audit.required_text(&entry.value, "/container/image"),
            Some("kvm") => kvm = audit.boolean(&entry.value, "/container/kvm"),
            Some("specs") => specs = sizes(&entry.value, "/container/specs", audit, container_size),
            _ => audit.undefined(entry, "/container"),
        }
    }
    Some(Environment::Container {
        image: image?,
        kvm: kvm.unwrap_or(false),
        specs,
    })
}

fn container_size<'a>(specs: &'a mut ContainerSpecs, key: &str) -> Option<&'a mut i64> {
    match key {
        "ram" => Some(&mut specs.ram_mb),
        "cpus" => Some(&mut specs.cpu_millis),
        _ => None,
    }
}

/// `host: {distro: TEXT, ostree: …, specs: {ram: INT, cpus: INT, disk: INT, secondary-disk: INT}}`.
pub(super) fn host(node: &Node, audit: &mut Audit) -> Result<Option<Environment>, Problem> {
    let Some(mapping) = audit.mapping(node, "/host") else {
        return Ok(None);
    };
    audit.require(mapping, "distro", At::new("/host", node));
    let mut distro = None;
    let mut ostree = None;
    let mut specs = HostSpecs::default();
    for entry in mapping.entries() {
        match text_key(entry) {
            Some("distro") => distro = audit.required_text(&entry.value, "/host/distro"),
            Some("ostree") => ostree = Some(read_ostree(&entry.value, audit)?),
            Some("specs") => specs = sizes(&entry.value, "/host/specs", audit, host_size),
            _ => audit.undefined(entry, "/host"),
        }
    }
    Ok(distro.map(|distro| Environment::Host {
        distro,
        ostree,
        specs,
    }))
}

fn read_ostree(node: &Node, audit: &mut Audit) -> Result<Ostree, Problem> {
    let mapping = match &node.value {
        Value::Scalar(Scalar::Text(text)) if text == "latest" => return Ok(Ostree::Latest),
        Value::Scalar(Scalar::Text(_)) => {
            return Err(Problem::at(node.place, "expected string 'latest'")
                .plainly("\"ostree\": write latest, or keys: {remote: …, branch: …}"));
        }
        Value::Map(mapping) => mapping,
        Value::Scalar(_) | Value::List(_) => {
            return Err(Problem::at(node.place, "expected str or map")
                .plainly("\"ostree\": write latest, or keys: {remote: …, branch: …}"));
        }
    };
    let (mut remote, mut branch, mut revision) = (None, None, None);
    for entry in mapping.entries() {
        let node = &entry.value;
        match text_key(entry) {
            Some("remote") => remote = audit.text(node, "/host/ostree/remote"),
            Some("branch") => branch = audit.text(node, "/host/ostree/branch"),
            Some("revision") => revision = audit.text(node, "/host/ostree/revision"),
            _ => audit.undefined(entry, "/host/ostree"),
        }
    }
    Ok(Ostree::At {
        remote,
        branch,
        revision,
    })
}

fn host_size<'a>(specs: &'a mut HostSpecs, key: &str) -> Option<&'a mut i64> {
    match key {
        "ram" => Some(&mut specs.ram_mb),
        "cpus" => Some(&mut specs.cpus),
        "disk" => Some(&mut specs.disk_gb),
        "secondary-disk" => Some(&mut specs.secondary_disk_gb),
        _ => None,
    }
}

/// Reads a mapping of integers; `size` says where each of them belongs.
fn sizes<S: Default>(
    node: &Node,
    path: &str,
    audit: &mut Audit,
    size: impl for<'a> Fn(&'a mut S, &str) -> Option<&'a mut i64>,
) -> S {
    let mut specs = S::default();
    let entries = audit.mapping(node, path).map(Mapping::entries);
    for entry in entries.unwrap_or_default() {
        let key = text_key(entry).unwrap_or_default();
        let Some(size) = size(&mut specs, key) else {
            audit.undefined(entry, path);
            continue;
        };
        if let Some(read) = audit.integer(&entry.value, &below(path, key)) {
            *size = read;
        }
    }
    specs
}

/// `cluster: {hosts: [{name: TEXT, distro: TEXT, …}, …], container: {image: TEXT}}`.
pub(super) fn cluster(node: &Node, audit: &mut Audit) -> Result<Option<Environment>, Problem> {
    let Some(mapping) = audit.mapping(node, "/cluster") else {
        return Ok(None);
    };
    audit.require(mapping, "hosts", At::new("/cluster", node));
    let mut hosts = Vec::new();
    let mut container_image = None;
    for entry in mapping.entries() {
        match text_key(entry) {
            Some("hosts") => hosts = cluster_hosts(&entry.value, audit)?,
            Some("container") => container_image = cluster_container(&entry.value, audit),
            _ => audit.undefined(entry, "/cluster"),
        }
    }
    Ok(Some(Environment::Cluster {
        hosts,
        container_image,
    }))
}

fn cluster_container(node: &Node, audit: &mut Audit) -> Option<String> {
    let path = "/cluster/container";
    let mapping = audit.mapping(node, path)?;
    audit.require(mapping, "image", At::new(path, node));
    let mut image = None;
    for entry in mapping.entries() {
        if text_key(entry) == Some("image") {
            image = audit.required_text(&entry.value, "/cluster/container/image");
        } else {
            audit.undefined(entry, path);
        }
    }
    image
}

fn cluster_hosts(node: &Node, audit: &mut Audit) -> Result<Vec<ClusterHost>, Problem> {
    let Value::List(items) = &node.value else {
        return Err(Problem::at(node.place, "expected list of dicts").plainly(
            "\"hosts\": write a list of hosts, each with name and distro: - {name: …, distro: …}",
        ));
    };
    if items.is_empty() {
        return Err(Problem::at(node.place, "at least one host required"));
    }
    let mut hosts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        hosts.extend(cluster_host(index, item, audit)?);
    }
    Ok(hosts)
}

/// One machine; `None` if the audit found something wrong with it.
fn cluster_host(
    index: usize,
    node: &Node,
    audit: &mut Audit,
) -> Result<Option<ClusterHost>, Problem> {
    let Value::Map(mapping) = &node.value else {
        return Err(Problem::at(
            node.place,
            format!("host {index} is not a dict"),
        ));
    };
    let part = |key: &str| {
        mapping
            .value(key)
            .ok_or_else(|| Problem::at(node.place, format!("host {index} missing key '{key}'")))
    };
    let (name, distro) = (part("name")?, part("distro")?);
    let name = match &name.value {
        Value::Scalar(Scalar::Text(text)) if is_host_name(text) => text.clone(),
        Value::Scalar(_) | Value::List(_) | Value::Map(_) => {
            let message = format!("invalid hostname for host {index}");
            return Err(Problem::at(name.place, message));
        }
    };
    let distro = audit.required_text(distro, &format!("/cluster/hosts/{index}/distro"));
    let options = mapping
        .entries()
        .iter()
        .filter(|entry| !matches!(text_key(entry), Some("name" | "distro")))
        .map(entry_as_json)
        .collect();
    Ok(distro.map(|distro| ClusterHost {
        name,
        distro,
        options,
    }))
}

/// The rule of RFC 1123, and not only digits and dots, which would be an address.
fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && !name.chars().all(|c| c == '.' || c.is_ascii_digit())
        && name.split('.').all(is_host_label)
}

fn is_host_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|letter| letter == '-' || letter.is_ascii_alphanumeric())
}
