//! `paths` and `paths-ignore`: which suites a change does not concern.

use std::collections::HashMap;

use globset::{Candidate, Glob, GlobBuilder, GlobSet};

use super::Suite;
use super::audit::{Audit, Repeats, below};
use super::yaml::Node;

/// The most globs in one list.
const GLOBS_MAX: usize = 100;

/// The longest glob, in bytes.
const GLOB_BYTES_MAX: usize = 500;

/// Reads a list of distinct globs.
pub(super) fn globs(node: &Node, path: &str, audit: &mut Audit) -> Vec<String> {
    let globs = audit.texts(node, path, Repeats::Wrong);
    if globs.len() > GLOBS_MAX {
        let what = format!("List has more than {GLOBS_MAX} items");
        audit.wrong(node.place, &what, path);
        return globs;
    }
    for (index, text, place) in node.texts() {
        if let Err(why) = glob(text) {
            let what = format!("Value '{text}' is not a valid glob: {why}");
            audit.wrong(place, &what, &below(path, index));
        }
    }
    globs
}

/// A glob as the file writes it, or what is wrong with it.
fn glob(text: &str) -> Result<Glob, String> {
    if text.len() > GLOB_BYTES_MAX {
        return Err(format!("it has more than {GLOB_BYTES_MAX} bytes"));
    }
    if text.is_empty() || text.starts_with(['/', '!']) || text.split('/').any(is_dots) {
        return Err("it is no path below the top of the repository".to_owned());
    }
    if text
        .split('/')
        .any(|part| part.contains("**") && part != "**")
    {
        return Err("** stands for whole directories, so only / can be beside it".to_owned());
    }
    let below = if text.ends_with('/') { "**" } else { "" };
    GlobBuilder::new(&format!("{text}{below}"))
        .literal_separator(true)
        .build()
        .map_err(|error| error.kind().to_string())
}

fn is_dots(part: &str) -> bool {
    part == "." || part == ".."
}

/// The suites that say in `paths` and `paths-ignore` that none of the changed paths matters to
/// them, in the order of the file. A suite that says neither is never among them, one that says
/// anything always is where nothing changed.
///
/// Paths are relative to the top of the repository and have no `/` at either end. Equal lists,
/// such as those of a matrix, are looked through once.
pub fn untouched<'a>(suites: &'a [Suite], changed_paths: &[impl AsRef<str>]) -> Vec<&'a Suite> {
    let changed: Vec<Candidate<'_>> = changed_paths
        .iter()
        .map(|path| Candidate::new(path.as_ref()))
        .collect();
    let mut known: HashMap<(&[String], &[String]), bool> = HashMap::new();
    suites
        .iter()
        .filter(|suite| !suite.paths.is_empty() || !suite.paths_ignore.is_empty())
        .filter(|suite| {
            let key = (suite.paths.as_slice(), suite.paths_ignore.as_slice());
            !*known
                .entry(key)
                .or_insert_with(|| is_touched(suite, &changed))
        })
        .collect()
}

/// Whether any of the changed paths matters; what cannot be told does.
fn is_touched(suite: &Suite, changed: &[Candidate<'_>]) -> bool {
    let (Some(paths), Some(ignored)) = (set(&suite.paths), set(&suite.paths_ignore)) else {
        return true;
    };
    changed.iter().any(|path| {
        (suite.paths.is_empty() || paths.is_match_candidate(path))
            && !ignored.is_match_candidate(path)
    })
}

fn set(globs: &[String]) -> Option<GlobSet> {
    let globs: Result<Vec<Glob>, String> = globs.iter().map(|text| glob(text)).collect();
    GlobSet::new(globs.ok()?).ok()
}
