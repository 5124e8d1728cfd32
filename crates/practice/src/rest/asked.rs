//! A call taken apart: path, query, body, caller, and the page of a list that it wants.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::core::Core;
use crate::json::Shapes;
use crate::server::Caller;
use crate::world::{Permission, Pull, Repo, World};
use paprq_core::ids::{Login, PullNumber, Timestamp};

use super::{Answer, Call, Field, Refusal};

/// GitHub's page size unless told, and at most.
const PER_PAGE: usize = 30;
const PER_PAGE_MAX: usize = 100;

#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) core: &'a Core,
    call: &'a Call,
    path: String,
    segments: Vec<String>,
    query: BTreeMap<String, String>,
    body: Value,
    /// `OWNER/NAME`; empty for calls that are about no repository.
    pub(super) repo: String,
}

impl<'a> Asked<'a> {
    pub(super) fn of(core: &'a Core, call: &'a Call) -> Result<Self, Refusal> {
        if call.caller == Caller::Stranger {
            return Err(Refusal::BadCredentials);
        }
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let segments = path.split('/').filter(|part| !part.is_empty());
        let body = match call.body.is_empty() {
            true => Value::Null,
            false => match serde_json::from_slice(&call.body) {
                Ok(body) => body,
                Err(_) => return Err(Refusal::BadJson),
            },
        };
        Ok(Self {
            core,
            call,
            path: path.to_owned(),
            segments: segments
                .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
                .collect(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            body,
            repo: String::new(),
        })
    }

    /// The same call, about a repository, which must exist.
    pub(super) fn about(&self, repo: &str) -> Result<Self, Refusal> {
        let world = self.core.world();
        let found = world.repo(repo).ok_or(Refusal::NotFound)?;
        Ok(Self {
            repo: found.full_name(),
            ..self.clone()
        })
    }

    /// How the repository of this number is called now.
    pub(super) fn name_of(&self, id: u64) -> Result<String, Refusal> {
        let world = self.core.world();
        let repo = world.repo_by_id(id).ok_or(Refusal::NotFound)?;
        Ok(repo.full_name())
    }

    /// GitHub sends calls for a former name on to the repository's number: those that read by 301,
    /// which may become a GET, the others by 307, which may not.
    pub(super) fn sent_on(&self, former: &str) -> Option<Answer> {
        let id = self.core.world().renamed(former)?.id;
        let rest = self.call.path.splitn(5, '/').nth(4);
        let location = match rest {
            Some(rest) => format!("{}/api/v3/repositories/{id}/{rest}", self.core.url),
            None => format!("{}/api/v3/repositories/{id}", self.core.url),
        };
        let (status, message) = match self.method() {
            "GET" | "HEAD" => (StatusCode::MOVED_PERMANENTLY, "Moved Permanently"),
            _ => (StatusCode::TEMPORARY_REDIRECT, "Temporary Redirect"),
        };
        let body = json!({
            "message": message,
            "url": location,
            "documentation_url": "https://docs.github.com/rest",
        });
        Some(Answer::with_status(status, Some(body)).header("location", location))
    }

    pub(super) fn method(&self) -> &str {
        &self.call.method
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A moment in the query, as in `since=2020-01-01T00:00:00Z`.
    pub(super) fn moment(&self, name: &str) -> Option<Timestamp> {
        let at: jiff::Timestamp = self.query(name)?.parse().ok()?;
        Some(Timestamp(at.as_millisecond()))
    }

    /// A member of the body.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.body.get(name)
    }

    /// The body itself.
    pub(super) fn body(&self) -> &Value {
        &self.body
    }

    /// A text of the body, if it has it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// A text that the body must have.
    pub(super) fn needed_text(
        &self,
        resource: &'static str,
        name: &'static str,
    ) -> Result<&str, Refusal> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                Refusal::InvalidField(Field {
                    resource,
                    name,
                    code: "missing_field",
                    message: format!("{name} is missing"),
                })
            })
    }

    /// Who calls; anonymous callers are refused.
    pub(super) fn user(&self) -> Result<&Login, Refusal> {
        self.call.caller.login().ok_or(Refusal::NeedsLogin)
    }

    /// Who calls, if it may push to the repository. GitHub hides from others that there is something.
    pub(super) fn writer(&self) -> Result<&Login, Refusal> {
        let user = self.user()?;
        if self.permission() >= Permission::Write {
            Ok(user)
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// What the caller may do in the repository.
    pub(super) fn permission(&self) -> Permission {
        let login = self.call.caller.login();
        let world = self.core.world();
        match (login, world.repo(&self.repo)) {
            (Some(login), Some(repo)) => repo.permission(login),
            (None, _) | (_, None) => Permission::Read,
        }
    }

    /// Makes something of the repository as it is now.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(Shapes<'_>, &Repo) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let world = self.core.world();
        let repo = world.repo(&self.repo).ok_or(Refusal::NotFound)?;
        read(self.core.shapes(&world), repo)
    }

    /// Makes something of a pull as it is now.
    pub(super) fn read_pull<T>(
        &self,
        number: &str,
        read: impl FnOnce(Shapes<'_>, &Repo, &Pull) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let number = pull_number(number)?;
        self.read(|shapes, repo| {
            let pull = repo.pulls.get(&number).ok_or(Refusal::NotFound)?;
            read(shapes, repo, pull)
        })
    }

    /// Answers the wanted page of a list, made only of what is on it.
    pub(super) fn page<T>(&self, items: Vec<T>, shape: impl Fn(T) -> Value) -> Answer {
        let page = self.slice(items);
        let list = page.items.into_iter().map(shape).collect();
        let answer = Answer::ok(Value::Array(list));
        match page.link {
            Some(link) => answer.header("link", link),
            None => answer,
        }
    }

    /// The wanted page of a list.
    pub(super) fn slice<T>(&self, items: Vec<T>) -> Page<T> {
        let number = |name: &str| self.query(name).and_then(|text| text.parse().ok());
        let per_page = number("per_page")
            .unwrap_or(PER_PAGE)
            .clamp(1, PER_PAGE_MAX);
        let page = number("page").unwrap_or(1).max(1);
        let last = items.len().div_ceil(per_page).max(1);
        let link = (last > 1).then(|| self.links(page, last));
        let skipped = (page - 1).saturating_mul(per_page);
        Page {
            items: items.into_iter().skip(skipped).take(per_page).collect(),
            link,
        }
    }

    /// RFC 8288, with the four relations that GitHub sends.
    fn links(&self, page: usize, last: usize) -> String {
        let mut links = Vec::new();
        if page > 1 {
            links.push(format!("<{}>; rel=\"prev\"", self.url_of_page(page - 1)));
        }
        if page < last {
            links.push(format!("<{}>; rel=\"next\"", self.url_of_page(page + 1)));
            links.push(format!("<{}>; rel=\"last\"", self.url_of_page(last)));
        }
        if page > 1 {
            links.push(format!("<{}>; rel=\"first\"", self.url_of_page(1)));
        }
        links.join(", ")
    }

    fn url_of_page(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.query.iter().filter(|(name, _)| *name != "page") {
            query.append_pair(name, value);
        }
        query.append_pair("page", &page.to_string());
        let url = &self.core.url;
        format!("{url}/api/v3{}?{}", self.path, query.finish())
    }
}

/// A part of a list, and the `Link` header that leads to the others.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) link: Option<String>,
}

pub(super) fn pull_number(text: &str) -> Result<PullNumber, Refusal> {
    match text.parse() {
        Ok(number) => Ok(PullNumber(number)),
        Err(_) => Err(Refusal::NotFound),
    }
}

pub(super) fn id(text: &str) -> Result<u64, Refusal> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => Err(Refusal::NotFound),
    }
}

/// Whether a thing changed at or after a moment, in whole seconds as they are shown.
pub(super) fn is_since(at: Timestamp, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| at.0.div_euclid(1000) >= since.0.div_euclid(1000))
}

/// The number of tokens' requests that counted.
pub(super) fn spent(world: &World, login: &Login) -> u32 {
    world.spent.get(login).copied().unwrap_or(0)
}
