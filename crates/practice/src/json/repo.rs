//! Repositories, branches and refs.

use serde_json::{Map, Value, json};

use crate::world::{Permission, Repo};
use paprq_core::ids::CommitId;

use super::{Shapes, iso, node, permissions, with};

/// The addresses that hang on a repository: member and path.
const ADDRESSES: [(&str, &str); 37] = [
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    (
        "notifications_url",
        "/notifications{?since,all,participating}",
    ),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
    ("url", ""),
];

impl Shapes<'_> {
    /// `minimal-repository`.
    pub(crate) fn small_repo(&self, repo: &Repo) -> Value {
        let mut members = Map::new();
        for (member, path) in ADDRESSES {
            members.insert(member.to_owned(), self.repo_api(repo, path).into());
        }
        with(
            json!({
                "id": repo.id,
                "node_id": node("R", repo.id),
                "name": repo.name,
                "full_name": repo.full_name(),
                "owner": self.user(&repo.owner),
                "private": false,
                "html_url": self.page(repo, ""),
                "description": null,
                "fork": repo.parent.is_some(),
            }),
            Value::Object(members),
        )
    }

    /// `repository`, as it is in pulls and webhooks.
    pub(crate) fn repo(&self, repo: &Repo) -> Value {
        let open = repo.pulls.values().filter(|pull| pull.is_open()).count();
        let page = self.page(repo, "");
        with(
            self.small_repo(repo),
            json!({
                "created_at": iso(repo.created_at),
                "updated_at": iso(repo.updated_at),
                "pushed_at": iso(repo.pushed_at),
                "git_url": format!("{page}.git"),
                "ssh_url": format!("git@127.0.0.1:{}.git", repo.full_name()),
                "clone_url": format!("{page}.git"),
                "svn_url": page,
                "homepage": null, "size": 1, "stargazers_count": 0, "watchers_count": 0,
                "language": null, "has_issues": true, "has_projects": true,
                "has_downloads": true, "has_wiki": true, "has_pages": false,
                "has_discussions": false, "forks_count": 0, "mirror_url": null,
                "archived": false, "disabled": false, "open_issues_count": open,
                "license": null, "allow_forking": true, "is_template": false,
                "web_commit_signoff_required": false, "topics": [], "visibility": "public",
                "forks": 0, "open_issues": open, "watchers": 0,
                "default_branch": repo.default_branch, "custom_properties": {},
            }),
        )
    }

    /// The repository in a `push` payload, where GitHub keeps an older shape.
    pub(crate) fn pushed_repo(&self, repo: &Repo) -> Value {
        let more = json!({
            "created_at": repo.created_at.0.div_euclid(1000),
            "pushed_at": repo.pushed_at.0.div_euclid(1000),
            "stargazers": 0,
            "master_branch": repo.default_branch,
        });
        with(self.repo(repo), more)
    }

    /// `full-repository`, for somebody with this permission.
    pub(crate) fn full_repo(&self, repo: &Repo, permission: Permission) -> Value {
        let mut full = with(
            self.repo(repo),
            json!({
                "permissions": permissions(permission),
                "allow_squash_merge": true, "allow_merge_commit": true,
                "allow_rebase_merge": true, "allow_auto_merge": false,
                "delete_branch_on_merge": false, "network_count": 0, "subscribers_count": 0,
            }),
        );
        let parent = repo.parent.as_ref().and_then(|name| self.world.repo(name));
        if let Some(parent) = parent {
            let parent = self.repo(parent);
            full = with(full, json!({"parent": parent, "source": parent}));
        }
        full
    }

    /// `git-ref`, by its full name.
    pub(crate) fn git_ref(&self, repo: &Repo, name: &str, tip: CommitId) -> Value {
        json!({
            "ref": name,
            "node_id": format!("REF_practice{}_{name}", repo.id),
            "url": self.repo_api(repo, &format!("/git/{name}")),
            "object": {
                "sha": tip.to_string(),
                "type": "commit",
                "url": self.repo_api(repo, &format!("/git/commits/{tip}")),
            },
        })
    }

    /// `branch-with-protection`; the commit's JSON is given.
    pub(crate) fn branch(&self, repo: &Repo, name: &str, commit: &Value) -> Value {
        let url = self.repo_api(repo, &format!("/branches/{name}"));
        let contexts: Vec<&String> = repo.protected.get(name).into_iter().collect();
        let checks = contexts.iter();
        let checks: Vec<Value> = checks
            .map(|context| json!({"context": context, "app_id": null}))
            .collect();
        let enabled = !contexts.is_empty();
        json!({
            "name": name,
            "commit": commit,
            "_links": {"self": url, "html": self.page(repo, &format!("/tree/{name}"))},
            "protected": enabled,
            "protection": {
                "enabled": enabled,
                "required_status_checks": {
                    "enforcement_level": if enabled { "everyone" } else { "off" },
                    "contexts": contexts,
                    "checks": checks,
                },
            },
            "protection_url": format!("{url}/protection"),
        })
    }

    /// `short-branch`.
    pub(crate) fn short_branch(&self, repo: &Repo, name: &str, tip: CommitId) -> Value {
        json!({
            "name": name,
            "commit": {
                "sha": tip.to_string(),
                "url": self.repo_api(repo, &format!("/commits/{tip}")),
            },
            "protected": repo.protected.contains_key(name),
        })
    }
}
