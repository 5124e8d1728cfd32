//! `/login/oauth`: where people agree that an app acts for them, and apps fetch their tokens.

use std::collections::BTreeMap;

use actix_web::http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::PracticeError;
use crate::core::Core;
use crate::oauth::{Ask, Claim};
use crate::server::header;
use paprq_core::ids::Login;

use super::forms::is_from_here;
use super::{html, problem, views};

type Fields = BTreeMap<String, String>;

fn ask(fields: &Fields) -> Result<Ask, PracticeError> {
    let text = |name: &str| fields.get(name).filter(|text| !text.is_empty()).cloned();
    let method = text("code_challenge_method");
    let code_challenge = text("code_challenge");
    if code_challenge.is_some() && method.as_deref() != Some("S256") {
        let why = "the code_challenge_method must be S256";
        return Err(PracticeError::Refused(why.to_owned()));
    }
    Ok(Ask {
        client_id: text("client_id").unwrap_or_default(),
        redirect_uri: text("redirect_uri"),
        scope: text("scope").unwrap_or_default(),
        state: text("state"),
        code_challenge,
    })
}

/// The page that asks who somebody is.
pub(super) async fn authorize(fields: web::Query<Fields>, core: web::Data<Core>) -> HttpResponse {
    let fields = fields.into_inner();
    match ask(&fields).and_then(|ask| core.callback(&ask)) {
        Ok(_) => html(
            actix_web::http::StatusCode::OK,
            &views::Authorize::of(&core, fields),
        ),
        Err(error) => problem(&core, &error),
    }
}

/// Somebody agreed.
pub(super) async fn agree(
    request: HttpRequest,
    form: web::Form<Fields>,
    core: web::Data<Core>,
) -> HttpResponse {
    let fields = form.into_inner();
    if !is_from_here(&request) {
        let refused = PracticeError::Refused("this form was sent from another site".to_owned());
        return problem(&core, &refused);
    }
    let login = Login::new(fields.get("as").map_or("", String::as_str));
    if !core.world().users.contains_key(&login) {
        return problem(&core, &PracticeError::Unknown(format!("user {login}")));
    }
    match ask(&fields).and_then(|ask| core.grant(ask, login)) {
        Ok(to) => HttpResponse::SeeOther()
            .insert_header((LOCATION, to))
            .finish(),
        Err(error) => problem(&core, &error),
    }
}

/// An app fetches a token. GitHub answers 200 even where it refuses.
pub(super) async fn access_token(
    request: HttpRequest,
    body: Bytes,
    core: web::Data<Core>,
) -> HttpResponse {
    let kind = header(&request, CONTENT_TYPE.as_str()).unwrap_or_default();
    let fields: Fields = match kind.contains("json") {
        true => serde_json::from_slice(&body).unwrap_or_default(),
        false => url::form_urlencoded::parse(&body).into_owned().collect(),
    };
    let text = |name: &str| fields.get(name).map(String::as_str);
    let issued = core.redeem(Claim {
        client_id: text("client_id").unwrap_or_default(),
        client_secret: text("client_secret").unwrap_or_default(),
        code: text("code").unwrap_or_default(),
        redirect_uri: text("redirect_uri"),
        code_verifier: text("code_verifier"),
    });
    let answer = match issued {
        Ok(issued) => json!({
            "access_token": issued.token, "token_type": "bearer", "scope": issued.scope,
        }),
        Err(word) => json!({"error": word, "error_description": word.replace('_', " ")}),
    };
    let wants = header(&request, ACCEPT.as_str()).unwrap_or_default();
    match wants.contains("json") {
        true => HttpResponse::Ok().json(answer),
        false => HttpResponse::Ok()
            .content_type("application/x-www-form-urlencoded")
            .body(encoded(&answer)),
    }
}

fn encoded(answer: &Value) -> String {
    let members = answer.as_object().into_iter().flatten();
    let pairs = members.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}
