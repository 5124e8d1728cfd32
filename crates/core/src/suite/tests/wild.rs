//! Files in the shapes that projects wrote for PAPR, made up here: what a reader of its documentation
//! expects of each.

use super::*;

/// Context, environment, branches, pulls, required and seconds of each suite.
fn summary(file: &str) -> Vec<String> {
    suites(file)
        .iter()
        .map(|suite| {
            format!(
                "{} / {} / {} / {} / {} / {}",
                suite.context,
                suite.environment.key(),
                suite.branches.join("+"),
                suite.pulls,
                suite.required,
                suite.timeout_s
            )
        })
        .collect()
}

#[test]
fn a_chain_of_hosts_with_contexts_of_all_kinds() {
    let file = "\
# The smallest host first.

---

host:
  distro: fedora/27/atomic
  specs: {ram: 4096, cpus: 2}

context: fedora/27/atomic | origin/latest
required: true
branches:
  - master
  - auto
  - try
timeout: 45m

packages:
  - '@buildsys-build'
  - pkgconfig(glib-2.0)

env:
  CFLAGS: '-fsanitize=address'
  LEVEL: '2'

tests:
  - ./run.sh | tee log

artifacts:
  - log

---

# The same on something older.
inherit: true
context: \"Atomic 26 - smoke (nested: yes)\"
host:
  distro: fedora/26/atomic
  ostree: latest
required: false

---

inherit: true
container:
  image: registry.example/tools:1.26.2
context: tools #2
packages:
timeout: 90s
";
    assert_eq!(
        summary(file),
        [
            "fedora/27/atomic | origin/latest / host / master+auto+try / true / true / 2700",
            "Atomic 26 - smoke (nested: yes) / host / master+auto+try / true / false / 2700",
            "tools / container / master+auto+try / true / false / 90",
        ]
    );
    assert_eq!(suites(file)[1].packages.len(), 2);
    assert_eq!(suites(file)[2].packages.len(), 0);
}

#[test]
fn one_space_line_ends_of_windows_and_versions_without_quotes() {
    let file = "\
container:
 image: docker.io/library/golang:1.9
branches:
- master
- release-1.26.2
- 1.26.2
pulls: off
build: false
tests:
- make lint
- >
 make
 check
context: containers (unit/lint)
";
    let windows = file.replace('\n', "\r\n");
    for file in [file, &windows] {
        assert_eq!(
            summary(file),
            [
                "containers (unit/lint) / container / master+release-1.26.2+1.26.2 / false / false / 7200"
            ]
        );
        assert_eq!(suites(file)[0].tests, ["make lint", "make check\n"]);
        assert_eq!(suites(file)[0].build, None);
    }
    // Two numbers are a number where three are a text.
    let finding = "Value '1.26' is not of type 'str'. Path: '/branches/0'";
    check_schema(&[("branches: [1.26]", finding)]);
}

#[test]
fn machines_that_test_each_other_and_a_build() {
    let file = "\
cluster:
  hosts:
    - name: controller
      distro: centos/7/cloud
      specs:
        ram: 2048
    - name: node-1.example
      distro: fedora/27/cloud/pungi
      ostree:
        branch: stable
  container:
    image: registry.example/runner:latest
branches: []
env:
build:
  config-opts: >
    --prefix=/usr
    --enable-tests
  build-opts: CFLAGS='-Wall -Werror'
context: cluster/smoke
";
    assert_eq!(
        summary(file),
        ["cluster/smoke / cluster /  / true / false / 7200"]
    );
    let build = suites(file)[0].build.clone().unwrap();
    assert_eq!(build.config_opts, "--prefix=/usr --enable-tests");
}

#[test]
fn slips_that_real_files_have_are_told() {
    check(&[
        (
            "host: {distro: fedora/27/atomic}\ntests: []\ntimeout: 20\n",
            "failed to parse 1st testsuite: expected str",
        ),
        (
            "host:\n  distro: fedora/27/atomic\n  context: f27\ntests: []\n",
            "failed to parse 1st testsuite: Schema validation failed:\n - \
             Key 'context' was not defined. Path: '/host'.",
        ),
        (
            "container: {image: i}\ntests: []\n---\ninherit: true\nbranches: [auto]\n",
            "failed to parse 2nd testsuite: Schema validation failed:\n - \
             Cannot find required key 'context'. Path: ''.",
        ),
        (
            "container: {image: i}\ntests: []\npackages:\n - @buildsys-build\n",
            "file could not be parsed as valid YAML",
        ),
        (
            "container: {image: i}\ntests: []\npackages: [\u{2603}]\n",
            "non-ASCII characters found in ASCII-only field",
        ),
        (
            "container: {image: i}\ntests: []\n---\n",
            "failed to parse 2nd testsuite: top-level type should be a dict",
        ),
    ]);
}
