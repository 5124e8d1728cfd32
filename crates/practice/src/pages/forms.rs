//! What the forms do: each is a POST that changes something and leads back to the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::PracticeError;
use crate::checks::NewStatus;
use crate::core::Core;
use crate::disk::Change;
use crate::pulls::{Draft, Edit, NewPull, unknown_pull};
use crate::server::header;
use crate::world::StatusState;
use paprq_core::ids::{CommitId, Login, PullNumber};

use super::problem;

type Form = web::Form<BTreeMap<String, String>>;

pub(super) async fn open(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: Form,
    core: web::Data<Core>,
) -> HttpResponse {
    let (owner, name) = path.into_inner();
    let repo = format!("{owner}/{name}");
    let filled = Filled::of(form);
    submit(request, core, filled, move |core, filled| {
        let number = open_pull(core, &repo, filled)?;
        Ok(format!("/{repo}/pull/{number}"))
    })
    .await
}

pub(super) async fn status(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: Form,
    core: web::Data<Core>,
) -> HttpResponse {
    let (owner, name) = path.into_inner();
    let repo = format!("{owner}/{name}");
    let filled = Filled::of(form);
    submit(request, core, filled, move |core, filled| {
        set_status(core, &repo, filled)?;
        Ok(format!("/{repo}"))
    })
    .await
}

pub(super) async fn redeliver(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: Form,
    core: web::Data<Core>,
) -> HttpResponse {
    let (owner, name) = path.into_inner();
    submit(request, core, Filled::of(form), move |core, filled| {
        core.redeliver(filled.number("delivery")?)?;
        Ok(format!("/{owner}/{name}"))
    })
    .await
}

pub(super) async fn deed(
    request: HttpRequest,
    path: web::Path<(String, String, u64, String)>,
    form: Form,
    core: web::Data<Core>,
) -> HttpResponse {
    let (owner, name, number, deed) = path.into_inner();
    let repo = format!("{owner}/{name}");
    let filled = Filled::of(form);
    submit(request, core, filled, move |core, filled| {
        let at = At {
            core,
            repo: &repo,
            number: PullNumber(number),
        };
        at.act(&deed, filled)?;
        Ok(format!("/{repo}/pull/{number}"))
    })
    .await
}

/// Does it on a blocking thread, unless it comes from another site, and leads to a page.
async fn submit(
    request: HttpRequest,
    core: web::Data<Core>,
    filled: Filled,
    act: impl FnOnce(&Core, &Filled) -> Result<String, PracticeError> + Send + 'static,
) -> HttpResponse {
    let core = core.into_inner();
    if !is_from_here(&request) {
        let refused = PracticeError::Refused("this form was sent from another site".to_owned());
        return problem(&core, &refused);
    }
    let worker = Arc::clone(&core);
    let done = web::block(move || {
        let page = act(&worker, &filled)?;
        let by = filled.0.get("as").map_or("", String::as_str);
        Ok(format!(
            "{page}?as={}",
            utf8_percent_encode(by, NON_ALPHANUMERIC)
        ))
    });
    match done.await {
        Ok(Ok(page)) => HttpResponse::SeeOther()
            .insert_header((LOCATION, page))
            .finish(),
        Ok(Err(error)) => problem(&core, &error),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Browsers say where a form comes from. A name of this machine that is not its own (DNS
/// rebinding) counts as another site.
pub(super) fn is_from_here(request: &HttpRequest) -> bool {
    let host = header(request, "host").unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .map_or(host.as_str(), |(name, _)| name);
    let site = header(request, "sec-fetch-site");
    let origin = header(request, "origin");
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
        && site.is_none_or(|site| matches!(site.as_str(), "same-origin" | "none"))
        && origin.is_none_or(|origin| origin == format!("http://{host}"))
}

/// A form as it was filled in.
#[derive(Debug)]
struct Filled(BTreeMap<String, String>);

impl Filled {
    fn of(form: Form) -> Self {
        Self(form.into_inner())
    }

    fn text(&self, name: &str) -> Result<&str, PracticeError> {
        let text = self.0.get(name).map(|text| text.trim());
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| PracticeError::Refused(format!("{name} is missing")))
    }

    fn number(&self, name: &str) -> Result<u64, PracticeError> {
        let text = self.text(name)?;
        let number = text.parse().ok();
        number.ok_or_else(|| PracticeError::Refused(format!("{text} is no number")))
    }

    /// A text that may be empty, with the line ends of Unix.
    fn prose(&self, name: &str) -> String {
        let text = self.0.get(name).map(String::as_str);
        text.unwrap_or_default().replace("\r\n", "\n")
    }

    fn user(&self) -> Result<Login, PracticeError> {
        let name = self.text("as")?;
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        match plain {
            true => Ok(Login::new(name)),
            false => Err(PracticeError::Refused(format!("nobody is called {name}"))),
        }
    }

    fn change(&self) -> Result<Change, PracticeError> {
        Ok(Change::write(self.text("path")?, self.prose("content")))
    }
}

fn open_pull(core: &Core, repo: &str, filled: &Filled) -> Result<PullNumber, PracticeError> {
    let author = filled.user()?;
    let (branch, title) = (filled.text("branch")?, filled.text("title")?);
    let base = core.read_repo(repo, |repo| repo.default_branch.clone())?;
    if branch == base || !git2::Reference::is_valid_name(&format!("refs/heads/{branch}")) {
        let why = format!("{branch} cannot be the branch of a pull request");
        return Err(PracticeError::Refused(why));
    }
    core.commit(repo, branch, &[filled.change()?], title, &author)?;
    core.open_pull(&NewPull {
        repo,
        head: branch,
        base: &base,
        title,
        body: &filled.prose("body"),
        author: &author,
    })
}

fn set_status(core: &Core, repo: &str, filled: &Filled) -> Result<(), PracticeError> {
    let commit: Result<CommitId, _> = filled.text("commit")?.parse();
    let commit = commit.map_err(|bad| PracticeError::Refused(bad.to_string()))?;
    let word = filled.text("state")?;
    let state = StatusState::parse(word)
        .ok_or_else(|| PracticeError::Refused(format!("{word} is no state")))?;
    let new = NewStatus {
        state,
        context: filled.text("context")?.to_owned(),
        description: Some("Set by hand".to_owned()),
        target_url: None,
        creator: Login::new("external-ci"),
    };
    core.set_status(repo, commit, new).map(drop)
}

/// The pull that a form is about.
struct At<'a> {
    core: &'a Core,
    repo: &'a str,
    number: PullNumber,
}

impl At<'_> {
    fn act(&self, deed: &str, filled: &Filled) -> Result<(), PracticeError> {
        let Self { core, repo, number } = *self;
        match deed {
            "comment" => {
                let body = filled.prose("body");
                filled.text("body")?;
                core.comment(repo, number, &filled.user()?, &body).map(drop)
            }
            "push" => self.push(filled),
            "fix" => core.push_prepared(repo, number, &filled.user()?).map(drop),
            "edit" => {
                let edit = Edit {
                    title: Some(filled.text("title")?.to_owned()),
                    body: filled.0.get("body").map(|_| filled.prose("body")),
                    base: filled.0.get("base").map(|base| base.trim().to_owned()),
                };
                core.edit(repo, number, edit, &filled.user()?)
            }
            "stand" => self.stand(filled.text("deed")?, &filled.user()?),
            "status" => set_status(core, repo, filled),
            "label" => self.label(filled),
            "recomment" => self.change_comment(filled),
            other => Err(PracticeError::Unknown(format!("form {other}"))),
        }
    }

    fn push(&self, filled: &Filled) -> Result<(), PracticeError> {
        let pull = self
            .core
            .pull(self.repo, self.number)
            .ok_or_else(|| unknown_pull(self.number))?;
        let message = filled.text("message")?;
        let (into, branch) = (&pull.head_repo, &pull.head_branch);
        let changes = [filled.change()?];
        self.core
            .commit(into, branch, &changes, message, &filled.user()?)
            .map(drop)
    }

    fn change_comment(&self, filled: &Filled) -> Result<(), PracticeError> {
        let Self { core, repo, .. } = *self;
        let (comment, by) = (filled.number("comment")?, filled.user()?);
        match filled.text("deed")? {
            "save" => {
                filled.text("body")?;
                core.edit_comment(repo, comment, &by, &filled.prose("body"))
            }
            "delete" => core.delete_comment(repo, comment, &by),
            other => Err(PracticeError::Unknown(format!("button {other}"))),
        }
    }

    fn label(&self, filled: &Filled) -> Result<(), PracticeError> {
        let Self { core, repo, number } = *self;
        let (label, by) = (filled.text("label")?, filled.user()?);
        match filled.text("deed")? {
            "add" => core.add_labels(repo, number, &[label.to_owned()], &by),
            "remove" => core.remove_label(repo, number, label, &by),
            other => Err(PracticeError::Unknown(format!("button {other}"))),
        }
    }

    fn stand(&self, deed: &str, by: &Login) -> Result<(), PracticeError> {
        let Self { core, repo, number } = *self;
        match deed {
            "close" => core.close(repo, number, by),
            "reopen" => core.reopen(repo, number, by),
            "draft" => core.set_draft(repo, number, Draft::Yes, by.as_str()),
            "ready" => core.set_draft(repo, number, Draft::No, by.as_str()),
            other => Err(PracticeError::Unknown(format!("button {other}"))),
        }
    }
}
