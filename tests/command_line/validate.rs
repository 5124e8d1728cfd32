//! `paprq validate`: what a file of suites means, or what is wrong with it.

use super::*;

const GOOD: &str = "sandbox: true\ntests: [make]\ncontext: a\n";
const BAD: &str = "sandbox: true\ntests: [make]\nnonsense: 1\n";

#[test]
fn validate_says_what_a_good_file_means() {
    let folder = folder(&[(".papr.yml", GOOD)]);
    let output = pipe(&["validate", ".papr.yml"], folder.path(), b"");
    assert_eq!((status(&output), err(&output)), (0, ""));
    insta::assert_snapshot!(out(&output), @r"
    .papr.yml: valid, 1 suite

    a
      environment  sandbox without network
      runs on      pull requests, merges, tries, pushes to master
      timeout      2 h

    warning: no suite names the branch auto, so merges take all of them
    ");
}

#[test]
fn validate_says_what_is_bad_and_where() {
    let folder = folder(&[(".papr.yml", BAD)]);
    let output = pipe(&["validate", ".papr.yml"], folder.path(), b"");
    assert_eq!((status(&output), err(&output)), (1, ""));
    insta::assert_snapshot!(out(&output), @r"
    .papr.yml:3:1: failed to parse 1st testsuite: Schema validation failed:
     - Key 'nonsense' was not defined. Path: ''.
       3:1  nonsense: 1
            ^
    ");
}

/// What it says of this file, and its exit status.
fn verdict(file: &str) -> (String, i32) {
    let output = pipe(&["validate"], Path::new("/"), file.as_bytes());
    assert_eq!(err(&output), "");
    (out(&output).to_owned(), status(&output))
}

#[test]
fn validate_says_when_and_where_each_suite_runs() {
    let file = "\
sandbox: true
context: lint
tests: [make lint]
branches: [auto, master]
allow-failure: true
---
context: unit
name: tests
container: {image: 'fedora:{VERSION}', kvm: true}
tests: [make check]
branches: [auto, try, master, stable]
required: true
allow-failure: true
needs: [lint]
paths: [src/, Makefile]
paths-ignore: ['**/*.md']
labels: [kvm, big]
slots: 2
retries: 2
preemptible: true
secrets: [TOKEN]
matrix: {VERSION: [28, 29]}
---
host: {distro: fedora/28/atomic}
context: slow
tests: [make slow]
on-demand: true
branches: [auto]
retries: 1
slots: 1
---
sandbox: {network: true}
context: none
tests: [x]
pulls: false
branches: []
";
    let (said, status) = verdict(file);
    assert_eq!(status, 0);
    insta::assert_snapshot!(said, @r"
    standard input: valid, 5 suites

    lint
      environment  sandbox without network
      runs on      pull requests, merges, tries, pushes to master, stable
      timeout      2 h
      if it fails  nothing depends on it

    unit (28) (required)
      name         tests
      environment  container fedora:28 with /dev/kvm
      worker       with kvm, big; 2 slots; may interrupt it
      runs on      pull requests, merges, tries, pushes to master, stable
      changes      only of src/, Makefile; not of **/*.md
      after        lint
      timeout      2 h
      if it fails  is tried 2 times more; nothing depends on it
      secrets      TOKEN

    unit (29) (required)
      name         tests
      environment  container fedora:29 with /dev/kvm
      worker       with kvm, big; 2 slots; may interrupt it
      runs on      pull requests, merges, tries, pushes to master, stable
      changes      only of src/, Makefile; not of **/*.md
      after        lint
      timeout      2 h
      if it fails  is tried 2 times more; nothing depends on it
      secrets      TOKEN

    slow
      environment  host fedora/28/atomic
      worker       1 slot
      runs on      pull requests where somebody asks for it, merges
      timeout      2 h
      if it fails  is tried once more

    none
      environment  sandbox with network
      runs on      nothing, unless somebody asks for it
      timeout      2 h

    warning: unit (28): is required, and may fail
    warning: unit (28): needs lint, which may fail
    warning: unit (29): is required, and may fail
    warning: unit (29): needs lint, which may fail
    warning: none: nothing runs it
    ");
}

#[test]
fn validate_warns_where_merges_take_everything() {
    let (said, _) = verdict(GOOD);
    assert!(
        said.ends_with("\n\nwarning: no suite names the branch auto, so merges take all of them\n")
    );
    let (said, _) = verdict("");
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn validate_shows_each_of_several_faults() {
    let file = "\
sandbox: true
tests:
  - make
  - 5
context: [ä]
nonsense: \"\\e[31m\"
slots: 99 # ööö
";
    let (said, status) = verdict(file);
    assert_eq!(status, 1);
    insta::assert_snapshot!(said, @r#"
    standard input:4:5: failed to parse 1st testsuite: Schema validation failed:
     - Value '5' is not of type 'str'. Path: '/tests/1'.
       4:5    - 5
                ^
     - Value '['ä']' is not of type 'str'. Path: '/context'.
       5:10  context: [ä]
                      ^
     - Key 'nonsense' was not defined. Path: ''.
       6:1  nonsense: "\e[31m"
            ^
     - Value '99' is not from 1 to 64. Path: '/slots'.
       7:8  slots: 99 # ööö
                   ^
    "#);
}

#[test]
fn validate_shows_fifty_faults_and_counts_the_others() {
    let (said, _) = verdict(&format!(
        "sandbox: true\ntests: [{}]\n",
        "5, ".repeat(50_000)
    ));
    assert!(said.contains(" - Value '5' is not of type 'str'. Path: '/tests/49'.\n"));
    assert!(said.ends_with("^\nand 49950 more\n"));
}

#[test]
fn validate_shows_a_single_fault_and_what_the_parser_found() {
    let (said, _) = verdict("sandbox: true\ntests: []\n---\ncontext: b\ntests: []\n");
    insta::assert_snapshot!(said, @r"
    standard input:4:1: failed to parse 2nd testsuite: at least one of 'host', 'container', or 'cluster' required
       4:1  context: b
            ^
    ");
    let (said, _) = verdict("sandbox: true\ntests: [\n");
    insta::assert_snapshot!(said, @r"
    standard input:3:1: file could not be parsed as valid YAML
      while parsing a node, did not find expected node content
    ");
    let needs = "sandbox: true\ntests: []\n---\ncontext: b\nsandbox: true\ntests: []\nneeds: [Red Hat CI, c]\n";
    insta::assert_snapshot!(verdict(needs).0, @r"
    standard input:7:21: failed to parse 2nd testsuite: unknown suite 'c' in 'needs'
       7:21  needs: [Red Hat CI, c]
                                 ^
    ");
}

#[test]
fn validate_shows_the_part_of_a_long_line_that_is_wrong() {
    let file = format!(
        "sandbox: true\ntests: [{} 5, {}]\n",
        "ä, ".repeat(200),
        "ö, ".repeat(200)
    );
    let (said, _) = verdict(&file);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[2].chars().count() < 120, "{said}");
    let at = lines[3].chars().count() - 1;
    assert_eq!(lines[2].chars().nth(at), Some('5'), "{said}");
}

#[test]
fn validate_prints_json() {
    let folder = folder(&[("good", GOOD), ("bad", BAD), ("none", "# nothing\n")]);
    let json_of = |file: &str| -> (i32, Json) {
        let output = pipe(&["validate", "--json", file], folder.path(), b"");
        (status(&output), serde_json::from_str(out(&output)).unwrap())
    };
    let suite = json!({
        "sandbox": true, "tests": ["make"], "context": "a",
        "branches": ["master"], "pulls": true, "required": false, "timeout": "2h",
    });
    assert_eq!(
        json_of("good"),
        (0, json!({"error": null, "suites": [suite]}))
    );
    let message = "failed to parse 1st testsuite: Schema validation failed:\n \
                   - Key 'nonsense' was not defined. Path: ''.";
    assert_eq!(json_of("bad"), (1, json!({"error": message, "suites": []})));
    assert_eq!(json_of("none"), (0, json!({"error": null, "suites": []})));
}

#[test]
fn validate_without_a_file_takes_the_first_of_four_names() {
    let names = [".papr-ex.yaml", ".papr.yml", ".papr.yaml", ".redhat-ci.yml"];
    let folder = tempfile::tempdir().unwrap();
    for name in names.iter().rev() {
        std::fs::write(folder.path().join(name), GOOD).unwrap();
        let nobody = paprq(&["validate"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(out(&nobody).starts_with(&format!("{name}: valid")));
        let nothing = pipe(&["validate"], folder.path(), b"");
        assert!(out(&nothing).starts_with(&format!("{name}: valid")));
    }
}

#[test]
fn validate_without_a_file_takes_what_is_piped_in() {
    let folder = folder(&[(".papr.yml", BAD)]);
    for words in [&["validate"][..], &["validate", "-"]] {
        let output = pipe(words, folder.path(), GOOD.as_bytes());
        assert!(
            out(&output).starts_with("standard input: valid, 1 suite"),
            "{words:?}"
        );
    }
    let empty = tempfile::tempdir().unwrap();
    let output = pipe(&["validate"], empty.path(), b"");
    assert_eq!(
        (status(&output), out(&output)),
        (0, "standard input: valid, 0 suites\n")
    );
}

#[test]
fn validate_without_anything_is_wrong_usage() {
    let empty = tempfile::tempdir().unwrap();
    let output = paprq(&["validate", "--json"])
        .current_dir(empty.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!((status(&output), out(&output)), (2, ""));
    let said = "paprq: there is no file of suites here; \
                looked for .papr-ex.yaml, .papr.yml, .papr.yaml, .redhat-ci.yml\n";
    assert_eq!(err(&output), said);
}

#[test]
fn validate_finds_the_example_of_the_documentation_good() {
    let page = include_str!("../../docs/suites.md");
    let example: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("    "))
        .take_while(|line| line.starts_with("    ") || line.is_empty())
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    let output = pipe(&["validate"], Path::new("/"), example.join("\n").as_bytes());
    insta::assert_snapshot!(out(&output), @r"
    standard input: valid, 2 suites

    Red Hat CI
      environment  sandbox without network
      runs on      pull requests, merges, tries
      timeout      30 min

    lint
      environment  sandbox without network
      runs on      pull requests, merges, tries
      timeout      30 min
    ");
}

#[test]
fn validate_reads_no_more_than_the_longest_file() {
    let output = pipe(
        &["validate", "--json"],
        Path::new("/"),
        &vec![b'#'; 300_000],
    );
    let json: Json = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(json["error"], "file is larger than 262144 bytes");
    assert_eq!(status(&output), 1);
}

#[test]
fn validate_shows_a_terminal_nothing_that_it_would_obey() {
    let file = "sandbox: true\ntests: []\ncontext: \"\\e[31m\"\n";
    let output = pipe(&["validate"], Path::new("/"), file.as_bytes());
    assert_eq!(status(&output), 0);
    assert!(!out(&output).contains('\u{1b}'));
    assert!(out(&output).contains("\\u{1b}[31m"));
}
