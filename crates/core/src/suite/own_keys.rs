//! The keys that PAPR did not know: each optional, each without effect where it is not written.

use super::Checkout;
use super::audit::{Audit, Pattern, Repeats};
use super::forms::{VARIABLE_NAME, is_variable_name};
use super::matrix::Matrix;
use super::paths::globs;
use super::yaml::Node;
use super::{RETRIES_MAX, SLOTS_MAX, Suite};

/// What a label looks like.
const LABEL: Pattern = Pattern {
    regex: "^[A-Za-z0-9._-]+$",
    fits: is_label,
};

/// What the name of a secret looks like: it becomes that of a variable.
const SECRET: Pattern = Pattern {
    regex: VARIABLE_NAME,
    fits: is_variable_name,
};

/// What a document says in our keys.
#[derive(Debug, Default)]
pub(super) struct OwnKeys {
    name: Option<String>,
    needs: Vec<String>,
    paths: Vec<String>,
    paths_ignore: Vec<String>,
    labels: Vec<String>,
    slots: Option<u32>,
    retries: Option<u32>,
    preemptible: Option<bool>,
    allow_failure: Option<bool>,
    on_demand: Option<bool>,
    secrets: Vec<String>,
    checkout: Checkout,
    /// The variables of which each combination becomes a suite.
    pub(super) matrix: Matrix,
}

impl OwnKeys {
    /// Takes the value of a key; false if that is none of ours.
    pub(super) fn take(&mut self, key: &str, node: &Node, audit: &mut Audit) -> bool {
        match key {
            "name" => self.name = name(node, audit),
            "needs" => self.needs = audit.texts(node, "/needs", Repeats::Wrong),
            "paths" => self.paths = globs(node, "/paths", audit),
            "paths-ignore" => self.paths_ignore = globs(node, "/paths-ignore", audit),
            "labels" => self.labels = audit.fitting(node, "/labels", LABEL),
            "slots" => self.slots = audit.number(node, "/slots", 1..=SLOTS_MAX),
            "retries" => self.retries = audit.number(node, "/retries", 0..=RETRIES_MAX),
            "preemptible" => self.preemptible = audit.boolean(node, "/preemptible"),
            "allow-failure" => self.allow_failure = audit.boolean(node, "/allow-failure"),
            "on-demand" => self.on_demand = audit.boolean(node, "/on-demand"),
            "secrets" => self.secrets = audit.fitting(node, "/secrets", SECRET),
            "checkout" => self.checkout = Checkout::read(node, audit),
            "matrix" => self.matrix = Matrix::read(node, audit),
            _ => return false,
        }
        true
    }

    /// Says it of the suite; what `needs` names is still to be looked up.
    pub(super) fn say_of(self, suite: &mut Suite) {
        suite.name = self.name;
        suite.needs = self.needs;
        suite.paths = self.paths;
        suite.paths_ignore = self.paths_ignore;
        suite.labels = self.labels;
        suite.slots = self.slots;
        suite.retries = self.retries.unwrap_or_default();
        suite.preemptible = self.preemptible.unwrap_or_default();
        suite.allow_failure = self.allow_failure.unwrap_or_default();
        suite.on_demand = self.on_demand.unwrap_or_default();
        suite.secrets = self.secrets;
        suite.checkout = self.checkout;
    }
}

/// A name; one that is empty could not be called.
fn name(node: &Node, audit: &mut Audit) -> Option<String> {
    let name = audit.text(node, "/name")?;
    if name.is_empty() {
        audit.wrong(node.place, "Value '' is no name", "/name");
    }
    Some(name)
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
