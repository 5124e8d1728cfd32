//! Commits, their statuses and check runs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::checks::{DESCRIPTION_CHARS_MAX, NewStatus};
use crate::disk::FileFate;
use crate::json::with;
use crate::world::{CheckRun, StatusState};
use paprq_core::ids::CommitId;

use super::asked::Asked;
use super::{Answer, Field, Refusal};

/// How many commits a listing goes back.
const COMMITS_MAX: usize = 1000;

/// Names of refs may contain slashes: the middle of the path is the name.
pub(super) fn route(asked: &Asked<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (asked.method(), path) {
        ("POST", ["statuses", sha]) => set_status(asked, sha),
        ("GET", ["commits"]) => list(asked),
        ("GET", ["commits", name @ .., "status"]) => combined_status(asked, &name.join("/")),
        ("GET", ["commits", name @ .., "statuses"]) => statuses(asked, &name.join("/")),
        ("GET", ["commits", name @ .., "check-runs"]) => check_runs(asked, &name.join("/")),
        ("GET", ["commits", name @ .., "check-suites"]) => check_suites(asked, &name.join("/")),
        ("GET", ["commits", name @ ..]) => one(asked, &name.join("/")),
        _ => Err(Refusal::NotFound),
    }
}

fn no_commit(name: &str) -> Refusal {
    Refusal::Invalid(format!("No commit found for SHA: {name}"))
}

fn resolve(asked: &Asked<'_>, name: &str) -> Result<CommitId, Refusal> {
    let found = asked.core.disk(&asked.repo)?.resolve(name)?;
    found.ok_or_else(|| no_commit(name))
}

fn set_status(asked: &Asked<'_>, sha: &str) -> Result<Answer, Refusal> {
    let creator = asked.writer()?.clone();
    let state = asked.needed_text("Status", "state")?;
    let Some(state) = StatusState::parse(state) else {
        return Err(invalid("state", "is not included in the list".to_owned()));
    };
    let commit: Result<CommitId, _> = sha.parse();
    let commit = commit.ok().filter(|commit| {
        let disk = asked.core.disk(&asked.repo);
        disk.is_ok_and(|disk| disk.has_commit(*commit))
    });
    let commit = commit.ok_or_else(|| no_commit(sha))?;
    let text = |name: &str| asked.text(name).map(ToOwned::to_owned);
    let description = text("description");
    let length = description.as_ref().map_or(0, |text| text.chars().count());
    if length > DESCRIPTION_CHARS_MAX {
        let limit = format!("is too long (maximum is {DESCRIPTION_CHARS_MAX} characters)");
        return Err(invalid("description", limit));
    }
    let target_url = text("target_url");
    if target_url.as_ref().is_some_and(|url| !is_web(url)) {
        return Err(invalid("target_url", "must use http(s) scheme".to_owned()));
    }
    let new = NewStatus {
        state,
        context: text("context").unwrap_or_else(|| "default".to_owned()),
        description,
        target_url,
        creator,
    };
    let status = asked.core.set_status(&asked.repo, commit, new)?;
    asked.read(|shapes, repo| Ok(Answer::created(shapes.status(repo, &status))))
}

fn is_web(url: &str) -> bool {
    url.is_empty() || url.starts_with("http://") || url.starts_with("https://")
}

fn invalid(name: &'static str, message: String) -> Refusal {
    Refusal::InvalidField(Field {
        resource: "Status",
        name,
        code: "custom",
        message: format!("{name} {message}"),
    })
}

fn combined_status(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let commit = resolve(asked, name)?;
    asked.read(|shapes, repo| {
        let page = asked.slice(repo.latest_statuses(commit));
        let answer = Answer::ok(shapes.combined_status(repo, commit, &page.items));
        Ok(match page.link {
            Some(link) => answer.header("link", link),
            None => answer,
        })
    })
}

/// Newest first.
fn statuses(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let commit = resolve(asked, name)?;
    asked.read(|shapes, repo| {
        let all = repo.statuses.get(&commit).into_iter().flatten().rev();
        Ok(asked.page(all.collect(), |status| shapes.status(repo, status)))
    })
}

/// The newest run of each name in each check suite, as GitHub's `filter=latest`, newest first.
fn check_runs(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let commit = resolve(asked, name)?;
    asked.read(|shapes, repo| {
        let mut runs: Vec<&CheckRun> = Vec::new();
        for run in repo.check_runs.iter().rev() {
            let is_next = |seen: &&CheckRun| (seen.suite, &seen.name) == (run.suite, &run.name);
            let repeated = runs.iter().any(is_next);
            let hidden = repeated && asked.query("filter") != Some("all");
            let named = asked
                .query("check_name")
                .is_none_or(|name| name == run.name);
            if run.commit == commit && named && !hidden {
                runs.push(run);
            }
        }
        let total = runs.len();
        let page = asked.slice(runs);
        let list: Vec<Value> = page
            .items
            .iter()
            .map(|run| shapes.check_run(repo, run))
            .collect();
        let answer = Answer::ok(json!({"total_count": total, "check_runs": list}));
        Ok(match page.link {
            Some(link) => answer.header("link", link),
            None => answer,
        })
    })
}

fn check_suites(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let commit = resolve(asked, name)?;
    let facts = asked.core.disk(&asked.repo)?.commit(commit)?;
    asked.read(|shapes, repo| {
        let runs = repo.check_runs.iter().filter(|run| run.commit == commit);
        let suites: BTreeSet<u64> = runs.map(|run| run.suite).collect();
        let total = suites.len();
        let page = asked.slice(suites.into_iter().collect());
        let suites = page.items.iter();
        let list: Vec<_> = suites
            .map(|suite| shapes.check_suite(repo, *suite, &facts))
            .collect();
        let answer = Answer::ok(json!({"total_count": total, "check_suites": list}));
        Ok(match page.link {
            Some(link) => answer.header("link", link),
            None => answer,
        })
    })
}

fn list(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let default = asked.read(|_, repo| Ok(repo.default_branch.clone()))?;
    let from = resolve(asked, asked.query("sha").unwrap_or(&default))?;
    let disk = asked.core.disk(&asked.repo)?;
    let page = asked.slice(disk.commits_between(None, from, COMMITS_MAX)?);
    let commits: Result<Vec<_>, _> = page.items.iter().map(|id| disk.commit(*id)).collect();
    let commits = commits?;
    let list = asked.read(|shapes, repo| {
        Ok(commits
            .iter()
            .map(|commit| shapes.commit(repo, commit))
            .collect())
    })?;
    let answer = Answer::ok(Value::Array(list));
    Ok(match page.link {
        Some(link) => answer.header("link", link),
        None => answer,
    })
}

fn one(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let id = resolve(asked, name)?;
    let disk = asked.core.disk(&asked.repo)?;
    let commit = disk.commit(id)?;
    let files = disk.diff(commit.parents.first().copied(), id)?;
    let additions: usize = files.iter().map(|file| file.additions).sum();
    let deletions: usize = files.iter().map(|file| file.deletions).sum();
    let page = format!("{}/{}", asked.core.url, asked.repo);
    let entries: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({
                "sha": null,
                "filename": file.path,
                "status": match file.fate {
                    FileFate::Added => "added",
                    FileFate::Removed => "removed",
                    FileFate::Modified => "modified",
                },
                "additions": file.additions,
                "deletions": file.deletions,
                "changes": file.additions + file.deletions,
                "blob_url": format!("{page}/blob/{id}/{}", file.path),
                "raw_url": format!("{page}/raw/{id}/{}", file.path),
                "contents_url":
                    format!("{}/api/v3/repos/{}/contents/{}", asked.core.url, asked.repo, file.path),
                "patch": file.patch,
            })
        })
        .collect();
    let more = json!({
        "stats":
            {"total": additions + deletions, "additions": additions, "deletions": deletions},
        "files": entries,
    });
    asked.read(|shapes, repo| Ok(Answer::ok(with(shapes.commit(repo, &commit), more))))
}
