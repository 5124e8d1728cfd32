//! cfg.toml: read, checked as a whole, and turned into one typed [`Config`].
//!
//! Every fault of a file is reported, with its line and what to write instead. A key is known if
//! some `read` function of this floor asks for it; whatever else stands in the file is an error.
//! Nothing but the file and the given environment is looked at.

mod address;
mod aliases;
mod amended;
mod branches;
mod builders;
mod capacity;
mod finding;
mod forward;
mod github;
mod nonsense;
mod reactions;
mod reading;
mod repo;
mod schedule;
mod secret;
mod secrets;
mod section;
mod server;
mod suites;
mod survey;
#[cfg(test)]
mod tests;
mod tree;
mod unbuilt;
mod unknown;
mod variables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub use aliases::Aliases;
pub use amended::{Amended, Amendment};
pub use branches::Branches;
pub use builders::{Buildbot, CheckRun, StatusCheck};
pub use capacity::Capacity;
pub use finding::{ConfigError, ConfigErrors, Location, Position, Warning};
pub use forward::Forward;
pub use github::{App, GitHub, PrivateKey};
pub use nonsense::Places;
pub use reactions::Hook;
pub use reading::Environment;
pub use repo::{Fork, Merging, Repo};
pub use secret::Secret;
pub use server::{ArtifactBounds, Db, Git, LocalExecutor, Storage, StrangerBounds, Web, Workers};
pub use suites::{OnMerge, PullTests, Suites};

use paprq_core::ids::RepoLabel;
use paprq_core::jobs::Schedule;
use reading::Reading;
use section::Section;
use tree::{Malformed, Table, Value};

/// Everything that the program is told from outside.
#[derive(Clone, Debug)]
pub struct Config {
    /// The highest priority that `p=` gives. Default 9001.
    pub max_priority: i64,
    /// Seconds that the retry log is kept (key `retry_log_expire`). Default 42 days.
    pub retry_log_expire_s: u64,
    /// Which GitHub, and as whom.
    pub github: GitHub,
    /// How repositories are kept and commits made.
    pub git: Git,
    /// Where pages and webhooks are served.
    pub web: Web,
    /// Where the state is kept.
    pub db: Db,
    /// Where logs and artifacts are kept.
    pub storage: Storage,
    /// Who executes jobs.
    pub worker: Workers,
    /// The repositories.
    pub repos: BTreeMap<RepoLabel, Repo>,
    /// Commands that call other services, by name.
    pub hooks: BTreeMap<String, Hook>,
    /// Lines of comments that stand for commands (table `aliases`). Default none.
    pub aliases: Aliases,
    /// Which job goes first, and how long jobs wait and run.
    pub schedule: Schedule,
    /// What is allowed but does not do what one may expect, in the file's order.
    pub warnings: Vec<Warning>,
    /// Where things stand that are judged later.
    pub places: Places,
}

impl Config {
    /// The file to read where none is named: `cfg.toml` in the directory, else `cfg.json`.
    pub fn default_file(directory: &Path) -> PathBuf {
        let toml = directory.join("cfg.toml");
        let json = directory.join("cfg.json");
        if !toml.exists() && json.exists() {
            return json;
        }
        toml
    }

    /// Reads a file: JSON if its name ends in `.json`, else TOML.
    ///
    /// # Errors
    /// Everything that must be changed before the file can be used.
    pub fn load(path: &Path, environment: Environment<'_>) -> Result<Self, ConfigErrors> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| unreadable(&file, &error))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if path.extension().is_some_and(|end| end == "json") {
            return Self::from_json(&file, text, environment);
        }
        Self::from_toml(&file, text, environment)
    }

    /// Reads TOML text, calling it `file` in messages.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_toml(
        file: &str,
        text: &str,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigErrors> {
        let remedy = "write it as https://toml.io says";
        let top = Table::from_toml(text).map_err(|faults| malformed(file, faults, remedy))?;
        read(&top, &Reading::new(file, environment))
    }

    /// Reads JSON text with the same keys, calling it `file` in messages.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_json(
        file: &str,
        text: &str,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigErrors> {
        let remedy = "write it as https://json.org says";
        let top = Table::from_json(text).map_err(|faults| malformed(file, faults, remedy))?;
        read(&top, &Reading::new(file, environment))
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> ConfigErrors {
    ConfigErrors(vec![ConfigError {
        place: Location {
            file: file.to_owned(),
            position: None,
            table: String::new(),
        },
        message: format!("cannot be read: {error}"),
        remedy: "name another file with -c, or start from cfg.sample.toml".to_owned(),
    }])
}

fn malformed(file: &str, faults: Vec<Malformed>, remedy: &str) -> ConfigErrors {
    let errors = faults.into_iter().map(|fault| ConfigError {
        place: Location {
            file: file.to_owned(),
            position: fault.at,
            table: String::new(),
        },
        message: fault.message,
        remedy: fault.remedy.unwrap_or(remedy).to_owned(),
    });
    ConfigErrors(errors.collect())
}

fn read(table: &Table, reading: &Reading<'_>) -> Result<Config, ConfigErrors> {
    let top = Section::top(reading, table);
    let github = GitHub::read(&top.section("github"));
    let git = Git::read(&top.section("git"));
    let app_secret = github.app.as_ref().map(|app| &app.webhook_secret);
    let mut config = Config {
        max_priority: top
            .whole("max_priority", i64::MIN..=i64::MAX)
            .unwrap_or(9001),
        retry_log_expire_s: retry_log_expire_s(&top).unwrap_or(42 * A_DAY_S),
        web: Web::read(&top.section("web")),
        db: Db::read(&top.section("db")),
        storage: Storage::read(&top.section("storage")),
        worker: Workers::read(&top.section("worker")),
        repos: repo::repos(&top, app_secret, &git),
        hooks: reactions::hooks(&top),
        aliases: Aliases::read(&top.section("aliases")),
        schedule: schedule::schedule(&top.section("schedule")),
        git,
        github,
        warnings: Vec::new(),
        places: Places::default(),
    };
    nonsense::judge_rules(
        &top.section("schedule"),
        &config.schedule,
        &config.repos,
        config.max_priority,
    );
    config.places = places(&top);
    warn_without_workers(&config, &top.section("worker"));
    warn_of_an_idle_key(&config, &top.section("git"));
    let found = survey::survey(table, &reading.known.borrow());
    unknown::report(reading, &found);
    unbuilt::warn(reading, &found);
    let mut errors = reading.errors.take();
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.place.position);
        return Err(ConfigErrors(errors));
    }
    config.warnings = reading.warnings.take();
    config
        .warnings
        .sort_by_key(|warning| warning.place.position);
    Ok(config)
}

fn places(top: &Section<'_>) -> Places {
    Places {
        aliases: aliases::places(&top.section("aliases")),
        hooks: reactions::places(top),
    }
}

fn warn_without_workers(config: &Config, section: &Section<'_>) {
    let workers = config.worker.local > 0 || !config.worker.tokens.is_empty();
    let suites = config.repos.values().any(|repo| repo.suites.is_some());
    if suites && !workers {
        let remedy = "set local above 0, or give remote workers their tokens";
        section.warn("local", "no worker can run the suites", remedy);
    }
}

/// Homu went by ssh as soon as it had a key; here the address decides.
fn warn_of_an_idle_key(config: &Config, section: &Section<'_>) {
    if config.git.ssh_key.is_some() && !config.github.goes_by_ssh() {
        let reason = "git goes by http with the token, unless github.git_url begins with ssh://, \
                      as in \"ssh://git@github.com\"";
        section.warn("ssh_key", "\"ssh_key\" is not used", reason);
    }
}

const A_DAY_S: u64 = 86_400;

/// Homu has an interval as SQLite writes it, such as `-42 days`; a number is in seconds.
fn retry_log_expire_s(top: &Section<'_>) -> Option<u64> {
    let expire_s = match top.value("retry_log_expire")? {
        Value::Whole(seconds) => u64::try_from(*seconds).ok(),
        Value::Text(_) => interval_s(&top.text("retry_log_expire")?),
        Value::Truth(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
    };
    if expire_s.is_none() {
        let message = "\"retry_log_expire\" is no interval";
        top.error(
            "retry_log_expire",
            message,
            "write \"42 days\", or a number of seconds",
        );
    }
    expire_s
}

fn interval_s(text: &str) -> Option<u64> {
    let (count, unit) = text.trim_start_matches('-').split_once(' ')?;
    let unit_s = match unit.trim().to_ascii_lowercase().trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => A_DAY_S,
        "month" => 30 * A_DAY_S,
        "year" => 365 * A_DAY_S,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(unit_s)
}
