//! Pull requests, and the issues that lie under them.

use serde_json::{Value, json};

use crate::world::{Pull, PullState, Repo, Stage, TestMerge};

use super::{Shapes, iso, iso_or_null, node, reactions, with};

impl Shapes<'_> {
    /// `pull-request-simple`, as lists and review webhooks have it.
    pub(crate) fn simple_pull(&self, repo: &Repo, pull: &Pull) -> Value {
        let url = self.repo_api(repo, &format!("/pulls/{}", pull.number));
        let issue = self.repo_api(repo, &format!("/issues/{}", pull.number));
        let page = self.page(repo, &format!("/pull/{}", pull.number));
        let merged_at = match &pull.stage {
            Stage::Merged { at, .. } => Some(*at),
            Stage::Open | Stage::Closed { .. } => None,
        };
        let body = Some(&pull.body).filter(|body| !body.is_empty());
        let start = json!({
            "url": url,
            "id": pull.id,
            "node_id": node("PR", pull.id),
            "html_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "issue_url": issue,
            "number": pull.number,
            "state": state(pull),
            "locked": false,
            "title": pull.title,
            "user": self.user(&pull.author),
            "body": body,
            "created_at": iso(pull.created_at),
            "updated_at": iso(pull.updated_at),
            "closed_at": iso_or_null(pull.closed_at()),
            "merged_at": iso_or_null(merged_at),
            "merge_commit_sha": merge_commit(pull),
        });
        let end = json!({
            "assignee": null,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "labels": self.labels(repo, pull),
            "milestone": null,
            "draft": pull.draft,
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": self.repo_api(repo, "/pulls/comments{/number}"),
            "comments_url": format!("{issue}/comments"),
            "statuses_url": self.repo_api(repo, &format!("/statuses/{}", pull.head)),
            "head": self.head(pull),
            "base": self.base(repo, pull),
            "_links": self.links(repo, pull),
            "author_association": self.association(repo, &pull.author),
            "auto_merge": null,
            "active_lock_reason": null,
        });
        with(start, end)
    }

    /// `pull-request`. Mergeability is null unless it is known for these very commits.
    pub(crate) fn pull(&self, repo: &Repo, pull: &Pull) -> Value {
        let mergeable = mergeable(repo, pull);
        let by = match &pull.stage {
            Stage::Merged { by, .. } => self.user(by),
            Stage::Open | Stage::Closed { .. } => Value::Null,
        };
        with(
            self.simple_pull(repo, pull),
            json!({
                "merged": pull.state() == PullState::Merged,
                "mergeable": mergeable,
                "rebaseable": mergeable,
                "mergeable_state": match mergeable {
                    Some(true) => "clean",
                    Some(false) => "dirty",
                    None => "unknown",
                },
                "merged_by": by,
                "comments": pull.comments.len(),
                "review_comments": pull.review_comments.len(),
                "maintainer_can_modify": false,
                "commits": pull.size.commits,
                "additions": pull.size.additions,
                "deletions": pull.size.deletions,
                "changed_files": pull.size.files,
            }),
        )
    }

    /// `issue`: the pull as the place where people talk.
    pub(crate) fn issue(&self, repo: &Repo, pull: &Pull) -> Value {
        let url = self.repo_api(repo, &format!("/issues/{}", pull.number));
        let page = self.page(repo, &format!("/pull/{}", pull.number));
        let start = json!({
            "url": url,
            "repository_url": self.repo_api(repo, ""),
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "html_url": page,
            "id": pull.id,
            "node_id": node("PR", pull.id),
            "number": pull.number,
            "title": pull.title,
            "user": self.user(&pull.author),
            "labels": self.labels(repo, pull),
            "state": state(pull),
            "locked": false,
        });
        let end = json!({
            "assignee": null,
            "assignees": [],
            "milestone": null,
            "comments": pull.comments.len(),
            "created_at": iso(pull.created_at),
            "updated_at": iso(pull.updated_at),
            "closed_at": iso_or_null(pull.closed_at()),
            "author_association": self.association(repo, &pull.author),
            "active_lock_reason": null,
            "draft": pull.draft,
            "pull_request": {
                "url": self.repo_api(repo, &format!("/pulls/{}", pull.number)),
                "html_url": page,
                "diff_url": format!("{page}.diff"),
                "patch_url": format!("{page}.patch"),
                "merged_at": null,
            },
            "body": pull.body,
            "reactions": reactions(&url),
            "timeline_url": format!("{url}/timeline"),
            "performed_via_github_app": null,
            "state_reason": null,
        });
        with(start, end)
    }

    /// `pull-request-minimal`, as check runs name it.
    pub(crate) fn minimal_pull(&self, repo: &Repo, pull: &Pull) -> Value {
        let end = |branch: &str, sha: String| {
            json!({
                "ref": branch,
                "sha": sha,
                "repo": {"id": repo.id, "url": self.repo_api(repo, ""), "name": repo.name},
            })
        };
        json!({
            "url": self.repo_api(repo, &format!("/pulls/{}", pull.number)),
            "id": pull.id,
            "number": pull.number,
            "head": end(&pull.head_branch, pull.head.to_string()),
            "base": end(&pull.base_branch, pull.base.to_string()),
        })
    }

    pub(crate) fn labels(&self, repo: &Repo, pull: &Pull) -> Vec<Value> {
        pull.labels
            .iter()
            .map(|name| self.label(repo, name))
            .collect()
    }

    fn links(&self, repo: &Repo, pull: &Pull) -> Value {
        let url = self.repo_api(repo, &format!("/pulls/{}", pull.number));
        let issue = self.repo_api(repo, &format!("/issues/{}", pull.number));
        let statuses = self.repo_api(repo, &format!("/statuses/{}", pull.head));
        let page = self.page(repo, &format!("/pull/{}", pull.number));
        json!({
            "self": {"href": url},
            "html": {"href": page},
            "issue": {"href": issue},
            "comments": {"href": format!("{issue}/comments")},
            "review_comments": {"href": format!("{url}/comments")},
            "review_comment": {"href": self.repo_api(repo, "/pulls/comments{/number}")},
            "commits": {"href": format!("{url}/commits")},
            "statuses": {"href": statuses},
        })
    }

    fn head(&self, pull: &Pull) -> Value {
        let repo = self.world.repo(&pull.head_repo);
        let owner = repo.map_or(&pull.author, |repo| &repo.owner);
        json!({
            "label": format!("{owner}:{}", pull.head_branch),
            "ref": pull.head_branch,
            "sha": pull.head.to_string(),
            "user": self.user(owner),
            "repo": repo.map_or(Value::Null, |repo| self.repo(repo)),
        })
    }

    fn base(&self, repo: &Repo, pull: &Pull) -> Value {
        json!({
            "label": format!("{}:{}", repo.owner, pull.base_branch),
            "ref": pull.base_branch,
            "sha": pull.base.to_string(),
            "user": self.user(&repo.owner),
            "repo": self.repo(repo),
        })
    }
}

fn state(pull: &Pull) -> &'static str {
    if pull.is_open() { "open" } else { "closed" }
}

/// What a fresh test merge of an open pull says.
fn mergeable(repo: &Repo, pull: &Pull) -> Option<bool> {
    let base = repo.branch(&pull.base_branch)?;
    pull.test_merge
        .filter(|test| pull.is_open() && test.head == pull.head && test.base == base)
        .map(|test| test.merge.is_some())
}

/// The merge commit of a merged pull, the latest test merge of another.
fn merge_commit(pull: &Pull) -> Option<String> {
    let commit = match pull.stage {
        Stage::Merged { commit, .. } => Some(commit),
        Stage::Open | Stage::Closed { .. } => {
            pull.test_merge.and_then(|TestMerge { merge, .. }| merge)
        }
    };
    commit.map(|commit| commit.to_string())
}
