//! `POST /login` and `GET /callback`: what people do after they logged in with GitHub.
//!
//! Nobody stays logged in: each log-in is for one wish, and the token is gone when that is done.

mod ticket;
mod wishes;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use url::{Origin, Url};

use self::ticket::{BadTicket, Cmd, Redeemed, TICKET_S, Ticket, Tickets, Wish};
use self::wishes::{refused_ticket, roll_up, synchronize, tell};
use super::bodies::{Sender, Terms};
use super::error::WebError;
use super::routes::Routes;
use super::{Site, sent};
use crate::clock;
use crate::engine::{Engine, Grant, Repo};
use paprq_core::ids::{PullNumber, RepoLabel};

/// How many pulls a rollup may hold. More make no address that every server takes.
const ROLLUP_MAX: usize = 100;

/// A form of ours.
const TERMS: Terms = Terms {
    bytes_max: 64 << 10,
    sender: Sender::Stranger,
};

/// How people log in, where they can.
pub(super) struct Login {
    tickets: Tickets,
    client_id: String,
    /// GitHub's page, without a query.
    authorize_url: String,
    /// Where GitHub sends browsers back to.
    redirect_uri: String,
    /// Where our own pages are.
    origin: Origin,
    cookie_name: &'static str,
    is_secure: bool,
}

pub(super) fn routes(routes: Routes<'_>) -> Routes<'_> {
    routes.post("/login", begin).get("/callback", finish)
}

impl Login {
    /// As configured; none without an OAuth application.
    pub(super) fn new(engine: &Engine) -> Option<Self> {
        let github = &engine.config().github;
        let secret = github.app_client_secret.as_ref()?;
        let base = Url::parse(engine.base_url()).ok()?;
        let is_secure = base.scheme() == "https";
        Some(Self {
            tickets: Tickets::new(secret).ok()?,
            client_id: github.app_client_id.clone()?,
            authorize_url: format!("{}/login/oauth/authorize", github.web_url),
            redirect_uri: format!("{}/callback", engine.base_url()),
            origin: base.origin(),
            // With the prefix, browsers take it from nobody but this host itself.
            cookie_name: if is_secure {
                "__Host-paprq-login"
            } else {
                "paprq-login"
            },
            is_secure,
        })
    }

    /// Where a form of ours leads to, as browsers want to know in advance.
    pub(super) fn form_targets(&self) -> String {
        let github = Url::parse(&self.authorize_url).map(|url| url.origin().ascii_serialization());
        format!("'self' {}", github.unwrap_or_default())
    }

    fn cookie(&self, value: String, age: Duration) -> Cookie<'static> {
        Cookie::build(self.cookie_name, value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure)
            .max_age(age)
            .finish()
    }

    fn address(&self, ticket: &Ticket, scope: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("state", &ticket.state)
            .append_pair("code_challenge", &ticket.challenge)
            .append_pair("code_challenge_method", "S256");
        if !scope.is_empty() {
            query.append_pair("scope", scope);
        }
        format!("{}?{}", self.authorize_url, query.finish())
    }

    /// What is told somebody who looked at our page under another address than ours: GitHub would send
    /// them back to this one, where their browser knows nothing of it.
    fn elsewhere(&self, site: &Site, request: &HttpRequest) -> Option<HttpResponse> {
        let said = |name| sent::sole(request.headers(), name).ok().flatten();
        let origin = said("origin")?;
        let shown_at = Url::parse(origin).ok()?;
        let is_foreign = said("sec-fetch-site").is_some_and(|site| site != "same-origin");
        let host = said("host").unwrap_or_default();
        let is_page_of_ours = origin.split_once("://").is_some_and(|(_, at)| at == host)
            || said("sec-fetch-site") == Some("same-origin");
        if is_foreign || !is_page_of_ours || shown_at.origin() == self.origin {
            return None;
        }
        let text = format!(
            "You opened this page at {origin}, but GitHub sends people back to {}. Open it there and \
             try again.",
            site.engine.base_url()
        );
        let title = "Use the other address";
        Some(tell(site, StatusCode::CONFLICT, title, text))
    }

    /// Whether a form was sent from a page of ours: by what browsers say of themselves, which no
    /// page can make them say otherwise.
    fn is_ours(&self, request: &HttpRequest) -> Result<bool, WebError> {
        let said = |name| sent::sole(request.headers(), name);
        let (site, origin) = (said("sec-fetch-site")?, said("origin")?);
        if let Some(site) = site {
            return Ok(site == "same-origin");
        }
        let origin = origin.and_then(|origin| Url::parse(origin).ok());
        Ok(origin.is_some_and(|origin| origin.origin() == self.origin))
    }
}

/// `POST /login`: sends a browser to GitHub, with what its user wants.
async fn begin(
    request: HttpRequest,
    body: web::Payload,
    site: web::Data<Site>,
) -> Result<HttpResponse, WebError> {
    let login = site.login.as_ref().ok_or(WebError::NoPage)?;
    if let Some(answer) = login.elsewhere(&site, &request) {
        return Ok(answer);
    }
    if !login.is_ours(&request)? {
        return Err(WebError::Forbidden("this form is not of these pages"));
    }
    let body = site.bodies.receive(request.headers(), body, TERMS).await?;
    let wish = read(&body)?;
    let repo = site.engine.repo(&wish.repo_label).ok_or(WebError::NoPage)?;
    let scope = match wish.cmd {
        // Who somebody is can be asked without any right.
        Cmd::Synch => "",
        Cmd::Rollup => rollup_scope(repo).await?,
    };
    let ticket = login.tickets.issue(wish, clock::now());
    let age = Duration::seconds(i64::try_from(TICKET_S).unwrap_or_default());
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, login.address(&ticket, scope)))
        .cookie(login.cookie(ticket.cookie, age))
        .finish())
}

fn read(body: &[u8]) -> Result<Wish, WebError> {
    let (mut cmd, mut label, mut nums) = (None, None, Vec::new());
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "cmd" if value == "rollup" => cmd = Some(Cmd::Rollup),
            "cmd" if value == "synch" => cmd = Some(Cmd::Synch),
            "repo_label" => label = Some(RepoLabel::new(value)),
            "num" => nums.push(PullNumber(
                value.parse().or(Err(WebError::Bad("num is no number")))?,
            )),
            _ => {}
        }
    }
    if nums.len() > ROLLUP_MAX {
        return Err(WebError::Bad("too many pull requests for one rollup"));
    }
    match (cmd, label) {
        (Some(cmd @ Cmd::Synch), Some(repo_label)) => Ok(Wish {
            cmd,
            repo_label,
            nums: Vec::new(),
        }),
        (Some(cmd @ Cmd::Rollup), Some(repo_label)) if !nums.is_empty() => Ok(Wish {
            cmd,
            repo_label,
            nums,
        }),
        (Some(Cmd::Rollup), Some(_)) => Err(WebError::Bad(
            "no pull request is chosen: go back and tick the boxes of those that shall be in the rollup",
        )),
        (None, _) | (_, None) => Err(WebError::Bad("cmd or repo_label is missing")),
    }
}

/// What the person's token must allow: pushing to their fork and opening a pull.
async fn rollup_scope(repo: &Repo) -> Result<&'static str, WebError> {
    let is_private = repo.is_private().await;
    let is_private = is_private.map_err(|error| WebError::unavailable("begin a log-in", &error))?;
    Ok(if is_private { "repo" } else { "public_repo" })
}

/// What GitHub sends a browser back with.
#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    error: Option<String>,
}

/// `GET /callback`: does what the person wanted who now has shown who they are.
async fn finish(
    request: HttpRequest,
    back: web::Query<Back>,
    site: web::Data<Site>,
) -> Result<HttpResponse, WebError> {
    let login = site.login.as_ref().ok_or(WebError::NoPage)?;
    if request.method() == Method::HEAD {
        // Whoever asks for headers only looks; a log-in is finished once.
        return Ok(refused_ticket(&site, BadTicket::Foreign));
    }
    let cookie = sent::cookie(&request, login.cookie_name)?;
    let cookie = cookie.as_ref().map_or("", |cookie| cookie.value());
    let mut answer = match login.tickets.redeem(&back.state, cookie, clock::now()) {
        Ok(redeemed) => complete(&site, login, &back, redeemed).await,
        Err(bad) => {
            tracing::warn!(error = %bad, "a log-in was refused");
            refused_ticket(&site, bad)
        }
    };
    let mut gone = login.cookie(String::new(), Duration::ZERO);
    gone.make_removal();
    if answer.add_cookie(&gone).is_err() {
        tracing::warn!("a cookie could not be removed");
    }
    Ok(answer)
}

async fn complete(site: &Site, login: &Login, back: &Back, ticket: Redeemed) -> HttpResponse {
    let Some(repo) = site.engine.repo(&ticket.wish.repo_label) else {
        return tell(
            site,
            StatusCode::NOT_FOUND,
            "Not found",
            "There is no such repository.",
        );
    };
    if back.error.is_some() || back.code.is_empty() {
        let text = "You did not let paprq act for you, so nothing was done.";
        return tell(site, StatusCode::FORBIDDEN, "Not logged in", text);
    }
    let grant = Grant {
        code: &back.code,
        verifier: &ticket.verifier,
        redirect_uri: &login.redirect_uri,
    };
    let person = match site.engine.log_in(&grant).await {
        Ok(person) => person,
        Err(error) => {
            tracing::warn!(%error, "a log-in failed");
            let text = "GitHub did not say who you are. Nothing was done; begin anew.";
            return tell(site, StatusCode::BAD_GATEWAY, "Not logged in", text);
        }
    };
    match ticket.wish.cmd {
        Cmd::Rollup => roll_up(site, repo, person, ticket.wish.nums).await,
        Cmd::Synch => synchronize(site, repo, &person).await,
    }
}
