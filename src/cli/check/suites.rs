//! What the configuration means for the suites of a repository's own file.

use super::page::{Page, duration, listed};
use crate::config::{OnMerge, PullTests, Repo, Suites};

/// Says which pulls are tested, what is not run again, and who gets secrets.
pub(super) fn describe(page: &mut Page, repo: &Repo) {
    let Some(suites) = &repo.suites else {
        return;
    };
    page.row("pulls", &pull_tests(suites));
    page.row("again", &again(suites));
    if !repo.secrets.is_empty() {
        let names: Vec<&String> = repo.secrets.keys().collect();
        let who = "for suites that name them, in merges, tries and pushed branches only";
        page.row("secrets", &format!("{}, {who}", listed(&names)));
    }
}

/// Which suites must pass before something lands.
pub(super) fn check(suites: &Suites) -> String {
    let file = &suites.file;
    match suites.on_merge {
        OnMerge::All => format!("every suite of {file}, on our workers"),
        OnMerge::Named => {
            format!("the suites of {file} that name the branch (all, if none does), on our workers")
        }
    }
}

fn pull_tests(suites: &Suites) -> String {
    match suites.pulls {
        PullTests::Trusted => {
            let names: Vec<&str> = suites.trusted.iter().map(|login| login.as_str()).collect();
            let whose = match names.as_slice() {
                [] => String::new(),
                names => format!(", as {} are", listed(names)),
            };
            format!("are tested before approval, too, if their authors are trusted{whose}")
        }
        PullTests::All => "are tested before approval, too, whoever made them".to_owned(),
        PullTests::None => "are tested when they are approved or tried, not before".to_owned(),
    }
}

fn again(suites: &Suites) -> String {
    match suites.reuse_s {
        None => "every suite is run each time".to_owned(),
        Some(seconds) => format!(
            "a suite that passed is not run again on the same content for {}",
            duration(seconds)
        ),
    }
}
