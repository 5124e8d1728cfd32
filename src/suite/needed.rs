//! Which suites of a file a run needs, and which of those decide.

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
pub fn needed<'a>(suites: &'a [Suite], occasion: Occasion<'_>) -> Vec<&'a Suite> {
    match occasion {
        Occasion::Pull => suites.iter().filter(|suite| suite.pulls).collect(),
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

/// Those of the needed suites that decide: the required ones, or all where none is required.
///
/// PAPR's `required` status is the same rule: it sums up the required ones of what was run.
pub fn gates<'a>(needed: &[&'a Suite]) -> Vec<&'a Suite> {
    let required: Vec<&Suite> = needed
        .iter()
        .copied()
        .filter(|suite| suite.required)
        .collect();
    if required.is_empty() {
        needed.to_vec()
    } else {
        required
    }
}

fn naming<'a>(suites: &'a [Suite], branch: &str) -> Vec<&'a Suite> {
    suites
        .iter()
        .filter(|suite| suite.branches.iter().any(|name| name == branch))
        .collect()
}
