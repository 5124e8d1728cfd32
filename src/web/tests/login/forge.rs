//! GitHub's log-in in front of the practice GitHub: codes, tokens and forks. All else is passed on.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use paprq_practice::Practice;

pub(super) const CLIENT_ID: &str = "the application";
pub(super) const CLIENT_SECRET: &str = "the application's secret";

/// Where people log in.
pub(super) struct Forge {
    pub(super) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    practice: Practice,
    http: reqwest::Client,
    /// Whose log-in a code is, and the challenge that it was given for.
    codes: Mutex<HashMap<String, (String, String)>>,
    tokens_given: Mutex<usize>,
}

impl Forge {
    pub(super) fn start(practice: Practice) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            practice,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            codes: Mutex::default(),
            tokens_given: Mutex::default(),
        });
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/login/oauth/authorize", web::get().to(authorize))
                .route("/login/oauth/access_token", web::post().to(token))
                .route("/api/v3/repos/octo/demo/forks", web::post().to(fork))
                .default_service(web::to(pass_on))
        });
        let server = server.workers(1).disable_signals().listen(listener);
        tokio::spawn(server.unwrap().run());
        Self { url, shared }
    }

    /// What GitHub gives the browser of somebody who logs in for this challenge.
    pub(super) fn code(&self, login: &str, challenge: &str) -> String {
        self.shared.code(login, challenge)
    }

    pub(super) fn tokens_given(&self) -> usize {
        *self.shared.tokens_given.lock().unwrap()
    }
}

impl Shared {
    fn code(&self, login: &str, challenge: &str) -> String {
        let mut codes = self.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), (login.to_owned(), challenge.to_owned()));
        code
    }
}

/// Bob has let the application act for him before, so he is not asked.
async fn authorize(
    asked: web::Query<HashMap<String, String>>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let mut back: url::Url = asked["redirect_uri"].parse().unwrap();
    let code = shared.code("bob", &asked["code_challenge"]);
    let pairs = [("code", &code), ("state", &asked["state"])];
    back.query_pairs_mut().extend_pairs(pairs);
    let back = ("location", back.to_string());
    HttpResponse::Found().insert_header(back).finish()
}

async fn token(body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let form: HashMap<_, _> = url::form_urlencoded::parse(&body).into_owned().collect();
    let code = shared.codes.lock().unwrap().get(&form["code"]).cloned();
    let Some((login, challenge)) = code else {
        return HttpResponse::Ok().json(json!({ "error": "bad_verification_code" }));
    };
    let shown = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    let is_right = form["client_id"] == CLIENT_ID
        && form["client_secret"] == CLIENT_SECRET
        && form["redirect_uri"].ends_with("/callback")
        && shown == challenge;
    if !is_right {
        return HttpResponse::Ok().json(json!({ "error": "bad_verification_code" }));
    }
    *shared.tokens_given.lock().unwrap() += 1;
    let token = format!("token-of-{login}");
    shared.practice.add_user(&login, Some(&token));
    HttpResponse::Ok().json(json!({ "access_token": token, "token_type": "bearer" }))
}

async fn fork(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    let shown = request.headers().get("authorization").unwrap();
    let shown = shown.to_str().unwrap();
    let login = shown.rsplit("token-of-").next().unwrap();
    shared.practice.fork("octo/demo", login).unwrap();
    HttpResponse::Accepted().json(json!({ "full_name": format!("{login}/demo") }))
}

async fn pass_on(
    request: HttpRequest,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let address = format!("{}{}", shared.practice.url(), request.uri());
    let method = request.method().as_str().parse().unwrap();
    let mut call = shared.http.request(method, address).body(body.to_vec());
    for name in ["authorization", "if-none-match", "content-type"] {
        if let Some(value) = request.headers().get(name) {
            call = call.header(name, value.as_bytes());
        }
    }
    let answer = call.send().await.unwrap();
    let mut passed = HttpResponse::build(answer.status().as_u16().try_into().unwrap());
    for name in ["etag", "content-type"] {
        if let Some(value) = answer.headers().get(name) {
            passed.insert_header((name, value.as_bytes()));
        }
    }
    passed.body(answer.bytes().await.unwrap())
}
