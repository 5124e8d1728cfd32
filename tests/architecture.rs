//! Holds the maps in `src/lib.rs` and `crates/core/src/lib.rs`: which module may use which, that the
//! core knows nothing of the world, and the rules of the house that no lint knows.
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
use std::vec;

use file::File;
use words::words;

/// A package of the workspace.
#[derive(Clone, Copy)]
struct Package {
    folder: &'static str,
    /// Its modules from the first to the last: each may use only those before it.
    floors: &'static [&'static str],
}

const CORE: Package = Package {
    folder: "crates/core",
    floors: &["ids", "command", "suite", "queue", "jobs", "notes"],
};

const SHELL: Package = Package {
    folder: "",
    floors: &[
        "clock",
        "tls",
        "public_address",
        "config",
        "protocol",
        "store",
        "github",
        "git",
        "engine",
        "web",
        "worker",
        "cli",
    ],
};

/// Small enough to need no floors.
const PRACTICE: Package = Package {
    folder: "crates/practice",
    floors: &[],
};

const PACKAGES: [Package; 3] = [CORE, SHELL, PRACTICE];

/// What the core is built of: crates that compute and do nothing else.
const PURE_CRATES: [&str; 11] = [
    "globset",
    "hex",
    "jiff",
    "pulldown-cmark",
    "saphyr-parser",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "thiserror",
    "url",
];

/// Parts of the standard library that do something in the world.
const EFFECTFUL_STD: [&str; 8] = ["fs", "net", "process", "env", "thread", "time", "io", "os"];

/// Dependencies that no source names, and why they are there.
const UNNAMED_DEPENDENCIES: [(&str, &str); 1] = [(
    "libsqlite3-sys",
    "its feature `bundled` builds the SQLite that diesel links",
)];

const LINES_MAX: usize = 600;

/// Where the sources are. Folders that are not there have none.
const SOURCES: [&str; 4] = ["src", "tests", "benches", "crates"];

#[test]
fn the_maps_name_the_floors_in_order() {
    for package in [CORE, SHELL] {
        assert_eq!(mapped(&package.map()), package.floors);
    }
}

#[test]
fn the_maps_name_every_module() {
    for package in [CORE, SHELL] {
        let sources = Sources::of(package);
        let declared: BTreeSet<String> = words(&package.map())
            .windows(3)
            .filter(|w| w[0].text == "mod" && w[2].text == ";")
            .map(|w| w[1].text.clone())
            .filter(|module| !sources.is_test(std::slice::from_ref(module)))
            .collect();
        let mapped: BTreeSet<String> = package.floors.iter().map(ToString::to_string).collect();
        assert_eq!(declared, mapped);
    }
}

#[test]
fn no_module_uses_one_below_it() {
    for package in [CORE, SHELL] {
        assert_eq!(Sources::of(package).wrong_arrows(), [""; 0]);
    }
}

#[test]
fn the_core_knows_no_world() {
    assert_eq!(Sources::of(CORE).impurities(), [""; 0]);
    let manifest: toml::Table = toml::from_str(&CORE.manifest()).unwrap();
    let crates = manifest["dependencies"].as_table().unwrap();
    assert_eq!(crates.keys().collect::<Vec<_>>(), PURE_CRATES);
}

#[test]
fn the_practice_github_knows_names_of_things_only() {
    assert_eq!(Sources::of(PRACTICE).beyond("paprq_core", "ids"), [""; 0]);
}

#[test]
fn only_the_demo_serves_the_practice_github() {
    let mut shell = Sources::of(SHELL);
    shell
        .files
        .retain(|file| file.module.first().is_none_or(|floor| floor != "cli"));
    assert_eq!(shell.beyond("paprq_practice", ""), [""; 0]);
}

#[test]
fn test_code_stays_in_test_modules() {
    for package in PACKAGES {
        assert_eq!(Sources::of(package).stray_test_code(), [""; 0]);
    }
}

#[test]
fn every_file_begins_with_what_lives_there_and_is_one_idea_long() {
    let mut faults = Vec::new();
    for path in PACKAGES.iter().flat_map(|package| package.files()) {
        faults.extend(shape_faults(&path, &read(&path)));
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_dependency_is_used() {
    for package in PACKAGES {
        let sources: Vec<String> = package.files().map(read).collect();
        let named: BTreeSet<String> = sources
            .iter()
            .flat_map(|source| words(source))
            .map(|word| word.text)
            .collect();
        assert_eq!(unnamed_dependencies(&package.manifest(), &named), [""; 0]);
    }
}

impl Package {
    fn path(self, name: &str) -> PathBuf {
        Path::new(self.folder).join(name)
    }

    fn manifest(self) -> String {
        read(self.path("Cargo.toml"))
    }

    /// Its `lib.rs`, whose table is the map.
    fn map(self) -> String {
        read(self.path("src/lib.rs"))
    }

    fn files(self) -> vec::IntoIter<PathBuf> {
        files(
            &["src", "tests", "benches"].map(|folder| self.path(folder)),
            "rs",
        )
    }
}

/// All source files of a package, or made-up ones.
struct Sources {
    floors: &'static [&'static str],
    files: Vec<File>,
    /// The modules that are compiled for tests only.
    test_modules: BTreeSet<Vec<String>>,
}

impl Sources {
    fn of(package: Package) -> Self {
        let files = files(&[package.path("src")], "rs").map(|path| {
            let text = read(&path);
            (path, text)
        });
        Self::new(package, files)
    }

    fn new(package: Package, files: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
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
            floors: package.floors,
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
                let is_wrong = target == "*" || self.floor(&target) > self.floor(own);
                if is_wrong {
                    faults.push(file.fault(index, &format!("`{own}` must not use `{target}`")));
                }
            }
        }
        faults
    }

    /// How far down a module stands; what is no module of ours, such as a macro, is at the top.
    fn floor(&self, module: &str) -> Option<usize> {
        self.floors.iter().position(|floor| *floor == module)
    }

    /// What of the standard library is named that does something.
    fn impurities(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for file in &self.files {
            for index in file.find(&["std", "::"]) {
                let is_test = self.is_test(&file.words[index].module);
                for part in file.targets(index + 2) {
                    if EFFECTFUL_STD.contains(&part.as_str()) && !is_test {
                        faults.push(file.fault(index, &format!("`std::{part}` is not pure")));
                    }
                }
            }
        }
        faults
    }

    /// Where product code names another module of this package of ours than the one.
    fn beyond(&self, package: &str, module: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for file in &self.files {
            for index in file.find(&[package]) {
                let is_test = self.is_test(&file.words[index].module);
                let targets = file.targets(index + 2);
                for target in targets
                    .iter()
                    .filter(|target| *target != module && !is_test)
                {
                    faults.push(file.fault(index, &format!("`{package}::{target}`")));
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
fn files(folders: &[impl AsRef<Path>], extension: &str) -> vec::IntoIter<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = folders
        .iter()
        .map(|folder| folder.as_ref().into())
        .collect();
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
