//! From a whole document to a suite: every key checked, every default filled in.
//!
//! Keys are looked at in the order of the file. A check of PAPR's own ends the reading with its
//! message alone; what pykwalify would find is collected by [`Audit`].

use super::audit::{At, Audit, Repeats, below, text_key};
use super::environment;
use super::error::Problem;
use super::inherit::ENVIRONMENT_KEYS;
use super::yaml::{Entry, Mapping, Node, Scalar, Value, display_scalar};
use super::{Build, Environment, ExtraRepo, Place, RepoSetting, Suite, Variable};

/// What the name of an environment variable looks like.
const VARIABLE_NAME: &str = "^[a-zA-Z_][a-zA-Z0-9_]*$";

/// Reads a merged document that stands at this place.
pub(super) fn suite(document: &Mapping, place: Place) -> Result<Suite, Problem> {
    check_one_environment(document, place)?;
    check_something_to_do(document, place)?;
    let mut audit = Audit::default();
    audit.require(document, "context", At { path: "", place });
    let mut draft = Draft::default();
    for entry in document.entries() {
        draft.take(entry, &mut audit)?;
    }
    match audit.problem() {
        Some(problem) => Err(problem),
        None => draft.finish(place),
    }
}

fn check_one_environment(document: &Mapping, place: Place) -> Result<(), Problem> {
    let mut mentioned = document
        .entries()
        .iter()
        .filter(|entry| text_key(entry).is_some_and(|key| ENVIRONMENT_KEYS.contains(&key)));
    let Some(_first) = mentioned.next() else {
        return Err(no_environment(place));
    };
    match mentioned.next() {
        None => Ok(()),
        Some(second) => {
            let ours = if document.mentions("sandbox") {
                "'sandbox', "
            } else {
                ""
            };
            let message = format!("only one of {ours}'host', 'container', or 'cluster' required");
            Err(Problem::at(second.key_place, message))
        }
    }
}

fn no_environment(place: Place) -> Problem {
    Problem::at(
        place,
        "at least one of 'host', 'container', or 'cluster' required",
    )
}

fn check_something_to_do(document: &Mapping, place: Place) -> Result<(), Problem> {
    if document.mentions("build") || document.mentions("tests") {
        return Ok(());
    }
    Err(Problem::at(
        place,
        "at least one of 'build' or 'tests' required",
    ))
}

/// A suite whose keys are still being read.
#[derive(Default)]
struct Draft {
    context: Option<String>,
    environment: Option<Environment>,
    branches: Option<Vec<String>>,
    pulls: Option<bool>,
    required: Option<bool>,
    env: Vec<Variable>,
    build: Option<Build>,
    tests: Vec<String>,
    timeout_s: Option<u64>,
    artifacts: Vec<String>,
    packages: Vec<String>,
    extra_repos: Vec<ExtraRepo>,
}

impl Draft {
    fn take(&mut self, entry: &Entry, audit: &mut Audit) -> Result<(), Problem> {
        let node = &entry.value;
        match text_key(entry) {
            Some("context") => self.context = audit.text(node, "/context"),
            Some("sandbox") => self.environment = environment::sandbox(node, audit)?,
            Some("container") => self.environment = environment::container(node, audit),
            Some("host") => self.environment = environment::host(node, audit)?,
            Some("cluster") => self.environment = environment::cluster(node, audit)?,
            Some("branches") => {
                self.branches = Some(audit.texts(node, "/branches", Repeats::Wrong));
            }
            Some("pulls") => self.pulls = audit.boolean(node, "/pulls"),
            Some("required") => self.required = audit.boolean(node, "/required"),
            Some("env") => self.env = env(node, audit),
            Some("build") => self.build = build(node, audit)?,
            Some("tests") => self.tests = audit.texts(node, "/tests", Repeats::Fine),
            Some("timeout") => self.timeout_s = Some(timeout_s(node)?),
            Some("artifacts") => self.artifacts = audit.texts(node, "/artifacts", Repeats::Fine),
            Some("packages") => self.packages = audit.texts(node, "/packages", Repeats::Wrong),
            Some("extra-repos") => self.extra_repos = extra_repos(node)?,
            _ => audit.undefined(entry, ""),
        }
        Ok(())
    }

    fn finish(self, place: Place) -> Result<Suite, Problem> {
        let context = self.context.unwrap_or_default();
        let environment = self.environment.ok_or_else(|| no_environment(place))?;
        let default = Suite::new(context, environment);
        Ok(Suite {
            branches: self.branches.unwrap_or(default.branches),
            pulls: self.pulls.unwrap_or(default.pulls),
            required: self.required.unwrap_or(default.required),
            env: self.env,
            build: self.build,
            tests: self.tests,
            timeout_s: self.timeout_s.unwrap_or(default.timeout_s),
            artifacts: self.artifacts,
            packages: self.packages,
            extra_repos: self.extra_repos,
            ..default
        })
    }
}

/// Variables; one without a value is empty (PAPR: the text `None`).
fn env(node: &Node, audit: &mut Audit) -> Vec<Variable> {
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

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .chars()
            .all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
}

/// The build; `None` for `false`.
fn build(node: &Node, audit: &mut Audit) -> Result<Option<Build>, Problem> {
    let mapping = match &node.value {
        Value::Scalar(Scalar::Bool(true)) => return Ok(Some(Build::default())),
        Value::Scalar(Scalar::Bool(false)) => return Ok(None),
        Value::Map(mapping) => mapping,
        Value::Scalar(_) | Value::List(_) => {
            return Err(Problem::at(node.place, "expected bool or map"));
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
fn timeout_s(node: &Node) -> Result<u64, Problem> {
    let Value::Scalar(Scalar::Text(text)) = &node.value else {
        return Err(Problem::at(node.place, "expected str"));
    };
    let units = [('s', 1), ('m', 60), ('h', 3600)];
    let read = units
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .filter(|(digits, _)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    let Some((digits, seconds)) = read else {
        return Err(Problem::at(node.place, "invalid timeout string"));
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(seconds))
        .filter(|&timeout_s| timeout_s <= super::TIMEOUT_S_MAX)
        .ok_or_else(|| Problem::at(node.place, "timeout cannot be greater than 2 hours"))
}

fn extra_repos(node: &Node) -> Result<Vec<ExtraRepo>, Problem> {
    let Value::List(items) = &node.value else {
        return Err(Problem::at(node.place, "expected list of dicts"));
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
