//! Logs: as they are, as HTML, and while they grow.

use serde_json::Value;

use super::House;
use crate::protocol::{Order, Report};
use paprq_core::jobs::JobOutcome;

const HOSTILE: &[u8] = b"ok\n\x1b[31mred\nstill red\x1b[0m\n</pre><script>alert(1)</script>\nbad \xff\x00\x1b]0;title\x07 bytes\n";

async fn append(house: &House, order: &Order, offset: usize, text: &[u8]) {
    let (job, number) = (order.attempt.job, order.attempt.number);
    let call = house.call(&format!("jobs/{job}/attempts/{number}/log?offset={offset}"));
    let answer = call.body(text.to_vec()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn finish(house: &House, order: &Order, log_bytes: usize) {
    let (job, number) = (order.attempt.job, order.attempt.number);
    let report = Report {
        outcome: JobOutcome::Passed,
        fault: None,
        log_bytes: log_bytes as u64,
    };
    let call = house.call(&format!("jobs/{job}/attempts/{number}/result"));
    let answer: Value = call
        .json(&report)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["log_bytes"], log_bytes);
}

/// Reads events until this text has come.
async fn events_until(events: &mut reqwest::Response, text: &str) -> String {
    let mut told = String::new();
    while !told.contains(text) {
        let piece = events.chunk().await.unwrap();
        let piece = piece.unwrap_or_else(|| panic!("ended after {told:?}"));
        told.push_str(std::str::from_utf8(&piece).unwrap());
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_page_shows_colours_and_nothing_that_acts() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    append(&house, &order, 0, HOSTILE).await;
    let page = house.page(&format!("/job/{}", order.attempt.job)).await;
    assert!(page.contains("<span class=\"fg-red\">red</span>\n<span class=\"fg-red\">still red"));
    assert!(page.contains("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script>"));
    assert!(!page.contains(['\0', '\u{7}', '\u{1b}']));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_raw_log_is_plain_text_whole_or_in_part() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    append(&house, &order, 0, HOSTILE).await;
    let path = format!("/job/{}/log?attempt=1", order.attempt.job);
    let whole = house.get(&path).await;
    assert_eq!(whole.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(
        whole.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    assert_eq!(whole.bytes().await.unwrap(), HOSTILE);
    let rest = house.get(&format!("{path}&offset=3")).await;
    assert_eq!(rest.bytes().await.unwrap(), HOSTILE[3..]);
    let ask = async |range: &str| {
        let call = house.http.get(format!("{}{path}", house.base));
        call.header("Range", range).send().await.unwrap()
    };
    let part = ask("bytes=0-1").await;
    assert_eq!(part.status(), 206);
    let shown = format!("bytes 0-1/{}", HOSTILE.len());
    assert_eq!(part.headers()["content-range"], shown.as_str());
    assert_eq!(part.bytes().await.unwrap(), "ok");
    assert_eq!(ask("bytes=-6").await.bytes().await.unwrap(), "bytes\n");
    assert_eq!(ask("bytes=9999-").await.status(), 416);
    let unknown = format!("/job/{}/log?attempt=3", order.attempt.job);
    assert_eq!(house.get(&unknown).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_who_comes_back_misses_nothing_and_hears_the_end() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let path = format!("/job/{}/log/live?attempt=1", order.attempt.job);
    append(&house, &order, 0, b"one\n\x1b[32mtwo\nthr").await;
    let mut events = house.get(&path).await;
    let told = events_until(&mut events, "two").await;
    assert!(told.starts_with("event: reset\nid: 0\n"), "{told}");
    // The unfinished third line is not told yet: the log goes on at byte 13.
    let green = "<span class=\"fg-green\">two</span>";
    let expected = format!("event: log\nid: 13\ndata: one\ndata: {green}\ndata: \n\n");
    assert!(told.ends_with(&expected), "{told}");
    drop(events);
    append(&house, &order, 16, b"ee\nend").await;
    let back = house.http.get(format!("{}{path}", house.base));
    let mut events = back.header("Last-Event-ID", "13").send().await.unwrap();
    let told = events_until(&mut events, "three").await;
    let green = "<span class=\"fg-green\">three</span>";
    assert_eq!(
        told,
        format!("event: log\nid: 19\ndata: {green}\ndata: \n\n")
    );
    finish(&house, &order, 22).await;
    let told = events_until(&mut events, "event: end").await;
    let green = "<span class=\"fg-green\">end</span>";
    assert!(
        told.starts_with(&format!("event: log\nid: 22\ndata: {green}\n\n")),
        "{told}"
    );
    assert_eq!(events.chunk().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_log_the_end_is_shown() {
    let house = House::start().await;
    let order = house.order(house.sample.good).await;
    let lines: String = (0..80_000)
        .map(|number| format!("line number {number}\n"))
        .collect();
    let mut offset = 0;
    let (first, second) = lines.as_bytes().split_at(700_000);
    for chunk in [first, second] {
        append(&house, &order, offset, chunk).await;
        offset += chunk.len();
    }
    let page = house.page(&format!("/job/{}", order.attempt.job)).await;
    assert!(page.contains("bytes are not shown here"), "{}", page.len());
    assert!(page.contains("line number 79999\n"));
    assert!(!page.contains("line number 1\n"));
    assert!(page.len() < 1_200_000, "{}", page.len());
}
