//! What is valid, and probably not meant.

use super::occasions::{Occasions, names_auto};
use paprq_core::suite::Suite;

/// What is doubtful about the suites of a file.
pub(super) fn warnings(suites: &[Suite], occasions: &Occasions<'_>) -> Vec<String> {
    let each = suites
        .iter()
        .flat_map(|suite| of_suite(suite, suites, occasions));
    of_file(suites).into_iter().chain(each).collect()
}

fn of_file(suites: &[Suite]) -> Option<String> {
    let unnamed = !suites.is_empty() && !suites.iter().any(names_auto);
    unnamed.then(|| "no suite names the branch auto, so merges take all of them".to_owned())
}

fn of_suite(suite: &Suite, suites: &[Suite], occasions: &Occasions<'_>) -> Vec<String> {
    let context = &suite.context;
    let mut warnings = Vec::new();
    if occasions.when(suite).is_empty() {
        warnings.push(format!("{context}: nothing runs it"));
    }
    if suite.required && suite.allow_failure {
        warnings.push(format!("{context}: is required, and may fail"));
    }
    if suite.matrix.is_empty() && context.contains('{') && context.contains('}') {
        warnings.push(format!(
            "{context}: the braces stay as they are, because there is no matrix"
        ));
    }
    let may_fail = suites
        .iter()
        .filter(|other| other.allow_failure && suite.needs.contains(&other.context));
    for needed in may_fail {
        let needed = &needed.context;
        warnings.push(format!("{context}: needs {needed}, which may fail"));
    }
    warnings
}
