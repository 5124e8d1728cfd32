//! Git's commits as objects, which no ref need point to.

use serde_json::Value;

use crate::disk::{NewCommit, Signature};
use paprq_core::ids::{CommitId, Timestamp};

use super::asked::Asked;
use super::{Answer, Refusal};

pub(super) fn commit(asked: &Asked<'_>, sha: &str) -> Result<Answer, Refusal> {
    let id = sha.parse::<CommitId>().ok();
    let disk = asked.core.disk(&asked.repo)?;
    let id = id.filter(|id| disk.has_commit(*id));
    let commit = disk.commit(id.ok_or(Refusal::NotFound)?)?;
    asked.read(|shapes, repo| Ok(Answer::ok(shapes.git_commit(repo, &commit))))
}

/// `POST /git/commits`: a commit of a tree that is there already.
pub(super) fn make_commit(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let by = asked.writer()?;
    let default = asked.core.signature(by, asked.core.now());
    let author = signature(asked.member("author"), &default);
    let committer = signature(asked.member("committer"), &author);
    let parents = asked.member("parents").and_then(Value::as_array);
    let parents: Result<Vec<_>, _> = parents.into_iter().flatten().map(object_id).collect();
    let new = NewCommit {
        tree: object_id(&Value::from(asked.needed_text("Commit", "tree")?))?,
        parents: parents?,
        message: asked.needed_text("Commit", "message")?,
        author,
        committer,
    };
    let disk = asked.core.disk(&asked.repo)?;
    let made = disk.make_commit(&new)?;
    let commit = disk.commit(made.ok_or_else(no_object)?)?;
    asked.read(|shapes, repo| Ok(Answer::created(shapes.git_commit(repo, &commit))))
}

fn no_object() -> Refusal {
    Refusal::Invalid("Tree SHA or parent SHA does not exist".to_owned())
}

fn object_id(sha: &Value) -> Result<CommitId, Refusal> {
    let id = sha.as_str().and_then(|sha| sha.parse().ok());
    id.ok_or_else(no_object)
}

fn signature(told: Option<&Value>, default: &Signature) -> Signature {
    let text = |name: &str| told.and_then(|told| told.get(name)?.as_str());
    let date = text("date").and_then(|date| date.parse::<jiff::Timestamp>().ok());
    Signature {
        name: text("name").unwrap_or(&default.name).to_owned(),
        email: text("email").unwrap_or(&default.email).to_owned(),
        at: date.map_or(default.at, |date| Timestamp(date.as_millisecond())),
    }
}
