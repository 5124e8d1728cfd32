//! `POST /admin`: what operators order, with `web.secret`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bodies::{Sender, Terms};
use super::error::WebError;
use super::{Site, front, plain, secret};
use crate::config::Amendment;
use crate::engine::{AmendError, Engine};
use paprq_core::ids::RepoLabel;

/// An order has a configuration of a repository at most.
const TERMS: Terms = Terms {
    bytes_max: 1 << 20,
    sender: Sender::Stranger,
};

/// What shows that an operator speaks. Nothing else is read before.
#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(default)]
    secret: String,
}

/// An order, in Homu's words.
#[derive(Debug, Deserialize)]
struct Order {
    #[serde(default)]
    cmd: Value,
    #[serde(default)]
    repo_label: String,
    #[serde(default)]
    repo_cfg: Value,
}

/// Why an order is not carried out.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Refusal {
    NoOrder,
    WrongSecret,
    /// Nobody is there to change what is configured.
    ByFile,
    /// There is no repository of this label; for a new one, there is.
    Label(String),
    /// The configuration would be wrong.
    Wrong(String),
    Unknown(String),
}

/// `POST /admin`.
pub(super) async fn order(
    request: HttpRequest,
    body: web::Payload,
    site: web::Data<Site>,
) -> Result<HttpResponse, WebError> {
    let Some(known) = &site.engine.config().web.secret else {
        return Err(WebError::NoPage);
    };
    let body = site.bodies.receive(request.headers(), body, TERMS).await?;
    let _turn = site.bodies.turn(body.len()).await;
    let Ok(shown) = serde_json::from_slice::<Shown>(&body) else {
        return Ok(Refusal::NoOrder.answer());
    };
    if !secret::is_same(known, &shown.secret) {
        tracing::warn!("an order to /admin was refused: wrong secret");
        return Ok(Refusal::WrongSecret.answer());
    }
    let Ok(order) = serde_json::from_slice::<Order>(&body) else {
        return Ok(Refusal::NoOrder.answer());
    };
    drop(body);
    front::visit(&request)?.is_known();
    match order.cmd.as_str() {
        Some("sync_all") => {
            for repo in site.engine.repos() {
                repo.synchronize();
            }
            Ok(plain(HttpResponse::Ok(), "OK"))
        }
        Some("repo_new") => Ok(changed(put(&site.engine, Known::No, &order).await)),
        Some("repo_edit") => Ok(changed(put(&site.engine, Known::Yes, &order).await)),
        Some("repo_del") => Ok(changed(remove(&site.engine, &order).await)),
        Some(_) | None => Ok(Refusal::Unknown(order.cmd.to_string()).answer()),
    }
}

/// Whether a repository of the label must be configured already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Yes,
    No,
}

/// Configures a repository, until the next start.
async fn put(engine: &Engine, known: Known, order: &Order) -> Result<(), Refusal> {
    let label = label(engine, known, order)?;
    let repo = order.repo_cfg.clone();
    amend(engine, Amendment::Put { label, repo }).await
}

/// Takes a repository out of what is configured, until the next start.
async fn remove(engine: &Engine, order: &Order) -> Result<(), Refusal> {
    let label = label(engine, Known::Yes, order)?;
    amend(engine, Amendment::Remove { label }).await
}

fn label(engine: &Engine, known: Known, order: &Order) -> Result<RepoLabel, Refusal> {
    let label = RepoLabel::new(order.repo_label.clone());
    let is_known = engine.repo(&label).is_some();
    if is_known == (known == Known::Yes) {
        Ok(label)
    } else {
        Err(Refusal::Label(order.repo_label.clone()))
    }
}

async fn amend(engine: &Engine, amendment: Amendment) -> Result<(), Refusal> {
    engine.amend(amendment).await.map_err(|error| match error {
        AmendError::NotOffered => Refusal::ByFile,
        AmendError::Wrong(why) => Refusal::Wrong(why),
    })
}

fn changed(outcome: Result<(), Refusal>) -> HttpResponse {
    match outcome {
        Ok(()) => plain(HttpResponse::Ok(), "OK"),
        Err(refusal) => refusal.answer(),
    }
}

impl Refusal {
    fn answer(&self) -> HttpResponse {
        HttpResponse::build(self.code()).json(json!({ "error": self.text() }))
    }

    fn code(&self) -> StatusCode {
        match self {
            Self::NoOrder | Self::Label(_) | Self::Wrong(_) | Self::Unknown(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::WrongSecret => StatusCode::FORBIDDEN,
            Self::ByFile => StatusCode::NOT_IMPLEMENTED,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::NoOrder => "the body is no JSON object with secret and cmd".to_owned(),
            Self::WrongSecret => "wrong secret".to_owned(),
            Self::ByFile => "this server was not started by a configuration file".to_owned(),
            Self::Label(label) => format!(
                "repo_label is {:?}: repo_new takes one that is not configured, repo_edit and \
                 repo_del one that is",
                paprq_core::notes::plain(label, 100)
            ),
            Self::Wrong(why) => why.clone(),
            Self::Unknown(cmd) => format!(
                "cmd is {}: sync_all, repo_new, repo_edit and repo_del are known",
                paprq_core::notes::plain(cmd, 100)
            ),
        }
    }
}
