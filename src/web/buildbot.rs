//! `POST /buildbot`: what Buildbot's status push says of builds.
//!
//! The form of Buildbot 0.8's `HttpStatusPush`, which Homu reads: field `packets` is a JSON list,
//! field `secret` shows that a repository's own Buildbot speaks.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use super::bodies::{Sender, Terms};
use super::error::WebError;
use super::{Site, front, plain, secret};
use crate::engine::{Engine, Repo};
use paprq_core::ids::{CommitId, RepoLabel};
use paprq_core::queue::event::{BuildVerdict, Event};

/// What is encoded in a part of an address (RFC 3986: all but the unreserved characters).
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Buildbot sends some packets at a time, of some kilobytes each.
const TERMS: Terms = Terms {
    bytes_max: 1 << 20,
    sender: Sender::Stranger,
};

/// What was posted.
#[derive(Debug, Default, Eq, PartialEq)]
struct Form {
    packets: String,
    secret: String,
}

/// One packet, as far as it is read.
#[derive(Debug, Deserialize)]
struct Packet {
    event: Option<String>,
    #[serde(default)]
    payload: Payload,
}

#[derive(Debug, Default, Deserialize)]
struct Payload {
    build: Option<Build>,
}

/// A build.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    builder_name: String,
    /// Each a name, a value and where it comes from.
    #[serde(default)]
    properties: Vec<Vec<Value>>,
    /// How it went, in words.
    #[serde(default, deserialize_with = "words")]
    text: Vec<String>,
    results: Option<i64>,
    #[serde(default)]
    steps: Vec<BuildStep>,
}

#[derive(Debug, Deserialize)]
struct BuildStep {
    #[serde(default, deserialize_with = "words")]
    text: Vec<String>,
}

/// What a packet says of a build of a commit.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Report {
    commit: CommitId,
    builder: String,
    /// Buildbot's own number of the build.
    number: Option<String>,
    verdict: BuildVerdict,
}

/// `POST /buildbot`.
pub(super) async fn receive(
    request: HttpRequest,
    body: web::Payload,
    site: web::Data<Site>,
) -> Result<HttpResponse, WebError> {
    let body = site.bodies.receive(request.headers(), body, TERMS).await?;
    let _turn = site.bodies.turn(body.len()).await;
    let engine = site.engine.clone();
    let read = web::block(move || news(&engine, &body)).await;
    let read = read.map_err(|error| WebError::unavailable("read packets of Buildbot", &error))?;
    let news = read.inspect_err(|error| tracing::warn!(%error, "Buildbot was refused"))?;
    front::visit(&request)?.is_known();
    for (label, events) in news {
        let Some(repo) = site.engine.repo(&label) else {
            continue;
        };
        let stored = repo.take_in(None, events).await;
        stored.map_err(|error| WebError::unavailable("store packets of Buildbot", &error))?;
    }
    Ok(plain(HttpResponse::Ok(), "OK"))
}

/// What is new for which repository.
fn news(engine: &Engine, body: &[u8]) -> Result<BTreeMap<RepoLabel, Vec<Event>>, WebError> {
    let form = Form::read(body);
    let sent_by = |repo: &&Repo| {
        let buildbot = repo.config().buildbot.as_ref();
        buildbot.is_some_and(|buildbot| secret::is_same(&buildbot.secret, &form.secret))
    };
    let senders: Vec<_> = engine.repos().filter(sent_by).collect();
    if senders.is_empty() {
        return Err(WebError::Forbidden("wrong secret"));
    }
    let mut news: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for report in reports(&form.packets)? {
        for repo in &senders {
            let events = report.clone().event(repo);
            let events = events
                .into_iter()
                .filter(|event| repo.is_of_interest(event));
            news.entry(repo.label().clone()).or_default().extend(events);
        }
    }
    news.retain(|_, events| !events.is_empty());
    Ok(news)
}

impl Form {
    fn read(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "packets" => form.packets = value.into_owned(),
                "secret" => form.secret = value.into_owned(),
                _ => {}
            }
        }
        form
    }
}

/// What packets say of builds. One that cannot be read is left out, so that it keeps none of those
/// that came with it from being heard.
fn reports(packets: &str) -> Result<Vec<Report>, WebError> {
    let packets: Vec<Value> =
        serde_json::from_str(packets).or(Err(WebError::Bad("packets is no JSON list")))?;
    let read = packets.into_iter().filter_map(|packet| {
        let packet = serde_json::from_value(packet);
        packet
            .inspect_err(|error| tracing::warn!(%error, "a packet of Buildbot cannot be read"))
            .ok()
    });
    Ok(read.filter_map(Packet::report).collect())
}

impl Packet {
    fn report(self) -> Option<Report> {
        let build = self.payload.build?;
        let verdict = match self.event.as_deref()? {
            "buildStarted" => BuildVerdict::Running,
            "buildFinished" => build.verdict()?,
            _ => return None,
        };
        Some(Report {
            commit: build.property("revision")?.parse().ok()?,
            number: build.property("buildnumber"),
            builder: build.builder_name,
            verdict,
        })
    }
}

impl Build {
    /// How it ended; none if Buildbot runs it again by itself.
    fn verdict(&self) -> Option<BuildVerdict> {
        let says = |text: &[String], word: &str| text.iter().any(|said| said == word);
        if says(&self.text, "retry") {
            return None;
        }
        let was_interrupted = says(&self.text, "interrupted")
            || self
                .steps
                .iter()
                .any(|step| says(&step.text, "interrupted"));
        Some(
            if says(&self.text, "successful") || self.results == Some(0) {
                BuildVerdict::Passed
            } else if was_interrupted {
                BuildVerdict::Interrupted
            } else {
                BuildVerdict::Failed
            },
        )
    }

    fn property(&self, name: &str) -> Option<String> {
        let mut properties = self.properties.iter();
        let property = properties.find(|property| property.first().is_some_and(|is| is == name))?;
        match property.get(1)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Report {
    fn event(self, repo: &Repo) -> Option<Event> {
        let buildbot = repo.config().buildbot.as_ref()?;
        let encoded = |text: &str| utf8_percent_encode(text, &RESERVED).to_string();
        let mut url = format!("{}/builders/{}", buildbot.url, encoded(&self.builder));
        if let Some(number) = &self.number {
            url.push_str("/builds/");
            url.push_str(&encoded(number));
        }
        Some(Event::BuildReported {
            commit: self.commit,
            builder: self.builder,
            verdict: self.verdict,
            url,
            number: self.number.and_then(|number| number.parse().ok()),
        })
    }
}

/// A list of words, or, of a build that has not ended, perhaps nothing.
fn words<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words = Option::<Vec<String>>::deserialize(deserializer)?;
    Ok(words.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    fn told(event: &str, build: Value) -> Vec<Report> {
        let packets = json!([{ "event": event, "payload": { "build": build } }]);
        reports(&packets.to_string()).unwrap()
    }

    fn finished(text: &[&str], results: Value, steps: Value) -> Option<BuildVerdict> {
        let properties = json!([["revision", COMMIT, "Build"]]);
        let build = json!({ "builderName": "linux", "properties": properties, "text": text,
            "results": results, "steps": steps });
        told("buildFinished", build)
            .first()
            .map(|report| report.verdict)
    }

    #[test]
    fn a_finished_build_passed_failed_was_interrupted_or_is_run_again() {
        let none = json!([]);
        let cut = json!([{ "name": "git", "text": ["done"] },
            { "name": "test", "text": ["test", "interrupted"] }]);
        for (text, results, steps, verdict) in [
            (
                &["build", "successful"][..],
                json!(null),
                &none,
                Some(BuildVerdict::Passed),
            ),
            (&[], json!(0), &none, Some(BuildVerdict::Passed)),
            (
                &["failed", "test"],
                json!(2),
                &none,
                Some(BuildVerdict::Failed),
            ),
            (&[], json!(null), &none, Some(BuildVerdict::Failed)),
            (
                &["failed", "interrupted"],
                json!(2),
                &none,
                Some(BuildVerdict::Interrupted),
            ),
            (
                &["failed", "test"],
                json!(2),
                &cut,
                Some(BuildVerdict::Interrupted),
            ),
            (
                &["build", "successful"],
                json!(0),
                &cut,
                Some(BuildVerdict::Passed),
            ),
            (&["retry", "exception"], json!(5), &none, None),
        ] {
            assert_eq!(finished(text, results, steps.clone()), verdict, "{text:?}");
        }
    }

    #[test]
    fn what_names_no_revision_is_left_out() {
        for properties in [
            json!([]),
            json!([["revision", null, "x"]]),
            json!([["revision", "", "x"]]),
            json!([["revision", "main", "x"]]),
            json!([["got_revision", COMMIT, "x"]]),
            json!([["revision"]]),
            json!([[]]),
        ] {
            let build = json!({ "builderName": "linux", "properties": properties });
            assert_eq!(told("buildStarted", build), [], "{properties}");
        }
    }

    #[test]
    fn a_packet_that_cannot_be_read_does_not_silence_the_others() {
        let properties = json!([["buildnumber", 7, "Build"], ["revision", COMMIT, "Build"]]);
        let build = json!({ "builderName": "linux", "properties": properties, "text": null });
        let packets = json!([
            "what?",
            { "event": "buildStarted", "payload": { "build": { "builderName": 3 } } },
            { "event": "buildETAUpdate", "payload": { "build": build } },
            { "event": "slaveConnected", "payload": {} },
            { "event": "buildStarted", "payload": { "build": build } },
        ]);
        let report = Report {
            commit: COMMIT.parse().unwrap(),
            builder: "linux".to_owned(),
            number: Some("7".to_owned()),
            verdict: BuildVerdict::Running,
        };
        assert_eq!(reports(&packets.to_string()).unwrap(), [report]);
        for packets in ["", "{}", "no"] {
            assert!(reports(packets).is_err(), "{packets}");
        }
    }
}
