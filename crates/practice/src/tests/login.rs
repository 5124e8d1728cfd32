//! People who log in elsewhere, and what an app then does for them.

use super::*;

const CALLBACK: &str = "http://127.0.0.1:1/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What the guest's browser is led to after agreeing.
async fn agree(site: &Site) -> url::Url {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "app")
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("scope", "public_repo")
        .append_pair("state", "s&1")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .append_pair("as", "guest")
        .finish();
    let answer = client
        .post(format!("{}/login/oauth/authorize", site.practice.url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 303);
    let to = answer.headers()["location"].to_str().unwrap();
    to.parse().unwrap()
}

fn code(url: &url::Url) -> String {
    let mut pairs = url.query_pairs();
    let code = pairs.find(|(name, _)| name == "code").unwrap();
    code.1.into_owned()
}

async fn redeem(site: &Site, body: &Value) -> Value {
    let url = format!("{}/login/oauth/access_token", site.practice.url());
    let request = site.client.post(url).header("accept", "application/json");
    request
        .json(body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

fn claim(code: &str) -> Value {
    json!({
        "client_id": "app", "client_secret": "app-secret", "code": code,
        "redirect_uri": CALLBACK, "code_verifier": VERIFIER,
    })
}

async fn log_in(site: &Site) -> String {
    site.practice.add_oauth_app("app", "app-secret", CALLBACK);
    let answer = redeem(site, &claim(&code(&agree(site).await))).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_agrees_is_led_back_with_a_code_that_is_good_once() {
    let site = site().await;
    site.practice.add_oauth_app("app", "app-secret", CALLBACK);
    let page = format!(
        "{}/login/oauth/authorize?client_id=app&state=s",
        site.practice.url()
    );
    let page = site.client.get(page).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains(">Log in as guest</button>"), "{page}");
    let led = agree(&site).await;
    assert!(led.as_str().starts_with(CALLBACK), "{led}");
    assert!(
        led.query_pairs()
            .any(|pair| pair == ("state".into(), "s&1".into()))
    );
    let code = code(&led);
    let issued = redeem(&site, &claim(&code)).await;
    assert_eq!(issued["scope"], "public_repo", "{issued}");
    let token = issued["access_token"].as_str().unwrap();
    let user = site.request("GET", "/user", token).send().await.unwrap();
    let user: Value = user.json().await.unwrap();
    assert_eq!(user["login"], "guest");
    let again = redeem(&site, &claim(&code)).await;
    assert_eq!(again["error"], "bad_verification_code");
    site.practice.revoke_logins("guest");
    let refused = site.request("GET", "/user", token).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_refused_to_whoever_did_not_ask_for_them() {
    let site = site().await;
    site.practice.add_oauth_app("app", "app-secret", CALLBACK);
    for (member, value, word) in [
        ("client_secret", "x", "incorrect_client_credentials"),
        ("client_id", "x", "incorrect_client_credentials"),
        ("code", "x", "bad_verification_code"),
        ("code_verifier", "x", "bad_verification_code"),
        (
            "redirect_uri",
            "http://evil.example",
            "redirect_uri_mismatch",
        ),
    ] {
        let mut claim = claim(&code(&agree(&site).await));
        claim[member] = json!(value);
        assert_eq!(redeem(&site, &claim).await["error"], word, "{member}");
    }
    let page = format!(
        "{}/login/oauth/authorize?client_id=app&redirect_uri=http://evil.example",
        site.practice.url()
    );
    let refused = site.client.get(page).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_forks_pushes_and_proposes_for_a_person() {
    let site = site().await;
    let token = log_in(&site).await;
    let forks = format!("/repos/{REPO}/forks");
    for _ in 0..2 {
        let made = site.request("POST", &forks, &token).send().await.unwrap();
        assert_eq!(made.status().as_u16(), 202);
        let made: Value = made.json().await.unwrap();
        assert_eq!(made["full_name"], "guest/widget");
        assert_eq!(made["parent"]["full_name"], REPO);
        assert_eq!(made["source"]["full_name"], REPO);
    }
    let url = site.git_url(&token).replace(REPO, "guest/widget");
    site.git("fork", &["clone", "-q", &url, "."]).await.unwrap();
    let commit = ["commit", "-q", "--allow-empty", "-m", "Rollup"];
    site.git("fork", &commit).await.unwrap();
    let push = ["push", "-q", "origin", "HEAD:rollup"];
    site.git("fork", &push).await.unwrap();
    let pulls = format!("/repos/{REPO}/pulls");
    let body = json!({"head": "guest:rollup", "base": "master", "title": "Rollup of 2"});
    let opened = site.request("POST", &pulls, &token).json(&body);
    let opened = opened.send().await.unwrap();
    assert_eq!(opened.status().as_u16(), 201);
    let path = format!("{pulls}?head=guest:rollup");
    let (_, found) = site.call("GET", &path, Value::Null).await;
    assert_eq!(found[0]["user"]["login"], "guest");
    assert_eq!(found[0]["head"]["repo"]["full_name"], "guest/widget");
    assert_eq!(found.as_array().unwrap().len(), 1);
}
