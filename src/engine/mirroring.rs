//! Keeping a mirror near GitHub, so that an approval finds its commits there; and keeping it small.

use std::time::Duration;

use super::repo::{Message, Repo};
use crate::git::{Fetch, GitError, Mirror, RemoteRef, Upkeep};
use crate::github::Value;
use paprq_core::ids::{BranchName, CommitId, PullNumber};
use paprq_core::queue::event::Event;
use paprq_core::queue::run::Phase;
use paprq_core::queue::run::Purpose;

/// Fetches what is wanted soon, as it comes to be wanted.
pub(super) async fn prefetch(repo: Repo) {
    if !repo.has_mirror() {
        return ask_tips(repo).await;
    }
    if let Err(error) = repo.mirror().fetch(Fetch::Everything).await {
        tracing::warn!(repo.label = %repo.label(), %error, "the mirror cannot be filled yet");
    }
    loop {
        let wanted = repo.shared().prefetch.next().await;
        let branches: Vec<_> = wanted
            .iter()
            .filter_map(|what| match what {
                RemoteRef::Branch(branch) => Some(branch.clone()),
                RemoteRef::Pull(_) | RemoteRef::Merge(_) => None,
            })
            .collect();
        if let Err(error) = repo.mirror().fetch(Fetch::Refs(wanted)).await {
            // Whoever needs it fetches it then.
            tracing::warn!(repo.label = %repo.label(), %error, "the mirror is not brought up to date");
            continue;
        }
        for branch in branches {
            tell_tip(&repo, branch).await;
        }
    }
}

/// Asks GitHub where base branches are, where there is no mirror to look.
async fn ask_tips(repo: Repo) {
    loop {
        for what in repo.shared().prefetch.next().await {
            let RemoteRef::Branch(branch) = what else {
                continue;
            };
            let api = repo.shared().api.at(Value::Background);
            match api.branch_tip(&branch).await {
                Ok(Some(tip)) => {
                    repo.tell(Message::Observed(vec![Event::BaseSeen { branch, tip }]));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(repo.label = %repo.label(), %error, "a base branch is not seen");
                }
            }
        }
    }
}

/// Tells the queue where a base branch is, unless a run began on something younger.
async fn tell_tip(repo: &Repo, branch: BranchName) {
    let Ok(Some(tip)) = repo.mirror().tip(&branch) else {
        return;
    };
    let under_test: Vec<CommitId> = repo.look(|queue| {
        let runs = queue.runs_in_flight();
        runs.filter(|run| run.purpose == Purpose::Land && run.base == branch)
            .filter_map(|run| match &run.phase {
                Phase::Testing { merge, .. } => Some(merge.base_tip),
                Phase::Merging { .. } | Phase::Landing { .. } | Phase::Done { .. } => None,
            })
            .collect()
    });
    for base_tip in under_test {
        if repo
            .mirror()
            .is_ancestor(tip, base_tip)
            .await
            .unwrap_or(true)
        {
            return;
        }
    }
    repo.tell(Message::Observed(vec![Event::BaseSeen { branch, tip }]));
}

/// A pull at one of its commits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) pull: PullNumber,
    pub(super) commit: CommitId,
}

/// Fetches the refs of what the mirror lacks of a base and of pulls; mostly nothing.
pub(super) async fn fetch_lacking(
    mirror: &Mirror,
    base: &BranchName,
    tip: CommitId,
    heads: &[Head],
) -> Result<(), GitError> {
    let mut lacking = Vec::new();
    if !mirror.has(tip) {
        lacking.push(RemoteRef::Branch(base.clone()));
    }
    let missing = heads.iter().filter(|head| !mirror.has(head.commit));
    lacking.extend(missing.map(|head| RemoteRef::Pull(head.pull)));
    mirror.fetch(Fetch::Refs(lacking)).await
}

/// Brings a base and pulls at exactly these commits.
pub(super) async fn bring(
    mirror: &Mirror,
    base: &BranchName,
    tip: CommitId,
    heads: &[Head],
) -> Result<(), GitError> {
    fetch_lacking(mirror, base, tip, heads).await?;
    // The branch or a pull may have moved on since; what was named is still wanted.
    mirror.fetch_commit(tip).await?;
    for head in heads {
        mirror.fetch_commit(head.commit).await?;
    }
    Ok(())
}

/// Between two rounds of upkeep.
const UPKEEP_EVERY: Duration = Duration::from_secs(3600);
/// Every so many rounds one is thorough.
const ROUNDS_TO_FULL: u32 = 24;

/// Keeps the mirror small and fast.
pub(super) async fn keep_up(repo: Repo) {
    if !repo.has_mirror() {
        return;
    }
    // Before that, nothing is known.
    repo.until_running().await;
    give_up_old(&repo).await;
    // A server that is started every day is thorough as well.
    let mut round = ROUNDS_TO_FULL - 1;
    loop {
        tokio::time::sleep(UPKEEP_EVERY).await;
        round = (round + 1) % ROUNDS_TO_FULL;
        let upkeep = if round == 0 {
            Upkeep::Full
        } else {
            Upkeep::Light
        };
        give_up_old(&repo).await;
        if let Err(error) = repo.mirror().maintain(upkeep).await {
            tracing::warn!(repo.label = %repo.label(), %error, "the mirror's upkeep failed");
        }
    }
}

/// Gives up the commits of runs that the queue has forgotten.
async fn give_up_old(repo: &Repo) {
    let known = repo.clone();
    let is_known = move |run| known.look(|queue| queue.run(run).is_some());
    match repo.mirror().unpin_unless(is_known).await {
        Ok(0) => {}
        Ok(runs) => {
            tracing::info!(repo.label = %repo.label(), runs, "commits of forgotten runs are given up");
        }
        Err(error) => {
            tracing::warn!(repo.label = %repo.label(), %error, "commits of forgotten runs stay");
        }
    }
}
