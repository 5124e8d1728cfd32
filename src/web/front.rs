//! What comes before any route: prefixes that a proxy leaves in paths, the one address under which
//! pages are shown, and the page for what is not there.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::web::PathConfig;
use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;

use super::answer::{AnswerBody, AnswerPart};
use super::error::WebError;
use super::gate::Visit;
use super::{Site, pages, sent};
use crate::config;

/// Lets a request through to its route, unless it is to be sent elsewhere.
pub(super) async fn pass(
    request: ServiceRequest,
    routes: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<AnswerBody>, actix_web::Error> {
    let site = site(&request)?;
    let asking = request.conn_data::<Arc<Visit>>().map(Visit::asks);
    let wanted = match *request.method() {
        Method::HEAD => AnswerPart::HeadersOnly,
        _ => AnswerPart::Whole,
    };
    let answered = answered(&site, request, routes).await?;
    let (request, answer) = answered.into_parts();
    let (answer, body) = answer.into_parts();
    let body = site.answers.answer(body, wanted, asking)?;
    Ok(ServiceResponse::new(request, answer.set_body(body)))
}

fn site(request: &ServiceRequest) -> Result<web::Data<Site>, WebError> {
    let site = request.app_data::<web::Data<Site>>().cloned();
    site.ok_or(WebError::Unavailable)
}

/// The connection on which somebody asks.
pub(super) fn visit(request: &HttpRequest) -> Result<&Arc<Visit>, WebError> {
    request.conn_data().ok_or(WebError::Unavailable)
}

async fn answered(
    site: &Site,
    mut request: ServiceRequest,
    routes: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    readable(request.headers())?;
    let web = &site.engine.config().web;
    strip(&mut request, &web.remove_path_prefixes);
    if let Some(address) = elsewhere(&request, web) {
        let mut moved = HttpResponse::MovedPermanently();
        let moved = moved.insert_header((header::LOCATION, address)).finish();
        return Ok(request.into_response(moved));
    }
    let is_api = request.path().starts_with("/api/");
    let _turn = if is_made_of_much(&request) {
        site.making.acquire().await.ok()
    } else {
        None
    };
    let answer = routes.call(request).await?;
    if is_api || !is_missing(&answer) {
        return Ok(answer.map_into_boxed_body());
    }
    let (request, _) = answer.into_parts();
    Ok(ServiceResponse::new(request, pages::missing(site)))
}

/// What decides under which address somebody came must be readable; hosts are there once.
fn readable(headers: &HeaderMap) -> Result<(), WebError> {
    for name in ["forwarded", "x-forwarded-host", "x-forwarded-proto"] {
        sent::readable(headers, name)?;
    }
    sent::sole(headers, "host").map(drop)
}

/// Whether much may be read and held to answer somebody whom nobody knows. What asks GitHub or a
/// worker's git is not among it, nor what tells whether we are well.
fn is_made_of_much(request: &ServiceRequest) -> bool {
    let path = request.path();
    let is_visit = matches!(*request.method(), Method::GET | Method::HEAD);
    is_visit && path != "/health" && path != "/callback" && !path.ends_with("/git/info/refs")
}

/// Whether a route found nothing.
fn is_missing<B>(answer: &ServiceResponse<B>) -> bool {
    let error = answer.response().error();
    error.and_then(|error| error.as_error()) == Some(&WebError::NoPage)
}

/// What cannot be the number of anything names nothing.
pub(super) fn numbers() -> PathConfig {
    PathConfig::default().error_handler(|_, _| WebError::NoPage.into())
}

/// Drops configured beginnings of the path, each once, before a route is looked for.
fn strip(request: &mut ServiceRequest, prefixes: &[String]) {
    let Some(path) = stripped(request.path(), prefixes) else {
        return;
    };
    let path = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    let Ok(path) = PathAndQuery::try_from(path) else {
        return;
    };
    parts.path_and_query = Some(path);
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

/// The path without the prefixes; none if it has none of them.
fn stripped<'a>(path: &'a str, prefixes: &[String]) -> Option<&'a str> {
    let mut rest = path;
    for prefix in prefixes.iter().filter(|prefix| !prefix.is_empty()) {
        let after = rest
            .strip_prefix('/')
            .and_then(|rest| rest.strip_prefix(&**prefix));
        match after {
            Some("") => rest = "/",
            Some(after) if after.starts_with('/') => rest = after,
            Some(_) | None => {}
        }
    }
    (rest != path).then_some(rest)
}

/// Where a visitor who came by another host's name is sent.
///
/// Only visitors are: GitHub does not follow when it sends a webhook, and workers come by whatever
/// address is nearest to them.
fn elsewhere(request: &ServiceRequest, web: &config::Web) -> Option<String> {
    let canonical = web.canonical_url.as_deref()?;
    let path = request.path();
    let is_visit = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_worker = path.starts_with("/api/v1/jobs/") || path.starts_with("/api/v1/worker/");
    if !is_visit || is_worker || path == "/health" {
        return None;
    }
    let connection = request.connection_info();
    if is_same_host(canonical, connection.host()) {
        return None;
    }
    // The path as it came, with its encoding; a second slash at its start would name a host.
    let rest = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    Some(format!("{canonical}/{}", rest.trim_start_matches('/')))
}

/// Whether an address is at this host, given as `HOST[:PORT]`.
fn is_same_host(address: &str, host: &str) -> bool {
    let Ok(address) = Url::parse(address) else {
        return true;
    };
    let asked = Url::parse(&format!("{}://{host}/", address.scheme()));
    asked.is_ok_and(|asked| {
        asked.host() == address.host()
            && asked.port_or_known_default() == address.port_or_known_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_first_parts_of_a_path_are_dropped() {
        let prefixes = ["homu", "bots/merge", ""].map(str::to_owned);
        for (path, rest) in [
            ("/homu/queue/x", Some("/queue/x")),
            ("/homu", Some("/")),
            ("/homu/", Some("/")),
            ("/homu/bots/merge/queue/x", Some("/queue/x")),
            ("/bots/merge", Some("/")),
            ("/homu/homu/x", Some("/homu/x")),
            ("/homunculus", None),
            ("/queue/homu", None),
            ("/", None),
        ] {
            assert_eq!(stripped(path, &prefixes), rest, "{path}");
        }
    }

    #[test]
    fn hosts_are_compared_without_case_and_with_the_usual_ports() {
        for (host, same) in [
            ("bot.example.org", true),
            ("BOT.example.org:443", true),
            ("bot.example.org:80", false),
            ("example.org", false),
            ("bot.example.org.evil.example", false),
            ("", false),
        ] {
            let address = "https://bot.example.org/homu";
            assert_eq!(is_same_host(address, host), same, "{host}");
        }
    }
}
