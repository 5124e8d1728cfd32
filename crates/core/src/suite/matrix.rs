//! `matrix`: one document, a suite for every combination of some variables' values.

use super::audit::{Audit, below, text_key};
use super::error::Problem;
use super::forms::{VARIABLE_NAME, is_variable_name};
use super::plain::nearest;
use super::yaml::{Entry, Node, Scalar, Value, display_scalar};
use super::{COMBINATIONS_MAX, Environment, Position, Suite, Variable};

/// How long a text may get, in bytes, by what is put into it: a value may be named many times.
const FILLED_BYTES_MAX: usize = 4096;

/// Variables and their values, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    axes: Vec<Axis>,
    place: Option<Position>,
}

#[derive(Debug)]
struct Axis {
    name: String,
    values: Vec<String>,
}

impl Matrix {
    /// Reads the key's value.
    pub(super) fn read(node: &Node, audit: &mut Audit) -> Self {
        let entries = audit
            .mapping(node, "/matrix")
            .map(|mapping| mapping.entries());
        let mut axes = Vec::new();
        for entry in entries.unwrap_or_default() {
            axes.extend(Axis::read(entry, audit));
        }
        let matrix = Self {
            axes,
            place: Some(node.place),
        };
        if matrix.size().is_none() {
            let message = format!("Value has more than {COMBINATIONS_MAX} combinations");
            audit.wrong(node.place, &message, "/matrix");
        }
        matrix
    }

    /// How many combinations there are; `None` if too many.
    fn size(&self) -> Option<usize> {
        self.axes
            .iter()
            .try_fold(1_usize, |size, axis| size.checked_mul(axis.values.len()))
            .filter(|&size| size <= COMBINATIONS_MAX)
    }

    /// The suites that it makes of a document's: that one itself where there are no variables.
    ///
    /// # Errors
    ///
    /// A text gets too long by what is put into it.
    pub(super) fn suites(&self, stated: Suite) -> Result<Vec<Suite>, Problem> {
        let Some(place) = self.place.filter(|_| !self.axes.is_empty()) else {
            return Ok(vec![stated]);
        };
        if let Some(unknown) = self.unknown_name(&stated) {
            return Err(self.no_variable(&unknown, place));
        }
        let suites: Option<Vec<Suite>> = self
            .combinations()
            .into_iter()
            .map(|combination| combined(&stated, combination))
            .collect();
        suites.ok_or_else(|| Problem::at(place, "too large with the values of 'matrix'"))
    }

    /// A `{NAME}` in what depends on the variables that is none of them.
    fn unknown_name(&self, stated: &Suite) -> Option<String> {
        let texts = [Some(&stated.context), stated.name.as_ref()];
        let texts = texts.into_iter().chain([installed(&stated.environment)]);
        let mut names = texts.flatten().flat_map(|text| named(text));
        let is_known = |name: &str| self.axes.iter().any(|axis| axis.name == name);
        names.find(|name| !is_known(name)).map(str::to_owned)
    }

    fn no_variable(&self, name: &str, place: Position) -> Problem {
        let known: Vec<&str> = self.axes.iter().map(|axis| axis.name.as_str()).collect();
        let remedy = match nearest(name, &known) {
            Some(near) => format!("did you mean {{{near}}}?"),
            None => format!("its variables: {}", known.join(", ")),
        };
        let message = format!("'{{{name}}}' is no variable of 'matrix'");
        Problem::at(place, message).plainly(format!(
            "{{{name}}} is not a variable of \"matrix\": {remedy}"
        ))
    }

    /// All combinations; the first variable varies slowest.
    fn combinations(&self) -> Vec<Vec<Variable>> {
        let mut combinations = vec![Vec::new()];
        for axis in &self.axes {
            combinations = combinations
                .iter()
                .flat_map(|begun| axis.continuing(begun))
                .collect();
        }
        combinations
    }
}

impl Axis {
    /// Reads a variable; `None` if its name is none.
    fn read(entry: &Entry, audit: &mut Audit) -> Option<Self> {
        let Some(name) = text_key(entry).filter(|name| is_variable_name(name)) else {
            audit.unmatched(entry, VARIABLE_NAME, "/matrix");
            return None;
        };
        Some(Self {
            name: name.to_owned(),
            values: values(&entry.value, &below("/matrix", name), audit),
        })
    }

    /// A combination of the variables before this one, with each of its values.
    fn continuing(&self, begun: &[Variable]) -> impl Iterator<Item = Vec<Variable>> {
        self.values.iter().map(|value| {
            let next = Variable {
                name: self.name.clone(),
                value: value.clone(),
            };
            begun.iter().cloned().chain([next]).collect()
        })
    }
}

/// The values of a variable: distinct, at least one.
fn values(node: &Node, path: &str, audit: &mut Audit) -> Vec<String> {
    let Value::List(items) = &node.value else {
        audit.not_a_list(node, path);
        return Vec::new();
    };
    if items.is_empty() {
        audit.wrong(node.place, "List is empty", path);
    }
    let mut values: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = below(path, index);
        let Some(value) = value(item) else {
            audit.wrong_type(item, "str|int|bool", &path);
            continue;
        };
        if values.contains(&value) {
            audit.wrong(item.place, &format!("Value '{value}' is not unique"), &path);
        }
        values.push(value);
    }
    values
}

/// A value as the shell gets it; `None` if it is of no type that has one meaning there.
fn value(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar(Scalar::Bool(truth)) => Some(truth.to_string()),
        Value::Scalar(scalar @ (Scalar::Text(_) | Scalar::Int(_) | Scalar::HugeInt(_))) => {
            Some(display_scalar(scalar))
        }
        Value::Scalar(Scalar::Null | Scalar::Float(_) | Scalar::Date(_))
        | Value::List(_)
        | Value::Map(_) => None,
    }
}

/// The suite of one combination; `None` if a text gets too long.
fn combined(stated: &Suite, combination: Vec<Variable>) -> Option<Suite> {
    let context = if names_any(&stated.context, &combination) {
        filled(&stated.context, &combination)?
    } else {
        let values: Vec<&str> = combination.iter().map(|v| v.value.as_str()).collect();
        short(format!("{} ({})", stated.context, values.join(", ")))?
    };
    let name = match &stated.name {
        Some(name) => Some(filled(name, &combination)?),
        None => None,
    };
    let env = combination.iter().chain(&stated.env).cloned().collect();
    Some(Suite {
        context,
        name,
        environment: on(&stated.environment, &combination)?,
        env,
        matrix_context: Some(stated.context.clone()),
        matrix: combination,
        ..stated.clone()
    })
}

/// The names in braces of a text, as far as they could be variables.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let behind = text.split('{').skip(1);
    let names = behind.filter_map(|behind| Some(behind.split_once('}')?.0));
    names.filter(|name| is_variable_name(name))
}

/// What an environment is made of.
fn installed(environment: &Environment) -> Option<&String> {
    match environment {
        Environment::Sandbox { .. } => None,
        Environment::Container { image, .. } => Some(image),
        Environment::Host { distro, .. } => Some(distro),
        Environment::Cluster {
            container_image, ..
        } => container_image.as_ref(),
    }
}

/// The environment of a combination: what is installed there may depend on it.
fn on(stated: &Environment, combination: &[Variable]) -> Option<Environment> {
    let mut environment = stated.clone();
    let text = match &mut environment {
        Environment::Sandbox { .. } => None,
        Environment::Container { image, .. } => Some(image),
        Environment::Host { distro, .. } => Some(distro),
        Environment::Cluster {
            container_image, ..
        } => container_image.as_mut(),
    };
    if let Some(text) = text {
        *text = filled(text, combination)?;
    }
    Some(environment)
}

fn names_any(text: &str, combination: &[Variable]) -> bool {
    combination
        .iter()
        .any(|variable| text.contains(&format!("{{{}}}", variable.name)))
}

/// The text with the value of each `{NAME}`; other braces stay, also those of a value.
fn filled(text: &str, combination: &[Variable]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, behind)| {
            let variable = combination.iter().find(|variable| variable.name == name)?;
            Some((variable, behind))
        });
        rest = match named {
            Some((variable, behind)) => {
                filled.push_str(&variable.value);
                behind
            }
            None => {
                filled.push('{');
                after
            }
        };
        filled = short(filled)?;
    }
    filled.push_str(rest);
    short(filled)
}

fn short(text: String) -> Option<String> {
    (text.len() <= FILLED_BYTES_MAX).then_some(text)
}
