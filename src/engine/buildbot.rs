//! A session with Buildbot: logging in by its forms, building again, stopping, logging out.
//!
//! The session's cookies go to the configured Buildbot and to nobody else.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::cookie::Cookie;
use reqwest::{Client, Method, Response, StatusCode, header};
use url::Url;
use url::form_urlencoded::Serializer;

use super::http_client::{self, Cause};
use crate::config::{Buildbot, Secret};
use paprq_core::queue::note::Link;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How much of an answer is looked at, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// How many characters of Buildbot's words are passed on.
const WORDS_CHARS_MAX: usize = 500;

/// What Buildbot is told of why builds are stopped and begun.
const COMMENTS: &str = "by paprq";

/// Why Buildbot did not do as it was asked, in words for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildbotError {
    /// It gave no answer, and may or may not have done it. Another try may reach it.
    #[error("Buildbot cannot be reached")]
    Unreached(#[source] Cause),
    /// It is not ready. Another try may find it so.
    #[error("Buildbot answers with status {}", .0.as_u16())]
    Unready(StatusCode),
    /// It does not take the user name or the password. The operator must look.
    #[error("Authentication failed: Buildbot does not take the user name and password")]
    LogIn,
    /// It does not want to, and says this.
    #[error("{0}")]
    Refused(String),
    /// There is no page of this builder's build in the configured Buildbot.
    #[error("no build of {0} is known to Buildbot")]
    NoSuchBuild(String),
}

impl BuildbotError {
    /// Whether another try may come to something else.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreached(_) | Self::Unready(_) => true,
            Self::LogIn | Self::Refused(_) | Self::NoSuchBuild(_) => false,
        }
    }

    fn unknown() -> Self {
        Self::Refused("Unknown error".to_owned())
    }
}

/// Somebody who may be logged in.
pub(super) struct Session {
    http: Client,
    /// The configured address, without a slash at its end.
    base: String,
    cookies: BTreeMap<String, String>,
}

/// An answer that was read, as far as it is looked at.
struct PageRead {
    status: StatusCode,
    location: String,
    body: String,
}

impl Session {
    /// Logs in, where a user name is configured.
    ///
    /// # Errors
    /// If Buildbot does not let us.
    pub(super) async fn open(config: &Buildbot) -> Result<Self, BuildbotError> {
        let http = http_client::client().timeout(TIMEOUT).build();
        let mut session = Self {
            http: http.map_err(|error| BuildbotError::Unreached(http_client::cause(error)))?,
            base: config.url.clone(),
            cookies: BTreeMap::new(),
        };
        if let Some(username) = &config.username {
            let password = config.password.as_ref().map_or("", Secret::expose);
            let form = [("username", username.as_str()), ("passwd", password)];
            let url = format!("{}/login", session.base);
            session.send(Method::POST, &url, &form).await?.logged_in()?;
        }
        Ok(session)
    }

    /// Stops whatever these builders build now.
    ///
    /// # Errors
    /// If Buildbot does not.
    pub(super) async fn stop(&mut self, builders: &[String]) -> Result<(), BuildbotError> {
        let selected = builders.iter().map(|name| ("selected", name.as_str()));
        let form: Vec<_> = selected.chain([("comments", COMMENTS)]).collect();
        let url = format!("{}/builders/_selected/stopselected", self.base);
        self.send(Method::POST, &url, &form).await?.done()
    }

    /// Builds again, each from the same sources.
    ///
    /// # Errors
    /// At the first that Buildbot does not.
    pub(super) async fn rebuild(&mut self, pages: &[Url]) -> Result<(), BuildbotError> {
        for page in pages {
            let url = format!("{}/rebuild", page.as_str().trim_end_matches('/'));
            let form = [("useSourcestamp", "exact"), ("comments", COMMENTS)];
            self.send(Method::POST, &url, &form).await?.done()?;
        }
        Ok(())
    }

    /// Logs out. A session that is left open ends by itself.
    pub(super) async fn close(mut self) {
        if self.cookies.is_empty() {
            return;
        }
        let url = format!("{}/logout", self.base);
        if let Err(error) = self.send(Method::GET, &url, &[]).await {
            tracing::info!(%error, "Buildbot was not logged out of");
        }
    }

    async fn send(
        &mut self,
        method: Method,
        url: &str,
        form: &[(&str, &str)],
    ) -> Result<PageRead, BuildbotError> {
        let mut request = self.http.request(method.clone(), url);
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie());
        }
        if method == Method::POST {
            let body = Serializer::new(String::new()).extend_pairs(form).finish();
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body);
        }
        let response = request.send().await;
        let response =
            response.map_err(|error| BuildbotError::Unreached(http_client::cause(error)))?;
        self.keep_cookies(&response);
        PageRead::read(response).await
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep_cookies(&mut self, response: &Response) {
        let headers = response.headers().get_all(header::SET_COOKIE);
        let texts = headers.iter().filter_map(|header| header.to_str().ok());
        for cookie in texts.filter_map(|text| Cookie::parse(text).ok()) {
            let (name, value) = cookie.name_value();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl PageRead {
    async fn read(response: Response) -> Result<Self, BuildbotError> {
        let status = response.status();
        // What stands before Buildbot says so where Buildbot itself does not answer.
        if matches!(status.as_u16(), 502..=504) {
            return Err(BuildbotError::Unready(status));
        }
        let location = response.headers().get(header::LOCATION);
        let location = location.map(|location| String::from_utf8_lossy(location.as_bytes()));
        let location = location.unwrap_or_default().into_owned();
        let body = http_client::read(response, ANSWER_BYTES_MAX).await;
        let body = body.map_err(BuildbotError::Unreached)?;
        Ok(Self {
            status,
            location,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    fn mentions(&self, word: &str) -> bool {
        self.location.contains(word) || self.body.contains(word)
    }

    /// Whether a log-in was taken. A refused one leads to a page of that name.
    fn logged_in(&self) -> Result<(), BuildbotError> {
        let is_refused = matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        );
        if is_refused || self.mentions("authfail") {
            return Err(BuildbotError::LogIn);
        }
        self.done()
    }

    /// Whether an order was carried out: a refusal is a page like others, but for its words.
    fn done(&self) -> Result<(), BuildbotError> {
        if self.mentions("authzfail") {
            return Err(BuildbotError::Refused("Authorization failed".to_owned()));
        }
        match error_box(&self.body) {
            Some(text) if text.is_empty() => Err(BuildbotError::unknown()),
            Some(text) => Err(BuildbotError::Refused(text)),
            None if self.status.as_u16() >= 400 => Err(BuildbotError::unknown()),
            None => Ok(()),
        }
    }
}

/// The text of a page's error box, without its tags, cut; none where there is no such box.
fn error_box(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<div class=\"error\">")?;
    let inside = rest.split("</div>").next().unwrap_or_default();
    let mut in_tag = false;
    let text = inside.chars().map(|letter| {
        let was_in_tag = in_tag;
        in_tag = letter == '<' || (in_tag && letter != '>');
        if in_tag || was_in_tag { ' ' } else { letter }
    });
    let text: String = text.collect();
    let words: Vec<_> = text.split_whitespace().collect();
    let text = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(words.join(" "), |text, (entity, letter)| {
        text.replace(entity, letter)
    });
    Some(text.chars().take(WORDS_CHARS_MAX).collect())
}

/// The page of a build, if it is one of the configured Buildbot: the session goes nowhere else.
///
/// # Errors
/// If it is not.
pub(super) fn page(config: &Buildbot, build: &Link) -> Result<Url, BuildbotError> {
    let unknown = || BuildbotError::NoSuchBuild(build.name.clone());
    let mut page = Url::parse(&build.url).ok().ok_or_else(unknown)?;
    let base = Url::parse(&config.url).ok().ok_or_else(unknown)?;
    let below = format!("{}/", base.path().trim_end_matches('/'));
    let is_ours = page.origin() == base.origin()
        && page.path().starts_with(&below)
        && page.username().is_empty()
        && page.password().is_none();
    page.set_query(None);
    page.set_fragment(None);
    if is_ours { Ok(page) } else { Err(unknown()) }
}
