//! Keeping a mirror near GitHub, so that an approval finds its commits there; and keeping it small.

use std::time::Duration;

use super::orders::is_passing;
use super::repo::{Message, Repo};
use crate::git::{Fetch, GitError, Mirror, PullHead, RemoteRef, Upkeep};
use crate::github::Value;
use paprq_core::ids::{BranchName, CommitId, PullNumber};
use paprq_core::queue::event::Event;
use paprq_core::queue::run::{Phase, Purpose};

/// Fetches what is wanted soon, as it comes to be wanted.
pub(super) async fn prefetch(repo: Repo) {
    if !repo.has_mirror() {
        return ask_tips(repo).await;
    }
    if let Err(error) = repo.mirror().fetch(Fetch::Branches).await {
        tracing::warn!(repo.label = %repo.label(), %error, "the mirror cannot be filled yet");
    }
    repo.until_running().await;
    for head in open_heads(&repo) {
        repo.prefetch_pull(head.pull);
    }
    loop {
        let wanted = repo.shared().prefetch.next().await;
        let (strangers, wanted): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|what| match what {
                RemoteRef::Pull(pull) => is_strangers(&repo, *pull),
                RemoteRef::Branch(_) | RemoteRef::Merge(_) => false,
            });
        for what in strangers {
            repo.shared().strangers.want(what);
        }
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

fn is_strangers(repo: &Repo, pull: PullNumber) -> bool {
    !repo.look(|queue| queue.is_vouched_for(pull))
}

/// Brings strangers' heads into quarantine as they come, one after the other, and drops those that
/// were replaced or closed.
pub(super) async fn keep_strangers(repo: Repo) {
    if !repo.has_mirror() {
        return;
    }
    loop {
        let wanted = repo.shared().strangers.next().await;
        tidy(&repo).await;
        let heads = open_heads(&repo);
        let heads = heads.into_iter().filter(|head| {
            wanted.contains(&RemoteRef::Pull(head.pull)) && is_strangers(&repo, head.pull)
        });
        for head in heads {
            let (label, number) = (repo.label(), head.pull);
            let commit = head.commit.short();
            match repo.mirror().quarantine(head).await {
                Ok(()) => tracing::info!(
                    repo.label = %label, pull.number = %number,
                    "{commit} of a stranger is beside the mirror"
                ),
                Err(error) => tracing::warn!(
                    repo.label = %label, pull.number = %number, %error,
                    "{commit} of a stranger is not fetched"
                ),
            }
        }
    }
}

/// Drops what is kept of pulls that are not open, and of heads that were replaced.
async fn tidy(repo: &Repo) {
    match repo.mirror().keep_only(open_heads(repo)).await {
        Ok(0) => {}
        Ok(heads) => {
            tracing::info!(repo.label = %repo.label(), heads, "strangers' heads are dropped");
        }
        Err(error) => {
            tracing::warn!(repo.label = %repo.label(), %error, "strangers' heads are not dropped");
        }
    }
}

fn open_heads(repo: &Repo) -> Vec<PullHead> {
    repo.look(|queue| {
        let open = queue.pulls().filter(|pull| pull.is_open());
        open.map(|pull| PullHead {
            pull: pull.number(),
            commit: pull.facts.head,
        })
        .collect()
    })
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

/// Fetches what the mirror lacks of a base and of pulls, to look at them; mostly nothing. Strangers'
/// heads come into quarantine; what is too large of them stays away. Gives a handle that sees them.
pub(super) async fn fetch_lacking(
    repo: &Repo,
    base: &BranchName,
    tip: CommitId,
    heads: &[PullHead],
) -> Result<Mirror, GitError> {
    let mirror = repo.mirror();
    let (strangers, known): (Vec<PullHead>, Vec<PullHead>) =
        heads.iter().partition(|head| is_strangers(repo, head.pull));
    fetch_into(mirror, base, tip, &known).await?;
    for head in strangers {
        match mirror.quarantine(head).await {
            Err(error) if is_passing(&error) => return Err(error),
            // The log has it since the head was first seen.
            Ok(()) | Err(_) => {}
        }
    }
    Ok(mirror.beside(heads))
}

async fn fetch_into(
    mirror: &Mirror,
    base: &BranchName,
    tip: CommitId,
    heads: &[PullHead],
) -> Result<(), GitError> {
    let mut lacking = Vec::new();
    if !mirror.has(tip) {
        lacking.push(RemoteRef::Branch(base.clone()));
    }
    let missing = heads.iter().filter(|head| !mirror.has(head.commit));
    lacking.extend(missing.map(|head| RemoteRef::Pull(head.pull)));
    mirror.fetch(Fetch::Refs(lacking)).await
}

/// Brings a base and a pull at exactly these commits into the mirror, because the configuration lets
/// the pull be tested: a stranger's is held to the bounds.
pub(super) async fn bring_bounded(
    repo: &Repo,
    base: &BranchName,
    tip: CommitId,
    head: PullHead,
) -> Result<(), GitError> {
    if is_strangers(repo, head.pull) {
        // What the base has is not counted.
        fetch_into(repo.mirror(), base, tip, &[]).await?;
        repo.mirror().quarantine(head).await?;
    }
    bring(repo.mirror(), base, tip, &[head]).await
}

/// Brings a base and pulls at exactly these commits into the mirror, because somebody trusted wants
/// them tested or merged.
pub(super) async fn bring(
    mirror: &Mirror,
    base: &BranchName,
    tip: CommitId,
    heads: &[PullHead],
) -> Result<(), GitError> {
    for head in heads {
        mirror.admit(*head).await?;
    }
    fetch_into(mirror, base, tip, heads).await?;
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

/// Gives up what the queue has forgotten: strangers' heads, and the commits of runs.
async fn give_up_old(repo: &Repo) {
    tidy(repo).await;
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
