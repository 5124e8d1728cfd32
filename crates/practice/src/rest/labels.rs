//! Labels of pulls, which GitHub keeps under issues.

use crate::world::Permission;
use paprq_core::ids::{Login, PullNumber};

use super::asked::{Asked, pull_number};
use super::{Answer, Refusal};

/// Answers calls below `/issues/{number}/labels`.
pub(super) fn route(asked: &Asked<'_>, number: &str, path: &[&str]) -> Result<Answer, Refusal> {
    if asked.method() == "GET" && path.is_empty() {
        return list(asked, number);
    }
    let by = sorter(asked)?;
    let pull = pull_number(number)?;
    match (asked.method(), path) {
        ("POST", []) => {
            asked
                .core
                .add_labels(&asked.repo, pull, &names(asked), by)?;
            list(asked, number)
        }
        ("PUT", []) => {
            asked
                .core
                .set_labels(&asked.repo, pull, &names(asked), by)?;
            list(asked, number)
        }
        ("DELETE", []) => {
            asked.core.set_labels(&asked.repo, pull, &[], by)?;
            Ok(Answer::nothing())
        }
        ("DELETE", [label]) => remove(asked, pull, label),
        _ => Err(Refusal::NotFound),
    }
}

/// Who calls, if it may sort pulls.
fn sorter<'a>(asked: &'a Asked<'_>) -> Result<&'a Login, Refusal> {
    let user = asked.user()?;
    if asked.permission() >= Permission::Triage {
        Ok(user)
    } else {
        Err(Refusal::Forbidden("Must have triage rights to Repository."))
    }
}

fn list(asked: &Asked<'_>, number: &str) -> Result<Answer, Refusal> {
    asked.read_pull(number, |shapes, repo, pull| {
        Ok(asked.page(shapes.labels(repo, pull), |label| label))
    })
}

/// The body is `{"labels": [NAME…]}` or the list alone, of names or of objects with a name.
fn names(asked: &Asked<'_>) -> Vec<String> {
    let list = asked.member("labels").unwrap_or_else(|| asked.body());
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().or_else(|| name.get("name")?.as_str()))
        .map(ToOwned::to_owned)
        .collect()
}

/// Answers the labels that are left.
fn remove(asked: &Asked<'_>, pull: PullNumber, label: &str) -> Result<Answer, Refusal> {
    let by = sorter(asked)?;
    asked.core.remove_label(&asked.repo, pull, label, by)?;
    list(asked, &pull.to_string())
}
