//! Which heads merge into a base: the same answers as from merging each.

use std::fs;

use super::super::testing::{AT, Files, Origin, bot, commit, files};
use super::super::{GitError, Merge, Mergeability, Mirror};
use super::oracle::Bench;
use paprq_core::ids::CommitId;

async fn answers(mirror: &Mirror, base: CommitId, heads: &[CommitId]) -> Vec<Mergeability> {
    let surveys = mirror.conflicts(base, heads).await.unwrap();
    let asked: Vec<_> = surveys.iter().map(|survey| survey.head).collect();
    assert_eq!(asked, heads);
    surveys.iter().map(|survey| survey.mergeability).collect()
}

fn all_files(mirror: &Mirror) -> usize {
    let mut waiting = vec![mirror.dir().to_owned()];
    let mut count = 0;
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            count += 1;
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            }
        }
    }
    count
}

#[tokio::test]
async fn each_head_has_its_answer_and_nothing_stays() {
    use Mergeability::{Clean, Conflict, Unknown};
    let bench = Bench::new();
    let ab = |a: &str, b: &str| files(&[("a", a), ("b", b)]);
    let start = bench.commit(&[], &ab("1\n", "1\n"));
    let base = bench.commit(&[start], &ab("2\n", "1\n"));
    let clean = bench.commit(&[start], &ab("1\n", "2\n"));
    let conflict = bench.commit(&[start], &ab("3\n", "1\n"));
    let on_top = bench.commit(&[base], &ab("3\n", "3\n"));
    let alone = bench.commit(&[], &ab("2\n", "1\n"));
    let also_alone = bench.commit(&[], &ab("9\n", "1\n"));
    let before = all_files(&bench.mirror);
    let asked = [
        (alone, Conflict),
        (clean, Clean),
        (conflict, Conflict),
        (base, Clean),
        (start, Clean),
        (CommitId::ZERO, Unknown),
        (on_top, Clean),
        (also_alone, Conflict),
        (clean, Clean),
    ];
    let heads = asked.map(|(head, _)| head);
    let expected = asked.map(|(_, answer)| answer);
    assert_eq!(answers(&bench.mirror, base, &heads).await, expected);
    assert_eq!(answers(&bench.mirror, base, &[]).await, []);
    assert_eq!(all_files(&bench.mirror), before);
    let missing = bench.mirror.conflicts(CommitId::ZERO, &heads).await;
    assert!(matches!(missing, Err(GitError::Missing(CommitId::ZERO))));
}

#[tokio::test]
async fn a_thousand_heads_are_judged_as_by_merging_each() {
    let origin = Origin::new();
    let mirror = origin.mirror();
    let repository = mirror.repository().unwrap();
    let tree = |change: usize, text: &str| -> Files {
        let content = |n: usize| if n == change { text } else { "1\n" };
        let names: Vec<_> = (0..4).map(|n| format!("dir/f{n}")).collect();
        let named = |(n, name)| (String::as_str(name), content(n));
        files(&names.iter().enumerate().map(named).collect::<Vec<_>>())
    };
    let start = commit(&repository, &[], &tree(99, ""));
    let base = commit(&repository, &[start], &tree(3, "base\n"));
    let head = |n: usize| commit(&repository, &[start], &tree(n % 4, &format!("{n}\n")));
    let heads: Vec<_> = (0..1000).map(head).collect();
    let answers = answers(&mirror, base, &heads).await;
    let conflicts = answers
        .iter()
        .filter(|answer| **answer == Mergeability::Conflict);
    assert_eq!(conflicts.count(), 250);
    for (head, answer) in heads.iter().zip(answers).step_by(101) {
        let merge = mirror.merge(base, *head, "m", &bot(), AT).await;
        let merges = matches!(merge.unwrap(), Merge::Made(_));
        assert_eq!(merges, answer == Mergeability::Clean);
    }
}
