//! Commit statuses and check runs.

use serde_json::{Value, json};

use crate::checks::CI_APP;
use crate::disk::{GitCommit, Signature};
use crate::world::{CheckRun, Repo, Status, StatusState};
use paprq_core::ids::CommitId;

use super::{Shapes, iso, iso_or_null, node, with};

impl Shapes<'_> {
    /// `status`.
    pub(crate) fn status(&self, repo: &Repo, status: &Status) -> Value {
        with(
            self.simple_status(repo, status),
            json!({"creator": self.user(&status.creator)}),
        )
    }

    /// `simple-commit-status`.
    pub(crate) fn simple_status(&self, repo: &Repo, status: &Status) -> Value {
        json!({
            "url": self.repo_api(repo, &format!("/statuses/{}", status.commit)),
            "avatar_url": format!("{}/avatars/1", self.url),
            "id": status.id,
            "node_id": node("SC", status.id),
            "state": status.state.as_str(),
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": iso(status.at),
            "updated_at": iso(status.at),
        })
    }

    /// `combined-commit-status`, with these of the newest statuses shown.
    pub(crate) fn combined_status(
        &self,
        repo: &Repo,
        commit: CommitId,
        shown: &[&Status],
    ) -> Value {
        let all = repo.latest_statuses(commit);
        let statuses: Vec<Value> = shown
            .iter()
            .map(|status| self.simple_status(repo, status))
            .collect();
        json!({
            "state": combined(&all),
            "statuses": statuses,
            "sha": commit.to_string(),
            "total_count": all.len(),
            "repository": self.small_repo(repo),
            "commit_url": self.repo_api(repo, &format!("/commits/{commit}")),
            "url": self.repo_api(repo, &format!("/commits/{commit}/status")),
        })
    }

    /// `check-run`.
    pub(crate) fn check_run(&self, repo: &Repo, run: &CheckRun) -> Value {
        let url = self.repo_api(repo, &format!("/check-runs/{}", run.id));
        json!({
            "id": run.id,
            "node_id": node("CR", run.id),
            "head_sha": run.commit.to_string(),
            "external_id": "",
            "url": url,
            "html_url": self.page(repo, &format!("/commit/{}", run.commit)),
            "details_url": run.details_url,
            "status": if run.end.is_some() { "completed" } else { "in_progress" },
            "conclusion": run.end.map(|end| end.conclusion.as_str()),
            "started_at": iso(run.started_at),
            "completed_at": iso_or_null(run.end.map(|end| end.at)),
            "output": {
                "title": null, "summary": null, "text": null, "annotations_count": 0,
                "annotations_url": format!("{url}/annotations"),
            },
            "name": run.name,
            "check_suite": {"id": run.suite},
            "app": self.app(repo, run.app),
            "pull_requests": self.pulls_at(repo, run.commit),
        })
    }

    /// `check-run-with-simple-check-suite`, as webhooks have it.
    pub(crate) fn check_run_with_suite(&self, repo: &Repo, run: &CheckRun) -> Value {
        let suite = self.simple_check_suite(repo, run);
        with(self.check_run(repo, run), json!({"check_suite": suite}))
    }

    /// `simple-check-suite`: that of a check run.
    fn simple_check_suite(&self, repo: &Repo, run: &CheckRun) -> Value {
        let branch = repo.branches().find(|(_, tip)| *tip == run.commit);
        let last = repo.suite(run.suite).last().unwrap_or(run);
        let end = last.end.filter(|_| repo.is_suite_completed(run.suite));
        json!({
            "id": run.suite,
            "node_id": node("CS", run.suite),
            "head_branch": branch.map(|(name, _)| name),
            "head_sha": run.commit.to_string(),
            "status": if end.is_some() { "completed" } else { "in_progress" },
            "conclusion": end.map(|end| end.conclusion.as_str()),
            "url": self.repo_api(repo, &format!("/check-suites/{}", run.suite)),
            "before": CommitId::ZERO.to_string(),
            "after": run.commit.to_string(),
            "pull_requests": self.pulls_at(repo, run.commit),
            "app": self.app(repo, run.app),
            "created_at": iso(run.started_at),
            "updated_at": iso(end.map_or(run.started_at, |end| end.at)),
        })
    }

    /// `check-suite`, of which there is at least one check run.
    pub(crate) fn check_suite(&self, repo: &Repo, suite: u64, commit: &GitCommit) -> Value {
        let simple = repo.suite(suite).next();
        let simple = simple.map(|run| self.simple_check_suite(repo, run));
        let path = format!("/check-suites/{suite}/check-runs");
        with(
            simple.unwrap_or_default(),
            json!({
                "latest_check_runs_count": repo.suite(suite).count(),
                "check_runs_url": self.repo_api(repo, &path),
                "head_commit": simple_commit(commit),
                "repository": self.small_repo(repo),
            }),
        )
    }

    fn pulls_at(&self, repo: &Repo, commit: CommitId) -> Vec<Value> {
        repo.pulls
            .values()
            .filter(|pull| pull.is_open() && pull.head == commit)
            .map(|pull| self.minimal_pull(repo, pull))
            .collect()
    }

    fn app(&self, repo: &Repo, id: u64) -> Value {
        let name = match id {
            CI_APP => "practice-ci".to_owned(),
            other => format!("practice-ci-{other}"),
        };
        json!({
            "id": id,
            "slug": name,
            "node_id": node("A", id),
            "owner": self.user(&repo.owner),
            "name": name,
            "description": "",
            "external_url": self.url,
            "html_url": format!("{}/apps/{name}", self.url),
            "created_at": iso(repo.created_at),
            "updated_at": iso(repo.created_at),
            "permissions": {"checks": "write", "metadata": "read"},
            "events": [],
        })
    }
}

/// `simple-commit`.
fn simple_commit(commit: &GitCommit) -> Value {
    let person = |who: &Signature| json!({"name": who.name, "email": who.email});
    json!({
        "id": commit.id.to_string(),
        "tree_id": commit.tree.to_string(),
        "message": commit.message.trim_end(),
        "timestamp": iso(commit.committer.at),
        "author": person(&commit.author),
        "committer": person(&commit.committer),
    })
}

/// GitHub's combined state of a commit: failure before pending before success; pending if there are none.
fn combined(statuses: &[&Status]) -> &'static str {
    let any = |state: StatusState| statuses.iter().any(|status| status.state == state);
    if any(StatusState::Failure) || any(StatusState::Error) {
        "failure"
    } else if statuses.is_empty() || any(StatusState::Pending) {
        "pending"
    } else {
        "success"
    }
}
