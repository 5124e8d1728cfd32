//! Each pull of the sample plays its role, and the suites do what the roles say.

use std::path::Path;
use std::process::Command;

use crate::tests::clock;
use paprq_core::ids::CommitId;
use paprq_core::suite::{self, Occasion, OnMerge};

use super::*;

struct Stage {
    practice: Practice,
    sample: Sample,
    dir: tempfile::TempDir,
}

async fn stage() -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let practice = Practice::start(&dir.path().join("github"), 0, clock::now)
        .await
        .unwrap();
    let sample = practice.sample().unwrap();
    Stage {
        practice,
        sample,
        dir,
    }
}

impl Stage {
    fn merges(&self, number: PullNumber) -> bool {
        let repo = self.sample.repo;
        self.practice.core().test_merge(repo, number).unwrap();
        let pull = self.practice.core().pull(repo, number).unwrap();
        pull.test_merge.unwrap().merge.is_some()
    }

    fn head(&self, number: PullNumber) -> CommitId {
        self.practice.pull(self.sample.repo, number).unwrap().head
    }

    /// Checks a commit out and runs a script there; whether it passed, and what it printed.
    fn run(&self, commit: CommitId, script: &str) -> (bool, String) {
        let tree = self.dir.path().join(commit.to_string());
        std::fs::create_dir_all(&tree).unwrap();
        let bare = self.practice.repo_dir(self.sample.repo).unwrap();
        let mut checkout = crate::disk::git(&bare);
        let checkout = checkout
            .arg("--work-tree")
            .arg(&tree)
            .args(["checkout", "--force", &commit.to_string(), "--", "."])
            .output()
            .expect("the package git");
        assert!(checkout.status.success(), "{checkout:?}");
        sh(&tree, script)
    }
}

fn sh(folder: &Path, script: &str) -> (bool, String) {
    let output = Command::new("sh").arg(script).current_dir(folder).output();
    let output = output.expect("a POSIX shell");
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_pull_merges_or_conflicts_as_its_role_says() {
    let stage = stage().await;
    let sample = &stage.sample;
    for number in [
        sample.good,
        sample.failing,
        sample.rival,
        sample.slow,
        sample.unapproved,
    ] {
        assert!(stage.merges(number), "{number:?}");
    }
    assert!(!stage.merges(sample.conflicting));

    stage
        .practice
        .merge_pull(sample.repo, sample.good, sample.reviewer)
        .unwrap();
    assert!(!stage.merges(sample.rival));
    assert!(stage.merges(sample.failing) && stage.merges(sample.slow));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_suites_is_a_good_one_for_every_occasion() {
    let stage = stage().await;
    let master = stage.practice.branch(REPO, BRANCH).unwrap().unwrap();
    let file = stage.practice.file(REPO, master, ".papr.yml").unwrap();
    let suites = suite::read(".papr.yml", file.unwrap().as_bytes()).unwrap();
    for occasion in [
        Occasion::Merge {
            branch: "auto",
            on_merge: OnMerge::Named,
        },
        Occasion::Merge {
            branch: "try",
            on_merge: OnMerge::Named,
        },
        Occasion::Branch("master"),
        Occasion::Pull,
    ] {
        let needed = suite::needed(&suites, occasion);
        let names: Vec<&str> = needed.iter().map(|suite| suite.context.as_str()).collect();
        assert_eq!(names, ["lint", "unit", "spelling"]);
        let gates = suite::gates(&needed);
        assert!(gates.iter().all(|suite| suite.required) && gates.len() == 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_suites_pass_on_what_shall_land() {
    let stage = stage().await;
    for number in [
        stage.sample.good,
        stage.sample.rival,
        stage.sample.unapproved,
    ] {
        for script in ["tests/lint.sh", "tests/unit.sh", "tests/spelling.sh"] {
            let (passed, printed) = stage.run(stage.head(number), script);
            assert!(passed && !printed.is_empty(), "{script}: {printed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_failing_pull_says_why_and_passes_after_the_prepared_push() {
    let stage = stage().await;
    let failing = stage.sample.failing;
    let (passed, printed) = stage.run(stage.head(failing), "tests/unit.sh");
    assert!(!passed);
    assert!(
        printed.contains("expected: Goodbye, World!\n   but got:  Goodbye World!"),
        "{printed}"
    );

    let pushed = stage
        .practice
        .push_prepared(stage.sample.repo, failing, stage.sample.author)
        .unwrap();
    assert_eq!(stage.head(failing), pushed);
    let (passed, printed) = stage.run(pushed, "tests/unit.sh");
    assert!(passed, "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_slow_pull_is_slow() {
    let stage = stage().await;
    let slow = stage.head(stage.sample.slow);
    let script = stage.practice.file(REPO, slow, "tests/unit/soak.sh");
    let script = script.unwrap().unwrap();
    let folder = stage.dir.path().join("hurried");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::write(folder.join("src/greet.sh"), GREET).unwrap();
    // The clock of this test runs fast: each second is none.
    std::fs::write(
        folder.join("soak.sh"),
        format!("sleep() {{ :; }}\n{script}"),
    )
    .unwrap();
    let (passed, printed) = sh(&folder, "soak.sh");
    assert!(passed);
    assert_eq!(printed.lines().count(), 30);
    assert_eq!(
        printed.lines().last(),
        Some("   second 30 of 30: Hello, World!")
    );
    let master = stage.practice.branch(REPO, BRANCH).unwrap().unwrap();
    let elsewhere = stage.practice.file(REPO, master, "tests/unit/soak.sh");
    assert_eq!(elsewhere.unwrap(), None);
}
