//! Server-sent events: how they are written, and that they end when the server does.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;

use super::gate;

/// How long a stream says nothing before it shows that it is still there.
pub(super) const QUIET: Duration = Duration::from_secs(15);

/// A comment: shows that the stream is still there, and finds out whether anybody reads it.
pub(super) const STILL_HERE: Bytes = Bytes::from_static(b":\n\n");

/// One event. `data` may have several lines, which end in `\n` alone.
pub(super) fn event(name: &str, id: u64, data: &str) -> Bytes {
    let mut text = String::with_capacity(data.len() + 64);
    let _infallible = write!(text, "event: {name}\nid: {id}\n");
    for line in data.split('\n') {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text.into()
}

/// Answers with these events until they end or the server stops. They keep their place until then.
pub(super) fn answer(
    events: impl Stream<Item = Bytes> + 'static,
    place: gate::Stream,
    stop: &CancellationToken,
) -> HttpResponse {
    let events = events
        .map(move |event| {
            let _kept = &place;
            Ok::<_, Infallible>(event)
        })
        .take_until(stop.clone().cancelled_owned());
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events)
}
