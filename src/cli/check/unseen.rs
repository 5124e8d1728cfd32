//! Checks that a repository waits for and that were never seen there: a name that is misspelt keeps every
//! merge waiting until its time is up.
//!
//! Looked at are the branches on which is tested, the branches into which is merged, and some heads of
//! open pulls. Where GitHub is not reached nothing is said but that.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::{Config, Repo};
use crate::github::{self, ApiError, GitHub, Settings, Slug};
use paprq_core::ids::{CommitId, is_same_name};
use paprq_core::queue::event::Event;

/// How long all of it may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How many commits of a repository are looked at.
const COMMITS_MAX: usize = 12;

/// What to beware of, a paragraph each.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let waiting: Vec<_> = config.repos.values().filter(|repo| waits(repo)).collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return vec![not_looked_up("this machine lets no task be started")];
    };
    runtime.block_on(async {
        let looking = tokio::time::timeout(TIMEOUT, look(config, &waiting));
        looking
            .await
            .unwrap_or_else(|_| vec![not_looked_up("GitHub takes too long to answer")])
    })
}

fn waits(repo: &Repo) -> bool {
    !repo.statuses.is_empty() || !repo.checks.is_empty()
}

fn not_looked_up(why: &str) -> String {
    format!("It was not looked up whether the configured checks exist: {why}.")
}

async fn look(config: &Config, repos: &[&Repo]) -> Vec<String> {
    crate::tls::install();
    let token = config.github.access_token.expose();
    let settings = Settings {
        timeout: Duration::from_secs(5),
        ..Settings::default()
    };
    let Ok(github) = GitHub::new(&config.github.api_url, token, settings) else {
        return vec![not_looked_up("the access token cannot be used")];
    };
    let mut warnings = Vec::new();
    for repo in repos {
        match seen(&github, repo).await {
            Ok(seen) => warnings.extend(never_seen(repo, &seen)),
            Err(ApiError::Transient { .. }) => {
                return vec![not_looked_up("GitHub cannot be reached from here")];
            }
            Err(error) => warnings.push(format!(
                "[repo.{}] It was not looked up whether its checks exist: failed to {error}.",
                repo.label
            )),
        }
    }
    warnings
}

/// The contexts and names that were seen.
#[derive(Default)]
struct Seen {
    contexts: BTreeSet<String>,
    names: BTreeSet<String>,
}

async fn seen(github: &GitHub, repo: &Repo) -> Result<Seen, ApiError> {
    let own = github.repo(Slug::new(&repo.owner, &repo.name));
    let mut seen = Seen::default();
    for commit in commits(&own, repo).await? {
        seen.look_at(&own, commit).await?;
    }
    if let Some(fork) = &repo.test_on_fork {
        let fork = github.repo(Slug::new(&fork.owner, &fork.name));
        for commit in tested(&fork, repo).await? {
            seen.look_at(&fork, commit).await?;
        }
    }
    Ok(seen)
}

/// The commits on our own branches.
async fn tested(api: &github::Repo, repo: &Repo) -> Result<BTreeSet<CommitId>, ApiError> {
    let mut commits = BTreeSet::new();
    for branch in [&repo.branches.auto, &repo.branches.try_] {
        commits.extend(api.branch_tip(branch).await?);
    }
    Ok(commits)
}

async fn commits(api: &github::Repo, repo: &Repo) -> Result<BTreeSet<CommitId>, ApiError> {
    let mut commits = tested(api, repo).await?;
    let open = api.open_pulls().await?.pulls;
    let bases: BTreeSet<_> = open.iter().map(|facts| facts.base.clone()).collect();
    for base in bases.into_iter().take(COMMITS_MAX / 3) {
        commits.extend(api.branch_tip(&base).await?);
    }
    let heads = open.iter().map(|facts| facts.head);
    let room = COMMITS_MAX.saturating_sub(commits.len());
    commits.extend(heads.take(room));
    Ok(commits)
}

impl Seen {
    async fn look_at(&mut self, api: &github::Repo, commit: CommitId) -> Result<(), ApiError> {
        for status in api.statuses(commit).await? {
            if let Event::StatusReported { context, .. } = status {
                self.contexts.insert(context);
            }
        }
        let runs = api.check_runs(commit).await?;
        self.names.extend(runs.into_iter().map(|run| run.name));
        Ok(())
    }
}

/// A paragraph for each check that was not seen.
fn never_seen(repo: &Repo, seen: &Seen) -> Vec<String> {
    let has = |seen: &BTreeSet<String>, wanted: &str| {
        seen.iter().any(|known| is_same_name(known, wanted))
    };
    let warning = |table: &str, what: &str, name: &str, known: &BTreeSet<String>| {
        let known = match known.iter().cloned().collect::<Vec<_>>() {
            none if none.is_empty() => "none at all".to_owned(),
            some => some.join(", "),
        };
        format!(
            "[repo.{}.{table}] The {what} \"{name}\" was never seen on {}/{}, where there are: \
             {known}. A merge waits for it until its time is up.",
            repo.label, repo.owner, repo.name
        )
    };
    let statuses = repo.statuses.iter();
    let statuses = statuses.filter(|status| !has(&seen.contexts, &status.context));
    let checks = repo.checks.iter();
    let checks = checks.filter(|check| !has(&seen.names, &check.name));
    statuses
        .map(|status| {
            let table = format!("status.{}", status.label);
            warning(&table, "context", &status.context, &seen.contexts)
        })
        .chain(checks.map(|check| {
            let table = format!("checks.{}", check.label);
            warning(&table, "check run", &check.name, &seen.names)
        }))
        .collect()
}
