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

#[tokio::test(flavor = "multi_thread")]
async fn buildbot_is_believed_by_its_secret_and_of_commits_under_test() {
    let house = House::start_with(|config, _| {
        config["repo"]["demo"]["suites"] = json!({});
        config["repo"]["demo"]["buildbot"] = json!({
            "url": "https://build.example.org/bot/",
            "secret": "builders' secret",
            "builders": ["linux-opt debug"],
        });
    })
    .await;
    let order = house.order(house.sample.good).await;
    let packet = |commit: &str, builder: &str| {
        let properties = json!([["revision", commit, "Build"], ["buildnumber", 12, "Build"]]);
        let build = json!({ "builderName": builder, "properties": properties, "results": 0 });
        json!({ "event": "buildFinished", "payload": { "build": build } })
    };
    let commit = order.commit.to_string();
    let packets = json!([
        packet(&"1".repeat(40), "linux-opt debug"),
        packet(&commit, "stranger"),
        packet(&commit, "linux-opt debug"),
    ]);
    let post = async |packets: &str, secret: &str| {
        let call = house.http.post(format!("{}/buildbot", house.base));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("packets", packets)
            .append_pair("secret", secret)
            .finish();
        let form_type = "application/x-www-form-urlencoded";
        let call = call.header("Content-Type", form_type).body(form);
        call.send().await.unwrap()
    };
    let stored = || {
        let database = house.engine.config().db.clone();
        let crate::config::Db::Sqlite(file) = database else {
            panic!("not SQLite");
        };
        rows(&file, "BuildReported")
    };
    for wrong in ["", "builders' secre", SECRET] {
        assert_eq!(post(&packets.to_string(), wrong).await.status(), 403);
    }
    assert_eq!(post("no list", "builders' secret").await.status(), 400);
    assert_eq!(stored(), [""; 0]);
    let right = post(&packets.to_string(), "builders' secret").await;
    assert_eq!(right.status(), 200);
    assert_eq!(right.text().await.unwrap(), "OK");
    let report = json!([{ "BuildReported": {
        "commit": commit,
        "builder": "linux-opt debug",
        "verdict": "passed",
        "url": "https://build.example.org/bot/builders/linux-opt%20debug/builds/12",
        "number": 12,
    } }]);
    let stored: Vec<serde_json::Value> = stored()
        .iter()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()["doc"].take())
        .collect();
    assert_eq!(stored, [report]);
}

/// What the inbox holds with this word.
fn rows(database: &std::path::Path, word: &str) -> Vec<String> {
    use diesel::{QueryableByName, RunQueryDsl};
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        events: String,
    }
    let mut connection = crate::store::testing::connect(database);
    let rows = diesel::sql_query("select events from inbox where events like ?")
        .bind::<diesel::sql_types::Text, _>(format!("%{word}%"))
        .load::<Row>(&mut connection);
    rows.unwrap().into_iter().map(|row| row.events).collect()
}
