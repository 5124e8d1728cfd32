//! Refs and branches: reading, making, moving, deleting; and merging into a branch.

use serde_json::Value;

use crate::disk::{Merged, RefMove};
use paprq_core::ids::CommitId;

use super::asked::Asked;
use super::{Answer, Refusal, objects};

/// How often a merge is made anew because somebody pushed to its base meanwhile.
const MERGE_TRIES: u32 = 3;

pub(super) fn route(asked: &Asked<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match (asked.method(), path) {
        ("GET", ["git", "ref", name @ ..]) => one(asked, &name.join("/")),
        ("GET", ["git", "matching-refs", name @ ..]) => matching(asked, &name.join("/")),
        ("POST", ["git", "refs"]) => create(asked),
        ("PATCH", ["git", "refs", name @ ..]) => update(asked, &name.join("/")),
        ("DELETE", ["git", "refs", name @ ..]) => delete(asked, &name.join("/")),
        ("GET", ["git", "commits", sha]) => objects::commit(asked, sha),
        ("POST", ["git", "commits"]) => objects::make_commit(asked),
        ("GET", ["branches"]) => branches(asked),
        ("GET", ["branches", name @ ..]) => branch(asked, &name.join("/")),
        ("POST", ["merges"]) => merge(asked),
        _ => Err(Refusal::NotFound),
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::Invalid(message.to_owned())
}

fn one(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let name = format!("refs/{name}");
    let tip = asked.core.disk(&asked.repo)?.tip(&name)?;
    let tip = tip.ok_or(Refusal::NotFound)?;
    asked.read(|shapes, repo| Ok(Answer::ok(shapes.git_ref(repo, &name, tip))))
}

fn matching(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let tips = asked
        .core
        .disk(&asked.repo)?
        .tips(&format!("refs/{name}"))?;
    asked.read(|shapes, repo| {
        Ok(asked.page(tips.into_iter().collect(), |(name, tip)| {
            shapes.git_ref(repo, &name, tip)
        }))
    })
}

fn wanted_commit(asked: &Asked<'_>) -> Result<CommitId, Refusal> {
    let sha = asked.needed_text("Reference", "sha")?;
    let Ok(commit) = sha.parse::<CommitId>() else {
        return Err(invalid("The sha parameter must be exactly 40 characters"));
    };
    if asked.core.disk(&asked.repo)?.has_commit(commit) {
        Ok(commit)
    } else {
        Err(invalid("Object does not exist"))
    }
}

fn create(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let by = asked.writer()?;
    let name = asked.needed_text("Reference", "ref")?.to_owned();
    if !name.starts_with("refs/") || name.split('/').count() < 3 {
        return Err(invalid("Reference name must start with 'refs/'"));
    }
    let commit = wanted_commit(asked)?;
    match asked
        .core
        .disk(&asked.repo)?
        .move_ref(&name, None, commit)?
    {
        RefMove::Done => {}
        RefMove::Raced => return Err(invalid("Reference already exists")),
    }
    asked
        .core
        .announce(&asked.repo, std::slice::from_ref(&name), by)?;
    asked.read(|shapes, repo| Ok(Answer::created(shapes.git_ref(repo, &name, commit))))
}

fn update(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let by = asked.writer()?;
    let name = format!("refs/{name}");
    let disk = asked.core.disk(&asked.repo)?;
    let commit = wanted_commit(asked)?;
    let Some(old) = disk.tip(&name)? else {
        return Err(invalid("Reference does not exist"));
    };
    let forced = asked.member("force").and_then(Value::as_bool);
    if forced != Some(true) && !disk.contains(commit, old)? {
        return Err(invalid("Update is not a fast forward"));
    }
    asked.core.allow_move(&asked.repo, &name, Some(commit))?;
    match disk.move_ref(&name, Some(old), commit)? {
        RefMove::Done => {}
        RefMove::Raced => return Err(invalid("Reference cannot be updated")),
    }
    asked
        .core
        .announce(&asked.repo, std::slice::from_ref(&name), by)?;
    asked.read(|shapes, repo| Ok(Answer::ok(shapes.git_ref(repo, &name, commit))))
}

fn delete(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let by = asked.writer()?;
    let name = format!("refs/{name}");
    let disk = asked.core.disk(&asked.repo)?;
    if disk.tip(&name)?.is_none() {
        return Err(invalid("Reference does not exist"));
    }
    asked.core.allow_move(&asked.repo, &name, None)?;
    disk.delete_ref(&name)?;
    asked.core.announce(&asked.repo, &[name], by)?;
    Ok(Answer::nothing())
}

fn branches(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let tips = asked.core.disk(&asked.repo)?.tips("refs/heads/")?;
    asked.read(|shapes, repo| {
        Ok(asked.page(tips.into_iter().collect(), |(name, tip)| {
            let name = name.trim_start_matches("refs/heads/");
            shapes.short_branch(repo, name, tip)
        }))
    })
}

fn branch(asked: &Asked<'_>, name: &str) -> Result<Answer, Refusal> {
    let disk = asked.core.disk(&asked.repo)?;
    let tip = disk.tip(&format!("refs/heads/{name}"))?;
    let commit = disk.commit(tip.ok_or(Refusal::NotFound)?)?;
    asked.read(|shapes, repo| {
        let commit = shapes.commit(repo, &commit);
        Ok(Answer::ok(shapes.branch(repo, name, &commit)))
    })
}

/// `POST /merges`: 201 with the merge commit, 204 if there is nothing to merge, 409 if it conflicts.
fn merge(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let by = asked.writer()?;
    let base = asked.needed_text("Merge", "base")?;
    let head = asked.needed_text("Merge", "head")?;
    let disk = asked.core.disk(&asked.repo)?;
    let name = format!("refs/heads/{base}");
    let with = disk.resolve(head)?.ok_or(Refusal::NotFound)?;
    let message = asked
        .text("commit_message")
        .map_or_else(|| format!("Merge {head} into {base}"), ToOwned::to_owned);
    let author = asked.core.signature(by, asked.core.now());
    for _ in 0..MERGE_TRIES {
        let onto = disk.tip(&name)?.ok_or(Refusal::NotFound)?;
        let merged = match disk.merge(onto, with, &message, &author)? {
            Merged::Made(merged) => merged,
            Merged::NothingToDo => return Ok(Answer::nothing()),
            Merged::Conflict => return Err(Refusal::Conflict("Merge conflict")),
        };
        asked.core.allow_move(&asked.repo, &name, Some(merged))?;
        if disk.move_ref(&name, Some(onto), merged)? == RefMove::Done {
            asked
                .core
                .announce(&asked.repo, std::slice::from_ref(&name), by)?;
            let commit = disk.commit(merged)?;
            return asked.read(|shapes, repo| Ok(Answer::created(shapes.commit(repo, &commit))));
        }
    }
    Err(Refusal::Conflict("The base branch is moving"))
}
