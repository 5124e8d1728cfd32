//! Commits, as the REST API and as `push` webhooks write them.

use serde_json::{Value, json};

use crate::disk::{FileDiff, FileFate, GitCommit, Signature};
use crate::world::Repo;
use paprq_core::ids::Login;

use super::{Shapes, iso, node};

impl Shapes<'_> {
    /// `commit`.
    pub(crate) fn commit(&self, repo: &Repo, commit: &GitCommit) -> Value {
        let id = commit.id;
        let parents: Vec<Value> = commit
            .parents
            .iter()
            .map(|parent| {
                json!({
                    "sha": parent.to_string(),
                    "url": self.repo_api(repo, &format!("/commits/{parent}")),
                    "html_url": self.page(repo, &format!("/commit/{parent}")),
                })
            })
            .collect();
        json!({
            "sha": id.to_string(),
            "node_id": node("C", repo.id) + &id.to_string(),
            "commit": {
                "author": person(&commit.author),
                "committer": person(&commit.committer),
                "message": commit.message.trim_end(),
                "tree": {
                    "sha": commit.tree.to_string(),
                    "url": self.repo_api(repo, &format!("/git/trees/{}", commit.tree)),
                },
                "url": self.repo_api(repo, &format!("/git/commits/{id}")),
                "comment_count": 0,
                "verification": {
                    "verified": false, "reason": "unsigned", "signature": null,
                    "payload": null, "verified_at": null,
                },
            },
            "url": self.repo_api(repo, &format!("/commits/{id}")),
            "html_url": self.page(repo, &format!("/commit/{id}")),
            "comments_url": self.repo_api(repo, &format!("/commits/{id}/comments")),
            "author": self.user_of(&commit.author),
            "committer": self.user_of(&commit.committer),
            "parents": parents,
        })
    }

    /// `git-commit`.
    pub(crate) fn git_commit(&self, repo: &Repo, commit: &GitCommit) -> Value {
        let url = |kind: &str, id: &str| self.repo_api(repo, &format!("/git/{kind}/{id}"));
        let page = |id: &str| self.page(repo, &format!("/commit/{id}"));
        let (id, tree) = (commit.id.to_string(), commit.tree.to_string());
        let parents = commit.parents.iter().map(ToString::to_string);
        let parents: Vec<Value> = parents
            .map(|id| json!({"sha": id, "url": url("commits", &id), "html_url": page(&id)}))
            .collect();
        json!({
            "sha": id,
            "node_id": node("C", repo.id) + &id,
            "url": url("commits", &id),
            "html_url": page(&id),
            "author": person(&commit.author),
            "committer": person(&commit.committer),
            "tree": {"sha": tree, "url": url("trees", &tree)},
            "message": commit.message.trim_end(),
            "parents": parents,
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null,
                "payload": null, "verified_at": null,
            },
        })
    }

    /// A commit in a `push` webhook, with the files it touches against its first parent.
    pub(crate) fn pushed_commit(
        &self,
        repo: &Repo,
        commit: &GitCommit,
        files: &[FileDiff],
    ) -> Value {
        let with_fate = |fate: FileFate| -> Vec<&str> {
            files
                .iter()
                .filter(|file| file.fate == fate)
                .map(|file| file.path.as_str())
                .collect()
        };
        json!({
            "id": commit.id.to_string(),
            "tree_id": commit.tree.to_string(),
            "distinct": true,
            "message": commit.message.trim_end(),
            "timestamp": iso(commit.committer.at),
            "url": self.page(repo, &format!("/commit/{}", commit.id)),
            "author": self.named_person(&commit.author),
            "committer": self.named_person(&commit.committer),
            "added": with_fate(FileFate::Added),
            "removed": with_fate(FileFate::Removed),
            "modified": with_fate(FileFate::Modified),
        })
    }

    /// The account whose address a signature carries.
    fn login_of(&self, signature: &Signature) -> Option<&Login> {
        self.world
            .users
            .values()
            .find(|user| user.email() == signature.email)
            .map(|user| &user.login)
    }

    fn user_of(&self, signature: &Signature) -> Value {
        self.login_of(signature)
            .map_or(Value::Null, |login| self.user(login))
    }

    fn named_person(&self, signature: &Signature) -> Value {
        let mut person = json!({"name": signature.name, "email": signature.email});
        if let (Some(login), Some(members)) = (self.login_of(signature), person.as_object_mut()) {
            members.insert("username".to_owned(), login.as_str().into());
        }
        person
    }
}

fn person(signature: &Signature) -> Value {
    json!({
        "name": signature.name,
        "email": signature.email,
        "date": iso(signature.at),
    })
}
