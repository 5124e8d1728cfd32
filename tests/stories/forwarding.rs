//! An old Homu, or a trigger of PAPR's, beside us.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use tokio::sync::watch;

use crate::world::{LIMIT, Settings, World};

const OTHER_SECRET: &str = "what Homu knows";

/// Each event that the other side got, with its body.
type Got = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

struct Homu {
    got: Got,
    changed: Arc<watch::Sender<()>>,
}

impl Homu {
    fn start(port: u16) -> Self {
        let got = Got::default();
        let changed = Arc::new(watch::channel(()).0);
        let shared = web::Data::new((Arc::clone(&got), Arc::clone(&changed)));
        let server = HttpServer::new(move || {
            let app = App::new().app_data(shared.clone());
            app.route("/github", web::post().to(receive))
        });
        let server = server.workers(1).disable_signals();
        tokio::spawn(server.bind(("127.0.0.1", port)).unwrap().run());
        Self { got, changed }
    }

    /// Waits until such an event has come.
    async fn until(&self, event: &str) -> Vec<(String, Vec<u8>)> {
        let mut changed = self.changed.subscribe();
        let waiting = async {
            loop {
                changed.mark_unchanged();
                let got = self.got.lock().unwrap().clone();
                if got.iter().any(|(known, _)| known == event) {
                    return got;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LIMIT, waiting)
            .await
            .expect("it comes")
    }
}

async fn receive(
    request: HttpRequest,
    shared: web::Data<(Got, Arc<watch::Sender<()>>)>,
    body: web::Bytes,
) -> HttpResponse {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let secret = OTHER_SECRET.as_bytes();
    let (sha256, sha1) = (header("x-hub-signature-256"), header("x-hub-signature"));
    paprq::github::signature::verify(secret, &body, Some(&sha256), None).unwrap();
    paprq::github::signature::verify(secret, &body, None, Some(&sha1)).unwrap();
    let event = header("x-github-event");
    shared.0.lock().unwrap().push((event, body.to_vec()));
    shared.1.send_replace(());
    HttpResponse::Ok().finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_homu_that_was_away_hears_all_that_we_heard_also_before_we_were_killed() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let settings = Settings {
        repo: format!(
            "forward_to = \"http://127.0.0.1:{port}/github\"\nforward_secret = \"{OTHER_SECRET}\""
        ),
        ..Settings::default()
    };
    let mut world = World::start_with(settings).await;
    world.expects("webhooks cannot be passed on; they wait");
    let pull = world.open_pull("good", &[("a", "1")]);
    world.tell(pull, "r+");
    // That the other side is away delays nothing here.
    world.until_merged(pull).await;
    world.program().kill();
    world.start_server();
    let homu = Homu::start(port);
    let got = homu.until("issue_comment").await;
    let events: Vec<&str> = got.iter().map(|(event, _)| event.as_str()).collect();
    let first = |wanted: &str| events.iter().position(|event| *event == wanted).unwrap();
    assert!(first("pull_request") < first("issue_comment"), "{events:?}");
    let (_, comment) = &got[first("issue_comment")];
    let comment: serde_json::Value = serde_json::from_slice(comment).unwrap();
    assert_eq!(comment["comment"]["body"], "@bors r+");
}
