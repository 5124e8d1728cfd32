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
    insta::assert_snapshot!(out(&output), @r#"
    .papr.yml:3:1: unknown key "nonsense": docs/suites.md has all keys
       3:1  nonsense: 1
            ^
    "#);
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
checkout: {submodules: recursive, lfs: true, depth: 1}
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
      checkout     with submodules, and theirs; with files of Git LFS; no history
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
fn validate_knows_what_checkout_takes() {
    let file = "sandbox: true\ntests: [x]\ncheckout: {submodule: true, submodules: deep}\n";
    let (said, status) = verdict(file);
    assert_eq!(status, 1);
    insta::assert_snapshot!(said, @r#"
    standard input:3:12: "checkout": unknown key "submodule": did you mean "submodules"?
       3:12  checkout: {submodule: true, submodules: deep}
                        ^
    standard input:3:41: "checkout", "submodules": expected true or false or recursive
       3:41  checkout: {submodule: true, submodules: deep}
                                                     ^
    "#);
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
    standard input:4:5: "tests", item 2: expected a text, not the value 5; put it in quotes
       4:5    - 5
                ^
    standard input:5:10: "context": expected a text, not a list
       5:10  context: [ä]
                      ^
    standard input:6:1: unknown key "nonsense": docs/suites.md has all keys
       6:1  nonsense: "\e[31m"
            ^
    standard input:7:8: "slots": 99 is out of range: write a number from 1 to 64
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
    assert!(
        said.contains("\"tests\", item 50: expected a text"),
        "{said}"
    );
    assert!(said.ends_with("^\nand 49950 more\n"));
}

#[test]
fn validate_shows_a_single_fault_and_what_the_parser_found() {
    let (said, _) = verdict("sandbox: true\ntests: []\n---\ncontext: b\ntests: []\n");
    insta::assert_snapshot!(said, @r"
    standard input:4:1: the suite has no environment: write sandbox: true, container: {image: …}, host: {distro: …} or cluster: …
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
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[1].chars().count() < 120, "{said}");
    let at = lines[2].chars().count() - 1;
    assert_eq!(lines[1].chars().nth(at), Some('5'), "{said}");
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

/// Keys that are nearly right, with what the person is told; PAPR's words are for programs.
#[test]
fn validate_explains_in_plain_words_what_papr_says_in_its_own() {
    for (file, plain, papr) in [
        (
            "sandbox: true\ntest: [make]\n",
            "standard input:2:1: unknown key \"test\": did you mean \"tests\"?",
            "at least one of 'build' or 'tests' required",
        ),
        (
            "sandbox: true\ntests: make\n",
            "\"tests\": expected a list, not the text \"make\"; write it in [brackets], or below",
            "Value 'b'make'' is not a list. Value path: '/tests'",
        ),
        (
            "sandbox: true\ntests: [make, 5]\n",
            "\"tests\", item 2: expected a text, not the value 5; put it in quotes",
            "Value '5' is not of type 'str'. Path: '/tests/1'",
        ),
        (
            "sandbox: true\ntests: [\"a\", echo a: b]\n",
            "\"tests\", item 2: expected a text, not keys with values",
            "is not of type 'str'",
        ),
        (
            "tests: [make]\n",
            "the suite has no environment: write sandbox: true, container: {image: …}",
            "at least one of 'host', 'container', or 'cluster' required",
        ),
        (
            "sandboxx: true\ntests: [make]\n",
            "unknown key \"sandboxx\": did you mean \"sandbox\"?",
            "at least one of 'host', 'container', or 'cluster' required",
        ),
        (
            "sandbox: true\ncontainer: {image: i}\ntests: [make]\n",
            "a suite has one environment: keep one of sandbox, container, host and cluster",
            "only one of 'sandbox', 'host', 'container', or 'cluster' required",
        ),
        (
            "container: {imag: i}\ntests: [make]\n",
            "\"container\": unknown key \"imag\": did you mean \"image\"?",
            "Key 'imag' was not defined. Path: '/container'",
        ),
        (
            "sandbox: true\ntests: [make]\ntimeout: 30\n",
            "\"timeout\": write a number and its unit, such as 30m or 1h",
            "expected str",
        ),
        (
            "sandbox: true\ntests: [make]\nrequired: 'yes'\n",
            "\"required\": expected true or false, not the text \"yes\"; write it without quotes",
            "is not of type 'bool'",
        ),
        (
            "sandbox: true\ntests: [make]\ncontext: x-{B}\nmatrix: {A: [1, 2]}\n",
            "{B} is not a variable of \"matrix\": did you mean {A}?",
            "'{B}' is no variable of 'matrix'",
        ),
    ] {
        let (said, code) = verdict(file);
        assert_eq!(code, 1, "{file}");
        assert!(said.contains(plain), "{file}\n{said}");
        assert!(!said.contains("b'make'"), "{said}");
        let output = pipe(&["validate", "--json"], Path::new("/"), file.as_bytes());
        let json: Json = serde_json::from_str(out(&output)).unwrap();
        let error = json["error"].as_str().unwrap();
        assert!(error.contains(papr), "{file}\n{error}");
    }
}

#[test]
fn validate_knows_the_variables_of_a_matrix_wherever_they_are_put_in() {
    let matrix = "tests: [make]\nmatrix: {VERSION: [28, 29]}\n";
    for lines in [
        "sandbox: true\ncontext: f{VERSON}\n",
        "sandbox: true\nname: n {X}\n",
        "container: {image: 'fedora:{VERSIO}'}\n",
        "host: {distro: 'fedora/{V}'}\n",
    ] {
        let (said, code) = verdict(&format!("{lines}{matrix}"));
        assert_eq!(code, 1, "{lines}");
        assert!(said.contains("is not a variable of \"matrix\""), "{said}");
    }
    let fine = format!("sandbox: true\ncontext: 'f{{VERSION}} {{}} {{a b}}'\n{matrix}");
    assert_eq!(verdict(&fine).1, 0);
    // Commands are the shell's.
    let shell = "sandbox: true\ncontext: c\ntests: ['echo ${B} {B}']\nmatrix: {A: [1]}\n";
    assert_eq!(verdict(shell).1, 0);
    let (said, code) = verdict("sandbox: true\ncontext: x-{B}\ntests: [make]\n");
    assert_eq!(code, 0);
    assert!(said.contains("because there is no matrix"), "{said}");
}
