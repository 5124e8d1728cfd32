//! Files of both lines of Homu, made by real SQL, idle and in use.

use std::sync::mpsc;
use std::time::Duration;

use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use tempfile::TempDir;

use super::*;

/// The tables of servo's line.
const SERVO: &str = include_str!("../../../tests/homu/servo.sql");
/// The tables of rust-lang's line.
const RUST_LANG: &str = include_str!("../../../tests/homu/rust-lang.sql");

const PULL_7: &str = "insert into pull (repo, num, status, title, head_sha, head_ref, base_ref, \
    approved_by, priority, try_, rollup) \
    values ('x', 7, 'pending', 'Größe', 'abc', 'bob:topic', 'main', null, -3, 1, 0);";

fn folder(sql: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("main.db");
    run(&file, &sql.join("\n"));
    (folder, file)
}

fn open(file: &Path) -> SqliteConnection {
    SqliteConnection::establish(&file.to_string_lossy()).unwrap()
}

fn run(file: &Path, sql: &str) {
    open(file).batch_execute(sql).unwrap();
}

fn refusal(sql: &str) -> String {
    let (_folder, file) = folder(&[sql]);
    match read(&file).unwrap_err() {
        HomuError::NotHomu { why, .. } => why,
        error @ (HomuError::Unreadable { .. } | HomuError::Busy { .. }) => panic!("{error}"),
    }
}

#[test]
fn the_tables_of_both_lines_are_read() {
    for schema in [SERVO, RUST_LANG] {
        let (_folder, file) = folder(&[
            schema,
            PULL_7,
            "insert into build_res (repo, num, builder, res, url, merge_sha)
                values ('x', 7, 'status-ci', 1, 'https://ci', 'def');
             insert into mergeable (repo, num, mergeable) values ('x', 7, 0);
             insert into repos (repo, treeclosed) values ('x', 5);",
        ]);
        let found = read(&file).unwrap();
        let pull = &found.pulls[0];
        assert_eq!(
            (pull.text("repo"), pull.whole("num")),
            (Ok("x"), Ok(Some(7)))
        );
        assert_eq!(
            (pull.text("title"), pull.text("approved_by")),
            (Ok("Größe"), Ok(""))
        );
        assert_eq!(
            (pull.whole("priority"), pull.truth("try_")),
            (Ok(Some(-3)), Ok(Some(true)))
        );
        assert_eq!(found.results[0].text("merge_sha"), Ok("def"));
        assert_eq!(found.mergeable[0].truth("mergeable"), Ok(Some(false)));
        assert_eq!(found.repos[0].whole("treeclosed"), Ok(Some(5)));
        assert!(found.retries.is_empty());
    }
}

#[test]
fn columns_of_one_line_only_are_read_where_they_are() {
    let (_folder, file) = folder(&[SERVO, PULL_7, "update pull set try_choose = 'windows'"]);
    let pull = &read(&file).unwrap().pulls[0];
    assert_eq!(
        (pull.text("try_choose"), pull.truth("squash")),
        (Ok("windows"), Ok(None))
    );
    let (_folder, file) = folder(&[
        RUST_LANG,
        PULL_7,
        "update pull set squash = 1;
         insert into repos (repo, treeclosed, treeclosed_src) values ('x', 1, 'https://why');
         insert into retry_log (repo, num, src, msg) values ('x', 7, 'alice', 'retry');",
    ]);
    let found = read(&file).unwrap();
    assert_eq!(found.pulls[0].truth("squash"), Ok(Some(true)));
    assert_eq!(found.pulls[0].text("try_choose"), Ok(""));
    assert_eq!(found.repos[0].text("treeclosed_src"), Ok("https://why"));
    assert_eq!(found.retries[0].text("msg"), Ok("retry"));
}

#[test]
fn an_old_file_without_later_columns_and_tables_is_read() {
    let (_folder, file) = folder(&[
        "create table pull (repo text, num integer, head_sha text, approved_by text);
         insert into pull values ('x', 1, 'abc', 'alice');",
    ]);
    let found = read(&file).unwrap();
    assert_eq!(found.pulls[0].text("approved_by"), Ok("alice"));
    assert_eq!(found.pulls[0].whole("rollup"), Ok(None));
    assert!(found.repos.is_empty() && found.results.is_empty());
}

#[test]
fn a_cell_may_hold_anything() {
    let (_folder, file) = folder(&[
        "create table pull (repo, num, head_sha, approved_by, title, priority, try_, base_ref);
         insert into pull values
            ('x', '12', null, x'ff00fe', 'a,b''\"', 'high', 2, 5),
            ('y', 7.0, 1.5, '', null, '', 0.0, x'6d');",
    ]);
    let rows = read(&file).unwrap().pulls;
    let [first, second] = &rows[..] else { panic!() };
    assert_eq!(first.whole("num"), Ok(Some(12)));
    assert_eq!(
        (first.text("head_sha"), first.text("title")),
        (Ok(""), Ok("a,b'\""))
    );
    let odd = first.text("approved_by").unwrap_err();
    assert_eq!(odd.to_string(), "approved_by is \"\u{fffd}\\0\u{fffd}\"");
    let odd = first.whole("priority").unwrap_err();
    assert_eq!(odd.to_string(), "priority is \"high\"");
    assert_eq!(first.truth("try_").unwrap_err().value, "2");
    assert_eq!(first.text("base_ref"), Ok("5"));
    assert_eq!(
        (second.whole("num"), second.whole("priority")),
        (Ok(Some(7)), Ok(None))
    );
    assert_eq!(
        (second.truth("try_"), second.text("base_ref")),
        (Ok(Some(false)), Ok("m"))
    );
    assert!(second.whole("head_sha").is_err());
}

#[test]
fn what_is_not_of_homu_is_refused_with_what_is_missing() {
    assert_eq!(refusal("create table t (x)"), "it has no table \"pull\"");
    assert_eq!(
        refusal("create table pull (repo, num, title)"),
        "its table \"pull\" has no column \"head_sha\""
    );
    assert_eq!(
        refusal(&format!("pragma encoding = 'UTF-16'; {SERVO}")),
        "its texts are in UTF-16le"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("main.db");
    fs::write(
        &file,
        "not a database, but long enough to have a header ".repeat(20),
    )
    .unwrap();
    let error = read(&file).unwrap_err();
    assert!(matches!(error, HomuError::NotHomu { .. }), "{error}");
    fs::write(&file, "").unwrap();
    let error = read(&file).unwrap_err();
    assert!(matches!(error, HomuError::NotHomu { .. }), "{error}");
}

#[test]
fn a_missing_file_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("main.db");
    let error = read(&file).unwrap_err();
    assert!(matches!(error, HomuError::Unreadable { .. }), "{error}");
    assert!(!file.exists());
    assert!(matches!(
        read(folder.path()),
        Err(HomuError::Unreadable { .. })
    ));
}

#[test]
fn a_path_may_hold_what_means_something_in_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a?mode=memory#%41 ö.db");
    run(&folder.path().join("made.db"), &[SERVO, PULL_7].concat());
    fs::rename(folder.path().join("made.db"), &file).unwrap();
    assert_eq!(read(&file).unwrap().pulls.len(), 1);
}

#[test]
fn an_open_write_is_neither_seen_nor_held_up() {
    for mode in ["delete", "wal"] {
        let (_folder, file) = folder(&[&format!("pragma journal_mode = {mode};"), SERVO, PULL_7]);
        let mut homu = open(&file);
        // Homu gives up at once here, where it would wait for five seconds.
        homu.batch_execute(
            "pragma busy_timeout = 0; begin immediate; update pull set title = 'new';",
        )
        .unwrap();
        let found = read(&file).unwrap();
        assert_eq!(found.pulls[0].text("title"), Ok("Größe"), "{mode}");
        homu.batch_execute("commit").unwrap();
        homu.batch_execute("update pull set title = 'newer'")
            .unwrap();
        let found = read(&file).unwrap();
        assert_eq!(found.pulls[0].text("title"), Ok("newer"), "{mode}");
    }
}

#[test]
fn the_end_of_a_write_is_waited_for() {
    let (_folder, file) = folder(&[SERVO, PULL_7]);
    let mut homu = open(&file);
    homu.batch_execute("begin exclusive; update pull set title = 'new'")
        .unwrap();
    let (told, title) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let found = read(&file).unwrap();
        told.send(found.pulls[0].text("title").unwrap().to_owned())
            .unwrap();
    });
    assert!(title.try_recv().is_err());
    homu.batch_execute("commit").unwrap();
    let limit = Duration::from_secs(60);
    assert_eq!(title.recv_timeout(limit).unwrap(), "new");
    reader.join().unwrap();
}

#[test]
fn the_file_is_left_as_it_is_and_nothing_is_left_beside_it() {
    for mode in ["delete", "wal"] {
        let (folder, file) = folder(&[&format!("pragma journal_mode = {mode};"), SERVO, PULL_7]);
        let before = (fs::read(&file).unwrap(), listing(folder.path()));
        assert_eq!(before.1.len(), 1);
        assert_eq!(read(&file).unwrap().pulls.len(), 1);
        let after = (fs::read(&file).unwrap(), listing(folder.path()));
        assert_eq!(after.1, before.1, "{mode}");
        assert_eq!(after.0, before.0, "{mode}");
    }
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What a killed Homu leaves behind: half of a write in the file, and the journal that undoes it.
fn killed_in_a_write() -> (TempDir, PathBuf) {
    let (folder, file) = folder(&[SERVO, PULL_7]);
    let left = folder.path().join("left.db");
    let mut homu = open(&file);
    // Without room in memory, SQLite writes into the file before the end of the transaction.
    homu.batch_execute(
        "pragma cache_size = 1; pragma cache_spill = 1; begin; update pull set title = 'half';
         insert into pull (repo, num, status, title) with recursive n (i) as
            (select 100 union all select i + 1 from n where i < 400)
            select 'x', i, '', hex(zeroblob(2000)) from n;",
    )
    .unwrap();
    fs::copy(&file, &left).unwrap();
    fs::copy(beside(&file, "-journal"), beside(&left, "-journal")).unwrap();
    homu.batch_execute("rollback").unwrap();
    (folder, left)
}

#[test]
fn half_a_write_of_a_homu_that_was_killed_is_undone_in_a_copy() {
    let (_folder, file) = killed_in_a_write();
    let before = fs::read(&file).unwrap();
    assert!(before.len() > 100_000, "nothing was spilled");
    let found = read(&file).unwrap();
    assert_eq!(found.pulls.len(), 1);
    assert_eq!(found.pulls[0].text("title"), Ok("Größe"));
    assert_eq!(fs::read(&file).unwrap(), before);
    assert!(beside(&file, "-journal").exists());
}

#[test]
fn the_moment_of_the_last_write_is_the_file_s_or_its_log_s_and_never_to_come() {
    let (_folder, file) = folder(&[SERVO]);
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let touch = |path: &Path, seconds| {
        let file = fs::File::options().append(true).create(true).open(path);
        file.unwrap().set_modified(at(seconds)).unwrap();
    };
    touch(&file, 1_000_000_000);
    assert_eq!(
        read(&file).unwrap().written_at,
        Timestamp(1_000_000_000_000)
    );
    touch(&beside(&file, "-wal"), 1_000_000_005);
    assert_eq!(written_at(&file).unwrap(), Timestamp(1_000_000_005_000));
    touch(&file, 9_000_000_000);
    assert!(written_at(&file).unwrap() <= clock::now());
}
