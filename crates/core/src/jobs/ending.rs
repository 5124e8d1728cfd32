//! How attempts and jobs end: by a report, by the loss of the worker, by time, by other jobs.

use super::ATTEMPTS_MAX;
use super::board::{Board, Entry, LeaseOver};
use super::job::{Attempt, AttemptEnd, Job, JobOutcome, JobState, Wish, WorkerFault, WorkerKey};
use super::need::Need;
use super::policy::Kind;
use super::waiting::is_overdue;
use super::workers::Sickness;
use crate::ids::{AttemptNumber, JobId, RunId, Timestamp};

/// How often waiting jobs are looked through for those that nobody can execute, in seconds.
const SWEEP_S: u64 = 60;
/// How much longer each time a job is kept from a worker that was lost with it more than once,
/// in seconds.
const SAME_WORKER_PAUSE_S: u64 = 60;

impl Board {
    /// A worker reports how its attempt ended. Returns what changed, that job first: it is over,
    /// or waits for another attempt.
    ///
    /// # Errors
    /// [`LeaseOver`] if the attempt does not count any more.
    pub fn finish(
        &mut self,
        now: Timestamp,
        attempt: Attempt,
        worker: &WorkerKey,
        outcome: JobOutcome,
    ) -> Result<Vec<Job>, LeaseOver> {
        self.leased(attempt, worker)?;
        self.workers.hear(worker, now);
        Ok(self.end(now, attempt.job, |job| job.report(now, outcome)))
    }

    /// A worker gives an attempt back that it could not bring to an outcome. Returns what changed,
    /// that job first: it waits again, or is over because that happened too often.
    ///
    /// # Errors
    /// [`LeaseOver`] if the attempt does not count any more.
    pub fn hand_back(
        &mut self,
        now: Timestamp,
        attempt: Attempt,
        worker: &WorkerKey,
        (fault, reason): (WorkerFault, String),
    ) -> Result<Vec<Job>, LeaseOver> {
        let executor = Need::of(&self.leased(attempt, worker)?.0.suite).executor;
        self.workers.hear(worker, now);
        match fault {
            WorkerFault::BrokeOff => Ok(self.end(now, attempt.job, |job| {
                job.take_back(AttemptEnd::Broken { at: now, reason });
            })),
            WorkerFault::CannotBegin => {
                let (since, why) = (now, reason.clone());
                let sickness = Sickness { since, reason: why };
                self.workers.sicken(worker, executor, sickness);
                Ok(self.end(now, attempt.job, |job| {
                    job.take_back(AttemptEnd::Returned { at: now, reason });
                }))
            }
        }
    }

    /// Whether a job is kept from a worker at which it was lost: while another one could have it
    /// that it was not lost at, unless it has waited too long; and for a while in any case.
    pub(super) fn is_barred(&self, now: Timestamp, id: JobId, worker: &WorkerKey) -> bool {
        let Some(Entry { job, kind }) = self.jobs.get(&id) else {
            return false;
        };
        let Some(until) = job.pause_end(worker) else {
            return false;
        };
        if now < until {
            return true;
        }
        let max_wait_s = self.policy.schedule.max_wait_s;
        let mut others = self.workers.fitting(&kind.need, now);
        !is_overdue(job.age(), now, max_wait_s)
            && others.any(|(other, _)| job.pause_end(other).is_none())
    }

    /// Changes a job, and what its end means for others. Returns what changed, that job first.
    fn end(&mut self, now: Timestamp, id: JobId, change: impl FnOnce(&mut Job)) -> Vec<Job> {
        let mut changed: Vec<Job> = self.alter(id, change).into_iter().collect();
        let mut settled = 0;
        while let Some(job) = changed.get(settled).cloned() {
            settled += 1;
            if !job.is_over() {
                continue;
            }
            if !job.satisfies() {
                changed.extend(self.end_dependents(now, &job));
            }
            self.place_run(job.run);
        }
        changed
    }

    fn end_dependents(&mut self, now: Timestamp, ended: &Job) -> Vec<Job> {
        let context = &ended.suite.context;
        let needs_it =
            |job: &&Job| job.state == JobState::Waiting && job.suite.needs.contains(context);
        let dependents = self.jobs_of(ended.run).filter(needs_it);
        let dependents: Vec<_> = dependents.map(|job| job.id).collect();
        let message = format!("Not executed: it needs {context}, which did not pass.");
        dependents
            .into_iter()
            .filter_map(|id| self.alter(id, |job| job.give_up(now, message.clone())))
            .collect()
    }

    /// The run is over: its waiting jobs end, the others are to be stopped. Returns what changed.
    pub fn cancel_run(&mut self, now: Timestamp, run: RunId) -> Vec<Job> {
        let ids = self.ids_of(run).into_iter();
        ids.filter_map(|id| self.alter(id, |job| job.cancel(now)))
            .collect()
    }

    /// Stops what is left of these suites of a run, but not those without which others of it could
    /// not begin. Returns what changed.
    pub fn cancel_suites(&mut self, now: Timestamp, run: RunId, contexts: &[String]) -> Vec<Job> {
        let is_needed = |context: &String| {
            let mut others = self.jobs_of(run);
            others.any(|other| other.suite.needs.contains(context))
        };
        let meant = self.jobs_of(run).filter(|job| {
            let context = &job.suite.context;
            contexts.contains(context) && !is_needed(context)
        });
        let ids: Vec<_> = meant.map(|job| job.id).collect();
        ids.into_iter()
            .filter_map(|id| self.alter(id, |job| job.cancel(now)))
            .collect()
    }

    /// A worker says what it is executing: what else it had is lost. Returns what changed.
    pub fn account(&mut self, now: Timestamp, worker: &WorkerKey, running: &[Attempt]) -> Vec<Job> {
        let had: Vec<_> = self.load.jobs_at(worker).collect();
        let is_running = |job: JobId, number| running.contains(&Attempt { job, number });
        let lost = had.into_iter().filter(|id| {
            let number = self.job(*id).and_then(Job::running);
            number.is_some_and(|number| !is_running(*id, number))
        });
        let lost: Vec<_> = lost.collect();
        self.lose(now, lost)
    }

    fn lose(&mut self, now: Timestamp, lost: Vec<JobId>) -> Vec<Job> {
        let lost = lost.into_iter();
        lost.flat_map(|id| self.end(now, id, |job| job.take_back(AttemptEnd::Lost { at: now })))
            .collect()
    }

    /// Takes back the jobs whose lease has run out, stops those that take too long, and gives up
    /// those that nobody can execute. Returns what changed.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Job> {
        let lost = self.running().filter(|job| job.lease_end() <= Some(now));
        let lost: Vec<_> = lost.map(|job| job.id).collect();
        let mut changed = self.lose(now, lost);
        let late: Vec<_> = self
            .running()
            .filter_map(|job| Some((job.id, self.overrun(job, now)?)))
            .collect();
        for (id, message) in late {
            changed.extend(self.end(now, id, |job| job.stop(now, message)));
        }
        if self.next_sweep <= now {
            self.next_sweep = now.plus_s(SWEEP_S);
            changed.extend(self.give_up_impossible(now));
        }
        changed
    }

    fn running(&self) -> impl Iterator<Item = &Job> {
        self.load.jobs().filter_map(|id| self.job(id))
    }

    /// Why an attempt has to be stopped, if its time is over.
    fn overrun(&self, job: &Job, now: Timestamp) -> Option<String> {
        if self.time_end(job)? <= now {
            let limit_s = job.suite.timeout_s;
            return Some(format!("Over time: not ended long after its {limit_s} s."));
        }
        let silent_s = self.policy.schedule.silent_s;
        (self.silence_end(job)? <= now).then(|| format!("Silent for {silent_s} s."))
    }

    /// When an attempt has had its suite's time, and that for what comes before.
    pub(super) fn time_end(&self, job: &Job) -> Option<Timestamp> {
        Some(job.attempts.last()?.began_at.plus_s(self.allowed_s(job)))
    }

    /// How long an attempt may take, in seconds.
    pub(super) fn allowed_s(&self, job: &Job) -> u64 {
        job.suite
            .timeout_s
            .saturating_add(self.policy.schedule.setup_s)
    }

    /// When an attempt that goes on writing nothing is stopped.
    pub(super) fn silence_end(&self, job: &Job) -> Option<Timestamp> {
        let silent_s = self.policy.schedule.silent_s;
        let heard = *self.heard.get(&job.id)?;
        (silent_s > 0).then(|| heard.plus_s(silent_s))
    }

    /// Since when a job of this kind waits without a worker that could execute it, if none is
    /// there. Those that were there before the server was started are not known.
    pub(super) fn lacking_since(&self, kind: &Kind, made_at: Timestamp) -> Timestamp {
        let seen_at = self.workers.last_seen(&kind.need).unwrap_or(made_at);
        made_at.max(seen_at).max(self.opened_at)
    }

    fn give_up_impossible(&mut self, now: Timestamp) -> Vec<Job> {
        let no_worker_s = self.policy.schedule.no_worker_s;
        self.workers.forget(now, no_worker_s);
        let mut hopeless = Vec::new();
        for (kind, group) in self.waiting.groups() {
            let Some(lack) = self.workers.lack(&kind.need, now) else {
                continue;
            };
            let aged = group.by_age().take_while(|(made_at, _)| {
                self.lacking_since(kind, *made_at).plus_s(no_worker_s) <= now
            });
            hopeless.extend(aged.map(|(_, id)| (id, format!("{lack}."))));
        }
        let hopeless = hopeless.into_iter();
        hopeless
            .flat_map(|(id, message)| self.end(now, id, |job| job.give_up(now, message)))
            .collect()
    }

    /// The next moment at which [`Board::expire`] would matter.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let ends = self.running().flat_map(|job| {
            let ends = [job.lease_end(), self.time_end(job), self.silence_end(job)];
            ends.into_iter().flatten()
        });
        let sweep = (!self.waiting.is_empty()).then_some(self.next_sweep);
        ends.chain(sweep).min()
    }
}

impl Job {
    /// Which attempt is under way.
    fn running(&self) -> Option<AttemptNumber> {
        match &self.state {
            JobState::Leased { attempt, .. } => Some(*attempt),
            JobState::Waiting | JobState::Finished { .. } | JobState::Cancelled { .. } => None,
        }
    }

    fn lease_end(&self) -> Option<Timestamp> {
        match &self.state {
            JobState::Leased { until, .. } => Some(*until),
            JobState::Waiting | JobState::Finished { .. } | JobState::Cancelled { .. } => None,
        }
    }

    /// Whether its run does not want it any more.
    fn is_cancelled(&self) -> bool {
        let stops = matches!(
            self.state,
            JobState::Leased {
                wish: Wish::Stop,
                ..
            }
        );
        stops && self.preempted_by().is_none()
    }

    fn report(&mut self, now: Timestamp, outcome: JobOutcome) {
        if self.is_cancelled() {
            self.end_attempt(AttemptEnd::Stopped { at: now });
            self.state = JobState::Cancelled { at: now };
            return;
        }
        let again = outcome.is_failure() && self.failures() < self.suite.retries as usize;
        self.end_attempt(AttemptEnd::Reported {
            at: now,
            outcome: outcome.clone(),
        });
        self.state = if again {
            JobState::Waiting
        } else {
            JobState::Finished { outcome, at: now }
        };
    }

    fn cancel(&mut self, now: Timestamp) {
        match &mut self.state {
            JobState::Waiting => self.state = JobState::Cancelled { at: now },
            JobState::Leased { wish, .. } => {
                *wish = Wish::Stop;
                if let Some(last) = self.attempts.last_mut() {
                    last.preempted_by = None;
                }
            }
            JobState::Finished { .. } | JobState::Cancelled { .. } => {}
        }
    }

    /// The attempt has come to nothing through no fault of the suite: the job waits again, ends if
    /// it was to be stopped, and is given up after [`ATTEMPTS_MAX`] losses.
    fn take_back(&mut self, end: AttemptEnd) {
        let at = end.at();
        if self.preempted_by().is_some() {
            self.end_attempt(AttemptEnd::Preempted { at });
            self.state = JobState::Waiting;
            return;
        }
        let cancelled = self.is_cancelled();
        let message = match &end {
            AttemptEnd::Broken { reason, .. } => reason.clone(),
            AttemptEnd::Lost { .. }
            | AttemptEnd::Returned { .. }
            | AttemptEnd::Reported { .. }
            | AttemptEnd::Stopped { .. }
            | AttemptEnd::Preempted { .. } => format!("Its worker was lost {ATTEMPTS_MAX} times."),
        };
        self.end_attempt(end);
        if cancelled {
            self.state = JobState::Cancelled { at };
        } else if self.losses().count() >= ATTEMPTS_MAX as usize {
            self.give_up(at, message);
        } else {
            self.state = JobState::Waiting;
        }
    }

    /// Until when a worker is not given this job after it was lost there, if it was. The first
    /// time it may have been restarted, and has it again at once; the next time it waits.
    pub(super) fn pause_end(&self, worker: &WorkerKey) -> Option<Timestamp> {
        let at_worker = self.losses().filter(|(loser, _)| *loser == worker);
        let times: Vec<_> = at_worker.map(|(_, at)| at).collect();
        let pauses = u64::try_from(times.len()).unwrap_or(u64::MAX);
        let pause_s = SAME_WORKER_PAUSE_S.saturating_mul(pauses.saturating_sub(1));
        Some(times.last()?.plus_s(pause_s))
    }

    /// The attempt's time is over, whatever its worker still does.
    fn stop(&mut self, now: Timestamp, message: String) {
        if self.preempted_by().is_some() {
            return self.take_back(AttemptEnd::Lost { at: now });
        }
        let cancelled = self.is_cancelled();
        self.end_attempt(AttemptEnd::Stopped { at: now });
        if cancelled {
            self.state = JobState::Cancelled { at: now };
        } else {
            self.give_up(now, message);
        }
    }

    fn give_up(&mut self, now: Timestamp, message: String) {
        let outcome = JobOutcome::Error { message };
        self.state = JobState::Finished { outcome, at: now };
    }
}
