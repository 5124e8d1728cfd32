//! Changes with each fault that this test is for: it finds all of them.

use super::*;

/// A table, and a change that adds a column to it.
const CHANGES: [(&str, &str); 6] = [
    (
        "2026-01-01-000000_first/up.sql",
        "create table t (a integer not null, b text);",
    ),
    (
        "2026-01-01-000000_first/after.sql",
        "select count(*) = 0 from t;",
    ),
    (
        "2026-01-02-000000_second/before.sql",
        "insert into t values (1, 'x'), (2, null);",
    ),
    (
        "2026-01-02-000000_second/up.sql",
        "alter table t add column c integer not null default 7;",
    ),
    (
        "2026-01-02-000000_second/after.sql",
        "-- Why.\nselect count(*) = 2 from t where c = 7;",
    ),
    (
        "2026-01-02-000000_second/down.sql",
        "alter table t drop column c;",
    ),
];

/// What is said of the changes if files of the second are replaced; no text takes the file away.
fn said(replaced: &[(&str, &str)]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in CHANGES {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for (file, text) in replaced {
        let path = folder.path().join("2026-01-02-000000_second").join(file);
        match *text {
            "" => std::fs::remove_file(path).unwrap(),
            text => std::fs::write(path, text).unwrap(),
        }
    }
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    upgrade(&mut connection, folder.path())
}

#[test]
fn a_change_without_rows_or_without_a_claim_is_refused() {
    assert_eq!(said(&[]), Ok(()));
    for (file, text, fault) in [
        ("before.sql", "", "before.sql cannot be read"),
        ("before.sql", "select 1;", "before.sql adds no rows"),
        (
            "before.sql",
            "insert into u values (1);",
            "before.sql fails",
        ),
        ("after.sql", "", "after.sql cannot be read"),
        ("after.sql", "-- Nothing.\n", "after.sql says nothing"),
        (
            "after.sql",
            "select count(*) = 2 from t;",
            "this holds before the change, too",
        ),
        (
            "after.sql",
            "select count(*) = 1 from t where c = 7;",
            "this does not hold",
        ),
    ] {
        let said = said(&[(file, text)]).unwrap_err();
        assert!(said.starts_with("2026-01-02-000000_second: "), "{said}");
        assert!(said.contains(fault), "{file} {text}: {said}");
    }
}

#[test]
fn a_table_that_no_sample_has_rows_of_is_named() {
    let rows = [(
        "before.sql",
        "create table u (a integer); insert into t values (1, 'x');",
    )];
    let said = said(&rows).unwrap_err();
    assert!(
        said.contains("no before.sql up to here has rows of u"),
        "{said}"
    );
}

#[test]
fn a_change_that_loses_or_alters_rows_is_refused() {
    const ADDED: &str = "alter table t add column c integer not null default 7;";
    for (up, fault) in [
        ("delete from t where a = 1;", "rows of t: 2 became 1"),
        (
            "update t set b = 'y' where a = 1;",
            "what is in t is not as it was",
        ),
        (
            "create table u as select * from t; drop table t;",
            "table t is lost with its rows",
        ),
    ] {
        let up = format!("{ADDED} {up}");
        let said = said(&[("up.sql", &up)]).unwrap_err();
        assert!(said.contains(fault), "{up}: {said}");
    }
    let meant = "-- changes t.b\nselect count(*) = 2 from t where c = 7;";
    let up = format!("{ADDED} update t set b = 'y' where a = 1;");
    assert_eq!(
        said(&[("up.sql", &up), ("after.sql", meant), ("down.sql", "")]),
        Ok(())
    );
}

#[test]
fn a_down_that_does_not_bring_back_what_was_there_is_refused() {
    assert_eq!(said(&[("down.sql", "")]), Ok(()));
    for (down, fault) in [
        ("select 1;", "down.sql does not bring back"),
        (
            "alter table t drop column c; delete from t;",
            "down.sql does not bring back",
        ),
        (
            "alter table t drop column c; create index i on t (a);",
            "down.sql does not bring back",
        ),
        ("alter table t drop column d;", "down.sql fails"),
    ] {
        let said = said(&[("down.sql", down)]).unwrap_err();
        assert!(said.contains(fault), "{down}: {said}");
    }
}
