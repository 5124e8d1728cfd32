//! Issues and their comments. Their labels are in [`super::labels`].

use std::cmp::Reverse;

use serde_json::Value;

use crate::json::Shapes;
use crate::world::{Comment, Pull, Repo};

use super::asked::{Asked, id, is_since, pull_number};
use super::{Answer, Refusal, labels};

pub(super) fn route(asked: &Asked<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (asked.method(), path) {
        ("GET", ["issues", "comments"]) => all_comments(asked),
        ("GET", ["issues", "comments", comment]) => one_comment(asked, id(comment)?),
        ("PATCH", ["issues", "comments", comment]) => edit_comment(asked, id(comment)?),
        ("DELETE", ["issues", "comments", comment]) => delete_comment(asked, id(comment)?),
        ("GET", ["issues", number]) => asked.read_pull(number, |shapes, repo, pull| {
            Ok(Answer::ok(shapes.issue(repo, pull)))
        }),
        ("GET", ["issues", number, "comments"]) => comments(asked, number),
        ("POST", ["issues", number, "comments"]) => comment(asked, number),
        (_, ["issues", number, "labels", rest @ ..]) => labels::route(asked, number, rest),
        _ => Err(Refusal::NotFound),
    }
}

fn comments(asked: &Asked<'_>, number: &str) -> Result<Answer, Refusal> {
    let since = asked.moment("since");
    asked.read_pull(number, |shapes, repo, pull| {
        let comments = pull.comments.iter();
        let comments = comments.filter(|comment| is_since(comment.updated_at, since));
        Ok(asked.page(comments.collect(), |comment| {
            shapes.comment(repo, pull, comment)
        }))
    })
}

fn comment(asked: &Asked<'_>, number: &str) -> Result<Answer, Refusal> {
    let author = asked.user()?;
    let body = asked.needed_text("IssueComment", "body")?;
    let number = pull_number(number)?;
    let id = asked.core.comment(&asked.repo, number, author, body)?;
    Ok(Answer::created(shape(asked, id)?))
}

/// Where a comment stands.
#[derive(Clone, Copy)]
struct Placed<'a> {
    pull: &'a Pull,
    comment: &'a Comment,
}

fn placed(repo: &Repo) -> impl Iterator<Item = Placed<'_>> {
    repo.pulls.values().flat_map(|pull| {
        pull.comments
            .iter()
            .map(move |comment| Placed { pull, comment })
    })
}

fn all_comments(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let since = asked.moment("since");
    asked.read(|shapes, repo| {
        let mut all: Vec<Placed<'_>> = placed(repo)
            .filter(|placed| is_since(placed.comment.updated_at, since))
            .collect();
        match asked.query("sort") {
            Some("updated") => all.sort_by_key(|placed| placed.comment.updated_at),
            Some(_) | None => all.sort_by_key(|placed| placed.comment.id),
        }
        // Without `sort`, GitHub ignores `direction`.
        if asked.query("sort").is_some() && asked.query("direction") != Some("asc") {
            all.sort_by_key(|placed| Reverse((placed.comment.updated_at, placed.comment.id)));
        }
        Ok(asked.page(all, |placed| {
            shapes.comment(repo, placed.pull, placed.comment)
        }))
    })
}

fn shape(asked: &Asked<'_>, id: u64) -> Result<Value, Refusal> {
    asked.read(|shapes: Shapes<'_>, repo| {
        let found = placed(repo).find(|placed| placed.comment.id == id);
        let found = found.ok_or(Refusal::NotFound)?;
        Ok(shapes.comment(repo, found.pull, found.comment))
    })
}

fn one_comment(asked: &Asked<'_>, id: u64) -> Result<Answer, Refusal> {
    Ok(Answer::ok(shape(asked, id)?))
}

/// Its author may change a comment, and who can push.
fn may_change(asked: &Asked<'_>, id: u64) -> Result<(), Refusal> {
    let user = asked.user()?;
    let author = asked.read(|_, repo| {
        let found = placed(repo).find(|placed| placed.comment.id == id);
        Ok(found.map(|found| found.comment.author.clone()))
    })?;
    if author.ok_or(Refusal::NotFound)? != *user {
        asked.writer()?;
    }
    Ok(())
}

fn edit_comment(asked: &Asked<'_>, id: u64) -> Result<Answer, Refusal> {
    may_change(asked, id)?;
    let body = asked.needed_text("IssueComment", "body")?;
    asked
        .core
        .edit_comment(&asked.repo, id, asked.user()?, body)?;
    one_comment(asked, id)
}

fn delete_comment(asked: &Asked<'_>, id: u64) -> Result<Answer, Refusal> {
    may_change(asked, id)?;
    asked.core.delete_comment(&asked.repo, id, asked.user()?)?;
    Ok(Answer::nothing())
}
