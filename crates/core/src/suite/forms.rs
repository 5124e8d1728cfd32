//! The keys of PAPR's that have a form of their own: variables, build, time, package repositories.

use super::audit::{Audit, below, text_key};
use super::error::Problem;
use super::yaml::{Entry, Node, Scalar, Value, display_scalar};
use super::{Build, ExtraRepo, RepoSetting, Variable};

/// What the name of an environment variable looks like.
pub(super) const VARIABLE_NAME: &str = "^[a-zA-Z_][a-zA-Z0-9_]*$";

/// Variables; one without a value is empty (PAPR: the text `None`).
pub(super) fn env(node: &Node, audit: &mut Audit) -> Vec<Variable> {
    let Some(mapping) = audit.mapping(node, "/env") else {
        return Vec::new();
    };
    let mut variables = Vec::new();
    for entry in mapping.entries() {
        let Some(name) = text_key(entry).filter(|name| is_variable_name(name)) else {
            audit.unmatched(entry, VARIABLE_NAME, "/env");
            continue;
        };
        let value = audit.text(&entry.value, &below("/env", name));
        variables.push(Variable {
            name: name.to_owned(),
            value: value.unwrap_or_default(),
        });
    }
    variables
}

/// Whether it is as [`VARIABLE_NAME`] says.
pub(super) fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .chars()
            .all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
}

/// The build; `None` for `false`.
pub(super) fn build(node: &Node, audit: &mut Audit) -> Result<Option<Build>, Problem> {
    let mapping = match &node.value {
        Value::Scalar(Scalar::Bool(true)) => return Ok(Some(Build::default())),
        Value::Scalar(Scalar::Bool(false)) => return Ok(None),
        Value::Map(mapping) => mapping,
        Value::Scalar(_) | Value::List(_) => {
            return Err(Problem::at(node.place, "expected bool or map")
                .plainly("\"build\": write true, false or the options: {config-opts: …}"));
        }
    };
    let mut build = Build::default();
    for entry in mapping.entries() {
        let part = match text_key(entry) {
            Some("config-opts") => &mut build.config_opts,
            Some("build-opts") => &mut build.build_opts,
            Some("install-opts") => &mut build.install_opts,
            _ => {
                audit.undefined(entry, "/build");
                continue;
            }
        };
        let path = below("/build", display_scalar(&entry.key));
        let options = audit.text(&entry.value, &path).unwrap_or_default();
        // A folded text ends with a line break that nobody means.
        options.trim_end_matches('\n').clone_into(part);
    }
    Ok(Some(build))
}

/// Seconds of a text such as `30m`.
pub(super) fn timeout_s(node: &Node) -> Result<u64, Problem> {
    let Value::Scalar(Scalar::Text(text)) = &node.value else {
        return Err(Problem::at(node.place, "expected str")
            .plainly("\"timeout\": write a number and its unit, such as 30m or 1h"));
    };
    let units = [('s', 1), ('m', 60), ('h', 3600)];
    let read = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .filter(|(digits, _)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let Some((digits, seconds)) = read else {
        return Err(Problem::at(node.place, "invalid timeout string")
            .plainly("\"timeout\": write a number and its unit, such as 30m or 1h"));
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(seconds))
        .filter(|&timeout_s| timeout_s <= super::TIMEOUT_S_MAX)
        .ok_or_else(|| {
            Problem::at(node.place, "timeout cannot be greater than 2 hours")
                .plainly("\"timeout\": at most 2h")
        })
}

/// Package repositories, in the order of the file.
pub(super) fn extra_repos(node: &Node) -> Result<Vec<ExtraRepo>, Problem> {
    let Value::List(items) = &node.value else {
        return Err(Problem::at(node.place, "expected list of dicts").plainly(
            "\"extra-repos\": write a list of repositories, each with a name: - {name: …}",
        ));
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| extra_repo(index, item))
        .collect()
}

fn extra_repo(index: usize, node: &Node) -> Result<ExtraRepo, Problem> {
    let Value::Map(mapping) = &node.value else {
        return Err(Problem::at(
            node.place,
            format!("repo {index} is not a dict"),
        ));
    };
    if !mapping.mentions("name") {
        return Err(Problem::at(
            node.place,
            format!("repo {index} missing key 'name'"),
        ));
    }
    let mut name = String::new();
    let mut settings = Vec::new();
    for entry in mapping.entries() {
        let setting = repo_setting(index, entry)?;
        if setting.key == "name" {
            name.clone_from(&setting.value);
        }
        settings.push(setting);
    }
    Ok(ExtraRepo { name, settings })
}

fn repo_setting(index: usize, entry: &Entry) -> Result<RepoSetting, Problem> {
    let key = display_scalar(&entry.key);
    match &entry.value.value {
        Value::Scalar(value @ (Scalar::Text(_) | Scalar::Int(_) | Scalar::HugeInt(_))) => {
            Ok(RepoSetting {
                key,
                value: display_scalar(value),
            })
        }
        Value::Scalar(_) | Value::List(_) | Value::Map(_) => Err(Problem::at(
            entry.value.place,
            format!("key '{key}' of repo {index} is not str or int"),
        )),
    }
}
