//! When each suite of a file runs, found by asking for every occasion that the file knows.

use std::collections::{BTreeSet, HashSet};

use paprq_core::suite::{Occasion, OnMerge, Suite, needed};

/// The branches that carry merges and tries where the server's configuration names no others.
const AUTO: &str = "auto";
const TRY: &str = "try";

/// The contexts of what each occasion needs.
pub(super) struct Occasions<'a> {
    pulls: HashSet<&'a str>,
    merges: HashSet<&'a str>,
    tries: HashSet<&'a str>,
    branches: Vec<(&'a str, HashSet<&'a str>)>,
}

impl<'a> Occasions<'a> {
    /// Asks for all of them.
    pub(super) fn of(suites: &'a [Suite]) -> Self {
        let needing = |occasion| -> HashSet<&'a str> {
            let needed = needed(suites, occasion);
            needed.into_iter().map(|s| s.context.as_str()).collect()
        };
        let merge = |branch| Occasion::Merge {
            branch,
            on_merge: OnMerge::Named,
        };
        Self {
            pulls: needing(Occasion::Pull),
            merges: needing(merge(AUTO)),
            tries: needing(merge(TRY)),
            branches: branches(suites)
                .map(|branch| (branch, needing(Occasion::Branch(branch))))
                .collect(),
        }
    }

    /// When this suite runs, in words; empty for never.
    pub(super) fn when(&self, suite: &Suite) -> Vec<String> {
        let context = suite.context.as_str();
        let pulls = if self.pulls.contains(context) {
            Some("pull requests")
        } else if suite.pulls && suite.on_demand {
            Some("pull requests where somebody asks for it")
        } else {
            None
        };
        let merges = self.merges.contains(context).then_some("merges");
        let tries = self.tries.contains(context).then_some("tries");
        let words = [pulls, merges, tries].into_iter().flatten();
        words
            .map(str::to_owned)
            .chain(self.pushes(context))
            .collect()
    }

    fn pushes(&self, context: &str) -> Option<String> {
        let branches: Vec<&str> = self
            .branches
            .iter()
            .filter(|(_, needed)| needed.contains(context))
            .map(|(branch, _)| *branch)
            .collect();
        (!branches.is_empty()).then(|| format!("pushes to {}", branches.join(", ")))
    }
}

/// Whether a suite asks for merges by itself.
pub(super) fn names_auto(suite: &Suite) -> bool {
    suite.branches.iter().any(|branch| branch == AUTO)
}

/// The branches that any suite names, but those that merges and tries are tested on.
fn branches(suites: &[Suite]) -> impl Iterator<Item = &str> {
    let all: BTreeSet<&str> = suites
        .iter()
        .flat_map(|suite| &suite.branches)
        .map(String::as_str)
        .collect();
    all.into_iter()
        .filter(|branch| *branch != AUTO && *branch != TRY)
}
