//! Somebody's CI: it looks into what is pushed to `auto` and the try branches, and answers.

use std::collections::HashSet;
use std::time::Duration;

use paprq_core::ids::CommitId;
use paprq_practice::{Conclusion, Practice, StatusState};

use crate::world::REPO;

const BRANCHES: [&str; 3] = ["auto", "try", "try-docs"];

/// It runs until it is stopped.
pub(super) struct Ci(tokio::task::JoinHandle<()>);

impl Ci {
    pub(super) fn start(practice: &Practice) -> Self {
        let practice = practice.clone();
        Self(tokio::spawn(async move {
            let mut seen = HashSet::new();
            let mut flaked = false;
            loop {
                let commit = next(&practice, &mut seen).await;
                answer(&practice, commit, &mut flaked);
            }
        }))
    }

    pub(super) fn stop(self) {
        self.0.abort();
    }
}

async fn next(practice: &Practice, seen: &mut HashSet<CommitId>) -> CommitId {
    loop {
        let pushed = practice.wait_for(Duration::from_secs(600), |practice| {
            let tips = BRANCHES.iter().filter_map(|branch| {
                let tip = practice.branch(REPO, branch).unwrap()?;
                (!seen.contains(&tip)).then_some(tip)
            });
            tips.into_iter().next()
        });
        if let Ok(tip) = pushed.await {
            seen.insert(tip);
            return tip;
        }
    }
}

/// What `breaks` names is red; what `flaky` names is red once.
fn answer(practice: &Practice, commit: CommitId, flaked: &mut bool) {
    let file = |name: &str| practice.file(REPO, commit, name).unwrap();
    let mut red = file("breaks");
    if red.is_none() || red.as_deref() == Some("nothing") {
        red = file("flaky").filter(|_| !std::mem::replace(flaked, file("flaky").is_some()));
    }
    let is_red = |name: &str| red.as_deref() == Some(name);
    let lint = practice.create_check_run(REPO, commit, "lint").unwrap();
    let conclusion = if is_red("lint") {
        Conclusion::Failure
    } else {
        Conclusion::Success
    };
    practice.complete_check_run(REPO, lint, conclusion).unwrap();
    for context in ["ci/linux", "ci/mac"] {
        let state = if is_red(context) {
            StatusState::Failure
        } else {
            StatusState::Success
        };
        practice.set_status(REPO, commit, context, state).unwrap();
    }
}
