//! What a repository's runs wait for beside our own suites: commit statuses, check runs, and
//! Buildbot: what Homu calls builders.

use std::collections::BTreeMap;

use super::secret::Secret;
use super::section::{NamedSection, Section, Word};
use super::tree::Value;
use paprq_core::ids::is_same_name;
use paprq_core::queue::rules::Counts;

/// A commit status to wait for: `[repo.LABEL.status.NAME]`, or `[repo.LABEL.status]` itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusCheck {
    /// `NAME`; `status` where there is none.
    pub label: String,
    /// The status's context on the tested commit. Required.
    pub context: String,
    /// Whether tries wait for it too (key `try`). Default true.
    pub in_tries: bool,
    /// The context of its equal on a pull's own commits. Default [`StatusCheck::context`].
    pub pr_context: String,
}

/// A check run to wait for: `[repo.LABEL.checks.NAME]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckRun {
    /// `NAME`.
    pub label: String,
    /// The check run's name on the tested commit. Required.
    pub name: String,
    /// Its name in tries, where it has another one. Default none: the same.
    pub try_name: Option<String>,
    /// What `neutral` counts as. Default passed.
    pub neutral: Counts,
    /// What `skipped` counts as, where no check run of the name was carried out. Default passed.
    pub skipped: Counts,
}

impl Word for Counts {
    const ALL: &'static [Self] = &[Self::Passed, Self::Failed];

    fn word(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed => "fail",
        }
    }
}

/// Buildbot: `[repo.LABEL.buildbot]`.
#[derive(Clone, Debug)]
pub struct Buildbot {
    /// Where it is, without a slash at its end. Required.
    pub url: String,
    /// What its packets must bring. Required.
    pub secret: Secret,
    /// Who builds merges. Default none.
    pub builders: Vec<String>,
    /// Who builds tries. Default [`Buildbot::builders`].
    pub try_builders: Vec<String>,
    /// Who builds `try=CHOOSER`, by chooser. Default none.
    pub try_choosers: BTreeMap<String, Vec<String>>,
    /// The account that rebuilds and stops builds. Default none.
    pub username: Option<String>,
    /// Its password. Default none.
    pub password: Option<Secret>,
}

/// The context under which Travis reports a pushed branch.
const TRAVIS_CONTEXT: &str = "continuous-integration/travis-ci/push";

/// The keys of a commit status.
const STATUS_KEYS: [&str; 3] = ["context", "pr_context", "try"];

/// All commit statuses of a repository; `[repo.LABEL.travis]` is one of them.
pub(super) fn statuses(repo: &Section<'_>) -> Vec<StatusCheck> {
    let nameless = nameless_status(&repo.section("status"));
    let named = repo.named_sections_beside("status", &STATUS_KEYS);
    let named = named.iter().map(StatusCheck::read_named);
    let mut statuses: Vec<_> = nameless.into_iter().chain(named).collect();
    let is_there = statuses
        .iter()
        .any(|status| is_same_name(&status.context, TRAVIS_CONTEXT));
    let travis = repo.section("travis");
    // Read only to be known: Travis reports a commit status, which needs no token.
    travis.secret_unless_empty("token");
    if travis.exists() && !is_there {
        statuses.push(StatusCheck {
            label: "travis".to_owned(),
            context: TRAVIS_CONTEXT.to_owned(),
            in_tries: true,
            pr_context: TRAVIS_CONTEXT.to_owned(),
        });
    }
    statuses
}

/// A commit status right in `[repo.LABEL.status]`, as Homu had it before there could be several.
fn nameless_status(section: &Section<'_>) -> Option<StatusCheck> {
    let is_name = |value: &Value| matches!(value, Value::Table(_));
    let values = STATUS_KEYS.map(|key| section.value(key).filter(|value| !is_name(value)));
    let is_there = values.iter().any(Option::is_some);
    is_there.then(|| StatusCheck::read("status".to_owned(), section))
}

/// All check runs of a repository.
pub(super) fn check_runs(repo: &Section<'_>) -> Vec<CheckRun> {
    let named = repo.named_sections("checks");
    named.iter().map(CheckRun::read).collect()
}

impl StatusCheck {
    fn read_named(NamedSection { name, section }: &NamedSection<'_>) -> Self {
        Self::read(name.clone(), section)
    }

    fn read(label: String, section: &Section<'_>) -> Self {
        let context = section.needed_text("context", "write the status's context");
        let pr_context = section.text_unless_empty("pr_context");
        Self {
            label,
            pr_context: pr_context.unwrap_or_else(|| context.clone()),
            context,
            in_tries: section.truth("try").unwrap_or(true),
        }
    }
}

impl CheckRun {
    fn read(NamedSection { name, section }: &NamedSection<'_>) -> Self {
        Self {
            label: name.clone(),
            name: section.needed_text("name", "write the check run's name"),
            try_name: section.text_unless_empty("try_name"),
            neutral: section.choice("neutral").unwrap_or_default(),
            skipped: section.choice("skipped").unwrap_or_default(),
        }
    }
}

impl Buildbot {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        if !section.exists() {
            return None;
        }
        let url = section.address("url");
        section.missing("url", "write where Buildbot is");
        let secret = section.needed_text("secret", "write what its packets bring");
        let builders = section.texts("builders");
        let try_builders = section.texts("try_builders");
        let try_choosers = section.section("try_choosers");
        Some(Self {
            url: url.unwrap_or_default(),
            secret: Secret::new(secret),
            try_builders: if try_builders.is_empty() {
                builders.clone()
            } else {
                try_builders
            },
            builders,
            try_choosers: choosers(&try_choosers),
            username: section.text_unless_empty("username"),
            password: section.secret_unless_empty("password"),
        })
    }
}

/// A table of choosers, each with the builders it chooses.
pub(super) fn choosers(section: &Section<'_>) -> BTreeMap<String, Vec<String>> {
    let named = section.names().into_iter();
    named
        .map(|entry| (entry.key.clone(), section.named_texts(entry)))
        .collect()
}
