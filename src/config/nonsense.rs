//! What is well-formed and means nothing: values of the sample that nobody filled in, rules that
//! fit nothing, checks that are one.

use std::collections::BTreeMap;

use super::builders::{CheckRun, StatusCheck};
use super::finding::Location;
use super::repo::Repo;
use super::section::Section;
use super::unknown::nearest;
use paprq_core::ids::RepoLabel;
use paprq_core::jobs::{Comparison, Rule, Schedule};

/// Where things stand that only a later stage can judge: what words the bot hears, is not known
/// here.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The phrases of table `aliases`, as they are compared.
    pub aliases: BTreeMap<String, Location>,
    /// The triggers of hooks, by the hooks' names.
    pub hooks: BTreeMap<String, Location>,
}

/// What the sample and the documentation write where a value is to be filled in.
const PLACEHOLDERS: [&str; 9] = [
    "OWNER",
    "NAME",
    "LOGIN",
    "LABEL",
    "REPO",
    "USER",
    "USERNAME",
    "ORGANISATION",
    "ORGANIZATION",
];

/// Notes that a placeholder was left where a name belongs.
pub(super) fn refuse_placeholder(section: &Section<'_>, key: &str, text: &str, remedy: &str) {
    let is_bracketed = text.starts_with('<') && text.ends_with('>');
    if PLACEHOLDERS.contains(&text) || is_bracketed {
        let message = format!("\"{key}\" is still \"{text}\", which only stands for a name");
        section.error(key, message, remedy);
    }
}

/// Notes where two commit statuses, or two check runs, are the same one for GitHub, which compares
/// them without regard to case.
pub(super) fn refuse_twins(section: &Section<'_>, statuses: &[StatusCheck], checks: &[CheckRun]) {
    let statuses = statuses.iter().map(|it| (&it.label, &it.context)).collect();
    twins(section, "status", "context", statuses);
    let checks = checks.iter().map(|it| (&it.label, &it.name)).collect();
    twins(section, "checks", "name", checks);
}

fn twins(section: &Section<'_>, table: &'static str, key: &str, named: Vec<(&String, &String)>) {
    let tables = section.section(table);
    for (at, (label, name)) in named.iter().enumerate() {
        let mut before = named.iter().take(at);
        let twin = before.find(|(_, other)| other.eq_ignore_ascii_case(name));
        if let Some((other, _)) = twin.filter(|_| !name.is_empty()) {
            let message = format!("\"{label}\" has the {key} of \"{other}\", \"{name}\"");
            let remedy = format!("write another {key}, or remove one of the two");
            tables.error(label, message, &remedy);
        }
    }
}

/// Notes rules that fit no job, and those that are never come to.
pub(super) fn judge_rules(
    section: &Section<'_>,
    schedule: &Schedule,
    repos: &BTreeMap<RepoLabel, Repo>,
    max_priority: i64,
) {
    let sections = section.list_of_sections("rules");
    for (at, (rule, section)) in schedule.rules.iter().zip(&sections).enumerate() {
        judge_repo(section, rule, repos);
        if is_above(rule, max_priority) {
            let message = "\"priority\" fits no pull request";
            let reason = format!("max_priority is {max_priority}");
            section.warn("priority", message, &reason);
        }
        let mut before = schedule.rules.iter().take(at);
        if before.any(|earlier| covers(earlier, rule)) {
            let reason = "an earlier rule fits the same jobs, and the first that fits counts";
            section.warn("", "this rule is never used", reason);
        }
    }
}

fn judge_repo(section: &Section<'_>, rule: &Rule, repos: &BTreeMap<RepoLabel, Repo>) {
    let Some(pattern) = &rule.repo else {
        return;
    };
    if repos.is_empty() || repos.keys().any(|label| pattern.fits(label.as_str())) {
        return;
    }
    let written = pattern.to_string();
    if written.contains(['*', '?', '[']) {
        let message = format!("\"repo\" fits no repository: \"{written}\"");
        section.warn("repo", message, "the rule fits no job until there is one");
        return;
    }
    let labels: Vec<&str> = repos.keys().map(RepoLabel::as_str).collect();
    let remedy = match nearest(&written, &labels) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write the label of a repository: {}", labels.join(", ")),
    };
    let message = format!("\"repo\" is \"{written}\", but there is no [repo.{written}]");
    section.error("repo", message, &remedy);
}

fn is_above(rule: &Rule, max_priority: i64) -> bool {
    rule.priority.is_some_and(|bound| match bound.comparison {
        Comparison::AtLeast | Comparison::Exactly => bound.value > max_priority,
        Comparison::Above => bound.value >= max_priority,
        Comparison::AtMost | Comparison::Below => false,
    })
}

/// Whether each job that the later rule fits is fitted by the earlier one, as far as that shows.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    fn is_wider<T: PartialEq>(earlier: Option<&T>, later: Option<&T>) -> bool {
        earlier.is_none() || earlier == later
    }
    is_wider(earlier.run.as_ref(), later.run.as_ref())
        && is_wider(earlier.repo.as_ref(), later.repo.as_ref())
        && is_wider(earlier.branch.as_ref(), later.branch.as_ref())
        && is_wider(earlier.label.as_ref(), later.label.as_ref())
        && is_wider(earlier.suite.as_ref(), later.suite.as_ref())
        && is_wider(earlier.priority.as_ref(), later.priority.as_ref())
}

/// Warns of choosers that name what is not waited for; of suites the names are not known here.
pub(super) fn warn_of_choosers(section: &Section<'_>, repo: &Repo) {
    if repo.suites.is_some() || repo.buildbot.is_some() {
        return;
    }
    let statuses = repo.statuses.iter();
    let statuses = statuses.map(|status| format!("status-{}", status.label));
    let checks = repo.checks.iter();
    let known: Vec<String> = statuses
        .chain(checks.map(|check| format!("checks-{}", check.label)))
        .collect();
    for (chooser, names) in &repo.try_choosers {
        for name in names.iter().filter(|name| !known.contains(name)) {
            let message = format!("try={chooser} names \"{name}\", which is not waited for");
            let reason = format!("what is waited for: {}", known.join(", "));
            section.warn("try_choosers", message, &reason);
        }
    }
}
