//! Merges against those of `git merge --no-ff` in a work tree: the same commit, to the byte.

use std::collections::BTreeSet;

use git2::ResetType;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::super::mirror::{commit_id, oid};
use super::super::testing::{AT, Entry, Files, bot, files};
use super::super::{GitError, Merge, Mergeability, Person};
use super::edits::{Edit, apply, edit, entry, path};
use super::oracle::{Bench, empty};
use paprq_core::ids::{CommitId, Timestamp};

impl Bench {
    async fn merge(&self, base: CommitId, head: CommitId, message: &str) -> Merge {
        self.mirror
            .merge(base, head, message, &bot(), AT)
            .await
            .unwrap()
    }

    /// What `git merge --no-ff` makes of it, in our words.
    fn expected(&self, base: CommitId, head: CommitId, message: &str) -> Merge {
        let work = self.oracle.workdir().unwrap();
        empty(work);
        self.oracle.set_head_detached(oid(base).unwrap()).unwrap();
        let commit = self.oracle.find_object(oid(base).unwrap(), None).unwrap();
        self.oracle.reset(&commit, ResetType::Hard, None).unwrap();
        let head = head.to_string();
        let merged = self.git(&["merge", "--no-ff", "-q", "-m", message, &head]);
        let now = commit_id(self.oracle.refname_to_id("HEAD").unwrap());
        if merged.status.success() {
            return if now == base {
                Merge::AlreadyMerged
            } else {
                Merge::Made(now)
            };
        }
        let stages = self
            .git(&["ls-files", "-u", "-z", "--format=%(path)"])
            .stdout;
        let paths: BTreeSet<_> = stages
            .split(|byte| *byte == 0)
            .map(String::from_utf8_lossy)
            .filter(|path| !path.is_empty())
            .map(|path| path.replace("~HEAD", "").replace(&format!("~{head}"), ""))
            .collect();
        Merge::Conflict {
            paths: paths.into_iter().collect(),
        }
    }
}

/// Three trees: where two people began, and what each made of it.
#[derive(Clone, Debug)]
struct History {
    start: Files,
    base: Vec<Edit>,
    head: Vec<Edit>,
    message: String,
}

fn history() -> impl Strategy<Value = History> {
    let attributes = select(vec![
        "",
        "*.log merge=union\n",
        "*.txt -merge\n",
        "* text=auto\n",
    ]);
    let start = prop::collection::btree_map(path(), entry(), 3..7);
    let edits = || prop::collection::vec(edit(), 0..5);
    let message = "[A-Za-z#ü \t\n]{0,30}x[ \n]{0,3}";
    (start, attributes, edits(), edits(), message).prop_map(
        |(mut start, attributes, base, head, message)| {
            let attributes = Entry::File(attributes.as_bytes().to_vec());
            start.insert(b".gitattributes".to_vec(), attributes);
            History {
                start,
                base,
                head,
                message,
            }
        },
    )
}

/// Applies edits; one that does not fit is left out. `salt` makes the trees of two sides differ.
fn edited(start: &Files, edits: &[Edit], salt: &str) -> Files {
    let mut files = start.clone();
    files.insert(salt.into(), Entry::File(b"mine".to_vec()));
    for edit in edits {
        apply(&mut files, edit);
    }
    files
}

#[test]
fn merges_are_those_of_git() {
    let bench = Bench::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let made = std::cell::Cell::new(0);
    let conflicts = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 520,
        max_shrink_iters: 200,
        ..Config::with_source_file(file!())
    });
    let outcome = runner.run(&history(), |history| {
        let start = bench.commit(&[], &history.start);
        let base = bench.commit(&[start], &edited(&history.start, &history.base, "base"));
        let head = bench.commit(&[start], &edited(&history.start, &history.head, "head"));
        let ours = runtime.block_on(bench.merge(base, head, &history.message));
        let is_made = matches!(ours, Merge::Made(_));
        let count = if is_made { &made } else { &conflicts };
        count.set(count.get() + 1);
        if count.get() % 8 == 0 {
            let survey = runtime.block_on(bench.mirror.conflicts(base, &[head]));
            let survey = survey.unwrap().pop().unwrap().mergeability;
            prop_assert_eq!(survey == Mergeability::Clean, is_made);
        }
        prop_assert_eq!(ours, bench.expected(base, head, &history.message));
        Ok(())
    });
    outcome.unwrap();
    assert!(made.get() >= 100, "only {} merges were made", made.get());
    assert!(conflicts.get() >= 50, "only {} conflicts", conflicts.get());
}

#[tokio::test]
async fn the_shape_of_history_decides_as_with_git() {
    let bench = Bench::new();
    let one = bench.commit(&[], &files(&[("a", "1\n"), ("b", "1\n")]));
    let two = bench.commit(&[one], &files(&[("a", "2\n"), ("b", "1\n")]));
    let side = bench.commit(&[one], &files(&[("a", "1\n"), ("b", "2\n")]));
    let left = bench.commit(&[two, side], &files(&[("a", "2\n"), ("b", "3\n")]));
    let right = bench.commit(&[side, two], &files(&[("a", "3\n"), ("b", "2\n")]));
    let alone = bench.commit(&[], &files(&[("c", "1\n")]));
    for (base, head) in [
        (one, two),
        (two, one),
        (two, two),
        (two, side),
        (left, right),
        (right, left),
        (one, alone),
    ] {
        let ours = bench.merge(base, head, "m\n").await;
        assert_eq!(ours, bench.expected(base, head, "m\n"));
    }
    assert_eq!(bench.merge(two, one, "m").await, Merge::AlreadyMerged);
}

/// Needs git 2.41 or newer.
#[tokio::test]
async fn the_attributes_of_the_base_say_how_files_merge() {
    let bench = Bench::new();
    let tree = |rule: &str, lines: &str| files(&[(".gitattributes", rule), ("x.log", lines)]);
    let union = "*.log merge=union\n";
    let start = bench.commit(&[], &tree("", "1\n"));
    let base = bench.commit(&[start], &tree(union, "1\n2\n"));
    let head = bench.commit(&[start], &tree("", "1\n3\n"));
    let merge = bench.merge(base, head, "m").await;
    assert!(matches!(merge, Merge::Made(_)), "{merge:?}");
    assert_eq!(merge, bench.expected(base, head, "m"));
    let merge = bench.merge(head, base, "m").await;
    assert!(matches!(merge, Merge::Conflict { .. }), "{merge:?}");
    assert_eq!(merge, bench.expected(head, base, "m"));
}

#[tokio::test]
async fn a_merge_of_a_head_on_top_of_the_base_is_still_a_merge() {
    let bench = Bench::new();
    let base = bench.commit(&[], &files(&[("a", "1")]));
    let head = bench.commit(&[base], &files(&[("a", "2")]));
    let Merge::Made(merge) = bench.merge(base, head, "Auto merge\n\nTitle").await else {
        panic!("no merge");
    };
    let repository = bench.mirror.repository().unwrap();
    let merge = repository.find_commit(oid(merge).unwrap()).unwrap();
    let parents: Vec<_> = merge.parent_ids().map(commit_id).collect();
    assert_eq!(parents, [base, head]);
    assert_eq!(merge.message().unwrap(), "Auto merge\n\nTitle\n");
    assert_eq!(merge.time().seconds(), 1_700_000_000);
    assert_eq!(merge.author().email().unwrap(), "bot@example.org");
}

#[tokio::test]
async fn what_a_commit_cannot_hold_is_left_out_of_it() {
    let bench = Bench::new();
    let base = bench.commit(&[], &files(&[("a", "1")]));
    let head = bench.commit(&[base], &files(&[("a", "2")]));
    let odd = Person {
        name: "B<o>t\n[bot]".to_owned(),
        email: "<b@x>".to_owned(),
    };
    let at = Timestamp(-1);
    let merge = bench.mirror.merge(base, head, "a\0b", &odd, at).await;
    let Ok(Merge::Made(merge)) = merge else {
        panic!("{merge:?}");
    };
    let repository = bench.mirror.repository().unwrap();
    let merge = repository.find_commit(oid(merge).unwrap()).unwrap();
    assert_eq!(merge.committer().name().unwrap(), "Bot[bot]");
    assert_eq!(merge.message().unwrap(), "ab\n");
}

#[tokio::test]
async fn a_merge_of_what_is_not_here_says_what_is_missing() {
    let bench = Bench::new();
    let base = bench.commit(&[], &files(&[("a", "1")]));
    let merge = |base, head| bench.mirror.merge(base, head, "m", &PERSON, AT);
    static PERSON: Person = Person {
        name: String::new(),
        email: String::new(),
    };
    for (one, other) in [(base, CommitId::ZERO), (CommitId::ZERO, base)] {
        let missing = merge(one, other).await;
        assert!(matches!(missing, Err(GitError::Missing(CommitId::ZERO))));
    }
    drop(bench.origin);
}
