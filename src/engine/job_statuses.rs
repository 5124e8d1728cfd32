//! Where jobs stand, and how a pull's new priority or labels reach them.

use super::job_service::JobService;
use crate::store::StoreError;
use paprq_core::ids::{JobId, RunId, Timestamp};
use paprq_core::jobs::{JobStatus, Offer, WorkerKey};
use paprq_core::notes;
use paprq_core::queue::JobWords;

/// Where a job stands that is not over, in words.
#[derive(Clone, Debug)]
pub struct JobStatusInWords {
    /// What it waits for or does, without a full stop.
    pub words: String,
    /// What happens at the latest when.
    pub deadlines: Vec<(&'static str, Timestamp)>,
}

/// A worker that is there.
#[derive(Clone, Debug)]
pub struct KnownWorker {
    /// Who.
    pub key: WorkerKey,
    /// What it offers.
    pub offer: Offer,
    /// How many of its slots its jobs fill.
    pub slots_used: u32,
}

impl JobStatusInWords {
    fn new(status: &JobStatus, now: Timestamp) -> Self {
        Self {
            words: notes::job_status(status, now),
            deadlines: notes::deadlines(status),
        }
    }
}

impl JobService {
    /// Where a job stands, if it is not over.
    pub async fn status(&self, job: JobId) -> Option<JobStatusInWords> {
        self.look(|board, now| Some(JobStatusInWords::new(&board.status(job, now)?, now)))
            .await
    }

    /// Where the jobs of a run stand that are not over, by their contexts, in words.
    pub async fn statuses_of(&self, run: RunId) -> Vec<(String, String)> {
        self.look(|board, now| {
            let jobs = board.jobs_of(run);
            jobs.filter_map(|job| {
                let words = notes::job_status(&board.status(job.id, now)?, now);
                Some((job.suite.context.clone(), words))
            })
            .collect()
        })
        .await
    }

    /// What the jobs of these runs wait for or do.
    pub async fn words(&self, runs: &[RunId]) -> JobWords {
        self.look(|board, now| {
            let jobs = runs.iter().flat_map(|run| board.jobs_of(*run));
            jobs.filter_map(|job| {
                let words = notes::job_status(&board.status(job.id, now)?, now);
                Some(((job.run, job.suite.context.clone()), words))
            })
            .collect()
        })
        .await
    }

    /// The workers that are there, by name.
    pub async fn workers(&self) -> Vec<KnownWorker> {
        self.look(|board, now| {
            let workers = board.workers(now);
            workers
                .map(|(key, offer, slots_used)| KnownWorker {
                    key: key.clone(),
                    offer: offer.clone(),
                    slots_used,
                })
                .collect()
        })
        .await
    }

    /// The pull of a run has another priority or other labels: its jobs are ranked anew.
    ///
    /// # Errors
    /// Nothing is changed if this fails.
    pub async fn rank(
        &self,
        run: RunId,
        priority: i64,
        labels: Vec<String>,
    ) -> Result<(), StoreError> {
        self.change_stored(move |board, _| board.rank(run, priority, &labels))
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::engine::job_service::Equipment;
    use crate::engine::live::Live;
    use crate::protocol::{Claim, LEASE_S};
    use crate::store::Store;
    use crate::store::logs::Logs;
    use paprq_core::ids::{CommitId, RepoLabel, WorkerId};
    use paprq_core::jobs::{Executor, Job, JobState, Policy, Subject};
    use paprq_core::queue::run::Purpose;

    fn job(context: &str, environment: &str) -> Job {
        let file = format!("context: {context}\n{environment}\ntests: [make]\n");
        let suites = paprq_core::suite::read(".papr.yml", file.as_bytes()).unwrap();
        Job {
            id: JobId(0),
            repo: RepoLabel::new("demo"),
            run: RunId(1),
            purpose: Purpose::Pull,
            priority: 0,
            commit: CommitId::ZERO,
            suite: suites.into_iter().next().unwrap(),
            subject: Subject::default(),
            tree: None,
            made_at: crate::clock::now(),
            state: JobState::Waiting,
            attempts: Vec::new(),
        }
    }

    async fn service(folder: &std::path::Path) -> (JobService, Store) {
        let store = Store::open(&folder.join("paprq.db")).unwrap();
        let equipment = Equipment {
            store: store.clone(),
            logs: Logs::open(&format!("file:{}", folder.display())).unwrap(),
            artifact_bounds: crate::protocol::ArtifactBounds::default(),
            live: Live::new(),
            tokens: BTreeMap::new(),
            places: HashMap::new(),
            base_url: String::new(),
            policy: Policy::new(LEASE_S),
        };
        (JobService::open(equipment).await.unwrap(), store)
    }

    #[tokio::test]
    async fn people_are_told_what_each_job_of_a_run_waits_for() {
        let folder = tempfile::tempdir().unwrap();
        let (service, _store) = service(folder.path()).await;
        let vm = job("vm", "host: {distro: d}");
        service
            .put_up(vec![job("unit", "sandbox: true"), vm])
            .await
            .unwrap();
        let claim = Claim {
            worker: WorkerId::new("w"),
            executors: vec![Executor::Sandbox],
            labels: Vec::new(),
            slots: 1,
            slots_free: 1,
            running: Vec::new(),
            wait_s: 0,
        };
        service.claim("token", claim).await.unwrap();
        let statuses = service.statuses_of(RunId(1)).await;
        let words: Vec<_> = statuses
            .iter()
            .map(|(context, words)| (context.as_str(), words.as_str()))
            .collect();
        assert_eq!(
            words,
            [
                ("unit", "Running for 0 min, attempt 1"),
                ("vm", "No worker offers vm"),
            ]
        );
        let known = service.workers().await;
        assert_eq!((known.len(), known[0].slots_used), (1, 1));
    }

    #[tokio::test]
    async fn a_new_priority_and_new_labels_are_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let (service, store) = service(folder.path()).await;
        service
            .put_up(vec![job("unit", "sandbox: true")])
            .await
            .unwrap();
        let labels = vec!["urgent".to_owned()];
        service.rank(RunId(1), 7, labels.clone()).await.unwrap();
        let written = store.open_jobs().await.unwrap();
        assert_eq!(
            (written[0].priority, &written[0].subject.labels),
            (7, &labels)
        );
    }
}
