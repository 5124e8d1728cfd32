//! Renaming and transferring repositories. The number stays; the former name leads on, until somebody
//! takes it.

use serde_json::json;

use super::core::Core;
use super::hooks::News;
use super::setup::{owner_and_name, unknown_repo};
use super::{Practice, PracticeError};
use paprq_core::ids::Login;

impl Practice {
    /// Gives `OWNER/NAME` another name, or another owner and name. Its webhooks are told.
    ///
    /// # Errors
    /// If there is no such repository, the name is taken, or the disk fails.
    pub fn rename_repo(&self, old: &str, new: &str) -> Result<(), PracticeError> {
        self.core().rename_repo(old, new)
    }
}

impl Core {
    fn rename_repo(&self, old: &str, new: &str) -> Result<(), PracticeError> {
        let (owner, name) = owner_and_name(new)?;
        let path = self.new_directory(new)?;
        let mut world = self.world();
        let from = world
            .repo(old)
            .ok_or_else(|| unknown_repo(old))?
            .path
            .clone();
        std::fs::rename(from, &path).map_err(PracticeError::Disk)?;
        let mut repo = world.take_repo(old).ok_or_else(|| unknown_repo(old))?;
        let former = (repo.owner.clone(), repo.name.clone());
        if !repo.collaborators.contains_key(&former.0) {
            // Who gave it away goes on working there.
            let admin = super::Permission::Admin;
            repo.collaborators.insert(former.0.clone(), admin);
        }
        (repo.owner, repo.name, repo.path) = (owner.clone(), name, path);
        world.user(&owner, self.now());
        world.insert_repo(repo);
        world.follow_name(old, new);
        let news = news(new, &former, &owner);
        self.tell(&mut world, news);
        drop(world);
        self.changed();
        Ok(())
    }
}

/// GitHub's `repository` event.
fn news<'a>(repo: &'a str, former: &'a (Login, String), owner: &'a Login) -> News<'a> {
    let (action, changes) = if former.0 == *owner {
        (
            "renamed",
            json!({"repository": {"name": {"from": former.1}}}),
        )
    } else {
        let user = json!({"login": former.0.as_str()});
        ("transferred", json!({"owner": {"from": {"user": user}}}))
    };
    News {
        repo,
        event: "repository",
        action: Some(action),
        sender: &former.0,
        payload: json!({"changes": changes}),
    }
}
