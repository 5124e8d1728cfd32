//! Where jobs stand, and how a pull's new priority or labels reach them.

use super::desk::JobDesk;
use crate::ids::{JobId, RunId, Timestamp};
use crate::jobs::{Offer, Standing, WorkerKey};
use crate::notes;
use crate::store::StoreError;

/// Where a job stands that is not over, in words.
#[derive(Clone, Debug)]
pub struct JobStanding {
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

impl JobStanding {
    fn new(standing: &Standing, now: Timestamp) -> Self {
        Self {
            words: notes::standing(standing, now),
            deadlines: notes::deadlines(standing),
        }
    }
}

impl JobDesk {
    /// Where a job stands, if it is not over.
    pub async fn standing(&self, job: JobId) -> Option<JobStanding> {
        self.look(|board, now| Some(JobStanding::new(&board.standing(job, now)?, now)))
            .await
    }

    /// Where the jobs of a run stand that are not over, by their contexts, in words.
    pub async fn standings_of(&self, run: RunId) -> Vec<(String, String)> {
        self.look(|board, now| {
            let jobs = board.jobs_of(run);
            jobs.filter_map(|job| {
                let words = notes::standing(&board.standing(job.id, now)?, now);
                Some((job.suite.context.clone(), words))
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
