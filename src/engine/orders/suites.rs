//! The suites of a run's commit: reading the file, and putting up the jobs.

use super::super::repo::Repo;
use super::Done;
use super::trouble::Trouble;
use crate::clock;
use crate::git::{Astray, Changes, FileAt, GitError, Mirror};
use crate::store::StoreError;
use paprq_core::ids::{CommitId, JobId, RunId};
use paprq_core::jobs::{Job, JobState, Subject};
use paprq_core::queue::event::{Event, SuiteFile, SuitesFound};
use paprq_core::queue::note::Link;
use paprq_core::queue::run::{Purpose, Run};
use paprq_core::suite::{self, FILE_BYTES_MAX, Pass, Suite};

/// Reads the file of suites in a commit, and what is known of them already. `since` is what the
/// commit is compared with, to see which paths were changed.
pub(super) async fn read(
    repo: &Repo,
    run: RunId,
    commit: CommitId,
    since: Option<CommitId>,
) -> Result<Done, Trouble> {
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    let mut found = found(repo, run, commit, since).await?;
    if let SuitesFound::Suites(file) = &mut found {
        file.passed = passed_before(repo, commit, &file.suites).await?;
    }
    Ok(Done::answered(Event::SuitesRead { run, found }))
}

async fn found(
    repo: &Repo,
    run: RunId,
    commit: CommitId,
    since: Option<CommitId>,
) -> Result<SuitesFound, GitError> {
    let mirror = repo.shared().mirror.clone();
    mirror.fetch_commit(commit).await?;
    // A branch's tip is pinned by nobody else.
    mirror.pin(run, commit)?;
    let names = repo.shared().suite_files.clone();
    let reader = Reader {
        mirror,
        commit,
        since,
    };
    let found = tokio::task::spawn_blocking(move || reader.find(&names)).await;
    found.map_err(|error| GitError::Io {
        doing: "wait for a thread",
        source: error.into(),
    })?
}

/// Reads one commit.
struct Reader {
    mirror: Mirror,
    commit: CommitId,
    since: Option<CommitId>,
}

impl Reader {
    fn find(&self, names: &[String]) -> Result<SuitesFound, GitError> {
        for name in names {
            match self
                .mirror
                .read_file(self.commit, name, FILE_BYTES_MAX as u64)?
            {
                FileAt::Absent => {}
                FileAt::TooLarge { .. } => {
                    let message = format!("file is larger than {FILE_BYTES_MAX} bytes");
                    return Ok(invalid(name, message));
                }
                FileAt::Astray(astray) => {
                    return Ok(invalid(name, astray_words(astray).to_owned()));
                }
                FileAt::Content(bytes) => return self.parse(name, &bytes),
            }
        }
        Ok(SuitesFound::NoFile)
    }

    fn parse(&self, name: &str, bytes: &[u8]) -> Result<SuitesFound, GitError> {
        let suites = match suite::read(name, bytes) {
            Ok(suites) => suites,
            Err(error) => {
                return Ok(invalid(name, error.message));
            }
        };
        let since = self.since.filter(|since| self.mirror.has(*since));
        let mut changed = None;
        let mut untouched = Vec::new();
        // Where it is not known what was there before, everything may have changed.
        if let Some(since) = since {
            changed = self
                .mirror
                .differs(since, self.commit, name)?
                .then(|| name.to_owned());
            untouched = self.untouched(since, &suites)?;
        }
        Ok(SuitesFound::Suites(SuiteFile {
            suites,
            untouched,
            passed: Vec::new(),
            changed,
        }))
    }

    /// The contexts of the suites that no changed path is about.
    fn untouched(&self, since: CommitId, suites: &[Suite]) -> Result<Vec<String>, GitError> {
        let paths: Vec<_> = match self.mirror.changed_paths(since, self.commit)? {
            Changes::Paths(paths) => paths.into_iter().collect(),
            Changes::Everything => return Ok(Vec::new()),
        };
        let untouched = suite::untouched(suites, &paths).into_iter();
        Ok(untouched.map(|suite| suite.context.clone()).collect())
    }
}

fn astray_words(astray: Astray) -> &'static str {
    match astray {
        Astray::Outside => "it is a symbolic link that leads out of the repository",
        Astray::Nowhere => "it is a symbolic link that leads to no file of the repository",
        Astray::Around => "it is a symbolic link that leads in a circle",
    }
}

fn invalid(file: &str, message: String) -> SuitesFound {
    SuitesFound::Invalid {
        file: file.to_owned(),
        message,
    }
}

/// The suites that passed before on the tree of this commit, with links to the jobs.
async fn passed_before(
    repo: &Repo,
    commit: CommitId,
    suites: &[Suite],
) -> Result<Vec<Link>, Trouble> {
    let tree = repo.mirror().tree_of(commit)?.to_string();
    let passes: Result<Vec<Pass>, StoreError> =
        repo.shared().store.passes(repo.label(), tree).await;
    let passes = passes?;
    let (kept_s, now) = (repo.reuse_s(), clock::now());
    let links = suites.iter().filter_map(|suite| {
        let pass = suite::standing_pass(suite, &passes, kept_s, now)?;
        Some(Link {
            name: suite.context.clone(),
            url: repo.job_page(pass.job),
        })
    });
    Ok(links.collect())
}

/// Puts up a job for each suite.
pub(super) async fn start(
    repo: &Repo,
    run: RunId,
    commit: CommitId,
    suites: &[Suite],
) -> Result<Done, Trouble> {
    let Some(brief) = brief(repo, run) else {
        return Ok(Done::Quietly);
    };
    let tree = repo.mirror().tree_of(commit)?.to_string();
    let made_at = clock::now();
    let jobs = suites.iter().map(|suite| Job {
        id: JobId(0),
        repo: repo.label().clone(),
        run,
        purpose: brief.purpose,
        priority: brief.priority,
        commit,
        subject: brief.subject.clone(),
        tree: Some(tree.clone()),
        suite: suite.clone(),
        made_at,
        state: JobState::Waiting,
        attempts: Vec::new(),
    });
    repo.shared().jobs.put_up(jobs.collect()).await?;
    Ok(Done::Quietly)
}

/// What all jobs of a run have in common.
struct Brief {
    purpose: Purpose,
    priority: i64,
    subject: Subject,
}

/// `None` if the run is over.
fn brief(repo: &Repo, run: RunId) -> Option<Brief> {
    repo.look(|queue| {
        let run = queue.run(run).filter(|run| !run.is_over())?;
        let pulls = run.members.iter();
        let pulls: Vec<_> = pulls.filter_map(|member| queue.pull(member.pull)).collect();
        let priority = pulls.iter().map(|pull| pull.priority.value).max();
        Some(Brief {
            purpose: run.purpose,
            priority: priority.unwrap_or_default(),
            subject: Subject {
                pull: pulls.first().map(|pull| pull.number()),
                labels: pulls
                    .first()
                    .map(|pull| pull.facts.labels.clone())
                    .unwrap_or_default(),
                identity: identity(run),
                branch: queue.test_branch(run).to_string(),
            },
        })
    })
}

/// The commit that people know, where it is another than the job's own.
fn identity(run: &Run) -> Option<CommitId> {
    let tested = run.merge().map(|made| made.merge);
    run.identity().filter(|identity| tested != Some(*identity))
}

/// Stops what is left of a run's jobs.
pub(super) async fn cancel(repo: &Repo, run: RunId) -> Result<Done, Trouble> {
    repo.shared().jobs.cancel_run(run).await?;
    Ok(Done::Quietly)
}

/// Stops what is left of some suites of a run.
pub(super) async fn cancel_some(
    repo: &Repo,
    run: RunId,
    contexts: Vec<String>,
) -> Result<Done, Trouble> {
    repo.shared().jobs.cancel_suites(run, contexts).await?;
    Ok(Done::Quietly)
}
