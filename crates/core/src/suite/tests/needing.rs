//! Which suites a run needs and which of them decide.

use super::*;

const FILE: &str = "\
sandbox: true
tests: []
context: pulls only
branches: []
---
sandbox: true
tests: []
context: merges
branches: [auto, try]
pulls: false
required: true
---
sandbox: true
tests: []
context: everywhere
branches: [master, auto]
---
sandbox: true
tests: []
context: never
branches: []
pulls: false
";

/// The contexts of what this occasion needs of the file.
fn contexts(file: &str, occasion: Occasion<'_>) -> String {
    names(&needed(&suites(file), occasion))
}

fn names(suites: &[&Suite]) -> String {
    let names: Vec<&str> = suites.iter().map(|suite| suite.context.as_str()).collect();
    names.join(", ")
}

fn merge(branch: &str, on_merge: OnMerge) -> Occasion<'_> {
    Occasion::Merge { branch, on_merge }
}

#[test]
fn a_pull_needs_what_tests_pulls_whatever_branches_say() {
    assert_eq!(contexts(FILE, Occasion::Pull), "pulls only, everywhere");
}

#[test]
fn a_push_needs_what_names_its_branch_exactly_whatever_pulls_says() {
    assert_eq!(
        contexts(FILE, Occasion::Branch("auto")),
        "merges, everywhere"
    );
    assert_eq!(contexts(FILE, Occasion::Branch("master")), "everywhere");
    for branch in ["Auto", "aut", "*", ""] {
        assert_eq!(contexts(FILE, Occasion::Branch(branch)), "", "{branch}");
    }
}

#[test]
fn a_merge_needs_what_names_the_test_branch() {
    assert_eq!(
        contexts(FILE, merge("auto", OnMerge::Named)),
        "merges, everywhere"
    );
    assert_eq!(contexts(FILE, merge("try", OnMerge::Named)), "merges");
}

#[test]
fn a_merge_needs_everything_where_no_suite_names_the_test_branch() {
    let all = "pulls only, merges, everywhere, never";
    assert_eq!(contexts(FILE, merge("bors", OnMerge::Named)), all);
    assert_eq!(contexts(FILE, merge("auto", OnMerge::All)), all);
    assert_eq!(contexts("", merge("auto", OnMerge::Named)), "");
}

#[test]
fn required_suites_decide_or_all_where_none_is_required() {
    let suites = suites(FILE);
    let gates_of = |occasion| names(&gates(&needed(&suites, occasion)));
    assert_eq!(gates_of(merge("auto", OnMerge::Named)), "merges");
    assert_eq!(gates_of(Occasion::Pull), "pulls only, everywhere");
    assert_eq!(names(&gates(&[])), "");
}

#[test]
fn suites_on_demand_wait_on_pulls_only() {
    let file = "sandbox: true\ntests: []\non-demand: true\nbranches: [auto, x]\n";
    assert_eq!(contexts(file, Occasion::Pull), "");
    assert_eq!(contexts(file, Occasion::Branch("x")), "Red Hat CI");
    for on_merge in [OnMerge::Named, OnMerge::All] {
        assert_eq!(contexts(file, merge("auto", on_merge)), "Red Hat CI");
    }
}

#[test]
fn what_a_needed_suite_waits_for_is_needed_too() {
    let file = "\
sandbox: true
tests: []
context: first
pulls: false
branches: []
---
inherit: true
context: second
needs: [first]
on-demand: true
---
inherit: true
context: third
needs: [second]
pulls: true
on-demand: false
branches: [x]
---
inherit: true
context: other
branches: []
pulls: false
needs: []
";
    assert_eq!(contexts(file, Occasion::Pull), "first, second, third");
    assert_eq!(
        contexts(file, Occasion::Branch("x")),
        "first, second, third"
    );
    assert_eq!(contexts(file, Occasion::Branch("y")), "");
    assert_eq!(
        contexts(file, merge("x", OnMerge::Named)),
        "first, second, third"
    );
}

#[test]
fn a_suite_that_may_fail_does_not_decide() {
    let file = |keys: &str| {
        format!(
            "{FILE}---\nsandbox: true\ntests: []\ncontext: flaky\nallow-failure: true\n{keys}\n"
        )
    };
    let gates_of = |keys: &str| names(&gates(&needed(&suites(&file(keys)), Occasion::Pull)));
    assert_eq!(gates_of("pulls: true"), "pulls only, everywhere");
    assert_eq!(gates_of("required: true"), "");
}
