//! What a webhook says.
//!
//! A body is read in one pass into its outermost fields, which is enough to find the repository and
//! with it the secret; what is inside is read only if the event may matter. Unknown events, actions
//! and fields are skipped.

use std::borrow::Cow;
use std::io;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::identity::Identity;
use super::shapes::{CheckRun, CheckSuite, Pull, Remark, Status, User, commit};
use super::slug::Slug;
use paprq_core::ids::{BranchName, CommitId, GitHubRepoId, Login, PullNumber, Timestamp};
use paprq_core::queue::event::{CommentSort, Event, Source};

/// Why a webhook's body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadPayload {
    /// It is not a JSON object, or says what its repository is in another way than GitHub.
    #[error("read the webhook: {0}")]
    NotAPayload(#[source] serde_json::Error),
    /// It lacks what every payload of this event has.
    #[error("read the webhook's event `{event}`: {source}")]
    Incomplete {
        /// The event's name.
        event: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// What a webhook told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// The repository that it is about; none for events of accounts and organisations.
    pub repo: Option<Slug>,
    /// Whose deed it tells of.
    pub sender: Option<Login>,
    /// The fact, if it is one that the queue knows.
    pub event: Option<Event>,
}

/// Reads a webhook; `event` is the header `X-GitHub-Event`.
///
/// # Errors
///
/// If the body is no JSON object, or lacks what each payload of a known event and action has.
pub fn read(event: &str, body: &[u8]) -> Result<Told, BadPayload> {
    Payload::parse(body)?.told(event)
}

/// The repository that a webhook is about, read without keeping anything else.
///
/// # Errors
///
/// If the body is no JSON object.
pub fn repo(body: impl io::Read) -> Result<Option<Named>, BadPayload> {
    let about: About = serde_json::from_reader(body).map_err(BadPayload::NotAPayload)?;
    Ok(about.repository.and_then(|repo| repo.named()))
}

/// What a webhook calls the repository that it is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// Its name.
    pub slug: Slug,
    /// Its number, which GitHub always sends.
    pub id: Option<GitHubRepoId>,
}

impl Named {
    /// Both, if both were sent.
    pub fn identity(self) -> Option<Identity> {
        let slug = self.slug;
        self.id.map(|id| Identity { id, slug })
    }
}

/// A webhook's body of which only the outermost fields are looked at.
pub struct Payload<'a> {
    body: &'a [u8],
    outer: Outer<'a>,
}

impl<'a> Payload<'a> {
    /// Looks at the outermost fields, in one pass and without copying.
    ///
    /// # Errors
    ///
    /// If the body is no JSON object.
    pub fn parse(body: &'a [u8]) -> Result<Self, BadPayload> {
        let outer = serde_json::from_slice(body).map_err(BadPayload::NotAPayload)?;
        Ok(Self { body, outer })
    }

    /// The repository that it is about; none for events of accounts and organisations.
    pub fn repo(&self) -> Option<Slug> {
        self.outer.repository.as_ref()?.slug()
    }

    /// The same, with the number by which GitHub knows it.
    pub fn named(&self) -> Option<Named> {
        self.outer.repository.as_ref()?.named()
    }

    /// Reads the rest; `event` is the header `X-GitHub-Event`.
    ///
    /// # Errors
    ///
    /// If it lacks what each payload of this event and action has.
    pub fn told(self, event: &str) -> Result<Told, BadPayload> {
        let fact = self.fact(event).map_err(|source| BadPayload::Incomplete {
            event: event.to_owned(),
            source,
        })?;
        Ok(Told {
            repo: self.repo(),
            sender: self.outer.sender.and_then(User::into_login),
            event: fact,
        })
    }

    fn fact(&self, event: &str) -> Result<Option<Event>, serde_json::Error> {
        let action = self.outer.action.as_deref().unwrap_or_default();
        match (event, action) {
            ("issue_comment", "created") => self.issue_comment(),
            ("pull_request", action) if carries_the_pull(action) => self.pull_request(action),
            ("pull_request_review", "submitted") => self.review(),
            ("pull_request_review_comment", "created") => self.review_comment(),
            ("push", _) => self.push(),
            ("status", _) => self.status(),
            ("check_run", "created" | "completed" | "rerequested" | "requested_action") => {
                self.check_run()
            }
            ("check_suite", "completed") => self.check_suite(),
            _ => Ok(None),
        }
    }

    fn issue_comment(&self) -> Result<Option<Event>, serde_json::Error> {
        let issue: Issue = inner(self.outer.issue)?;
        if issue.pull_request.is_none() {
            return Ok(None);
        }
        let remark: Remark = inner(self.outer.comment)?;
        Ok(Some(Event::CommentMade {
            pull: PullNumber(issue.number),
            comment: remark.comment(CommentSort::Issue),
        }))
    }

    fn pull_request(&self, action: &str) -> Result<Option<Event>, serde_json::Error> {
        let pull: Pull = inner(self.outer.pull_request)?;
        let facts = pull.facts();
        let source = Source::Webhook;
        let sender = self.outer.sender.clone().and_then(User::into_login);
        Ok(Some(match sender {
            Some(by) if brings_the_head(action) => Event::HeadPushed { facts, by },
            Some(_) | None => Event::PullSeen { facts, source },
        }))
    }

    fn review(&self) -> Result<Option<Event>, serde_json::Error> {
        let review: Remark = inner(self.outer.review)?;
        let comment = review.comment(CommentSort::Review);
        if comment.body.is_empty() {
            return Ok(None);
        }
        let pull = self.pull_number()?;
        Ok(Some(Event::CommentMade { pull, comment }))
    }

    fn review_comment(&self) -> Result<Option<Event>, serde_json::Error> {
        let remark: Remark = inner(self.outer.comment)?;
        Ok(Some(Event::CommentMade {
            pull: self.pull_number()?,
            comment: remark.comment(CommentSort::ReviewComment),
        }))
    }

    fn pull_number(&self) -> Result<PullNumber, serde_json::Error> {
        let pull: Numbered = inner(self.outer.pull_request)?;
        Ok(PullNumber(pull.number))
    }

    fn push(&self) -> Result<Option<Event>, serde_json::Error> {
        let push: Push = serde_json::from_slice(self.body)?;
        let branch = push.reference.strip_prefix("refs/heads/");
        Ok(branch.map(|branch| Event::BranchPushed {
            branch: BranchName::new(branch),
            before: push.before.unwrap_or(CommitId::ZERO),
            after: push.after.unwrap_or(CommitId::ZERO),
            at: push.repository.and_then(|repository| repository.moment()),
        }))
    }

    fn status(&self) -> Result<Option<Event>, serde_json::Error> {
        let on: StatusOn = serde_json::from_slice(self.body)?;
        let status: Status = serde_json::from_slice(self.body)?;
        Ok(Some(status.reported(on.sha)))
    }

    fn check_run(&self) -> Result<Option<Event>, serde_json::Error> {
        let on: CheckRunOn = inner(self.outer.check_run)?;
        let run: CheckRun = inner(self.outer.check_run)?;
        Ok(Some(run.reported(on.head_sha)))
    }

    fn check_suite(&self) -> Result<Option<Event>, serde_json::Error> {
        let on: CheckRunOn = inner(self.outer.check_suite)?;
        let suite: CheckSuite = inner(self.outer.check_suite)?;
        Ok(Some(Event::CheckSuiteCompleted {
            commit: on.head_sha,
            suite: suite.id,
        }))
    }
}

/// The actions of `pull_request` that GitHub documents; each carries the pull as it now stands.
fn carries_the_pull(action: &str) -> bool {
    matches!(
        action,
        "assigned"
            | "auto_merge_disabled"
            | "auto_merge_enabled"
            | "closed"
            | "converted_to_draft"
            | "demilestoned"
            | "dequeued"
            | "edited"
            | "enqueued"
            | "labeled"
            | "locked"
            | "milestoned"
            | "opened"
            | "ready_for_review"
            | "reopened"
            | "review_request_removed"
            | "review_requested"
            | "synchronize"
            | "unassigned"
            | "unlabeled"
            | "unlocked"
    )
}

/// Whether the sender of a `pull_request` put the head where it is.
fn brings_the_head(action: &str) -> bool {
    matches!(action, "opened" | "synchronize")
}

fn inner<'a, T: Deserialize<'a>>(object: Option<&'a RawValue>) -> Result<T, serde_json::Error> {
    serde_json::from_str(object.map_or("null", RawValue::get))
}

#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    repository: Option<Repository>,
    sender: Option<User>,
    #[serde(borrow)]
    issue: Option<&'a RawValue>,
    #[serde(borrow)]
    comment: Option<&'a RawValue>,
    #[serde(borrow)]
    pull_request: Option<&'a RawValue>,
    #[serde(borrow)]
    review: Option<&'a RawValue>,
    #[serde(borrow)]
    check_run: Option<&'a RawValue>,
    #[serde(borrow)]
    check_suite: Option<&'a RawValue>,
}

/// What is kept of a body that is not.
#[derive(Deserialize)]
struct About {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: Option<u64>,
    full_name: Option<String>,
    name: Option<String>,
    owner: Option<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    login: Option<String>,
    // Payloads of `push` may have no other.
    name: Option<String>,
}

impl Repository {
    fn named(&self) -> Option<Named> {
        Some(Named {
            slug: self.slug()?,
            id: self.id.map(GitHubRepoId),
        })
    }

    fn slug(&self) -> Option<Slug> {
        if let Some((owner, name)) = self
            .full_name
            .as_ref()
            .and_then(|full| full.split_once('/'))
        {
            return Some(Slug::new(owner, name));
        }
        let owner = self.owner.as_ref()?;
        let login = owner.login.as_ref().or(owner.name.as_ref())?;
        Some(Slug::new(login, self.name.as_ref()?))
    }
}

#[derive(Deserialize)]
struct Issue<'a> {
    number: u64,
    #[serde(borrow)]
    pull_request: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default, deserialize_with = "commit")]
    before: Option<CommitId>,
    #[serde(default, deserialize_with = "commit")]
    after: Option<CommitId>,
    repository: Option<PushedRepository>,
}

/// In payloads of `push`, and only there, this is a number of seconds.
#[derive(Deserialize)]
struct PushedRepository {
    pushed_at: Option<serde_json::Value>,
}

impl PushedRepository {
    fn moment(&self) -> Option<Timestamp> {
        let seconds = self.pushed_at.as_ref()?.as_i64()?;
        Some(Timestamp(seconds.checked_mul(1000)?))
    }
}

#[derive(Deserialize)]
struct StatusOn {
    sha: CommitId,
}

#[derive(Deserialize)]
struct CheckRunOn {
    head_sha: CommitId,
}

#[cfg(test)]
mod tests;
