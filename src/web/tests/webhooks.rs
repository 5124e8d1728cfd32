//! Who is let in, and what they are told.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;

use super::{House, SECRET, comment, sha256};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_stored_and_what_is_right_acts() {
    let house = House::start().await;
    let pull = house.sample.good;
    let text = format!("@{} r+", house.sample.bot);
    let body = comment(&house.sample, pull, &text).to_string();
    let wrong = house
        .webhook("d", "issue_comment", body.clone())
        .header("X-Hub-Signature-256", sha256("another body"));
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    let unsigned = house.webhook("d", "issue_comment", body.clone());
    assert_eq!(unsigned.send().await.unwrap().status(), 401);
    assert_eq!(house.pull(pull).await["status"], "none");
    // Of the same delivery id: had one been stored, this one would be left out.
    let right = house.comment("d", pull, &text).send().await.unwrap();
    assert_eq!(right.status(), 202);
    house
        .until(async |house| (house.pull(pull).await["status"] == "pending").then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_has_its_code() {
    let house = House::start().await;
    let elsewhere = json!({ "repository": { "full_name": "octo/unknown" } }).to_string();
    let nowhere = json!({ "action": "created" }).to_string();
    let hollow = json!({ "action": "created", "repository": { "full_name": "octo/demo" } });
    let hollow = hollow.to_string();
    let huge = vec![b' '; (25 << 20) + 1];
    for (body, code) in [
        (b"not json".to_vec(), 400),
        (b"[1]".to_vec(), 400),
        (elsewhere.clone().into_bytes(), 404),
        (nowhere.into_bytes(), 404),
        (hollow.clone().into_bytes(), 400),
        (huge, 413),
    ] {
        let signature = sha256(&String::from_utf8_lossy(&body));
        let webhook = house
            .webhook("d", "issue_comment", body)
            .header("X-Hub-Signature-256", signature);
        assert_eq!(webhook.send().await.unwrap().status(), code);
    }
    let ping = house
        .webhook("d", "ping", hollow.clone())
        .header("X-Hub-Signature-256", sha256(&hollow));
    assert_eq!(ping.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_and_the_older_signature_are_taken_too() {
    let house = House::start().await;
    let pull = house.sample.good;
    let text = format!("@{} p=7", house.sample.bot);
    let json = comment(&house.sample, pull, &text).to_string();
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &json)
        .finish();
    let mut mac = <Hmac<sha1::Sha1> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(form.as_bytes());
    let signature = format!("sha1={}", hex::encode(mac.finalize().into_bytes()));
    let webhook = house
        .http
        .post(format!("{}/github", house.base))
        .header("X-GitHub-Event", "issue_comment")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("X-Hub-Signature", signature)
        .body(form);
    assert_eq!(webhook.send().await.unwrap().status(), 202);
    house
        .until(async |house| (house.pull(pull).await["priority"] == 7).then_some(()))
        .await;
}
