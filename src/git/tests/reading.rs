//! Reading one file of a commit, through links and never out of its tree.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;

use super::super::testing::{Entry, Files, files};
use super::super::{Astray, FileAt, GitError};
use super::oracle::Bench;
use paprq_core::ids::CommitId;

fn content(text: &str) -> FileAt {
    FileAt::Content(text.as_bytes().to_vec())
}

fn with_links(plain: &[(&str, &str)], links: &[(&str, &str)]) -> Files {
    let mut tree = files(plain);
    for (name, target) in links {
        tree.insert(
            name.as_bytes().to_vec(),
            Entry::Link(target.as_bytes().to_vec()),
        );
    }
    tree
}

#[test]
fn files_are_read_and_nothing_else() {
    let bench = Bench::new();
    let mut tree = files(&[("dir/plain", "text"), ("bytes", "12345")]);
    tree.insert(b"program".to_vec(), Entry::Program(b"#!".to_vec()));
    tree.insert(b"module".to_vec(), Entry::Module(7));
    let one = bench.commit(&[], &tree);
    let read = |path: &str| bench.mirror.read_file(one, path, 4).unwrap();
    assert_eq!(read("dir/plain"), content("text"));
    assert_eq!(read("program"), content("#!"));
    assert_eq!(read("bytes"), FileAt::TooLarge { bytes: 5 });
    for path in ["", "dir", "module", "none", "bytes/x", "../r", "/bytes"] {
        assert_eq!(read(path), FileAt::Absent, "{path}");
    }
    let missing = bench.mirror.read_file(CommitId::ZERO, "a", 4);
    assert!(matches!(missing, Err(GitError::Missing(CommitId::ZERO))));
}

#[test]
fn links_are_followed_inside_the_tree_and_told_where_they_go_astray() {
    let long = "x/".repeat(3000);
    let links = [
        ("near", "ci/file"),
        ("dotted", "./ci/.././ci//file"),
        ("ci/up", "../ci/file"),
        ("chain", "near"),
        ("dir", "ci"),
        ("deep/er", "../dir"),
        ("absolute", "/etc/hostname"),
        ("above", "../file"),
        ("ci/above", "../../file"),
        ("gone", "ci/none"),
        ("folder", "ci"),
        ("slash", "ci/file/"),
        ("empty/x", "."),
        ("long", long.as_str()),
        ("self", "self"),
        ("ring", "gnir"),
        ("gnir", "ring"),
    ];
    let bench = Bench::new();
    let tree = with_links(&[("ci/file", "text"), ("file", "root")], &links);
    let commit = bench.commit(&[], &tree);
    let read = |path: &str| bench.mirror.read_file(commit, path, 9).unwrap();
    for path in [
        "near",
        "dotted",
        "ci/up",
        "chain",
        "dir/file",
        "deep/er/file",
    ] {
        assert_eq!(read(path), content("text"), "{path}");
    }
    for (path, astray) in [
        ("absolute", Astray::Outside),
        ("above", Astray::Outside),
        ("ci/above", Astray::Outside),
        ("gone", Astray::Nowhere),
        ("folder", Astray::Nowhere),
        ("slash", Astray::Nowhere),
        ("empty/x", Astray::Nowhere),
        ("long", Astray::Nowhere),
        ("self", Astray::Around),
        ("ring", Astray::Around),
    ] {
        assert_eq!(read(path), FileAt::Astray(astray), "{path}");
    }
}

#[test]
fn a_file_behind_a_link_differs_when_what_is_behind_it_does() {
    let bench = Bench::new();
    let commit = |text, target| {
        let tree = with_links(&[("ci", text), ("other", "1")], &[("file", target)]);
        bench.commit(&[], &tree)
    };
    let before = commit("1", "ci");
    let differs = |other| bench.mirror.differs(before, other, "file").unwrap();
    assert!(!differs(commit("1", "./ci")));
    assert!(differs(commit("2", "ci")));
    assert!(differs(commit("1", "none")));
}

/// A tree of a few names on which links are likely to meet one another and the rest.
fn tangle() -> impl Strategy<Value = BTreeMap<String, Option<String>>> {
    let name = prop_oneof!["[ab]", "[ab]/[cd]", "[ab]/[cd]/[ef]",];
    let target = prop::collection::vec("[abcdef]|\\.\\.|\\.", 1..4).prop_map(|way| way.join("/"));
    prop::collection::btree_map(name, prop::option::weighted(0.7, target), 1..8)
}

/// Writes the tangle as far as a file system can hold it; what does not fit is left out.
fn write(dir: &Path, tangle: &BTreeMap<String, Option<String>>) -> Files {
    let mut tree = Files::new();
    for (name, target) in tangle {
        let is_in_the_way = tree.keys().any(|other: &Vec<u8>| {
            let below = [other.as_slice(), b"/"].concat();
            name.as_bytes().starts_with(&below)
        });
        if is_in_the_way {
            continue;
        }
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let entry = match target {
            Some(target) => {
                symlink(target, &path).unwrap();
                Entry::Link(target.as_bytes().to_vec())
            }
            None => {
                fs::write(&path, name).unwrap();
                Entry::File(name.as_bytes().to_vec())
            }
        };
        tree.insert(name.as_bytes().to_vec(), entry);
    }
    tree
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The file system is the oracle, as far as links stay inside.
    #[test]
    fn links_lead_where_the_file_system_follows_them(tangle in tangle()) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("root");
        fs::create_dir(&root).unwrap();
        let tree = write(&root, &tangle);
        let bench = Bench::new();
        let commit = bench.commit(&[], &tree);
        for name in tree.keys() {
            let name = std::str::from_utf8(name).unwrap();
            let ours = bench.mirror.read_file(commit, name, 99).unwrap();
            match fs::read(root.join(name)) {
                Ok(text) => prop_assert_eq!(ours, FileAt::Content(text), "{}", name),
                Err(_) => prop_assert!(matches!(ours, FileAt::Astray(_)), "{}: {:?}", name, ours),
            }
        }
    }
}
