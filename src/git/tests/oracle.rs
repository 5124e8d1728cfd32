//! A mirror, and the real `git` in a work tree that sees the mirror's commits.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use git2::Repository;

use super::super::Mirror;
use super::super::testing::{Files, Origin, commit};
use paprq_core::ids::CommitId;

/// One mirror, and a work tree beside it that sees the mirror's commits.
pub(super) struct Bench {
    pub(super) origin: Origin,
    pub(super) mirror: Mirror,
    pub(super) oracle: Repository,
}

impl Bench {
    pub(super) fn new() -> Self {
        let origin = Origin::new();
        let mirror = origin.mirror();
        let oracle = Repository::init(origin.dir.path().join("work")).unwrap();
        let objects = origin.mirror_dir().join("objects");
        oracle
            .odb()
            .unwrap()
            .add_disk_alternate(objects.to_str().unwrap())
            .unwrap();
        let alternates = oracle.path().join("objects/info/alternates");
        fs::write(alternates, format!("{}\n", objects.display())).unwrap();
        Self {
            origin,
            mirror,
            oracle,
        }
    }

    pub(super) fn commit(&self, parents: &[CommitId], files: &Files) -> CommitId {
        commit(&self.mirror.repository().unwrap(), parents, files)
    }

    pub(super) fn git(&self, args: &[&str]) -> Output {
        Command::new("git")
            .args(args)
            .current_dir(self.oracle.workdir().unwrap())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Bot")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "bot@example.org")))
            .envs(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, "1700000000 +0000")))
            .output()
            .unwrap()
    }
}

/// Removes everything but the repository.
pub(super) fn empty(work: &Path) {
    for entry in fs::read_dir(work).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git") {
            drop(fs::remove_file(path.join("index")));
        } else if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
}
