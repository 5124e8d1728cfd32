//! Which paths differ: the same answers as from git itself.

use std::collections::BTreeSet;

use super::super::testing::files;
use super::oracle::Bench;

fn paths(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
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

#[test]
fn what_the_base_did_since_is_not_what_a_head_changes() {
    let bench = Bench::new();
    let fork = bench.commit(&[], &files(&[("a", "1"), ("b", "1")]));
    let base = bench.commit(&[fork], &files(&[("a", "2"), ("b", "1")]));
    let head = bench.commit(&[fork], &files(&[("a", "1"), ("b", "2")]));
    let changed = bench.mirror.paths_changed_by(base, head).unwrap();
    assert_eq!(changed, paths(&["b"]));
    let stranger = bench.commit(&[], &files(&[("a", "2"), ("c", "1")]));
    let changed = bench.mirror.paths_changed_by(base, stranger).unwrap();
    assert_eq!(changed, paths(&["b", "c"]));
}
