//! Rebasing and squashing, case by case.

use git2::{Commit, Repository, Signature, Time};

use super::super::mirror::{commit_id, oid};
use super::super::testing::{AT, Files, Origin, bot, files, write_tree};
use super::super::{Autosquash, COMMITS_MAX, Credit, GitError, Limits, Mirror, Rebase, RebasePlan};
use paprq_core::ids::CommitId;

/// A mirror with a commit on which everything begins, of the files `a` and `b`.
struct Scene {
    _origin: Origin,
    mirror: Mirror,
    start: CommitId,
}

fn ab(a: &str, b: &str) -> Files {
    files(&[("a", a), ("b", b)])
}

impl Scene {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let origin = Origin::new();
        let url = format!("file://{}", origin.path().display());
        let mirror = origin.mirror_of(&url, limits);
        let start = work(&mirror, &[], &ab("1\n", "1\n"), "start");
        Self {
            _origin: origin,
            mirror,
            start,
        }
    }

    fn work(&self, parents: &[CommitId], files: &Files, message: &str) -> CommitId {
        work(&self.mirror, parents, files, message)
    }

    async fn autosquash(&self, base: CommitId, head: CommitId) -> Rebase {
        let made = self.mirror.autosquash(base, head, &plan("")).await;
        made.unwrap()
    }

    async fn rebase(&self, onto: CommitId, head: CommitId, append: &str) -> Rebase {
        let made = self.mirror.rebase(onto, head, &plan(append)).await;
        made.unwrap()
    }

    async fn squash(&self, base: CommitId, head: CommitId) -> Rebase {
        let (message, bot) = ("T  \n\n\n\nB\0", bot());
        let made = self.mirror.squash(base, head, message, &bot, AT);
        made.await.unwrap()
    }

    /// The messages from this commit back to the start, with what the files hold.
    fn told(&self, made: &Rebase) -> Vec<String> {
        let Rebase::Made(tip) = made else {
            panic!("{made:?}");
        };
        let repository = self.mirror.repository().unwrap();
        let mut commit = repository.find_commit(oid(*tip).unwrap()).unwrap();
        let mut told = Vec::new();
        while commit_id(commit.id()) != self.start {
            told.push(tell(&repository, &commit));
            assert_eq!(commit.parent_count(), 1);
            commit = commit.parent(0).unwrap();
        }
        told
    }
}

fn plan(append: &str) -> RebasePlan {
    RebasePlan {
        autosquash: Autosquash::On,
        credit: Credit::CoAuthors,
        append: append.to_owned(),
        source: None,
        committer: bot(),
        at: AT,
    }
}

fn work(mirror: &Mirror, parents: &[CommitId], files: &Files, message: &str) -> CommitId {
    let repository = mirror.repository().unwrap();
    let find = |parent: &CommitId| repository.find_commit(oid(*parent).unwrap()).unwrap();
    let parents: Vec<_> = parents.iter().map(find).collect();
    let parents: Vec<_> = parents.iter().collect();
    let when = Time::new(1_600_000_000 + i64::try_from(message.len()).unwrap(), 120);
    let author = Signature::new("Ann", "ann@example.org", &when).unwrap();
    let tree = write_tree(&repository, files);
    let tree = repository.find_tree(tree).unwrap();
    let made = repository.commit(None, &author, &author, message, &tree, &parents);
    commit_id(made.unwrap())
}

fn tell(repository: &Repository, commit: &Commit<'_>) -> String {
    let content = |entry: git2::TreeEntry<'_>| {
        let blob = repository.find_blob(entry.id()).unwrap();
        String::from_utf8(blob.content().to_vec()).unwrap()
    };
    let files: Vec<_> = commit.tree().unwrap().iter().map(content).collect();
    format!("{:?} {:?}", commit.message().unwrap(), files.concat())
}

fn conflict(commit: CommitId, paths: &[&str]) -> Rebase {
    Rebase::Conflict {
        commit,
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
    }
}

#[tokio::test]
async fn fixups_are_melted_into_their_targets_wherever_the_base_is_now() {
    let scene = Scene::new();
    let base = scene.work(&[scene.start], &ab("1\n", "0\n1\n"), "base");
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one\n\n# said\n");
    let two = scene.work(&[one], &ab("2\n", "2\n"), "two");
    let three = scene.work(&[two], &ab("3\n", "2\n"), "fixup! one");
    let head = scene.work(&[three], &ab("3\n", "3\n"), "squash! two\n\nmore\n# not\n");
    let made = scene.autosquash(base, head).await;
    assert_eq!(
        scene.told(&made),
        [
            r#""two\n\nmore\n" "3\n3\n""#,
            r#""one\n\n# said\n" "3\n1\n""#
        ]
    );
    assert_eq!(scene.autosquash(base, head).await, made);
}

#[tokio::test]
async fn authors_stay_and_the_committer_is_the_one_who_rebases() {
    let scene = Scene::new();
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let head = scene.work(&[one], &ab("3\n", "1\n"), "amend! one\n\nfirst");
    let Rebase::Made(made) = scene.autosquash(scene.start, head).await else {
        panic!("nothing was made");
    };
    let repository = scene.mirror.repository().unwrap();
    let find = |id| repository.find_commit(oid(id).unwrap()).unwrap();
    let (one, made) = (find(one), find(made));
    assert_eq!(made.message().unwrap(), "first");
    let facts = |signature: &Signature<'_>| (signature.to_string(), signature.when());
    assert_eq!(facts(&made.author()), facts(&one.author()));
    let time = Time::new(AT.0 / 1000, 0);
    assert_eq!(made.committer().email().unwrap(), bot().email);
    assert_eq!(made.committer().when(), time);
}

#[tokio::test]
async fn a_pull_without_fixups_stays_what_it_is() {
    let scene = Scene::new();
    let base = scene.work(&[scene.start], &ab("1\n", "0\n"), "base");
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let head = scene.work(&[one], &ab("3\n", "1\n"), "fixup! other");
    assert_eq!(scene.autosquash(base, head).await, Rebase::Made(head));
}

#[tokio::test]
async fn merges_within_a_pull_are_left_out() {
    let scene = Scene::new();
    let base = scene.work(&[scene.start], &ab("1\n", "2\n"), "base");
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let merge = scene.work(&[one, base], &ab("2\n", "2\n"), "merge");
    let head = scene.work(&[merge], &ab("3\n", "2\n"), "two");
    let expected = [
        r#""two" "3\n2\n""#,
        r#""one" "2\n2\n""#,
        r#""base" "1\n2\n""#,
    ];
    for made in [
        scene.autosquash(base, head).await,
        scene.rebase(base, head, "").await,
    ] {
        assert_eq!(scene.told(&made), expected);
    }
}

#[tokio::test]
async fn what_the_base_has_is_left_out() {
    let scene = Scene::new();
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let head = scene.work(&[one], &ab("2\n", "2\n"), "two");
    let same = scene.work(&[scene.start], &ab("2\n", "1\n"), "one, on the base");
    let both = scene.work(&[scene.start], &ab("2\n", "2\n"), "both");
    let made = scene.rebase(same, head, "").await;
    let told = [r#""two" "2\n2\n""#, r#""one, on the base" "2\n1\n""#];
    assert_eq!(scene.told(&made), told);
    for base in [both, head] {
        assert_eq!(scene.rebase(base, head, "\nx").await, Rebase::AlreadyMerged);
    }
    assert_eq!(scene.autosquash(head, one).await, Rebase::AlreadyMerged);
    assert_eq!(scene.squash(head, one).await, Rebase::AlreadyMerged);
}

#[tokio::test]
async fn a_conflict_names_the_commit_and_the_paths() {
    let scene = Scene::new();
    let base = scene.work(&[scene.start], &ab("1\n", "0\n"), "base");
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let two = scene.work(&[one], &ab("2\n", "2\n"), "two");
    let head = scene.work(&[two], &ab("3\n", "3\n"), "fixup! one");
    assert_eq!(scene.rebase(base, head, "").await, conflict(head, &["b"]));
    assert_eq!(scene.rebase(base, two, "").await, conflict(two, &["b"]));
    assert_eq!(scene.autosquash(base, head).await, conflict(head, &["b"]));
}

#[tokio::test]
async fn a_fixup_never_changes_a_commit_that_is_not_the_pulls() {
    let scene = Scene::new();
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let head = scene.work(&[one], &ab("2\n", "2\n"), "fixup! one");
    // Not the same change, but all of it.
    let base = scene.work(
        &[scene.start],
        &files(&[("a", "2\n"), ("b", "1\n"), ("c", "")]),
        "x",
    );
    assert_eq!(scene.rebase(base, head, "").await, conflict(one, &[]));
}

#[tokio::test]
async fn a_fixup_that_leaves_nothing_is_a_conflict() {
    let scene = Scene::new();
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let undo = scene.work(&[one], &ab("1\n", "1\n"), "fixup! one");
    assert_eq!(
        scene.autosquash(scene.start, undo).await,
        conflict(undo, &[])
    );
    let two = scene.work(&[one], &ab("2\n", "2\n"), "two");
    let undo = scene.work(&[two], &ab("2\n", "1\n"), "fixup! one");
    assert_eq!(
        scene.autosquash(scene.start, undo).await,
        conflict(undo, &[])
    );
    let silent = scene.work(&[scene.start], &ab("2\n", "1\n"), "#1");
    let head = scene.work(&[silent], &ab("3\n", "1\n"), "squash! #1");
    assert_eq!(
        scene.autosquash(scene.start, head).await,
        conflict(head, &[])
    );
}

#[tokio::test]
async fn empty_commits_are_kept_and_change_messages() {
    let scene = Scene::new();
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let empty = scene.work(&[one], &ab("2\n", "1\n"), "empty");
    let head = scene.work(&[empty], &ab("2\n", "1\n"), "amend! one\n\nfirst");
    let made = scene.autosquash(scene.start, head).await;
    let told = [r#""empty" "2\n1\n""#, r#""first" "2\n1\n""#];
    assert_eq!(scene.told(&made), told);
}

#[tokio::test]
async fn every_commit_of_a_linear_merge_says_what_it_closes() {
    let scene = Scene::new();
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one\n");
    let two = scene.work(&[one], &ab("2\n", "2\n"), "two");
    let head = scene.work(&[two], &ab("3\n", "2\n"), "squash! one\n\nmore");
    let append = "\nCloses: #1\nApproved by: r";
    let made = scene.rebase(scene.start, head, append).await;
    let told = |text, source, files| {
        let picked = format!("(cherry picked from commit {source})");
        let message = format!("{text}\n\n{picked}\nCloses: #1\nApproved by: r\n");
        format!("{message:?} {files:?}")
    };
    let expected = [
        told("two", two, "3\n2\n"),
        told("one\n\nmore", one, "3\n1\n"),
    ];
    assert_eq!(scene.told(&made), expected);
}

#[tokio::test]
async fn a_root_within_a_pull_is_taken_over() {
    let scene = Scene::new();
    let root = scene.work(&[], &files(&[("c", "1\n")]), "root");
    let all = files(&[("a", "1\n"), ("b", "1\n"), ("c", "1\n")]);
    let head = scene.work(&[scene.start, root], &all, "merge");
    let made = scene.rebase(scene.start, head, "").await;
    assert_eq!(scene.told(&made), [r#""root" "1\n1\n1\n""#]);
    let made = scene.squash(scene.start, head).await;
    assert_eq!(scene.told(&made), [r#""T\n\nB\n" "1\n1\n1\n""#]);
}

#[tokio::test]
async fn without_a_common_history_there_is_nothing_to_rebase() {
    let scene = Scene::new();
    let alone = scene.work(&[], &ab("1\n", "1\n"), "alone");
    let expected = conflict(alone, &[]);
    assert_eq!(scene.rebase(scene.start, alone, "").await, expected);
    assert_eq!(scene.autosquash(scene.start, alone).await, expected);
    assert_eq!(scene.squash(scene.start, alone).await, expected);
    for (base, head) in [(scene.start, CommitId::ZERO), (CommitId::ZERO, scene.start)] {
        let missing = scene.mirror.autosquash(base, head, &plan("")).await;
        assert!(matches!(missing, Err(GitError::Missing(CommitId::ZERO))));
    }
}

#[tokio::test]
async fn a_squashed_pull_is_one_commit_by_its_first_author() {
    let scene = Scene::new();
    let base = scene.work(&[scene.start], &ab("1\n", "2\n"), "base");
    let later = scene.work(&[base], &ab("1\n", "3\n"), "later");
    let one = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let merge = scene.work(&[one, base], &ab("2\n", "2\n"), "merge");
    let head = scene.work(&[merge], &ab("3\n", "2\n"), "fixup! conflicts with nothing");
    let made = scene.squash(later, head).await;
    let told = [r#""T\n\nB\n" "3\n2\n""#, r#""base" "1\n2\n""#];
    assert_eq!(scene.told(&made), told);
    let Rebase::Made(made) = made else { panic!() };
    let repository = scene.mirror.repository().unwrap();
    let find = |id| repository.find_commit(oid(id).unwrap()).unwrap();
    assert_eq!(find(made).author().when(), find(one).author().when());
    assert_eq!(find(made).committer().name().unwrap(), bot().name);
}

#[tokio::test]
async fn pulls_of_too_many_commits_or_too_long_messages_are_refused() {
    let scene = Scene::new();
    let mut head = scene.start;
    for _ in 0..COMMITS_MAX {
        head = scene.work(&[head], &ab("1\n", "1\n"), "x");
    }
    assert_eq!(
        scene.autosquash(scene.start, head).await,
        Rebase::Made(head)
    );
    let one_more = scene.work(&[head], &ab("1\n", "1\n"), "x");
    let long = scene.work(&[scene.start], &ab("2\n", "1\n"), &"x".repeat(3 << 20));
    for head in [one_more, long] {
        assert_eq!(scene.autosquash(scene.start, head).await, Rebase::TooLarge);
        assert_eq!(scene.rebase(scene.start, head, "").await, Rebase::TooLarge);
        assert_eq!(scene.squash(scene.start, head).await, Rebase::TooLarge);
    }
}

#[tokio::test]
async fn a_rebase_that_takes_too_long_is_given_up() {
    let scene = Scene::with(Limits {
        rebase_s: 0,
        ..Limits::default()
    });
    let head = scene.work(&[scene.start], &ab("2\n", "1\n"), "one");
    let late = scene.mirror.autosquash(scene.start, head, &plan("")).await;
    assert!(matches!(late, Err(GitError::TooLarge(_))), "{late:?}");
}
