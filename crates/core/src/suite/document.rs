//! From a whole document to its suites: every key checked, every default filled in.
//!
//! Keys are looked at in the order of the file. A check of PAPR's own ends the reading with its
//! message alone; what pykwalify would find is collected by [`Audit`].

use super::audit::{At, Audit, Repeats, text_key};
use super::error::{Finding, Problem};
use super::forms::{build, env, extra_repos, timeout_s};
use super::inherit::ENVIRONMENT_KEYS;
use super::own_keys::OwnKeys;
use super::yaml::{Entry, Mapping};
use super::{Build, Environment, ExtraRepo, Position, Suite, Variable, environment, plain};

/// Every key that a document may have; all others are errors. `inherit` has had its effect before a
/// document is read as suites.
pub const KEYS: [&str; 29] = [
    "sandbox",
    "container",
    "host",
    "cluster",
    "tests",
    "build",
    "env",
    "timeout",
    "context",
    "required",
    "branches",
    "pulls",
    "inherit",
    "packages",
    "extra-repos",
    "artifacts",
    "name",
    "needs",
    "paths",
    "paths-ignore",
    "labels",
    "slots",
    "retries",
    "preemptible",
    "allow-failure",
    "on-demand",
    "secrets",
    "checkout",
    "matrix",
];

/// Reads a merged document that stands at this place: one suite, or those of its matrix.
pub(super) fn suites(document: &Mapping, place: Position) -> Result<Vec<Suite>, Problem> {
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

fn check_one_environment(document: &Mapping, place: Position) -> Result<(), Problem> {
    let mut mentioned = document
        .entries()
        .iter()
        .filter(|entry| text_key(entry).is_some_and(|key| ENVIRONMENT_KEYS.contains(&key)));
    let Some(_first) = mentioned.next() else {
        let problem = no_environment(place);
        return Err(with_unknown_keys(problem, document));
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
            let plainly = "a suite has one environment: keep one of sandbox, container, host \
                           and cluster, and write another suite after a line \"---\"";
            Err(Problem::at(second.key_place, message).plainly(plainly))
        }
    }
}

fn no_environment(place: Position) -> Problem {
    Problem::at(
        place,
        "at least one of 'host', 'container', or 'cluster' required",
    )
    .plainly(
        "the suite has no environment: write sandbox: true, container: {image: …}, \
         host: {distro: …} or cluster: …",
    )
}

/// A missing key is often one that was misspelt.
fn with_unknown_keys(problem: Problem, document: &Mapping) -> Problem {
    let unknown = document.entries().iter().filter_map(|entry| {
        let key = text_key(entry).filter(|key| !KEYS.contains(key))?;
        Some(Finding {
            message: plain::unknown_key(key, ""),
            place: entry.key_place,
        })
    });
    let plain = unknown.chain(problem.plain).collect();
    Problem { plain, ..problem }
}

fn check_something_to_do(document: &Mapping, place: Position) -> Result<(), Problem> {
    if document.mentions("build") || document.mentions("tests") {
        return Ok(());
    }
    let problem = Problem::at(place, "at least one of 'build' or 'tests' required").plainly(
        "the suite has nothing to execute: write tests: and a list of commands, or build: true",
    );
    Err(with_unknown_keys(problem, document))
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
    own: OwnKeys,
}

impl Draft {
    fn take(&mut self, entry: &Entry, audit: &mut Audit) -> Result<(), Problem> {
        let node = &entry.value;
        match text_key(entry).filter(|key| KEYS.contains(key)) {
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
            Some(key) if self.own.take(key, node, audit) => {}
            _ => audit.undefined(entry, ""),
        }
        Ok(())
    }

    fn finish(mut self, place: Position) -> Result<Vec<Suite>, Problem> {
        let context = self.context.unwrap_or_default();
        let environment = self.environment.ok_or_else(|| no_environment(place))?;
        let default = Suite::new(context, environment);
        let matrix = std::mem::take(&mut self.own.matrix);
        let mut suite = Suite {
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
        };
        self.own.say_of(&mut suite);
        matrix.suites(suite)
    }
}
