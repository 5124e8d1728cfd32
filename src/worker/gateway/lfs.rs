//! Git LFS through the gateway: what a server answers names further addresses.
//!
//! `git-lfs` goes past every proxy to addresses of the loopback interface, so it is never given an
//! address of an answer: each is written into one of the gateway's own, with the headers that let in
//! there. git-lfs: docs/api/batch.md.

use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use reqwest::{Method, Response, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::{Complaint, Question, Shared, away, name};

/// The end of the address of every request for objects.
pub(super) const BATCH: &str = "/objects/batch";

/// The longest answer to such a request, in bytes. Git LFS asks for a hundred objects at a time.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The name of the gateway's own addresses of objects.
const OBJECT: &str = "object";

/// Where an object is, and what lets in there.
#[derive(Debug, Deserialize, Serialize)]
struct Download {
    href: Url,
    #[serde(default)]
    header: Map<String, Value>,
}

/// What git-lfs said, without where objects are: that may let somebody in.
pub(super) fn without_objects(said: &str, base: &str) -> String {
    let address = format!("{base}{OBJECT}/");
    let mut parts = said.split(&address);
    let mut seen = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_of_object = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        seen.push_str("(an object)");
        seen.push_str(part.trim_start_matches(is_of_object));
    }
    seen
}

/// What is to be asked for an object of the gateway's own addresses.
pub(super) fn object(gateway: &Shared, request: &HttpRequest) -> Option<Question> {
    let (secret, rest) = request.path().strip_prefix('/')?.split_once('/')?;
    let encoded = rest.strip_prefix(OBJECT)?.strip_prefix('/')?;
    if secret != gateway.secret || request.method().as_str() != "GET" {
        return None;
    }
    let download = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let download: Download = serde_json::from_slice(&download).ok()?;
    if !matches!(download.href.scheme(), "http" | "https") {
        return None;
    }
    Some(Question {
        method: Method::GET,
        url: download.href,
        headers: headers(&download.header),
        public: header::HeaderMap::new(),
        body: Bytes::new(),
    })
}

/// What the server says of itself lets in there; nothing of it concerns the connection.
fn headers(said: &Map<String, Value>) -> header::HeaderMap {
    let said = said.iter().filter_map(|(name, value)| {
        let name = header::HeaderName::try_from(name.as_str()).ok()?;
        let value = header::HeaderValue::try_from(value.as_str()?).ok()?;
        Some((name, value))
    });
    let of_connection = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
    ];
    said.filter(|(name, _)| !of_connection.contains(name))
        .collect()
}

/// Asks for objects, and gives back the answer with the gateway's own addresses in it.
pub(super) async fn batch(gateway: &Shared, question: &Question) -> HttpResponse {
    match try_batch(gateway, question).await {
        Ok(answer) => HttpResponse::Ok()
            .content_type("application/vnd.git-lfs+json")
            .body(answer.to_string()),
        Err(complaint) => gateway.complain(complaint),
    }
}

async fn try_batch(gateway: &Shared, question: &Question) -> Result<Value, Complaint> {
    let url = &question.url;
    let refused = |status| Complaint::Refused(name(url), status);
    let wanted: Value = serde_json::from_slice(&question.body).map_err(|_bad| refused(400))?;
    if wanted.get("operation").and_then(Value::as_str) != Some("download") {
        return Err(refused(403));
    }
    let response = gateway.ask(question).await?;
    let answer = read(response).await.ok_or_else(|| away(url))?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_bad| away(url))?;
    let objects = answer.get("objects").and_then(Value::as_array);
    let objects = objects.into_iter().flatten();
    let objects: Vec<Value> = objects.map(|object| rewritten(gateway, object)).collect();
    Ok(json!({ "transfer": "basic", "objects": objects }))
}

/// An object of an answer: its name and size, and where it is or why it is nowhere.
fn rewritten(gateway: &Shared, object: &Value) -> Value {
    let mut kept = Map::new();
    for key in ["oid", "size", "error"] {
        if let Some(value) = object.get(key) {
            kept.insert(key.to_owned(), value.clone());
        }
    }
    kept.insert("authenticated".to_owned(), json!(true));
    let download = object.pointer("/actions/download");
    let download = download.and_then(|download| Download::deserialize(download).ok());
    if let Some(download) = download {
        let encoded = serde_json::to_vec(&download).unwrap_or_default();
        let encoded = URL_SAFE_NO_PAD.encode(encoded);
        let href = format!("{}{OBJECT}/{encoded}", gateway.base);
        kept.insert(
            "actions".to_owned(),
            json!({ "download": { "href": href } }),
        );
    }
    Value::Object(kept)
}

/// The whole answer, if it is not longer than it may be.
async fn read(response: Response) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.ok()?);
        if bytes.len() > ANSWER_BYTES_MAX {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_objects_are_is_not_said() {
        let said = without_objects(
            "GET http://h/s/object/aB-_9: 404 http://h/s/object/x",
            "http://h/s/",
        );
        assert_eq!(said, "GET (an object): 404 (an object)");
        assert_eq!(without_objects("fine", "http://h/s/"), "fine");
    }

    #[test]
    fn a_server_says_what_lets_in_and_nothing_of_the_connection() {
        let said = json!({"Authorization": "x", "Host": "h", "Content-Length": "5", "a b": "c"});
        let said = headers(said.as_object().unwrap());
        assert_eq!(said.len(), 1);
        assert_eq!(said["authorization"], "x");
    }
}
