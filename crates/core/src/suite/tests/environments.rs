//! The four environments: `sandbox`, `container`, `host`, `cluster`.

use super::*;

#[test]
fn a_sandbox_has_a_network_only_when_told_so() {
    for (value, network) in [
        ("true", Network::Off),
        ("yes", Network::Off),
        ("{}", Network::Off),
        ("{network: false}", Network::Off),
        ("{network: }", Network::Off),
        ("{network: true}", Network::On),
    ] {
        let environment = suite(&format!("sandbox: {value}")).environment;
        assert_eq!(environment, Environment::Sandbox { network }, "{value}");
    }
}

#[test]
fn a_sandbox_is_true_or_a_mapping() {
    for value in ["false", "1", "'true'", "[]"] {
        check_lines(&[(&format!("sandbox: {value}"), "expected true or map")]);
    }
    check_schema(&[
        (
            "sandbox: {net: yes}",
            "Key 'net' was not defined. Path: '/sandbox'",
        ),
        (
            "sandbox: {network: 1}",
            "Value '1' is not of type 'bool'. Path: '/sandbox/network'",
        ),
    ]);
}

#[test]
fn a_container_has_an_image_and_defaults() {
    let expected = Environment::Container {
        image: "fedora:28".to_owned(),
        kvm: false,
        specs: ContainerSpecs {
            ram_mb: 2048,
            cpu_millis: 1500,
        },
    };
    assert_eq!(
        suite("container: {image: 'fedora:28'}").environment,
        expected
    );
    let expected = Environment::Container {
        image: String::new(),
        kvm: true,
        specs: ContainerSpecs {
            ram_mb: 4096,
            cpu_millis: -1,
        },
    };
    let lines = "container: {image: '', kvm: yes, specs: {ram: 4096, cpus: -1}}";
    assert_eq!(suite(lines).environment, expected);
}

#[test]
fn a_container_refuses_everything_else() {
    check_schema(&[
        (
            "container: i",
            "Value 'i' is not a dict. Value path: '/container'",
        ),
        (
            "container: [i]",
            "Value '['i']' is not a dict. Value path: '/container'",
        ),
        (
            "container: {}",
            "Cannot find required key 'image'. Path: '/container'",
        ),
        (
            "container: {image: }",
            "required.novalue : '/container/image'",
        ),
        (
            "container: {image: 5}",
            "Value '5' is not of type 'str'. Path: '/container/image'",
        ),
        (
            "container: {image: i, tag: t}",
            "Key 'tag' was not defined. Path: '/container'",
        ),
        (
            "container: {image: i, kvm: 1}",
            "Value '1' is not of type 'bool'. Path: '/container/kvm'",
        ),
        (
            "container: {image: i, specs: 5}",
            "Value '5' is not a dict. Value path: '/container/specs'",
        ),
        (
            "container: {image: i, specs: {disk: 5}}",
            "Key 'disk' was not defined. Path: '/container/specs'",
        ),
        (
            "container: {image: i, specs: {cpus: '2'}}",
            "Value '2' is not of type 'int'. Path: '/container/specs/cpus'",
        ),
    ]);
}

fn host(lines: &str) -> (Option<Ostree>, HostSpecs) {
    let environment = suite(&format!("host: {{distro: d, {lines}}}")).environment;
    let Environment::Host {
        distro,
        ostree,
        specs,
    } = environment
    else {
        panic!("{environment:?}");
    };
    assert_eq!(distro, "d");
    (ostree, specs)
}

#[test]
fn a_host_has_sizes_with_defaults() {
    let size = |ram_mb, cpus, disk_gb, secondary_disk_gb| HostSpecs {
        ram_mb,
        cpus,
        disk_gb,
        secondary_disk_gb,
    };
    assert_eq!(host(""), (None, size(2048, 1, 20, 0)));
    assert_eq!(host("specs: {}").1, size(2048, 1, 20, 0));
    let all = "specs: {ram: 1, cpus: 2, disk: -3, secondary-disk: 4}";
    assert_eq!(host(all).1, size(1, 2, -3, 4));
}

#[test]
fn a_host_is_brought_to_a_tree() {
    assert_eq!(host("ostree: latest").0, Some(Ostree::Latest));
    let at = |remote: Option<&str>, branch: Option<&str>, revision: Option<&str>| {
        Some(Ostree::At {
            remote: remote.map(str::to_owned),
            branch: branch.map(str::to_owned),
            revision: revision.map(str::to_owned),
        })
    };
    assert_eq!(host("ostree: {}").0, at(None, None, None));
    let all = "ostree: {remote: a, branch: b, revision: c}";
    assert_eq!(host(all).0, at(Some("a"), Some("b"), Some("c")));
}

#[test]
fn a_host_refuses_everything_else() {
    check_lines(&[
        (
            "host: {distro: d, ostree: newest}",
            "expected string 'latest'",
        ),
        ("host: {distro: d, ostree: 5}", "expected str or map"),
        ("host: {distro: d, ostree: [a]}", "expected str or map"),
        ("host: {distro: d, ostree: }", "expected str or map"),
    ]);
    check_schema(&[
        ("host: d", "Value 'd' is not a dict. Value path: '/host'"),
        (
            "host: {}",
            "Cannot find required key 'distro'. Path: '/host'",
        ),
        ("host: {distro: }", "required.novalue : '/host/distro'"),
        (
            "host: {distro: 7}",
            "Value '7' is not of type 'str'. Path: '/host/distro'",
        ),
        (
            "host: {distro: d, context: c}",
            "Key 'context' was not defined. Path: '/host'",
        ),
        (
            "host: {distro: d, ostree: {ref: r}}",
            "Key 'ref' was not defined. Path: '/host/ostree'",
        ),
        (
            "host: {distro: d, ostree: {branch: 5}}",
            "Value '5' is not of type 'str'. Path: '/host/ostree/branch'",
        ),
        (
            "host: {distro: d, specs: {x: 1}}",
            "Key 'x' was not defined. Path: '/host/specs'",
        ),
        (
            "host: {distro: d, specs: {ram: yes}}",
            "Value 'True' is not of type 'int'. Path: '/host/specs/ram'",
        ),
        (
            "host: {distro: d, specs: {disk: 1.5}}",
            "Value '1.5' is not of type 'int'. Path: '/host/specs/disk'",
        ),
        (
            "host: {distro: d, specs: {secondary-disk: '1'}}",
            "Value '1' is not of type 'int'. Path: '/host/specs/secondary-disk'",
        ),
    ]);
}

#[test]
fn a_cluster_has_hosts_whose_other_options_nobody_checks() {
    let lines = "cluster:\n  hosts:\n    - {name: a.b, distro: d, specs: wrong, x: [1, {y: ~}]}\n    \
                 - {name: a.b, distro: e}\n  container: {image: i}";
    let Environment::Cluster {
        hosts,
        container_image,
    } = suite(lines).environment
    else {
        panic!("no cluster");
    };
    assert_eq!(container_image.as_deref(), Some("i"));
    let names: Vec<_> = hosts
        .iter()
        .map(|host| (host.name.as_str(), host.distro.as_str()))
        .collect();
    assert_eq!(names, [("a.b", "d"), ("a.b", "e")]);
    let options = serde_json::to_string(&hosts[0].options).unwrap();
    assert_eq!(options, r#"{"specs":"wrong","x":[1,{"y":null}]}"#);
}

#[test]
fn a_cluster_refuses_everything_else() {
    check_lines(&[
        ("cluster: {hosts: h}", "expected list of dicts"),
        ("cluster: {hosts: }", "expected list of dicts"),
        ("cluster: {hosts: []}", "at least one host required"),
        ("cluster: {hosts: [h]}", "host 0 is not a dict"),
        (
            "cluster: {hosts: [{name: h, distro: d}, ~]}",
            "host 1 is not a dict",
        ),
        (
            "cluster: {hosts: [{distro: d}]}",
            "host 0 missing key 'name'",
        ),
        (
            "cluster: {hosts: [{name: h}]}",
            "host 0 missing key 'distro'",
        ),
        ("cluster: {hosts: [{}]}", "host 0 missing key 'name'"),
    ]);
    check_schema(&[
        (
            "cluster: {}",
            "Cannot find required key 'hosts'. Path: '/cluster'",
        ),
        (
            "cluster: [h]",
            "Value '['h']' is not a dict. Value path: '/cluster'",
        ),
        (
            "cluster: {hosts: [{name: h, distro: d}], x: y}",
            "Key 'x' was not defined. Path: '/cluster'",
        ),
        (
            "cluster: {hosts: [{name: h, distro: d}], container: {}}",
            "Cannot find required key 'image'. Path: '/cluster/container'",
        ),
        (
            "cluster: {hosts: [{name: h, distro: d}], container: {image: i, kvm: yes}}",
            "Key 'kvm' was not defined. Path: '/cluster/container'",
        ),
        (
            "cluster: {hosts: [{name: h, distro: 5}]}",
            "Value '5' is not of type 'str'. Path: '/cluster/hosts/0/distro'",
        ),
    ]);
}

#[test]
fn host_names_are_those_of_the_internet() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    let lines = |name: &str| format!("cluster: {{hosts: [{{name: '{name}', distro: d}}]}}");
    for name in ["a", "A-1.b", "1a", "1.a", label.as_str(), longest.as_str()] {
        check_lines(&[(&lines(name), "ok")]);
    }
    let too_long_label = "a".repeat(64);
    let too_long = format!("{longest}a");
    for name in [
        "",
        "-a",
        "a-",
        "a..b",
        "a.",
        ".a",
        "a_b",
        "a b",
        "1.2.3.4",
        "12",
        "ä",
        "a.-b",
        too_long_label.as_str(),
        too_long.as_str(),
    ] {
        check_lines(&[(&lines(name), "invalid hostname for host 0")]);
    }
    let number = "cluster: {hosts: [{name: 5, distro: d}]}";
    check_lines(&[(number, "invalid hostname for host 0")]);
}
