//! What the configuration means for one repository.

use std::collections::BTreeMap;

use super::page::{Page, duration, listed};
use super::server::host;
use super::suites;
use crate::config::{Config, Merging, Repo, StatusCheck};
use paprq_core::queue::labels::{LabelChange, LabelEvent};
use paprq_core::queue::run::Purpose;

/// Says what the bot does with a repository.
pub(super) fn describe(page: &mut Page, config: &Config, repo: &Repo) {
    page.heading(&format!("[repo.{}] {}", repo.label, repo.slug()));
    page.row("may approve", &approvers(repo));
    page.row("may try", &triers(repo));
    page.row("merges", &merges(repo));
    page.row("branches", &branches(repo));
    waits(page, repo);
    choosers(page, repo);
    if repo.status_based_exemption {
        page.row("exempt", exempt(config, repo));
    }
    page.row(
        "time-out",
        &format!(
            "a run that has not ended after {} has failed",
            duration(repo.timeout_s)
        ),
    );
    if repo.batch > 1 || repo.window > 1 {
        page.row("at a time", &at_a_time(repo));
    }
    labels(page, &repo.labels);
    if !repo.report {
        page.row("reports", "none: no status, comment or label is posted");
    }
    if let Some(forward) = &repo.forward {
        let to = format!(
            "every webhook is passed on to {}, signed for it",
            host(&forward.url)
        );
        page.row("forwards", &to);
    }
}

fn approvers(repo: &Repo) -> String {
    let mut who = Vec::new();
    if !repo.reviewers.is_empty() {
        let names: Vec<&str> = repo.reviewers.iter().map(|login| login.as_str()).collect();
        who.push(listed(&names));
    }
    if repo.auth_collaborators {
        who.push("the repository's collaborators, which GitHub is asked each time".to_owned());
    }
    if repo.rust_team {
        who.push("whom the Rust project's team service lets approve, asked each time".to_owned());
    }
    if who.is_empty() {
        return "nobody".to_owned();
    }
    who.push("for one pull, whoever they delegate it to".to_owned());
    who.join("; ")
}

fn triers(repo: &Repo) -> String {
    let mut who = Vec::new();
    if !repo.try_users.is_empty() {
        let names: Vec<&str> = repo.try_users.iter().map(|login| login.as_str()).collect();
        who.push(listed(&names));
    }
    if repo.rust_team {
        who.push("whom the team service lets try".to_owned());
    }
    who.push("whoever may approve".to_owned());
    who.join("; ")
}

fn merges(repo: &Repo) -> String {
    if repo.merges == Merging::Off {
        return "none: only pulls and branches are tested here, and somebody else merges"
            .to_owned();
    }
    let squashed = match (repo.autosquash, repo.linear) {
        (false, _) => "",
        (true, false) => {
            ", after the pull's fixup!, squash! and amend! commits were put where they belong"
        }
        (true, true) => ", with fixup!, squash! and amend! commits put where they belong",
    };
    if !repo.linear {
        return format!(
            "a merge commit, \"Auto merge of #NUMBER - OWNER:BRANCH, r=APPROVER\" with the pull's \
             title and body{squashed}"
        );
    }
    let title = if repo.autosquash {
        ""
    } else {
        "; the pull's title then begins with \"[merged]\""
    };
    format!(
        "no merge commit: the pull's commits are rebased onto the base{squashed}; each message gets \
         \"Closes: #NUMBER\" and \"Approved by: APPROVER\"{title}"
    )
}

fn branches(repo: &Repo) -> String {
    let branches = &repo.branches;
    let tries = &branches.try_;
    let chosen = if repo.choosers().next().is_some() {
        format!(" ({tries}-CHOOSER for try=CHOOSER)")
    } else {
        String::new()
    };
    let place = match &repo.test_on_fork {
        None => String::new(),
        Some(fork) => format!(" in {}/{}", fork.owner, fork.name),
    };
    format!(
        "{} for approved merges, {tries} for tries{chosen}{place}; {} for rollups, in the fork of \
         whoever makes one",
        branches.auto, branches.rollup
    )
}

fn waits(page: &mut Page, repo: &Repo) {
    let landing = match repo.merges {
        Merging::On => checks(repo, Purpose::Land),
        Merging::Off => Vec::new(),
    };
    if !landing.is_empty() {
        page.row(
            "lands when",
            "all of these passed on the very commit that lands:",
        );
    }
    for check in &landing {
        page.item(check);
    }
    let trying = checks(repo, Purpose::Try);
    if trying == landing {
        page.row("tries", "wait for the same");
    } else if trying.is_empty() {
        page.row("tries", "have nothing to wait for");
    } else {
        page.row("tries", "wait for:");
        for check in &trying {
            page.item(check);
        }
    }
    if repo.require_green_pull && repo.merges == Merging::On {
        page.row(
            "first",
            "an approved pull's pull request test must have passed",
        );
    }
    suites::describe(page, repo);
}

/// What a run waits for.
fn checks(repo: &Repo, purpose: Purpose) -> Vec<String> {
    let mut checks: Vec<String> = repo.suites.iter().map(suites::check).collect();
    let statuses = repo.statuses.iter();
    let statuses = statuses.filter(|status| status.in_tries || purpose == Purpose::Land);
    checks.extend(
        statuses.map(|StatusCheck { context, .. }| format!("the commit status {context:?}")),
    );
    checks.extend(repo.checks.iter().map(|check| {
        let in_tries = check.try_name.as_ref().filter(|_| purpose == Purpose::Try);
        format!("the check run {:?}", in_tries.unwrap_or(&check.name))
    }));
    if let Some(buildbot) = &repo.buildbot {
        let builders = match purpose {
            Purpose::Land => &buildbot.builders,
            Purpose::Try | Purpose::Branch | Purpose::Pull => &buildbot.try_builders,
        };
        if !builders.is_empty() {
            checks.push(format!(
                "{} of Buildbot at {}",
                listed(builders),
                buildbot.url
            ));
        }
    }
    checks
}

fn choosers(page: &mut Page, repo: &Repo) {
    if let Some(buildbot) = &repo.buildbot {
        for (chooser, builders) in &buildbot.try_choosers {
            let text = format!(
                "has {} instead of Buildbot's other builders",
                listed(builders)
            );
            page.row(&format!("try={chooser}"), &text);
        }
    }
    for (chooser, builders) in &repo.try_choosers {
        let text = if builders.is_empty() {
            "waits for the same as try".to_owned()
        } else {
            format!("waits for {} alone", listed(builders))
        };
        page.row(&format!("try={chooser}"), &text);
    }
}

fn exempt(config: &Config, repo: &Repo) -> &'static str {
    let others = repo.suites.is_some() || !repo.checks.is_empty() || repo.buildbot.is_some();
    if others || repo.statuses.is_empty() {
        return "nothing is, because not only commit statuses are waited for";
    }
    if !config.git.local_git {
        return "nothing is, because merges are not made in a mirror";
    }
    "a merge whose content has all statuses already lands without a test: the pull's head, if it \
     is up to date with the base, or GitHub's test merge, if it is equal to ours"
}

fn at_a_time(repo: &Repo) -> String {
    let pulls = match repo.batch {
        1 => "one pull a run".to_owned(),
        batch => format!("up to {batch} pulls a run"),
    };
    match repo.window {
        1 => format!("{pulls}, one run"),
        window => format!("{pulls}, up to {window} runs, each on top of the one before"),
    }
}

fn labels(page: &mut Page, labels: &BTreeMap<LabelEvent, LabelChange>) {
    if labels.is_empty() {
        return;
    }
    page.row("labels", "are moved when a pull");
    for (event, change) in labels {
        page.item(&format!("{}: {}", happened(*event), moved(change)));
    }
}

fn moved(change: &LabelChange) -> String {
    if change.add.is_empty() && change.remove.is_empty() {
        return "nothing".to_owned();
    }
    let parts = [
        ("gets", listed(&change.add)),
        ("loses", listed(&change.remove)),
        ("unless it has", change.unless.join(" or ")),
    ];
    let parts = parts.iter().filter(|(_, labels)| !labels.is_empty());
    let parts: Vec<String> = parts
        .map(|(what, labels)| format!("{what} {labels}"))
        .collect();
    parts.join(", ")
}

fn happened(event: LabelEvent) -> &'static str {
    match event {
        LabelEvent::Approved => "is approved",
        LabelEvent::Rejected => "is no longer approved",
        LabelEvent::Conflict => "cannot be merged",
        LabelEvent::Succeed => "passed",
        LabelEvent::Failed => "failed",
        LabelEvent::Exempted => "landed without a test",
        LabelEvent::TimedOut => "took too long",
        LabelEvent::Interrupted => "was interrupted",
        LabelEvent::Try => "is tried",
        LabelEvent::TrySucceed => "passed a try",
        LabelEvent::TryFailed => "failed a try",
        LabelEvent::Pushed => "got new commits",
        LabelEvent::RollupMade => "went into a rollup",
    }
}
