//! A suite that asks for its submodules is executed with them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::world::{BASE, REPO, Settings, World};

const SUITES: &str = "\
context: unit
sandbox: true
branches: [auto]
checkout: {submodules: true, depth: 1}
tests:
  - grep found part/inside
  - test $(git rev-list --count HEAD) = 1
";

const GITMODULES: &str = "[submodule \"part\"]\npath = part\nurl = ../part.git\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_tested_with_its_submodules_and_as_much_history_as_it_asks_for() {
    let mut world = World::prepare(Settings {
        files: vec![(".papr.yml".to_owned(), SUITES.to_owned())],
        ..Settings::default()
    })
    .await;
    let part = [("inside".to_owned(), "found\n".to_owned())];
    world.practice.create_repo("octo/part", part).unwrap();
    let part = world.practice.branch("octo/part", BASE).unwrap().unwrap();
    let repo = world.practice.repo_dir(REPO).unwrap();
    add_submodule(&repo, &world.path("index"), &part.to_string());
    world.start_server();
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
}

/// Commits a submodule to the base branch.
fn add_submodule(repo: &Path, index: &Path, commit: &str) {
    let git = |words: &[&str], input: &str| {
        let person = ["-c", "user.name=n", "-c", "user.email=n@example.org"];
        let mut child = Command::new("git")
            .arg("--git-dir")
            .arg(repo)
            .args(person)
            .args(words)
            .env("GIT_INDEX_FILE", index)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git runs (package git)");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{words:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["read-tree", BASE], "");
    let blob = git(&["hash-object", "-w", "--stdin"], GITMODULES);
    for entry in [
        format!("100644,{blob},.gitmodules"),
        format!("160000,{commit},part"),
    ] {
        git(&["update-index", "--add", "--cacheinfo", &entry], "");
    }
    let tree = git(&["write-tree"], "");
    let made = git(&["commit-tree", "-p", BASE, "-m", "A part", &tree], "");
    git(&["update-ref", &format!("refs/heads/{BASE}"), &made], "");
}
