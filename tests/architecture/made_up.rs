//! Each rule finds what it is for, in sources made up for that.

use super::*;

fn sources(path: &str, text: &str) -> Sources {
    Sources::new([(PathBuf::from(path), text.to_owned())])
}

#[track_caller]
fn arrows(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(sources(path, text).wrong_arrows(), expected, "{text}");
}

#[test]
fn an_arrow_downwards_is_found_however_it_is_written() {
    let fault = ["src/queue/a.rs:1: `queue` must not use `store`"];
    for text in [
        "use crate::store::Row;",
        "use crate::{ids::RunId, store::{Row, Rows}};",
        "use super::super::store;",
        "fn f() { crate::store::open() }",
        "pub(crate) use crate::store as memory;",
        "mod b { use super::super::super::store; }",
        "fn f() { let c = 'a'; let s = \"\\\"\"; crate::store::f() } // '",
        "fn f<'a>(x: &'a str) -> crate::store::Row<'a> {}",
    ] {
        arrows("src/queue/a.rs", text, &fault);
    }
}

#[test]
fn arrows_upwards_and_inwards_are_fine_if_they_name_a_module() {
    for text in [
        "use crate::ids::RunId; use super::store; use super::super::ids;",
        "// crate::store\n/* crate::web */ fn f() { \"crate::web\"; r#\"crate::\"web\"#; }",
        "/// See [`crate::store`].\npub(in crate::queue) fn f() {}",
        "mod tests { use super::super::store; }",
    ] {
        arrows("src/queue/a.rs", text, &[]);
    }
    let everything = "src/cli/mod.rs:1: `cli` must not use `*`";
    arrows("src/cli/mod.rs", "use crate::*;", &[everything]);
    arrows("src/cli/mod.rs", "use crate::{web, worker, engine};", &[]);
}

#[test]
fn tests_may_use_little_more() {
    let tests = |body: &str| format!("#[cfg(test)]\nmod tests {{ {body} }}");
    let text = tests("use crate::clock::Stopwatch; use crate::practice;");
    arrows("src/queue/a.rs", &text, &[]);
    let fault = "src/queue/a.rs:2: `queue` must not use `web`";
    arrows("src/queue/a.rs", &tests("use crate::web;"), &[fault]);
    let fault = "src/queue/a.rs:1: `queue` must not use `clock`";
    arrows(
        "src/queue/a.rs",
        "mod tests { use crate::clock; }",
        &[fault],
    );
    let declared = Sources::new([
        (
            PathBuf::from("src/git/mod.rs"),
            "#[cfg(test)]\npub(crate) mod testing;".to_owned(),
        ),
        (
            PathBuf::from("src/git/testing.rs"),
            "use crate::practice;".to_owned(),
        ),
    ]);
    assert_eq!(declared.wrong_arrows(), [""; 0]);
}

#[test]
fn impure_words_are_found_in_pure_modules_only() {
    for (text, name) in [
        ("use tokio::sync::mpsc;", "tokio"),
        ("use actix_web::web;", "actix_web"),
        ("fn f() { git2::Repository::open(p) }", "git2"),
        ("use diesel;", "diesel"),
        ("use octocrab::Octocrab;", "octocrab"),
        ("use reqwest::{Client, Url};", "reqwest"),
        ("use std::{fmt, fs};", "std::fs"),
        ("fn f() { std::net::lookup() }", "std::net"),
    ] {
        let fault = format!("src/jobs/a.rs:1: `{name}` is not pure");
        assert_eq!(sources("src/jobs/a.rs", text).impurities(), [fault]);
        assert_eq!(sources("src/web/a.rs", text).impurities(), [""; 0]);
    }
    let fine = "// tokio::spawn\nfn f(rand: u8) { self.diesel::<T>(); std::fmt::f() }";
    assert_eq!(sources("src/jobs/a.rs", fine).impurities(), [""; 0]);
}

#[test]
fn test_code_among_other_code_is_found() {
    for text in [
        "#[cfg(test)]\nfn f() {}",
        "#[cfg(not(test))]\nmod a;",
        "#[cfg(any(test, unix))]\nmod a;",
        "#[cfg_attr(test, derive(Debug))]\nstruct S;",
        "fn f() { if cfg!(test) {} }",
    ] {
        let faults = sources("src/web/a.rs", text).stray_test_code();
        assert_eq!(faults.len(), 1, "{text}");
    }
    for text in [
        "#[cfg(test)]\nmod tests {}",
        "#[cfg(test)]\n#[expect(x, reason = \"y\")]\npub(crate) mod testing;",
        "#[cfg(unix)]\nfn test() {}",
    ] {
        assert_eq!(sources("src/web/a.rs", text).stray_test_code(), [""; 0]);
    }
}

#[test]
fn files_without_a_beginning_or_an_end_are_found() {
    let path = Path::new("src/a.rs");
    assert_eq!(shape_faults(path, "//! What.\n").len(), 0);
    assert_eq!(shape_faults(path, "/// What.\n").len(), 1);
    assert_eq!(shape_faults(path, &"//! What.\n".repeat(601)).len(), 1);
}

#[test]
fn dependencies_without_a_use_and_idle_excuses_are_found() {
    let manifest = "[dependencies]\nserde-json = '1'\n[dev-dependencies]\nlibsqlite3-sys = '1'";
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let find = |names: &[&str]| unnamed_dependencies(manifest, &named(names));
    assert_eq!(find(&["serde_json"]), [""; 0]);
    assert_eq!(find(&[]), ["serde-json"]);
    assert_eq!(find(&["serde_json", "libsqlite3_sys"]), ["libsqlite3-sys"]);
}
