//! A server for the tests of this floor: each request waits until the test answers it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{GitHub, Limits, Repo, Settings, Slug};

/// What fails a test that waits for what does not come.
const DEADLINE: Duration = Duration::from_secs(20);
pub(super) const TOKEN: &str = "ghp_secret";

pub(super) struct Scripted {
    /// Where it listens, without a path.
    pub(super) url: String,
    connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedReceiver<Seen>,
}

/// A request that waits for its answer. Dropped without one, its connection is closed.
pub(super) struct Seen {
    /// `METHOD PATH?QUERY`
    pub(super) line: String,
    head: String,
    pub(super) body: String,
    reply: oneshot::Sender<Vec<u8>>,
}

impl Scripted {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let (sender, requests) = mpsc::unbounded_channel();
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, sender.clone()));
            }
        });
        Self {
            url,
            connections,
            requests,
        }
    }

    /// The next request.
    pub(super) async fn next(&mut self) -> Seen {
        let next = tokio::time::timeout(DEADLINE, self.requests.recv());
        next.await.expect("no request came").unwrap()
    }

    /// The next request, which must be this.
    pub(super) async fn expect(&mut self, line: &str) -> Seen {
        let seen = self.next().await;
        assert_eq!(seen.line, line);
        seen
    }

    /// Whether all requests that came were looked at.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// How many connections were made to it.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(super) fn client(&self, limits: Limits, timeout: Duration) -> GitHub {
        GitHub::new(&self.url, TOKEN, Settings { limits, timeout }).unwrap()
    }

    /// The repository `octo/hello`, with the default settings.
    pub(super) fn repo(&self) -> Repo {
        let github = GitHub::new(&self.url, TOKEN, Settings::default()).unwrap();
        github.repo(Slug::new("octo", "hello"))
    }

    /// The same, with less patience.
    pub(super) fn impatient_repo(&self) -> Repo {
        let timeout = Duration::from_millis(200);
        let github = self.client(Limits::default(), timeout);
        github.repo(Slug::new("octo", "hello"))
    }
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(super) fn answer(self, status: u16, body: &str) {
        self.answer_with(status, &[], body);
    }

    pub(super) fn answer_with(self, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut text = format!("HTTP/1.1 {status} X\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if status != 204 && status != 304 {
            text += &format!("content-length: {}\r\n", body.len());
        }
        self.answer_raw(format!("{text}\r\n{body}").as_bytes());
    }

    /// Answers with exactly these bytes.
    pub(super) fn answer_raw(self, bytes: &[u8]) {
        drop(self.reply.send(bytes.to_vec()));
    }

    /// Closes the connection without a word.
    pub(super) fn hang_up(self) {
        drop(self);
    }
}

/// Does something meanwhile; the test answers it and then asks for its result.
pub(super) fn meanwhile<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(call)
}

async fn converse(mut stream: TcpStream, requests: mpsc::UnboundedSender<Seen>) {
    let mut received = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut received).await {
        let (head, body) = request;
        let (reply, answer) = oneshot::channel();
        let line = head.lines().next().unwrap_or_default();
        let seen = Seen {
            line: line.trim_end_matches(" HTTP/1.1").to_owned(),
            head,
            body,
            reply,
        };
        if requests.send(seen).is_err() {
            return;
        }
        let Ok(answer) = answer.await else { return };
        if stream.write_all(&answer).await.is_err() || answer.ends_with(CUT) {
            return;
        }
    }
}

/// An answer that ends so ends its connection too.
pub(super) const CUT: &[u8] = b"<cut>";

async fn read_request(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let text = String::from_utf8_lossy(received).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then_some(value)
            });
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if rest.len() >= length {
                let body = rest[..length].to_owned();
                received.drain(..head.len() + 4 + length);
                return Some((head.to_owned(), body));
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => received.extend_from_slice(&buffer[..count]),
        }
    }
}
