//! Finding out which pulls merge cleanly: in the mirror, at no call of GitHub's API; where there is
//! no mirror, by asking.

use std::time::Duration;

use super::super::mirroring::fetch_lacking;
use super::super::repo::Repo;
use super::Done;
use super::merging::is_passing;
use super::trouble::Trouble;
use crate::git::{self, GitError, PullHead};
use crate::github::{ApiError, Value};
use paprq_core::queue::effect::{BaseAt, Which};
use paprq_core::queue::event::{Event, Mergeability};
use paprq_core::queue::pull::Pull;

/// How often GitHub is asked whether a pull merges cleanly while it does not know.
const ASKED_MAX: u32 = 5;
/// How long GitHub is given to find out.
const GITHUB_FINDS_OUT: Duration = Duration::from_secs(3);

/// Tries merges of pulls into a base branch.
pub(super) async fn check(repo: &Repo, base: &BaseAt, pulls: Which) -> Result<Done, Trouble> {
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

/// The pulls to be looked at. In the mirror one costs as much as many: where it is about one, all
/// are taken of which nothing is known, and nothing is done again for those that come next.
fn heads(repo: &Repo, base: &BaseAt, pulls: Which) -> Vec<PullHead> {
    let takes_others = repo.has_mirror();
    repo.look(|queue| {
        let onto = queue
            .pulls()
            .filter(|pull| pull.is_open() && pull.facts.base == base.branch);
        let is_unknown = |pull: &Pull| pull.facts.mergeable.is_none();
        let wanted = onto.filter(|pull| match pulls {
            Which::All => true,
            Which::One(_) if takes_others => is_unknown(pull),
            Which::One(number) => pull.number() == number,
        });
        wanted
            .map(|pull| PullHead {
                pull: pull.number(),
                commit: pull.facts.head,
            })
            .collect()
    })
}

async fn survey(
    repo: &Repo,
    base: &BaseAt,
    heads: &[PullHead],
) -> Result<Vec<Mergeability>, Trouble> {
    let mirror = fetch_lacking(repo, &base.branch, base.tip, heads).await?;
    let commits: Vec<_> = heads.iter().map(|head| head.commit).collect();
    let surveyed = match mirror.conflicts(base.tip, &commits).await {
        Ok(surveyed) => surveyed,
        // The branch has moved on; it is looked at again from there.
        Err(GitError::Missing(_)) => return Ok(Vec::new()),
        Err(error) if !is_passing(&error) => {
            tracing::warn!(repo.label = %repo.label(), %error, "which pulls conflict is not found out");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.into()),
    };
    let found = heads.iter().zip(surveyed);
    Ok(found
        .filter_map(|(head, survey)| {
            let clean = match survey.mergeability {
                git::Mergeability::Clean => true,
                git::Mergeability::Conflict => false,
                git::Mergeability::Unknown => return None,
            };
            Some(found_of(head, clean))
        })
        .collect())
}

async fn ask(repo: &Repo, heads: &[PullHead]) -> Result<Vec<Mergeability>, Trouble> {
    let mut found = Vec::new();
    for head in heads {
        let clean = ask_about(repo, head).await?;
        found.extend(clean.map(|clean| found_of(head, clean)));
    }
    Ok(found)
}

fn found_of(head: &PullHead, clean: bool) -> Mergeability {
    Mergeability {
        pull: head.pull,
        head: head.commit,
        clean,
    }
}

/// GitHub finds out only when it is asked, and says so by knowing nothing at first.
async fn ask_about(repo: &Repo, head: &PullHead) -> Result<Option<bool>, ApiError> {
    let api = repo.shared().api.at(Value::Background);
    for _ in 0..ASKED_MAX {
        let facts = match api.pull(head.pull).await {
            Ok(facts) if facts.head == head.commit => facts,
            // One that GitHub does not show keeps the others from nothing.
            Ok(_) | Err(ApiError::Gone | ApiError::Rejected { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if facts.mergeable.is_some() {
            return Ok(facts.mergeable);
        }
        tokio::time::sleep(GITHUB_FINDS_OUT).await;
    }
    Ok(None)
}
