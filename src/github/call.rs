//! One REST call: through the budget, over a kept connection, within a time, once.
//!
//! Only a reading call is sent a second time, and only if its connection broke: GitHub may close a
//! kept connection at the very moment at which it is used again.
//!
//! A repository that was renamed answers with where it is now. That is followed, orders included, with
//! their method and body, on the API's own server only: no other one is to see the token.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use octocrab::Octocrab;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use url::Url;

use super::answer::Answer;
use super::budget::{Budget, Caller};
use super::error::{ApiError, Cause};
use super::ledger::{Kind, Limits, Value};
use super::repo::Repo;
use super::shapes::User;
use super::slug::Slug;
use paprq_core::ids::Login;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often one call is sent on to another address.
const REDIRECTS_MAX: u32 = 3;
/// A hundred pulls with the longest descriptions that GitHub allows are some 10 MiB.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How to treat GitHub.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Settings {
    /// How many calls the token may make.
    pub limits: Limits,
    /// How long one call may take, once it may go.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum NewClientError {
    /// The API's address is none.
    #[error("read the address of GitHub's API: {0}")]
    Url(#[from] url::ParseError),
    /// The API's address is not of the form `http[s]://HOST[:PORT][/PATH]`.
    #[error("use this address of GitHub's API: it must begin with http:// or https://")]
    NotHttp,
    /// The token has characters that no token has.
    #[error("use the access token: it must consist of visible ASCII characters")]
    Token,
    /// It is made outside of tokio.
    #[error("start a client of GitHub outside of the runtime: {0}")]
    NoRuntime(#[from] tokio::runtime::TryCurrentError),
    /// TLS or the like.
    #[error("set up a client of GitHub: {0}")]
    Client(#[from] Box<octocrab::Error>),
}

/// GitHub as one token sees it. Clones share connections and budget.
#[derive(Clone)]
pub struct GitHub {
    client: Arc<Client>,
    /// On whose account the calls go.
    caller: Caller,
    /// Told when a call was sent on to another address.
    moved: Arc<Notify>,
}

struct Client {
    http: Octocrab,
    base: Url,
    budget: Budget,
    timeout: Duration,
}

impl GitHub {
    /// A client of the API at `api_url` (`https://api.github.com`, `https://HOST/api/v3`) for one
    /// access token. Sends nothing yet. All calls of a token must go through one client and its
    /// clones.
    ///
    /// # Errors
    ///
    /// If the address or the token cannot be one, or there is no tokio runtime around.
    pub fn new(api_url: &str, token: &str, settings: Settings) -> Result<Self, NewClientError> {
        let base = Url::parse(api_url)?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(NewClientError::NotHttp);
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NewClientError::Token);
        }
        let runtime = Handle::try_current()?;
        let http = Octocrab::builder()
            .base_uri(base.as_str())
            .map_err(Box::new)?
            .personal_token(token)
            .set_connect_timeout(Some(CONNECT_TIMEOUT.min(settings.timeout)))
            .build()
            .map_err(Box::new)?;
        let budget = Budget::new(settings.limits, runtime);
        Ok(Self {
            caller: budget.new_caller(),
            moved: Arc::default(),
            client: Arc::new(Client {
                http,
                base,
                budget,
                timeout: settings.timeout,
            }),
        })
    }

    /// The account whose token this is: the bot. `GET /user`.
    ///
    /// # Errors
    ///
    /// See [`ApiError`].
    pub async fn login(&self) -> Result<Login, ApiError> {
        let user: User = self.get(self.url(&["user"]), Value::Visible).await?;
        user.into_login().ok_or(ApiError::Gone)
    }

    /// Where the API is.
    pub fn address(&self) -> &str {
        self.client.base.as_str()
    }

    /// A repository, for calls of value [`Value::Visible`]. Asks nothing. Of the calls that may be
    /// under way at the same time, its own take a part only, so that it cannot hold up another.
    pub fn repo(&self, slug: Slug) -> Repo {
        let github = Self {
            client: Arc::clone(&self.client),
            caller: self.client.budget.new_caller(),
            moved: Arc::default(),
        };
        Repo::new(github, slug)
    }

    /// Whether calls of this value have to wait now; what nobody would miss is then better left.
    pub fn is_scarce(&self, value: Value) -> bool {
        self.client.budget.is_scarce(value)
    }

    /// Wakes whoever waits for that.
    pub(super) fn doubt(&self) {
        self.moved.notify_one();
    }

    /// Waits until a call is sent on to another address: something was renamed.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// The address of what these path segments name; they are encoded as they need it.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.client.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// Asks for an object.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        value: Value,
    ) -> Result<T, ApiError> {
        self.read(&Question::new(url, value)).await?.parse()
    }

    /// Asks. A 304 is an answer too.
    pub(super) async fn read(&self, question: &Question) -> Result<Answer, ApiError> {
        let call = Call::<()> {
            method: Method::GET,
            url: question.url.clone(),
            known: question.known.as_deref(),
            body: None,
            kind: Kind::Read,
        };
        let ask = || self.send(&call, question.value);
        match ask().await {
            Err(ApiError::Transient {
                cause: Cause::Broken(_),
                ..
            }) => ask().await,
            other => other,
        }
    }

    /// Orders, once.
    pub(super) async fn write<B: Serialize>(
        &self,
        order: Order<'_, B>,
        value: Value,
    ) -> Result<(), ApiError> {
        self.order(order, value).await.map(drop)
    }

    /// Orders, once, and hands over the answer.
    pub(super) async fn order<B: Serialize>(
        &self,
        order: Order<'_, B>,
        value: Value,
    ) -> Result<Answer, ApiError> {
        self.send(&Call::<B>::from(order), value).await
    }

    /// Orders, once, and reads what was made. What was made but is not understood is made all the
    /// same.
    pub(super) async fn create<B: Serialize, T: DeserializeOwned>(
        &self,
        order: Order<'_, B>,
        value: Value,
    ) -> Result<T, ApiError> {
        let answer = self.send(&Call::<B>::from(order), value).await?;
        serde_json::from_slice(&answer.body).map_err(|error| ApiError::OutcomeUnknown {
            cause: Cause::Unreadable(error),
        })
    }

    /// Orders that something is gone, once.
    pub(super) async fn delete(&self, url: Url, value: Value) -> Result<(), ApiError> {
        let call = Call::<()> {
            method: Method::DELETE,
            url,
            known: None,
            body: None,
            kind: Kind::Write,
        };
        self.send(&call, value).await.map(drop)
    }

    /// Sends a call, to where it is sent on in the end.
    async fn send<B: Serialize>(
        &self,
        call: &Call<'_, B>,
        value: Value,
    ) -> Result<Answer, ApiError> {
        let mut url = call.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let answer = self.send_to(&url, call, value).await?;
            let Some(next) = self.sent_on(&answer, call, &url)? else {
                return Ok(answer);
            };
            tracing::debug!(from = url.path(), to = next.path(), "a call is sent on");
            url = next;
            self.doubt();
        }
        Err(refused_redirect(
            StatusCode::LOOP_DETECTED,
            "it is sent on too often",
        ))
    }

    /// Where the call is to be sent instead.
    fn sent_on<B>(
        &self,
        answer: &Answer,
        call: &Call<'_, B>,
        from: &Url,
    ) -> Result<Option<Url>, ApiError> {
        let follows = match answer.status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => call.method == Method::GET,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
            status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => false,
            _ => return Ok(None),
        };
        let location = answer.headers.get(header::LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let next = location.and_then(|location| from.join(location).ok());
        let next = next.filter(|_| follows);
        let next = next.ok_or_else(|| {
            refused_redirect(
                answer.status,
                "it is somewhere else now, and does not say where",
            )
        })?;
        if next.origin() != self.client.base.origin() {
            let message = "it is sent on to another server, which is not to see the token";
            return Err(refused_redirect(answer.status, message));
        }
        Ok(Some(next))
    }

    async fn send_to<B: Serialize>(
        &self,
        url: &Url,
        call: &Call<'_, B>,
        value: Value,
    ) -> Result<Answer, ApiError> {
        let kind = call.kind;
        let mut request = Builder::new()
            .method(call.method.clone())
            .uri(url.as_str())
            .header(header::ACCEPT, "application/vnd.github+json");
        if let Some(etag) = call.known {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let request = self
            .client
            .http
            .build_request(request, call.body)
            .map_err(|error| ApiError::Rejected {
                status: 400,
                message: error.to_string(),
            })?;
        let permit = self.client.budget.admit(self.caller, value, kind).await;
        let exchange = self.exchange(request, kind);
        let answer = match tokio::time::timeout(self.client.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(failed(kind, Cause::TimedOut(self.client.timeout))),
        };
        // What the answer says of limits is noted by now, so whoever goes next obeys it.
        drop(permit);
        answer
    }

    async fn exchange(
        &self,
        request: http::Request<octocrab::OctoBody>,
        kind: Kind,
    ) -> Result<Answer, ApiError> {
        let response = match self.client.http.execute(request).await {
            Ok(response) => response,
            Err(error) if is_connecting(&error) => {
                return Err(ApiError::transient(Cause::NoConnection(Box::new(error))));
            }
            Err(error) => return Err(failed(kind, Cause::Broken(Box::new(error)))),
        };
        let (parts, body) = response.into_parts();
        let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            // The status says what became of an order, and of a refusal all but the words.
            Err(_) if kind != Kind::Read || !parts.status.is_success() => Bytes::new(),
            Err(error) => return Err(cut_short(error)),
        };
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        };
        answer.judge(kind, &self.client.budget)
    }
}

/// What is asked for.
pub(super) struct Question {
    /// Where.
    url: Url,
    /// The ETag of what is known of it already.
    known: Option<String>,
    /// What the answer is worth.
    value: Value,
}

impl Question {
    pub(super) fn new(url: Url, value: Value) -> Self {
        Self {
            url,
            known: None,
            value,
        }
    }

    /// Asks only for what differs from what has this ETag.
    pub(super) fn unless(self, known: Option<String>) -> Self {
        Self { known, ..self }
    }
}

/// What is to be changed.
pub(super) struct Order<'a, B> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) kind: Kind,
    pub(super) body: &'a B,
}

/// What is sent.
struct Call<'a, B> {
    method: Method,
    url: Url,
    /// The ETag of what is known already.
    known: Option<&'a str>,
    body: Option<&'a B>,
    kind: Kind,
}

impl<'a, B> From<Order<'a, B>> for Call<'a, B> {
    fn from(order: Order<'a, B>) -> Self {
        Self {
            method: order.method,
            url: order.url,
            known: None,
            body: Some(order.body),
            kind: order.kind,
        }
    }
}

fn refused_redirect(status: StatusCode, message: &str) -> ApiError {
    ApiError::Rejected {
        status: status.as_u16(),
        message: message.to_owned(),
    }
}

fn failed(kind: Kind, cause: Cause) -> ApiError {
    match kind {
        Kind::Read => ApiError::transient(cause),
        Kind::Write | Kind::Comment => ApiError::OutcomeUnknown { cause },
    }
}

fn cut_short(error: Box<dyn std::error::Error + Send + Sync>) -> ApiError {
    ApiError::transient(if error.is::<LengthLimitError>() {
        Cause::TooLong
    } else {
        Cause::Broken(error)
    })
}

/// Whether there was no connection yet, so that nothing can have been sent.
fn is_connecting(error: &octocrab::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return error.is_connect();
        }
        cause = error.source();
    }
    false
}
