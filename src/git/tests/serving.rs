//! The endpoint for workers, with the real `git fetch` as the client.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::super::testing::{Origin, Server, files};
use super::super::{GitError, Limits, Mirror, serve};
use paprq_core::ids::{CommitId, RunId};

const OURS: RunId = RunId(7);
const OTHER: RunId = RunId(70);

/// A mirror with two runs whose commits share a parent, served over HTTP.
struct Scene {
    origin: Origin,
    server: Server,
    mirror: Mirror,
    ours: CommitId,
    other: CommitId,
}

impl Scene {
    async fn new() -> Self {
        let origin = Origin::new();
        let start = origin.commit(&[], &files(&[("a", "1")]));
        let ours = origin.commit(&[start], &files(&[("a", "2")]));
        let other = origin.commit(&[start], &files(&[("a", "secret")]));
        origin.set_branch("main", start);
        let mirror = origin.mirror();
        mirror.fetch(super::super::Fetch::Everything).await.unwrap();
        for (run, commit) in [(OURS, ours), (OTHER, other)] {
            mirror.fetch_commit(commit).await.unwrap();
            mirror.pin(run, commit).unwrap();
        }
        let server = Server::start(origin.dir.path());
        server.serve(&mirror);
        Self {
            origin,
            server,
            mirror,
            ours,
            other,
        }
    }

    fn work(&self) -> PathBuf {
        self.origin.dir.path().join("worker.git")
    }

    /// Runs git on a worker's repository.
    async fn git(&self, protocol: &str, args: &[&str]) -> Output {
        let mut init = Command::new("git");
        init.args(["init", "-q", "--bare"]).arg(self.work());
        assert!(init.status().unwrap().success());
        let version = format!("protocol.version={protocol}");
        tokio::process::Command::new("git")
            .args(["-c", &version])
            .args(args)
            .current_dir(self.work())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .await
            .unwrap()
    }

    async fn fetch(&self, protocol: &str, what: &str) -> Output {
        let url = self.server.run_url(OURS);
        self.git(protocol, &["fetch", "-q", "--depth=1", &url, what])
            .await
    }

    fn worker_has(&self, commit: CommitId) -> bool {
        let show = Command::new("git")
            .args(["cat-file", "-e", &format!("{commit}^{{tree}}")])
            .current_dir(self.work())
            .output();
        show.unwrap().status.success()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_fetches_its_run_whatever_protocol_it_offers() {
    let scene = Scene::new().await;
    let id = scene.ours.to_string();
    for protocol in ["0", "1", "2"] {
        for what in ["refs/paprq/runs/7", &id] {
            let fetched = scene.fetch(protocol, what).await;
            assert!(fetched.status.success(), "{protocol} {what} {fetched:?}");
            assert!(scene.worker_has(scene.ours));
            std::fs::remove_dir_all(scene.work()).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_run_is_listed_or_given() {
    let scene = Scene::new().await;
    let url = scene.server.run_url(OURS);
    for protocol in ["0", "2"] {
        let listed = scene.git(protocol, &["ls-remote", "--symref", &url]).await;
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert_eq!(listed, format!("{}\trefs/paprq/runs/7\n", scene.ours));
        for what in ["refs/paprq/runs/70", "refs/remote/heads/main", "HEAD"] {
            let refused = scene.fetch(protocol, what).await;
            assert!(!refused.status.success(), "{protocol} {what}");
        }
        let refused = scene.fetch(protocol, &scene.other.to_string()).await;
        assert!(!refused.status.success(), "{protocol}");
    }
    assert!(!scene.worker_has(scene.other));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_made_request_gets_nothing_of_another_run() {
    let scene = Scene::new().await;
    let want = |commit: CommitId| format!("0032want {commit}\n00000009done\n");
    let mut command = format!("0014command=fetch\n00010032want {}\n", scene.other);
    command.push_str("0009done\n0000");
    let url = format!("{}/git-upload-pack", scene.server.run_url(OURS));
    for (request, is_served) in [
        (want(scene.ours), true),
        (want(scene.other), false),
        (command, false),
    ] {
        let answer = post(&url, request.clone()).await;
        let has_pack = answer.windows(4).any(|four| four == b"PACK");
        assert_eq!(has_pack, is_served, "{request}");
    }
}

async fn post(url: &str, body: String) -> Vec<u8> {
    use std::io::Read as _;
    let path = url.strip_prefix("http://").unwrap();
    let (host, path) = path.split_once('/').unwrap();
    let length = body.len();
    let request = format!(
        "POST /{path} HTTP/1.0\r\nHost: {host}\r\nGit-Protocol: version=2\r\n\
         Content-Length: {length}\r\nContent-Type: {}\r\n\r\n{body}",
        serve::REQUEST_TYPE
    );
    let host = host.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // An answer that is cut short is an answer too.
        let _cut = stream.read_to_end(&mut answer);
        answer
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_a_long_history_of_its_own_gets_the_rest() {
    let scene = Scene::new().await;
    let url = scene.server.run_url(OURS);
    let fetch = ["fetch", "-q", &url, "refs/paprq/runs/7"];
    assert!(scene.git("2", &fetch).await.status.success());
    let mut tip = scene.ours;
    for n in 0..60 {
        tip = scene
            .origin
            .commit(&[tip], &files(&[("a", &n.to_string())]));
    }
    scene.mirror.fetch_commit(tip).await.unwrap();
    scene.mirror.pin(OURS, tip).unwrap();
    // 60 commits that the server does not know: the client's request grows so that it is zipped.
    let theirs = git2::Repository::open_bare(scene.work()).unwrap();
    let mut own = scene.ours;
    for n in 0..60 {
        let tree = files(&[("own", &n.to_string())]);
        own = super::super::testing::commit(&theirs, &[own], &tree);
    }
    let own = git2::Oid::from_str(&own.to_string()).unwrap();
    theirs.reference("refs/heads/own", own, true, "").unwrap();
    let fetched = scene.git("2", &fetch).await;
    assert!(fetched.status.success(), "{fetched:?}");
    assert!(scene.worker_has(tip));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_over_is_served_no_more() {
    let scene = Scene::new().await;
    scene.mirror.unpin(OURS).unwrap();
    let refused = scene.fetch("2", "refs/paprq/runs/7").await;
    assert!(!refused.status.success());
    let gone = serve::advertise(&scene.mirror, OURS).await;
    assert!(matches!(gone, Err(GitError::Gone(_))), "{gone:?}");
    let gone = serve::upload_pack(&scene.mirror, OURS, bytes::Bytes::new()).await;
    assert!(matches!(gone, Err(GitError::Gone(_))));
}

#[tokio::test]
async fn an_answer_that_takes_too_long_ends_with_an_error() {
    use futures_util::StreamExt as _;
    let origin = Origin::new();
    let one = origin.commit(&[], &files(&[("a", "1")]));
    let limits = Limits {
        serve_s: 0,
        ..Limits::default()
    };
    let mirror = origin.mirror_of(&format!("file://{}", origin.path().display()), limits);
    mirror.fetch_commit(one).await.unwrap();
    mirror.pin(OURS, one).unwrap();
    let request = format!("0032want {one}\n0000");
    let answer = serve::upload_pack(&mirror, OURS, request.into())
        .await
        .unwrap();
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let pieces: Vec<_> = std::pin::pin!(answer).collect().await;
    assert!(matches!(pieces.last(), Some(Err(_))), "{pieces:?}");
}
