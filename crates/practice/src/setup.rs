//! Making users, repositories, forks and webhooks.

use paprq_core::ids::{CommitId, Login};

use super::core::Core;
use super::disk::{Change, Disk};
use super::world::{Hook, NewRepo, Permission, Repo};
use super::{Practice, PracticeError};

/// The default branch of repositories.
const DEFAULT_BRANCH: &str = "master";

impl Practice {
    /// Makes a user, or gives one a token. `GET /user` answers the login of the token it carries.
    pub fn add_user(&self, login: &str, token: Option<&str>) {
        let login = Login::new(login);
        let mut world = self.core().world();
        world.user(&login, self.core().now());
        if let Some(token) = token {
            world.tokens.insert(token.to_owned(), login);
        }
    }

    /// Makes `OWNER/NAME` with one commit of these files on `master`; returns the commit.
    ///
    /// # Errors
    /// If it exists, or the disk or git fails.
    pub fn create_repo<C: Into<Change>>(
        &self,
        repo: &str,
        files: impl IntoIterator<Item = C>,
    ) -> Result<CommitId, PracticeError> {
        self.create_repo_on(repo, DEFAULT_BRANCH, files)
    }

    /// The same with another default branch.
    ///
    /// # Errors
    /// If it exists, or the disk or git fails.
    pub fn create_repo_on<C: Into<Change>>(
        &self,
        repo: &str,
        branch: &str,
        files: impl IntoIterator<Item = C>,
    ) -> Result<CommitId, PracticeError> {
        let core = self.core();
        let (owner, name) = owner_and_name(repo)?;
        let files: Vec<Change> = files.into_iter().map(Into::into).collect();
        let author = core.signature(&owner, core.now());
        let path = core.new_directory(repo)?;
        let disk = Disk::create(&path, branch, &files, &author)?;
        core.add_repo(owner, name, branch, &disk)?;
        disk.tip(&format!("refs/heads/{branch}"))?
            .ok_or_else(|| PracticeError::Unknown(format!("branch {branch}")))
    }

    /// Makes `OWNER/NAME` of a repository's name under another owner, with the same branches.
    /// Pulls name its branches `OWNER:BRANCH`.
    ///
    /// # Errors
    /// If the repository does not exist, the fork does, or git fails.
    pub fn fork(&self, repo: &str, owner: &str) -> Result<(), PracticeError> {
        self.core().fork(repo, owner)
    }

    /// Gives a user a permission in a repository.
    ///
    /// # Errors
    /// If the repository does not exist.
    pub fn add_collaborator(
        &self,
        repo: &str,
        login: &str,
        permission: Permission,
    ) -> Result<(), PracticeError> {
        self.add_user(login, None);
        let core = self.core();
        core.change_repo(repo, |repo| {
            repo.collaborators.insert(Login::new(login), permission);
        })
    }

    /// Takes a user's permission away.
    ///
    /// # Errors
    /// If the repository does not exist.
    pub fn remove_collaborator(&self, repo: &str, login: &str) -> Result<(), PracticeError> {
        self.core().change_repo(repo, |repo| {
            repo.collaborators.remove(&Login::new(login));
        })
    }

    /// Delivers all of a repository's events to this address from now on; returns the webhook's id.
    ///
    /// # Errors
    /// If the repository does not exist.
    pub fn add_webhook(&self, repo: &str, url: &str, secret: &str) -> Result<u64, PracticeError> {
        let core = self.core();
        let id = core.world().next_id();
        let hook = Hook {
            id,
            url: url.to_owned(),
            secret: secret.to_owned(),
            created_at: self.core().now(),
        };
        core.change_repo(repo, |repo| repo.hooks.push(hook))?;
        Ok(id)
    }

    /// Points a webhook elsewhere: a server that came back on another port.
    ///
    /// # Errors
    /// If there is no such webhook.
    pub fn move_webhook(&self, repo: &str, id: u64, url: &str) -> Result<(), PracticeError> {
        let moved = self.core().change_repo(repo, |repo| {
            let hook = repo.hooks.iter_mut().find(|hook| hook.id == id);
            hook.map(|hook| url.clone_into(&mut hook.url))
        })?;
        moved.ok_or_else(|| PracticeError::Unknown(format!("webhook {id}")))
    }
}

impl Core {
    pub(super) fn fork(&self, repo: &str, owner: &str) -> Result<(), PracticeError> {
        let (_, name) = owner_and_name(repo)?;
        let from = self.read_repo(repo, |repo| {
            (repo.path.clone(), repo.default_branch.clone())
        })?;
        let path = self.new_directory(&format!("{owner}/{name}"))?;
        let disk = Disk::fork(&from.0, &path)?;
        self.signature(&Login::new(owner), self.now());
        self.add_repo(Login::new(owner), name.clone(), &from.1, &disk)?;
        if let Some(fork) = self.world().repo_mut(&format!("{owner}/{name}")) {
            fork.parent = Some(repo.to_owned());
        }
        self.changed();
        Ok(())
    }

    pub(super) fn new_directory(&self, repo: &str) -> Result<std::path::PathBuf, PracticeError> {
        if self.world().repo(repo).is_some() {
            return Err(PracticeError::Refused(format!("{repo} exists")));
        }
        let path = self.dir.join(format!("{repo}.git"));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(PracticeError::Disk)?;
        }
        Ok(path)
    }

    fn add_repo(
        &self,
        owner: Login,
        name: String,
        branch: &str,
        disk: &Disk,
    ) -> Result<(), PracticeError> {
        let tips = disk.tips("refs/")?;
        let mut world = self.world();
        let new = NewRepo {
            id: world.next_id(),
            path: self.dir.join(format!("{owner}/{name}.git")),
            owner,
            name,
            default_branch: branch.to_owned(),
            parent: None,
            tips,
        };
        world.insert_repo(Repo::new(new, self.now()));
        drop(world);
        self.changed();
        Ok(())
    }

    /// Reads something of a repository.
    pub(super) fn read_repo<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Repo) -> T,
    ) -> Result<T, PracticeError> {
        let world = self.world();
        let repo = world.repo(name).ok_or_else(|| unknown_repo(name))?;
        Ok(read(repo))
    }

    /// Changes something in a repository, and wakes who waits.
    pub(super) fn change_repo<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Repo) -> T,
    ) -> Result<T, PracticeError> {
        let mut world = self.world();
        let repo = world.repo_mut(name).ok_or_else(|| unknown_repo(name))?;
        let changed = change(repo);
        drop(world);
        self.changed();
        Ok(changed)
    }
}

pub(super) fn unknown_repo(name: &str) -> PracticeError {
    PracticeError::Unknown(format!("repository {name}"))
}

pub(super) fn owner_and_name(repo: &str) -> Result<(Login, String), PracticeError> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match repo.split_once('/') {
        Some((owner, name)) if plain(owner) && plain(name) => {
            Ok((Login::new(owner), name.to_owned()))
        }
        Some(_) | None => Err(PracticeError::Refused(format!("{repo} is no OWNER/NAME"))),
    }
}
