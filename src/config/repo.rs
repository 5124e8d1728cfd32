//! `[repo.LABEL]`: one repository.

use std::collections::BTreeMap;

use super::branches::Branches;
use super::builders::{self, Buildbot, CheckRun, StatusCheck};
use super::forward::Forward;
use super::secret::Secret;
use super::section::{NamedSection, Section};
use super::server::Git;
use super::suites::{PullTests, Suites};
use super::tree::Value;
use super::{nonsense, reactions, secrets};
use paprq_core::ids::{Login, RepoLabel};
use paprq_core::queue::labels::{LabelChange, LabelEvent};

const RUST_TEAM_URL: &str = "https://team-api.infra.rust-lang.org/v1";

const A_YEAR_S: u64 = 31_536_000;

/// One repository.
#[derive(Clone, Debug)]
pub struct Repo {
    /// `LABEL`, by which our pages name it.
    pub label: RepoLabel,
    /// The account or organisation on GitHub. Required.
    pub owner: String,
    /// The repository's name on GitHub. Required.
    pub name: String,
    /// Who may approve. Default none.
    pub reviewers: Vec<Login>,
    /// Who may try, beside those who may approve. Default none.
    pub try_users: Vec<Login>,
    /// Whether collaborators may approve. Default false.
    pub auth_collaborators: bool,
    /// Whether the Rust project's team service says who may approve. Default false.
    pub rust_team: bool,
    /// Where that service is, without a slash at its end. Default
    /// `https://team-api.infra.rust-lang.org/v1`.
    pub rust_team_url: String,
    /// Whether pulls are rebased instead of merged. Default false.
    pub linear: bool,
    /// Whether `fixup!` commits are squashed before the merge. Default false.
    pub autosquash: bool,
    /// Whether `@name` in titles and descriptions is put into backticks in the messages of merges.
    /// Default false.
    pub escape_mentions: bool,
    /// Whether a merge whose statuses are known to be good lands without a test. Default false.
    pub status_based_exemption: bool,
    /// Seconds after which a run that has not ended fails. Default 36,000.
    pub timeout_s: u64,
    /// What `try=CHOOSER` takes, with the builders it chooses; none named means all. Default none.
    pub try_choosers: BTreeMap<String, Vec<String>>,
    /// Our branches in the repository (table `branch`).
    pub branches: Branches,
    /// What the repository's webhooks are signed with: `[repo.LABEL.github] secret`, else the
    /// App's.
    pub secret: Secret,
    /// Commit statuses to wait for. Default none.
    pub statuses: Vec<StatusCheck>,
    /// Check runs to wait for. Default none.
    pub checks: Vec<CheckRun>,
    /// A Buildbot to wait for. Default none.
    pub buildbot: Option<Buildbot>,
    /// The fork that runs are pushed to. Default none: the repository itself.
    pub test_on_fork: Option<Fork>,
    /// Which labels events move. Default none.
    pub labels: BTreeMap<LabelEvent, LabelChange>,
    /// Whether and how our workers run the suites of the commit's own file. Default: they do,
    /// unless statuses, check runs or Buildbot are there to wait for.
    pub suites: Option<Suites>,
    /// How many pulls one run may test together. Default 1.
    pub batch: u32,
    /// How many runs may be in flight, each on top of the one before. Default 1.
    pub window: u32,
    /// Whether the bot merges here. Default on.
    pub merges: Merging,
    /// Whether what we find is posted to GitHub: statuses, comments and labels. Default true.
    pub report: bool,
    /// Where every webhook is passed on to. Default none.
    pub forward: Option<Forward>,
    /// Whether an approved pull waits for its pull request test to pass before it is merged. Default false.
    pub require_green_pull: bool,
    /// What suites may know and nobody may read, by name. Default none.
    pub secrets: BTreeMap<String, Secret>,
}

/// Whether the bot merges.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Merging {
    /// It does.
    On,
    /// It does not, and only tests pulls and branches: somebody else merges.
    Off,
}

/// A fork in which merges are tested.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fork {
    /// Its account or organisation. Required.
    pub owner: String,
    /// Its name. Required.
    pub name: String,
}

impl Repo {
    /// `owner/name`.
    pub fn slug(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// What `try=CHOOSER` takes, here or at Buildbot; some may come twice.
    pub fn choosers(&self) -> impl Iterator<Item = &String> {
        let of_buildbot = self.buildbot.iter();
        let of_buildbot = of_buildbot.flat_map(|buildbot| buildbot.try_choosers.keys());
        self.try_choosers.keys().chain(of_buildbot)
    }

    pub(super) fn read(named: &NamedSection<'_>, app_secret: Option<&Secret>) -> Self {
        let section = &named.section;
        let statuses = builders::statuses(section);
        let checks = builders::check_runs(section);
        let buildbot = Buildbot::read(&section.section("buildbot"));
        let suites = Suites::read(&section.section("suites"));
        nonsense::refuse_twins(section, &statuses, &checks);
        let nothing = statuses.is_empty() && checks.is_empty() && suites.is_none();
        let idle = |buildbot: &Buildbot| buildbot.builders.is_empty();
        if nothing && buildbot.as_ref().is_some_and(idle) {
            let message = "\"buildbot\", which has no builders, is all there is to wait for";
            section.error("buildbot", message, "add its builders");
        }
        let nothing = nothing && buildbot.is_none();
        let timeout_s = section.whole("timeout", 1..=A_YEAR_S);
        let repo = Self {
            label: label(named),
            owner: owner(section, "the account or organisation of the repository"),
            name: name(section),
            reviewers: logins(section, "reviewers"),
            try_users: logins(section, "try_users"),
            auth_collaborators: section.truth("auth_collaborators").unwrap_or(false),
            rust_team: section.truth("rust_team").unwrap_or(false),
            rust_team_url: section
                .address("rust_team_url")
                .unwrap_or_else(|| RUST_TEAM_URL.to_owned()),
            linear: section.truth("linear").unwrap_or(false),
            autosquash: section.truth("autosquash").unwrap_or(false),
            escape_mentions: section.truth("escape_mentions").unwrap_or(false),
            status_based_exemption: section.truth("status_based_exemption").unwrap_or(false),
            timeout_s: timeout_s.unwrap_or(36_000),
            try_choosers: try_choosers(section),
            branches: Branches::read(&section.section("branch")),
            secret: webhook_secret(&section.section("github"), app_secret),
            statuses,
            checks,
            buildbot,
            test_on_fork: Fork::read(&section.section("test-on-fork")),
            labels: reactions::labels(&section.section("labels")),
            suites: suites.or_else(|| nothing.then(Suites::default)),
            batch: section.whole("batch", 1..=100).unwrap_or(1),
            window: section.whole("window", 1..=100).unwrap_or(1),
            merges: Merging::read(section),
            report: section.truth("report").unwrap_or(true),
            forward: Forward::read(section),
            require_green_pull: section.truth("require_green_pull").unwrap_or(false),
            secrets: secrets::read(&section.section("secrets")),
        };
        repo.warn(section);
        nonsense::warn_of_choosers(section, &repo);
        repo
    }

    fn warn(&self, section: &Section<'_>) {
        let merges = self.merges == Merging::On;
        let named = !self.reviewers.is_empty() || self.auth_collaborators || self.rust_team;
        if merges && !named {
            let remedy = "add reviewers = [\"LOGIN\"]";
            section.warn("reviewers", "nobody may approve", remedy);
        }
        let tests_pulls = |suites: &Suites| suites.pulls != PullTests::None;
        if self.require_green_pull && !self.suites.as_ref().is_some_and(tests_pulls) {
            let message = "\"require_green_pull\" lets nothing be merged";
            let reason = "pulls are not tested before they are approved";
            section.warn("require_green_pull", message, reason);
        }
        if !self.secrets.is_empty() && self.suites.is_none() {
            let reason = "no suite is run here: add [repo.LABEL.suites]";
            section.warn("secrets", "\"secrets\" does nothing", reason);
        }
    }

    /// Without `local_git` GitHub makes the merges, and it makes no others than plain ones.
    fn refuse_what_needs_a_mirror(&self, section: &Section<'_>) {
        let remedy = "set [git] local_git = true, or remove it";
        let keys = [
            ("linear", self.linear),
            ("autosquash", self.autosquash),
            ("test-on-fork", self.test_on_fork.is_some()),
        ];
        for (key, _) in keys.iter().filter(|(_, is_wanted)| *is_wanted) {
            section.error(key, format!("\"{key}\" needs local_git"), remedy);
        }
        if self.suites.is_some() && section.section("suites").exists() {
            section.error("suites", "\"suites\" needs local_git", remedy);
        } else if self.suites.is_some() {
            let message = "suites, which need local_git, are all there is to wait for";
            let remedy = "set [git] local_git = true, or add a status or check to wait for";
            section.error("", message, remedy);
        }
        if self.status_based_exemption {
            let message = "\"status_based_exemption\" does nothing without local_git";
            let reason = "what is as good as tested is found out in our own mirrors";
            section.warn("status_based_exemption", message, reason);
        }
    }
}

/// Reads `[repo]`.
pub(super) fn repos(
    top: &Section<'_>,
    app_secret: Option<&Secret>,
    git: &Git,
) -> BTreeMap<RepoLabel, Repo> {
    let mut repos: BTreeMap<RepoLabel, Repo> = BTreeMap::new();
    for named in top.named_sections("repo") {
        let repo = Repo::read(&named, app_secret);
        if !git.local_git {
            repo.refuse_what_needs_a_mirror(&named.section);
        }
        let complete = !repo.owner.is_empty() && !repo.name.is_empty();
        let same = |other: &&Repo| other.slug().eq_ignore_ascii_case(&repo.slug());
        if let Some(other) = repos.values().find(same).filter(|_| complete) {
            let message = format!("{} is already [repo.{}]", repo.slug(), other.label);
            named
                .section
                .error("name", message, "remove one of the two");
        }
        repos.insert(repo.label.clone(), repo);
    }
    if repos.is_empty() {
        top.warn(
            "repo",
            "no repository is there to serve",
            "add [repo.LABEL]",
        );
    }
    repos
}

/// Labels stand in addresses: `/queue/A+B`, `/queue/all`.
fn label(NamedSection { name, section }: &NamedSection<'_>) -> RepoLabel {
    let allowed = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let message = if name == "all" {
        "the label \"all\" means every repository in addresses"
    } else if name.is_empty() || !name.chars().all(allowed) {
        "the label cannot stand in an address"
    } else {
        return RepoLabel::new(name);
    };
    let remedy = "take another label of letters, digits, - _ .";
    section.error("", message, remedy);
    RepoLabel::new(name)
}

fn owner(section: &Section<'_>, what: &str) -> String {
    let owner = section.needed_text("owner", &format!("write {what}"));
    check_slug_part(section, "owner", &owner);
    owner
}

fn name(section: &Section<'_>) -> String {
    let name = section.needed_text("name", "write the repository's name, without its owner");
    check_slug_part(section, "name", &name);
    name
}

fn check_slug_part(section: &Section<'_>, key: &str, text: &str) {
    let remedy = "write it as in the repository's address: owner/name";
    nonsense::refuse_placeholder(section, key, text, remedy);
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !text.chars().all(allowed) {
        let message = format!("\"{key}\" cannot be a name on GitHub");
        section.error(
            key,
            message,
            "write it as in the repository's address: owner/name",
        );
    }
}

pub(super) fn logins(section: &Section<'_>, key: &'static str) -> Vec<Login> {
    let texts = section.texts(key);
    let bad = |letter: char| letter.is_whitespace() || "@,/".contains(letter);
    for text in texts.iter().filter(|text| text.contains(bad)) {
        let message = format!("\"{key}\" holds {text:?}, which is no login");
        section.error(
            key,
            message,
            "write logins alone, each in quotes, without @",
        );
    }
    for text in &texts {
        let remedy = "write the login of an account on GitHub";
        nonsense::refuse_placeholder(section, key, text, remedy);
    }
    texts.into_iter().map(Login::new).collect()
}

/// Homu's lines have a list of choosers, or a table of choosers with their builders.
fn try_choosers(section: &Section<'_>) -> BTreeMap<String, Vec<String>> {
    if let Some(Value::Table(_)) = section.value("try_choosers") {
        return builders::choosers(&section.section("try_choosers"));
    }
    let names = section.texts("try_choosers").into_iter();
    names.map(|name| (name, Vec::new())).collect()
}

fn webhook_secret(section: &Section<'_>, app_secret: Option<&Secret>) -> Secret {
    let remedy = "write what the repository's webhook is signed with";
    if let Some(secret) = section.secret_or("secret", remedy) {
        return secret;
    }
    if let Some(secret) = app_secret {
        return secret.clone();
    }
    section.missing("secret", remedy);
    Secret::new("")
}

impl Merging {
    fn read(section: &Section<'_>) -> Self {
        match section.truth("merges") {
            Some(false) => Self::Off,
            Some(true) | None => Self::On,
        }
    }
}

impl Fork {
    fn read(section: &Section<'_>) -> Option<Self> {
        section.exists().then(|| Self {
            owner: owner(section, "the account or organisation of the fork"),
            name: name(section),
        })
    }
}
