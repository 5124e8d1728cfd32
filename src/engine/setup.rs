//! From cfg.toml to what the parts of the engine are made of.

use std::collections::BTreeMap;

use super::permissions::Permissions;
use super::team::Team;
use super::test_place::{Address, Fork, GitUrl, Maker, TestPlace};
use crate::config::{self, Config};
use crate::git::{self, Person, Remote, RemoteAuth, Secret};
use crate::github::{self, GitHub, Slug};
use crate::protocol::LEASE_S;
use paprq_core::command::{Alias, Grammar};
use paprq_core::ids::{BranchName, Login};
use paprq_core::jobs::{Policy, RepoLimits};
use paprq_core::notes::Links;
use paprq_core::queue::effect::History;
use paprq_core::queue::rules::{
    Authority, BuildbotRule, CheckRunRule, ExemptionRule, Fixups, HookRule, Mentions, Merging,
    PullTests, Replay, Reporting, Reuse, Rules, StatusRule,
};
use paprq_core::queue::run::{Check, Purpose};
use paprq_core::suite::{FILE_NAMES, OnMerge};

/// How long making and pushing a run's commit may take, in seconds.
const SETUP_TIMEOUT_S: u64 = 900;

/// The branch of commits that are pushed without being tested there (homu: `homu-tmp`).
const TEMPORARY_BRANCH: &str = "homu-tmp";

/// What git may use.
pub(super) fn git_limits(config: &config::Git) -> git::Limits {
    let bounds = config.strangers;
    let bytes = |mib: u64| mib.saturating_mul(1 << 20);
    git::Limits {
        stranger_bytes: bytes(bounds.head_mib),
        quarantine_bytes: bytes(bounds.heads_mib),
        free_bytes_min: bytes(bounds.free_mib),
        ..git::Limits::default()
    }
}

/// How GitHub is spoken to.
pub(super) fn github_settings(config: &Config) -> github::Settings {
    let limits = config.github.limits;
    let default = github::Settings::default();
    github::Settings {
        limits: github::Limits {
            points_per_min: limits.points_per_min,
            comments_per_min: limits.comments_per_min,
            comments_per_h: limits.comments_per_h,
            ..default.limits
        },
        ..default
    }
}

/// Which job goes first, and how many run at a time.
pub(super) fn policy(config: &Config) -> Policy {
    let limits = config.repos.iter().filter_map(|(label, repo)| {
        let suites = repo.suites.as_ref()?;
        let limits = RepoLimits {
            jobs_max: suites.jobs_max,
            suites: suites.limits.clone(),
        };
        Some((label.clone(), limits))
    });
    Policy {
        lease_s: LEASE_S,
        schedule: config.schedule.clone(),
        limits: limits.collect(),
    }
}

/// What a run of this purpose waits for beside its suites, by the configuration.
pub fn awaited(
    config: &Config,
    repo: &config::Repo,
    purpose: Purpose,
    chooser: Option<&str>,
) -> Vec<Check> {
    // Who the bot is, only GitHub knows; no check depends on it.
    rules(config, repo, &Login::new("")).awaited(purpose, chooser)
}

/// What the queue needs to know of a repository's configuration.
pub(super) fn rules(config: &Config, repo: &config::Repo, bot: &Login) -> Rules {
    Rules {
        grammar: Grammar {
            bot: bot.clone(),
            hooks: config
                .hooks
                .values()
                .map(|hook| hook.trigger.clone())
                .collect(),
            aliases: aliases(config),
        },
        reviewers: repo.reviewers.clone(),
        try_users: repo.try_users.clone(),
        authorities: authorities(repo),
        hooks: config.hooks.values().map(hook_rule).collect(),
        labels: repo.labels.clone(),
        max_priority: config.max_priority,
        timeout_s: repo.timeout_s,
        setup_timeout_s: SETUP_TIMEOUT_S,
        auto_branch: repo.branches.auto.clone(),
        try_branch: repo.branches.try_.clone(),
        history: if repo.linear {
            History::Linear
        } else {
            History::Merged
        },
        fixups: if repo.autosquash {
            Fixups::Squash
        } else {
            Fixups::Keep
        },
        mentions: if repo.escape_mentions {
            Mentions::Escaped
        } else {
            Mentions::AsWritten
        },
        exemption: if repo.status_based_exemption {
            ExemptionRule::ByStatuses
        } else {
            ExemptionRule::Never
        },
        choosers: repo.try_choosers.clone(),
        buildbot: repo.buildbot.as_ref().map(buildbot_rule),
        temporary_branch: BranchName::new(TEMPORARY_BRANCH),
        statuses: repo.statuses.iter().map(status_rule).collect(),
        check_runs: repo.checks.iter().map(check_run_rule).collect(),
        suites: repo.suites.as_ref().map(|suites| match suites.on_merge {
            config::OnMerge::Named => OnMerge::Named,
            config::OnMerge::All => OnMerge::All,
        }),
        pulls: pull_tests(repo),
        trusted: repo
            .suites
            .as_ref()
            .map(|suites| suites.trusted.clone())
            .unwrap_or_default(),
        reuse: match reuse_s(repo) {
            Some(_) => Reuse::Passes,
            None => Reuse::Never,
        },
        merging: merging(repo),
        reporting: if repo.report {
            Reporting::On
        } else {
            Reporting::Off
        },
    }
}

/// For how long a suite that passed counts as passed on the same tree, in seconds; `None` for not
/// at all.
pub(super) fn reuse_s(repo: &config::Repo) -> Option<u64> {
    repo.suites.as_ref().and_then(|suites| suites.reuse_s)
}

fn aliases(config: &Config) -> Vec<Alias> {
    let aliases = config.aliases.iter();
    aliases
        .map(|(phrase, commands)| Alias {
            phrase: phrase.to_owned(),
            commands: commands.to_owned(),
        })
        .collect()
}

fn merging(repo: &config::Repo) -> Merging {
    match (repo.merges, repo.require_green_pull) {
        (config::Merging::On, false) => Merging::On,
        (config::Merging::On, true) => Merging::OnceGreen,
        (config::Merging::Off, _) => Merging::Off,
    }
}

fn pull_tests(repo: &config::Repo) -> PullTests {
    let pulls = repo.suites.as_ref().map(|suites| suites.pulls);
    match pulls {
        Some(config::PullTests::Trusted) => PullTests::Trusted,
        Some(config::PullTests::All) => PullTests::All,
        Some(config::PullTests::None) | None => PullTests::None,
    }
}

fn authorities(repo: &config::Repo) -> Vec<Authority> {
    let known = [
        (repo.auth_collaborators, Authority::Collaborators),
        (repo.rust_team, Authority::RustTeam),
    ];
    let asked = known.into_iter().filter(|(is_asked, _)| *is_asked);
    asked.map(|(_, authority)| authority).collect()
}

/// Who is asked about people's rights.
pub(super) fn permissions(repo: &config::Repo, rules: &Rules) -> Permissions {
    let team = Team::new(&repo.rust_team_url, &repo.label);
    Permissions::new(rules.authorities.clone(), team)
}

/// The hooks, by the word that calls them.
pub(super) fn hooks(config: &Config) -> BTreeMap<String, config::Hook> {
    let hooks = config.hooks.values();
    hooks
        .map(|hook| (hook.trigger.clone(), hook.clone()))
        .collect()
}

fn hook_rule(hook: &config::Hook) -> (String, HookRule) {
    let rule = HookRule {
        access: hook.access,
        replay: if hook.realtime {
            Replay::Never
        } else {
            Replay::AtRestore
        },
    };
    (hook.trigger.clone(), rule)
}

fn buildbot_rule(buildbot: &config::Buildbot) -> BuildbotRule {
    BuildbotRule {
        builders: buildbot.builders.clone(),
        try_builders: buildbot.try_builders.clone(),
        choosers: buildbot.try_choosers.clone(),
    }
}

fn status_rule(status: &config::StatusCheck) -> StatusRule {
    StatusRule {
        label: status.label.clone(),
        context: status.context.clone(),
        in_tries: status.in_tries,
        pr_context: status.pr_context.clone(),
    }
}

fn check_run_rule(check: &config::CheckRun) -> CheckRunRule {
    CheckRunRule {
        label: check.label.clone(),
        name: check.name.clone(),
        try_name: check.try_name.clone(),
        neutral: check.neutral,
        skipped: check.skipped,
    }
}

/// The names under which a commit's file of suites is looked for, in order.
pub(super) fn suite_files(repo: &config::Repo) -> Vec<String> {
    let default = config::Suites::default();
    match &repo.suites {
        Some(suites) if suites.file != default.file => vec![suites.file.clone()],
        Some(_) => FILE_NAMES.map(str::to_owned).to_vec(),
        None => Vec::new(),
    }
}

/// Where words link to.
pub(super) fn links(config: &Config, repo: &config::Repo, bot: &Login, base_url: &str) -> Links {
    Links {
        base_url: base_url.to_owned(),
        repo: repo.label.clone(),
        web_url: config.github.web_url.clone(),
        slug: repo.slug(),
        bot: bot.clone(),
    }
}

/// The repository's name on GitHub.
pub(super) fn slug(repo: &config::Repo) -> Slug {
    Slug::new(&repo.owner, &repo.name)
}

/// Who signs merge commits: as configured, else the bot's account.
pub(super) fn committer(config: &Config, bot: &Login) -> Person {
    Person {
        name: config
            .git
            .name
            .clone()
            .unwrap_or_else(|| bot.as_str().to_owned()),
        email: config
            .git
            .email
            .clone()
            .unwrap_or_else(|| format!("{bot}@users.noreply.github.com")),
    }
}

/// Where runs are made and tested. `key_file` holds the SSH key, if there is one.
pub(super) fn test_place(
    config: &Config,
    repo: &config::Repo,
    github: &GitHub,
    key_file: Option<std::path::PathBuf>,
) -> TestPlace {
    let fork = repo.test_on_fork.as_ref().map(|fork| Fork {
        api: github.repo(Slug::new(&fork.owner, &fork.name)),
        remote: Address::new(remote(
            config,
            &Slug::new(&fork.owner, &fork.name),
            key_file,
        )),
    });
    let maker = if config.git.local_git {
        Maker::Mirror
    } else {
        Maker::GitHub
    };
    TestPlace { maker, fork }
}

/// Below which address git finds repositories.
pub(super) fn git_url(config: &Config) -> GitUrl {
    GitUrl::new(&config.github.git_url)
}

/// Where the repository `OWNER/NAME` is fetched from and pushed to. `key_file` holds the SSH key, if
/// there is one.
pub(super) fn remote(config: &Config, slug: &Slug, key_file: Option<std::path::PathBuf>) -> Remote {
    let url = git_url(config).of(slug);
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    let auth = match key_file {
        _ if is_http => RemoteAuth::Token(Secret::new(config.github.access_token.expose())),
        Some(file) => RemoteAuth::SshKey(file),
        None => RemoteAuth::None,
    };
    Remote { url, auth }
}
