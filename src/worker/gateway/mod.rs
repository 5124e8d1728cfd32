//! The only way by which git completes a working copy from other servers than ours.
//!
//! It listens on the loopback interface for as long as one checkout lasts. `git` and `git-lfs` are
//! told to ask it instead of the addresses that strangers wrote: `/SECRET/https/HOST/PATH`. So each
//! address, also those that servers redirect to and those of objects, is resolved once, looked at,
//! and connected to by [`public_address`]; nothing that lets anybody in is sent, and nothing is kept.
//! `lfs` does the same for what answers of Git LFS name.

mod lfs;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::Bytes;
use futures_util::StreamExt as _;
use paprq_core::suite::Origin;
use reqwest::{Client, Method, Response, header};
use url::Url;

use crate::public_address::{self, NoWay, REDIRECTS_MAX, Reach};

/// The longest request, in bytes: what git has already, or what it wants of Git LFS.
const REQUEST_BYTES_MAX: usize = 4 << 20;
/// How long a server may take to let us connect.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// What git and git-lfs say that servers need to know.
const PASSED_ON: [header::HeaderName; 4] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::HeaderName::from_static("git-protocol"),
];
/// What servers say that git and git-lfs need to know.
const PASSED_BACK: [header::HeaderName; 2] = [header::CONTENT_TYPE, header::CONTENT_ENCODING];

/// Why a server gave nothing: the end of a sentence that begins with its name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Complaint {
    /// It is where strangers may send nobody.
    #[error(
        "{0} is in a private network: the worker fetches nothing from there unless its operator allows it"
    )]
    Inside(String),
    /// It is not there, breaks off, or is broken.
    #[error("{0} cannot be reached")]
    Away(String),
    /// It wants to know who is there.
    #[error("{0} asks for a log-in: only what is public can be fetched")]
    NotPublic(String),
    /// It says no.
    #[error("{0} answers {1}")]
    Refused(String, u16),
    /// It redirects for ever, or nowhere.
    #[error("{0} redirects too often, or to no address")]
    Astray(String),
}

/// An open gateway. It closes when it is dropped.
pub(super) struct Gateway {
    shared: Arc<Shared>,
    handle: ServerHandle,
}

struct Shared {
    /// The port, and what nobody else on the machine knows.
    base: String,
    secret: String,
    /// The repository's own server, which the operator named.
    named: Option<Url>,
    reach: Reach,
    complaint: Mutex<Option<Complaint>>,
}

impl Gateway {
    /// Opens it for the repository at `origin`.
    ///
    /// # Errors
    /// If there is no port.
    pub(super) fn open(origin: Option<&Origin>, reach: Reach) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let secret = hex::encode(rand::random::<[u8; 20]>());
        let shared = Arc::new(Shared {
            base: format!("http://{}/{secret}/", listener.local_addr()?),
            secret,
            named: origin.map(|origin| origin.url().clone()),
            reach,
            complaint: Mutex::new(None),
        });
        let served = Arc::clone(&shared);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::from(Arc::clone(&served)))
                .default_service(web::route().to(pass))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { shared, handle })
    }

    /// Where it stands for all addresses that begin with `SCHEME://`.
    pub(super) fn instead_of(&self, scheme: &str) -> String {
        format!("{}{scheme}/", self.shared.base)
    }

    /// Where it stands for this address.
    pub(super) fn address_of(&self, origin: &Origin) -> String {
        self.shared.address_of(origin.url())
    }

    /// What was last complained of, once.
    pub(super) fn complaint(&self) -> Option<Complaint> {
        let complaint = self.shared.complaint.lock();
        complaint.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What git said, with the addresses that it was to ask.
    pub(super) fn unveil(&self, said: &[u8]) -> String {
        let mut said = String::from_utf8_lossy(said).into_owned();
        for scheme in ["https", "http"] {
            said = said.replace(&self.instead_of(scheme), &format!("{scheme}://"));
        }
        lfs::without_objects(&said, &self.shared.base)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It is told at once; its end is nobody's business.
        drop(self.handle.stop(false));
    }
}

impl Shared {
    fn address_of(&self, url: &Url) -> String {
        let rest = url.as_str().split_once("://").map_or("", |(_, rest)| rest);
        format!("{}{}/{rest}", self.base, url.scheme())
    }

    /// The address that a request is about, `/SECRET/SCHEME/HOST/PATH`.
    fn target(&self, request: &HttpRequest) -> Option<Url> {
        let (secret, rest) = request.path().strip_prefix('/')?.split_once('/')?;
        let (scheme, rest) = rest.split_once('/')?;
        if secret != self.secret || !matches!(scheme, "http" | "https") {
            return None;
        }
        let query = request.query_string();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = Url::parse(&format!("{scheme}://{rest}{mark}{query}")).ok()?;
        (url.username().is_empty() && url.password().is_none()).then_some(url)
    }

    /// The operator named the repository's own server, wherever that is.
    fn reach(&self, url: &Url) -> Reach {
        match &self.named {
            Some(named) if public_address::is_at(named, url) => Reach::Anywhere,
            Some(_) | None => self.reach,
        }
    }

    /// Sends a question to where it is to go, and to where it is sent from there.
    async fn ask(&self, question: &Question) -> Result<Response, Complaint> {
        let mut url = question.url.clone();
        let mut headers = question.headers.clone();
        for _ in 0..=REDIRECTS_MAX {
            let client = self.client(&url).await?;
            let request = client
                .request(question.method.clone(), url.clone())
                .headers(headers.clone())
                .body(question.body.clone());
            let response = request.send().await.map_err(|_error| away(&url))?;
            let next = public_address::redirected(&response, &url);
            let Some(next) = next.map_err(|_astray| Complaint::Astray(name(&url)))? else {
                return good(response, &url);
            };
            // What lets in at one server is nothing for another.
            if next.origin() != url.origin() {
                headers = question.public.clone();
            }
            url = next;
        }
        Err(Complaint::Astray(name(&url)))
    }

    async fn client(&self, url: &Url) -> Result<Client, Complaint> {
        crate::tls::install();
        let begun = Client::builder()
            .user_agent("git/paprq")
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE);
        let client = public_address::client(begun, url, self.reach(url)).await;
        client.map_err(|error| match error {
            NoWay::NoHost(_) => away(url),
            NoWay::Inside => Complaint::Inside(name(url)),
        })
    }

    fn complain(&self, complaint: Complaint) -> HttpResponse {
        let status = match &complaint {
            Complaint::Away(_) => StatusCode::BAD_GATEWAY,
            // 401 would have git look for a password.
            Complaint::Inside(_) | Complaint::NotPublic(_) | Complaint::Astray(_) => {
                StatusCode::FORBIDDEN
            }
            Complaint::Refused(_, status) => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY)
            }
        };
        let mut last = self
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(complaint);
        HttpResponse::build(status).finish()
    }
}

/// What is asked, and with which headers.
struct Question {
    method: Method,
    url: Url,
    headers: header::HeaderMap,
    /// Those that go to any server.
    public: header::HeaderMap,
    body: Bytes,
}

async fn pass(
    request: HttpRequest,
    gateway: web::Data<Shared>,
    body: web::Payload,
) -> HttpResponse {
    if let Some(object) = lfs::object(&gateway, &request) {
        return fetch(&gateway, &object).await;
    }
    let Some(url) = gateway.target(&request) else {
        return HttpResponse::NotFound().finish();
    };
    let is_batch = url.path().ends_with(lfs::BATCH);
    let method = match request.method().as_str() {
        "GET" => Method::GET,
        "POST" if is_batch || url.path().ends_with("/git-upload-pack") => Method::POST,
        _ => return HttpResponse::MethodNotAllowed().finish(),
    };
    let Ok(Ok(body)) = body.to_bytes_limited(REQUEST_BYTES_MAX).await else {
        return HttpResponse::PayloadTooLarge().finish();
    };
    let headers = headers_of(&request);
    let question = Question {
        method,
        url,
        public: headers.clone(),
        headers,
        body,
    };
    if is_batch {
        return lfs::batch(&gateway, &question).await;
    }
    fetch(&gateway, &question).await
}

/// Asks, and gives back what is answered while it comes.
async fn fetch(gateway: &web::Data<Shared>, question: &Question) -> HttpResponse {
    let response = match gateway.ask(question).await {
        Ok(response) => response,
        Err(complaint) => return gateway.complain(complaint),
    };
    let mut answer = HttpResponse::Ok();
    for name in PASSED_BACK {
        let value = response.headers().get(&name);
        if let Some(value) = value.and_then(|value| value.to_str().ok()) {
            answer.insert_header((name.as_str(), value));
        }
    }
    let (shared, url) = (gateway.clone(), question.url.clone());
    answer.streaming(response.bytes_stream().map(move |piece| {
        piece.map_err(|error| {
            drop(shared.complain(away(&url)));
            std::io::Error::other(error.without_url())
        })
    }))
}

fn headers_of(request: &HttpRequest) -> header::HeaderMap {
    let mut headers = header::HeaderMap::new();
    for name in PASSED_ON {
        let value = request.headers().get(name.as_str());
        let value = value.map(|value| header::HeaderValue::from_bytes(value.as_bytes()));
        if let Some(Ok(value)) = value {
            headers.insert(name, value);
        }
    }
    headers
}

fn good(response: Response, url: &Url) -> Result<Response, Complaint> {
    match response.status().as_u16() {
        200..=299 => Ok(response),
        401 | 407 => Err(Complaint::NotPublic(name(url))),
        500..=599 | 429 => Err(away(url)),
        status => Err(Complaint::Refused(name(url), status)),
    }
}

fn away(url: &Url) -> Complaint {
    Complaint::Away(name(url))
}

/// The server's name for people.
fn name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
