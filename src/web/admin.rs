//! `POST /admin`: what operators order, with `web.secret`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::WebError;
use super::{Site, plain, secret, webhook};
use crate::config::Amendment;
use crate::engine::{AmendError, Engine};
use crate::ids::RepoLabel;

/// An order, in Homu's words.
#[derive(Debug, Deserialize)]
struct Order {
    #[serde(default)]
    secret: String,
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
    let body = webhook::whole(request.headers(), body).await?;
    let Ok(order) = serde_json::from_slice::<Order>(&body) else {
        return Ok(Refusal::NoOrder.answer());
    };
    if !secret::is_same(known, &order.secret) {
        tracing::warn!("an order to /admin was refused: wrong secret");
        return Ok(Refusal::WrongSecret.answer());
    }
    match order.cmd.as_str() {
        Some("sync_all") => {
            for repo in site.engine.repos() {
                repo.synchronize();
            }
            Ok(plain(HttpResponse::Ok(), "OK"))
        }
        Some(cmd @ ("repo_new" | "repo_del" | "repo_edit")) => {
            Ok(match change(&site.engine, cmd, &order).await {
                Ok(()) => plain(HttpResponse::Ok(), "OK"),
                Err(refusal) => refusal.answer(),
            })
        }
        Some(_) | None => Ok(Refusal::Unknown(order.cmd.to_string()).answer()),
    }
}

/// Changes what is configured, until the next start.
async fn change(engine: &Engine, cmd: &str, order: &Order) -> Result<(), Refusal> {
    let label = RepoLabel::new(order.repo_label.clone());
    if (cmd == "repo_new") == engine.repo(&label).is_some() {
        return Err(Refusal::Label(order.repo_label.clone()));
    }
    let amendment = match cmd {
        "repo_del" => Amendment::Remove { label },
        _ => Amendment::Put {
            label,
            repo: order.repo_cfg.clone(),
        },
    };
    engine.amend(amendment).await.map_err(|error| match error {
        AmendError::NotOffered => Refusal::ByFile,
        AmendError::Wrong(why) => Refusal::Wrong(why),
    })
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
                crate::notes::plain(label, 100)
            ),
            Self::Wrong(why) => why.clone(),
            Self::Unknown(cmd) => format!(
                "cmd is {}: sync_all, repo_new, repo_edit and repo_del are known",
                crate::notes::plain(cmd, 100)
            ),
        }
    }
}
