//! Property tests keep the seeds that failed: every runner writes them down, and every file of seeds
//! is read again.

use super::*;

/// What a source does so that a seed that failed would be lost.
fn lost_seeds(path: &Path, source: &str) -> Vec<String> {
    let file = File::new(path.to_owned(), source);
    // proptest's own choice is right: a file in `proptest-regressions`.
    let elsewhere = file.find(&["failure_persistence", ":"]);
    let mut faults: Vec<String> = elsewhere
        .map(|index| file.fault(index, "seeds that fail are not kept where the others are"))
        .collect();
    let knows_source = file.find(&["with_source_file"]).next().is_some();
    let anonymous = file.find(&["TestRunner", "::", "new"]);
    faults.extend(
        anonymous
            .filter(|_| !knows_source)
            .map(|index| file.fault(index, "the runner does not know where to keep its seeds")),
    );
    faults
}

/// The source whose properties read a file of seeds.
fn source_of(seeds: &Path) -> PathBuf {
    let parts = seeds.iter().map(|part| match part.to_str() {
        Some("proptest-regressions") => "src".as_ref(),
        _ => part,
    });
    parts.collect::<PathBuf>().with_extension("rs")
}

#[test]
fn every_property_keeps_the_seeds_that_failed() {
    let mut faults = Vec::new();
    for path in files(&SOURCES, "rs") {
        faults.extend(lost_seeds(&path, &read(&path)));
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn every_file_of_seeds_stands_beside_a_source_that_reads_it() {
    let seeds = files(&["proptest-regressions", "crates"], "txt");
    let seeds = seeds.filter(|path| path.iter().any(|part| part == "proptest-regressions"));
    let unread: Vec<PathBuf> = seeds
        .filter(|seeds| !root().join(source_of(seeds)).is_file())
        .collect();
    assert_eq!(
        unread,
        [""; 0].map(PathBuf::from),
        "move them with their sources"
    );
}

#[test]
fn seeds_that_would_be_lost_are_found() {
    for text in [
        "Config { failure_persistence: None, ..Config::default() }",
        "TestRunner::new(Config::with_cases(5))",
        "TestRunner::new(Config { cases, ..Config::default() }) // with_source_file",
    ] {
        assert_eq!(lost_seeds(Path::new("src/a.rs"), text).len(), 1, "{text}");
    }
    for text in [
        "Config { cases: 48, ..Config::default() }",
        "TestRunner::new(Config { cases, ..Config::with_source_file(file!()) })",
    ] {
        assert_eq!(lost_seeds(Path::new("src/a.rs"), text), [""; 0], "{text}");
    }
}

#[test]
fn seeds_belong_to_the_source_of_their_name() {
    for (seeds, source) in [
        (
            "proptest-regressions/notes/tests/attacks.txt",
            "src/notes/tests/attacks.rs",
        ),
        (
            "crates/core/proptest-regressions/laws.txt",
            "crates/core/src/laws.rs",
        ),
    ] {
        assert_eq!(source_of(Path::new(seeds)), Path::new(source));
    }
}
