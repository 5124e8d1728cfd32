//! Where a job stands, in words.

use super::{MESSAGE_CHARS_MAX, NAME_CHARS_MAX, harmless::plain};
use crate::ids::Timestamp;
use crate::jobs::{JobStatus, Limit, Wait};

/// What a job waits for or does, in one line without a full stop.
pub fn job_status(status: &JobStatus, now: Timestamp) -> String {
    match status {
        JobStatus::Waits(wait) => waits(wait),
        JobStatus::Runs {
            attempt,
            since,
            heard_at,
            ..
        } => {
            let (ran, silent) = (minutes(*since, now), minutes(*heard_at, now));
            let silence = match silent {
                0 => String::new(),
                minutes => format!(", silent for {minutes} min"),
            };
            format!("Running for {ran} min, attempt {attempt}{silence}")
        }
        JobStatus::Stops {
            preempted_by: Some(job),
        } => format!("Interrupted for job {job}, which goes first"),
        JobStatus::Stops { preempted_by: None } => {
            "Being stopped: its run does not need it any more".to_owned()
        }
    }
}

/// What happens to a job at the latest when, unless it gets on.
pub fn deadlines(status: &JobStatus) -> Vec<(&'static str, Timestamp)> {
    match status {
        JobStatus::Waits(Wait::NoWorker { until, .. }) => vec![("Given up", *until)],
        JobStatus::Waits(Wait::Pause { until }) => vec![("Tried again", *until)],
        JobStatus::Waits(Wait::Busy { overdue_at, .. }) => {
            vec![("May go before others", *overdue_at)]
        }
        JobStatus::Runs {
            stopped_at,
            silent_until,
            ..
        } => {
            let silent = silent_until.map(|at| ("Stopped if it stays silent", at));
            let over = stopped_at.map(|at| ("Stopped in any case", at));
            silent.into_iter().chain(over).collect()
        }
        JobStatus::Waits(Wait::Needs(_) | Wait::Held(_) | Wait::Ready)
        | JobStatus::Stops { .. } => Vec::new(),
    }
}

fn waits(wait: &Wait) -> String {
    match wait {
        Wait::Needs(contexts) => {
            let names = contexts.iter().map(|name| plain(name, NAME_CHARS_MAX));
            format!(
                "Waiting for needs: {}",
                names.collect::<Vec<_>>().join(", ")
            )
        }
        Wait::NoWorker { lack, .. } => plain(&lack.to_string(), MESSAGE_CHARS_MAX),
        Wait::Held(Limit::Repo { jobs_max }) => format!(
            "Held: the repository runs at most {} at a time",
            counted(*jobs_max, "job")
        ),
        Wait::Held(Limit::Suites { pattern, jobs_max }) => format!(
            "Held: at most {} like {} at a time",
            counted(*jobs_max, "suite"),
            plain(pattern, NAME_CHARS_MAX)
        ),
        Wait::Pause { .. } => {
            "Each worker that fits was lost with it: tried again after a pause".to_owned()
        }
        Wait::Busy { workers: 1, .. } => "The only fitting worker is busy".to_owned(),
        Wait::Busy { workers, .. } => format!("All {workers} fitting workers are busy"),
        Wait::Ready => "A worker is about to take it".to_owned(),
    }
}

fn counted(count: u32, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn minutes(from: Timestamp, to: Timestamp) -> u64 {
    to.ms_since(from) / 60_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AttemptNumber, JobId, WorkerId};
    use crate::jobs::{Executor, Lack, WorkerKey};

    #[test]
    fn each_reason_has_its_own_words() {
        let at = Timestamp(600_000);
        let no_worker = |lack| JobStatus::Waits(Wait::NoWorker { lack, until: at });
        let busy = |workers| {
            JobStatus::Waits(Wait::Busy {
                workers,
                overdue_at: at,
            })
        };
        let held = |limit| JobStatus::Waits(Wait::Held(limit));
        let pattern = "f*".to_owned();
        let runs = JobStatus::Runs {
            worker: WorkerKey {
                token: "t".to_owned(),
                name: WorkerId::new("w"),
            },
            attempt: AttemptNumber(2),
            since: Timestamp(0),
            heard_at: Timestamp(420_000),
            stopped_at: Some(at),
            silent_until: None,
        };
        let needs = vec!["a".to_owned(), "b\n@c".to_owned()];
        let slots = Lack::Slots { wanted: 8, most: 4 };
        let all = [
            JobStatus::Waits(Wait::Needs(needs)),
            no_worker(Lack::Executor(Executor::Vm)),
            no_worker(Lack::Label("kvm".to_owned())),
            no_worker(slots),
            held(Limit::Repo { jobs_max: 4 }),
            held(Limit::Suites {
                pattern,
                jobs_max: 1,
            }),
            JobStatus::Waits(Wait::Pause { until: at }),
            no_worker(Lack::Health {
                reason: "The disk is full.".to_owned(),
            }),
            busy(1),
            busy(3),
            JobStatus::Waits(Wait::Ready),
            runs,
            JobStatus::Stops {
                preempted_by: Some(JobId(7)),
            },
        ];
        let words: Vec<_> = all.iter().map(|it| job_status(it, at)).collect();
        insta::assert_snapshot!(words.join("\n"), @r"
        Waiting for needs: a, b @c
        No worker offers vm
        No worker has label kvm
        No worker has 8 slots, the largest that fits has 4
        Held: the repository runs at most 4 jobs at a time
        Held: at most 1 suite like f* at a time
        Each worker that fits was lost with it: tried again after a pause
        No worker can begin it now: The disk is full
        The only fitting worker is busy
        All 3 fitting workers are busy
        A worker is about to take it
        Running for 10 min, attempt 2, silent for 3 min
        Interrupted for job 7, which goes first
        ");
        assert_eq!(deadlines(&all[1]), [("Given up", at)]);
        assert_eq!(deadlines(&all[6]), [("Tried again", at)]);
        assert_eq!(deadlines(&all[11]), [("Stopped in any case", at)]);
    }
}
