//! A few kilobytes of objects that stand for gigabytes: everything that reads them ends, soon and small.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use git2::{ObjectType, Oid, Repository};

use super::super::mirror::commit_id;
use super::super::testing::{AT, Entry, bot, files};
use super::super::{
    Autosquash, Changes, Credit, FileAt, GitError, Limits, Mergeability, RebasePlan,
};
use super::oracle::Bench;
use crate::clock::Stopwatch;
use paprq_core::ids::{CommitId, RunId};

/// Far more than any of this takes, and far less than reading it all would.
const SOON: Duration = Duration::from_secs(20);

/// A directory that holds itself tenfold on so many levels: ten to the power of those many paths.
fn tenfold(repository: &Repository, levels: u32) -> Oid {
    let mut entry = (repository.blob(b"x").unwrap(), 0o100_644);
    for _ in 0..levels {
        let mut tree = repository.treebuilder(None).unwrap();
        for n in 0..10 {
            tree.insert(format!("d{n}"), entry.0, entry.1).unwrap();
        }
        entry = (tree.write().unwrap(), 0o040_000);
    }
    entry.0
}

/// A directory below a directory below …
fn nested(repository: &Repository, levels: u32) -> Oid {
    let mut entry = (repository.blob(b"x").unwrap(), 0o100_644);
    for _ in 0..levels {
        let mut tree = repository.treebuilder(None).unwrap();
        tree.insert("d", entry.0, entry.1).unwrap();
        entry = (tree.write().unwrap(), 0o040_000);
    }
    entry.0
}

/// A directory of so many names, all of one file.
fn wide(repository: &Repository, names: usize) -> Oid {
    let blob = repository.blob(b"x").unwrap();
    let mut bytes = Vec::new();
    for n in 0..names {
        bytes.extend(format!("100644 f{n:09}\0").into_bytes());
        bytes.extend(blob.as_bytes());
    }
    let odb = repository.odb().unwrap();
    odb.write(ObjectType::Tree, &bytes).unwrap()
}

fn with_tree(repository: &Repository, parents: &[CommitId], tree: Oid) -> CommitId {
    written(repository, parents, tree, b"work\n")
}

fn written(repository: &Repository, parents: &[CommitId], tree: Oid, message: &[u8]) -> CommitId {
    let mut bytes = format!("tree {tree}\n").into_bytes();
    for parent in parents {
        bytes.extend(format!("parent {parent}\n").into_bytes());
    }
    let person = "A <a@example.org> 1600000000 +0000";
    bytes.extend(format!("author {person}\ncommitter {person}\n\n").into_bytes());
    bytes.extend(message);
    let odb = repository.odb().unwrap();
    commit_id(odb.write(ObjectType::Commit, &bytes).unwrap())
}

/// A commit whose message has so many MiB, made without holding it.
fn talkative(bench: &Bench, parent: CommitId, tree: Oid, mib: usize) -> CommitId {
    let path = bench.origin.dir.path().join("commit");
    let mut file = fs::File::create(&path).unwrap();
    let person = "A <a@example.org> 1600000000 +0000";
    write!(
        file,
        "tree {tree}\nparent {parent}\nauthor {person}\ncommitter {person}\n\n"
    )
    .unwrap();
    for _ in 0..mib {
        file.write_all(&[b'm'; 1 << 20]).unwrap();
    }
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(bench.origin.mirror_dir())
        .args(["hash-object", "-w", "-t", "commit"])
        .arg(&path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

/// A base, and a pull that puts this tree beside what the base has.
struct Scene {
    bench: Bench,
    base: CommitId,
    fork: CommitId,
}

impl Scene {
    fn new() -> Self {
        let bench = Bench::new();
        let fork = bench.commit(&[], &files(&[("a", "1"), ("gone", "x")]));
        let base = bench.commit(&[fork], &files(&[("a", "2"), ("moved", "x")]));
        Self { bench, base, fork }
    }

    fn repository(&self) -> Repository {
        self.bench.mirror.repository().unwrap()
    }

    fn pull(&self, below: Oid) -> CommitId {
        let repository = self.repository();
        let mut tree = repository.treebuilder(None).unwrap();
        let mut add = |name: &str, id, mode| drop(tree.insert(name, id, mode).unwrap());
        add("a", repository.blob(b"1").unwrap(), 0o100_644);
        add("bomb", below, 0o040_000);
        let tree = tree.write().unwrap();
        with_tree(&repository, &[self.fork], tree)
    }

    /// Everything that a pull has done with it, whatever comes of each.
    async fn do_everything(&self, head: CommitId) {
        let (mirror, base) = (&self.bench.mirror, self.base);
        let plan = RebasePlan {
            autosquash: Autosquash::On,
            credit: Credit::CoAuthors,
            source: None,
            append: "Closes: #1".to_owned(),
            committer: bot(),
            at: AT,
        };
        drop(mirror.pin(RunId(1), head));
        drop(mirror.read_file(head, ".papr.yml", 99));
        drop(mirror.changed_paths(base, head));
        drop(mirror.differs(base, head, ".papr.yml"));
        drop(mirror.tree_of(head));
        drop(mirror.is_ancestor(base, head).await);
        drop(mirror.merge(base, head, "Merge", &bot(), AT).await);
        drop(mirror.squash(base, head, "Squash", &bot(), AT).await);
        drop(mirror.autosquash(base, head, &plan).await);
        drop(mirror.rebase(base, head, &plan).await);
        let good = self.bench.commit(&[self.fork], &files(&[("a", "1")]));
        let surveyed = mirror.conflicts(base, &[head, good]).await.unwrap();
        assert_eq!(surveyed[1].mergeability, Mergeability::Conflict);
    }
}

/// Forgets how much memory this process had before (proc(5), `clear_refs`).
fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// The most memory that this process had since then, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Does everything with a bomb, and measures.
async fn survive(scene: &Scene, head: CommitId) {
    forget_peak();
    let (before, begun) = (peak_kib(), Stopwatch::start());
    scene.do_everything(head).await;
    let took = begun.elapsed();
    assert!(took < SOON * 3, "{took:?}");
    let more = peak_kib() - before;
    assert!(more < 200 << 10, "{more} KiB more");
}

#[tokio::test]
async fn a_hundred_million_paths_are_survived() {
    let scene = Scene::new();
    let tree = tenfold(&scene.repository(), 8);
    survive(&scene, scene.pull(tree)).await;
}

#[tokio::test]
async fn a_directory_of_any_depth_is_survived() {
    let scene = Scene::new();
    let tree = nested(&scene.repository(), 15_000);
    survive(&scene, scene.pull(tree)).await;
}

#[tokio::test]
async fn a_directory_of_any_width_is_survived() {
    let scene = Scene::new();
    let tree = wide(&scene.repository(), 500_000);
    survive(&scene, scene.pull(tree)).await;
}

#[tokio::test]
async fn a_message_of_any_length_is_survived_also_where_it_lies_further_back() {
    let scene = Scene::new();
    let repository = scene.repository();
    let bench = &scene.bench;
    let small = bench.commit(&[scene.fork], &files(&[("a", "1"), ("b", "1")]));
    let tree = bench.mirror.tree_of(small).unwrap().id();
    let talkative = talkative(bench, scene.fork, tree, 400);
    let above = written(&repository, &[talkative, small], tree, b"x\n");
    survive(&scene, talkative).await;
    survive(&scene, above).await;
}

#[test]
fn a_list_that_nobody_could_have_made_is_everything() {
    let scene = Scene::new();
    let repository = scene.repository();
    let begun = Stopwatch::start();
    for bomb in [
        tenfold(&repository, 8),
        nested(&repository, 15_000),
        wide(&repository, 120_000),
    ] {
        let head = scene.pull(bomb);
        let changes = scene.bench.mirror.changed_paths(scene.fork, head).unwrap();
        assert_eq!(changes, Changes::Everything);
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let many = scene.pull(wide(&repository, 20_000));
    let changes = scene.bench.mirror.changed_paths(scene.fork, many).unwrap();
    assert!(matches!(changes, Changes::Paths(paths) if paths.len() == 20_001));
}

#[test]
fn what_is_too_large_is_told_before_it_is_read() {
    let scene = Scene::new();
    let repository = scene.repository();
    let mirror = &scene.bench.mirror;
    let tree = mirror.tree_of(scene.fork).unwrap().id();
    let long = written(&repository, &[scene.fork], tree, &vec![b'm'; 2 << 20]);
    assert!(mirror.has(long));
    let outcomes = [
        mirror.tree_of(long).map(drop),
        mirror.parents(long).map(drop),
        mirror.pin(RunId(1), long),
        mirror.read_file(long, "a", 9).map(drop),
        mirror.changed_paths(scene.fork, long).map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(GitError::TooLarge(_))), "{outcome:?}");
    }
    let wide = with_tree(&repository, &[], wide(&repository, 500_000));
    let read = mirror.read_file(wide, "f000000001", 9);
    assert!(matches!(read, Err(GitError::TooLarge(_))), "{read:?}");
    let mut tree = files(&[]);
    tree.insert(b"f".to_vec(), Entry::File(vec![b'x'; 1 << 20]));
    let large = scene.bench.commit(&[], &tree);
    let read = mirror.read_file(large, "f", 9).unwrap();
    assert_eq!(read, FileAt::TooLarge { bytes: 1 << 20 });
}

#[tokio::test]
async fn git_itself_is_held_to_its_memory_and_says_so() {
    let origin = super::super::testing::Origin::new();
    let limits = Limits {
        memory_bytes: 32 << 20,
        ..Limits::default()
    };
    let mirror = origin.mirror_of(&format!("file://{}", origin.path().display()), limits);
    let repository = mirror.repository().unwrap();
    let tree = repository.treebuilder(None).unwrap().write().unwrap();
    let one = written(&repository, &[], tree, b"one\n");
    let long = written(&repository, &[one], tree, &vec![b'm'; 40 << 20]);
    let two = written(&repository, &[long], tree, b"two\n");
    let found = mirror.is_ancestor(one, two).await;
    assert!(matches!(found, Err(GitError::TooLarge(_))), "{found:?}");
    let roomy = origin.mirror_of(&origin.path().display().to_string(), Limits::default());
    assert!(roomy.is_ancestor(one, two).await.unwrap());
}
