//! How fast the main job is, on the real program against the practice GitHub over HTTP and git.
//!
//! `cargo bench --bench main_job [NAME]…` prints a line per figure; docs/performance.md has them
//! with the machine on which they were measured. Nothing here passes or fails.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on has failed"
)]

#[path = "../tests/stories/log.rs"]
mod log;
#[expect(
    dead_code,
    reason = "the stories' stage has more than the benchmarks use"
)]
#[path = "../tests/stories/world.rs"]
mod world;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use paprq::clock::Stopwatch;
use paprq_practice::StatusState;
use world::{BOT, LIMIT, REPO, SECRET, Settings, World};

const ROUNDS: usize = 30;

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let is_wanted =
        |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    if is_wanted("landing-small") {
        landing("small repository", Vec::new()).await;
    }
    if is_wanted("landing-large") {
        landing("50,000 files", many_files(50_000)).await;
    }
    if is_wanted("webhooks") {
        webhooks().await;
    }
    if is_wanted("restart") {
        restart(1000).await;
    }
}

fn many_files(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|number| {
            let path = format!("d{}/f{number}", number % 500);
            (path, format!("{number}\n"))
        })
        .collect()
}

fn status_settings(files: Vec<(String, String)>) -> Settings {
    Settings {
        local_workers: 0,
        repo: "status.ci = { context = \"ci\" }".to_owned(),
        files,
        ..Settings::default()
    }
}

/// From the comment to the push of `auto`, and from the CI's answer to the moved base branch.
async fn landing(name: &str, files: Vec<(String, String)>) {
    let world = World::start_with(status_settings(files)).await;
    let (mut pushed, mut landed, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let pull = world.open_pull(&format!("b{round}"), &[(&format!("new{round}"), "1")]);
        // The mirror follows the push by itself; a person needs longer than that to say `r+`.
        world.tell(pull, "ping");
        world.hear(pull, ":sleepy:").await;
        until_quiet(&world).await;
        let calls_before = world.practice.api_calls();
        let before = world.practice.branch(REPO, "auto").unwrap();
        let began = Stopwatch::start();
        world.tell(pull, "r+");
        world
            .until("auto is pushed", |practice| {
                practice.branch(REPO, "auto").unwrap() != before
            })
            .await;
        pushed.push(began.elapsed());
        world.hear(pull, ":hourglass:").await;
        until_quiet(&world).await;
        let merge = world.practice.branch(REPO, "auto").unwrap().unwrap();
        let began = Stopwatch::start();
        world
            .practice
            .set_status(REPO, merge, "ci", StatusState::Success)
            .unwrap();
        world
            .until("the base moved", |_| world.base() == merge)
            .await;
        landed.push(began.elapsed());
        world.hear(pull, ":sunny:").await;
        until_quiet(&world).await;
        calls.push(world.practice.api_calls() - calls_before);
    }
    print(&format!("{name}: r+ to auto pushed"), &mut pushed);
    print(&format!("{name}: CI result to base moved"), &mut landed);
    calls.sort_unstable();
    say(&format!(
        "{name}: API calls per merge: {}",
        calls[calls.len() / 2]
    ));
}

/// Waits until no request came for a while, so that one round does not burden the next.
async fn until_quiet(world: &World) {
    let mut known = 0;
    loop {
        let now = world.practice.requests().len();
        if now == known && world.practice.deliveries_are_done() {
            return;
        }
        known = now;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
}

fn print(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    say(&format!(
        "{name}: median {:.1} ms, p90 {:.1} ms, first or worst {:.1} ms",
        at(50),
        at(90),
        at(100)
    ));
}

/// Webhooks from 32 connections: without a command, and with one (durable before the answer).
async fn webhooks() {
    let world = World::start_with(status_settings(Vec::new())).await;
    let pull = world.open_pull("asked", &[("a", "1")]);
    world.tell(pull, "ping");
    world.hear(pull, ":sleepy:").await;
    let address = world.address();
    for (name, text, per_connection) in [
        (
            "webhooks without a command",
            "looks good to me".to_owned(),
            2000,
        ),
        (
            "webhooks with a command, durable",
            format!("@{BOT} p=7"),
            500,
        ),
    ] {
        let began = Stopwatch::start();
        let threads: Vec<_> = (0..32)
            .map(|connection| {
                let (address, text) = (address.clone(), text.clone());
                std::thread::spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.set_nodelay(true).unwrap();
                    (0..per_connection)
                        .map(|number| {
                            let id = 10_000 + connection * per_connection + number;
                            let request = request(pull.0, id, &text);
                            let began = Stopwatch::start();
                            send(&mut stream, &request);
                            began.elapsed()
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let mut times: Vec<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let seconds = began.elapsed().as_secs_f64();
        times.sort_unstable();
        let p99 = times[times.len() * 99 / 100].as_secs_f64() * 1000.0;
        let rate = times.len() as f64 / seconds;
        say(&format!(
            "{name}: {rate:.0}/s, p99 {p99:.1} ms at 32 connections"
        ));
    }
}

/// A webhook of the size that GitHub sends, signed.
fn request(pull: u64, id: u64, text: &str) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    let filler = "x".repeat(6000);
    let body = serde_json::json!({
        "action": "created",
        "issue": { "number": pull, "pull_request": {}, "body": filler },
        "comment": {
            "id": id,
            "user": { "login": "alice" },
            "body": text,
            "created_at": "2030-01-01T00:00:00Z",
            "html_url": "https://example.org/comment",
        },
        "repository": { "full_name": REPO },
        "sender": { "login": "alice" },
    })
    .to_string();
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    format!(
        "POST /github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         X-GitHub-Event: issue_comment\r\nX-GitHub-Delivery: bench-{text}-{id}\r\n\
         X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn send(stream: &mut TcpStream, request: &[u8]) {
    stream.write_all(request).unwrap();
    let mut answer = [0; 4096];
    let mut len = 0;
    loop {
        len += stream.read(&mut answer[len..]).unwrap();
        let text = String::from_utf8_lossy(&answer[..len]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        if body.len() >= length {
            assert!(head.starts_with("HTTP/1.1 20"), "{head}");
            return;
        }
    }
}

/// A restart with so many open pulls that are known.
async fn restart(pulls: usize) {
    let mut world = World::prepare(status_settings(Vec::new())).await;
    for number in 0..pulls {
        world.open_pull(&format!("p{number}"), &[(&format!("f{number}"), "1")]);
    }
    let calls = world.practice.api_calls();
    let began = Stopwatch::start();
    world.start_server();
    until_swept(&world, 1).await;
    say(&format!(
        "first start with {pulls} open pulls: {} API calls, {:.1} s",
        world.practice.api_calls() - calls,
        began.elapsed().as_secs_f64()
    ));
    world.program().kill();
    let calls = world.practice.api_calls();
    let began = Stopwatch::start();
    world.start_server();
    until_swept(&world, 2).await;
    say(&format!(
        "restart with {pulls} known open pulls: {} API calls, {:.2} s",
        world.practice.api_calls() - calls,
        began.elapsed().as_secs_f64()
    ));
}

async fn until_swept(world: &World, times: usize) {
    let began = Stopwatch::start();
    while world.log().matches(" swept ").count() < times {
        assert!(began.elapsed() < 20 * LIMIT, "{}", world.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn say(text: &str) {
    println!("{text}");
}
