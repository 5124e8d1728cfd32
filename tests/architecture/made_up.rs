//! Each rule finds what it is for, in sources made up for that.

use super::*;

fn sources(path: &str, text: &str) -> Sources {
    let package = match path.starts_with("src/") {
        true => SHELL,
        false => CORE,
    };
    Sources::new(package, [(PathBuf::from(path), text.to_owned())])
}

#[track_caller]
fn arrows(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(sources(path, text).wrong_arrows(), expected, "{text}");
}

#[test]
fn an_arrow_downwards_is_found_however_it_is_written() {
    let fault = ["src/git/a.rs:1: `git` must not use `web`"];
    for text in [
        "use crate::web::Row;",
        "use crate::{clock::now, web::{Row, Rows}};",
        "use super::super::web;",
        "fn f() { crate::web::open() }",
        "pub(crate) use crate::web as memory;",
        "mod b { use super::super::super::web; }",
        "fn f() { let c = 'a'; let s = \"\\\"\"; crate::web::f() } // '",
        "fn f<'a>(x: &'a str) -> crate::web::Row<'a> {}",
    ] {
        arrows("src/git/a.rs", text, &fault);
    }
    let fault = "crates/core/src/queue/a.rs:1: `queue` must not use `jobs`";
    arrows(
        "crates/core/src/queue/a.rs",
        "use crate::jobs::Job;",
        &[fault],
    );
}

#[test]
fn arrows_upwards_and_inwards_are_fine_if_they_name_a_module() {
    for text in [
        "use crate::clock::now; use super::web; use super::super::store;",
        "// crate::web\n/* crate::web */ fn f() { \"crate::web\"; r#\"crate::\"web\"#; }",
        "/// See [`crate::web`].\npub(in crate::git) fn f() {}",
        "mod tests { use super::super::store; }",
    ] {
        arrows("src/git/a.rs", text, &[]);
    }
    let everything = "src/cli/mod.rs:1: `cli` must not use `*`";
    arrows("src/cli/mod.rs", "use crate::*;", &[everything]);
    arrows("src/cli/mod.rs", "use crate::{web, worker, engine};", &[]);
}

#[test]
fn the_world_is_found_in_the_core() {
    let path = "crates/core/src/jobs/a.rs";
    for (text, name) in [
        ("use std::{fmt, fs};", "std::fs"),
        ("fn f() { std::net::lookup() }", "std::net"),
        ("use std::time::Instant;", "std::time"),
    ] {
        let fault = format!("{path}:1: `{name}` is not pure");
        assert_eq!(sources(path, text).impurities(), [fault]);
    }
    let fine =
        "// std::fs\nfn f() { std::fmt::f() }\n#[cfg(test)]\nmod tests { use std::time::Instant; }";
    assert_eq!(sources(path, fine).impurities(), [""; 0]);
}

#[test]
fn what_lies_beyond_one_module_of_another_package_is_found() {
    let beyond = |text| sources("src/git/a.rs", text).beyond("paprq_core", "ids");
    for (text, target) in [
        ("use paprq_core::queue::Queue;", "queue"),
        ("use paprq_core::{ids, jobs::Job};", "jobs"),
        ("fn f() { paprq_core::suite::read() }", "suite"),
    ] {
        assert_eq!(
            beyond(text),
            [format!("src/git/a.rs:1: `paprq_core::{target}`")]
        );
    }
    assert_eq!(beyond("use paprq_core::ids::{Login, RunId};"), [""; 0]);
    assert_eq!(
        beyond("#[cfg(test)]\nmod tests { use paprq_core::suite; }"),
        [""; 0]
    );
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
