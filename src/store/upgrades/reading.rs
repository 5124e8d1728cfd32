//! Today's store opens a database that went through every change, and reads what is in it.

use super::*;
use crate::store::schema::events;
use crate::store::testing::connect;
use crate::store::{SavedRepo, Store, from_document};
use paprq_core::ids::{JobId, Login, RepoLabel, RunId, Timestamp};
use paprq_core::jobs::{Job, JobState, PasswordDigest};
use paprq_core::queue::effect::Effect;
use paprq_core::queue::event::Event;
use paprq_core::queue::pull::Pull;
use paprq_core::queue::run::Run;

const NOW: Timestamp = Timestamp(1_796_100_000_000);

/// The store after all changes, and what it is in.
fn upgraded() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paprq.db");
    let mut connection = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    upgrade(&mut connection, Path::new(MIGRATIONS)).unwrap();
    let of_the_folder = connection.applied_migrations().unwrap();
    let store = Store::open(&file).unwrap();
    let of_the_program = connection.applied_migrations().unwrap();
    assert_eq!(
        of_the_program, of_the_folder,
        "build again: a change is new"
    );
    (folder, store)
}

async fn load(store: &Store, label: &str) -> SavedRepo {
    let label = RepoLabel::new(label);
    let mut saved = store.load_repo(&label, Timestamp(0), NOW).await.unwrap();
    saved.pulls.sort_by_key(Pull::number);
    saved.runs.sort_by_key(|run| run.id);
    saved
}

fn told_of_pull(pull: &Pull) -> String {
    let facts = &pull.facts;
    let approval = pull.approval.value.as_ref();
    let approver = approval.map_or("nobody", |approval| approval.approver.as_str());
    format!(
        "#{} {} by {}, {:?}, approved by {approver}: {:?}; own test {:?}",
        facts.number.0, facts.title, facts.author, facts.state, pull.stage, pull.own.stage
    )
}

fn told_of_run(run: &Run) -> String {
    let members: Vec<u64> = run.members.iter().map(|member| member.pull.0).collect();
    let checks = run.checks.len();
    let over = if run.is_over() { "over" } else { "in flight" };
    format!(
        "{} {:?} of {members:?} onto {}, {checks} checks, {over}",
        run.id, run.purpose, run.base
    )
}

fn told_of_job(job: &Job) -> String {
    let state = match &job.state {
        JobState::Waiting => "waiting".to_owned(),
        JobState::Leased { worker, .. } => format!("leased to {}", worker.name),
        JobState::Finished { outcome, .. } => format!("{outcome:?}"),
        JobState::Cancelled { .. } => "cancelled".to_owned(),
    };
    format!(
        "{} {} of run {}: {state}",
        job.id, job.suite.context, job.run
    )
}

#[tokio::test]
async fn pulls_and_runs_of_every_version_are_read() {
    let (_folder, store) = upgraded();
    let told = |saved: &SavedRepo| -> Vec<String> {
        let pulls = saved.pulls.iter().map(told_of_pull);
        pulls.chain(saved.runs.iter().map(told_of_run)).collect()
    };
    let demo = told(&load(&store, "demo").await);
    assert_eq!(
        demo,
        [
            "#2 Say goodbye as well by bob, Merged, approved by nobody: \
             Ended { run: RunId(30001), purpose: Land, ending: Succeeded }; own test Idle",
            "#4 Greet more warmly by carol, Open, approved by nobody: Idle; own test Idle",
            "#7 Test the settings by bob, Open, approved by alice: \
             Running { run: RunId(40001), purpose: Land }; own test Idle",
            "30001 Land of [2] onto master, 3 checks, over",
            "40001 Land of [7] onto master, 0 checks, in flight",
        ]
    );
    let widgets = told(&load(&store, "widgets").await);
    assert_eq!(
        widgets,
        [
            "#1 Greet more formally by bob, Open, approved by alice: \
             Running { run: RunId(70003), purpose: Land }; \
             own test Running { run: RunId(20003) }",
            "#4 Greet more warmly by carol, Open, approved by nobody: Idle; own test Untrusted",
            "20003 Pull of [1] onto master, 3 checks, in flight",
            "70003 Land of [1] onto master, 0 checks, in flight",
        ]
    );
    let branch = store.run(RunId(10003)).await.unwrap().unwrap().run;
    assert_eq!(
        told_of_run(&branch),
        "10003 Branch of [] onto good-day, 0 checks, over"
    );
    let gadgets = load(&store, "gadgets").await;
    assert_eq!(gadgets.row.state.tips.len(), 7);
    assert_eq!(gadgets.row.synced_at, Some(Timestamp(1_796_087_411_686)));
    let named = store.name_of(&RepoLabel::new("widgets")).await.unwrap();
    assert_eq!(named.unwrap().full_name, "octo/widgets");
    assert_eq!(store.key(), "39afc6fa5941");
    assert_eq!(store.bot().await.unwrap(), None::<Login>);
}

#[tokio::test]
async fn jobs_of_every_version_are_read() {
    let (folder, store) = upgraded();
    let file = folder.path().join("paprq.db");
    let mut connection = connect(&file);
    let ids = texts(
        &mut connection,
        "select cast(id as text) as text from jobs order by id",
    );
    let mut told = Vec::new();
    for id in ids {
        let job = store
            .job(JobId(id.parse().unwrap()))
            .await
            .unwrap()
            .unwrap();
        told.push(told_of_job(&job));
    }
    assert_eq!(
        told,
        [
            "5 unit of run 20001: Failed { exit_code: 1 }",
            "6 spelling of run 20001: cancelled",
            "7 lint of run 30001: Passed",
            "8 unit of run 30001: Passed",
            "9 spelling of run 30001: leased to local-1",
            "101 lint of run 110003: leased to local-1",
            "107 lint of run 20003: waiting",
        ]
    );
    let open: Vec<u64> = store
        .open_jobs()
        .await
        .unwrap()
        .iter()
        .map(|job| job.id.0)
        .collect();
    assert_eq!(open, [9, 101, 107]);
    let of_run = store.jobs_of_run(RunId(20001)).await.unwrap();
    assert_eq!(of_run.len(), 2);
    let tree = "23d932a32d59ac915940d36354661cff99cb4de8".to_owned();
    let passes = store.passes(&RepoLabel::new("demo"), tree).await.unwrap();
    assert_eq!(
        passes.iter().map(|pass| pass.job).collect::<Vec<_>>(),
        [JobId(8)]
    );
    let leased = store.job(JobId(9)).await.unwrap().unwrap().state;
    let digest = PasswordDigest::of("5ce6acc658679cd76f67ee0c53c205b80f9f8ad9");
    assert!(matches!(leased, JobState::Leased { git_password, .. } if git_password == digest));
}

#[tokio::test]
async fn what_came_in_and_what_was_ordered_is_read() {
    let (_folder, store) = upgraded();
    let mut told = Vec::new();
    for label in ["demo", "widgets"].map(RepoLabel::new) {
        for row in store.unapplied(&label).await.unwrap() {
            told.push(format!("{label} inbox {:?}", row.events));
        }
        for row in store.undone(&label).await.unwrap() {
            told.push(format!(
                "{label} outbox {} deaths {:?}",
                row.deaths, row.effect
            ));
        }
    }
    let beginnings = [
        "demo inbox [CommentMade { pull: PullNumber(7), comment",
        "demo outbox 0 deaths CheckMergeability { base: BaseAt { branch: BranchName(\"master\"), \
         tip: 37205be",
        "demo outbox 0 deaths CheckMergeability { base: BaseAt { branch: BranchName(\"master\"), \
         tip: dfbb32f",
        "demo outbox 0 deaths MakeMerge(MergeOrder { run: RunId(40001)",
        "demo outbox 0 deaths CallHook { pull: PullNumber(7), hook: \"benchmark\"",
        "demo outbox 0 deaths LogRetry(RetryOrder { pull: PullNumber(7), by: Login(\"alice\")",
        "widgets inbox [CommentMade { pull: PullNumber(1), comment",
        "widgets inbox [BranchPushed { branch: BranchName(\"master\"), before: 597de78",
        "widgets outbox 1 deaths MakeMerge(MergeOrder { run: RunId(70003)",
        "widgets outbox 0 deaths SetStatus { commit: c75c4ba, note: Suite { context: \"unit\"",
        "widgets outbox 0 deaths ReadPull { pull: PullNumber(4) }",
    ];
    assert_eq!(told.len(), beginnings.len(), "{told:#?}");
    for (told, beginning) in told.iter().zip(beginnings) {
        assert!(told.starts_with(beginning), "{told}");
    }
    assert_eq!(store.count_deaths().await.unwrap(), 1);
}

#[tokio::test]
async fn the_other_rows_are_read() {
    let (folder, store) = upgraded();
    let demo = RepoLabel::new("demo");
    let retries = store.retry_log(&demo, 10).await.unwrap();
    let retries: Vec<String> = retries
        .iter()
        .map(|retry| {
            format!(
                "{:?} {}: {} {}",
                retry.who, retry.pull, retry.message, retry.source
            )
        })
        .collect();
    assert_eq!(
        retries,
        [
            "None 7: @paprq-bot retry https://github.example/octo/demo/pull/7#issuecomment-100120",
            "Some(Login(\"alice\")) 2: @paprq-bot retry: the network was down ",
        ]
    );
    let (_, forward, waiting) = store.next_forward(&demo).await.unwrap().unwrap();
    assert_eq!(
        (&forward.body[..], waiting),
        (&b"{\"ref\":\"\xff\"}"[..], 1)
    );
    assert_eq!(forward.headers[1].1, "push");
    let file = folder.path().join("paprq.db");
    let mut connection = connect(&file);
    let log: Vec<(String, String)> = events::table
        .select((events::event, events::effects))
        .load(&mut connection)
        .unwrap();
    assert_eq!(log.len(), 6);
    for (event, effects) in log {
        let _event: Event = from_document("events", &event).unwrap();
        let _effects: Vec<Effect> = from_document("events", &effects).unwrap();
    }
}
