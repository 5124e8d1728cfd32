//! Bringing the remote's commits into the mirror, and asking where its branches are.

use std::path::Path;

use super::mirror::{branch_copy, branch_ref, forget_ref, merge_copy, pull_copy};
use super::program::Run;
use super::{GitError, Mirror, Remote};
use paprq_core::ids::{BranchName, CommitId, PullNumber};

/// What to fetch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fetch {
    /// All branches and the heads of all pulls, open or not. Forgets branches that are gone.
    Everything,
    /// All branches. Forgets those that are gone.
    Branches,
    /// One branch.
    Branch(BranchName),
    /// The head of one pull.
    Pull(PullNumber),
    /// These together; all or none. Nothing at all is no error.
    Refs(Vec<RemoteRef>),
}

/// A ref of the remote that the mirror follows.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RemoteRef {
    /// `refs/heads/NAME`.
    Branch(BranchName),
    /// `refs/pull/N/head`.
    Pull(PullNumber),
    /// `refs/pull/N/merge`: the pull merged into its base by GitHub, where that is possible.
    Merge(PullNumber),
}

impl RemoteRef {
    /// `+THERE:HERE`.
    fn refspec(&self) -> Result<String, GitError> {
        Ok(match self {
            Self::Branch(branch) => format!("+{}:{}", branch_ref(branch)?, branch_copy(branch)?),
            Self::Pull(pull) => format!("+refs/pull/{pull}/head:{}", pull_copy(*pull)),
            Self::Merge(pull) => format!("+refs/pull/{pull}/merge:{}", merge_copy(*pull)),
        })
    }

    fn copy(&self) -> Result<String, GitError> {
        match self {
            Self::Branch(branch) => branch_copy(branch),
            Self::Pull(pull) => Ok(pull_copy(*pull)),
            Self::Merge(pull) => Ok(merge_copy(*pull)),
        }
    }
}

/// A fetch, in git's words.
struct Plan {
    refspecs: Vec<String>,
    /// Forget what matches the refspecs here but not there.
    options: &'static [&'static str],
}

impl Plan {
    fn all(patterns: &[&str]) -> Self {
        Self {
            refspecs: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
            options: &["--prune"],
        }
    }

    fn some(refs: &[RemoteRef]) -> Result<Self, GitError> {
        Ok(Self {
            refspecs: refs
                .iter()
                .map(RemoteRef::refspec)
                .collect::<Result<_, _>>()?,
            options: &[],
        })
    }
}

const BRANCHES: &str = "+refs/heads/*:refs/remote/heads/*";
const PULLS: &str = "+refs/pull/*/head:refs/remote/pull/*/head";

impl Mirror {
    /// Brings commits and refs from the remote. Fetches of one mirror follow one another.
    ///
    /// # Errors
    /// [`GitError::Gone`] if the remote lacks a single ref that was asked for; the mirror then
    /// forgets it too. [`GitError::Transient`], [`GitError::Rejected`], [`GitError::BadName`].
    pub async fn fetch(&self, what: Fetch) -> Result<(), GitError> {
        match what {
            Fetch::Everything => self.fetch_all(&[BRANCHES, PULLS]).await,
            Fetch::Branches => self.fetch_all(&[BRANCHES]).await,
            Fetch::Branch(branch) => self.fetch_refs(&[RemoteRef::Branch(branch)]).await,
            Fetch::Pull(pull) => self.fetch_refs(&[RemoteRef::Pull(pull)]).await,
            Fetch::Refs(refs) => self.fetch_refs(&refs).await,
        }
    }

    /// Brings one commit that may be known by no ref, such as a head that was overwritten since.
    ///
    /// # Errors
    /// [`GitError::Gone`] if the remote does not have it or does not give it by its id.
    pub async fn fetch_commit(&self, commit: CommitId) -> Result<(), GitError> {
        self.fetch_commit_from(&self.remote(), commit).await
    }

    pub(super) async fn fetch_commit_from(
        &self,
        remote: &Remote,
        commit: CommitId,
    ) -> Result<(), GitError> {
        if self.has(commit) {
            return Ok(());
        }
        let plan = Plan {
            refspecs: vec![commit.to_string()],
            options: &[],
        };
        self.run_fetch(remote, &plan).await?;
        if self.has(commit) {
            Ok(())
        } else {
            Err(GitError::Gone(format!("{commit} is not a commit")))
        }
    }

    /// Asks the remote where a branch is now; `None` if there is none of that name.
    ///
    /// # Errors
    /// [`GitError::Transient`], [`GitError::Rejected`], [`GitError::BadName`], and
    /// [`GitError::Gone`] for the whole repository.
    pub async fn remote_tip(&self, branch: &BranchName) -> Result<Option<CommitId>, GitError> {
        self.tip_at(&self.remote(), branch).await
    }

    pub(super) async fn tip_at(
        &self,
        remote: &Remote,
        branch: &BranchName,
    ) -> Result<Option<CommitId>, GitError> {
        self.ref_at(remote, &branch_ref(branch)?).await
    }

    /// Asks the remote where the head of a pull is now; `None` if it has no such pull.
    ///
    /// # Errors
    /// [`GitError::Transient`], [`GitError::Rejected`], and [`GitError::Gone`] for the whole
    /// repository.
    pub async fn remote_head(&self, pull: PullNumber) -> Result<Option<CommitId>, GitError> {
        let name = format!("refs/pull/{pull}/head");
        self.ref_at(&self.remote(), &name).await
    }

    async fn ref_at(&self, remote: &Remote, name: &str) -> Result<Option<CommitId>, GitError> {
        let args = ["ls-remote", "--quiet", "--refs", "--", &remote.url, name];
        let run = self.git_with(remote, args).online()?;
        let output = run.finish(self.limits().ask_s).await?;
        let listed = output.remote_result()?;
        // The name is a pattern to git: `x/refs/heads/main` would be listed as well.
        Ok(String::from_utf8_lossy(&listed)
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .find(|(_, listed)| *listed == name)
            .and_then(|(commit, _)| commit.parse().ok()))
    }

    async fn fetch_all(&self, patterns: &[&str]) -> Result<(), GitError> {
        let _turn = self.fetch_turn().await;
        self.run_fetch(&self.remote(), &Plan::all(patterns)).await
    }

    async fn fetch_refs(&self, refs: &[RemoteRef]) -> Result<(), GitError> {
        if refs.is_empty() {
            return Ok(());
        }
        let plan = Plan::some(refs)?;
        let _turn = self.fetch_turn().await;
        let fetched = self.run_fetch(&self.remote(), &plan).await;
        match (&fetched, refs) {
            (Err(GitError::Gone(_)), [only]) => {
                forget_ref(&self.repository()?, &only.copy()?)?;
                fetched
            }
            // A branch `a` that is gone is in the way of a new `a/b`.
            (Err(GitError::Transient(said)), _) if said.contains("cannot lock ref") => {
                let all = Plan::all(&[BRANCHES]);
                self.run_fetch(&self.remote(), &all).await?;
                self.run_fetch(&self.remote(), &plan).await
            }
            _ => fetched,
        }
    }

    /// Brings one commit into another directory of objects, without a ref, within bounds.
    pub(super) async fn fetch_aside(&self, commit: CommitId, dir: &Path) -> Result<(), GitError> {
        let plan = Plan {
            refspecs: vec![commit.to_string()],
            options: &[],
        };
        let limits = self.limits();
        let run = self.fetch_command(&self.remote(), &plan).online()?;
        let run = run
            .with_memory(limits.memory_bytes)
            .with_files_up_to(limits.stranger_bytes)
            .env("GIT_OBJECT_DIRECTORY", dir)
            .env(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                self.dir().join("objects"),
            );
        run.finish(limits.fetch_s).await?.remote_result().map(drop)
    }

    async fn run_fetch(&self, remote: &Remote, plan: &Plan) -> Result<(), GitError> {
        let limits = self.limits();
        let (limit_s, memory_bytes) = if self.is_empty()? {
            (limits.clone_s, limits.bulk_memory_bytes)
        } else {
            (limits.fetch_s, limits.memory_bytes)
        };
        let run = self.fetch_command(remote, plan).online()?;
        let run = run.with_memory(memory_bytes);
        run.finish(limit_s).await?.remote_result().map(drop)
    }

    fn fetch_command(&self, remote: &Remote, plan: &Plan) -> Run {
        const ALWAYS: [&str; 6] = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-show-forced-updates",
        ];
        let refspecs = plan.refspecs.iter().map(String::as_str);
        let args = ALWAYS
            .into_iter()
            .chain(plan.options.iter().copied())
            .chain(["--no-recurse-submodules", "--", &remote.url])
            .chain(refspecs);
        self.git_with(remote, args)
    }

    fn is_empty(&self) -> Result<bool, GitError> {
        Ok(self.repository()?.references()?.next().is_none())
    }
}
