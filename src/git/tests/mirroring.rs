//! Fetching, looking up, pinning, upkeep, and coming back after a kill.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::testing::{AT, Fault, Origin, Server, bot, branch, files};
use super::super::{
    Fetch, FileAt, GitError, Limits, Merge, Mirror, PullHead, PushKind, Remote, RemoteAuth,
    RemoteRef, Secret, Upkeep,
};
use paprq_core::ids::{BranchName, CommitId, PullNumber, RunId};

const MAIN: &str = "main";

#[tokio::test]
async fn everything_is_branches_and_heads_of_pulls() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let two = origin.commit(&[one], &files(&[("a", "2")]));
    origin.set_branch(MAIN, one);
    origin.set_pull(PullNumber(7), two);
    let mirror = origin.mirror();
    assert!(!mirror.has(two));
    mirror.fetch(Fetch::Everything).await.unwrap();
    assert_eq!(mirror.tip(&branch(MAIN)).unwrap(), Some(one));
    assert_eq!(mirror.pull_head(PullNumber(7)).unwrap(), Some(two));
    assert!(mirror.has(two));
    assert!(mirror.is_ancestor(one, two).await.unwrap());
    assert!(mirror.is_ancestor(two, two).await.unwrap());
    assert!(!mirror.is_ancestor(two, one).await.unwrap());
    assert_eq!(mirror.remote_tip(&branch(MAIN)).await.unwrap(), Some(one));
}

#[tokio::test]
async fn the_head_of_a_pull_is_asked_of_the_remote_without_fetching_it() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let two = origin.commit(&[one], &files(&[("a", "2")]));
    origin.set_branch(MAIN, one);
    origin.set_pull(PullNumber(7), one);
    let mirror = origin.mirror();
    mirror.fetch(Fetch::Everything).await.unwrap();
    origin.set_pull(PullNumber(7), two);
    let asked = |number| mirror.remote_head(PullNumber(number));
    assert_eq!(asked(7).await.unwrap(), Some(two));
    assert_eq!(asked(70).await.unwrap(), None);
    assert!(!mirror.has(two));
}

#[tokio::test]
async fn pulls_within_a_commit_are_those_whose_heads_it_has() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let two = origin.commit(&[one], &files(&[("a", "2")]));
    let side = origin.commit(&[one], &files(&[("a", "3")]));
    origin.set_branch(MAIN, two);
    for (number, head) in [(7, one), (8, two), (9, side)] {
        origin.set_pull(PullNumber(number), head);
    }
    let mirror = origin.mirror();
    mirror.fetch(Fetch::Everything).await.unwrap();
    let lacking = origin.commit(&[two], &files(&[("a", "4")]));
    let head = |(pull, commit)| PullHead {
        pull: PullNumber(pull),
        commit,
    };
    // The mirror holds the last without a ref, and lacks the one before.
    let heads = [
        (7, one),
        (8, side),
        (8, two),
        (9, side),
        (10, lacking),
        (11, one),
    ]
    .map(head);
    let found = mirror.pulls_within(two, heads.to_vec()).await.unwrap();
    assert_eq!(found, [(7, one), (8, two), (11, one)].map(head));
}

#[tokio::test]
async fn single_refs_are_fetched_even_when_overwritten() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let other = origin.commit(&[], &files(&[("a", "2")]));
    origin.set_branch(MAIN, one);
    origin.set_pull(PullNumber(7), one);
    let mirror = origin.mirror();
    mirror.fetch(Fetch::Branch(branch(MAIN))).await.unwrap();
    mirror.fetch(Fetch::Pull(PullNumber(7))).await.unwrap();
    origin.set_branch(MAIN, other);
    origin.set_pull(PullNumber(7), other);
    let both = vec![
        RemoteRef::Branch(branch(MAIN)),
        RemoteRef::Pull(PullNumber(7)),
    ];
    mirror.fetch(Fetch::Refs(both)).await.unwrap();
    assert_eq!(mirror.tip(&branch(MAIN)).unwrap(), Some(other));
    assert_eq!(mirror.pull_head(PullNumber(7)).unwrap(), Some(other));
    mirror.fetch(Fetch::Refs(Vec::new())).await.unwrap();
}

#[tokio::test]
async fn githubs_own_test_merge_is_fetched_and_compared_by_its_parents_and_tree() {
    let origin = Origin::new();
    let start = origin.commit(&[], &files(&[("a", "1"), ("b", "1")]));
    let base = origin.commit(&[start], &files(&[("a", "2"), ("b", "1")]));
    let head = origin.commit(&[start], &files(&[("a", "1"), ("b", "2")]));
    let theirs = origin.commit(&[base, head], &files(&[("a", "2"), ("b", "2")]));
    let pull = PullNumber(7);
    let mirror = origin.mirror();
    let fetch = async || {
        let merge = vec![RemoteRef::Merge(pull)];
        mirror.fetch(Fetch::Refs(merge)).await
    };
    assert!(matches!(fetch().await, Err(GitError::Gone(_))));
    origin.set("refs/pull/7/merge", theirs);
    fetch().await.unwrap();
    mirror.fetch(Fetch::Everything).await.unwrap();
    assert_eq!(mirror.pull_merge(pull).unwrap(), Some(theirs));
    assert_eq!(mirror.parents(theirs).unwrap(), [base, head]);
    assert_eq!(mirror.parents(start).unwrap(), []);
    let merge = mirror.merge(base, head, "m", &bot(), AT).await.unwrap();
    let Merge::Made(ours) = merge else {
        panic!("{merge:?}");
    };
    let tree = |commit| mirror.tree_of(commit).unwrap();
    assert_eq!(tree(ours), tree(theirs));
    assert_ne!(tree(ours), tree(base));
    assert_eq!(tree(ours).to_string().len(), 40);
    let repository = origin.repository();
    let merge = repository.find_reference("refs/pull/7/merge");
    merge.unwrap().delete().unwrap();
    assert!(matches!(fetch().await, Err(GitError::Gone(_))));
    assert_eq!(mirror.pull_merge(pull).unwrap(), None);
    for missing in [
        mirror.tree_of(CommitId::ZERO).map(drop),
        mirror.parents(CommitId::ZERO).map(drop),
    ] {
        assert!(matches!(missing, Err(GitError::Missing(CommitId::ZERO))));
    }
}

#[tokio::test]
async fn a_branch_that_is_gone_is_forgotten() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    for name in ["a", "b", "c"] {
        origin.set_branch(name, one);
    }
    let mirror = origin.mirror();
    mirror.fetch(Fetch::Branches).await.unwrap();
    origin.delete_branch("a");
    let gone = mirror.fetch(Fetch::Branch(branch("a"))).await;
    assert!(matches!(gone, Err(GitError::Gone(_))), "{gone:?}");
    assert_eq!(mirror.tip(&branch("a")).unwrap(), None);
    assert_eq!(mirror.remote_tip(&branch("a")).await.unwrap(), None);
    origin.delete_branch("b");
    mirror.fetch(Fetch::Branches).await.unwrap();
    assert_eq!(mirror.tip(&branch("b")).unwrap(), None);
    origin.delete_branch("c");
    origin.set_branch("c/d", one);
    mirror.fetch(Fetch::Branch(branch("c/d"))).await.unwrap();
    assert_eq!(mirror.tip(&branch("c/d")).unwrap(), Some(one));
}

#[tokio::test]
async fn the_remote_tip_is_that_of_the_very_branch() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    origin.set_branch("x/refs/heads/main", one);
    let mirror = origin.mirror();
    assert_eq!(mirror.remote_tip(&branch(MAIN)).await.unwrap(), None);
}

#[tokio::test]
async fn a_commit_that_no_ref_names_is_fetched_by_its_id() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let mirror = origin.mirror();
    mirror.fetch_commit(one).await.unwrap();
    assert!(mirror.has(one));
    let nowhere = CommitId::from_bytes([7; 20]);
    let gone = mirror.fetch_commit(nowhere).await;
    assert!(matches!(gone, Err(GitError::Gone(_))), "{gone:?}");
}

/// Unpacked, a killed fetch would leave commits without their trees, and `has` would lie.
#[tokio::test]
async fn what_is_fetched_arrives_as_a_whole() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let mirror = origin.mirror();
    mirror.fetch_commit(one).await.unwrap();
    let objects = fs::read_dir(origin.mirror_dir().join("objects")).unwrap();
    let mut kinds: Vec<_> = objects.map(|entry| entry.unwrap().file_name()).collect();
    kinds.sort();
    assert_eq!(kinds, ["info", "pack"]);
}

#[tokio::test]
async fn names_from_outside_are_names_and_never_options() {
    let origin = Origin::new();
    let mirror = origin.mirror();
    for bad in [
        "", "a..b", "a b", "x:y", "*", "a^", "@{u}", "/a", "a\nb", "a.lock",
    ] {
        let name = BranchName::new(bad);
        let result = mirror.fetch(Fetch::Branch(name.clone())).await;
        assert!(matches!(result, Err(GitError::BadName(_))), "{bad:?}");
        assert!(matches!(mirror.tip(&name), Err(GitError::BadName(_))));
        let result = mirror.remote_tip(&name).await;
        assert!(matches!(result, Err(GitError::BadName(_))), "{bad:?}");
        let push = mirror
            .push(CommitId::ZERO, &name, PushKind::Overwrite)
            .await;
        assert!(matches!(push, Err(GitError::BadName(_))), "{bad:?}");
    }
    let one = origin.commit(&[], &files(&[("a", "1")]));
    for odd in [
        "--upload-pack=touch",
        "-f",
        "$(touch)",
        "+x",
        "ü'\"",
        "HEAD",
    ] {
        origin.set_branch(odd, one);
        mirror.fetch(Fetch::Branch(branch(odd))).await.unwrap();
        assert_eq!(mirror.tip(&branch(odd)).unwrap(), Some(one), "{odd}");
        assert_eq!(mirror.remote_tip(&branch(odd)).await.unwrap(), Some(one));
    }
}

#[tokio::test]
async fn commits_of_runs_that_nobody_knows_are_given_up() {
    let origin = Origin::new();
    let base = origin.commit(&[], &files(&[("a", "1")]));
    let mirror = origin.mirror();
    mirror.fetch_commit(base).await.unwrap();
    for run in [1, 2] {
        mirror.pin(RunId(run), base).unwrap();
    }
    let is_known = |run| run == RunId(2);
    assert_eq!(mirror.unpin_unless(is_known).await.unwrap(), 1);
    assert_eq!(mirror.pinned(RunId(1)).unwrap(), None);
    assert_eq!(mirror.pinned(RunId(2)).unwrap(), Some(base));
}

#[tokio::test]
async fn pinned_commits_outlive_upkeep() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let two = origin.commit(&[one], &files(&[("a", "2")]));
    let mirror = origin.mirror();
    for commit in [one, two] {
        mirror.fetch_commit(commit).await.unwrap();
    }
    let run = RunId(12);
    mirror.pin(run, one).unwrap();
    mirror.pin(run, two).unwrap();
    assert_eq!(mirror.pinned(run).unwrap(), Some(two));
    mirror.maintain(Upkeep::Light).await.unwrap();
    mirror.maintain(Upkeep::Full).await.unwrap();
    assert_eq!(mirror.pinned(run).unwrap(), Some(two));
    assert_eq!(
        mirror.read_file(two, "a", 9).unwrap(),
        FileAt::Content(b"2".to_vec())
    );
    mirror.unpin(run).unwrap();
    mirror.unpin(run).unwrap();
    assert_eq!(mirror.pinned(run).unwrap(), None);
    let missing = mirror.pin(run, CommitId::ZERO);
    assert!(matches!(missing, Err(GitError::Missing(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_operations_at_once_neither_fail_nor_harm() {
    let origin = Origin::new();
    let base = origin.commit(&[], &files(&[("a", "1")]));
    let main = origin.commit(&[base], &files(&[("a", "2")]));
    origin.set_branch(MAIN, main);
    let mirror = origin.mirror();
    mirror.fetch(Fetch::Everything).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..6 {
        let head = origin.commit(&[base], &files(&[("a", "1"), (&format!("b{n}"), "x")]));
        origin.set_pull(PullNumber(n), head);
        let mirror = mirror.clone();
        tasks.push(tokio::spawn(async move {
            mirror.fetch(Fetch::Branch(branch(MAIN))).await?;
            mirror.fetch(Fetch::Pull(PullNumber(n))).await?;
            let merge = mirror.merge(main, head, "m", &bot(), AT).await?;
            let Merge::Made(commit) = merge else {
                panic!("{merge:?}");
            };
            mirror.pin(RunId(n), commit)?;
            let to = branch(&format!("auto{n}"));
            mirror.push(commit, &to, PushKind::Overwrite).await?;
            mirror.maintain(Upkeep::Light).await?;
            mirror.fetch(Fetch::Branches).await?;
            mirror.unpin(RunId(n))?;
            Ok::<_, GitError>(())
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let fsck = Command::new("git")
        .args(["fsck", "--strict"])
        .current_dir(origin.mirror_dir())
        .output()
        .unwrap();
    assert!(fsck.status.success(), "{fsck:?}");
}

/// Whether any process has this in its environment.
fn someone_has(text: &str) -> bool {
    !matching(text, "stat").is_empty()
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "{what} within 20 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_works_after_its_server_was_killed() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    origin.set_branch(MAIN, one);
    let server = Server::start(origin.dir.path());
    server.fault(Fault::Hang);
    let dir = origin.mirror_dir();
    drop(origin.mirror());
    let mark = format!("PAPRQ_MIRROR={}", dir.display());
    let mut orphan = Command::new("git")
        .args(["fetch", &server.repository_url(), "main"])
        .env("GIT_DIR", &dir)
        .env("PAPRQ_MIRROR", &dir)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the fetch runs", || someone_has(&mark)).await;
    for lock in [
        "packed-refs.lock",
        "refs/remote/heads/main.lock",
        "shallow.lock",
    ] {
        fs::create_dir_all(dir.join(lock).parent().unwrap()).unwrap();
        fs::write(dir.join(lock), "").unwrap();
    }
    let mirror = origin.mirror();
    assert_eq!(orphan.wait().unwrap().code(), None, "ended by a signal");
    assert!(!someone_has(&mark));
    mirror.fetch(Fetch::Everything).await.unwrap();
    assert_eq!(mirror.tip(&branch(MAIN)).unwrap(), Some(one));
}

#[tokio::test]
async fn a_half_made_mirror_is_made_whole() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    drop(origin.mirror());
    fs::remove_file(origin.mirror_dir().join("HEAD")).unwrap();
    fs::remove_dir_all(origin.mirror_dir().join("refs")).unwrap();
    let mirror = origin.mirror();
    mirror.fetch_commit(one).await.unwrap();
}

#[tokio::test]
async fn a_second_handle_does_not_clean_up_behind_the_first() {
    let origin = Origin::new();
    let first = origin.mirror();
    let lock = origin.mirror_dir().join("packed-refs.lock");
    fs::write(&lock, "").unwrap();
    let second = origin.mirror();
    assert!(lock.exists());
    drop((first, second));
    drop(origin.mirror());
    assert!(!lock.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_opens_the_remote_and_shows_nowhere() {
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    origin.set_branch(MAIN, one);
    let server = Server::start(origin.dir.path());
    let good = origin.mirror_of(&server.repository_url(), Limits::default());
    good.fetch(Fetch::Everything).await.unwrap();
    assert_eq!(good.tip(&branch(MAIN)).unwrap(), Some(one));
    for auth in [RemoteAuth::None, RemoteAuth::Token(Secret::new("wrong"))] {
        let url = server.repository_url();
        let dir = origin.dir.path().join("other");
        let bad = Mirror::open(dir, Remote { url, auth }, Limits::default()).unwrap();
        let refused = bad.fetch(Fetch::Everything).await;
        assert!(matches!(refused, Err(GitError::Rejected(_))), "{refused:?}");
        assert!(!format!("{refused:?}").contains("wrong"));
    }
    let nothing = origin.mirror_of(&format!("{}/none.git", server.url), Limits::default());
    let gone = nothing.fetch(Fetch::Everything).await;
    assert!(matches!(gone, Err(GitError::Gone(_))), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_remote_is_given_up_with_all_its_processes() {
    let origin = Origin::new();
    let server = Server::start(origin.dir.path());
    server.fault(Fault::Hang);
    let limits = Limits {
        ask_s: 1,
        ..Limits::default()
    };
    let mirror = origin.mirror_of(&server.repository_url(), limits);
    let mark = format!("PAPRQ_MIRROR={}", origin.mirror_dir().display());
    let asking = mirror.clone();
    let asking = tokio::spawn(async move { asking.remote_tip(&branch(MAIN)).await });
    eventually("git-remote-http runs", || {
        matching(&mark, "cmdline")
            .iter()
            .any(|line| line.contains("git-remote-http"))
    })
    .await;
    let environments = matching(&mark, "environ");
    assert!(environments.iter().all(|text| !text.contains("CARGO")));
    for line in matching(&mark, "cmdline") {
        assert!(!line.contains(super::super::testing::TOKEN), "{line}");
        assert!(!line.contains("Authorization"), "{line}");
    }
    let late = asking.await.unwrap();
    assert!(matches!(late, Err(GitError::Transient(_))), "{late:?}");
    eventually("all have ended", || !someone_has(&mark)).await;
    let dropped = mirror.clone();
    let dropped = tokio::spawn(async move { dropped.fetch(Fetch::Branches).await });
    eventually("git runs again", || someone_has(&mark)).await;
    dropped.abort();
    eventually("all have ended again", || !someone_has(&mark)).await;
}

/// This file of `/proc` for all processes that have that in their environment.
fn matching(mark: &str, file: &str) -> Vec<String> {
    let read =
        |path: PathBuf| fs::read(path).map(|text| String::from_utf8_lossy(&text).into_owned());
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|process| {
            read(process.path().join("environ")).is_ok_and(|environ| environ.contains(mark))
        })
        .filter_map(|process| read(process.path().join(file)).ok())
        .collect()
}
