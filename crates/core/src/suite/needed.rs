//! Which suites of a file a run needs, and which of those decide.

use std::collections::{HashMap, HashSet};

use super::Suite;

/// What is to be tested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occasion<'a> {
    /// A merge of pulls before it lands, or a try.
    Merge {
        /// The branch that carries such merges for tests, `auto` or `try` by default.
        branch: &'a str,
        /// Which suites that takes.
        on_merge: OnMerge,
    },
    /// A pull request by itself; its base does not matter (PAPR: `branches` is not looked at).
    /// Suites that are on demand wait until somebody asks for them.
    Pull,
    /// A push to this branch (PAPR: `pulls` is not looked at).
    Branch(&'a str),
}

/// Which suites a merge needs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnMerge {
    /// Those that name the test branch; all, where none of the file does: a file that was never
    /// written for a merge queue must not let everything land untested.
    #[default]
    Named,
    /// All.
    All,
}

/// The suites of a file that an occasion needs, in the order of the file; possibly none.
///
/// Suites that are on demand are left out for pulls only: on merges and branches they run as others
/// do. What a needed suite waits for is needed too, whatever else it says.
pub fn needed<'a>(suites: &'a [Suite], occasion: Occasion<'_>) -> Vec<&'a Suite> {
    with_needs(suites, &asked_for(suites, occasion))
}

/// The suites that say by themselves that they are for this occasion.
fn asked_for<'a>(suites: &'a [Suite], occasion: Occasion<'_>) -> Vec<&'a Suite> {
    match occasion {
        Occasion::Pull => suites
            .iter()
            .filter(|suite| suite.pulls && !suite.on_demand)
            .collect(),
        Occasion::Branch(branch) => naming(suites, branch),
        Occasion::Merge {
            on_merge: OnMerge::All,
            ..
        } => suites.iter().collect(),
        Occasion::Merge {
            branch,
            on_merge: OnMerge::Named,
        } => {
            let named = naming(suites, branch);
            if named.is_empty() {
                suites.iter().collect()
            } else {
                named
            }
        }
    }
}

/// Those of the needed suites that decide: the required ones, or all where none is required; but
/// none that may fail.
///
/// PAPR's `required` status is the same rule: it sums up the required ones of what was run.
pub fn gates<'a>(needed: &[&'a Suite]) -> Vec<&'a Suite> {
    let some_required = needed.iter().any(|suite| suite.required);
    needed
        .iter()
        .copied()
        .filter(|suite| (suite.required || !some_required) && !suite.allow_failure)
        .collect()
}

/// Some suites of a file with all that they wait for, in the order of the file.
pub fn with_needs<'a>(suites: &'a [Suite], chosen: &[&'a Suite]) -> Vec<&'a Suite> {
    let by_context: HashMap<&str, &Suite> = suites
        .iter()
        .map(|suite| (suite.context.as_str(), suite))
        .collect();
    let mut contexts: HashSet<&str> = HashSet::new();
    let mut open = chosen.to_vec();
    while let Some(suite) = open.pop() {
        if contexts.insert(&suite.context) {
            let needs = suite.needs.iter();
            open.extend(needs.filter_map(|context| by_context.get(context.as_str())));
        }
    }
    suites
        .iter()
        .filter(|suite| contexts.contains(suite.context.as_str()))
        .collect()
}

fn naming<'a>(suites: &'a [Suite], branch: &str) -> Vec<&'a Suite> {
    suites
        .iter()
        .filter(|suite| suite.branches.iter().any(|name| name == branch))
        .collect()
}
