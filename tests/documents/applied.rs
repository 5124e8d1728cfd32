//! What any version stored is not only read: the store loads it as at a start, the queue and the job
//! board go on with it, and what they make of it is stored again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use paprq::store::document::{self, Document};
use paprq::store::{
    BacklogBounds, Cause, Delivery, Entry, Forwarded, StepRecord, Stepped, Store, StoreError,
};
use paprq_core::command::Grammar;
use paprq_core::ids::{BranchName, Login, RepoLabel, Timestamp};
use paprq_core::jobs::{
    Board, Claimant, Executor, Job, JobState, PasswordDigest, Policy, WorkerKey,
};
use paprq_core::queue::effect::{Effect, History};
use paprq_core::queue::event::Event;
use paprq_core::queue::labels::{LabelChange, LabelEvent};
use paprq_core::queue::rules::{
    Authority, BuildbotRule, CheckRunRule, Counts, ExemptionRule, Fixups, HookAccess, HookRule,
    Mentions, Merging, PullTests, Replay, Reporting, Reuse, Rules, StatusRule,
};
use paprq_core::queue::run::Run;
use paprq_core::queue::{Queue, RepoState, Touched};
use paprq_core::suite::OnMerge;

use crate::every::Every;
use crate::fixtures;
use crate::rows::{self, Loaded};

/// After all moments of the samples, so that each deadline is over.
const LATER: Timestamp = Timestamp(1_700_000_600_000);

/// The documents of all versions, loaded by one start: those that did not change since stay old.
async fn load() -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    rows::load(&folder.path().join("paprq.db"), &fixtures::all()).await
}

/// A repository that waits for every sort of check and is told everything.
fn rules() -> Rules {
    let name = "unit test".to_owned();
    Rules {
        grammar: Grammar {
            bot: Login::new("bot"),
            hooks: vec!["hook".to_owned()],
            aliases: Vec::new(),
        },
        reviewers: vec![Login::new("Rev-1")],
        try_users: Vec::new(),
        authorities: vec![Authority::Collaborators],
        hooks: BTreeMap::from([(
            "hook".to_owned(),
            HookRule {
                access: HookAccess::Reviewer,
                replay: Replay::AtRestore,
            },
        )]),
        labels: BTreeMap::from([(LabelEvent::Approved, LabelChange::default())]),
        max_priority: 100,
        timeout_s: 3600,
        setup_timeout_s: 120,
        auto_branch: BranchName::new("auto"),
        try_branch: BranchName::new("try"),
        history: History::Merged,
        fixups: Fixups::Keep,
        mentions: Mentions::AsWritten,
        exemption: ExemptionRule::Never,
        choosers: BTreeMap::new(),
        buildbot: Some(BuildbotRule {
            builders: vec![name.clone()],
            ..BuildbotRule::default()
        }),
        temporary_branch: BranchName::new("homu-tmp"),
        statuses: vec![StatusRule {
            label: name.clone(),
            context: name.clone(),
            in_tries: true,
            pr_context: name.clone(),
        }],
        check_runs: vec![CheckRunRule {
            label: name.clone(),
            name,
            try_name: None,
            neutral: Counts::Passed,
            skipped: Counts::Passed,
        }],
        suites: Some(OnMerge::Named),
        pulls: PullTests::Trusted,
        trusted: Vec::new(),
        reuse: Reuse::Passes,
        merging: Merging::On,
        reporting: Reporting::On,
    }
}

/// Queues of one pull and one run each, as they were stored. Each pull and each run is in one.
fn queues(loaded: &Loaded) -> Vec<Queue> {
    let Loaded {
        repos, pulls, runs, ..
    } = loaded;
    let mut queues = Vec::new();
    for index in 0..pulls.len().max(runs.len()) {
        let pull = &pulls[index % pulls.len()];
        let run = &runs[(index + index / pulls.len()) % runs.len()];
        let state = repos[index % repos.len()].clone();
        queues.push(Queue::restored(
            rules(),
            state,
            vec![pull.clone()],
            vec![run.clone()],
        ));
    }
    queues
}

/// Lets a queue take an event; gives what was done and what is stored of it, if anything came of it.
fn handle(queue: &Queue, event: &Event) -> Option<StepRecord> {
    let mut queue = queue.clone();
    let effects = queue.handle(LATER, event.clone());
    let touched = queue.take_touched();
    if effects.is_empty() && touched == Touched::default() {
        return None;
    }
    Some(StepRecord {
        repo: RepoLabel::new("one"),
        cause: Cause::Observation,
        at: LATER,
        state: Some(queue.state().clone()),
        pulls: touched
            .pulls
            .iter()
            .filter_map(|&pull| queue.pull(pull))
            .cloned()
            .collect(),
        runs: touched
            .runs
            .iter()
            .filter_map(|&run| queue.run(run))
            .cloned()
            .collect(),
        history: vec![Entry {
            event: event.clone(),
            effects,
        }],
    })
}

/// A document's variant.
fn variant<T: Document>(doc: &T) -> String {
    let text = document::write(doc).unwrap();
    let text = text.split_once("\"doc\":").unwrap().1;
    text.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn every_stored_event_is_handled_by_a_queue_that_was_stored() {
    let loaded = load().await;
    let queues = queues(&loaded);
    let (mut told, mut heard) = (BTreeSet::new(), BTreeSet::new());
    for event in &loaded.events {
        told.insert(variant(event));
        for step in queues.iter().filter_map(|queue| handle(queue, event)) {
            comes_back(&step);
            heard.insert(variant(event));
        }
    }
    let in_vain: Vec<_> = told.difference(&heard).collect();
    assert!(in_vain.is_empty(), "nothing comes of {in_vain:?}");
}

/// What is to be stored can be read again.
fn comes_back(step: &StepRecord) {
    fn same<T: Document + PartialEq + std::fmt::Debug>(doc: &T) {
        let text = document::write(doc).unwrap();
        assert_eq!(document::read::<T>(&text).unwrap(), *doc, "{text}");
    }
    step.state.iter().for_each(same);
    step.pulls.iter().for_each(same);
    step.runs.iter().for_each(same);
    for entry in &step.history {
        same(&entry.event);
        same(&entry.effects);
    }
}

/// An order that cannot be carried out any more is answered, and the queue goes on.
#[tokio::test]
async fn every_stored_effect_can_be_given_up() {
    let loaded = load().await;
    let queues = queues(&loaded);
    let effects = loaded.effects.iter();
    for answer in effects.flat_map(|effect| effect.given_up("no more")) {
        let steps = queues.iter().filter_map(|queue| handle(queue, &answer));
        steps.for_each(|step| comes_back(&step));
    }
}

#[tokio::test]
async fn the_job_board_goes_on_with_every_stored_job() {
    let now = LATER.plus_s(1);
    for job in load().await.jobs {
        let board = || Board::new(vec![job.clone()], Policy::new(60), now);
        let mut ended = board().cancel_run(now, job.run);
        ended.extend(board().expire(now.plus_s(100_000_000)));
        assert_eq!(ended.is_empty(), job.is_over(), "{job:?}");
        let given = board().claim(now, &claimant(&job, now));
        assert!(given.is_none_or(|given| given.id == job.id));
    }
}

fn claimant(job: &Job, now: Timestamp) -> Claimant {
    Claimant {
        worker: WorkerKey {
            token: "token".to_owned(),
            name: Every::every().remove(0),
        },
        executors: vec![
            Executor::Sandbox,
            Executor::Container,
            Executor::Kubernetes,
            Executor::Vm,
        ],
        labels: job.suite.labels.clone(),
        slots: 10_000,
        slots_free: 10_000,
        asked_at: now,
        git_password: PasswordDigest::of("fresh"),
    }
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Every column with a document, and what finds those that are there.
const COLUMNS: [&str; 9] = [
    "select desk as text from repos",
    "select doc as text from pulls",
    "select doc as text from runs",
    "select doc as text from jobs",
    "select events as text from inbox",
    "select effect as text from outbox",
    "select event as text from events",
    "select effects as text from events",
    "select headers as text from forwards",
];

/// A database with a document in each column.
async fn filled(file: &Path) -> Store {
    let store = Store::open(file).unwrap();
    let repo = RepoLabel::new("one");
    store.load_repo(&repo, Timestamp(0), LATER).await.unwrap();
    let step = StepRecord {
        repo: repo.clone(),
        cause: Cause::Observation,
        at: LATER,
        state: Some(RepoState::every().remove(0)),
        pulls: vec![Every::every().remove(0)],
        runs: Run::every()
            .into_iter()
            .filter(|run| run.members.is_empty() && !run.is_over())
            .collect(),
        history: vec![Entry {
            event: Event::TimePassed,
            effects: vec![Effect::every().remove(0)],
        }],
    };
    assert!(matches!(
        store.take_step(step).await.unwrap(),
        Stepped::Taken(_)
    ));
    let waiting = |job: &Job| job.state == JobState::Waiting;
    let jobs = Job::every().into_iter().filter(waiting).take(1);
    store.add_jobs(jobs.collect()).await.unwrap();
    let delivery = Delivery {
        repo: repo.clone(),
        id: None,
        events: vec![Event::TimePassed],
        received_at: LATER,
    };
    store.take_in(delivery).await.unwrap();
    let forwarded = Forwarded {
        repo,
        headers: vec![("name".to_owned(), "value".to_owned())],
        body: Vec::new().into(),
        received_at: LATER,
    };
    let bounds = BacklogBounds {
        count_max: 1,
        bytes_max: 1,
    };
    store.add_forward(forwarded, bounds).await.unwrap();
    store
}

#[tokio::test]
async fn every_document_is_stored_with_the_number_of_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paprq.db");
    let _store = filled(&file).await;
    let mut connection = rows::connect(&file);
    let begins = format!("{{\"version\":{},\"doc\":", document::VERSION);
    for column in COLUMNS {
        let stored: Vec<Column> = sql_query(column).load(&mut connection).unwrap();
        assert!(!stored.is_empty(), "{column}");
        for Column { text } in stored {
            assert!(text.starts_with(&begins), "{column}: {text}");
        }
    }
}

/// The tables have no column of JSON beside those.
#[tokio::test]
async fn no_other_column_has_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paprq.db");
    let _store = filled(&file).await;
    let mut connection = rows::connect(&file);
    let query = "select m.name || '.' || c.name as text
        from sqlite_master m, pragma_table_info(m.name) c
        where m.type = 'table' and c.type = 'TEXT' order by 1";
    let columns: Vec<Column> = sql_query(query).load(&mut connection).unwrap();
    for Column { text: column } in columns {
        let (table, name) = column.split_once('.').unwrap();
        let query = format!("select {name} as text from {table} where {name} is not null");
        if COLUMNS.contains(&format!("select {name} as text from {table}").as_str()) {
            continue;
        }
        let stored: Vec<Column> = sql_query(query).load(&mut connection).unwrap();
        for Column { text } in stored {
            assert!(!text.starts_with(['{', '[']), "{column}: {text}");
        }
    }
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paprq.db");
    let store = filled(&file).await;
    let mut connection = rows::connect(&file);
    let newer = document::VERSION + 1;
    let text = format!("{{\"version\":{newer},\"doc\":{{}}}}");
    for (table, column) in [
        ("repos", "desk"),
        ("pulls", "doc"),
        ("runs", "doc"),
        ("jobs", "doc"),
        ("inbox", "events"),
        ("outbox", "effect"),
        ("forwards", "headers"),
    ] {
        let earlier: Vec<Column> = sql_query(format!("select {column} as text from {table}"))
            .load(&mut connection)
            .unwrap();
        let set = |connection: &mut _, text: &str| {
            sql_query(format!("update {table} set {column} = ?"))
                .bind::<Text, _>(text)
                .execute(connection)
                .unwrap()
        };
        set(&mut connection, &text);
        let said = refusal(&store).await.to_string();
        for part in [
            table,
            "newer version of paprq",
            &newer.to_string(),
            "start the version",
        ] {
            assert!(said.contains(part), "{said}");
        }
        let query = format!("select {column} as text from {table}");
        let kept: Vec<Column> = sql_query(query).load(&mut connection).unwrap();
        assert!(kept.iter().all(|kept| kept.text == text));
        set(&mut connection, &earlier[0].text);
    }
}

/// What a start says of a database that it cannot read.
async fn refusal(store: &Store) -> StoreError {
    let repo = RepoLabel::new("one");
    let refused = [
        store.load_repo(&repo, Timestamp(0), LATER).await.err(),
        store.open_jobs().await.err(),
        store.undone(&repo).await.err(),
        store.unapplied(&repo).await.err(),
        store.next_forward(&repo).await.err(),
    ];
    refused.into_iter().flatten().next().unwrap()
}
