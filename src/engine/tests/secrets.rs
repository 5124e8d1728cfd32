//! Who is given secrets, and where they are written.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use tokio::sync::mpsc;

use crate::config::Secret;
use crate::engine::job_service::{Equipment, JobService, RepoPlace};
use crate::engine::live::Live;
use crate::protocol::{Claim, Executor, Order};
use crate::store::Store;
use crate::store::logs::Logs;
use paprq_core::ids::{CommitId, JobId, RepoLabel, RunId, Timestamp, WorkerId};
use paprq_core::jobs::{Attempt, Job, JobOutcome, JobState, Subject};
use paprq_core::queue::run::Purpose;
use paprq_core::suite::{Environment, Network, Suite};

const VALUE: &str = "the-value-of-the-secret";

fn job(purpose: Purpose, secrets: &[&str]) -> Job {
    let environment = Environment::Sandbox {
        network: Network::Off,
    };
    let suite = Suite {
        secrets: secrets.iter().map(|&name| name.to_owned()).collect(),
        ..Suite::new("unit", environment)
    };
    Job {
        id: JobId(0),
        repo: RepoLabel::new("demo"),
        run: RunId(1),
        purpose,
        priority: 0,
        commit: "7".repeat(40).parse::<CommitId>().unwrap(),
        suite,
        subject: Subject::default(),
        tree: None,
        made_at: Timestamp(0),
        state: JobState::Waiting,
        attempts: Vec::new(),
    }
}

struct ServiceUnderTest {
    folder: tempfile::TempDir,
    jobs: JobService,
    store: Store,
    logs: Logs,
}

impl ServiceUnderTest {
    async fn with(job: Job) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("paprq.db")).unwrap();
        let logs = Logs::open(&format!("file:{}", folder.path().join("logs").display())).unwrap();
        let place = RepoPlace {
            mailbox: mpsc::unbounded_channel().0,
            slug: "octo/demo".to_owned(),
            web_url: "https://github.com/octo/demo".to_owned(),
            origin: "https://github.com/octo/demo".to_owned(),
            secrets: BTreeMap::from([("TOKEN".to_owned(), Secret::new(VALUE))]),
        };
        let equipment = Equipment {
            store: store.clone(),
            logs: logs.clone(),
            artifact_bounds: crate::protocol::ArtifactBounds::default(),
            live: Live::new(),
            policy: paprq_core::jobs::Policy::new(60),
            tokens: BTreeMap::new(),
            places: HashMap::from([(RepoLabel::new("demo"), place)]),
            base_url: String::new(),
        };
        let jobs = JobService::open(equipment).await.unwrap();
        jobs.put_up(vec![job]).await.unwrap();
        Self {
            folder,
            jobs,
            store,
            logs,
        }
    }

    async fn claim(&self) -> Option<Order> {
        let claim = Claim {
            worker: WorkerId::new("w"),
            executors: vec![Executor::Sandbox],
            labels: Vec::new(),
            slots_free: 1,
            slots: 1,
            running: Vec::new(),
            wait_s: 0,
        };
        self.jobs.claim("t", claim).await.unwrap()
    }
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let nested = paths.map(|path| {
        if path.is_dir() {
            files_below(&path)
        } else {
            vec![path]
        }
    });
    nested.flatten().collect()
}

#[tokio::test]
async fn merges_tries_and_branches_are_given_the_secrets_that_they_name_and_nothing_keeps_them() {
    for purpose in [Purpose::Land, Purpose::Try, Purpose::Branch] {
        let place = ServiceUnderTest::with(job(purpose, &["TOKEN"])).await;
        let order = place.claim().await.unwrap();
        let given: Vec<_> = order
            .secrets
            .iter()
            .map(|s| (&*s.name, &*s.value))
            .collect();
        assert_eq!(given, [("TOKEN", VALUE)]);
        let files = files_below(place.folder.path());
        assert!(
            files.iter().any(|file| file.ends_with("paprq.db")),
            "{files:?}"
        );
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes
                .windows(VALUE.len())
                .any(|piece| piece == VALUE.as_bytes());
            assert!(!found, "{}", file.display());
        }
    }
    let place = ServiceUnderTest::with(job(Purpose::Land, &[])).await;
    assert_eq!(place.claim().await.unwrap().secrets, []);
}

#[tokio::test]
async fn a_pulls_own_test_is_given_no_secret_whatever_it_names() {
    let place = ServiceUnderTest::with(job(Purpose::Pull, &["TOKEN", "UNKNOWN"])).await;
    assert_eq!(place.claim().await.unwrap().secrets, []);
}

#[tokio::test]
async fn a_suite_that_names_an_unknown_secret_is_not_run_and_says_which() {
    let place = ServiceUnderTest::with(job(Purpose::Land, &["TOKEN", "DEPLOY_KEY"])).await;
    assert!(place.claim().await.is_none());
    assert!(place.jobs.open_jobs().await.is_empty());
    let job = place.store.job(JobId(1)).await.unwrap().unwrap();
    let message = "The secret `DEPLOY_KEY` is not configured: an operator adds it to \
                   [repo.demo.secrets].";
    let JobState::Finished { outcome, .. } = &job.state else {
        panic!("{job:?}");
    };
    let said = message.to_owned();
    assert_eq!(*outcome, JobOutcome::Error { message: said });
    let attempt = Attempt {
        job: job.id,
        number: job.attempts[0].number,
    };
    let log = place.logs.read(attempt, 0, 1000).await.unwrap();
    assert_eq!(log, format!("### {message}\n"));
}
