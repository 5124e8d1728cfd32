//! Rollups: one pull that holds several approved ones, made by a person in their own fork.
//!
//! The merges are made in our mirror, like those of runs; what is pushed and opened is with the
//! person's token.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

use super::mirroring::bring;
use super::{Engine, Person, Repo};
use crate::clock;
use crate::git::{self, GitError, Merge, PullHead, PushKind, PushOutcome, Remote};
use crate::github::{ApiError, NewPull, Slug};
use paprq_core::ids::{BranchName, CommitId, Login, PullNumber};
use paprq_core::notes;
use paprq_core::queue::event::Event;

/// A rollup that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rollup {
    /// The pull.
    pub number: PullNumber,
    /// The pulls in it, in the order in which they were merged.
    pub merged: Vec<PullNumber>,
    /// The pulls that are not: they conflict, or have nothing to add.
    pub failed: Vec<PullNumber>,
}

/// Why no rollup was made.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// None was chosen.
    #[error("make a rollup of nothing")]
    Nothing,
    /// These are not approved as they are now: the person chooses again.
    #[error("make a rollup of pulls that are not approved")]
    NotApproved(Vec<PullNumber>),
    /// They go to different branches: the person chooses again.
    #[error("make a rollup of pulls that go to different branches")]
    DifferentBases,
    /// The base branch does not exist.
    #[error("make a rollup onto {0}, which does not exist")]
    NoBase(BranchName),
    /// Not one of them could be merged.
    #[error("make a rollup: no pull could be merged")]
    NothingMerged(Vec<PullNumber>),
    /// The person's fork does not take the branch, for this reason.
    #[error("push a rollup: {0}")]
    PushRefused(String),
    /// GitHub did not do as it was asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Git did not.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The task that did it was lost.
    #[error("wait for a task")]
    Task(#[from] tokio::task::JoinError),
}

/// A pull to be rolled up.
#[derive(Clone, Debug)]
struct Member {
    number: PullNumber,
    title: String,
    head: CommitId,
    base: BranchName,
    message: String,
}

impl Member {
    fn at_head(&self) -> PullHead {
        PullHead {
            pull: self.number,
            commit: self.head,
        }
    }
}

/// What the mirror made of the members.
#[derive(Debug)]
struct Made {
    tip: CommitId,
    merged: Vec<(PullNumber, String)>,
    failed: Vec<(PullNumber, String)>,
}

impl Engine {
    /// Makes a rollup of approved pulls of one base branch, in the order of their numbers.
    ///
    /// In a task of its own: a browser that goes away does not leave it half done.
    ///
    /// # Errors
    /// See [`RollupError`].
    pub async fn make_rollup(
        &self,
        repo: &Repo,
        person: Person,
        numbers: Vec<PullNumber>,
    ) -> Result<Rollup, RollupError> {
        let (engine, repo) = (self.clone(), repo.clone());
        let making = tokio::spawn(async move {
            let work = Work {
                engine: &engine,
                repo: &repo,
                person: &person,
            };
            work.make(numbers).await
        });
        making.await?
    }
}

impl Repo {
    /// Tells the queue that a rollup was opened, for its members' labels (homu: `rollup_made`).
    async fn rollup_made(&self, rollup: &Rollup, by: &Login) {
        tracing::info!(
            repo.label = %self.label(), pull.number = %rollup.number, by = %by,
            merged = rollup.merged.len(), failed = rollup.failed.len(), "a rollup was made"
        );
        let made = Event::RollupMade {
            pulls: rollup.merged.clone(),
            rollup: rollup.number,
        };
        if let Err(error) = self.take_in(None, vec![made]).await {
            // The rollup is there; only its members' labels are not.
            tracing::warn!(repo.label = %self.label(), %error, "a rollup was not written down");
        }
    }
}

/// A rollup in the making.
struct Work<'a> {
    engine: &'a Engine,
    repo: &'a Repo,
    person: &'a Person,
}

impl Work<'_> {
    async fn make(&self, numbers: Vec<PullNumber>) -> Result<Rollup, RollupError> {
        let members = members(self.repo, numbers)?;
        let Some(base) = members.first().map(|member| member.base.clone()) else {
            return Err(RollupError::Nothing);
        };
        let api = &self.repo.shared().api;
        let Some(base_tip) = api.branch_tip(&base).await? else {
            return Err(RollupError::NoBase(base));
        };
        let made = self.merge(&base, base_tip, members).await?;
        let numbers = |pulls: &[(PullNumber, String)]| -> Vec<_> {
            pulls.iter().map(|(number, _)| *number).collect()
        };
        if made.merged.is_empty() {
            return Err(RollupError::NothingMerged(numbers(&made.failed)));
        }
        let rollup = Rollup {
            number: self.propose(base, &made).await?,
            merged: numbers(&made.merged),
            failed: numbers(&made.failed),
        };
        self.repo.rollup_made(&rollup, self.person.login()).await;
        Ok(rollup)
    }

    /// Merges the members one onto the other; those that conflict are left out.
    async fn merge(
        &self,
        base: &BranchName,
        base_tip: CommitId,
        members: Vec<Member>,
    ) -> Result<Made, RollupError> {
        let mirror = self.repo.mirror();
        let heads: Vec<_> = members.iter().map(Member::at_head).collect();
        bring(mirror, base, base_tip, &heads).await?;
        let (committer, now) = (self.committer(), clock::now());
        let mut made = Made {
            tip: base_tip,
            merged: Vec::new(),
            failed: Vec::new(),
        };
        for member in members {
            let merge = mirror.merge(made.tip, member.head, &member.message, &committer, now);
            let shown = (member.number, member.title);
            match merge.await? {
                Merge::Made(commit) => {
                    made.tip = commit;
                    made.merged.push(shown);
                }
                Merge::Conflict { .. } | Merge::AlreadyMerged => made.failed.push(shown),
            }
        }
        Ok(made)
    }

    /// The person, by the address that GitHub knows every account by.
    fn committer(&self) -> git::Person {
        let login = self.person.login();
        git::Person {
            name: login.to_string(),
            email: format!("{login}@users.noreply.github.com"),
        }
    }

    /// Pushes what was made to the person's fork and opens the pull.
    async fn propose(&self, base: BranchName, made: &Made) -> Result<PullNumber, RollupError> {
        let suffix = hex::encode(rand::random::<[u8; 4]>());
        let branches = &self.repo.config().branches;
        let branch = BranchName::new(format!("{}-{suffix}", branches.rollup));
        let fork = self.fork().await?;
        self.push(&fork, made.tip, &branch).await?;
        let text = notes::rollup(&made.merged, &made.failed, self.repo.links());
        let pull = NewPull {
            title: text.title,
            body: text.body,
            head: format!("{}:{branch}", fork.owner()),
            base,
        };
        Ok(self.upstream().open_pull(&pull).await?)
    }

    /// The repository as the person sees it.
    fn upstream(&self) -> crate::github::Repo {
        self.person.github.repo(self.repo.name_now())
    }

    /// Where the person may push: their fork, or the repository itself where it is theirs, because
    /// nobody can fork what is their own.
    async fn fork(&self) -> Result<Slug, ApiError> {
        let upstream = self.repo.name_now();
        if Login::new(upstream.owner()) == *self.person.login() {
            return Ok(upstream);
        }
        self.upstream().fork().await
    }

    /// Pushes to a fork; one that was just made may not be there for git yet.
    async fn push(
        &self,
        fork: &Slug,
        commit: CommitId,
        branch: &BranchName,
    ) -> Result<(), RollupError> {
        let patience = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(8))
            .with_max_times(6);
        let push = || self.push_once(fork, commit, branch);
        let pushed = push
            .retry(patience)
            .sleep(tokio::time::sleep)
            .when(|error| {
                matches!(
                    error,
                    GitError::Gone(_) | GitError::Transient(_) | GitError::Unknown(_)
                )
            });
        match pushed.await? {
            PushOutcome::Done => Ok(()),
            PushOutcome::Refused { reason } => Err(RollupError::PushRefused(reason)),
            PushOutcome::Moved { .. } => Err(RollupError::PushRefused(format!(
                "{branch} moves meanwhile"
            ))),
        }
    }

    /// To the fork, with the person's token.
    async fn push_once(
        &self,
        fork: &Slug,
        commit: CommitId,
        branch: &BranchName,
    ) -> Result<PushOutcome, GitError> {
        let remote = Remote {
            url: format!("{}/{fork}.git", http_url(&self.engine.config().github)),
            auth: git::RemoteAuth::Token(self.person.token.clone()),
        };
        let mirror = self.repo.mirror();
        mirror
            .push_to(&remote, commit, branch, PushKind::Overwrite)
            .await
    }
}

/// Below which address a token is taken: over ssh there is a key, and that is the bot's.
fn http_url(github: &crate::config::GitHub) -> &str {
    if github.git_url.starts_with("http") {
        &github.git_url
    } else {
        &github.web_url
    }
}

/// The pulls of these numbers, each once and in order, if all are approved as they are now.
fn members(repo: &Repo, mut numbers: Vec<PullNumber>) -> Result<Vec<Member>, RollupError> {
    numbers.sort();
    numbers.dedup();
    let mut members = Vec::new();
    let mut others = Vec::new();
    repo.look(|queue| {
        for number in numbers {
            let pull = queue.pull(number);
            let approved = pull.and_then(|pull| Some((pull, pull.standing_approval()?)));
            match approved {
                Some((pull, approval)) => members.push(Member {
                    number,
                    title: pull.facts.title.clone(),
                    head: approval.commit,
                    base: pull.facts.base.clone(),
                    message: queue.rollup_message(pull, approval.approver.as_str()),
                }),
                None => others.push(number),
            }
        }
    });
    if !others.is_empty() {
        return Err(RollupError::NotApproved(others));
    }
    let mut bases = members.iter().map(|member| &member.base);
    let first = bases.next().ok_or(RollupError::Nothing)?;
    if bases.any(|base| base != first) {
        return Err(RollupError::DifferentBases);
    }
    Ok(members)
}
