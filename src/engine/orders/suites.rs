//! The suites of a run's commit: reading the file, and putting up the jobs.

use super::super::repo::Repo;
use super::{Done, Passing};
use crate::clock;
use crate::git::{FileAt, GitError, Mirror};
use crate::ids::{CommitId, JobId, RunId};
use crate::jobs::{Job, JobState, Subject};
use crate::queue::event::{Event, SuitesFound};
use crate::suite::{self, FILE_BYTES_MAX, Suite};

/// Reads the file of suites in a commit.
pub(super) async fn read(repo: &Repo, run: RunId, commit: CommitId) -> Result<Done, Passing> {
    if !repo.is_live(run) {
        return Ok(Done::Quietly);
    }
    let mirror = repo.shared().mirror.clone();
    mirror.fetch_commit(commit).await?;
    let names = repo.shared().suite_files.clone();
    let found = tokio::task::spawn_blocking(move || find(&mirror, commit, &names)).await;
    let found = found.map_err(|error| GitError::Io {
        doing: "wait for a thread",
        source: error.into(),
    })??;
    Ok(Done::answered(Event::SuitesRead { run, found }))
}

fn find(mirror: &Mirror, commit: CommitId, names: &[String]) -> Result<SuitesFound, GitError> {
    let bytes_max = FILE_BYTES_MAX as u64;
    for name in names {
        match mirror.read_file(commit, name, bytes_max)? {
            FileAt::Absent => {}
            FileAt::TooLarge { .. } => {
                return Ok(SuitesFound::Invalid {
                    file: name.clone(),
                    message: format!("file is larger than {FILE_BYTES_MAX} bytes"),
                });
            }
            FileAt::Content(bytes) => return Ok(parse(name, &bytes)),
        }
    }
    Ok(SuitesFound::NoFile)
}

fn parse(name: &str, bytes: &[u8]) -> SuitesFound {
    match suite::read(name, bytes) {
        Ok(suites) => SuitesFound::Suites(suites),
        Err(error) => SuitesFound::Invalid {
            file: name.to_owned(),
            message: error.message,
        },
    }
}

/// Puts up a job for each suite.
pub(super) async fn start(
    repo: &Repo,
    run: RunId,
    commit: CommitId,
    suites: &[Suite],
) -> Result<Done, Passing> {
    let brief = repo.look(|queue| {
        let run = queue.run(run).filter(|run| !run.is_over())?;
        let pulls = run.members.iter();
        let priority = pulls
            .filter_map(|member| queue.pull(member.pull))
            .map(|pull| pull.priority.value)
            .max();
        Some((run.purpose, priority.unwrap_or_default()))
    });
    let Some((purpose, priority)) = brief else {
        return Ok(Done::Quietly);
    };
    let made_at = clock::now();
    let jobs = suites.iter().map(|suite| Job {
        id: JobId(0),
        repo: repo.label().clone(),
        run,
        purpose,
        priority,
        commit,
        subject: Subject::default(),
        suite: suite.clone(),
        made_at,
        state: JobState::Waiting,
        attempts: Vec::new(),
    });
    repo.shared().desk.put_up(jobs.collect()).await?;
    Ok(Done::Quietly)
}
