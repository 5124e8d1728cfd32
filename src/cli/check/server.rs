//! What the configuration means for the server as a whole, and for whoever sets up GitHub.

use super::page::{Page, duration, listed};
use crate::config::{Config, Db, Git, Hook, Web};
use paprq_core::jobs::{Pattern, Rule, RuleRun};
use paprq_core::queue::rules::HookAccess;

/// The events that webhooks must bring, as GitHub's settings call them and as its documentation
/// does.
const EVENTS: [(&str, &str); 7] = [
    ("Issue comments", "issue_comment"),
    ("Pull requests", "pull_request"),
    ("Pull request reviews", "pull_request_review"),
    (
        "Pull request review comments",
        "pull_request_review_comment",
    ),
    ("Pushes", "push"),
    ("Statuses", "status"),
    ("Check runs", "check_run"),
];

/// Says what holds for all repositories.
pub(super) fn describe(page: &mut Page, config: &Config) {
    server(page, config);
    webhooks(page, config);
    if !config.hooks.is_empty() {
        page.heading("Commands that call another service");
        for hook in config.hooks.values() {
            page.row(&hook.trigger, &called(hook));
        }
    }
    if !config.schedule.rules.is_empty() {
        page.heading("Which jobs go first: the first rule that fits counts");
        for rule in &config.schedule.rules {
            page.row(&format!("rank {}", rule.rank), &fits(rule));
        }
        page.row("else", "auto 100, try 80, branch 40, pull 20");
    }
    let mut aliases = config.aliases.iter().peekable();
    if aliases.peek().is_some() {
        page.heading("Lines of comments that are commands");
        for (phrase, commands) in aliases {
            page.paragraph(&format!("  \"{phrase}\": {commands}"));
        }
    }
}

fn server(page: &mut Page, config: &Config) {
    page.heading("Server");
    page.row("listens on", &address(&config.web));
    page.row("pages", &pages(config));
    page.row(
        "GitHub",
        &format!(
            "{}, as the account of the access token",
            config.github.api_url
        ),
    );
    page.row("merges", &merges(config));
    page.row("committer", &committer(&config.git));
    page.row("state", &state(&config.db));
    page.row("logs", &config.storage.directory().display().to_string());
    page.row("workers", &workers(config));
    page.row(
        "priorities",
        &format!(
            "p= gives at most {}; treeclosed=N holds back what is below N",
            config.max_priority
        ),
    );
    page.row(
        "retries",
        &format!("remembered for {}", duration(config.retry_log_expire_s)),
    );
    page.row("at a start", at_a_start(&config.web));
    if config.web.secret.is_some() {
        page.row(
            "POST /admin",
            "takes the commands of whoever brings the secret",
        );
    }
    if config.github.app_client_id.is_some() {
        page.row("logging in", "on the pages, with an account of GitHub's");
    }
}

fn address(web: &Web) -> String {
    let (host, port) = (&web.host, web.port);
    if host.contains(':') {
        return format!("[{host}]:{port}");
    }
    format!("{host}:{port}")
}

fn pages(config: &Config) -> String {
    let web = &config.web;
    let Some(base_url) = &web.base_url else {
        return "base_url is not set: nothing that is posted links to them".to_owned();
    };
    let mut pages = base_url.clone();
    if let Some(canonical_url) = &web.canonical_url {
        pages += &format!("; requests for other hosts are sent to {canonical_url}");
    }
    if !web.remove_path_prefixes.is_empty() {
        let prefixes = listed(&web.remove_path_prefixes);
        pages += &format!("; {prefixes} is dropped where a path begins with it");
    }
    pages
}

fn merges(config: &Config) -> String {
    if !config.git.local_git {
        return "made by GitHub's merge API".to_owned();
    }
    let key = if config.github.goes_by_ssh() {
        "the SSH key"
    } else {
        "the token"
    };
    let mirrors = config.git.cache_dir.display();
    let git_url = &config.github.git_url;
    format!("made in mirrors in {mirrors}, fetched from and pushed to {git_url} with {key}")
}

fn committer(git: &Git) -> String {
    let name = git.name.as_deref().unwrap_or("the bot's account");
    match &git.email {
        Some(email) => format!("{name} <{email}>"),
        None => format!("{name}, with the e-mail address of the bot's account"),
    }
}

fn state(db: &Db) -> String {
    match db {
        Db::Sqlite(file) => file.display().to_string(),
        Db::Postgres(_) => "PostgreSQL".to_owned(),
    }
}

fn workers(config: &Config) -> String {
    let local = match config.worker.local {
        0 => "none in the server".to_owned(),
        count => format!("{count} in the server"),
    };
    let names: Vec<&String> = config.worker.tokens.keys().collect();
    if names.is_empty() {
        return format!("{local}, no remote ones");
    }
    format!("{local}, remote ones with the tokens of {}", listed(&names))
}

fn at_a_start(web: &Web) -> &'static str {
    if web.sync_on_start {
        "every open pull is read anew from GitHub"
    } else {
        "what is known stays; only what was missed is read from GitHub"
    }
}

fn webhooks(page: &mut Page, config: &Config) {
    let base_url = config.web.base_url.as_deref();
    let base_url = base_url.unwrap_or("http://ADDRESS-OF-THIS-SERVER");
    page.heading("Webhooks, to be set up on GitHub");
    page.row("payload URL", &format!("{base_url}/github"));
    page.row("content type", "application/json");
    page.row(
        "secret",
        match config.github.app {
            None => "the one of [repo.LABEL.github]",
            Some(_) => "the one of [repo.LABEL.github], else that of [github.app]",
        },
    );
    page.row("events", "these, or all:");
    for (title, name) in EVENTS {
        page.item(&format!("{title} ({name})"));
    }
    if config.repos.values().any(|repo| repo.buildbot.is_some()) {
        let packets = format!(
            "sends its packets to {base_url}/buildbot, with the secret of [repo.LABEL.buildbot]"
        );
        page.row("Buildbot", &packets);
    }
}

fn called(hook: &Hook) -> String {
    let who = match hook.access {
        HookAccess::Reviewer => "by those who may approve",
        HookAccess::Try => "by those who may try",
    };
    let answer = match (hook.realtime, hook.has_response) {
        (false, _) => "called again whenever comments are read anew",
        (true, false) => "called once",
        (true, true) => "called once, and its answer is posted as a comment",
    };
    format!("{who}: {}, {answer}", host(&hook.endpoint))
}

/// Which jobs a rule fits.
fn fits(rule: &Rule) -> String {
    let run = rule.run.map(|run| match run {
        RuleRun::Auto => "of approved merges".to_owned(),
        RuleRun::Try => "of tries".to_owned(),
        RuleRun::Pull => "of pull requests that are not approved".to_owned(),
        RuleRun::Branch => "of pushed branches".to_owned(),
    });
    let named = |what: &str, pattern: &Option<Pattern>| {
        let pattern = pattern.as_ref()?;
        Some(format!("{what} {pattern}"))
    };
    let conditions = [
        run,
        named("of repository", &rule.repo),
        named("into branch", &rule.branch),
        named("with label", &rule.label),
        named("of suite", &rule.suite),
        rule.priority.map(|bound| format!("with priority {bound}")),
    ];
    let conditions: Vec<String> = conditions.into_iter().flatten().collect();
    let jobs = if conditions.is_empty() {
        "all jobs".to_owned()
    } else {
        format!("jobs {}", conditions.join(", "))
    };
    if rule.preempt {
        format!("{jobs}; interrupts jobs of lower rank that allow it")
    } else {
        jobs
    }
}

/// The address without its path, which may be the only secret that a service has.
pub(super) fn host(endpoint: &str) -> String {
    let Ok(url) = url::Url::parse(endpoint) else {
        return String::new();
    };
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::webhook::Payload;

    /// An event that is read is missed in an empty delivery; one that is not is let pass.
    fn is_read(event: &str, action: &str) -> bool {
        let body = format!("{{\"action\": \"{action}\"}}");
        Payload::parse(body.as_bytes())
            .unwrap()
            .told(event)
            .is_err()
    }

    #[test]
    fn the_events_that_are_asked_for_are_those_that_are_read() {
        let actions = ["created", "opened", "submitted"];
        let is_read = |event: &str| actions.iter().any(|action| is_read(event, action));
        for (_, event) in EVENTS {
            assert!(is_read(event), "{event}");
        }
        for event in [
            "ping",
            "check_suite",
            "workflow_run",
            "issues",
            "create",
            "label",
        ] {
            assert!(!is_read(event), "{event}");
        }
    }

    #[test]
    fn of_an_endpoint_only_the_host_is_shown() {
        assert_eq!(
            host("https://h.example.org:8443/SECRET"),
            "https://h.example.org:8443"
        );
    }
}
