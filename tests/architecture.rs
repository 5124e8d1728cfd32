//! Holds the map of `src/lib.rs`: which module may use which, what pure modules must not know, and
//! the rules of the house that no lint knows.
//!
//! It reads the sources as words, without comments and texts, so it needs no compiler; `made_up`
//! shows that each rule finds what it should.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, helpers too fail by panicking"
)]

#[path = "architecture/file.rs"]
mod file;
#[path = "architecture/made_up.rs"]
mod made_up;
#[path = "architecture/seeds.rs"]
mod seeds;
#[path = "architecture/words.rs"]
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use file::File;
use words::words;

/// The modules from the first to the last: each may use only those before it.
const FLOORS: [&str; 18] = [
    "ids", "command", "suite", "queue", "jobs", "notes", "clock", "tls", "config", "protocol",
    "store", "github", "git", "engine", "web", "worker", "practice", "cli",
];

/// The modules that decide and do nothing.
const PURE: [&str; 5] = ["command", "suite", "queue", "jobs", "notes"];

/// What test modules may use though it stands further down: `clock` to show that something ends
/// soon, `practice` because it is what tests are made with.
const FOR_TESTS: [&str; 2] = ["clock", "practice"];

/// Crates that do something in the world, by the beginning of their names.
const EFFECTFUL_CRATES: [&str; 14] = [
    "tokio",
    "diesel",
    "octocrab",
    "reqwest",
    "git2",
    "actix",
    "hyper",
    "object_store",
    "rand",
    "rustix",
    "nix",
    "tempfile",
    "tracing",
    "libsqlite3_sys",
];

/// Parts of the standard library that do something in the world.
const EFFECTFUL_STD: [&str; 7] = ["fs", "net", "process", "env", "thread", "io", "os"];

/// Dependencies that no source names, and why they are there.
const UNNAMED_DEPENDENCIES: [(&str, &str); 1] = [(
    "libsqlite3-sys",
    "its feature `bundled` builds the SQLite that diesel links",
)];

const LINES_MAX: usize = 600;

/// Where the sources are. Folders that are not there have none.
const SOURCES: [&str; 4] = ["src", "tests", "benches", "crates"];

#[test]
fn the_map_names_the_floors_in_order() {
    assert_eq!(mapped(&read("src/lib.rs")), FLOORS.map(str::to_owned));
}

#[test]
fn the_map_marks_the_pure_modules() {
    let library = read("src/lib.rs");
    let marked: Vec<&str> = library
        .lines()
        .filter(|line| line.contains("] | PURE: "))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    assert_eq!(marked, PURE);
}

#[test]
fn the_map_names_every_module() {
    let declared: BTreeSet<String> = words(&read("src/lib.rs"))
        .windows(3)
        .filter(|w| w[0].text == "mod" && w[2].text == ";")
        .map(|w| w[1].text.clone())
        .collect();
    let mapped: BTreeSet<String> = FLOORS.map(str::to_owned).into();
    assert_eq!(declared, mapped);
    let present: BTreeSet<String> = Sources::of_the_program()
        .files
        .iter()
        .filter_map(|file| file.module.first().cloned())
        .collect();
    assert_eq!(present, mapped);
}

#[test]
fn no_module_uses_one_below_it() {
    assert_eq!(Sources::of_the_program().wrong_arrows(), [""; 0]);
}

#[test]
fn pure_modules_know_no_framework_and_no_world() {
    assert_eq!(Sources::of_the_program().impurities(), [""; 0]);
}

#[test]
fn test_code_stays_in_test_modules() {
    assert_eq!(Sources::of_the_program().stray_test_code(), [""; 0]);
}

#[test]
fn every_file_begins_with_what_lives_there_and_is_one_idea_long() {
    let mut faults = Vec::new();
    for path in files(&SOURCES, "rs") {
        faults.extend(shape_faults(&path, &read(&path)));
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_dependency_is_used() {
    let sources: Vec<String> = files(&SOURCES, "rs").map(read).collect();
    let named: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| words(source))
        .map(|word| word.text)
        .collect();
    assert_eq!(unnamed_dependencies(&read("Cargo.toml"), &named), [""; 0]);
}

/// All source files of the program, or made-up ones.
struct Sources {
    files: Vec<File>,
    /// The modules that are compiled for tests only.
    test_modules: BTreeSet<Vec<String>>,
}

impl Sources {
    fn of_the_program() -> Self {
        Self::new(files(&["src"], "rs").map(|path| {
            let text = read(&path);
            (path, text)
        }))
    }

    fn new(files: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let files: Vec<File> = files
            .into_iter()
            .map(|(path, text)| File::new(path, &text))
            .collect();
        let mut test_modules = BTreeSet::new();
        for file in &files {
            for index in file.find(&["#", "[", "cfg", "(", "test", ")", "]"]) {
                test_modules.extend(file.module_after_attribute(index));
            }
        }
        Self {
            files,
            test_modules,
        }
    }

    fn is_test(&self, module: &[String]) -> bool {
        (1..=module.len()).any(|length| self.test_modules.contains(&module[..length]))
    }

    /// The uses of a module by one that stands above it.
    fn wrong_arrows(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for file in &self.files {
            let Some(own) = file.module.first() else {
                continue;
            };
            for (index, target) in file.uses() {
                let word = &file.words[index];
                let excused = self.is_test(&word.module) && FOR_TESTS.contains(&target.as_str());
                let is_wrong = target == "*" || floor(&target) > floor(own);
                if is_wrong && !excused {
                    faults.push(file.fault(index, &format!("`{own}` must not use `{target}`")));
                }
            }
        }
        faults
    }

    /// What pure modules name that does something.
    fn impurities(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_pure = |file: &&File| {
            file.module
                .first()
                .is_some_and(|m| PURE.contains(&m.as_str()))
        };
        for file in self.files.iter().filter(is_pure) {
            for (index, word) in file.words.iter().enumerate() {
                let crate_name = EFFECTFUL_CRATES
                    .iter()
                    .find(|name| word.text == **name || word.text.starts_with(&format!("{name}_")));
                if crate_name.is_some() && file.is_path_or_import(index) {
                    faults.push(file.fault(index, &format!("`{}` is not pure", word.text)));
                }
            }
            for index in file.find(&["std", "::"]) {
                for part in file.targets(index + 2) {
                    if EFFECTFUL_STD.contains(&part.as_str()) {
                        faults.push(file.fault(index, &format!("`std::{part}` is not pure")));
                    }
                }
            }
        }
        faults
    }

    /// Conditions on `test` that are no test modules.
    fn stray_test_code(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for file in &self.files {
            for (index, word) in file.words.iter().enumerate() {
                if word.text != "cfg" && word.text != "cfg_attr" {
                    continue;
                }
                let attribute = index
                    .checked_sub(2)
                    .filter(|&start| file.starts(start, &["#", "["]));
                let is_module = attribute.is_some_and(|start| {
                    file.starts(start, &["#", "[", "cfg", "(", "test", ")", "]"])
                        && file.module_after_attribute(start).is_some()
                });
                if file.parenthesis(index + 1).contains(&"test") && !is_module {
                    faults.push(file.fault(index, "test code outside a test module"));
                }
            }
        }
        faults
    }
}

/// How far down a module stands; what is no module of ours, such as a macro, is at the top.
fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| *floor == module)
}

/// The modules that the table of the crate's documentation names.
fn mapped(library: &str) -> Vec<String> {
    library
        .lines()
        .filter_map(|line| line.strip_prefix("//! | [`"))
        .filter_map(|line| line.split('`').next())
        .map(str::to_owned)
        .collect()
}

fn shape_faults(path: &Path, source: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !source.starts_with("//! ") {
        faults.push(format!("{} does not begin with `//!`", path.display()));
    }
    let lines = source.lines().count();
    if lines > LINES_MAX {
        faults.push(format!("{} has {lines} lines", path.display()));
    }
    faults
}

/// The dependencies that are neither named in a source nor excused, and the excuses that are
/// needed no more.
fn unnamed_dependencies(manifest: &str, named: &BTreeSet<String>) -> Vec<String> {
    let manifest: toml::Table = toml::from_str(manifest).unwrap();
    let excused = BTreeMap::from(UNNAMED_DEPENDENCIES);
    let mut faults = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let dependencies = manifest.get(section).and_then(toml::Value::as_table);
        for name in dependencies.into_iter().flat_map(toml::Table::keys) {
            let is_named = named.contains(&name.replace('-', "_"));
            if is_named == excused.contains_key(name.as_str()) {
                faults.push(name.clone());
            }
        }
    }
    faults
}

/// The files below these folders whose names end so, in order.
fn files(folders: &[&str], extension: &str) -> impl Iterator<Item = PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root().join(&folder)).into_iter().flatten();
        for entry in entries.map(Result::unwrap) {
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files.into_iter()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}
