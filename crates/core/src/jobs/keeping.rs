//! Which jobs' logs and artifacts are dropped so that those of a repository stay within a bound.

use std::collections::BTreeMap;

use crate::ids::{JobId, RepoLabel};

/// What is kept of a job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// Which job; a younger one has a higher number.
    pub job: JobId,
    /// Of which repository.
    pub repo: RepoLabel,
    /// How much its logs and artifacts are together, in bytes.
    pub bytes: u64,
}

/// The jobs of which nothing is kept any more: of each repository the oldest, until the rest is
/// within the bound. One that is not over is never among them: it is not among `kept`.
pub fn dropped(kept: &[Kept], bytes_max: u64) -> Vec<JobId> {
    let mut youngest_first: Vec<_> = kept.iter().collect();
    youngest_first.sort_by_key(|kept| std::cmp::Reverse(kept.job));
    let mut held: BTreeMap<&RepoLabel, u64> = BTreeMap::new();
    let mut dropped = Vec::new();
    for kept in youngest_first {
        let held = held.entry(&kept.repo).or_default();
        *held = held.saturating_add(kept.bytes);
        if *held > bytes_max {
            dropped.push(kept.job);
        }
    }
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(job: u64, repo: &str, bytes: u64) -> Kept {
        Kept {
            job: JobId(job),
            repo: RepoLabel::new(repo),
            bytes,
        }
    }

    #[test]
    fn the_oldest_of_a_repository_go_and_no_other_repositorys() {
        let all = [
            kept(1, "loud", 5),
            kept(2, "calm", 9),
            kept(3, "loud", 5),
            kept(4, "loud", 5),
        ];
        assert_eq!(dropped(&all, 20), []);
        assert_eq!(dropped(&all, 10), [JobId(1)]);
        assert_eq!(dropped(&all, 9), [JobId(3), JobId(1)]);
        assert_eq!(dropped(&all, 0).len(), 4);
    }
}
