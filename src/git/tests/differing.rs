//! Which paths differ: the same answers as from git itself, as far as they are listed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::Changes;
use super::super::testing::{Entry, Files, files};
use super::oracle::Bench;

fn paths(names: &[&str]) -> Changes {
    Changes::Paths(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn added_changed_removed_and_moved_paths_differ_and_no_others() {
    let bench = Bench::new();
    let before = bench.commit(
        &[],
        &files(&[
            ("same", "1"),
            ("dir/changed", "1"),
            ("gone", "1"),
            ("old", "long text"),
        ]),
    );
    let after = bench.commit(
        &[before],
        &files(&[
            ("same", "1"),
            ("dir/changed", "2"),
            ("dir/new", "1"),
            ("moved", "long text"),
        ]),
    );
    let changed = bench.mirror.changed_paths(before, after).unwrap();
    assert_eq!(
        changed,
        paths(&["dir/changed", "dir/new", "gone", "moved", "old"])
    );
    assert_eq!(
        bench.mirror.changed_paths(after, after).unwrap(),
        paths(&[])
    );
}

/// Files, programs, links, submodules and directories, of names that sort oddly as directories.
fn tree() -> impl Strategy<Value = Files> {
    let name = prop_oneof![
        "[ab]",
        "[ab]\\.c",
        "[ab]/[ab]",
        "[ab]/[ab]/[ab]",
        "[ab]/\u{fc}"
    ];
    let entry = prop_oneof![
        "[12]".prop_map(|text| Entry::File(text.into_bytes())),
        "[12]".prop_map(|text| Entry::Program(text.into_bytes())),
        "[12]".prop_map(|text| Entry::Link(text.into_bytes())),
        (1..3u8).prop_map(Entry::Module),
    ];
    prop::collection::btree_map(name.prop_map(String::into_bytes), entry, 0..9).prop_map(|all| {
        let is_dir = |name: &[u8]| {
            let below = [name, b"/"].concat();
            all.keys().any(|other| other.starts_with(&below))
        };
        let kept = all.iter().filter(|(name, _)| !is_dir(name));
        kept.map(|(name, entry)| (name.clone(), entry.clone()))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_differs_is_what_git_lists(before in tree(), after in tree()) {
        let bench = Bench::new();
        let (before, after) = (bench.commit(&[], &before), bench.commit(&[], &after));
        let args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames"];
        let ids = [before.to_string(), after.to_string()];
        let listed = bench.git(&[&args[..], &[&ids[0], &ids[1]]].concat());
        prop_assert!(listed.status.success());
        let listed: BTreeSet<String> = String::from_utf8(listed.stdout)
            .unwrap()
            .split_terminator('\0')
            .map(str::to_owned)
            .collect();
        let ours = bench.mirror.changed_paths(before, after).unwrap();
        prop_assert_eq!(ours, Changes::Paths(listed));
    }
}
