//! Crowds of strangers: they hold connections and memory, and the queue goes on.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::webhooks::{comment, signature};
use crate::world::{REPO, SECRET, Settings, World};

/// As many descriptors as a login usually has.
const DESCRIPTORS: u64 = 1024;

/// More connections than that.
const CROWD: usize = 1100;

/// The largest webhook, in bytes.
const LARGEST: usize = 25 << 20;

/// What the server may come to in all, in kilobytes: bodies, and what each needs while it is looked at.
const MEMORY_KB_MAX: u64 = 600 << 10;

/// How long an answer may take on a busy machine, with a build that is not optimised.
const PATIENCE: Duration = Duration::from_secs(2);

/// This process holds the other ends.
fn raise_own_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, all).unwrap();
}

fn few_descriptors() -> Settings {
    Settings {
        descriptors: Some(DESCRIPTORS),
        ..Settings::default()
    }
}

/// Looks how the server is, on a new connection.
async fn assert_healthy(world: &World) {
    paprq::tls::install();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let health = client.get(format!("http://{}/health", world.address()));
    let health = health.timeout(PATIENCE).send().await;
    let health = world.expect(health, "/health");
    assert_eq!(health.status(), 200);
}

/// People who come, say nothing, and come again when they are sent away.
struct Crowd {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Crowd {
    fn gather(address: &str, says: &'static [u8]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut there: Vec<TcpStream> = (0..CROWD).map(|_| come(address, says)).collect();
        let (stopped, address) = (Arc::clone(&stop), address.to_owned());
        let coming = std::thread::spawn(move || {
            for next in (0..CROWD).cycle() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                // Five hundred a second.
                std::thread::sleep(Duration::from_millis(2));
                there[next] = come(&address, says);
            }
        });
        Self {
            stop,
            threads: vec![coming],
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _over = thread.join();
        }
    }
}

fn come(address: &str, says: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    // It may be closed already.
    let _said = stream.write_all(says);
    stream
}

async fn a_merge_lands_beside(says: &'static [u8]) {
    raise_own_limit();
    let world = World::start_with(few_descriptors()).await;
    let crowd = Crowd::gather(&world.address(), says);
    assert_healthy(&world).await;
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    world.until_merged(pull).await;
    assert_healthy(&world).await;
    drop(crowd);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_says_nothing_keeps_nothing_from_being_merged() {
    a_merge_lands_beside(b"").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_follows_pages_keeps_nothing_from_being_merged() {
    a_merge_lands_beside(b"GET /events?queue=all HTTP/1.1\r\nHost: here\r\n\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_begins_webhooks_keeps_nothing_from_being_merged() {
    a_merge_lands_beside(b"POST /github HTTP/1.1\r\nHost: here\r\nContent-Length: 9999\r\n\r\n{")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_never_end_are_not_waited_for() {
    let world = World::start().await;
    for before in ["", "GET /health HTTP/1.1\r\nHost: here\r\n\r\n"] {
        let mut stream = come(&world.address(), before.as_bytes());
        let mut writing = stream.try_clone().unwrap();
        let drips = std::thread::spawn(move || {
            let line = b"GET /health HTTP/1.1\r\nX: "
                .iter()
                .chain(std::iter::repeat(&b'x'));
            line.copied()
                .take_while(|byte| {
                    std::thread::sleep(Duration::from_millis(200));
                    writing.write_all(&[*byte]).is_ok()
                })
                .count()
        });
        stream
            .set_read_timeout(Some(Duration::from_secs(40)))
            .unwrap();
        let mut answers = Vec::new();
        let ended = stream.read_to_end(&mut answers);
        let _either = stream.shutdown(Shutdown::Both);
        let timed_out = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(
            !timed_out,
            "{before:?} {}",
            String::from_utf8_lossy(&answers)
        );
        drips.join().unwrap();
    }
}

/// The most memory that the server ever had, in kilobytes.
fn memory_kb(world: &World) -> u64 {
    let status = format!("/proc/{}/status", world.process_id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// Announces as much as is allowed, and sends all but the last MiB.
fn send_most(address: &str, path: &str) -> TcpStream {
    let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {LARGEST}\r\n\r\n");
    let mut stream = come(address, head.as_bytes());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..24 {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_hold_little_memory_and_up_nothing() {
    let mut settings = few_descriptors();
    "secret = \"an operator's secret\"".clone_into(&mut settings.web);
    let world = World::start_with(settings).await;
    for path in ["/github", "/admin", "/buildbot"] {
        let sending: Vec<_> = (0..50)
            .map(|_| {
                let address = world.address();
                std::thread::spawn(move || send_most(&address, path))
            })
            .collect();
        assert_healthy(&world).await;
        let held: Vec<_> = sending
            .into_iter()
            .map(|sending| sending.join().unwrap())
            .collect();
        assert_healthy(&world).await;
        assert!(
            memory_kb(&world) < MEMORY_KB_MAX,
            "{path}: {}",
            memory_kb(&world)
        );
        let pull = world.open_pull(path, &[("a", path)]);
        world.tell(pull, "r+");
        world.hear(pull, ":pushpin: Commit").await;
        drop(held);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_bodies_at_once_are_taken_or_sent_away_for_later() {
    let world = World::start_with(few_descriptors()).await;
    let body = |number: u64| {
        let mut body = comment(1, number, REPO, "@bors ping");
        body.pop();
        let pad = LARGEST - body.len() - br#","pad":""}"#.len();
        body.extend_from_slice(br#","pad":""#);
        body.resize(body.len() + pad, b'x');
        body.extend_from_slice(br#""}"#);
        bytes::Bytes::from(body)
    };
    let one = body(1);
    let signed = signature(&one, SECRET);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = |delivery: usize| {
        client
            .post(format!("http://{}/github", world.address()))
            .header("X-GitHub-Event", "issue_comment")
            .header("X-GitHub-Delivery", delivery.to_string())
            .header("X-Hub-Signature-256", &signed)
            .body(one.clone())
            .send()
    };
    let sending: Vec<_> = (0..50)
        .map(|delivery| tokio::spawn(send(delivery)))
        .collect();
    assert_healthy(&world).await;
    let mut taken = 0;
    for sent in sending {
        // One that was sent away may see its connection closed before it read the answer.
        let Ok(answer) = sent.await.unwrap() else {
            continue;
        };
        match answer.status().as_u16() {
            200 | 202 => taken += 1,
            503 => assert!(answer.headers().contains_key("retry-after")),
            other => panic!("{other}"),
        }
    }
    assert!(taken > 0, "{}", world.log());
    assert!(memory_kb(&world) < MEMORY_KB_MAX, "{}", memory_kb(&world));
    assert!(send(99).await.unwrap().status().is_success());
}
