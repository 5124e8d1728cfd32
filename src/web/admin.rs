//! `POST /admin`: what operators order, with `web.secret`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::WebError;
use super::{Site, plain, secret, webhook};

/// An order, in Homu's words.
#[derive(Debug, Deserialize)]
struct Order {
    #[serde(default)]
    secret: String,
    #[serde(default)]
    cmd: Value,
}

/// Why an order is not carried out.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Refusal {
    NoOrder,
    WrongSecret,
    /// What is configured changes with its file only.
    ByFile,
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
        Some("repo_new" | "repo_del" | "repo_edit") => Ok(Refusal::ByFile.answer()),
        Some(_) | None => Ok(Refusal::Unknown(order.cmd.to_string()).answer()),
    }
}

impl Refusal {
    fn answer(&self) -> HttpResponse {
        HttpResponse::build(self.code()).json(json!({ "error": self.text() }))
    }

    fn code(&self) -> StatusCode {
        match self {
            Self::NoOrder | Self::Unknown(_) => StatusCode::BAD_REQUEST,
            Self::WrongSecret => StatusCode::FORBIDDEN,
            Self::ByFile => StatusCode::NOT_IMPLEMENTED,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::NoOrder => "the body is no JSON object with secret and cmd".to_owned(),
            Self::WrongSecret => "wrong secret".to_owned(),
            Self::ByFile => "repositories are configured in cfg.toml alone: change it there, see \
                what `paprq check` says, and restart the server; what is under way goes on after that"
                .to_owned(),
            Self::Unknown(cmd) => format!(
                "cmd is {}: sync_all is known",
                crate::notes::plain(cmd, 100)
            ),
        }
    }
}
