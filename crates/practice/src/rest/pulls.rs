//! Pulls, their commits, their reviews.

use std::cmp::Reverse;

use serde_json::Value;

use crate::pulls::Edit;
use crate::world::{Pull, Repo, ReviewComment};

use super::asked::{Asked, is_since, pull_number};
use super::{Answer, Field, Refusal};

/// GitHub lists at most so many commits of a pull.
const COMMITS_MAX: usize = 250;

pub(super) fn route(asked: &Asked<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (asked.method(), path) {
        ("GET", ["pulls"]) => list(asked),
        ("POST", ["pulls"]) => open(asked),
        ("GET", ["pulls", "comments"]) => line_comments(asked),
        ("GET", ["pulls", number]) => one(asked, number),
        ("PATCH", ["pulls", number]) => edit(asked, number),
        ("GET", ["pulls", number, "commits"]) => commits(asked, number),
        ("GET", ["pulls", number, "reviews"]) => asked.read_pull(number, |shapes, repo, pull| {
            Ok(asked.page(pull.reviews.iter().collect(), |review| {
                shapes.review(repo, pull, review)
            }))
        }),
        ("GET", ["pulls", number, "comments"]) => asked.read_pull(number, |shapes, repo, pull| {
            Ok(
                asked.page(pull.review_comments.iter().collect(), |comment| {
                    shapes.review_comment(repo, pull, comment)
                }),
            )
        }),
        _ => Err(Refusal::NotFound),
    }
}

/// All comments on lines, oldest first; they never change, so `since` is when they were made.
fn line_comments(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let since = asked.moment("since");
    asked.read(|shapes, repo| {
        let mut all: Vec<(&Pull, &ReviewComment)> = Vec::new();
        for pull in repo.pulls.values() {
            let made = pull.review_comments.iter();
            let made = made.filter(|comment| is_since(comment.at, since));
            all.extend(made.map(|comment| (pull, comment)));
        }
        all.sort_by_key(|(_, comment)| comment.id);
        Ok(asked.page(all, |(pull, comment)| {
            shapes.review_comment(repo, pull, comment)
        }))
    })
}

fn list(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    asked.read(|shapes, repo| {
        let mut pulls: Vec<&Pull> = repo
            .pulls
            .values()
            .filter(|pull| is_wanted(asked, repo, pull))
            .collect();
        let by_update = asked.query("sort") == Some("updated");
        pulls.sort_by_key(|pull| (by_update.then_some(pull.updated_at), pull.number));
        // Newest first unless another order than that of creation is asked for upwards.
        let ascending = match asked.query("direction") {
            Some(direction) => direction == "asc",
            None => by_update,
        };
        if !ascending {
            pulls.sort_by_key(|pull| Reverse((by_update.then_some(pull.updated_at), pull.number)));
        }
        Ok(asked.page(pulls, |pull| shapes.simple_pull(repo, pull)))
    })
}

fn is_wanted(asked: &Asked<'_>, repo: &Repo, pull: &Pull) -> bool {
    let state = match asked.query("state").unwrap_or("open") {
        "open" => pull.is_open(),
        "closed" => !pull.is_open(),
        _ => true,
    };
    let base = asked
        .query("base")
        .is_none_or(|base| base == pull.base_branch);
    let head = asked.query("head").is_none_or(|head| {
        let owner = pull.head_repo.split('/').next();
        let owner = owner.unwrap_or_else(|| repo.owner.as_str());
        head == format!("{owner}:{}", pull.head_branch)
    });
    state && base && head
}

fn one(asked: &Asked<'_>, number: &str) -> Result<Answer, Refusal> {
    if !asked.core.faults.hides_mergeability() {
        asked.core.test_merge(&asked.repo, pull_number(number)?)?;
    }
    asked.read_pull(number, |shapes, repo, pull| {
        Ok(Answer::ok(shapes.pull(repo, pull)))
    })
}

fn open(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let author = asked.user()?;
    let number = asked.core.open_pull(&crate::pulls::NewPull {
        repo: &asked.repo,
        head: asked.needed_text("PullRequest", "head")?,
        base: asked.needed_text("PullRequest", "base")?,
        title: asked.needed_text("PullRequest", "title")?,
        body: asked.text("body").unwrap_or_default(),
        author,
    })?;
    asked.read_pull(&number.to_string(), |shapes, repo, pull| {
        Ok(Answer::created(shapes.pull(repo, pull)))
    })
}

/// A base branch that is asked for must be there.
fn known_base(asked: &Asked<'_>) -> Result<(), Refusal> {
    let Some(base) = asked.text("base") else {
        return Ok(());
    };
    let disk = asked.core.disk(&asked.repo)?;
    match disk.tip(&format!("refs/heads/{base}"))? {
        Some(_) => Ok(()),
        None => Err(Refusal::InvalidField(Field {
            resource: "PullRequest",
            name: "base",
            code: "invalid",
            message: "Proposed base branch was not found".to_owned(),
        })),
    }
}

fn edit(asked: &Asked<'_>, number: &str) -> Result<Answer, Refusal> {
    let by = asked.user()?.clone();
    let pull = pull_number(number)?;
    let author = asked.read_pull(number, |_, _, pull| Ok(pull.author.clone()))?;
    if author != by {
        asked.writer()?;
    }
    match asked.text("state") {
        Some("open") => asked.core.reopen(&asked.repo, pull, &by)?,
        Some("closed") => asked.core.close(&asked.repo, pull, &by)?,
        Some(other) => {
            return Err(Refusal::InvalidField(Field {
                resource: "PullRequest",
                name: "state",
                code: "invalid",
                message: format!("state is not {other}"),
            }));
        }
        None => {}
    }
    known_base(asked)?;
    let text = |name: &str| asked.text(name).map(ToOwned::to_owned);
    let edit = Edit {
        title: text("title"),
        body: text("body"),
        base: text("base"),
    };
    asked.core.edit(&asked.repo, pull, edit, &by)?;
    one(asked, number)
}

fn commits(asked: &Asked<'_>, number: &str) -> Result<Answer, Refusal> {
    let pull = asked.read_pull(number, |_, _, pull| Ok(pull.clone()))?;
    let disk = asked.core.disk(&asked.repo)?;
    let mut ids = disk.commits_between(Some(pull.base), pull.head, COMMITS_MAX)?;
    ids.reverse();
    let page = asked.slice(ids);
    let commits: Result<Vec<_>, _> = page.items.iter().map(|id| disk.commit(*id)).collect();
    let commits = commits?;
    let list = asked.read(|shapes, repo| {
        Ok(commits
            .iter()
            .map(|commit| shapes.commit(repo, commit))
            .collect())
    })?;
    let answer = Answer::ok(Value::Array(list));
    Ok(match page.link {
        Some(link) => answer.header("link", link),
        None => answer,
    })
}
