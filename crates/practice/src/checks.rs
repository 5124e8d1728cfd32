//! Commit statuses and check runs, as a CI service elsewhere sets them.

use serde_json::json;

use paprq_core::ids::{CommitId, Login};

use super::core::Core;
use super::disk::GitCommit;
use super::hooks::News;
use super::setup::unknown_repo;
use super::world::{CheckEnd, CheckRun, Conclusion, Repo, Status, StatusState};
use super::{Practice, PracticeError};

/// GitHub refuses longer ones: `POST /repos/{owner}/{repo}/statuses/{sha}`.
pub(super) const DESCRIPTION_CHARS_MAX: usize = 140;

/// The app of check runs whose app is not said.
pub(super) const CI_APP: u64 = 1;

/// GitHub tells at most so many branches that contain a commit.
const BRANCHES_SHOWN: usize = 10;

/// A status to be set.
#[derive(Clone, Debug)]
pub(super) struct NewStatus {
    pub(super) state: StatusState,
    pub(super) context: String,
    pub(super) description: Option<String>,
    pub(super) target_url: Option<String>,
    pub(super) creator: Login,
}

impl Practice {
    /// Sets a commit's status as an external CI does.
    ///
    /// # Errors
    /// If repository or commit do not exist.
    pub fn set_status(
        &self,
        repo: &str,
        commit: CommitId,
        context: &str,
        state: StatusState,
    ) -> Result<(), PracticeError> {
        let new = NewStatus {
            state,
            context: context.to_owned(),
            description: None,
            target_url: Some(format!("{}/ci/{commit}", self.url())),
            creator: Login::new("external-ci"),
        };
        self.core().set_status(repo, commit, new).map(drop)
    }

    /// Starts a check run as an external CI does; returns its id.
    ///
    /// # Errors
    /// If repository or commit do not exist.
    pub fn create_check_run(
        &self,
        repo: &str,
        commit: CommitId,
        name: &str,
    ) -> Result<u64, PracticeError> {
        self.create_check_run_of(repo, commit, name, CI_APP)
    }

    /// The same for another app. Each check run that is made so has a check suite of its own, as each
    /// workflow of GitHub Actions has.
    ///
    /// # Errors
    /// If repository or commit do not exist.
    pub fn create_check_run_of(
        &self,
        repo: &str,
        commit: CommitId,
        name: &str,
        app: u64,
    ) -> Result<u64, PracticeError> {
        let core = self.core();
        if !core.disk(repo)?.has_commit(commit) {
            return Err(PracticeError::Unknown(format!("commit {commit}")));
        }
        let suite = core.world().next_id();
        self.begin_check_run(
            repo,
            CheckRun {
                id: 0,
                app,
                suite,
                name: name.to_owned(),
                commit,
                details_url: format!("{}/ci/{commit}", self.url()),
                started_at: self.core().now(),
                end: None,
            },
        )
    }

    /// Starts another check run in the check suite of this one; of the same name, it is this one's
    /// next attempt.
    ///
    /// # Errors
    /// If there is no such check run.
    pub fn create_check_run_beside(
        &self,
        repo: &str,
        id: u64,
        name: &str,
    ) -> Result<u64, PracticeError> {
        let beside = self.core().change_repo(repo, |repo| {
            let mut runs = repo.check_runs.iter();
            runs.find(|run| run.id == id).cloned()
        })?;
        let beside = beside.ok_or_else(|| PracticeError::Unknown(format!("check run {id}")))?;
        let name = name.to_owned();
        let (started_at, end) = (self.core().now(), None);
        self.begin_check_run(
            repo,
            CheckRun {
                name,
                started_at,
                end,
                ..beside
            },
        )
    }

    fn begin_check_run(&self, repo: &str, run: CheckRun) -> Result<u64, PracticeError> {
        let core = self.core();
        let id = core.world().next_id();
        core.change_repo(repo, |repo| repo.check_runs.push(CheckRun { id, ..run }))?;
        core.tell_check_run(repo, id, "created");
        Ok(id)
    }

    /// Lets a check run that has ended run again under the same number, of which no webhook tells.
    ///
    /// # Errors
    /// If there is no such check run.
    pub fn restart_check_run(&self, repo: &str, id: u64) -> Result<(), PracticeError> {
        let found = self.core().change_repo(repo, |repo| {
            let run = repo.check_runs.iter_mut().find(|run| run.id == id);
            run.map(|run| run.end = None)
        })?;
        found.ok_or_else(|| PracticeError::Unknown(format!("check run {id}")))
    }

    /// Ends a check run.
    ///
    /// # Errors
    /// If there is no such check run.
    pub fn complete_check_run(
        &self,
        repo: &str,
        id: u64,
        conclusion: Conclusion,
    ) -> Result<(), PracticeError> {
        let end = CheckEnd {
            at: self.core().now(),
            conclusion,
        };
        let found = self.core().change_repo(repo, |repo| {
            let run = repo.check_runs.iter_mut().find(|run| run.id == id);
            run.map(|run| run.end = Some(end))
        })?;
        found.ok_or_else(|| PracticeError::Unknown(format!("check run {id}")))?;
        self.core().tell_check_run(repo, id, "completed");
        self.core().tell_completed_suite(repo, id);
        Ok(())
    }
}

impl Core {
    pub(super) fn set_status(
        &self,
        repo: &str,
        commit: CommitId,
        new: NewStatus,
    ) -> Result<Status, PracticeError> {
        let disk = self.disk(repo)?;
        if !disk.has_commit(commit) {
            return Err(PracticeError::Unknown(format!("commit {commit}")));
        }
        let facts = disk.commit(commit)?;
        let now = self.now();
        let mut world = self.world();
        world.user(&new.creator, now);
        let status = Status {
            id: world.next_id(),
            creator: new.creator,
            commit,
            state: new.state,
            context: new.context,
            description: new.description,
            target_url: new.target_url,
            at: now,
        };
        let found = world.repo_mut(repo).ok_or_else(|| unknown_repo(repo))?;
        let all = found.statuses.entry(commit).or_default();
        all.push(status.clone());
        let tips = branches_at(found, commit);
        drop(world);
        self.tell_status(repo, &status, &facts, &tips);
        self.changed();
        Ok(status)
    }

    fn tell_status(&self, repo: &str, status: &Status, facts: &GitCommit, branches: &[String]) {
        let mut world = self.world();
        let Some(found) = world.repo(repo) else {
            return;
        };
        let shapes = self.shapes(&world);
        let branches: Vec<_> = branches
            .iter()
            .map(|name| shapes.short_branch(found, name, status.commit))
            .collect();
        let payload = json!({
            "id": status.id,
            "sha": status.commit.to_string(),
            "name": found.full_name(),
            "avatar_url": null,
            "target_url": status.target_url,
            "context": status.context,
            "description": status.description,
            "state": status.state.as_str(),
            "commit": shapes.commit(found, facts),
            "branches": branches,
            "created_at": super::json::iso(status.at),
            "updated_at": super::json::iso(status.at),
        });
        self.tell(
            &mut world,
            News {
                repo,
                event: "status",
                action: None,
                sender: &status.creator,
                payload,
            },
        );
    }

    /// Tells of the check suite of a check run, if that was the last of it to be completed.
    fn tell_completed_suite(&self, repo: &str, id: u64) {
        let completed = self.read_repo(repo, |repo| {
            let run = repo.check_runs.iter().find(|run| run.id == id)?;
            repo.is_suite_completed(run.suite)
                .then_some((run.suite, run.commit))
        });
        let Ok(Some((suite, commit))) = completed else {
            return;
        };
        let Ok(facts) = self.disk(repo).and_then(|disk| disk.commit(commit)) else {
            return;
        };
        let mut world = self.world();
        let Some(found) = world.repo(repo) else {
            return;
        };
        let sender = found.owner.clone();
        let payload = json!({"check_suite": self.shapes(&world).check_suite(found, suite, &facts)});
        self.tell(
            &mut world,
            News {
                repo,
                event: "check_suite",
                action: Some("completed"),
                sender: &sender,
                payload,
            },
        );
    }

    fn tell_check_run(&self, repo: &str, id: u64, action: &str) {
        let mut world = self.world();
        let Some(found) = world.repo(repo) else {
            return;
        };
        let Some(run) = found.check_runs.iter().find(|run| run.id == id) else {
            return;
        };
        let sender = found.owner.clone();
        let payload = json!({"check_run": self.shapes(&world).check_run_with_suite(found, run)});
        self.tell(
            &mut world,
            News {
                repo,
                event: "check_run",
                action: Some(action),
                sender: &sender,
                payload,
            },
        );
    }
}

/// The branches whose tip is this commit. GitHub also names those that merely contain it.
fn branches_at(repo: &Repo, commit: CommitId) -> Vec<String> {
    repo.branches()
        .filter(|(_, tip)| *tip == commit)
        .take(BRANCHES_SHOWN)
        .map(|(name, _)| name.to_owned())
        .collect()
}
