//! `paprq check`: what the bot will do, in plain words, or everything that is wrong with its
//! configuration. `paprq serve` loads the configuration by the same [`load`].

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::{Config, ConfigErrors, Db, OnMerge, Repo};
use crate::ids::Login;

/// Arguments of `paprq check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration; without it, cfg.toml in the working directory, else cfg.json.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the subcommand: exit status 2 if the configuration cannot be used.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = match load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(errors) => {
            writeln!(io::stderr(), "{errors}")?;
            return Ok(ExitCode::from(2));
        }
    };
    io::stdout().write_all(description(&config).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Loads the named configuration, else that of the working directory, with the variables of
/// this process.
///
/// # Errors
/// All faults of the file, to be shown as they are; the exit status is then 2.
pub(crate) fn load(file: Option<&Path>) -> Result<Config, ConfigErrors> {
    let default = || Config::default_file(Path::new(""));
    let file = file.map_or_else(default, Path::to_path_buf);
    Config::load(&file, &|name| std::env::var(name).ok())
}

/// What the bot will do, in plain words, and what to beware of.
fn description(config: &Config) -> String {
    let mut lines = server(config);
    for repo in config.repos.values() {
        lines.push(String::new());
        lines.push(format!("[repo.{}] {}", repo.label, repo.slug()));
        lines.extend(sentences(repo).into_iter().map(|line| format!("  {line}")));
    }
    if !config.warnings.is_empty() {
        lines.push(String::new());
        lines.push("Beware:".to_owned());
        lines.extend(config.warnings.iter().map(ToString::to_string));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn server(config: &Config) -> Vec<String> {
    let web = &config.web;
    let database = match &config.db {
        Db::Sqlite(file) => format!("in {}", file.display()),
        Db::Postgres(_) => "in PostgreSQL".to_owned(),
    };
    let logs = config.storage.directory().display();
    let remote: Vec<&str> = config.worker.tokens.keys().map(String::as_str).collect();
    let remote = if remote.is_empty() {
        "no remote ones".to_owned()
    } else {
        format!("remote ones with the token of {}", remote.join(" or "))
    };
    vec![
        format!("Serves pages and webhooks on {}:{}.", web.host, web.port),
        format!("Keeps its state {database} and its logs in {logs}."),
        format!(
            "Has {} workers of its own, and {remote}.",
            config.worker.local
        ),
    ]
}

fn sentences(repo: &Repo) -> Vec<String> {
    let branches = &repo.branches;
    let mut lines = vec![
        approvers(repo),
        format!(
            "Merges approved pulls on the branch {}, and tries on {}.",
            branches.auto, branches.try_
        ),
        "A pull lands when all of these passed on its merge:".to_owned(),
    ];
    lines.extend(checks(repo).into_iter().map(|check| format!("  - {check}")));
    lines.push(format!(
        "What has not ended after {} has failed.",
        duration(repo.timeout_s)
    ));
    lines
}

fn approvers(repo: &Repo) -> String {
    let names = |logins: &[Login]| {
        let names: Vec<&str> = logins.iter().map(Login::as_str).collect();
        names.join(", ")
    };
    let mut approvers = names(&repo.reviewers);
    if approvers.is_empty() {
        "Nobody".clone_into(&mut approvers);
    }
    if repo.try_users.is_empty() {
        return format!("{approvers} may approve.");
    }
    format!(
        "{approvers} may approve; {} may try, but not approve.",
        names(&repo.try_users)
    )
}

/// What a merge waits for.
fn checks(repo: &Repo) -> Vec<String> {
    let mut checks = Vec::new();
    if let Some(suites) = &repo.suites {
        let file = &suites.file;
        checks.push(match suites.on_merge {
            OnMerge::All => format!("every suite of {file}, on our workers"),
            OnMerge::Named => {
                format!(
                    "the suites of {file} that name the branch (all, if none does), on our workers"
                )
            }
        });
    }
    for status in &repo.statuses {
        let but = if status.in_tries {
            ""
        } else {
            ", but not in tries"
        };
        checks.push(format!("the commit status {:?}{but}", status.context));
    }
    for check in &repo.checks {
        let tries = check.try_name.as_ref();
        let but = tries.map_or_else(String::new, |name| format!(", in tries {name:?}"));
        checks.push(format!("the check run {:?}{but}", check.name));
    }
    checks
}

/// Such as `1 h 30 min`.
fn duration(seconds: u64) -> String {
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::from_toml("cfg.toml", text, &|_| None).unwrap()
    }

    #[test]
    fn every_repo_is_described_in_plain_words() {
        let text = r#"
            [github]
            access_token = "t"
            [worker]
            tokens = { builder = "b" }
            [repo.one]
            owner = "octo"
            name = "one"
            reviewers = ["alice", "bob"]
            try_users = ["carol"]
            timeout = 5430
            linear = true
            github = { secret = "s" }
            status.ci = { context = "ci/push", try = false }
            checks.build = { name = "build", try_name = "try-build" }
            [repo.two]
            owner = "octo"
            name = "two"
            github = { secret = "s" }
            branch = { auto = "staging" }
        "#;
        insta::assert_snapshot!(description(&config(text)), @r#"
        Serves pages and webhooks on 0.0.0.0:54856.
        Keeps its state in paprq.db and its logs in storage.
        Has 2 workers of its own, and remote ones with the token of builder.

        [repo.one] octo/one
          alice, bob may approve; carol may try, but not approve.
          Merges approved pulls on the branch auto, and tries on try.
          A pull lands when all of these passed on its merge:
            - the commit status "ci/push", but not in tries
            - the check run "build", in tries "try-build"
          What has not ended after 1 h 30 min 30 s has failed.

        [repo.two] octo/two
          Nobody may approve.
          Merges approved pulls on the branch staging, and tries on try.
          A pull lands when all of these passed on its merge:
            - the suites of .papr.yml that name the branch (all, if none does), on our workers
          What has not ended after 10 h has failed.

        Beware:
        cfg.toml:12: [repo.one] "linear" is not acted on yet: pulls are merged with a merge commit
        cfg.toml:16: [repo.two] nobody may approve: add reviewers = ["LOGIN"]
        "#);
    }

    fn status_of(file: &Path) -> ExitCode {
        let arguments = Arguments {
            config: Some(file.to_path_buf()),
        };
        run(&arguments).unwrap()
    }

    #[test]
    fn a_configuration_that_cannot_be_used_is_exit_status_2() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cfg.toml");
        assert_eq!(status_of(&file), ExitCode::from(2));
        std::fs::write(&file, "[github]\naccess_tokn = \"t\"\n").unwrap();
        assert_eq!(status_of(&file), ExitCode::from(2));
        std::fs::write(&file, "[github]\naccess_token = \"t\"\n").unwrap();
        assert_eq!(status_of(&file), ExitCode::SUCCESS);
    }
}
