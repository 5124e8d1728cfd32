//! Reading the tables of the guides for those who come from another program, and finding the tests
//! that they name. Sources are read as text, so that nothing need be built.

use std::fs;
use std::path::{Path, PathBuf};

/// The cells of all rows, without the heads.
pub(crate) fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_head = |at: usize| {
        lines
            .get(at + 1)
            .is_some_and(|next| next.starts_with("|--"))
    };
    let rows = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| line.starts_with("| ") && !is_head(*at));
    rows.map(|(_, line)| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands between backticks.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether a test of this name is in the sources: `MODULE::…::NAME` of the library, or
/// `BINARY::MODULE::…::NAME` of `tests/`.
pub(crate) fn is_test(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let (name, modules) = parts.split_last().unwrap();
    (0..=modules.len()).any(|in_files| {
        let (files, inline) = modules.split_at(in_files);
        let sources = files_of(files)
            .into_iter()
            .filter_map(|file| fs::read_to_string(file).ok());
        sources
            .into_iter()
            .any(|source| holds(&source, inline, name))
    })
}

/// The files that a module may be in.
fn files_of(modules: &[&str]) -> Vec<PathBuf> {
    let path = modules.join("/");
    let of_tests = if modules.len() == 1 {
        "main.rs"
    } else {
        "mod.rs"
    };
    vec![
        root().join(format!("src/{path}.rs")),
        root().join(format!("src/{path}/mod.rs")),
        root().join(format!("crates/core/src/{path}.rs")),
        root().join(format!("crates/core/src/{path}/mod.rs")),
        root().join(format!("tests/{path}.rs")),
        root().join(format!("tests/{path}/{of_tests}")),
    ]
}

/// Whether a test stands in these modules of a file.
fn holds(source: &str, inline: &[&str], name: &str) -> bool {
    let mut rest = source;
    for module in inline {
        match rest.split_once(&format!("mod {module} {{")) {
            Some((_, inside)) => rest = inside,
            None => return false,
        }
    }
    let head = format!("fn {name}(");
    rest.match_indices(&head).any(|(at, _)| {
        let before = rest[..at].lines().rev();
        let mut attributes = before.take_while(|line| !["}", "};"].contains(&line.trim()));
        attributes.any(|line| {
            let line = line.trim();
            line == "#[test]" || line.starts_with("#[tokio::test")
        })
    })
}

/// The top of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
