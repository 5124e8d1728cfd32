//! Finding out which pulls merge cleanly: in the mirror, at no call of GitHub's API; where there is
//! no mirror, by asking.

use std::time::Duration;

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::git::{self, Fetch, GitError, RemoteRef};
use crate::github::{ApiError, Value};
use crate::ids::{CommitId, PullNumber};
use crate::queue::effect::{BaseAt, Which};
use crate::queue::event::{Event, Mergeability};

/// How often GitHub is asked whether a pull merges cleanly while it does not know.
const ASKED_MAX: u32 = 5;
/// How long GitHub is given to find out.
const GITHUB_FINDS_OUT: Duration = Duration::from_secs(3);

/// Tries merges of pulls into a base branch.
pub(super) async fn check(repo: &Repo, base: &BaseAt, pulls: Which) -> Result<Done, Passing> {
    let heads = heads(repo, base, pulls);
    let found = if repo.has_mirror() {
        survey(repo, base, &heads).await?
    } else {
        ask(repo, &heads).await?
    };
    Ok(Done::answered(Event::MergeabilityFound {
        base: base.clone(),
        found,
    }))
}

fn heads(repo: &Repo, base: &BaseAt, pulls: Which) -> Vec<(PullNumber, CommitId)> {
    repo.look(|queue| {
        let onto = queue
            .pulls()
            .filter(|pull| pull.is_open() && pull.facts.base == base.branch);
        let wanted = onto.filter(|pull| match pulls {
            Which::All => true,
            Which::One(number) => pull.number() == number,
        });
        wanted
            .map(|pull| (pull.number(), pull.facts.head))
            .collect()
    })
}

async fn survey(
    repo: &Repo,
    base: &BaseAt,
    heads: &[(PullNumber, CommitId)],
) -> Result<Vec<Mergeability>, Passing> {
    let mirror = repo.mirror();
    let lacking = heads.iter().filter(|(_, head)| !mirror.has(*head));
    let mut lacking: Vec<_> = lacking.map(|(pull, _)| RemoteRef::Pull(*pull)).collect();
    if !mirror.has(base.tip) {
        lacking.push(RemoteRef::Branch(base.branch.clone()));
    }
    if !lacking.is_empty() {
        mirror.fetch(Fetch::Refs(lacking)).await?;
    }
    let commits: Vec<_> = heads.iter().map(|(_, head)| *head).collect();
    let surveyed = match mirror.conflicts(base.tip, &commits).await {
        Ok(surveyed) => surveyed,
        // The branch has moved on; it is looked at again from there.
        Err(GitError::Missing(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let found = heads.iter().zip(surveyed);
    Ok(found
        .filter_map(|((pull, head), survey)| {
            let clean = match survey.mergeability {
                git::Mergeability::Clean => true,
                git::Mergeability::Conflict => false,
                git::Mergeability::Unknown => return None,
            };
            Some(Mergeability {
                pull: *pull,
                head: *head,
                clean,
            })
        })
        .collect())
}

async fn ask(repo: &Repo, heads: &[(PullNumber, CommitId)]) -> Result<Vec<Mergeability>, Passing> {
    let mut found = Vec::new();
    for (pull, head) in heads {
        let clean = ask_about(repo, *pull, *head).await?;
        found.extend(clean.map(|clean| Mergeability {
            pull: *pull,
            head: *head,
            clean,
        }));
    }
    Ok(found)
}

/// GitHub finds out only when it is asked, and says so by knowing nothing at first.
async fn ask_about(
    repo: &Repo,
    pull: PullNumber,
    head: CommitId,
) -> Result<Option<bool>, ApiError> {
    let api = repo.shared().api.at(Value::Background);
    for _ in 0..ASKED_MAX {
        let facts = match api.pull(pull).await {
            Ok(facts) if facts.head == head => facts,
            Ok(_) | Err(ApiError::Gone) => return Ok(None),
            Err(error) => return Err(error),
        };
        if facts.mergeable.is_some() {
            return Ok(facts.mergeable);
        }
        tokio::time::sleep(GITHUB_FINDS_OUT).await;
    }
    Ok(None)
}
