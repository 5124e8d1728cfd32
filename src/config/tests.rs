//! What whole files read as.

mod faults;
mod homu;
mod meaning;
mod nonsense;
mod sample;
mod typos;

use super::*;

/// The least that can be served.
const LEAST: &str = r#"
    [github]
    access_token = "token-1"
    [repo.x]
    owner = "octo"
    name = "x"
    github = { secret = "hook-1" }
"#;

fn toml(text: &str) -> Result<Config, ConfigErrors> {
    Config::from_toml("cfg.toml", text, &|_| None)
}

fn any_variable(name: &str) -> Option<String> {
    Some(format!("value-of-{name}"))
}

/// The errors of a file that has [`LEAST`] and this besides.
fn errors(text: &str) -> String {
    match toml(&format!("{text}\n{LEAST}")) {
        Ok(_) => "none".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

/// The errors of [`LEAST`] with these lines in its `[repo.x]`.
fn repo_errors(lines: &str) -> String {
    match toml(&format!("{LEAST}\n{lines}")) {
        Ok(_) => "none".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

fn repo(text: &str) -> Repo {
    let config = toml(&format!("{LEAST}\n{text}")).unwrap();
    config.repos.into_values().next().unwrap()
}
