//! A team comes from Homu: what that knew holds, and what was said since is heard.

use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::sqlite::SqliteConnection;
use paprq_core::ids::{CommitId, PullNumber};
use paprq_practice::StatusState;

use crate::world::{BASE, REPO, Settings, World};

const SCHEMA: &str = include_str!("../homu/rust-lang.sql");

/// A world whose server was never started but to write its configuration.
async fn before_the_server() -> World {
    before_the_server_of(Settings::default()).await
}

async fn before_the_server_of(settings: Settings) -> World {
    let mut world = World::prepare(settings).await;
    world.start_server();
    world.stop_server();
    for name in ["paprq.db", "paprq.db-wal", "paprq.db-shm"] {
        std::fs::remove_file(world.path(name)).ok();
    }
    world
}

/// Writes Homu's file, as if for the last time at this second.
fn write_homu(world: &World, sql: &str, at: u64) {
    let file = world.path("main.db");
    let connection = SqliteConnection::establish(&file.to_string_lossy());
    connection
        .unwrap()
        .batch_execute(&[SCHEMA, sql].concat())
        .unwrap();
    let file = std::fs::File::options().append(true).open(file).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(at))
        .unwrap();
}

fn row(world: &World, pull: PullNumber, approved_by: &str, priority: i64) -> String {
    let head = world.head(pull);
    format!(
        "insert into pull (repo, num, status, head_sha, head_ref, base_ref, approved_by, priority)
         values ('widgets', {pull}, '', '{head}', 'bob:topic', '{BASE}', '{approved_by}', {priority});"
    )
}

fn import(world: &World) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_paprq"))
        .args(["import-homu", "main.db"])
        .current_dir(world.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The second in which a pull's latest comment was made.
fn said_at(world: &World, pull: PullNumber) -> u64 {
    let comments = world.practice.comments(REPO, pull);
    let at = comments.last().unwrap().at;
    u64::try_from(at.0 / 1000).unwrap()
}

/// Waits until what is said is of a later second than this; returns that second.
async fn next_second(after: u64) -> u64 {
    loop {
        let now = u64::try_from(paprq::clock::now().0 / 1000).unwrap();
        if now > after {
            return now;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_homu_knew_lands_and_older_comments_do_not_undo_it() {
    let mut world = before_the_server().await;
    let held = world.open_pull("held", &[("a", "1")]);
    let first = world.open_pull("first", &[("b", "1")]);
    // Long since overtaken by what Homu knows.
    world.tell(first, "r-");
    world.tell(held, "treeclosed- p=9");
    let last = next_second(said_at(&world, held)).await;
    let sql = [
        row(&world, held, "alice", 2),
        row(&world, first, "alice,carol", 7),
        "insert into repos (repo, treeclosed) values ('widgets', 5)".to_owned(),
    ];
    write_homu(&world, &sql.concat(), last);
    let report = import(&world);
    assert!(report.contains("- 2 approvals\n"), "{report}");
    let before = world.base();
    world.start_server();
    world.until_merged(first).await;
    let said = world.hear(first, ":sunny: Test successful").await;
    assert!(said.contains("Approved by: alice,carol"), "{said}");
    assert_eq!(
        world.practice.parents(REPO, world.base()).unwrap(),
        [before, world.head(first)]
    );
    // The tree is closed for it until somebody opens it.
    assert_eq!(world.count(held, ":hourglass:"), 0, "{}", world.log());
    world.tell(held, "treeclosed-");
    world.until_merged(held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_and_pushed_since_homu_wrote_last_is_heard() {
    let mut world = before_the_server().await;
    let approved = world.open_pull("approved", &[("a", "1")]);
    let refused = world.open_pull("refused", &[("b", "1")]);
    let pushed = world.open_pull("pushed", &[("c", "1")]);
    let unknown = world.open_pull("unknown", &[("d", "1")]);
    world.say("bob", approved, "nothing of interest");
    let last = said_at(&world, approved);
    let sql = [
        row(&world, approved, "", 0),
        row(&world, refused, "alice", 1),
        row(&world, pushed, "alice", 2),
        // It is closed for all until a younger comment says otherwise.
        "insert into repos (repo, treeclosed) values ('widgets', 50)".to_owned(),
    ];
    write_homu(&world, &sql.concat(), last);
    next_second(last).await;
    world.push("pushed", &[("c", "2")]);
    world.tell(refused, "r-");
    world.tell(approved, &format!("r+ {}", world.head(approved)));
    world.tell(unknown, "treeclosed- ping");
    import(&world);
    world.start_server();
    world.hear(unknown, ":sleepy:").await;
    world.until_merged(approved).await;
    for left in [refused, pushed] {
        assert_eq!(world.count(left, ":sunny:"), 0, "{}", world.log());
    }
    world.tell(pushed, "r+");
    world.until_merged(pushed).await;
    world.tell(refused, "r+");
    world.until_merged(refused).await;
}

/// The same file, the same port: nothing is done but to start.
#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_names_homus_database_is_served_as_it_is() {
    let settings = Settings {
        tables: "[db]\nfile = \"main.db\"".to_owned(),
        ..Settings::default()
    };
    let mut world = World::prepare(settings).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    let sql = row(&world, pull, "carol", 7);
    write_homu(&world, &sql, 1_000_000_000);
    let before = std::fs::read(world.path("main.db")).unwrap();
    world.start_server();
    world.until_merged(pull).await;
    let said = world.hear(pull, ":sunny: Test successful").await;
    assert!(said.contains("Approved by: carol"), "{said}");
    world.stop_server();
    assert_eq!(std::fs::read(world.path("main.db")).unwrap(), before);
    world.start_server();
    world.tell(pull, "ping");
    assert!(world.path("main.paprq.db").exists());
    assert_eq!(world.log().matches("taken over from Homu").count(), 1);
}

/// No file of suites: what decides is somebody else's status.
fn with_status(git: &str) -> Settings {
    Settings {
        repo: "status.ci = { context = \"ci\" }".to_owned(),
        git: git.to_owned(),
        files: Vec::new(),
        ..Settings::default()
    }
}

/// Merges as Homu does: a commit of its own with real git, on `auto`.
fn merge_as_homu(world: &World, pull: PullNumber) -> CommitId {
    let dir = world.practice.repo_dir(REPO).unwrap();
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=homu", "-c", "user.email=homu@example.org"])
            .args(args)
            .current_dir(&dir)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (base, head) = (world.base().to_string(), world.head(pull).to_string());
    let tree = git(&["merge-tree", "--write-tree", &base, &head]);
    let merge = git(&[
        "commit-tree",
        &tree,
        "-p",
        &base,
        "-p",
        &head,
        "-m",
        "Auto merge",
    ]);
    let merge: CommitId = merge.parse().unwrap();
    world
        .practice
        .set_branch(REPO, "auto", merge, "bors")
        .unwrap();
    merge
}

fn pending(world: &World, pull: PullNumber, merge: CommitId) -> String {
    let (first, label) = (row(world, pull, "alice", 0), "status-ci");
    format!(
        "{first}
         update pull set status = 'pending', merge_sha = '{merge}' where num = {pull};
         insert into build_res (repo, num, builder, res, url, merge_sha)
           values ('widgets', {pull}, '{label}', null, '', '{merge}');"
    )
}

fn now() -> u64 {
    u64::try_from(paprq::clock::now().0 / 1000).unwrap()
}

/// Homu is replaced in the middle of a test: its commit lands when the answer comes, and a pull
/// that may go before all others has waited for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_homu_began_lands_with_its_own_commit_when_the_answer_comes() {
    for git in ["", "local_git = false"] {
        let mut world = before_the_server_of(with_status(git)).await;
        let pull = world.open_pull("tested", &[("a", "1")]);
        let urgent = world.open_pull("urgent", &[("b", "1")]);
        let before = world.base();
        let merge = merge_as_homu(&world, pull);
        write_homu(&world, &pending(&world, pull, merge), now());
        let report = import(&world);
        assert!(
            report.contains("- 1 test under way, which goes on\n"),
            "{report}"
        );
        world.start_server();
        world.tell(urgent, "r+ p=50");
        world.hear(urgent, ":pushpin:").await;
        assert_eq!(world.base(), before);
        world
            .practice
            .set_status(REPO, merge, "ci", StatusState::Success)
            .unwrap();
        world.until_merged(pull).await;
        assert!(world.practice.contains(REPO, world.base(), merge).unwrap());
        assert_eq!(world.practice.parents(REPO, merge).unwrap()[0], before);
        let said = world.hear(pull, ":sunny: Test successful").await;
        assert!(said.contains("Approved by: alice"), "{said}");
        assert_eq!(world.count(pull, ":hourglass:"), 0, "{}", world.log());
        world.hear(urgent, ":hourglass: Testing").await;
    }
}

/// The answer came while nobody listened.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_heard_lands_the_test_that_homu_began() {
    let mut world = before_the_server_of(with_status("")).await;
    let pull = world.open_pull("tested", &[("a", "1")]);
    let merge = merge_as_homu(&world, pull);
    write_homu(&world, &pending(&world, pull, merge), now());
    world
        .practice
        .set_status(REPO, merge, "ci", StatusState::Success)
        .unwrap();
    import(&world);
    world.start_server();
    world.until_merged(pull).await;
    assert_eq!(world.base(), merge);
}

/// L1 and L2 hold for it as for any other: it does not land onto a base that moved, nor with
/// another head than the one that was approved, nor what Homu says it merged and did not.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_homu_began_lands_only_where_it_still_is_the_merge() {
    for what in ["base moved", "head moved", "another head", "gone"] {
        let mut world = before_the_server_of(with_status("")).await;
        let pull = world.open_pull("tested", &[("a", "1")]);
        let other = world.open_pull("other", &[("b", "1")]);
        let merged = if what == "another head" { other } else { pull };
        let mut merge = merge_as_homu(&world, merged);
        if what == "gone" {
            world.expects("git does not do what an order needs");
            world.expects("a merge that another queue was testing cannot be read");
            merge = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef".parse().unwrap();
        }
        let sql = pending(&world, pull, merge).replace("null", "1");
        write_homu(&world, &sql, now());
        import(&world);
        match what {
            "base moved" => drop(world.push(BASE, &[("c", "1")])),
            "head moved" => drop(world.push("tested", &[("a", "2")])),
            _ => {}
        }
        let before = world.base();
        world.start_server();
        if what == "head moved" {
            world.tell(pull, "ping");
            world.hear(pull, ":sleepy:").await;
            world.until_logged(" swept ", 1).await;
            assert_eq!(world.count(pull, ":hourglass:"), 0, "{}", world.log());
        } else {
            world.hear(pull, ":hourglass: Testing").await;
            let again = world.practice.branch(REPO, "auto").unwrap().unwrap();
            let parents = world.practice.parents(REPO, again).unwrap();
            assert_eq!(parents, [before, world.head(pull)], "{what}");
        }
        assert_eq!(world.base(), before, "{what}");
    }
}
