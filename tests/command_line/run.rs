//! `paprq run`: the suites of the working directory, executed by the real worker in real sandboxes.

use super::*;

/// A repository of these files, all of them committed.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self(folder(files));
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["add", "--all"]);
        let person = ["-c", "user.name=n", "-c", "user.email=n@example.org"];
        let commit = ["commit", "--quiet", "--message=first"];
        repository.git(&[&person[..], &commit].concat());
        repository
    }

    fn git(&self, words: &[&str]) -> String {
        let mut git = Command::new("git");
        let output = git.arg("-C").arg(self.0.path()).args(words).output();
        let output = output.unwrap_or_else(|error| panic!("no git (package git): {error}"));
        assert!(output.status.success(), "{words:?}: {}", err(&output));
        out(&output).to_owned()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = paprq(&[&["run"], words].concat());
        command
            .current_dir(self.0.path())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .stdin(Stdio::null());
        command
    }

    /// What it prints, without times, and its exit status.
    fn run(&self, words: &[&str]) -> (String, i32) {
        let output = self.command(words).output().unwrap();
        let printed = format!("{}{}", out(&output), err(&output));
        (without_times(&printed), status(&output))
    }
}

/// The text with `N s` for every number of seconds, and without the date of a log.
fn without_times(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let is_date = line.contains(" UTC ");
        let words = words.iter().enumerate().map(|(at, word)| {
            let is_time = words.get(at + 1) == Some(&"s") && word.parse::<u64>().is_ok();
            if is_time { "N" } else { word }
        });
        let line: Vec<&str> = words.collect();
        let line = line.join(" ");
        if is_date {
            "    ### DATE".to_owned()
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

const FILE: &str = "\
context: unit
name: tests
sandbox: true
matrix: {LEVEL: [1, 2]}
tests: ['echo level $LEVEL', test $LEVEL = 1]
needs: [lint]
---
context: lint
sandbox: true
tests: [cat file]
---
context: package
sandbox: true
tests: [echo packed]
needs: [unit]
---
context: slow
sandbox: true
on-demand: true
branches: [auto]
tests: [echo slow]
";

#[test]
fn run_executes_what_a_pull_needs_in_the_order_of_needs() {
    let repository = Repository::new(&[(".papr.yml", FILE), ("file", "content\n")]);
    let (said, status) = repository.run(&["--jobs", "1"]);
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let said = said.replace(commit.trim(), "COMMIT");
    let name = repository.0.path().file_name().unwrap().to_str().unwrap();
    let said = said.replace(name, "NAME");
    insta::assert_snapshot!(said, @r"
    lint: begins
        ### DATE
        ### NAME
        ### COMMIT
        ### TESTSUITE lint
        >>> cat file
        content
        ### COMPLETED IN 0s
    lint: passed after N s
    unit (1): begins
        ### DATE
        ### NAME
        ### COMMIT
        ### TESTSUITE unit (1)
        >>> echo level $LEVEL
        level 1
        ### COMPLETED IN 0s
        >>> test $LEVEL = 1
        ### COMPLETED IN 0s
    unit (1): passed after N s
    unit (2): begins
        ### DATE
        ### NAME
        ### COMMIT
        ### TESTSUITE unit (2)
        >>> echo level $LEVEL
        level 2
        ### COMPLETED IN 0s
        >>> test $LEVEL = 1
        ### EXITED WITH CODE 1 AFTER 0s
    unit (2): failed with code 1 after N s
    package: not executed: it needs unit (2), which did not pass

    unit (2): failed with code 1 after N s
        ### DATE
        ### NAME
        ### COMMIT
        ### TESTSUITE unit (2)
        >>> echo level $LEVEL
        level 2
        ### COMPLETED IN 0s
        >>> test $LEVEL = 1
        ### EXITED WITH CODE 1 AFTER 0s

    2 passed, 1 failed (unit (2)), 1 not executed (package) in N s
    ");
    assert_eq!(status, 1);
}

#[test]
fn run_takes_the_suites_that_are_named_and_no_others() {
    let repository = Repository::new(&[(".papr.yml", FILE), ("file", "content\n")]);
    let (said, status) = repository.run(&["slo"]);
    assert!(said.starts_with("slow: begins\n    ### DATE\n"), "{said}");
    assert!(
        said.ends_with("\nslow: passed after N s\n\n1 passed in N s"),
        "{said}"
    );
    assert_eq!((status, said.matches(": begins").count()), (0, 1));
    assert_eq!(repository.run(&["unit (1)", "lint"]).1, 0);
    assert_eq!(repository.run(&["tests"]).1, 1);
    for (name, expected) in [
        (
            "nothing",
            "paprq: there is no suite nothing; there are unit (1), unit (2), lint, package, slow",
        ),
        ("l", "paprq: l is not clear: it could be any of lint, slow"),
    ] {
        assert_eq!(repository.run(&[name]), (expected.to_owned(), 2));
    }
}

#[test]
fn run_lists_what_each_kind_of_run_needs() {
    let repository = Repository::new(&[(".papr.yml", FILE)]);
    let listed = |words: &[&str]| {
        let (said, status) = repository.run(&[&["--list"], words].concat());
        assert_eq!(status, 0, "{said}");
        said.lines()
            .map(|line| line.strip_suffix("  (sandbox)").unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(listed(&[]), "unit (1), unit (2), lint, package");
    assert_eq!(listed(&["--kind", "pull"]), listed(&[]));
    assert_eq!(listed(&["--kind", "auto"]), "slow");
    assert_eq!(listed(&["--kind", "branch"]), "");
    assert_eq!(listed(&["tests"]), "unit (1), unit (2)");
    repository.git(&["checkout", "--quiet", "-b", "master"]);
    assert_eq!(
        listed(&["--kind", "branch"]),
        "unit (1), unit (2), lint, package"
    );
}

#[test]
fn run_tests_the_working_directory_as_it_is_and_leaves_it_alone() {
    let file = "\
sandbox: true
tests:
  - test \"$(cat changed new)\" = \"$(printf '2\\n3')\"
  - test ! -e deleted && test ! -e ignored
  - test -x script && test \"$(readlink link)\" = changed
  - test \"$(git log --format=%s)\" = \"$(printf 'The working directory\\nfirst')\"
  - test -z \"$(git status --porcelain)\"
  - test \"$PAPR_BRANCH $RHCI_COMMIT\" = \"main $(git rev-parse HEAD)\"
";
    let repository = Repository::new(&[
        (".papr.yml", file),
        (".gitignore", "ignored\n"),
        ("changed", "1\n"),
        ("deleted", ""),
    ]);
    let path = |name: &str| repository.0.path().join(name);
    std::fs::write(path("changed"), "2\n").unwrap();
    std::fs::write(path("new"), "3\n").unwrap();
    std::fs::write(path("ignored"), "4\n").unwrap();
    std::fs::remove_file(path("deleted")).unwrap();
    std::os::unix::fs::symlink("changed", path("link")).unwrap();
    std::fs::write(path("script"), "#!/bin/sh\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path("script"), mode).unwrap();
    let look = || {
        let index = std::fs::read(path(".git/index")).unwrap();
        let objects = repository.git(&["count-objects"]);
        let refs = repository.git(&["for-each-ref"]);
        (index, objects, refs)
    };
    let before = look();
    std::fs::create_dir(path("below")).unwrap();
    let output = repository.command(&[]).current_dir(path("below")).output();
    let output = output.unwrap();
    assert_eq!(status(&output), 0, "{}{}", out(&output), err(&output));
    assert_eq!(look(), before);
}

#[test]
fn run_sees_a_change_of_the_very_moment_in_which_git_looked() {
    let file = "sandbox: true\ntests: [test $(cat file) = new]\n";
    let repository = Repository::new(&[(".papr.yml", file), ("file", "old\n")]);
    repository.git(&["config", "core.trustctime", "false"]);
    let moment = std::time::UNIX_EPOCH + std::time::Duration::from_hours(400_000);
    let date = |path: &str| {
        let path = repository.0.path().join(path);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(moment).unwrap();
    };
    date("file");
    repository.git(&["add", "--all"]);
    date(".git/index");
    std::fs::write(repository.0.path().join("file"), "new\n").unwrap();
    date("file");
    let (said, status) = repository.run(&[]);
    assert_eq!(status, 0, "{said}");
}

#[test]
fn run_needs_no_commit_yet() {
    let folder = folder(&[(
        ".papr.yml",
        "sandbox: true\ntests: [git log, test -e .papr.yml]\n",
    )]);
    let repository = Repository(folder);
    repository.git(&["init", "--quiet"]);
    let (said, status) = repository.run(&[]);
    assert_eq!(status, 0, "{said}");
}

#[test]
fn run_says_what_it_cannot_execute() {
    let file = "\
context: here
sandbox: true
tests: ['true']
---
context: there
container: {image: none}
tests: ['true']
---
context: far
host: {distro: none}
tests: ['true']
";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let (said, status) = repository.run(&["--jobs", "1"]);
    for line in [
        "far: not executed: nothing here executes a `host`",
        "here: begins",
        "here: passed after N s",
        "there: begins",
        "    ### Pulling image none",
        "    ### Could not pull image 'none'.",
        "there: could not be executed (Could not pull image 'none'.) after N s",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    let end = "### Could not pull image 'none'.\n\n\
               1 passed, 1 failed (there), 1 not executed (far) in N s";
    assert!(said.ends_with(end), "{said}");
    assert_eq!(status, 1);
    let (said, status) = repository.run(&["--executor", "sandbox"]);
    for line in [
        "there: not executed: --executor does not name container",
        "far: not executed: --executor does not name vm",
        "here: passed after N s",
        "1 passed, 2 not executed (there, far) in N s",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    assert_eq!(status, 0);
    // Who names a suite wants it.
    assert_eq!(repository.run(&["--executor", "sandbox", "there"]).1, 1);
    assert_eq!(repository.run(&["there"]).1, 1);
}

#[test]
fn run_forgives_what_may_fail_and_keeps_logs() {
    let file = "sandbox: true\ntests: ['echo said; exit 3']\nallow-failure: true\ncontext: a/b\n";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let logs = tempfile::tempdir().unwrap();
    let (said, status) = repository.run(&["--logs", logs.path().to_str().unwrap()]);
    assert!(said.contains("a/b: failed with code 3 after N s"), "{said}");
    assert_eq!(status, 0);
    let log = std::fs::read_to_string(logs.path().join("001-a_b.log")).unwrap();
    assert!(log.contains("\nsaid\n### EXITED WITH CODE 3"), "{log}");
}

#[test]
fn run_executes_as_many_at_a_time_as_it_is_told() {
    let file = "\
context: a
sandbox: true
tests: [sleep 1]
---
context: b
inherit: true
";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let together = |jobs: &str| {
        let (said, status) = repository.run(&["--jobs", jobs]);
        assert_eq!(status, 0, "{said}");
        said.find("passed").unwrap() > said.find("b: begins").unwrap()
    };
    assert!(together("2"));
    assert!(!together("1"));
}

#[test]
fn run_where_there_is_nothing_to_run_is_wrong_usage_and_a_bad_file_is_bad() {
    let nowhere = Repository(folder(&[]));
    let (said, code) = nowhere.run(&[]);
    assert!(said.starts_with("paprq: not in a git repository"), "{said}");
    assert_eq!(code, 2);
    let empty = Repository::new(&[("file", "")]);
    let (said, code) = empty.run(&[]);
    assert!(
        said.contains("there is none of .papr-ex.yaml, .papr.yml"),
        "{said}"
    );
    assert_eq!(code, 2);
    let bad = Repository::new(&[(".papr.yml", "sandbox: true\ntests: 5\n")]);
    let (said, code) = bad.run(&[]);
    assert!(said.contains("\"tests\": expected a list"), "{said}");
    assert_eq!(code, 1);
    let idle = Repository::new(&[(".papr.yml", "sandbox: true\ntests: []\npulls: false\n")]);
    assert_eq!(idle.run(&[]), ("\n0 passed in N s".to_owned(), 0));
}

#[test]
fn run_draws_live_lines_and_colours_on_a_terminal_only() {
    let file = "context: a\nsandbox: true\ntests: [echo words; sleep 2, 'false']\n";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let line = format!("{} run", env!("CARGO_BIN_EXE_paprq"));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(repository.0.path())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("no script (package bsdutils): {error}"));
    assert_eq!(status(&output), 1);
    let said = out(&output);
    for part in [
        "… a  0 s",
        "s  words",
        "\u{1b}[1A\u{1b}[J",
        "a: \u{1b}[31mfailed with code 1\u{1b}[0m after ",
        "\u{1b}[31m0 passed, 1 failed (a)\u{1b}[0m in ",
    ] {
        assert!(said.contains(part), "{part:?}: {said}");
    }
    assert!(!said.contains("begins"), "{said}");
    assert!(!repository.run(&[]).0.contains('\u{1b}'));
}

/// The lines of a run that are printed while it goes on.
fn lines_of(child: &mut std::process::Child) -> impl Iterator<Item = String> + use<> {
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::lines(out).map(Result::unwrap)
}

#[test]
fn run_shows_what_a_suite_says_while_it_runs() {
    let file = "\
context: a
sandbox: true
tests: [\"echo said by $PAPR_BRANCH; sleep 1234567\"]
---
context: b
inherit: true
";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let mut child = repository
        .command(&["--jobs", "2"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = lines_of(&mut child);
    let mut wanted = std::collections::BTreeSet::from(["a | said by main", "b | said by main"]);
    let both = lines.any(|line| {
        wanted.remove(line.as_str());
        wanted.is_empty()
    });
    assert!(both, "{wanted:?}");
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    // One at a time needs no marks.
    let mut child = repository
        .command(&["a"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = lines_of(&mut child);
    assert!(lines.any(|line| line == "    said by main"));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    lines.for_each(drop);
    child.wait().unwrap();
}

#[test]
fn run_names_at_the_end_what_failed_with_its_last_lines() {
    let file = "\
context: good
sandbox: true
tests: [echo fine]
---
context: bad
inherit: true
tests: ['seq 1000', 'false']
---
context: after
inherit: true
tests: ['true']
needs: [bad]
";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let (said, status) = repository.run(&["--jobs", "2"]);
    assert_eq!(status, 1);
    assert!(said.contains("\nbad | 500\n"), "{said}");
    let (_, end) = said
        .rsplit_once("\n\nbad: failed with code 1 after N s\n")
        .unwrap();
    let lines: Vec<&str> = end.lines().collect();
    assert!(lines[0].ends_with("lines before]"), "{end}");
    assert!(
        lines.contains(&"    1000") && !lines.contains(&"    500"),
        "{end}"
    );
    let counts = "1 passed, 1 failed (bad), 1 not executed (after) in N s";
    assert_eq!(lines.last(), Some(&counts), "{end}");
    assert!(!end.contains("fine"), "{end}");
}

#[test]
fn run_advises_only_flags_that_it_has() {
    let file = "context: a\ncontainer: {image: i}\ntests: ['true']\n";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let (said, status) = repository.run(&["--engine", "unix:///nowhere/engine.sock"]);
    assert_eq!(status, 1);
    let help = repository.run(&["--help"]).0;
    let advised = said
        .split_whitespace()
        .filter(|word| word.starts_with("--"));
    let advised: Vec<&str> = advised.collect();
    assert_eq!(advised, ["--engine"], "{said}");
    assert!(advised.iter().all(|flag| help.contains(flag)), "{help}");
}

#[test]
fn run_that_is_interrupted_leaves_nothing_behind() {
    let file = "context: a\nsandbox: true\ntests: [sleep 1234567]\n";
    let repository = Repository::new(&[(".papr.yml", file)]);
    let scratch = tempfile::tempdir().unwrap();
    let mut child = repository
        .command(&[])
        .env("TMPDIR", scratch.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), "a: begins");
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.contains(&"interrupted".to_owned()), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

/// Nothing listens at these addresses, so what is said shows which are asked at all.
#[test]
fn run_fetches_submodules_by_the_rules_of_workers() {
    let file = "sandbox: true\ncheckout: {submodules: true}\ntests: [make]\n";
    let said = |url: &str, origin: &str, words: &[&str]| {
        let gitmodules = format!("[submodule \"sub\"]\npath = sub\nurl = {url}\n");
        let repository = Repository::new(&[(".papr.yml", file), (".gitmodules", &gitmodules)]);
        let entry = format!("160000,{},sub", "1".repeat(40));
        repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
        std::fs::create_dir(repository.0.path().join("sub")).unwrap();
        if !origin.is_empty() {
            repository.git(&["remote", "add", "origin", origin]);
        }
        let (said, status) = repository.run(words);
        assert_eq!(status, 1, "{said}");
        said
    };
    let none = said("../sub", "", &[]);
    assert!(
        none.contains("is relative, and it is not known to what"),
        "{none}"
    );
    let ours = said("../sub", "http://user:pass@127.0.0.1:1/o/main", &[]);
    assert!(ours.contains("127.0.0.1:1 cannot be reached"), "{ours}");
    let private = said("http://127.0.0.2:1/o/sub", "", &[]);
    assert!(
        private.contains("127.0.0.2:1 is in a private network"),
        "{private}"
    );
    let allowed = said(
        "http://127.0.0.2:1/o/sub",
        "",
        &["--allow-private-addresses"],
    );
    assert!(
        allowed.contains("127.0.0.2:1 cannot be reached"),
        "{allowed}"
    );
}
