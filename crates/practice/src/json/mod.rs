//! Things as GitHub writes them in JSON, for REST answers and webhook payloads alike.
//!
//! The shapes are those of GitHub's OpenAPI description; `tests/practice_openapi.rs` holds them to it.

mod checks;
mod commit;
mod pull;
mod repo;
mod talk;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use paprq_core::ids::{Login, Timestamp};

use super::world::{Permission, Repo, World};

/// Makes JSON of one state of the world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shapes<'a> {
    world: &'a World,
    /// Where the pages are: `http://127.0.0.1:PORT`.
    url: &'a str,
}

impl<'a> Shapes<'a> {
    pub(super) fn new(world: &'a World, url: &'a str) -> Self {
        Self { world, url }
    }

    /// The REST address of a path that begins with a slash.
    fn api(&self, path: &str) -> String {
        format!("{}/api/v3{path}", self.url)
    }

    /// The REST address of something in a repository.
    fn repo_api(&self, repo: &Repo, path: &str) -> String {
        format!("{}/api/v3/repos/{}{path}", self.url, repo.full_name())
    }

    /// The page of something in a repository.
    fn page(&self, repo: &Repo, path: &str) -> String {
        format!("{}/{}{path}", self.url, repo.full_name())
    }

    /// `simple-user`.
    pub(super) fn user(&self, login: &Login) -> Value {
        let id = self.world.users.get(login).map_or(1, |user| user.id);
        let api = self.api(&format!("/users/{login}"));
        json!({
            "login": login.as_str(),
            "id": id,
            "node_id": node("U", id),
            "avatar_url": format!("{}/avatars/{id}", self.url),
            "gravatar_id": "",
            "url": api,
            "html_url": format!("{}/{login}", self.url),
            "followers_url": format!("{api}/followers"),
            "following_url": format!("{api}/following{{/other_user}}"),
            "gists_url": format!("{api}/gists{{/gist_id}}"),
            "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{api}/subscriptions"),
            "organizations_url": format!("{api}/orgs"),
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events{{/privacy}}"),
            "received_events_url": format!("{api}/received_events"),
            "type": "User",
            "site_admin": false,
        })
    }

    /// `private-user`: what a user sees of itself.
    pub(super) fn own_user(&self, login: &Login) -> Value {
        let since = self
            .world
            .users
            .get(login)
            .map_or(Timestamp(0), |user| user.created_at);
        with(
            self.user(login),
            json!({
                "name": login.as_str(), "company": null, "blog": "", "location": null,
                "email": null, "hireable": null, "bio": null, "twitter_username": null,
                "notification_email": null, "public_repos": 0, "public_gists": 0,
                "followers": 0, "following": 0,
                "created_at": iso(since), "updated_at": iso(since),
                "private_gists": 0, "total_private_repos": 0, "owned_private_repos": 0,
                "disk_usage": 0, "collaborators": 0, "two_factor_authentication": true,
            }),
        )
    }

    /// `collaborator`: a user with what it may do in a repository.
    pub(super) fn collaborator(&self, login: &Login, permission: Permission) -> Value {
        with(
            self.user(login),
            json!({"permissions": permissions(permission), "role_name": permission.as_str()}),
        )
    }

    /// How an author stands to a repository.
    pub(super) fn association(&self, repo: &Repo, login: &Login) -> &'static str {
        match repo.permission(login) {
            Permission::Admin if *login == repo.owner => "OWNER",
            Permission::Read => "NONE",
            Permission::Triage | Permission::Write | Permission::Maintain | Permission::Admin => {
                "COLLABORATOR"
            }
        }
    }

    /// `label`.
    pub(super) fn label(&self, repo: &Repo, name: &str) -> Value {
        let id = repo.labels.get(name).copied().unwrap_or_default();
        let in_path = utf8_percent_encode(name, NON_ALPHANUMERIC);
        json!({
            "id": id,
            "node_id": node("LA", id),
            "url": self.repo_api(repo, &format!("/labels/{in_path}")),
            "name": name,
            "color": "ededed",
            "default": false,
            "description": null,
        })
    }
}

/// What a permission contains, as GitHub spells it out.
pub(super) fn permissions(permission: Permission) -> Value {
    json!({
        "pull": true,
        "triage": permission >= Permission::Triage,
        "push": permission >= Permission::Write,
        "maintain": permission >= Permission::Maintain,
        "admin": permission >= Permission::Admin,
    })
}

/// A moment in whole seconds, as GitHub writes it.
pub(super) fn iso(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string())
}

/// A moment that may not have come.
fn iso_or_null(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(iso(at)))
}

/// GitHub's second kind of id.
fn node(kind: &str, id: u64) -> String {
    format!("{kind}_practice{id}")
}

/// An object with the members of another added.
pub(super) fn with(base: Value, more: Value) -> Value {
    let mut merged = match base {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    if let Value::Object(more) = more {
        merged.extend(more);
    }
    Value::Object(merged)
}

/// Nobody reacts here.
fn reactions(of: &str) -> Value {
    json!({
        "url": format!("{of}/reactions"),
        "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0,
        "confused": 0, "heart": 0, "rocket": 0, "eyes": 0,
    })
}
