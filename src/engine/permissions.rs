//! How far a repository trusts people, as those say who are asked about it.
//!
//! An answer is remembered for a minute from the moment of the question, so that a comment with
//! several commands and a sweep over many pulls do not ask again and again; a right that is
//! withdrawn stops counting within that minute. What failed is never remembered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::team::{Team, TeamError};
use crate::github::{self, ApiError};
use paprq_core::command::Permission;
use paprq_core::ids::{Login, Timestamp};
use paprq_core::queue::rules::Authority;

/// How long an answer counts, in milliseconds.
const KEPT_MS: u64 = 60_000;

/// Why it is not known how far somebody is trusted.
#[derive(Debug, thiserror::Error)]
pub(super) enum PermissionError {
    /// GitHub does not say.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The team service does not.
    #[error(transparent)]
    Team(#[from] TeamError),
}

/// What is known of people in one repository.
#[derive(Debug)]
pub(super) struct Permissions {
    authorities: Vec<Authority>,
    team: Team,
    known: Mutex<HashMap<Login, Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    permission: Permission,
    asked_at: Timestamp,
}

impl Known {
    /// By a clock that was set back, a moment to come is as old as any.
    fn counts_at(self, now: Timestamp) -> bool {
        self.asked_at <= now && now.ms_since(self.asked_at) < KEPT_MS
    }
}

impl Permissions {
    /// Nothing is known yet.
    pub(super) fn new(authorities: Vec<Authority>, team: Team) -> Self {
        Self {
            authorities,
            team,
            known: Mutex::default(),
        }
    }

    /// How far somebody is trusted: what any of those says who can be asked.
    ///
    /// # Errors
    /// If one of them does not say, and that could make a difference.
    pub(super) async fn of(
        &self,
        user: &Login,
        api: &github::Repo,
        now: Timestamp,
    ) -> Result<Permission, PermissionError> {
        let known = self.known().get(user).copied();
        if let Some(known) = known.filter(|known| known.counts_at(now)) {
            return Ok(known.permission);
        }
        let permission = self.ask(user, api).await?;
        let mut all = self.known();
        all.retain(|_, known| known.counts_at(now));
        let asked_at = now;
        all.insert(
            user.clone(),
            Known {
                permission,
                asked_at,
            },
        );
        Ok(permission)
    }

    async fn ask(&self, user: &Login, api: &github::Repo) -> Result<Permission, PermissionError> {
        let mut permission = Permission::Outsider;
        let mut failed = None;
        for authority in &self.authorities {
            match self.ask_one(*authority, user, api).await {
                Ok(Permission::Reviewer) => return Ok(Permission::Reviewer),
                Ok(found) => permission = permission.max(found),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(permission),
        }
    }

    async fn ask_one(
        &self,
        authority: Authority,
        user: &Login,
        api: &github::Repo,
    ) -> Result<Permission, PermissionError> {
        Ok(match authority {
            Authority::Collaborators if api.may_write(user).await? => Permission::Reviewer,
            Authority::Collaborators => Permission::Outsider,
            Authority::RustTeam => self.team.permission(user).await?,
        })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Login, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
