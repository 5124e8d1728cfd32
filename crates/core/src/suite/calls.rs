//! What people call suites: finding those that somebody named.

use serde::{Deserialize, Serialize};

use super::Suite;

/// What a suite can be called by.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Called {
    /// Its context, unique in its run.
    pub context: String,
    /// Its name, if it has one; combinations of one matrix may share it.
    #[serde(default)]
    pub name: Option<String>,
    /// The context that its document states, where that has a matrix.
    #[serde(default)]
    pub matrix_context: Option<String>,
}

/// Why nothing was found.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotFound {
    /// Nothing is called so: tell what there is.
    #[error("there is no such suite")]
    Unknown,
    /// The contexts of several that are called so: ask which.
    #[error("it could be any of {}", .0.join(", "))]
    Ambiguous(Vec<String>),
}

impl Suite {
    /// What it can be called by.
    pub fn called(&self) -> Called {
        Called {
            context: self.context.clone(),
            name: self.name.clone(),
            matrix_context: self.matrix_context.clone(),
        }
    }
}

/// Finds what somebody asked for, in the order of `suites`: the suite with exactly this context,
/// or this name, or all combinations of the matrix whose document states this context; else the
/// one that has it as a part of its context or name, large and small letters alike. A part that all
/// combinations of one matrix have, and no other suite has, means them all.
///
/// # Errors
///
/// There is none, or it is not clear which.
pub fn find<'a>(suites: &'a [Called], asked: &str) -> Result<Vec<&'a Called>, NotFound> {
    let exact: [fn(&Called) -> Option<&str>; 3] = [
        |called| Some(&called.context),
        |called| called.name.as_deref(),
        |called| called.matrix_context.as_deref(),
    ];
    exact
        .into_iter()
        .map(|what| all(suites, |called| what(called) == Some(asked)))
        .find(|found| !found.is_empty())
        .map_or_else(|| by_part(suites, asked), Ok)
}

fn by_part<'a>(suites: &'a [Called], asked: &str) -> Result<Vec<&'a Called>, NotFound> {
    let part = asked.to_lowercase();
    if part.is_empty() {
        return Err(NotFound::Unknown);
    }
    let found = all(suites, |called| called.has_part(&part));
    match found.as_slice() {
        [] => Err(NotFound::Unknown),
        [_one] => Ok(found),
        [first, ..] if is_one_matrix(suites, &found, first) => Ok(found),
        _ => Err(NotFound::Ambiguous(
            found.iter().map(|called| called.context.clone()).collect(),
        )),
    }
}

impl Called {
    fn has_part(&self, part: &str) -> bool {
        [Some(&self.context), self.name.as_ref()]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(part))
    }
}

/// Whether these are all combinations of the first one's matrix, and nothing else.
fn is_one_matrix(suites: &[Called], found: &[&Called], first: &Called) -> bool {
    first.matrix_context.is_some()
        && found.iter().copied().eq(suites
            .iter()
            .filter(|called| called.matrix_context == first.matrix_context))
}

fn all(suites: &[Called], keep: impl Fn(&Called) -> bool) -> Vec<&Called> {
    suites.iter().filter(|called| keep(called)).collect()
}
