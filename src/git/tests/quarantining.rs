//! Heads that nobody let in: beside the mirror, within bounds, and gone when they are replaced.

use std::path::Path;

use super::super::testing::{AT, Entry, Files, Origin, bot, files};
use super::super::{FileAt, GitError, Limits, Merge, Mergeability, Mirror, PullHead, Upkeep};
use paprq_core::ids::{CommitId, PullNumber, RunId};

const MIB: usize = 1 << 20;

/// An origin with a base, and a mirror that knows it.
struct Scene {
    origin: Origin,
    mirror: Mirror,
    base: CommitId,
}

impl Scene {
    async fn with(limits: Limits) -> Self {
        let origin = Origin::new();
        let base = origin.commit(&[], &files(&[("a", "1"), ("b", "1")]));
        origin.set_branch("main", base);
        let mirror = origin.mirror_of(&format!("file://{}", origin.path().display()), limits);
        mirror.fetch_commit(base).await.unwrap();
        Self {
            origin,
            mirror,
            base,
        }
    }

    fn pull(&self, number: u64, files: &Files) -> PullHead {
        let pull = PullNumber(number);
        let commit = self.origin.commit(&[self.base], files);
        self.origin.set_pull(pull, commit);
        PullHead { pull, commit }
    }

    /// A pull that brings so many bytes, which nothing makes smaller.
    fn heavy(&self, number: u64, bytes: usize, seed: u64) -> PullHead {
        let mut state = seed + 1;
        let noise = std::iter::repeat_with(|| {
            // xorshift64 (Marsaglia 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        let noise = noise.flatten().take(bytes).collect();
        let mut tree = files(&[("a", "1"), ("b", "1")]);
        tree.insert(b"noise".to_vec(), Entry::File(noise));
        self.pull(number, &tree)
    }
}

fn bytes_below(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    let sizes = entries.map(|entry| {
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            bytes_below(&entry.path())
        } else {
            meta.len()
        }
    });
    sizes.sum()
}

fn small() -> Limits {
    Limits {
        stranger_bytes: 4 << 20,
        quarantine_bytes: 6 << 20,
        free_bytes_min: 0,
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_head_is_seen_beside_the_mirror_and_is_in_it_once_it_is_let_in() {
    let scene = Scene::with(small()).await;
    let Scene { mirror, base, .. } = &scene;
    let clean = scene.pull(1, &files(&[("a", "2"), ("b", "1")]));
    let other = scene.pull(2, &files(&[("a", "3"), ("b", "1")]));
    for head in [clean, other] {
        mirror.quarantine(head).await.unwrap();
        assert!(!mirror.has(head.commit));
        assert!(mirror.pin(RunId(1), head.commit).is_err());
    }
    let moved = scene
        .origin
        .commit(&[*base], &files(&[("a", "3"), ("b", "2")]));
    mirror.fetch_commit(moved).await.unwrap();
    let seen = mirror.beside(&[clean, other]);
    assert!(seen.has(clean.commit));
    let read = seen.read_file(clean.commit, "a", 9).unwrap();
    assert_eq!(read, FileAt::Content(b"2".to_vec()));
    assert_eq!(
        seen.fork_point(moved, clean.commit).await.unwrap(),
        Some(*base)
    );
    let heads = [clean.commit, other.commit];
    let surveyed = seen.conflicts(moved, &heads).await.unwrap();
    let found: Vec<_> = surveyed.iter().map(|one| one.mergeability).collect();
    assert_eq!(found, [Mergeability::Conflict, Mergeability::Clean]);
    let blind = mirror.conflicts(moved, &heads).await.unwrap();
    assert!(
        blind
            .iter()
            .all(|one| one.mergeability == Mergeability::Unknown)
    );

    std::fs::rename(scene.origin.path(), scene.origin.dir.path().join("away")).unwrap();
    assert!(mirror.admit(clean).await.unwrap());
    assert!(!mirror.admit(clean).await.unwrap());
    assert_eq!(mirror.pull_head(clean.pull).unwrap(), Some(clean.commit));
    let merged = mirror.merge(*base, clean.commit, "m", &bot(), AT).await;
    assert!(matches!(merged, Ok(Merge::Made(_))), "{merged:?}");
    mirror.maintain(Upkeep::Full).await.unwrap();
    assert!(mirror.has(clean.commit));
}

#[tokio::test]
async fn a_head_that_is_forced_again_and_again_takes_the_room_of_one() {
    let scene = Scene::with(small()).await;
    let before = bytes_below(&scene.origin.mirror_dir());
    for seed in 0..6 {
        let head = scene.heavy(1, 3 * MIB, seed);
        scene.mirror.quarantine(head).await.unwrap();
        let more = bytes_below(&scene.origin.mirror_dir()) - before;
        assert!(more < 4 << 20, "{more} bytes after {seed}");
    }
    scene.mirror.keep_only(Vec::new()).await.unwrap();
    let more = bytes_below(&scene.origin.mirror_dir()) - before;
    assert!(more < 64 << 10, "{more} bytes of a pull that is closed");
}

#[tokio::test]
async fn what_is_too_large_or_has_no_room_is_not_kept() {
    let scene = Scene::with(small()).await;
    let before = bytes_below(&scene.origin.mirror_dir());
    let large = scene.heavy(1, 5 * MIB, 1);
    let refused = scene.mirror.quarantine(large).await;
    assert!(matches!(refused, Err(GitError::TooLarge(_))), "{refused:?}");
    let more = bytes_below(&scene.origin.mirror_dir()) - before;
    assert!(more < 64 << 10, "{more} bytes of what was refused");
    for number in 2..=3 {
        let head = scene.heavy(number, 7 * MIB / 2, number);
        scene.mirror.quarantine(head).await.unwrap();
    }
    // Asked for again, it costs nothing: the origin is not even asked.
    let away = scene.origin.dir.path().join("away");
    std::fs::rename(scene.origin.path(), &away).unwrap();
    let refused = scene.mirror.quarantine(large).await;
    assert!(matches!(refused, Err(GitError::TooLarge(_))), "{refused:?}");
    std::fs::rename(&away, scene.origin.path()).unwrap();
    let third = scene.pull(4, &files(&[("a", "4")]));
    let refused = scene.mirror.quarantine(third).await;
    assert!(matches!(refused, Err(GitError::TooLarge(_))), "{refused:?}");

    let full = Scene::with(Limits {
        free_bytes_min: u64::MAX,
        ..small()
    })
    .await;
    let head = full.pull(1, &files(&[("a", "2")]));
    let refused = full.mirror.quarantine(head).await;
    assert!(matches!(refused, Err(GitError::TooLarge(_))), "{refused:?}");
}

#[tokio::test]
async fn thousands_of_heads_beside_the_mirror_are_no_hindrance() {
    const HEADS: u64 = 3000;
    let scene = Scene::with(small()).await;
    let real = scene.pull(1, &files(&[("a", "2"), ("b", "1")]));
    scene.mirror.quarantine(real).await.unwrap();
    let of = |pull| PullHead {
        pull: PullNumber(pull),
        ..real
    };
    let heads: Vec<_> = (1..=HEADS).map(of).collect();
    for PullHead { pull, commit } in heads.iter().skip(1) {
        let empty = format!("quarantine/{pull}-{commit}");
        std::fs::create_dir(scene.origin.mirror_dir().join(empty)).unwrap();
    }
    let seen = scene.mirror.beside(&heads);
    let surveyed = seen.conflicts(scene.base, &[real.commit]).await.unwrap();
    assert!(matches!(surveyed[..], [one] if one.mergeability == Mergeability::Clean));
}
